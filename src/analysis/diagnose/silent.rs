//! Did a subflow fall silent while the others went on? What the sender's capture shows as a standstill, the
//! receiver's shows so.

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::availability::{Availability, availability};
use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::flag;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::counted;
use mptcp_trace::{Instant, Span};

/// A shorter silence may be the scheduler's choice.
const SILENCE: Span = Span::from_seconds(1);
/// Bytes that a subflow must have carried before, and the others meanwhile, to speak of silence.
const CARRIED: u64 = 100_000;

/// One direction of one subflow.
#[derive(Clone, Default)]
struct Flow {
    carried: u64,
    last: Option<(Instant, u64)>,
    /// Data of all subflows when this one was last heard.
    others_at_last: u64,
    closed: bool,
}

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    let available = availability(subject.capture, subject.connection, &subject.packets);
    Role::BOTH.iter().flat_map(|towards| of_direction(subject, *towards, &available)).collect()
}

fn of_direction(subject: &Subject<'_>, towards: Role, available: &[Availability]) -> Vec<Finding> {
    let mut flows = vec![Flow::default(); subject.connection.subflows.len()];
    let mut total = 0_u64;
    let mut findings = Vec::new();
    let mut now = Instant::EPOCH;
    for packet in interruptible(&subject.packets) {
        now = packet.segment.abstime;
        let (Some(flow), Some(own)) = (flows.get_mut(packet.subflow), available.get(packet.subflow)) else { continue };
        let ends = packet.ends_with(flag::FIN) || packet.ends_with(flag::RST);
        if packet.towards == towards {
            let length = u64::from(packet.data);
            findings.extend(silence(subject, towards, own, flow, (now, total), true));
            total += length;
            flow.carried += length;
            flow.last = Some((now, packet.segment.packetid()));
            flow.others_at_last = total;
        }
        flow.closed |= ends;
    }
    for (own, flow) in interruptible(available.iter().zip(&flows)) {
        findings.extend(silence(subject, towards, own, flow, (now, total), false));
    }
    findings
}

fn silence(
    subject: &Subject<'_>,
    towards: Role,
    own: &Availability,
    flow: &Flow,
    (now, total): (Instant, u64),
    ended: bool,
) -> Option<Finding> {
    let (last, packetid) = flow.last?;
    let others = total.saturating_sub(flow.others_at_last);
    if flow.closed || own.is_changed(now) || flow.carried < CARRIED || others < CARRIED || now - last < SILENCE {
        return None;
    }
    // Once the others can carry data again, a backup falls silent.
    if own.is_backup(last) {
        return None;
    }
    let until = if ended { format!("until {}", subject.time(now)) } else { "to the end of the capture".to_string() };
    let detail = format!(
        "towards the {}, the subflow carried nothing from {} {until} ({:.1} s), while the others carried {}",
        towards.name(),
        subject.time(last),
        (now - last).seconds(),
        counted(others, "byte")
    );
    let (meaning, next) = match subject.place(own.tcpstream, towards) {
        Some(SeenFrom::Sender) => (
            "the sender's scheduler preferred the others; less likely, the path was down too briefly to cause \
             retransmissions",
            "compare round trips and losses of the subflows (`rtt`, `tcp_summary`)",
        ),
        _ => (
            "its path was down, or the sender's scheduler stopped using it",
            "capture at the sender and look for retransmissions in that time",
        ),
    };
    Some(
        Finding::notice(FindingKind::SubflowSilent, detail, meaning, next)
            .of(subject.connection)
            .on(own.tcpstream)
            .going(towards)
            .shown_by([packetid]),
    )
}
