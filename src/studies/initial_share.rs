//! Share of the data that the initial subflow carried (`initial_subflows_data_cdf`, `initial_subflow_data_handover_cdf`).

use clap::ArgMatches;

use std::collections::HashMap;

use super::axes::share_of;
use super::numbers::StudyNumbers;
use super::options::{min_subflows, value};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Share of the data that the first subflow, and the first two, carried first.
pub struct InitialShare;

impl Described for InitialShare {
    fn name(&self) -> &'static str {
        "initial_share"
    }

    fn summary(&self) -> &'static str {
        "Share of the data that the first subflow, and the first two, carried first"
    }

    fn details(&self) -> &'static str {
        "Share = goodput that the initial subflow was the first to carry / goodput of all subflows, both \
         directions together. The second line adds the next subflow. Connections count with goodput and at least \
         --min-subflows subflows. The initial subflow is the one with MP_CAPABLE; without it captured, a \
         connection is left out. What is not on the initial subflow is 1 - share. --where \"handover\" leaves \
         connections with a handover."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_subflows("subflows", "3"))
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study initial_share ./ds --min-subflows 2",
            purpose: "connections with two subflows, too",
        }]
    }
}

impl Study for InitialShare {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("subflows", &["mptcpstream", "tcpstream", "ordinal", "kind"]),
            ("subflow_directions", &["mptcpstream", "tcpstream", "towards", "goodput_bytes"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let least = value(arguments, "min_subflows");
        let mut places: HashMap<(usize, u64), (f64, bool)> = HashMap::new();
        let mut counts = vec![0.0_f64; population.len()];
        population.each("subflows", ["tcpstream", "ordinal"], ["kind"], |member, [stream, ordinal], [kind]| {
            if let (Some(stream), Some(ordinal)) = (stream, ordinal) {
                places.insert((member, stream.to_bits()), (ordinal, kind == Some("initial")));
            }
            counts.get_mut(member).into_iter().for_each(|count| *count += 1.0);
        })?;
        // Bytes on the initial subflow, on it and the next one, on all.
        let mut carried = vec![[0.0_f64; 3]; population.len()];
        let mut known = vec![false; population.len()];
        population.each("subflow_directions", ["tcpstream", "goodput_bytes"], [], |member, [stream, bytes], []| {
            let (Some(stream), Some(of)) = (stream, carried.get_mut(member)) else { return };
            let (ordinal, initial) = places.get(&(member, stream.to_bits())).copied().unwrap_or((f64::MAX, false));
            let bytes = bytes.unwrap_or_default();
            let [first, two, all] = of;
            *all += bytes;
            if initial {
                *first += bytes;
                known.get_mut(member).into_iter().for_each(|known| *known = true);
            }
            if initial || ordinal <= 1.0 {
                *two += bytes;
            }
        })?;
        let mut shares = population.grouped_by(&["initial subflow", "first two subflows"]);
        let mut sums = population.grouped_by(&["initial subflow", "all subflows"]);
        for (member, ([first, two, all], (known, count))) in
            carried.into_iter().zip(known.into_iter().zip(counts)).enumerate()
        {
            if known && all > 0.0 && count >= least {
                shares.push_in(member, 0, first / all);
                shares.push_in(member, 1, two / all);
                sums.push_in(member, 0, first);
                sums.push_in(member, 1, all);
            }
        }
        let (shares, sums) = (shares.values(), sums.values());
        let mut numbers = StudyNumbers::default();
        for group in &shares {
            numbers.at_most(group, "share", &[(0.0, "0 %"), (0.5, "50 %"), (0.9, "90 %")]);
            numbers.at_least(group, "share", &[(1.0, "100 %")]);
            numbers.distribution(group, "share", Unit::Share);
        }
        for group in &sums {
            numbers.value(&group.name, "bytes", Some(group.values.iter().sum()), Unit::Bytes);
        }
        let x = Axis::new("share of the connection's data", Unit::Share).with_range(-0.02, 1.02);
        let figure = Figure::new("Data on the first subflows").with_panel(cumulative(
            &shares,
            Cumulative::AtMost,
            x,
            share_of("connections"),
        ));
        Ok(Studied { figure, numbers })
    }
}
