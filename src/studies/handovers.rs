//! Connections whose data moved to another subflow (the handovers of `delay_mpcapable_mpjoin`, `detect_handover`, `initial_subflow_data_handover_cdf`).

use clap::ArgMatches;

use std::collections::{BTreeMap, HashSet};

use super::axes::{seconds, share_of};
use super::numbers::StudyNumbers;
use super::options::direction;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// One direction of a subflow.
#[derive(Debug, Clone, Copy, Default)]
struct Side {
    bytes: f64,
    first: Option<f64>,
    last: Option<f64>,
    first_data: Option<f64>,
    last_data: Option<f64>,
}

/// Connections whose data went on over a later subflow when an earlier one fell silent.
pub struct Handovers;

impl Described for Handovers {
    fn name(&self) -> &'static str {
        "handovers"
    }

    fn summary(&self) -> &'static str {
        "Connections whose data went on over a later subflow when an earlier one fell silent"
    }

    fn details(&self) -> &'static str {
        "A direction of the data has a handover from subflow A to subflow B if both carried goodput there, B \
         began later than A (first packet), and B carried data after the last packet that A had in the other \
         direction, where its acknowledgements travel. It happens at the time of that packet, since the first \
         packet of the connection; the gap is from there to the first data on B, or 0 if B had carried data \
         before. Of several such B, it is the one that carried data last. A connection has a handover if a \
         direction has one. Only connections with at least two used subflows count. The rule is that of the \
         analysis scripts, and errs both ways: it holds where the scheduler simply did not come back to A, and \
         not where A was heard again later, if only with its FIN. `diagnose` looks closer. The last panel has the \
         share of the data on the initial subflow, in connections with a handover and in the others."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "analyze ./examples --out ./ds; study handovers ./ds", purpose: "all connections" }]
    }
}

impl Study for Handovers {
    fn needs(&self) -> &'static [(&'static str, &'static [&'static str])] {
        &[
            ("connections", &["subflows_used"]),
            ("subflows", &["mptcpstream", "tcpstream", "kind"]),
            (
                "subflow_directions",
                &[
                    "mptcpstream",
                    "tcpstream",
                    "towards",
                    "goodput_bytes",
                    "first_s",
                    "last_s",
                    "first_data_s",
                    "last_data_s",
                ],
            ),
        ]
    }

    fn study(&self, _: &ArgMatches, population: &Population<'_>) -> Result<Studied> {
        let mut initial: HashSet<(usize, u64)> = HashSet::new();
        population.each("subflows", ["tcpstream"], ["kind"], |member, [stream], [kind]| {
            if let (Some(stream), Some("initial")) = (stream, kind) {
                initial.insert((member, stream.to_bits()));
            }
        })?;
        let used: Vec<bool> =
            population.sums("connections", "subflows_used")?.into_iter().map(|count| count >= 2.0).collect();
        let mut subflows: BTreeMap<(usize, u64), [Side; 2]> = BTreeMap::new();
        let columns = ["tcpstream", "goodput_bytes", "first_s", "last_s", "first_data_s", "last_data_s"];
        population.each("subflow_directions", columns, ["towards"], |member, row, [towards]| {
            let [Some(stream), bytes, first, last, first_data, last_data] = row else { return };
            let Some(place) = direction(towards).filter(|_| used.get(member) == Some(&true)) else { return };
            let sides = subflows.entry((member, stream.to_bits())).or_default();
            if let Some(side) = sides.get_mut(place) {
                *side = Side { bytes: bytes.unwrap_or_default(), first, last, first_data, last_data };
            }
        })?;
        let mut by_member: BTreeMap<usize, Vec<(bool, [Side; 2])>> = BTreeMap::new();
        for ((member, stream), sides) in subflows {
            by_member.entry(member).or_default().push((initial.contains(&(member, stream)), sides));
        }
        let (mut times, mut gaps) = (population.grouped(), population.grouped());
        let mut verdicts = population.grouped();
        let mut shares = population.grouped_by(&["handover", "no handover"]);
        for (member, own) in &by_member {
            let sides: Vec<[Side; 2]> = own.iter().map(|(_, sides)| *sides).collect();
            let start = sides.iter().flatten().filter_map(|side| side.first).fold(f64::INFINITY, f64::min);
            let found = handovers(&sides);
            verdicts.push(*member, if found.is_empty() { 0.0 } else { 1.0 });
            for (time, gap) in &found {
                times.push(*member, time - start);
                gaps.push(*member, *gap);
            }
            let bytes = |sides: &[Side; 2]| sides.iter().map(|side| side.bytes).sum::<f64>();
            let all: f64 = sides.iter().map(bytes).sum();
            if all > 0.0 && own.iter().any(|(initial, _)| *initial) {
                let first: f64 = own.iter().filter(|(initial, _)| *initial).map(|(_, sides)| bytes(sides)).sum();
                shares.push_in(*member, usize::from(found.is_empty()), first / all);
            }
        }
        let (times, gaps, shares) = (times.values(), gaps.values(), shares.values());
        let mut numbers = StudyNumbers::default();
        for group in verdicts.values() {
            let count = group.values.iter().filter(|verdict| **verdict > 0.0).count();
            numbers.share(&group.name, "connections with a handover", count, group.values.len());
        }
        times.iter().for_each(|group| numbers.distribution(group, "time of the handover", Unit::Seconds));
        gaps.iter().for_each(|group| numbers.distribution(group, "gap", Unit::Seconds));
        shares.iter().for_each(|group| numbers.distribution(group, "share on the initial subflow", Unit::Share));
        let share = Axis::new("share of the data on the initial subflow", Unit::Share).with_range(-0.02, 1.02);
        let since = seconds("time since the start of the connection");
        let figure = Figure::new("Handovers")
            .with_panel(cumulative(&times, Cumulative::AtMost, since, share_of("handovers")))
            .with_panel(cumulative(&gaps, Cumulative::AtMost, Axis::new("gap", Unit::Seconds), share_of("handovers")))
            .with_panel(cumulative(&shares, Cumulative::AtMost, share, share_of("connections")));
        Ok(Studied { figure, numbers })
    }
}

