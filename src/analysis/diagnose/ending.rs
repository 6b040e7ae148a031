//! Was the connection aborted, or a subflow reset?

use std::collections::HashSet;

use super::{Finding, FindingKind, Subject};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::joins::{JoinOutcome, reason_name};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::flag;
use mptcp_trace::tracking::SubflowKind;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let closing = &subject.closing;
    if let Some((row, by)) = closing.fast_close {
        let detail = format!("the {} sent MP_FASTCLOSE in packet {}", by.name(), subject.id(row));
        let meaning = "its application or kernel aborted the connection: data in flight on any subflow is lost";
        findings.push(
            Finding::problem(
                FindingKind::FastClose,
                detail,
                meaning,
                "check why the application at that end closed with unread data, or with SO_LINGER set to 0",
            )
            .of(subject.connection)
            .shown_by([subject.id(row)]),
        );
        return findings;
    }
    // Other findings speak of these.
    let refused =
        subject.joins.iter().filter(|join| join.outcome != JoinOutcome::Established).map(|join| join.tcpstream);
    let removed = subject.removals.iter().flat_map(|removal| removal.resets.iter().map(|(stream, _)| *stream));
    let mut known: HashSet<StreamId> = refused.chain(removed).collect();
    // Once both ends have sent DATA_FIN, a RST is a way to close.
    let done = closing.data_fins.server.max(closing.data_fins.client);
    let both = closing.data_fins.server.is_some() && closing.data_fins.client.is_some();
    for packet in interruptible(subject.passed.signals.iter().filter(|packet| packet.ends_with(flag::RST))) {
        if known.contains(&packet.stream)
            || (both && done.is_some_and(|row| row < packet.row))
            || !is_subflow(subject, packet.stream)
        {
            continue;
        }
        known.insert(packet.stream);
        let reason = packet.segment.control().and_then(|control| control.reset?.reason);
        let reason = reason
            .map_or_else(|| "without a reason".to_string(), |code| format!("reason {code}, {}", reason_name(code)));
        let by = packet.towards.other().name();
        let detail = format!("the {by} reset the subflow at {}, {reason}", subject.time(packet.segment.abstime));
        let meaning = "the connection lost this path from then on; data in flight on it is sent again elsewhere";
        findings.push(
            Finding::problem(
                FindingKind::SubflowReset,
                detail,
                meaning,
                "look at `nstat -az | grep MPTcpExt` at the end that sent the RST",
            )
            .of(subject.connection)
            .on(packet.stream)
            .shown_by([packet.segment.packetid()]),
        );
    }
    findings
}

fn is_subflow(subject: &Subject<'_>, stream: StreamId) -> bool {
    subject.capture.tracking.subflow(stream).is_some_and(|subflow| subflow.kind != SubflowKind::Unknown)
}
