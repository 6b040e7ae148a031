//! Did something on the way send a RST in the name of an end?

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::reset_ttl::{StrangeReset, strange_resets};

/// One finding for the resets of a stream in the name of one end.
pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let resets = strange_resets(subject.capture, subject.connection);
    let same =
        |one: &StrangeReset, other: &StrangeReset| (one.tcpstream, one.sender) == (other.tcpstream, other.sender);
    let groups = resets.chunk_by(same);
    groups.filter_map(|group| of_one(subject, group)).collect()
}

fn of_one(subject: &Subject<'_>, group: &[StrangeReset]) -> Option<Finding> {
    let first = group.first()?;
    let rows = group.iter().map(|reset| subject.id(reset.row));
    let detail = format!("packet {}: {}", subject.id(first.row), first.detail());
    let meaning = "a device on the path sent it, such as a firewall. Or that host sends RSTs with another time to \
                   live (without a socket, or through a load balancer), or the route had just changed";
    let next = "capture at that end: if the RST is missing there, it was injected on the path";
    let finding = Finding::notice(FindingKind::ResetTtlDiffers, detail, meaning, next);
    Some(finding.of(subject.connection).on(first.tcpstream).going(first.sender.other()).shown_by(rows))
}
