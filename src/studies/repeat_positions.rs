//! When data is sent again (`time_retrans_reinj`, `time_reinjection`, `time_retransmission`).

use clap::ArgMatches;

use super::axes::{seconds, share_of};
use super::numbers::StudyNumbers;
use super::options::{towards, wants};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// The tables, which are also the names of the lines.
const KINDS: [&str; 2] = ["retransmissions", "reinjections"];

/// When in the connection data is sent again, by TCP and on other subflows.
pub struct RepeatPositions;

impl Described for RepeatPositions {
    fn name(&self) -> &'static str {
        "repeat_positions"
    }

    fn summary(&self) -> &'static str {
        "When in the connection data is sent again, by TCP and on other subflows"
    }

    fn details(&self) -> &'static str {
        "Position = (time of the packet - first packet of the connection) / duration of the connection, of each \
         packet with bytes that its subflow had sent before (retransmissions), or that another one had carried \
         (reinjections). Connections count with at least two used subflows and more than 1 ms. The second panel \
         has the seconds since the first packet."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds --tables all; study repeat_positions ./ds",
            purpose: "all connections",
        }]
    }
}

impl Study for RepeatPositions {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows_used"]),
            ("subflow_directions", &["mptcpstream", "first_s", "last_s"]),
            ("retransmissions", &["mptcpstream", "towards", "reltime_s"]),
            ("reinjections", &["mptcpstream", "towards", "reltime_s"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let used: Vec<bool> =
            population.sums("connections", "subflows_used")?.into_iter().map(|count| count >= 2.0).collect();
        let mut ends = vec![(f64::INFINITY, f64::NEG_INFINITY); population.len()];
        population.each("subflow_directions", ["first_s", "last_s"], [], |member, [first, last], []| {
            if let (Some(of), Some(first), Some(last)) = (ends.get_mut(member), first, last) {
                *of = (of.0.min(first), of.1.max(last));
            }
        })?;
        let (mut shares, mut times) = (population.grouped_by(&KINDS), population.grouped_by(&KINDS));
        for (kind, table) in KINDS.into_iter().enumerate() {
            population.each(table, ["reltime_s"], ["towards"], |member, [time], [towards]| {
                let (Some(time), Some((first, last)), Some(true)) = (time, ends.get(member), used.get(member)) else {
                    return;
                };
                if wants(arguments, towards) && last - first > 0.001 {
                    shares.push_in(member, kind, (time - first) / (last - first));
                    times.push_in(member, kind, time - first);
                }
            })?;
        }
        let (shares, times) = (shares.values(), times.values());
        let mut numbers = StudyNumbers::default();
        for group in &times {
            numbers.at_most(group, "time", &[(1.0, "1 s")]);
        }
        for group in &shares {
            numbers.at_least(group, "position", &[(0.99, "99 %")]);
            numbers.distribution(group, "position", Unit::Share);
        }
        let x = Axis::new("position in the connection", Unit::Share).with_range(-0.02, 1.02);
        let since = seconds("time since the start of the connection");
        let figure = Figure::new("When data is sent again")
            .with_panel(cumulative(&shares, Cumulative::AtMost, x, share_of("packets")))
            .with_panel(cumulative(&times, Cumulative::AtMost, since, share_of("packets")));
        Ok(Studied { figure, numbers })
    }
}
