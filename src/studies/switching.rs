//! How often senders change between subflows (`subflow_switching_freq`, `bursts_mptcp`).

use clap::ArgMatches;

use std::collections::HashMap;

use super::axes::share_of;
use super::numbers::StudyNumbers;
use super::options::{DIRECTIONS, direction, min_bytes, min_subflows, value};
use super::population::Grouped;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// How often senders change from one subflow to another.
pub struct Switching;

impl Described for Switching {
    fn name(&self) -> &'static str {
        "switching"
    }

    fn summary(&self) -> &'static str {
        "How often senders change from one subflow to another"
    }

    fn details(&self) -> &'static str {
        "A burst is a run of packets with payload on one subflow, in the order of the capture; a switch is where \
         the next one begins, so that switches = bursts - 1. Per direction: switches / s of the direction (first \
         to last packet), switches / MB of goodput (1,000,000 bytes), packets with payload / bursts. Directions \
         count with at least --min-bytes goodput, more than 0.1 s, of connections with at least --min-subflows \
         used subflows. A share of 0 switches has no place on the logarithmic axis, but counts. The last panel \
         has the share of directions with more packets per burst."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_bytes("directions", "1000000")).arg(min_subflows("used subflows", "2"))
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study switching ./ds --min-bytes 10000",
            purpose: "directions with 10 kB or more",
        }]
    }
}

impl Study for Switching {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows_used"]),
            ("directions", &["mptcpstream", "towards", "goodput_bytes", "duration_s", "bursts"]),
            ("subflow_directions", &["mptcpstream", "towards", "data_packets"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let (least_bytes, least) = (value(arguments, "min_bytes"), value(arguments, "min_subflows"));
        let used = population.sums("connections", "subflows_used")?;
        let mut packets: HashMap<(usize, usize), f64> = HashMap::new();
        population.each("subflow_directions", ["data_packets"], ["towards"], |member, [sent], [towards]| {
            if let Some(place) = direction(towards) {
                *packets.entry((member, place)).or_default() += sent.unwrap_or_default();
            }
        })?;
        let mut found = [(); 3].map(|()| population.grouped_by(&DIRECTIONS));
        let columns = ["goodput_bytes", "duration_s", "bursts"];
        population.each("directions", columns, ["towards"], |member, row, [towards]| {
            let ([Some(bytes), Some(duration), Some(bursts)], Some(place)) = (row, direction(towards)) else { return };
            let several = used.get(member).is_some_and(|used| *used >= least);
            if bytes < least_bytes || bytes <= 0.0 || duration <= 0.1 || bursts < 1.0 || !several {
                return;
            }
            let sent = packets.get(&(member, place)).copied().unwrap_or_default();
            let switches = bursts - 1.0;
            for (found, value) in found.iter_mut().zip([switches / duration, switches / (bytes / 1e6), sent / bursts]) {
                found.push_in(member, place, value);
            }
        })?;
        let [per_second, per_megabyte, per_burst] = found.map(Grouped::values);
        let mut numbers = StudyNumbers::default();
        for (groups, what) in [
            (&per_second, "switches per second"),
            (&per_megabyte, "switches per MB"),
            (&per_burst, "packets per burst"),
        ] {
            groups.iter().for_each(|group| numbers.distribution(group, what, Unit::Plain));
        }
        let axis = |label: &str| Axis::new(label, Unit::Plain).logarithmic();
        let share = || share_of("directions");
        let figure = Figure::new("Switching between subflows")
            .with_panel(cumulative(&per_second, Cumulative::AtMost, axis("switches per second"), share()))
            .with_panel(cumulative(&per_megabyte, Cumulative::AtMost, axis("switches per MB"), share()))
            .with_panel(cumulative(&per_burst, Cumulative::AtMost, axis("packets per burst"), share()))
            .with_panel(cumulative(
                &per_burst,
                Cumulative::MoreThan,
                axis("packets per burst"),
                share_of("directions with more"),
            ));
        Ok(Studied { figure, numbers })
    }
}
