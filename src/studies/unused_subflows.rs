//! Subflows that carried no data (`overhead_stats`, `count_unused_subflows`, `count_mptcp_best_rtt_flow`).

use clap::ArgMatches;

use std::collections::BTreeMap;

use super::numbers::StudyNumbers;
use super::numbers::float;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::Values;
use crate::drawing::distributions::deviations::bars;
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// What is counted.
const CLASSES: [&str; 7] = ["unused", "unused joins", "reset", "reset, short joins", "backup", "late", "fastest"];

/// What is known of a subflow.
struct Facts {
    join: bool,
    backup: bool,
    rtt: Option<f64>,
    bytes: f64,
    resets: f64,
    first: f64,
    last: f64,
}

impl Default for Facts {
    fn default() -> Self {
        let (first, last) = (f64::INFINITY, f64::NEG_INFINITY);
        Facts { join: false, backup: false, rtt: None, bytes: 0.0, resets: 0.0, first, last }
    }
}

/// Subflows that carried no data, and why they may not have.
pub struct UnusedSubflows;

impl Described for UnusedSubflows {
    fn name(&self) -> &'static str {
        "unused_subflows"
    }

    fn summary(&self) -> &'static str {
        "Subflows that carried no data, and why they may not have"
    }

    fn details(&self) -> &'static str {
        "Of connections with at least two subflows. Unused: no goodput in either direction. Joins among them: \
         those that MP_JOIN opened. Reset: a packet with RST on the subflow. Short: reset and at most 1 s long. \
         Backup: opened as one. Late: its first packet came after the last data of the connection, so that it had \
         nothing to carry. Fastest: its handshake had the shortest round trip of the connection's subflows, and \
         it was unused all the same. One subflow may be in several classes. The analysis scripts knew backup only \
         from one byte of version 0."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study unused_subflows ./ds", purpose: "all connections" }]
    }
}

impl Study for UnusedSubflows {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("subflows", &["mptcpstream", "tcpstream", "kind", "backup", "handshake_rtt_s"]),
            (
                "subflow_directions",
                &["mptcpstream", "tcpstream", "goodput_bytes", "resets", "first_s", "last_s", "last_data_s"],
            ),
        ]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut subflows: BTreeMap<(usize, u64), Facts> = BTreeMap::new();
        let columns = ["tcpstream", "backup", "handshake_rtt_s"];
        population.each("subflows", columns, ["kind"], |member, [stream, backup, rtt], [kind]| {
            let Some(stream) = stream else { return };
            let facts = subflows.entry((member, stream.to_bits())).or_default();
            (facts.join, facts.backup, facts.rtt) = (kind == Some("join"), backup == Some(1.0), rtt);
        })?;
        let columns = ["tcpstream", "goodput_bytes", "resets", "first_s", "last_s", "last_data_s"];
        let mut last_data = vec![f64::NEG_INFINITY; population.len()];
        population.each(
            "subflow_directions",
            columns,
            [],
            |member, [stream, bytes, resets, first, last, data], []| {
                let Some(facts) = stream.and_then(|stream| subflows.get_mut(&(member, stream.to_bits()))) else {
                    return;
                };
                facts.bytes += bytes.unwrap_or_default();
                facts.resets += resets.unwrap_or_default();
                facts.first = facts.first.min(first.unwrap_or(f64::INFINITY));
                facts.last = facts.last.max(last.unwrap_or(f64::NEG_INFINITY));
                if let (Some(of), Some(data)) = (last_data.get_mut(member), data) {
                    *of = of.max(data);
                }
            },
        )?;
        let mut counts = vec![0_usize; population.len()];
        let mut shortest = vec![f64::INFINITY; population.len()];
        for ((member, _), facts) in &subflows {
            counts.get_mut(*member).into_iter().for_each(|count| *count = count.saturating_add(1));
            let rtt = facts.rtt.unwrap_or(f64::INFINITY);
            shortest.get_mut(*member).into_iter().for_each(|least| *least = least.min(rtt));
        }
        let mut classes = population.grouped();
        for ((member, _), facts) in &subflows {
            if counts.get(*member).is_none_or(|count| *count < 2) {
                continue;
            }
            classes.push(*member, 0.0);
            let unused = facts.bytes <= 0.0;
            let reset = unused && facts.resets > 0.0;
            let late = last_data.get(*member).is_some_and(|last| last.is_finite() && facts.first > *last);
            let fastest = facts.rtt.is_some_and(|rtt| shortest.get(*member).is_some_and(|least| rtt <= *least));
            let is = [
                unused,
                unused && facts.join,
                reset,
                reset && facts.join && facts.last - facts.first <= 1.0,
                unused && facts.backup,
                unused && late,
                unused && fastest,
            ];
            for (class, _) in (1_u32..).zip(is).filter(|(_, is)| *is) {
                classes.push(*member, f64::from(class));
            }
        }
        let mut numbers = StudyNumbers::default();
        let mut heights = Vec::new();
        for group in classes.values() {
            let of = |class: u32| group.values.iter().filter(|value| **value == f64::from(class)).count();
            let all = of(0);
            numbers.count(&group.name, "subflows of connections with several", all);
            let mut shares = Vec::new();
            for (class, name) in (1_u32..).zip(CLASSES) {
                numbers.share(&group.name, name, of(class), all);
                shares.push(if all > 0 { float(of(class)) / float(all) } else { 0.0 });
            }
            heights.push(Values::new(group.name, shares));
        }
        let names = CLASSES.map(str::to_string);
        let y = Axis::new("share of subflows", Unit::Share);
        let figure = Figure::new("Unused subflows").with_panel(bars(&heights, &names, "subflows", y));
        Ok(Studied { figure, numbers })
    }
}
