//! Were MPTCP options removed on a joined subflow?

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::option_loss::Loss;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::{Segment, flag};
use mptcp_trace::tracking::Tracking;
use mptcp_trace::units::counted;
use mptcp_trace::{PacketRow, StreamId};

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (index, loss) in interruptible(&subject.passed.losses) {
        let Some(stream) = subject.connection.subflows.get(*index) else { continue };
        // A fallback says the same of its subflow.
        if subject.fallback.is_none_or(|fallback| fallback.tcpstream != *stream) {
            findings.extend(of_one(subject, *stream, loss));
        }
    }
    findings
}

fn of_one(subject: &Subject<'_>, id: StreamId, loss: &Loss<PacketRow>) -> Option<Finding> {
    let tracking = &subject.capture.tracking;
    let (stream, subflow) = (tracking.stream(id)?, tracking.subflow(id)?);
    let sent = |row: &PacketRow| {
        let packet = tracking.packets.get(*row)?;
        let segment = subject.capture.segments.get(row.index())?;
        (stream.towards(packet).other() == loss.sender).then_some(segment)
    };
    // Rows rise. Options may go and come back many times: only the packets around the loss are looked at.
    let (before, since) = stream.packets.split_at(stream.packets.partition_point(|row| *row < loss.from));
    let last = before.iter().rev().filter_map(sent).find(|segment| segment.is_mptcp())?;
    let later = since.iter().filter_map(sent);
    let bare = |segment: &&Segment| !segment.is_mptcp() && segment.flags() & (flag::SYN | flag::RST) == 0;
    let without: Vec<u64> = later.take_while(bare).map(|segment| segment.packetid()).collect();
    let towards = Tracking::mptcp_towards(subflow, loss.sender.other());
    let what = if loss.later { "its last option is" } else { "its part of the handshake had one," };
    let detail = format!(
        "{} of the {} from packet {} on {} no MPTCP option; {what} in packet {}",
        counted(without.len(), "packet"),
        towards.other().name(),
        without.first()?,
        if without.len() == 1 { "has" } else { "have" },
        last.packetid()
    );
    let meaning = "a middlebox on that path removes the options in that direction, or that end stopped sending them. \
                   Data without a mapping must be rejected; without DATA_ACKs, the other end sends its data again \
                   elsewhere";
    let next = "capture at the sender of these packets: if the options are present there, they were removed on the \
                path";
    let finding = Finding::problem(FindingKind::SubflowOptionsRemoved, detail, meaning, next);
    Some(finding.of(subject.connection).on(id).going(towards).shown_by(without))
}
