//! Round trip time against data (`fog_rtt_bytes`).

use clap::ArgMatches;

use super::axes::{bytes, seconds};
use super::member::Member;
use super::numbers::StudyNumbers;
use super::options::{min_samples, towards, value, wants};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Pairs, scatter};
use crate::drawing::figure::Figure;
use crate::error::Result;

/// Mean round trip time of subflows against their data, by group.
pub struct RttBytes;

impl Described for RttBytes {
    fn name(&self) -> &'static str {
        "rtt_bytes"
    }

    fn summary(&self) -> &'static str {
        "Mean round trip time of subflows against their data, by group"
    }

    fn details(&self) -> &'static str {
        "One point per subflow and direction of the data: mean round trip time (data to ACK) of at least \
         --min-samples, against the goodput that the subflow was the first to carry."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_samples("5")).arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study rtt_bytes ./ds --by kind",
            purpose: "initial subflows and joins",
        }]
    }
}

impl Study for RttBytes {
    fn subject(&self) -> Member {
        Member::Subflows
    }

    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("subflow_directions", &["tcpstream", "towards", "rtt_tcp_samples", "rtt_tcp_mean_s", "goodput_bytes"])]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let least = value(arguments, "min_samples");
        let mut pairs: Vec<Pairs> =
            population.groups().iter().map(|name| Pairs { name: name.clone(), pairs: Vec::new() }).collect();
        let columns = ["rtt_tcp_samples", "rtt_tcp_mean_s", "goodput_bytes"];
        population.each("subflow_directions", columns, ["towards"], |member, [samples, mean, bytes], [towards]| {
            let (Some(mean), Some(bytes), true) = (mean, bytes, wants(arguments, towards)) else { return };
            if samples.unwrap_or_default() >= least {
                let of = pairs.get_mut(population.group(member));
                of.into_iter().for_each(|of| of.pairs.push((mean, bytes)));
            }
        })?;
        let mut numbers = StudyNumbers::default();
        pairs.iter().for_each(|group| numbers.count(&group.name, "subflows and directions", group.pairs.len()));
        let figure = Figure::new("Round trip time and data of subflows").with_panel(scatter(
            &pairs,
            false,
            seconds("mean round trip time"),
            bytes("goodput"),
        ));
        Ok(Studied { figure, numbers })
    }
}
