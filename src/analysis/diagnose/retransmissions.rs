//! Was much sent again, and where was it lost?

use std::borrow::Cow;

use super::{Finding, FindingKind, Subject};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::analysis::retransmissions::SentAgain;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::{counted, percentage};

/// From this share of the bytes sent on it is worth a line.
const NOTICE: f64 = 0.01;
/// From this share on a subflow does not work well.
const PROBLEM: f64 = 0.05;
/// Packets that make a problem: fewer are chance.
const PACKETS: usize = 3;
/// Of fewer packets with data a share says nothing.
const ENOUGH: u64 = 10;
/// One part in so many of what was sent again is worth words.
const MATERIAL: u64 = 4;

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let subflows = subject.connection.subflows.iter().zip(&subject.passed.sent_again);
    for (index, (stream, sent)) in interruptible(subflows.enumerate()) {
        for towards in Role::BOTH {
            findings.extend(describe(subject, (index, *stream), towards, sent.get(towards)));
        }
    }
    findings
}

fn describe(
    subject: &Subject<'_>,
    (index, stream): (usize, StreamId),
    towards: Role,
    sent: &SentAgain,
) -> Option<Finding> {
    let share = sent.share().filter(|share| *share >= NOTICE && sent.data_packets >= ENOUGH)?;
    // For a subflow that does not tell, the others do.
    let point = subject.point(index).or_else(|| subject.point_of_all());
    let mut detail = format!(
        "towards the {}, {} of {} sent were retransmitted ({})",
        towards.name(),
        sent.bytes(),
        counted(sent.sent(), "byte"),
        percentage(share)
    );
    if sent.into_holes > 0 {
        detail.push_str(&format!("; {} of them lost before the place of capture", sent.into_holes));
    }
    if sent.had_already > 0 {
        detail.push_str(&format!("; the receiver had {} of them already (DSACK)", sent.had_already));
    }
    let (meaning, next) = cause(sent, point.map(|point| point.seen(towards)));
    let make = if share >= PROBLEM && sent.packets.len() >= PACKETS { Finding::problem } else { Finding::notice };
    Some(
        make(FindingKind::Retransmissions, detail, meaning, next)
            .of(subject.connection)
            .on(stream)
            .going(towards)
            .shown_by(sent.packets.iter().copied()),
    )
}

/// Where it was lost, and what to do next.
fn cause(sent: &SentAgain, place: Option<SeenFrom>) -> (Cow<'static, str>, &'static str) {
    if sent.had_already.saturating_mul(2) > sent.bytes() {
        return (
            "mostly unnecessary: the path reorders or delays more than the sender tolerates, or ACKs were lost".into(),
            "look at the spread of round trips (`rtt`), and at `nstat -az TcpExtTCPDSACKRecv` at the sender",
        );
    }
    let path = "look at the queues and error counters of that path (`tc -s qdisc`, `ethtool -S`), and at its rate";
    let before = match place {
        Some(SeenFrom::Receiver) => ("the path lost the packets", path),
        Some(SeenFrom::Between) => ("the packets were lost between the sender and the place of capture", path),
        Some(SeenFrom::Sender) => (
            "the packets were lost at the sender, before the place of capture: in its queue, or by the capture itself",
            "look at `tc -s qdisc` at the sender, and at the drop counters of the capturing program",
        ),
        None => ("the packets were lost before the place of capture", path),
    };
    let behind = match place {
        Some(SeenFrom::Sender) => ("the path or the receiving host lost the packets", path),
        Some(SeenFrom::Between) => ("the packets were lost between the place of capture and the receiver", path),
        Some(SeenFrom::Receiver) => (
            "the first copies had reached the receiver: their ACKs were lost or late, or the host dropped them",
            "look at `nstat -az` at the receiver (TcpExtTCPBacklogDrop, TcpExtTCPRcvQDrop), and capture at the sender",
        ),
        None => (
            "the first copies were captured: they were lost after the place of capture, or their ACKs were lost or \
             late",
            "also capture at the other end, and compare (`loss`)",
        ),
    };
    let (most, rest) = if sent.into_holes > sent.captured_before { (before, behind) } else { (behind, before) };
    let less = sent.into_holes.min(sent.captured_before);
    if less.saturating_mul(MATERIAL) < sent.bytes() {
        return (most.0.into(), most.1);
    }
    (format!("{}; of the rest, {}", most.0, rest.0).into(), most.1)
}
