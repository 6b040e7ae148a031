//! Connections, packets and bytes in all (`global_stats`).

use clap::ArgMatches;

use super::numbers::StudyNumbers;
use super::numbers::float;
use super::options::{DIRECTIONS, direction};
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::Values;
use crate::drawing::distributions::deviations::bars;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// The sets of connections, each within the one before.
const TIERS: [&str; 3] = ["T0 (all)", "T1 (2 subflows)", "T2 (2 used)"];

/// Connections, packets and bytes of all connections, of those with two subflows, of those that used two.
pub struct Totals;

impl Described for Totals {
    fn name(&self) -> &'static str {
        "totals"
    }

    fn summary(&self) -> &'static str {
        "Connections, packets and bytes of all connections, of those with two subflows, of those that used two"
    }

    fn details(&self) -> &'static str {
        "T0: all connections. T1: with at least two subflows. T2: with at least two used ones, which carried \
         goodput in either direction. T2 is within T1, and T1 within T0. Packets are those of all subflows, \
         goodput counts each byte of data once, payload counts it as often as it was sent."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study totals ./ds", purpose: "all connections" }]
    }
}

impl Study for Totals {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows", "subflows_used"]),
            ("directions", &["mptcpstream", "towards", "packets", "goodput_bytes", "throughput_bytes"]),
        ]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut tiers = vec![0_usize; population.len()];
        let mut connections = population.grouped_by(&TIERS);
        population.each("connections", ["subflows", "subflows_used"], [], |member, [subflows, used], []| {
            let tier = match (subflows.unwrap_or_default() >= 2.0, used.unwrap_or_default() >= 2.0) {
                (true, true) => 2,
                (true, false) => 1,
                (false, _) => 0,
            };
            tiers.get_mut(member).into_iter().for_each(|of| *of = tier);
            (0..=tier).for_each(|class| connections.push_in(member, class, 1.0));
        })?;
        let columns = ["packets", "goodput_bytes", "throughput_bytes"];
        let mut sums = columns.map(|_| DIRECTIONS.map(|_| population.grouped_by(&TIERS)));
        population.each("directions", columns, ["towards"], |member, row, [towards]| {
            let Some(place) = direction(towards) else { return };
            let tier = tiers.get(member).copied().unwrap_or_default();
            for (sums, value) in sums.iter_mut().zip(row) {
                let Some(of) = sums.get_mut(place) else { continue };
                (0..=tier).for_each(|class| of.push_in(member, class, value.unwrap_or_default()));
            }
        })?;
        let connections = connections.values();
        let mut numbers = StudyNumbers::default();
        connections.iter().for_each(|group| numbers.count(&group.name, "connections", group.values.len()));
        let units = [("packets", Unit::Count), ("goodput", Unit::Bytes), ("payload", Unit::Bytes)];
        for ((what, unit), sums) in units.into_iter().zip(sums) {
            for (direction, sums) in DIRECTIONS.into_iter().zip(sums) {
                for group in sums.values() {
                    numbers.value(&group.name, &format!("{what} {direction}"), Some(group.values.iter().sum()), unit);
                }
            }
        }
        let counted: Vec<Values> = population
            .groups()
            .iter()
            .zip(connections.chunks(TIERS.len()))
            .map(|(name, tiers)| {
                Values::new(name.as_str(), tiers.iter().map(|tier| float(tier.values.len())).collect())
            })
            .collect();
        let y = Axis::new("connections", Unit::Count);
        let figure = Figure::new("Connections in all").with_panel(bars(&counted, &TIERS.map(str::to_string), "", y));
        Ok(Studied { figure, numbers })
    }
}
