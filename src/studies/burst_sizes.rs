//! Bytes and packets of bursts (`bursts_size_cdf`).

use clap::ArgMatches;

use super::axes::{bytes, share_of};
use super::numbers::StudyNumbers;
use super::options::{DIRECTIONS, direction, min_subflows, value};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Bytes and packets of bursts.
pub struct BurstSizes;

impl Described for BurstSizes {
    fn name(&self) -> &'static str {
        "burst_sizes"
    }

    fn summary(&self) -> &'static str {
        "Bytes and packets of bursts"
    }

    fn details(&self) -> &'static str {
        "A burst is a run of packets with payload on one subflow, in the order of the capture: its bytes are \
         their payload, what was sent again counts each time. Bursts count of connections with at least \
         --min-subflows used subflows."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_subflows("used subflows", "2"))
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds --tables all; study burst_sizes ./ds",
            purpose: "all connections",
        }]
    }
}

impl Study for BurstSizes {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["subflows_used"]), ("bursts", &["mptcpstream", "towards", "bytes", "packets"])]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let least = value(arguments, "min_subflows");
        let used = population.sums("connections", "subflows_used")?;
        let (mut sizes, mut counts) = (population.grouped_by(&DIRECTIONS), population.grouped_by(&DIRECTIONS));
        population.each("bursts", ["bytes", "packets"], ["towards"], |member, [bytes, packets], [towards]| {
            let Some(place) = direction(towards).filter(|_| used.get(member).is_some_and(|used| *used >= least)) else {
                return;
            };
            sizes.push_in(member, place, bytes.unwrap_or_default());
            counts.push_in(member, place, packets.unwrap_or_default());
        })?;
        let (sizes, counts) = (sizes.values(), counts.values());
        let mut numbers = StudyNumbers::default();
        sizes.iter().for_each(|group| numbers.distribution(group, "bytes per burst", Unit::Bytes));
        counts.iter().for_each(|group| numbers.distribution(group, "packets per burst", Unit::Count));
        let packets = Axis::new("packets of the burst", Unit::Count).logarithmic();
        let figure = Figure::new("Bytes and packets of bursts")
            .with_panel(cumulative(&sizes, Cumulative::AtMost, bytes("bytes of the burst"), share_of("bursts")))
            .with_panel(cumulative(&counts, Cumulative::AtMost, packets, share_of("bursts")));
        Ok(Studied { figure, numbers })
    }
}
