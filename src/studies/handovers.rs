//! Connections whose data moved to another subflow (the handovers of `delay_mpcapable_mpjoin`, `detect_handover`, `initial_subflow_data_handover_cdf`).

use clap::ArgMatches;

use std::collections::{BTreeMap, HashSet};

use super::axes::{seconds, share_of};
use super::numbers::StudyNumbers;
use super::population::Population;
use super::registry::{Studied, Study};
use crate::described::{Described, Example};
use crate::drawing::distributions::{Cumulative, cumulative};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;

/// Why a subflow stopped, as in the table of handovers.
const CAUSES: [&str; 6] = ["silent", "reset", "fin", "remove_addr", "backup", "mp_fail"];

/// Connections whose data went on over another subflow because the one that carried it stopped.
pub struct Handovers;

impl Described for Handovers {
    fn name(&self) -> &'static str {
        "handovers"
    }

    fn summary(&self) -> &'static str {
        "Connections whose data went on over another subflow because the one that carried it stopped"
    }

    fn details(&self) -> &'static str {
        "A handover is what `handovers` lists: a subflow that carried the data of a direction was reset, closed, \
         withdrawn or made a backup, or fell silent for a second or more, and another one carried new data before \
         it was well again. It begins when the subflow stopped, since the first packet of the connection; the gap is \
         from there to the new data on the other subflow. Only connections with at least two used subflows count. The \
         last panel has the share of the data on the initial subflow, in connections with a handover and in the \
         others.\n\nThe analysis scripts saw a handover where data went on over a later subflow after the last \
         acknowledgement on an earlier one. That rule errs both ways. It holds where the scheduler merely did not come \
         back to a subflow before the end, and where an orderly end closes one subflow before the other. It does not hold \
         where the first subflow was heard again, if only with its RST, where data moved to a subflow that had been \
         opened earlier, and where two subflows stopped one after the other."
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
            ("subflow_directions", &["mptcpstream", "tcpstream", "goodput_bytes", "first_s"]),
            ("handovers", &["mptcpstream", "cause", "stopped_s", "gap_s"]),
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
        let counts = |member: usize| used.get(member) == Some(&true);
        // Bytes on the initial subflow and on all, and the first packet.
        let mut carried: BTreeMap<usize, (Option<f64>, f64, f64)> = BTreeMap::new();
        let columns = ["tcpstream", "goodput_bytes", "first_s"];
        population.each("subflow_directions", columns, [], |member, [stream, bytes, first], []| {
            let (Some(stream), true) = (stream, counts(member)) else { return };
            let (own, all, start) = carried.entry(member).or_insert((None, 0.0, f64::INFINITY));
            let bytes = bytes.unwrap_or_default();
            *all += bytes;
            *start = start.min(first.unwrap_or(f64::INFINITY));
            if initial.contains(&(member, stream.to_bits())) {
                *own = Some(own.unwrap_or_default() + bytes);
            }
        })?;
        let (mut times, mut gaps) = (population.grouped(), population.grouped());
        let (mut verdicts, mut causes) = (population.grouped(), population.grouped());
        let mut handed_over: HashSet<usize> = HashSet::new();
        population.each("handovers", ["stopped_s", "gap_s"], ["cause"], |member, [stopped, gap], [cause]| {
            let (Some((_, _, start)), Some(stopped), Some(gap)) = (carried.get(&member), stopped, gap) else { return };
            handed_over.insert(member);
            times.push(member, stopped - start);
            gaps.push(member, gap);
            let cause = (0_u32..).zip(CAUSES).find(|(_, name)| Some(*name) == cause);
            if let Some((place, _)) = cause {
                causes.push(member, f64::from(place));
            }
        })?;
        let mut shares = population.grouped_by(&["handover", "no handover"]);
        for (member, (own, all, _)) in &carried {
            let handed_over = handed_over.contains(member);
            verdicts.push(*member, if handed_over { 1.0 } else { 0.0 });
            if let Some(own) = own.filter(|_| *all > 0.0) {
                shares.push_in(*member, usize::from(!handed_over), own / all);
            }
        }
        let (times, gaps, shares) = (times.values(), gaps.values(), shares.values());
        let mut numbers = StudyNumbers::default();
        for group in verdicts.values() {
            let count = group.values.iter().filter(|verdict| **verdict > 0.0).count();
            numbers.share(&group.name, "connections with a handover", count, group.values.len());
        }
        for group in causes.values() {
            for (place, name) in (0_u32..).zip(CAUSES) {
                let count = group.values.iter().filter(|value| **value == f64::from(place)).count();
                numbers.share(&group.name, &format!("handovers: {name}"), count, group.values.len());
            }
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