/// The handovers of one connection, from the two directions of its subflows: when, and how long until the first data.
fn handovers(subflows: &[[Side; 2]]) -> Vec<(f64, f64)> {
    let begun = |sides: &[Side; 2]| sides.iter().filter_map(|side| side.first).fold(f64::INFINITY, f64::min);
    let mut found = Vec::new();
    for towards in [0_usize, 1] {
        let of = |sides: &[Side; 2], place: usize| sides.get(place).copied().unwrap_or_default();
        let mut carrying: Vec<(f64, Side, Option<f64>)> = subflows
            .iter()
            .map(|sides| (begun(sides), of(sides, towards), of(sides, 1 - towards).last))
            .filter(|(_, side, _)| side.bytes > 0.0)
            .collect();
        // From the latest one on, with that of those behind it which carried data last.
        carrying.sort_by(|one, other| other.0.total_cmp(&one.0));
        let mut last: Option<(f64, f64)> = None;
        for begun_together in carrying.chunk_by(|one, other| one.0 == other.0) {
            let silent = begun_together.iter().filter_map(|(_, _, acknowledged)| *acknowledged);
            let handed_over = |silent: f64| {
                let (_, first) = last.filter(|(last, _)| *last > silent)?;
                Some((silent, (first - silent).max(0.0)))
            };
            found.extend(silent.filter_map(handed_over));
            for (_, side, _) in begun_together {
                last = last
                    .into_iter()
                    .chain(side.last_data.zip(side.first_data))
                    .reduce(|one, other| if other.0 > one.0 { other } else { one });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(bytes: f64, times: [f64; 4]) -> Side {
        let [first, last, first_data, last_data] = times.map(Some);
        Side { bytes, first, last, first_data, last_data }
    }

    #[test]
    fn data_that_went_on_elsewhere_after_the_last_acknowledgement_was_handed_over() {
        // Upload: the first subflow is acknowledged until 2 s and tries until 3 s; the second one begins at 1 s and carries
        // data from 2.5 s to 5 s.
        let none = Side { first: Some(0.1), last: Some(2.0), ..Side::default() };
        let acknowledging = Side { first: Some(1.1), last: Some(5.1), ..Side::default() };
        let failed = [side(1000.0, [0.0, 3.0, 0.2, 3.0]), none];
        let second = [side(1000.0, [1.0, 5.0, 2.5, 5.0]), acknowledging];
        assert_eq!(handovers(&[failed, second]), [(2.0, 0.5)]);
        // While the first one is acknowledged to the end, nothing was handed over.
        let alive = [side(1000.0, [0.0, 5.2, 0.2, 5.0]), Side { last: Some(5.2), ..none }];
        assert_eq!(handovers(&[alive, second]), []);
        // Nor from the later one to the first.
        let ended = [side(10.0, [1.0, 1.5, 1.2, 1.4]), Side { last: Some(1.6), ..acknowledging }];
        assert_eq!(handovers(&[alive, ended]), []);
    }
}
