//! How much each acknowledgement covers (`plot_acksize`).

use clap::ArgMatches;

use std::collections::BTreeMap;

use super::axes::{bytes, share_of};
use super::numbers::StudyNumbers;
use super::options::{DIRECTIONS, direction};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::figure::{Figure, Marks, Panel, Point, Role, Series, Unit};
use crate::error::Result;

/// Greater sizes are left out, in bytes.
const LARGEST: f64 = 1e8;
/// Sizes whose shares are printed.
const LIMITS: [f64; 3] = [1428.0, 2856.0, 20_000.0];

/// Share of the data that DATA_ACKs of at most some size acknowledged.
pub struct AckSizeShares;

impl Described for AckSizeShares {
    fn name(&self) -> &'static str {
        "ack_sizes"
    }

    fn summary(&self) -> &'static str {
        "Share of the data that DATA_ACKs of at most some size acknowledged"
    }

    fn details(&self) -> &'static str {
        "Size = data that a DATA_ACK newly acknowledged, on whichever subflow it travelled; share = sum of the \
         sizes of at most x / sum of all sizes. Connections count with at least two subflows, sizes of up to 100 \
         MB. The numbers have the share at one and two full segments (1,428 and 2,856 bytes) and at 20,000 bytes. \
         The analysis scripts had the same for ACKs of TCP, which the table ack_sizes has, too."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "analyze ./examples --out ./ds --tables all; study ack_sizes ./ds",
            purpose: "all connections",
        }]
    }
}

impl Study for AckSizeShares {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[("connections", &["subflows"]), ("ack_sizes", &["mptcpstream", "tcpstream", "towards", "bytes", "count"])]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let several: Vec<bool> =
            population.sums("connections", "subflows")?.into_iter().map(|count| count >= 2.0).collect();
        // How many there are of each size, by group and direction.
        let mut counts: BTreeMap<(usize, usize), BTreeMap<u64, f64>> = BTreeMap::new();
        let numbers = ["bytes", "count", "tcpstream"];
        population.each("ack_sizes", numbers, ["towards"], |member, [bytes, count, subflow], [towards]| {
            let (Some(bytes), Some(count), Some(place)) = (bytes, count, direction(towards)) else { return };
            // Those with a subflow are ACKs of TCP.
            if subflow.is_none() && bytes > 0.0 && bytes <= LARGEST && several.get(member) == Some(&true) {
                // Numbers above zero are in order of their bits.
                let of = counts.entry((population.group(member), place)).or_default();
                *of.entry(bytes.to_bits()).or_default() += count;
            }
        })?;
        let mut numbers = StudyNumbers::default();
        let mut panel = Panel::new(bytes("data newly acknowledged by a DATA_ACK"), share_of("the data"));
        for ((group, place), counts) in counts {
            let group = population.groups().get(group).map_or("", String::as_str);
            let direction = DIRECTIONS.get(place).copied().unwrap_or_default();
            let name = if group.is_empty() { direction.to_string() } else { format!("{group}, {direction}") };
            let sizes = || counts.iter().map(|(bits, count)| (f64::from_bits(*bits), *count));
            let total: f64 = sizes().map(|(bytes, count)| bytes * count).sum();
            let all: f64 = sizes().map(|(_, count)| count).sum();
            numbers.value(&name, "DATA_ACKs", Some(all), Unit::Count);
            numbers.value(&name, "data", Some(total), Unit::Bytes);
            for limit in LIMITS {
                let part: f64 = sizes().filter(|(bytes, _)| *bytes <= limit).map(|(bytes, count)| bytes * count).sum();
                numbers.value(&name, &format!("share of the data at {limit} B"), Some(part / total), Unit::Share);
            }
            let mut sum = 0.0;
            let start = sizes().next().map(|(bytes, _)| Point { x: bytes, y: 0.0 });
            let points = start.into_iter().chain(sizes().map(|(bytes, count)| {
                sum += bytes * count;
                Point { x: bytes, y: sum / total }
            }));
            let points = points.collect();
            let index = u32::try_from(panel.series.len()).unwrap_or(u32::MAX);
            panel = panel.with_series(Series::new(name, Role::subflow(index), Marks::Steps(points)));
        }
        Ok(Studied { figure: Figure::new("Data per acknowledgement").with_panel(panel), numbers })
    }
}
