//! How much the round trip times of subflows differ (`difference_rtt_sfs`, `difference_rtt_d2s`).

use clap::ArgMatches;

use std::collections::HashMap;

use super::axes::{seconds, share_of};
use super::numbers::StudyNumbers;
use super::options::{DIRECTIONS, direction, min_bytes, min_samples, value};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// What is known of one direction of a connection.
#[derive(Default)]
struct Direction {
    bytes: f64,
    /// Place of the subflow in the connection, and its mean.
    means: Vec<(f64, f64)>,
}

/// How much the round trip times of the subflows of a connection differ.
pub struct RttDifferences;

impl Described for RttDifferences {
    fn name(&self) -> &'static str {
        "rtt_differences"
    }

    fn summary(&self) -> &'static str {
        "How much the round trip times of the subflows of a connection differ"
    }

    fn details(&self) -> &'static str {
        "Difference = largest - smallest of the mean round trip times (data to ACK) of the subflows of a \
         connection, in one direction of the data. Subflows count with --min-samples round trips or more, and \
         connections with two such subflows. The second panel has the mean of the initial subflow - that of the \
         join with the lowest stream number, of directions with at least --min-bytes goodput; negative: the \
         initial subflow is faster."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_samples("3")).arg(min_bytes("directions from the second panel", "1000000"))
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study rtt_differences ./ds --min-bytes 1000",
            purpose: "all connections",
        }]
    }
}

impl Study for RttDifferences {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("subflows", &["mptcpstream", "tcpstream", "ordinal"]),
            (
                "subflow_directions",
                &["mptcpstream", "tcpstream", "towards", "rtt_tcp_samples", "rtt_tcp_mean_s", "goodput_bytes"],
            ),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let (least_samples, least_bytes) = (value(arguments, "min_samples"), value(arguments, "min_bytes"));
        let mut ordinals: HashMap<(usize, u64), f64> = HashMap::new();
        population.each("subflows", ["tcpstream", "ordinal"], [], |member, [stream, ordinal], []| {
            if let (Some(stream), Some(ordinal)) = (stream, ordinal) {
                ordinals.insert((member, stream.to_bits()), ordinal);
            }
        })?;
        let mut means: HashMap<(usize, usize), Direction> = HashMap::new();
        let columns = ["tcpstream", "rtt_tcp_samples", "rtt_tcp_mean_s", "goodput_bytes"];
        population.each(
            "subflow_directions",
            columns,
            ["towards"],
            |member, [stream, samples, mean, bytes], [towards]| {
                let Some(towards) = direction(towards) else { return };
                let of = means.entry((member, towards)).or_default();
                of.bytes += bytes.unwrap_or_default();
                let (Some(stream), Some(mean), true) = (stream, mean, samples.unwrap_or_default() >= least_samples)
                else {
                    return;
                };
                let ordinal = ordinals.get(&(member, stream.to_bits())).copied().unwrap_or(f64::MAX);
                of.means.push((ordinal, mean));
            },
        )?;
        let mut spreads = population.grouped_by(&DIRECTIONS);
        let mut leads = population.grouped_by(&DIRECTIONS);
        for ((member, towards), mut of) in means {
            of.means.sort_by(|one, other| one.0.total_cmp(&other.0));
            let all = || of.means.iter().map(|(_, mean)| *mean);
            if of.means.len() < 2 {
                continue;
            }
            let spread = all().fold(f64::NEG_INFINITY, f64::max) - all().fold(f64::INFINITY, f64::min);
            spreads.push_in(member, towards, spread);
            if let [(first, initial), (_, second), ..] = of.means.as_slice()
                && *first == 0.0
                && of.bytes >= least_bytes
            {
                leads.push_in(member, towards, initial - second);
            }
        }
        let (spreads, leads) = (spreads.values(), leads.values());
        let mut numbers = StudyNumbers::default();
        for group in &spreads {
            numbers.at_most(group, "difference", &[(0.01, "10 ms"), (0.1, "100 ms")]);
            numbers.at_least(group, "difference", &[(1.0, "1 s")]);
            numbers.distribution(group, "difference", Unit::Seconds);
        }
        for group in &leads {
            let faster = group.values.iter().filter(|lead| **lead < 0.0).count();
            numbers.share(&group.name, "initial subflow faster than the next", faster, group.values.len());
            numbers.distribution(group, "initial - next", Unit::Seconds);
        }
        let lead = Axis::new("mean of the initial subflow - that of the next", Unit::Seconds);
        let figure = Figure::new("Differences of round trip times between subflows")
            .with_panel(cumulative(
                &spreads,
                Cumulative::AtMost,
                seconds("largest - smallest mean"),
                share_of("connections"),
            ))
            .with_panel(cumulative(&leads, Cumulative::AtMost, lead, share_of("connections")));
        Ok(Studied { figure, numbers })
    }
}
