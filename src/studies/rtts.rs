//! Round trip times of subflows (`cdf_rtt_*`, `plot_rtt_d2s`, `table_rtt_d2s`).

use clap::ArgMatches;

use super::axes::{seconds, share_of};
use super::member::Member;
use super::numbers::StudyNumbers;
use super::options::{DIRECTIONS, direction, min_bytes, min_samples, value};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Figure, Unit};
use crate::error::Result;

/// Round trip times of subflows: their means, smallest and largest ones.
pub struct Rtts;

impl Described for Rtts {
    fn name(&self) -> &'static str {
        "rtts"
    }

    fn summary(&self) -> &'static str {
        "Round trip times of subflows: their means, smallest and largest ones"
    }

    fn details(&self) -> &'static str {
        "Each subflow and direction of the data gives its mean, smallest and largest round trip time (data to \
         ACK), if it has --min-samples round trips or more and at least --min-bytes goodput. The first panel has \
         the means by direction, the second one smallest, mean, largest and largest - smallest, both directions \
         together. --by path_client (or interface) draws one line per path. The analysis scripts also left out \
         means below 1 ms; nothing is left out here, because wired paths have such."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_samples("5")).arg(min_bytes("subflows", "100"))
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study rtts ./ds --by kind",
            purpose: "initial subflows and joins",
        }]
    }
}

impl Study for Rtts {
    fn subject(&self) -> Member {
        Member::Subflows
    }

    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[(
            "subflow_directions",
            &[
                "tcpstream",
                "towards",
                "rtt_tcp_samples",
                "rtt_tcp_min_s",
                "rtt_tcp_mean_s",
                "rtt_tcp_max_s",
                "goodput_bytes",
            ],
        )]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let (least_samples, least_bytes) = (value(arguments, "min_samples"), value(arguments, "min_bytes"));
        let mut means = population.grouped_by(&DIRECTIONS);
        let mut parts = population.grouped_by(&["smallest", "mean", "largest", "largest - smallest"]);
        let columns = ["rtt_tcp_samples", "goodput_bytes", "rtt_tcp_min_s", "rtt_tcp_mean_s", "rtt_tcp_max_s"];
        population.each("subflow_directions", columns, ["towards"], |member, row, [towards]| {
            let [Some(samples), bytes, Some(min), Some(mean), Some(max)] = row else { return };
            let Some(towards) = direction(towards) else { return };
            if samples < least_samples || bytes.unwrap_or_default() < least_bytes {
                return;
            }
            means.push_in(member, towards, mean);
            for (class, value) in [min, mean, max, max - min].into_iter().enumerate() {
                parts.push_in(member, class, value);
            }
        })?;
        let (means, parts) = (means.values(), parts.values());
        let mut numbers = StudyNumbers::default();
        means.iter().for_each(|group| numbers.distribution(group, "mean round trip time", Unit::Seconds));
        parts.iter().for_each(|group| numbers.distribution(group, "round trip time", Unit::Seconds));
        let figure = Figure::new("Round trip times of subflows")
            .with_panel(cumulative(&means, Cumulative::AtMost, seconds("mean round trip time"), share_of("subflows")))
            .with_panel(cumulative(&parts, Cumulative::AtMost, seconds("round trip time"), share_of("subflows")));
        Ok(Studied { figure, numbers })
    }
}
