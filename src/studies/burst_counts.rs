//! Bursts of connections (`bursts_conn_duration`, `size_subflow_blocks`).

use clap::ArgMatches;

use super::axes::{seconds, share_of};
use super::classes::{SIZES, class_of};
use super::numbers::StudyNumbers;
use super::options::{towards, wants};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, Pairs, cumulative, scatter};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Number of bursts of connections, by duration and by size.
pub struct BurstCounts;

impl Described for BurstCounts {
    fn name(&self) -> &'static str {
        "burst_counts"
    }

    fn summary(&self) -> &'static str {
        "Number of bursts of connections, by duration and by size"
    }

    fn details(&self) -> &'static str {
        "A burst is a run of packets with payload on one subflow, in the order of the capture. Per direction of \
         the data with at least one burst, of connections with at least two subflows that last 1 ms or more. The \
         first panel has the number of bursts against the duration of the connection, the second one the \
         distribution of the number by size of the direction (its goodput)."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study burst_counts ./ds", purpose: "all connections" }]
    }
}

impl Study for BurstCounts {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows", "duration_s"]),
            ("directions", &["mptcpstream", "towards", "bursts", "goodput_bytes"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut durations = vec![f64::NAN; population.len()];
        population.each("connections", ["duration_s", "subflows"], [], |member, [duration, subflows], []| {
            if subflows.unwrap_or_default() >= 2.0
                && let Some(of) = durations.get_mut(member)
            {
                *of = duration.filter(|duration| *duration >= 0.001).unwrap_or(f64::NAN);
            }
        })?;
        let names: Vec<&str> = SIZES.iter().map(|class| class.name).collect();
        let mut counts = population.grouped_by(&names);
        let mut pairs: Vec<Pairs> =
            population.groups().iter().map(|name| Pairs { name: name.clone(), pairs: Vec::new() }).collect();
        let mut all = population.grouped();
        population.each(
            "directions",
            ["bursts", "goodput_bytes"],
            ["towards"],
            |member, [bursts, bytes], [towards]| {
                let Some(bursts) = bursts.filter(|bursts| *bursts >= 1.0 && wants(arguments, towards)) else { return };
                let Some(duration) = durations.get(member).copied().filter(|duration| duration.is_finite()) else {
                    return;
                };
                if let Some(class) = class_of(&SIZES, bytes.unwrap_or_default()) {
                    counts.push_in(member, class, bursts);
                }
                all.push(member, bursts);
                let of = pairs.get_mut(population.group(member));
                of.into_iter().for_each(|of| of.pairs.push((duration, bursts)));
            },
        )?;
        let counts = counts.values();
        let mut numbers = StudyNumbers::default();
        for group in &all.values() {
            numbers.at_least(group, "bursts", &[(2.0, "2"), (100.0, "100")]);
            numbers.distribution(group, "bursts", Unit::Count);
        }
        counts.iter().for_each(|group| numbers.distribution(group, "bursts", Unit::Count));
        let bursts = || Axis::new("bursts", Unit::Count).logarithmic();
        let figure = Figure::new("Bursts of connections")
            .with_panel(scatter(&pairs, false, seconds("duration of the connection"), bursts()))
            .with_panel(cumulative(&counts, Cumulative::AtMost, bursts(), share_of("directions")));
        Ok(Studied { figure, numbers })
    }
}
