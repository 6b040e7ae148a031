//! What came of the addresses that were advertised and withdrawn?

use super::{Finding, FindingKind, Subject};
use crate::analysis::addresses::{Advertisement, advertisements};
use crate::analysis::closing::closing;
use crate::tracking::authentication::Verdict;
use crate::units::counted;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for advertisement in advertisements(subject.capture, subject.connection) {
        findings.extend(of_one(subject, &advertisement));
    }
    findings.extend(removals(subject));
    findings
}

fn of_one(subject: &Subject<'_>, advertisement: &Advertisement) -> Vec<Finding> {
    let ids: Vec<u64> = advertisement.rows.iter().map(|row| subject.id(*row)).collect();
    let option = &advertisement.option;
    let address = option.address.map_or_else(|| "an address".to_string(), |address| address.to_string());
    let what = format!("address id {} ({address}), advertised by the {}", option.address_id, advertisement.by.name());
    let stream = advertisement.tcpstream;
    let make = |finding: Finding| finding.of(subject.connection).on(stream).shown_by(ids.clone());
    let mut findings = Vec::new();
    if advertisement.verdict == Verdict::Invalid {
        let meaning = "the receiver must ignore it: something on the path altered the option, or it is forged";
        findings.push(make(Finding::problem(
            FindingKind::AddressHmacInvalid,
            format!("the HMAC of {what} is wrong"),
            meaning,
            "compare the option in a capture at the other end: if it differs there, a middlebox altered it",
        )));
    }
    // Whoever is about to close does not echo any more.
    let last = advertisement.rows.last().copied().unwrap_or(0);
    let fin = closing(subject.capture, subject.connection).data_fins;
    let ending = [fin.server, fin.client].into_iter().flatten().min().is_some_and(|row| row < last);
    if advertisement.echo.is_none() && subject.connection.version == Some(1) && !ending {
        let detail = format!("{what}, was sent {} and never echoed", counted(ids.len(), "time"));
        let meaning = "the advertisement did not arrive, was refused (HMAC), or the echo was lost";
        findings.push(make(Finding::problem(
            FindingKind::AddressNotEchoed,
            detail,
            meaning,
            "look for the ADD_ADDR in a capture at the other end",
        )));
    } else if advertisement.joined.is_empty() && advertisement.removed.is_none() && !ending {
        let meaning = "the peer's path manager did not use it: limits, no route, or joins not wanted";
        findings.push(make(Finding::notice(
            FindingKind::AddressNotJoined,
            format!("nobody joined at {what}"),
            meaning,
            "look at `ip mptcp limits` and the endpoints' `subflow` flag on the peer",
        )));
    }
    findings
}

fn removals(subject: &Subject<'_>) -> Vec<Finding> {
    let removals = subject.packets.iter().filter_map(|packet| {
        let ids = packet.segment.control.as_ref()?.remove_addr.as_ref()?;
        let ids: Vec<String> = ids.iter().map(u8::to_string).collect();
        let by = packet.towards.other().name();
        let detail =
            format!("the {by} withdrew address id {} at {}", ids.join(", "), subject.time(packet.segment.abstime));
        let meaning =
            "its subflows from or to that address are closed; what was in flight on them is sent again elsewhere";
        Some(
            Finding::notice(FindingKind::AddressRemoved, detail, meaning, "look at `ip mptcp monitor` on that host: an interface went down, or a path manager removed the address")
                .of(subject.connection)
                .on(packet.stream)
                .shown_by([packet.segment.packetid]),
        )
    });
    removals.collect()
}
