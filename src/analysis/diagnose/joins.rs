//! Which joins failed, and why?

use super::{Finding, FindingKind, Subject};
use crate::analysis::joins::{JoinAttempt, Outcome, joins, reason_name};
use crate::packets::segment::flag;
use crate::tracking::authentication::Verdict;
use crate::tracking::{Role, SubflowKind};

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        joins(subject.capture, subject.connection).iter().flat_map(|join| of_one(subject, join)).collect();
    findings.extend(stripped_syns(subject));
    findings
}

/// Streams whose SYN has no MPTCP option and that are reset with one: the client had asked for a join.
fn stripped_syns(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for packet in subject.packets.iter().filter(|packet| packet.segment.has(flag::RST)) {
        let tracking = &subject.capture.tracking;
        let unknown = tracking.subflow(packet.stream).is_some_and(|subflow| subflow.kind == SubflowKind::Unknown);
        let syn = tracking.stream(packet.stream).and_then(|stream| stream.syn);
        let syn = syn.and_then(|row| subject.capture.segments.get(row as usize));
        let with_reason = packet.segment.control.as_ref().is_some_and(|control| control.reset.is_some());
        let Some(syn) = syn.filter(|syn| unknown && with_reason && !syn.is_mptcp() && !syn.options_cut) else {
            continue;
        };
        let detail = format!(
            "the SYN in packet {} has no MPTCP option, and the {} resets the stream with MP_TCPRST in packet {}",
            syn.packetid,
            packet.tcp_towards.other().name(),
            packet.segment.packetid
        );
        let meaning = "the client had asked to join: something on the path removed the option from its SYN";
        findings.push(
            Finding::problem(
                FindingKind::JoinOptionMissing,
                detail,
                meaning,
                "capture at the other end of that path: an option that is missing there as sent was never sent",
            )
            .of(subject.connection)
            .on(packet.stream)
            .shown_by([syn.packetid, packet.segment.packetid]),
        );
    }
    findings
}

fn of_one(subject: &Subject<'_>, join: &JoinAttempt) -> Vec<Finding> {
    let rows: Vec<u64> = join.handshake.rows.iter().flatten().map(|row| subject.id(*row)).collect();
    let decided = subject.id(join.decided_by);
    let make = |finding: Finding| {
        finding
            .of(subject.connection)
            .on(join.tcpstream)
            .shown_by(rows.iter().copied().filter(|id| *id != decided).chain([decided]))
    };
    let mut findings = Vec::new();
    if join.hmac_is_wrong() {
        let step = if join.verdict.syn_ack == Verdict::Invalid { "SYN/ACK" } else { "ACK" };
        let detail = format!("the HMAC in the {step} of the join is not the one that the keys give");
        let meaning =
            "something on the path altered the option, or the join does not come from the peer; it must be refused";
        findings.push(make(Finding::problem(
            FindingKind::JoinHmacInvalid,
            detail,
            meaning,
            "compare the option in a capture at the other end: if it differs there, a middlebox altered it",
        )));
    }
    if !subject.connection.roles_known
        && let Some(token) = join.handshake.token
    {
        let detail = format!("the join is for the token {token:08x}, which no connection of the capture has");
        let meaning = "the connection began before the capture or outside it, or the token was altered on the path";
        findings.push(make(Finding::notice(
            FindingKind::JoinTokenUnknown,
            detail,
            meaning,
            "start the capture before the connection, or compare the token in a capture at the other end",
        )));
    }
    match join.outcome {
        Outcome::Refused => findings.push(make(refused(join))),
        Outcome::OptionMissing => {
            let detail = format!("the SYN asks to join, the SYN/ACK in packet {decided} has no MP_JOIN");
            let meaning = "something on that path removes MPTCP options, or the port is served by a plain TCP listener";
            findings.push(make(Finding::problem(
                FindingKind::JoinOptionMissing,
                detail,
                meaning,
                "capture at the other end of that path: an option that is missing there as sent was never sent",
            )));
        }
        Outcome::Unanswered => {
            let detail = format!("{} SYNs of the join were not answered", join.syns);
            let meaning = "the path is down or filtered, or the answer was not captured";
            findings.push(make(Finding::problem(
                FindingKind::JoinUnanswered,
                detail,
                meaning,
                "test the path for plain TCP between these addresses, and look for a firewall",
            )));
        }
        Outcome::Unfinished | Outcome::Established => {}
    }
    findings
}

fn refused(join: &JoinAttempt) -> Finding {
    let by = join.refused_by.map_or("peer", Role::name);
    let reason = join
        .reason
        .map_or_else(|| "without a reason".to_string(), |code| format!("reason {code}, {}", reason_name(code)));
    let [_, answer, ack] = join.handshake.rows;
    let (step, meaning) = match (answer, ack, join.reason) {
        (None, _, _) => (
            "the SYN",
            "the server knows no connection by that token, or does not want joins: the token was altered, or the connection \
             is gone",
        ),
        (Some(_), None, _) => (
            "the SYN/ACK",
            "the client refused the server's answer: its HMAC is wrong as it arrived, or the connection is gone",
        ),
        (Some(_), Some(_), Some(3)) => {
            ("the ACK", "the server's limit of subflows is reached, or its policy forbids it")
        }
        (Some(_), Some(_), _) => {
            ("the ACK", "the server refused the client's HMAC as it arrived, or the connection is gone")
        }
    };
    Finding::problem(
        FindingKind::JoinRefused,
        format!("the {by} answered {step} of the join with a RST, {reason}"),
        meaning,
        "look at `nstat -az | grep MPTcpExtMPJoin` at the end that refused",
    )
}
