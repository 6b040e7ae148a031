//! Data re-sent on the subflow that had sent it, and the reasons.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::acknowledged::Acknowledged;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::flag;
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::data::{Repeat, RepeatKind};
use mptcp_trace::units::counted;
use mptcp_trace::{Instant, PacketRow, Span};

/// Why data went again, as far as the capture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cause {
    /// While they were under way, this row ended a subflow or a join, or withdrew an address.
    Ended(PacketRow),
    /// They had no DATA_ACK yet. Whether TCP had acknowledged them.
    NoDataAck(bool),
    /// The DATA_ACK had passed them.
    Passed,
    /// The capture has no DATA_ACK of this direction.
    Open,
}

#[derive(Default)]
struct Resent {
    packets: BTreeSet<PacketRow>,
    bytes: u64,
    /// The shortest and the longest time since the data had been sent before.
    age: Option<(Span, Span)>,
}

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let (capture, connection) = (subject.capture, subject.connection);
    let directions = &subject.directions;
    let is_resent = |role: Role| directions.get(role).repeats.iter().any(|r| r.kind == RepeatKind::SameSubflow);
    if !Role::BOTH.into_iter().any(is_resent) {
        return Vec::new();
    }
    let acknowledgements = &subject.acknowledged;
    let ends = ends(subject);
    let time = |row: PacketRow| capture.segments.get(row.index()).map_or(Instant::EPOCH, |segment| segment.abstime);
    let mut findings = Vec::new();
    for towards in Role::BOTH {
        let mut by_cause: BTreeMap<(usize, Cause), Resent> = BTreeMap::new();
        for repeat in
            interruptible(directions.get(towards).repeats.iter().filter(|r| r.kind == RepeatKind::SameSubflow))
        {
            let (before, again) = (time(repeat.original_row), time(repeat.row));
            let cause = cause(&ends, acknowledgements.get(towards), repeat, (before, again));
            let resent = by_cause.entry((repeat.subflow, cause)).or_default();
            resent.packets.insert(repeat.row);
            resent.bytes += repeat.length;
            let age = again - before;
            resent.age = Some(resent.age.map_or((age, age), |(least, most)| (least.min(age), most.max(age))));
        }
        for ((subflow, cause), resent) in interruptible(by_cause) {
            let stream = connection.subflows.get(subflow).copied().unwrap_or_default();
            let shown = resent.packets.iter().map(|row| subject.id(*row));
            findings.push(
                describe(subject, towards, cause, &resent).of(connection).on(stream).going(towards).shown_by(shown),
            );
        }
    }
    findings
}

/// Packets that end a subflow or a join, or withdraw an address, by time; the first of each kind on a subflow.
fn ends(subject: &Subject<'_>) -> Vec<(Instant, PacketRow)> {
    let mut seen: BTreeSet<usize> = BTreeSet::new();
    let mut found: Vec<(Instant, PacketRow)> = Vec::new();
    for packet in interruptible(&subject.passed.signals) {
        let withdraws = packet.segment.control().is_some_and(|control| control.remove_addr.is_some());
        if withdraws || (packet.segment.has(flag::RST) && seen.insert(packet.subflow)) {
            found.push((packet.segment.abstime, packet.row));
        }
    }
    found.sort_unstable();
    found
}

fn cause(
    ends: &[(Instant, PacketRow)],
    acknowledged: &Acknowledged,
    repeat: &Repeat,
    (before, again): (Instant, Instant),
) -> Cause {
    // The last one before the data went again, if they were under way at that time.
    let last = ends.partition_point(|(time, _)| *time <= again).checked_sub(1).and_then(|at| ends.get(at));
    if let Some((_, row)) = last.filter(|(time, _)| *time >= before) {
        return Cause::Ended(*row);
    }
    if acknowledged.passed(0).is_none() {
        return Cause::Open;
    }
    let passed = acknowledged.passed(repeat.dsn.saturating_add(repeat.length));
    if passed.is_some_and(|passed| passed.time <= again) {
        return Cause::Passed;
    }
    Cause::NoDataAck(acknowledged.by_tcp(repeat.original_row).is_some_and(|time| time <= again))
}

fn describe(subject: &Subject<'_>, towards: Role, cause: Cause, resent: &Resent) -> Finding {
    let mut detail = format!(
        "towards the {}, {} sent {} again on the subflow that had sent them, under new sequence numbers",
        towards.name(),
        counted(resent.packets.len(), "packet"),
        counted(resent.bytes, "byte")
    );
    let age = resent.age.map_or_else(String::new, |(least, most)| {
        let milliseconds = |span: Span| format!("{:.0}", span.seconds() * 1e3);
        let (least, most) = (milliseconds(least), milliseconds(most));
        if least == most { format!("{least} ms") } else { format!("{least} to {most} ms") }
    });
    let (meaning, next) = match cause {
        Cause::Ended(row) => {
            let what = ended(subject, row);
            detail.push_str(&format!("; while they were under way, {what}"));
            (
                "when a subflow ends or fails to join, Linux sends all data without a DATA_ACK again, also on the \
                 subflow that had sent it; the receiver drops duplicates",
                "see `events` for what ended the subflow",
            )
        }
        Cause::NoDataAck(by_tcp) => {
            let and_yet = if by_tcp { ", although TCP had acknowledged them" } else { "" };
            detail.push_str(&format!("; without a DATA_ACK for {age}{and_yet}"));
            (
                "MPTCP's retransmission timer resends data without a DATA_ACK: the DATA_ACK was late or lost, or the \
                 receiver lost the data after TCP acknowledged it",
                "look at the DATA_ACKs before these packets (`plot dsn`), and capture at the receiver",
            )
        }
        Cause::Open => {
            detail.push_str(&format!(", {age} later"));
            (
                "the reason is unknown, because the DATA_ACKs were not captured; the receiver drops duplicates",
                "capture both directions",
            )
        }
        Cause::Passed => {
            detail.push_str(&format!(", {age} later; the DATA_ACK had already covered them"));
            (
                "the DATA_ACK and these packets crossed on the way, or the sender ignored it; the receiver drops \
                 duplicates",
                "capture at the sender to see when the DATA_ACK arrived there",
            )
        }
    };
    Finding::notice(FindingKind::ResentOnSameSubflow, detail, meaning, next)
}

/// The end caused by the packet in `row`.
fn ended(subject: &Subject<'_>, row: PacketRow) -> String {
    let packet = subject.passed.signals.binary_search_by_key(&row, |packet| packet.row).ok();
    let Some(packet) = packet.and_then(|at| subject.passed.signals.get(at)) else {
        return "a subflow ended".to_string();
    };
    let when = format!("packet {} at {}", packet.segment.packetid(), subject.time(packet.segment.abstime));
    if packet.segment.has(flag::RST) {
        format!("stream {} was reset ({when})", packet.stream)
    } else {
        format!("an address was withdrawn ({when})")
    }
}
