//! Did the connection fall back to TCP, or never get beyond it?

use super::{Finding, FindingKind, Subject};
use crate::analysis::events::explain;
use crate::analysis::fallback::{declined as declined_handshakes, fallback, last_options};
use crate::tracking::{Capture, Role};

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let Some(found) = fallback(subject.capture, subject.connection) else { return Vec::new() };
    let last = last_options(subject.capture, subject.connection);
    let ends = [Role::Client, Role::Server].map(|role| match last.get(role) {
        Some(packet) => format!("the {}'s last MPTCP option is in packet {packet}", role.name()),
        None => format!("the {} sent none", role.name()),
    });
    let detail = format!(
        "from packet {} on, towards the {}: {}; {}, {}",
        found.packetid,
        found.towards.name(),
        explain(found.reason),
        ends[0],
        ends[1]
    );
    let meaning = "the transfer goes on over one path as plain TCP; look for a middlebox on that path";
    vec![
        Finding::problem(
            FindingKind::Fallback,
            detail,
            meaning,
            "capture on both sides of each middlebox of that path to find where the option goes missing",
        )
        .of(subject.connection)
        .on(found.tcpstream)
        .shown_by([found.packetid]),
    ]
}

/// Streams that asked for MPTCP in vain; and when nobody asked at all, that.
pub fn declined(capture: &Capture) -> Vec<Finding> {
    let declined = declined_handshakes(capture);
    let mut findings = Vec::new();
    for handshake in &declined {
        let detail = format!(
            "the SYN in packet {} has MP_CAPABLE, the SYN/ACK in packet {} has not",
            handshake.syn, handshake.syn_ack
        );
        let meaning =
            "the server does not speak MPTCP, or something on the path removed the option from the SYN or the SYN/ACK";
        findings.push(
            Finding::problem(
                FindingKind::MptcpDeclined,
                detail,
                meaning,
                "check `net.mptcp.enabled` and the listening socket on the server; if both are right, capture there",
            )
            .on(handshake.tcpstream)
            .shown_by([handshake.syn, handshake.syn_ack]),
        );
    }
    let tracking = &capture.tracking;
    if tracking.connections.is_empty() && declined.is_empty() {
        let syns: Vec<u64> = tracking
            .streams
            .iter()
            .filter_map(|stream| capture.segments.get(stream.syn? as usize))
            .filter(|syn| !syn.options_cut)
            .map(|syn| syn.packetid)
            .collect();
        if !syns.is_empty() {
            let detail = format!("none of the {} SYNs has MP_CAPABLE", syns.len());
            let meaning =
                "the clients do not ask for MPTCP, or something before the place of capture removed the option";
            findings.push(Finding::problem(FindingKind::MptcpNotRequested, detail, meaning, "check that the client's sockets are MPTCP sockets (`mptcpize run`, IPPROTO_MPTCP), or capture at the client").shown_by(syns));
        }
    }
    findings
}
