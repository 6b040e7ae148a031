//! Did the connection fall back to TCP?

use super::{Finding, FindingKind, Subject};
use crate::analysis::events::explain;
use crate::analysis::fallback::{fallback, last_options};
use crate::tracking::Role;

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
