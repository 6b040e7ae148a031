//! Which joins failed, and why?

use std::cell::OnceCell;
use std::collections::HashSet;

use super::{Finding, FindingKind, Subject, refused};
use mptcp_trace::Span;
use mptcp_trace::analysis::joins::{JoinAttempt, JoinOutcome};
use mptcp_trace::analysis::refusals::{Circumstances, End, is_against_flag};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::flag;
use mptcp_trace::tracking::{Endpoint, Role, SubflowKind};
use mptcp_trace::units::{counted, span};

/// A host waits that long before it sends its SYN again (RFC 6298 §2).
const FIRST_TIMEOUT: Span = Span::from_seconds(1);

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let joins = &subject.joins;
    let unanswered = joins.iter().filter(|join| join.outcome == JoinOutcome::Unanswered);
    let silent: HashSet<Endpoint> = unanswered
        .filter(|join| join.syns > 1 || waited(subject, join) >= FIRST_TIMEOUT)
        .filter_map(|join| server_of(subject, join))
        .collect();
    let circumstances = OnceCell::new();
    let circumstances = || {
        circumstances.get_or_init(|| Circumstances::of(subject.capture, subject.connection, subject.fallback.as_ref()))
    };
    let mut findings = Vec::new();
    for join in interruptible(joins) {
        findings.extend(of_one(subject, &circumstances, &silent, join));
    }
    findings.extend(stripped_syns(subject));
    findings
}

fn server_of(subject: &Subject<'_>, join: &JoinAttempt) -> Option<Endpoint> {
    subject.capture.tracking.stream(join.tcpstream).map(|stream| stream.server)
}

/// How long the connection is captured after the last SYN of a join.
fn waited(subject: &Subject<'_>, join: &JoinAttempt) -> Span {
    let syn = subject.capture.segments.get(join.decided_by.index()).map(|segment| segment.abstime);
    let last = subject.passed.span.map(|(_, last)| last);
    last.zip(syn).map_or(Span::ZERO, |(last, syn)| last - syn)
}

/// Streams whose SYN has no MPTCP option and that are reset with one: the client had asked for a join.
fn stripped_syns(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for packet in interruptible(subject.passed.signals.iter().filter(|packet| packet.ends_with(flag::RST))) {
        let tracking = &subject.capture.tracking;
        let unknown = tracking.subflow(packet.stream).is_some_and(|subflow| subflow.kind == SubflowKind::Unknown);
        let syn = tracking.stream(packet.stream).and_then(|stream| stream.syn);
        let syn = syn.and_then(|row| subject.capture.segments.get(row.index()));
        let with_reason = packet.segment.control().is_some_and(|control| control.reset.is_some());
        let Some(syn) = syn.filter(|syn| unknown && with_reason && !syn.is_mptcp() && !syn.options_cut()) else {
            continue;
        };
        let detail = format!(
            "the SYN in packet {} has no MPTCP option, and the {} resets the stream with MP_TCPRST in packet {}",
            syn.packetid(),
            packet.tcp_towards.other().name(),
            packet.segment.packetid()
        );
        let meaning = "the client requested a join, but the option was removed from its SYN on the path";
        findings.push(
            Finding::problem(
                FindingKind::JoinOptionMissing,
                detail,
                meaning,
                "capture at the sender of that packet: if the option is missing there too, it was never sent",
            )
            .of(subject.connection)
            .on(packet.stream)
            .shown_by([syn.packetid(), packet.segment.packetid()]),
        );
    }
    findings
}

