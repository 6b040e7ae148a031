//! When bursts begin and how much they carry (`bursts_duration_bytes_cdf`, `bursts_duration_bytes_wcdf`, `bursts_duration_wcdf`).

use clap::ArgMatches;

use std::collections::HashMap;

use clap::{Arg, ArgAction};

use super::axes::share_of;
use super::classes::{DURATIONS, SIZES, class_of};
use super::numbers::StudyNumbers;
use super::options::{direction, towards, wants};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// What the panels show.
const WHAT: [&str; 3] =
    ["start of the burst / duration", "bytes of the burst / bytes", "packets of the burst / packets"];

/// When in the connection bursts begin, and what share of its data and packets they have.
pub struct BurstPositions;

impl Described for BurstPositions {
    fn name(&self) -> &'static str {
        "burst_positions"
    }

    fn summary(&self) -> &'static str {
        "When in the connection bursts begin, and what share of its data and packets they have"
    }

    fn details(&self) -> &'static str {
        "Per burst of a direction: (start of the burst - start of the connection) / duration of the connection; \
         bytes of the burst / bytes of all bursts of the direction; packets of the burst / packets of all. \
         Connections count with at least two subflows and 1 ms. Lines are by size of the direction (its goodput), \
         or with --classes duration by duration of the connection. --weighted accumulates the values instead of \
         counting bursts: the share of the sum that bursts of at most x make up. The analysis scripts that drew \
         these failed, or used limits of durations for bytes."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let weighted = Arg::new("weighted").long("weighted").action(ArgAction::SetTrue).help("Accumulate the values");
        let classes = Arg::new("classes").long("classes").value_name("BY").value_parser(["size", "duration"]);
        command.args([weighted, classes.default_value("size").help("Lines by size or by duration"), towards()])
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "analyze ./examples --out ./ds --tables all; study burst_positions ./ds",
                purpose: "by size",
            },
            Example {
                line: "analyze ./examples --out ./ds --tables all; study burst_positions ./ds --weighted --classes duration",
                purpose: "weighted, by duration",
            },
        ]
    }
}

impl Study for BurstPositions {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows"]),
            ("directions", &["mptcpstream", "towards", "goodput_bytes"]),
            ("subflow_directions", &["mptcpstream", "first_s", "last_s"]),
            ("bursts", &["mptcpstream", "towards", "reltime_s", "bytes", "packets"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let (weighted, by_duration) =
            (arguments.get_flag("weighted"), arguments.get_one::<String>("classes").is_some_and(|by| by == "duration"));
        let several: Vec<bool> =
            population.sums("connections", "subflows")?.into_iter().map(|subflows| subflows >= 2.0).collect();
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); population.len()];
        population.each("subflow_directions", ["first_s", "last_s"], [], |member, [first, last], []| {
            if let (Some(of), Some(first), Some(last)) = (ends.get_mut(member), first, last) {
                *of = (of.0.min(first), of.1.max(last));
            }
        })?;
        // Size of the direction; bytes and packets of its bursts.
        let mut sums: HashMap<(usize, usize), [f64; 3]> = HashMap::new();
        population.each("directions", ["goodput_bytes"], ["towards"], |member, [size], [towards]| {
            if let Some(place) = direction(towards) {
                sums.insert((member, place), [size.unwrap_or_default(), 0.0, 0.0]);
            }
        })?;
        population.each("bursts", ["bytes", "packets"], ["towards"], |member, [bytes, packets], [towards]| {
            if let Some([_, all, count]) = direction(towards).and_then(|place| sums.get_mut(&(member, place))) {
                *all += bytes.unwrap_or_default();
                *count += packets.unwrap_or_default();
            }
        })?;
        let classes = if by_duration { &DURATIONS } else { &SIZES };
        let names: Vec<&str> = classes.iter().map(|class| class.name).collect();
        let mut found = [(); 3].map(|()| population.grouped_by(&names));
        let mut nearly_all = population.grouped_by(&names);
        let columns = ["reltime_s", "bytes", "packets"];
        population.each("bursts", columns, ["towards"], |member, [start, bytes, packets], [towards]| {
            let Some((place, start)) = direction(towards).zip(start).filter(|_| wants(arguments, towards)) else {
                return;
            };
            let (Some((first, last)), Some(true)) = (ends.get(member), several.get(member)) else { return };
            let Some([size, all, count]) = sums.get(&(member, place)) else { return };
            let duration = last - first;
            let Some(class) = class_of(classes, if by_duration { duration } else { *size }) else { return };
            if duration < 0.001 {
                return;
            }
            let share = packets.unwrap_or_default() / count;
            for (found, value) in
                found.iter_mut().zip([(start - first) / duration, bytes.unwrap_or_default() / all, share])
            {
                found.push_in(member, class, value);
            }
            nearly_all.push_in(member, class, share);
        })?;
        let kind = if weighted { Cumulative::OfSum } else { Cumulative::AtMost };
        let mut numbers = StudyNumbers::default();
        for group in &nearly_all.values() {
            numbers.at_least(group, "share of the packets", &[(0.99, "99 %")]);
        }
        let mut figure = Figure::new("Bursts within their connection");
        for (what, found) in WHAT.into_iter().zip(found) {
            let groups = found.values();
            groups.iter().for_each(|group| numbers.distribution(group, what, Unit::Share));
            let x = Axis::new(what, Unit::Share).with_range(-0.02, 1.02);
            let y = if weighted { share_of("the sum") } else { share_of("bursts") };
            figure = figure.with_panel(cumulative(&groups, kind, x, y));
        }
        Ok(Studied { figure, numbers })
    }
}
