//! Equal findings put together: a flood of one kind of trouble is one finding with a count.

use std::collections::HashMap;

use super::{Finding, FindingKind, Severity};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::counted;

/// Details of a group that are all quoted at most; of more findings the first speaks for the others.
const QUOTED: usize = 3;

/// Common parts of equal findings.
#[derive(PartialEq, Eq, Hash)]
struct Likeness<'a> {
    severity: Severity,
    finding: FindingKind,
    towards: Option<Role>,
    meaning: &'a str,
    next: &'a str,
}

/// Puts findings of one kind together that have the same severity, direction, meaning and advice, whichever connections
/// and TCP streams they are about. Each group stands where its first finding stood; its packets are those of its
/// findings, one finding after the other.
#[must_use]
pub fn grouped(findings: &[Finding]) -> Vec<Finding> {
    let mut places: HashMap<Likeness<'_>, usize> = HashMap::new();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in interruptible(findings) {
        let likeness = Likeness {
            severity: finding.severity,
            finding: finding.finding,
            towards: finding.towards,
            meaning: &finding.meaning,
            next: &finding.next,
        };
        let place = *places.entry(likeness).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(finding),
            None => groups.push(vec![finding]),
        }
    }
    groups.iter().filter_map(|group| together(group)).collect()
}

fn together(group: &[&Finding]) -> Option<Finding> {
    let first = *group.first()?;
    let mut all = first.clone();
    if group.len() == 1 {
        return Some(all);
    }
    all.count = group.iter().map(|finding| finding.count).sum();
    all.packet_count = group.iter().map(|finding| finding.packet_count).sum();
    all.packets.clear();
    all.packets.extend(group.iter().flat_map(|finding| &finding.packets).take(super::finding::EVIDENCE));
    let connections = Distinct::of(group.iter().flat_map(|finding| &finding.mptcpstreams));
    let streams = Distinct::of(group.iter().flat_map(|finding| &finding.tcpstreams));
    all.mptcpstream = connections.only(group.iter().all(|finding| finding.mptcpstream.is_some()));
    all.tcpstream = streams.only(group.iter().all(|finding| finding.tcpstream.is_some()));
    all.detail = detail(group, &all, connections.count, streams.count);
    all.mptcpstreams = connections.first;
    all.tcpstreams = streams.first;
    Some(all)
}

/// What shows a group. Two or three details are quoted with their places; of more the first is.
fn detail(group: &[&Finding], all: &Finding, connections: usize, streams: usize) -> String {
    let first = group.first().map_or("", |finding| finding.detail.as_str());
    let alike = group.iter().all(|finding| finding.detail == first);
    if !alike && group.len() <= QUOTED {
        let one = |finding: &&Finding| match (finding.tcpstream, finding.mptcpstream) {
            (Some(stream), _) if all.tcpstream.is_none() => format!("tcp {stream}: {}", finding.detail),
            (_, Some(connection)) if all.mptcpstream.is_none() => format!("mptcp {connection}: {}", finding.detail),
            _ => finding.detail.clone(),
        };
        return group.iter().map(one).collect::<Vec<String>>().join("; ");
    }
    let mut places = Vec::new();
    if streams > 1 {
        places.push(counted(streams, "TCP stream"));
    }
    if connections > 1 {
        places.push(counted(connections, "connection"));
    }
    let places = if places.is_empty() { String::new() } else { format!(" on {}", places.join(" of ")) };
    let times = format!("{} times{places}", all.count);
    if alike { format!("{times}: {first}") } else { format!("{times}; the first: {first}") }
}

/// Numbers without their repetitions.
struct Distinct<N> {
    count: usize,
    /// The lowest, no more than a finding lists of packets.
    first: Vec<N>,
}

impl<N: Ord + Copy> Distinct<N> {
    fn of<'a>(numbers: impl Iterator<Item = &'a N>) -> Self
    where
        N: 'a,
    {
        let mut first: Vec<N> = numbers.copied().collect();
        first.sort_unstable();
        first.dedup();
        let count = first.len();
        first.truncate(super::finding::EVIDENCE);
        Distinct { count, first }
    }

    /// The number, where it is the only one and `each` finding has it.
    fn only(&self, each: bool) -> Option<N> {
        self.first.first().copied().filter(|_| each && self.count == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mptcp_trace::{ConnectionId, StreamId};

    fn finding(stream: u32, detail: &str, packet: u64) -> Finding {
        let mut finding = Finding::problem(FindingKind::JoinUnanswered, detail, "the path is down", "test the path");
        finding.mptcpstream = Some(ConnectionId(stream / 2));
        finding.mptcpstreams = vec![ConnectionId(stream / 2)];
        finding.on(StreamId(stream)).shown_by([packet])
    }

    #[test]
    fn a_flood_is_one_finding() {
        let flood: Vec<Finding> =
            (0..9_295).map(|n| finding(n, "2 SYNs were not answered", u64::from(n) + 1)).collect();
        let groups = grouped(&flood);
        assert_eq!(groups.len(), 1);
        let group = &groups[0];
        assert_eq!((group.count, group.packet_count), (9_295, 9_295));
        assert_eq!(group.packets, (1..=10).collect::<Vec<u64>>());
        assert_eq!((group.mptcpstream, group.tcpstream), (None, None));
        assert_eq!(group.detail, "9295 times on 9295 TCP streams of 4648 connections: 2 SYNs were not answered");
    }

    #[test]
    fn few_details_are_quoted_and_of_many_the_first() {
        let of =
            |count: u32| grouped(&(0..count).map(|n| finding(n, &format!("{} SYNs", n + 1), 7)).collect::<Vec<_>>());
        assert_eq!(of(1)[0].detail, "1 SYNs");
        assert_eq!((of(1)[0].tcpstream, of(1)[0].count), (Some(StreamId(0)), 1));
        assert_eq!(of(2)[0].detail, "tcp 0: 1 SYNs; tcp 1: 2 SYNs");
        assert_eq!(
            (of(2)[0].mptcpstream, of(2)[0].tcpstreams.as_slice()),
            (Some(ConnectionId(0)), [StreamId(0), StreamId(1)].as_slice())
        );
        assert_eq!(of(4)[0].detail, "4 times on 4 TCP streams of 2 connections; the first: 1 SYNs");
    }

    #[test]
    fn what_differs_in_direction_or_meaning_stays_apart() {
        let mut other = finding(3, "2 SYNs", 9);
        other.towards = Some(Role::Client);
        let mut third = finding(4, "2 SYNs", 9);
        third.meaning = "the path is filtered".into();
        assert_eq!(grouped(&[finding(2, "2 SYNs", 8), other, third, finding(5, "2 SYNs", 10)]).len(), 3);
    }
}
