//! Did a subflow fall silent while the others went on? What the sender's capture shows as a standstill, the
//! receiver's shows so.

use super::{Finding, FindingKind, Subject};
use crate::analysis::volume::seconds;
use crate::packets::segment::flag;
use crate::tracking::Role;
use crate::units::counted;

/// A shorter silence may be the scheduler's choice, nanoseconds.
const SILENCE: i64 = 1_000_000_000;
/// Octets that a subflow must have carried before, and the others meanwhile, to speak of silence.
const CARRIED: u64 = 100_000;

/// One direction of one subflow.
#[derive(Clone, Default)]
struct Flow {
    carried: u64,
    last: Option<(i64, u64)>,
    /// What all subflows had carried when this one was last heard.
    others_at_last: u64,
    closed: bool,
}

pub fn find(subject: &Subject<'_>) -> Vec<Finding> {
    Role::BOTH.iter().flat_map(|towards| of_direction(subject, *towards)).collect()
}

fn of_direction(subject: &Subject<'_>, towards: Role) -> Vec<Finding> {
    let mut flows = vec![Flow::default(); subject.connection.subflows.len()];
    let mut total = 0_u64;
    let mut findings = Vec::new();
    let mut now = 0;
    for packet in &subject.packets {
        now = packet.segment.abstime;
        let Some(flow) = flows.get_mut(packet.subflow) else { continue };
        let ends = packet.segment.flags & (flag::FIN | flag::RST) != 0;
        let withdrawn = packet.segment.control.as_ref().is_some_and(|control| control.prio.is_some());
        if packet.towards == towards {
            let length = u64::from(packet.segment.payload.unwrap_or(0));
            findings.extend(silence(subject, towards, packet.stream, flow, (now, total), true));
            total += length;
            flow.carried += length;
            flow.last = Some((now, packet.segment.packetid));
            flow.others_at_last = total;
        }
        flow.closed |= ends || withdrawn;
    }
    for (stream, flow) in subject.connection.subflows.iter().zip(&flows) {
        findings.extend(silence(subject, towards, *stream, flow, (now, total), false));
    }
    findings
}

fn silence(
    subject: &Subject<'_>,
    towards: Role,
    stream: u32,
    flow: &Flow,
    (now, total): (i64, u64),
    ended: bool,
) -> Option<Finding> {
    let (last, packetid) = flow.last?;
    let others = total.saturating_sub(flow.others_at_last);
    if flow.closed || flow.carried < CARRIED || others < CARRIED || now.saturating_sub(last) < SILENCE {
        return None;
    }
    let until = if ended { format!("until {}", subject.time(now)) } else { "to the end of the capture".to_string() };
    let detail = format!(
        "towards the {}, nothing came over the subflow from {} {until} ({:.1} s), while the others carried {}",
        towards.name(),
        subject.time(last),
        seconds(Some((last, now))),
        counted(others, "byte")
    );
    let meaning = "its path was down, or the scheduler left it";
    Some(
        Finding::notice(
            FindingKind::SubflowSilent,
            detail,
            meaning,
            "look at a capture at the sender for retransmissions in that time",
        )
        .of(subject.connection)
        .on(stream)
        .going(towards)
        .shown_by([packetid]),
    )
}
