//! Durations of connections and subflows (`cdf_duration`, the first part of `cdf_duration_bytes`).

use clap::ArgMatches;

use super::numbers::StudyNumbers;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::histogram::powers;
use crate::drawing::distributions::{Cumulative, cumulative, histogram};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// How long connections and subflows last.
pub struct Durations;

impl Described for Durations {
    fn name(&self) -> &'static str {
        "durations"
    }

    fn summary(&self) -> &'static str {
        "Durations of connections and subflows"
    }

    fn details(&self) -> &'static str {
        "Duration of a connection = time of the last packet of any of its subflows - time of the first one. The \
         analysis scripts ended it with the last DATA_ACK of the server, which leaves out the closing. The upper panel \
         is the cumulative distribution over connections: a duration of 0 s has no place on its axis, but counts in \
         the shares. The lower panel counts subflows in 80 bins, equally wide on the logarithmic axis, from 1 ms to \
         100,000 s. A connection that the capture cuts seems shorter: --where \"begins_midstream = false\" leaves out \
         those that began before it."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study durations ./ds", purpose: "all connections" }]
    }
}

impl Study for Durations {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["duration_s"]), ("subflows", &["mptcpstream", "duration_s"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut durations = population.grouped();
        population.each("connections", ["duration_s"], [], |member, [duration], []| {
            duration.into_iter().for_each(|duration| durations.push(member, duration));
        })?;
        let mut of_subflows = population.grouped();
        population.each("subflows", ["duration_s"], [], |member, [duration], []| {
            duration.into_iter().for_each(|duration| of_subflows.push(member, duration));
        })?;
        let (durations, of_subflows) = (durations.values(), of_subflows.values());
        let mut numbers = StudyNumbers::default();
        for group in &durations {
            numbers.at_most(group, "duration", &[(0.0, "0 s"), (1.0, "1 s"), (10.0, "10 s")]);
            numbers.at_least(group, "duration", &[(100.0, "100 s"), (86_400.0, "1 day")]);
            numbers.distribution(group, "duration", Unit::Seconds);
        }
        for group in &of_subflows {
            numbers.distribution(group, "duration of subflows", Unit::Seconds);
        }
        let seconds = |label: &str| Axis::new(label, Unit::Seconds).logarithmic();
        let share = Axis::new("share of connections", Unit::Share).with_range(0.0, 1.02);
        let count = Axis::new("subflows", Unit::Count);
        let figure = Figure::new("Durations of connections and subflows")
            .with_panel(cumulative(&durations, Cumulative::AtMost, seconds("duration of the connection"), share))
            .with_panel(histogram(&of_subflows, &powers(-3, 5, 81), seconds("duration of the subflow"), count));
        Ok(Studied { figure, numbers })
    }
}