/// `silent` are the places that did not answer although there was time for it.
fn of_one<'c>(
    subject: &Subject<'_>,
    circumstances: &dyn Fn() -> &'c Circumstances<'c>,
    silent: &HashSet<Endpoint>,
    join: &JoinAttempt,
) -> Vec<Finding> {
    let rows: Vec<u64> = join.handshake.rows.iter().flatten().map(|row| subject.id(*row)).collect();
    let decided = subject.id(join.decided_by);
    // With the packet that ended the connection, where one did.
    let shown = |finding: Finding, end: Option<&End>| {
        let end = end.map(|end| subject.id(end.row));
        let mut packets: Vec<u64> = rows.iter().copied().chain(end).chain([decided]).collect();
        packets.sort_unstable();
        packets.dedup();
        finding.of(subject.connection).on(join.tcpstream).shown_by(packets)
    };
    let make = |finding: Finding| shown(finding, None);
    let mut findings = Vec::new();
    for proof in join.wrong_hmacs() {
        let carrier = proof.of(join.proofs).map(|row| subject.id(row));
        let detail = format!("the HMAC in the {} of the join does not match the keys", proof.name());
        let meaning = "the option was altered on the path, or the join does not come from the peer; it must be refused";
        let next = "compare the option in a capture at the other end: if it differs there, a middlebox altered it";
        let finding = Finding::problem(FindingKind::JoinHmacInvalid, detail, meaning, next);
        findings.push(finding.of(subject.connection).on(join.tcpstream).shown_by(carrier));
    }
    if !subject.connection.roles_known
        && let Some(token) = join.handshake.token
    {
        let detail = format!("the join is for token 0x{token:08x}, which belongs to no connection of the capture");
        let meaning = "the connection began before the capture or was not captured, or the token was altered on the \
                       path";
        findings.push(make(Finding::notice(
            FindingKind::JoinTokenUnknown,
            detail,
            meaning,
            "start the capture before the connection, or compare the token in a capture at the other end",
        )));
    }
    match join.outcome {
        JoinOutcome::Refused => {
            if let Some(refusal) = circumstances().refusal(join) {
                findings.push(shown(refused::describe(subject, join, &refusal), refusal.end()));
            }
        }
        JoinOutcome::OptionMissing => {
            let detail = if join.handshake.rows[1].is_none() {
                format!("the SYN has MP_JOIN, but the SYN/ACK in packet {decided} does not")
            } else {
                format!("SYN and SYN/ACK have MP_JOIN, but the ACK in packet {decided} has no MPTCP option")
            };
            let meaning = if join.handshake.rows[1].is_none() {
                "a middlebox on that path removes MPTCP options, or the port belongs to a plain TCP listener"
            } else {
                "a middlebox on that path removes MPTCP options: the joining host sends one in its ACK"
            };
            findings.push(make(Finding::problem(
                FindingKind::JoinOptionMissing,
                detail,
                meaning,
                "capture at the sender of that packet: if the option is missing there too, it was never sent",
            )));
        }
        JoinOutcome::Unanswered => {
            let is_silent = server_of(subject, join).is_some_and(|server| silent.contains(&server));
            let end = circumstances().ended_before_syn(join).filter(|_| !is_silent);
            findings.push(shown(unanswered(subject, join, is_silent, end.as_ref()), end.as_ref()));
        }
        JoinOutcome::Established if is_against_flag(subject.capture, subject.connection, join) => {
            findings.push(make(against_flag(subject, join)));
        }
        JoinOutcome::Unfinished | JoinOutcome::Established => {}
    }
    findings
}

/// A join that went where MP_CAPABLE asks not to go, and was accepted.
fn against_flag(subject: &Subject<'_>, join: &JoinAttempt) -> Finding {
    let subflow = subject.capture.tracking.subflow(join.tcpstream);
    let host = subflow.map_or(Role::Server, |subflow| subflow.opened_towards);
    let (opener, host) = (host.other().name(), host.name());
    Finding::notice(
        FindingKind::JoinAgainstFlag,
        format!("the {opener} joined at the address and port of the initial subflow, and the {host} accepted it"),
        format!(
            "the {host} had announced in MP_CAPABLE (flag C) that it accepts no joins there: the {opener} must \
                 not try"
        ),
        format!("nothing, if it works: `net.mptcp.allow_join_initial_addr_port` at the {host} sets the flag"),
    )
}

/// `is_silent`: nothing came from there although there was time. `end` is what ended the connection before.
fn unanswered(subject: &Subject<'_>, join: &JoinAttempt, is_silent: bool, end: Option<&End>) -> Finding {
    let detail = format!("{} of the join got no answer", counted(join.syns, "SYN"));
    if let Some(end) = end {
        return refused::too_late(format!("{detail}; {}", refused::came(subject, end, "had come before")));
    }
    let next = "test the path for plain TCP between these addresses, and look for a firewall";
    if !is_silent {
        let waited = span(waited(subject, join));
        return Finding::notice(
            FindingKind::JoinUnanswered,
            format!("{detail} until the connection or the capture ended, {waited} later"),
            "there was too little time for an answer or a second SYN; or the path is down or filtered",
            next,
        );
    }
    let meaning = "the path is down or filtered, or the answer was not captured";
    Finding::problem(FindingKind::JoinUnanswered, detail, meaning, next)
}
