//! Data sent again by group (`reinject_plot*`, `retrans_plot`, `reinjection_boxplot`).

use clap::ArgMatches;

use std::collections::HashMap;

use super::numbers::StudyNumbers;
use super::options::{direction, min_bytes, towards, value, wants};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::boxes;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// What the panels show.
const WHAT: [&str; 4] =
    ["retransmitted / goodput", "reinjected / goodput", "packets retransmitted", "packets reinjected"];

/// Data sent again, as box plots by group.
pub struct OverheadBoxes;

impl Described for OverheadBoxes {
    fn name(&self) -> &'static str {
        "overhead_boxes"
    }

    fn summary(&self) -> &'static str {
        "Data sent again, as box plots by group"
    }

    fn details(&self) -> &'static str {
        "Each direction with at least --min-bytes goodput gives retransmitted bytes / goodput, and reinjected \
         bytes / goodput; one box per group (--by) has the quartiles. The lower panels have packets with \
         retransmitted data (of the subflows), and with reinjected data, / packets with payload."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(min_bytes("directions", "10000")).arg(towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds; study overhead_boxes ./ds --by capture_point --min-bytes 1",
            purpose: "by place of capture",
        }]
    }
}

impl Study for OverheadBoxes {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            (
                "directions",
                &[
                    "mptcpstream",
                    "towards",
                    "goodput_bytes",
                    "retransmitted_bytes",
                    "reinjected_bytes",
                    "reinjected_packets",
                ],
            ),
            ("subflow_directions", &["mptcpstream", "towards", "retransmitted_packets", "data_packets"]),
        ]
    }

    fn study(&self, arguments: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let least = value(arguments, "min_bytes");
        let mut packets: HashMap<(usize, usize), (f64, f64)> = HashMap::new();
        let columns = ["retransmitted_packets", "data_packets"];
        population.each("subflow_directions", columns, ["towards"], |member, [again, sent], [towards]| {
            if let Some(place) = direction(towards) {
                let of = packets.entry((member, place)).or_default();
                of.0 += again.unwrap_or_default();
                of.1 += sent.unwrap_or_default();
            }
        })?;
        let mut shares = WHAT.map(|_| population.grouped());
        let columns = ["goodput_bytes", "retransmitted_bytes", "reinjected_bytes", "reinjected_packets"];
        population.each("directions", columns, ["towards"], |member, row, [towards]| {
            let [bytes, again, elsewhere, packets_elsewhere] = row.map(Option::unwrap_or_default);
            let Some(place) = direction(towards).filter(|_| wants(arguments, towards) && bytes > 0.0 && bytes >= least)
            else {
                return;
            };
            let (packets_again, sent) = packets.get(&(member, place)).copied().unwrap_or_default();
            let found = [again / bytes, elsewhere / bytes, packets_again / sent, packets_elsewhere / sent];
            for (shares, share) in shares.iter_mut().zip(found).filter(|(_, share)| share.is_finite()) {
                shares.push(member, share);
            }
        })?;
        let mut numbers = StudyNumbers::default();
        let mut figure = Figure::new("Data sent again, by group");
        for (what, shares) in WHAT.into_iter().zip(shares) {
            let shares = shares.values();
            shares.iter().for_each(|group| numbers.distribution(group, what, Unit::Share));
            figure = figure.with_panel(boxes(&shares, "", Axis::new(what, Unit::Share)));
        }
        Ok(Studied { figure, numbers })
    }
}
