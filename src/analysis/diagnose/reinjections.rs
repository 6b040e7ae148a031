//! What was reinjected, and had the first copy been lost?

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Finding, FindingKind, Subject};
use crate::packets::segment::flag;
use crate::tracking::Role;
use crate::tracking::data::{Kind as RepeatKind, Repeat, data_level};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::of_subflow;
use crate::units::counted;

/// What was seen of the repeats between two subflows.
#[derive(Default)]
struct Pair {
    packets: BTreeSet<u32>,
    bytes: u64,
    lost: u64,
}

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let (capture, connection) = (subject.capture, subject.connection);
    let level = data_level(&capture.segments, &capture.tracking, connection);
    let fates = Fates::new(subject);
    let mut findings = Vec::new();
    for towards in Role::BOTH {
        let mut pairs: BTreeMap<(RepeatKind, usize, usize), Pair> = BTreeMap::new();
        for repeat in &level.directions.get(towards).repeats {
            let pair = pairs.entry((repeat.kind, repeat.original_subflow, repeat.subflow)).or_default();
            pair.packets.insert(repeat.row);
            pair.bytes += repeat.length;
            pair.lost += if fates.was_lost(repeat) { repeat.length } else { 0 };
        }
        for ((kind, from, to), pair) in pairs {
            findings.push(describe(subject, towards, kind, from, to, &pair));
        }
    }
    findings
}

fn describe(subject: &Subject<'_>, towards: Role, kind: RepeatKind, from: usize, to: usize, pair: &Pair) -> Finding {
    let stream = |index: usize| subject.connection.subflows.get(index).copied().unwrap_or_default();
    let shown = pair.packets.iter().map(|row| subject.id(*row));
    let count = counted(pair.packets.len(), "packet");
    match kind {
        RepeatKind::Reinjection => {
            let detail = format!(
                "towards the {}, {count} with {} of stream {} went again over stream {}; the first copy of {} was \
                 retransmitted or never acknowledged on its own subflow",
                towards.name(),
                counted(pair.bytes, "byte"),
                stream(from),
                stream(to),
                counted(pair.lost, "byte")
            );
            let meaning =
                "where the first copy was acknowledged on its subflow, the reinjection was not needed after all";
            Finding::notice(
                FindingKind::Reinjections,
                detail,
                meaning,
                "compare loss and round trips of the two subflows (`rtt`, `tcp_summary`)",
            )
            .of(subject.connection)
            .on(stream(to))
            .going(towards)
            .shown_by(shown)
        }
        RepeatKind::SameSubflow => {
            let detail = format!(
                "towards the {}, {count} sent {} of data again on the same subflow under new sequence numbers",
                towards.name(),
                counted(pair.bytes, "byte")
            );
            let meaning = "Linux does so after a subflow was removed or a join failed; the receiver drops what it has";
            Finding::notice(
                FindingKind::ResentOnSameSubflow,
                detail,
                meaning,
                "look at `events` for what came before the first of these packets",
            )
            .of(subject.connection)
            .on(stream(to))
            .going(towards)
            .shown_by(shown)
        }
    }
}

/// What became of each packet's data on its own subflow.
struct Fates {
    /// Rows whose data was sent again under the same sequence numbers, or never acknowledged.
    lost: HashMap<u32, bool>,
}

impl Fates {
    fn new(subject: &Subject<'_>) -> Self {
        let mut lost = HashMap::new();
        for index in 0..subject.connection.subflows.len() {
            for towards in Role::BOTH {
                follow(subject, index, towards, &mut lost);
            }
        }
        Fates { lost }
    }

    fn was_lost(&self, repeat: &Repeat) -> bool {
        self.lost.get(&repeat.original_row).copied().unwrap_or(false)
    }
}

fn follow(subject: &Subject<'_>, subflow: usize, towards: Role, lost: &mut HashMap<u32, bool>) {
    let mut positions = Positions::default();
    let mut acknowledged = None;
    let mut sent: Vec<(u32, u64, u64)> = Vec::new();
    let mut once = RangeSet::default();
    let mut again: BTreeMap<u64, u64> = BTreeMap::new();
    let capture = subject.capture;
    for packet in of_subflow(&capture.segments, &capture.tracking, subject.connection, subflow) {
        let segment = packet.segment;
        if packet.towards != towards {
            if segment.has(flag::ACK) && !sent.is_empty() {
                acknowledged = acknowledged.max(Some(positions.position(segment.acknowledgement)));
            }
            continue;
        }
        let start = positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        let length = u64::from(segment.payload.unwrap_or(0));
        if length == 0 {
            continue;
        }
        let end = start.saturating_add(length);
        if once.insert(start, end) < length {
            let longest = again.entry(start).or_insert(end);
            *longest = (*longest).max(end);
        }
        sent.push((packet.row, start, end));
    }
    for (row, start, end) in sent {
        let unacknowledged = acknowledged.is_none_or(|position| position < end);
        let reached = again.range(..end).next_back().is_some_and(|(_, last)| *last > start);
        lost.insert(row, unacknowledged || reached);
    }
}
