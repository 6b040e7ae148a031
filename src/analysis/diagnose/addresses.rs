//! Outcome of advertised and withdrawn addresses.

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::addresses::Advertisement;
use mptcp_trace::analysis::removals::Removal;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::authentication::HmacVerdict;
use mptcp_trace::units::counted;
use mptcp_trace::{Instant, PacketRow};

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let fins = subject.closing.data_fins;
    let ending = [fins.server, fins.client].into_iter().flatten().min();
    for advertisement in interruptible(&subject.advertisements) {
        findings.extend(of_one(subject, advertisement, ending));
    }
    findings.extend(subject.removals.iter().map(|removal| removed(subject, removal)));
    findings
}

/// `ending` is the row of the first DATA_FIN.
fn of_one(subject: &Subject<'_>, advertisement: &Advertisement, ending: Option<PacketRow>) -> Vec<Finding> {
    let ids: Vec<u64> = advertisement.rows.iter().map(|row| subject.id(*row)).collect();
    let option = &advertisement.option;
    let address = option.address.map_or_else(|| "an address".to_string(), |address| address.to_string());
    let what = format!("address id {} ({address}), advertised by the {}", option.address_id, advertisement.by.name());
    let stream = advertisement.tcpstream;
    let make = |finding: Finding| finding.of(subject.connection).on(stream).shown_by(ids.clone());
    let mut findings = Vec::new();
    if let Some(part) = advertisement.wrong_part {
        findings.push(make(Finding::problem(
            FindingKind::AddressHmacWrongHalf,
            format!("{what}: the HMAC is {}, but must be its rightmost 64 bits (RFC 8684 3.4.1)", part.name()),
            "the sender knows the keys but takes the wrong part: an error in its stack, not a forgery; the receiver \
             must ignore the address",
            "update the stack of that end, or report the error to its developers",
        )));
    } else if advertisement.verdict == HmacVerdict::Invalid {
        let meaning = "the option was altered on the path, or it is forged; the receiver must ignore it";
        findings.push(make(Finding::problem(
            FindingKind::AddressHmacInvalid,
            format!("{what}: the HMAC is wrong"),
            meaning,
            "compare the option in a capture at the other end: if it differs there, a middlebox altered it",
        )));
    }
    // What the receiver must ignore is neither echoed nor joined.
    if advertisement.verdict == HmacVerdict::Invalid {
        return findings;
    }
    // A host that is about to close does not echo any more.
    let last = advertisement.rows.last().copied().unwrap_or_default();
    let ending = ending.is_some_and(|row| row < last);
    if advertisement.echo.is_none() && subject.connection.version == Some(1) && !ending {
        let detail = format!("{what}, was sent {} and never echoed", counted(ids.len(), "time"));
        let meaning = "the advertisement did not arrive, it was rejected (HMAC), or the echo was lost";
        findings.push(make(Finding::problem(
            FindingKind::AddressNotEchoed,
            detail,
            meaning,
            "look for the ADD_ADDR in a capture at the other end",
        )));
    } else if !advertisement.joined
        && !advertisement.joined_from
        && advertisement.removed.is_none()
        && !advertisement.reuses
        && !ending
    {
        let meaning = "the peer's path manager did not use it: limits, no route, or joins not configured";
        findings.push(make(Finding::notice(
            FindingKind::AddressNotJoined,
            format!("no join to {what}"),
            meaning,
            "look at `ip mptcp limits` and the endpoints' `subflow` flag on the peer",
        )));
    }
    findings
}

fn removed(subject: &Subject<'_>, removal: &Removal) -> Finding {
    let ids: Vec<String> = removal.ids.iter().map(u8::to_string).collect();
    let time = subject.capture.segments.get(removal.row.index()).map_or(Instant::EPOCH, |segment| segment.abstime);
    let mut detail =
        format!("the {} withdrew address id {} at {}", removal.by.name(), ids.join(", "), subject.time(time));
    if !removal.resets.is_empty() {
        let streams: Vec<String> = removal.resets.iter().map(|(stream, _)| stream.to_string()).collect();
        detail.push_str(&format!("; the RST that closes tcp {} is part of it", streams.join(", ")));
    }
    let resets = removal.resets.iter().map(|(_, row)| subject.id(*row));
    Finding::notice(
        FindingKind::AddressRemoved,
        detail,
        "subflows from or to that address are closed; data in flight on them is sent again elsewhere",
        "look at `ip mptcp monitor` on that host: an interface went down, or a path manager removed the address",
    )
    .of(subject.connection)
    .on(removal.tcpstream)
    .shown_by([subject.id(removal.row)].into_iter().chain(resets))
}
