//! Data sent over a second subflow, and whether that was needed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::analysis::reinjections::{Need, need};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::data::RepeatKind;
use mptcp_trace::units::counted;
use mptcp_trace::{Instant, PacketRow, Span, StreamId};

/// Data that arrived over one subflow and then over another.
#[derive(Default)]
struct Pair {
    packets: BTreeSet<PacketRow>,
    bytes: u64,
    /// Bytes that the DATA_ACK passed only thanks to the second copy.
    needed: u64,
    /// Those of them that TCP had acknowledged before.
    lost_behind_tcp: u64,
    superfluous: u64,
    /// How long after the first copy the second came at most.
    latest: Span,
}

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let (capture, connection) = (subject.capture, subject.connection);
    let directions = &subject.directions;
    let is_reinjection = |role: Role| directions.get(role).repeats.iter().any(|r| r.kind == RepeatKind::Reinjection);
    if !Role::BOTH.into_iter().any(is_reinjection) {
        return Vec::new();
    }
    let point = subject.point_of_all();
    let acknowledgements = &subject.acknowledged;
    let time = |row: PacketRow| capture.segments.get(row.index()).map_or(Instant::EPOCH, |segment| segment.abstime);
    let mut findings = Vec::new();
    for towards in Role::BOTH {
        let place = point.map(|point| point.seen(towards));
        let mut pairs: BTreeMap<(usize, usize), Pair> = BTreeMap::new();
        let repeats = directions.get(towards).repeats.iter().filter(|r| r.kind == RepeatKind::Reinjection);
        for repeat in interruptible(repeats) {
            let pair = pairs.entry((repeat.original_subflow, repeat.subflow)).or_default();
            let again = time(repeat.row);
            pair.packets.insert(repeat.row);
            pair.bytes += repeat.length;
            pair.latest = pair.latest.max(again - time(repeat.original_row));
            let need = need(acknowledgements.get(towards), repeat, again);
            match need {
                Need::CameFirst | Need::LostBehindTcp => pair.needed += repeat.length,
                Need::Superfluous => pair.superfluous += repeat.length,
                Need::Open => {}
            }
            pair.lost_behind_tcp += if need == Need::LostBehindTcp { repeat.length } else { 0 };
        }
        for ((from, to), pair) in interruptible(pairs) {
            let stream = |index: usize| connection.subflows.get(index).copied().unwrap_or_default();
            let streams = (stream(from), stream(to));
            let finding = match place {
                Some(SeenFrom::Sender) => from_the_sender(towards, streams, &pair),
                _ => from_elsewhere(place, towards, streams, &pair),
            };
            let shown = pair.packets.iter().map(|row| subject.id(*row));
            findings.push(finding.of(connection).on(stream(to)).going(towards).shown_by(shown));
        }
    }
    findings
}

fn from_the_sender(towards: Role, (from, to): (StreamId, StreamId), pair: &Pair) -> Finding {
    let bytes = |amount: u64| counted(amount, "byte");
    let mut detail = format!(
        "towards the {}, stream {to} reinjected {} with {} of stream {from}; the DATA_ACK covered {} only after the \
         reinjection, {} without it",
        towards.name(),
        counted(pair.packets.len(), "packet"),
        bytes(pair.bytes),
        bytes(pair.needed),
        bytes(pair.superfluous)
    );
    let open = pair.bytes.saturating_sub(pair.needed).saturating_sub(pair.superfluous);
    if open > 0 {
        detail.push_str(&format!(", and {} are undetermined", bytes(open)));
    }
    let meaning = if pair.lost_behind_tcp > 0 {
        detail.push_str(&format!("; TCP had acknowledged {} long before", bytes(pair.lost_behind_tcp)));
        "the receiver lost data after TCP acknowledged it, so the reinjection was needed"
    } else if pair.needed > 0 {
        "data that the DATA_ACK covered only after the reinjection was lost or late on its own subflow: the \
         reinjection was needed"
    } else if open == 0 {
        "the data arrived on its own subflow anyway: the reinjection was not needed"
    } else {
        "the capture does not show whether the reinjection was needed; a capture at the receiver does"
    };
    Finding::notice(
        FindingKind::Reinjections,
        detail,
        meaning,
        "compare loss and round trips of the two subflows (`rtt`, `tcp_summary`); with the receiver's capture, \
         `qualify_reinjections` shows the gain of each",
    )
}

fn from_elsewhere(place: Option<SeenFrom>, towards: Role, (from, to): (StreamId, StreamId), pair: &Pair) -> Finding {
    let recorded = match place {
        Some(SeenFrom::Receiver) => ", recorded at the receiver",
        Some(SeenFrom::Between) => ", recorded between the ends",
        _ => "",
    };
    let detail = format!(
        "towards the {}{recorded}, {} over stream {to} delivered {} that stream {from} had delivered before, up to \
         {:.3} s earlier",
        towards.name(),
        counted(pair.packets.len(), "packet"),
        counted(pair.bytes, "byte"),
        pair.latest.seconds()
    );
    Finding::notice(
        FindingKind::Reinjections,
        detail,
        "two copies of the data arrived, and the capture does not show which was sent first. Either the late copy is \
         an unneeded reinjection, or it is the original and the reinjection saved that much time",
        "compare with a capture at the sender (`qualify_reinjections`)",
    )
}
