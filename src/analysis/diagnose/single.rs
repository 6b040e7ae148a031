//! Did a connection stay on one subflow because nobody tried to join?
//!
//! Not said of a connection that a second path cannot help: one that is over within the first flight of data, or that
//! carried none; nor where DATA_ACKs show that another subflow exists, which the capture does not hold.

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::addresses::Advertisement;
use mptcp_trace::analysis::refusals::not_to_be_joined;
use mptcp_trace::tracking::authentication::HmacVerdict;
use mptcp_trace::tracking::{ByRole, Role, SubflowKind};
use mptcp_trace::units::{counted, span};
use mptcp_trace::{Instant, Span, StreamId};

/// Size of the first flight: ten segments (RFC 6928 §2), bytes.
const FIRST_FLIGHT: u64 = 14_600;
/// With less data, a connection must last so long.
const LASTING: Span = Span::from_seconds(1);
/// Connections that are looked at for each, at most.
const NEIGHBOURS: usize = 1_000;

pub fn find(subject: &Subject<'_>) -> Option<Finding> {
    let (capture, connection) = (subject.capture, subject.connection);
    let [stream] = connection.subflows.as_slice() else { return None };
    let initial = capture.tracking.subflow(*stream).is_some_and(|subflow| subflow.kind == SubflowKind::Initial);
    let begun = capture.tracking.stream(*stream).and_then(|stream| stream.syn.or(stream.syn_ack));
    let begun = subject.id(begun.filter(|_| initial && connection.roles_known)?);
    let (first, last) = subject.passed.span?;
    let lasted = last - first;
    let directions = &subject.directions;
    let goodput = ByRole { server: directions.server.goodput, client: directions.client.goodput };
    let most = goodput.server.max(goodput.client);
    if most == 0 || (most <= FIRST_FLIGHT && lasted < LASTING) {
        return None;
    }
    if subject.fallback.is_some() || Role::BOTH.iter().any(|role| lacks_data(subject, *role)) {
        return None;
    }
    if others_may_have_joined(subject, last) {
        return None;
    }
    let advertised = &subject.advertisements;
    let flag_c = ByRole {
        server: not_to_be_joined(capture, connection, Role::Server).is_some(),
        client: not_to_be_joined(capture, connection, Role::Client).is_some(),
    };
    let total = goodput.server.saturating_add(goodput.client);
    let mut detail = format!(
        "one subflow carried all of {} in {}, and no SYN requested a join; {}",
        counted(total, "byte"),
        span(lasted),
        who_advertised(advertised)
    );
    for role in Role::BOTH.into_iter().filter(|role| *flag_c.get(*role)) {
        detail.push_str(&format!("; the {}'s MP_CAPABLE forbids joins to its address (flag C)", role.name()));
    }
    let (meaning, next) = cause(advertised, flag_c.server);
    let shown = advertised.iter().filter_map(|one| one.rows.first()).map(|row| subject.id(*row));
    Some(
        Finding::notice(FindingKind::SingleSubflow, detail, meaning, next)
            .of(connection)
            .on(*stream)
            .shown_by([begun].into_iter().chain(shown)),
    )
}

/// Whether the peer acknowledged data towards `role` that no captured packet carried.
fn lacks_data(subject: &Subject<'_>, role: Role) -> bool {
    let direction = subject.directions.get(role);
    let acknowledged = direction.acknowledged.and_then(|next| direction.numbers.relative(next)).unwrap_or(0);
    let fin = subject.closing.data_fins.get(role).is_some();
    // The first byte of data has number 1, and DATA_FIN takes one more.
    acknowledged.saturating_sub(1).saturating_sub(u64::from(fin)) > direction.goodput
}

/// Whether there are streams of unknown connections that began before `end`: a join whose token was altered, or whose
/// option was removed, is one.
fn others_may_have_joined(subject: &Subject<'_>, end: Instant) -> bool {
    let tracking = &subject.capture.tracking;
    let after = subject.connection.id.index().saturating_add(1);
    let later = tracking.connections.iter().skip(after).take(NEIGHBOURS);
    let began = |id: &StreamId| {
        let row = tracking.stream(*id)?.packets.first()?;
        Some(subject.capture.segments.get(row.index())?.abstime)
    };
    later
        .map_while(|other| other.subflows.first().and_then(began).filter(|time| *time <= end).map(|_| other))
        .any(|other| !other.roles_known)
}

fn who_advertised(advertised: &[Advertisement]) -> String {
    if advertised.is_empty() {
        return "no address was advertised".to_string();
    }
    // A host has few addresses; a flood of them needs no list.
    let some: Vec<String> = advertised
        .iter()
        .take(3)
        .map(|one| {
            let address = one.option.address.map_or_else(|| "cut".to_string(), |address| address.to_string());
            format!("the {} advertised address id {} ({address})", one.by.name(), one.option.address_id)
        })
        .collect();
    let more = advertised.len() - some.len();
    if more == 0 { some.join(", ") } else { format!("{}, and {more} more", some.join(", ")) }
}

/// What it means, and what to do next: it is the client that joins, as a rule.
fn cause(advertised: &[Advertisement], server_has_flag_c: bool) -> (&'static str, &'static str) {
    let by_server: Vec<&Advertisement> =
        advertised.iter().filter(|one| one.by == Role::Server && one.removed.is_none()).collect();
    if by_server.is_empty() && server_has_flag_c {
        return (
            "the client had no address to join: the server forbids joins to its own, and advertised no other",
            "add an endpoint with the flag `signal` at the server, or set `net.mptcp.allow_join_initial_addr_port` to 1 there",
        );
    }
    if by_server.is_empty() {
        return (
            "the client's path manager has no second address to join from, or its subflow limit is 0; or the joins \
             went over an interface that was not captured",
            "look at `ip mptcp endpoint` (flag `subflow`) and `ip mptcp limits` at the client, and capture on all interfaces",
        );
    }
    if by_server.iter().all(|one| one.verdict == HmacVerdict::Invalid) {
        return (
            "the client must ignore an advertised address whose HMAC is wrong, and has no second address to join from",
            "see the finding about that HMAC, and `ip mptcp endpoint` at the client",
        );
    }
    (
        "the client did not use the advertised address: its limits `subflows` and `add_addr_accepted` allow none, it \
         has no route there, or ADD_ADDR did not reach it. Or the joins went over an interface that was not captured",
        "look at `ip mptcp limits` and `ip mptcp endpoint` at the client, and capture on all interfaces",
    )
}
