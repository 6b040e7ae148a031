//! What does the capture lack, so that its numbers must be read with care?

use super::{Finding, FindingKind};
use crate::packets::segment::{Segment, flag};
use crate::tracking::sequence::Positions;
use crate::tracking::{ByRole, Capture, Stream};
use crate::units::counted;

pub fn find(capture: &Capture) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(warnings(capture));
    findings.extend(no_tcp(capture));
    findings.extend(mid_stream(capture));
    findings.extend(options_cut(capture));
    findings.extend(times(capture));
    findings.extend(missing(capture));
    findings
}

fn warnings(capture: &Capture) -> Vec<Finding> {
    let meaning = "what was not read is missing from every number";
    capture
        .dissection
        .facts
        .warnings
        .iter()
        .map(|warning| {
            Finding::notice(
                FindingKind::CaptureWarning,
                warning.clone(),
                meaning,
                "record the capture again if what is missing matters",
            )
        })
        .collect()
}

fn no_tcp(capture: &Capture) -> Option<Finding> {
    let frames = capture.dissection.facts.frames;
    let detail = format!("none of its {} is a TCP packet", counted(frames, "frame"));
    let meaning = "there is nothing to analyse: the capture filter or the interface was another one";
    capture
        .segments
        .is_empty()
        .then(|| Finding::problem(FindingKind::NoTcp, detail, meaning, "check the interface and the capture filter"))
}

fn mid_stream(capture: &Capture) -> Option<Finding> {
    let begun: Vec<&Stream> =
        capture.tracking.streams.iter().filter(|stream| stream.syn.is_none() && stream.syn_ack.is_none()).collect();
    if begun.is_empty() {
        return None;
    }
    let without_keys = capture.tracking.whole_connections().filter(|connection| !connection.roles_known).count();
    let detail = format!(
        "{} of {} began before the capture; MP_CAPABLE is not in it for {}",
        begun.len(),
        counted(capture.tracking.streams.len(), "TCP stream"),
        counted(without_keys, "MPTCP connection")
    );
    let meaning = "without the handshakes, keys, window scales and relative data sequence numbers are not known, and roles \
                   are guessed from ports";
    let first = begun.iter().filter_map(|stream| capture.segments.get(*stream.packets.first()? as usize));
    Some(
        Finding::notice(
            FindingKind::MidStream,
            detail,
            meaning,
            "start the capture before the connection to have its keys",
        )
        .shown_by(first.map(|segment| segment.packetid)),
    )
}

fn options_cut(capture: &Capture) -> Option<Finding> {
    let cut: Vec<&Segment> = capture.segments.iter().filter(|segment| segment.options_cut).collect();
    if cut.is_empty() {
        return None;
    }
    let detail = format!("the TCP options of {} are cut by the snap length", counted(cut.len(), "packet"));
    let meaning = "keys, tokens and mappings in them are not known; record with a snap length of at least 128 bytes";
    Some(
        Finding::problem(
            FindingKind::OptionsCut,
            detail,
            meaning,
            "record with a snap length of at least 128 bytes (`tcpdump -s 128`)",
        )
        .shown_by(cut.iter().map(|segment| segment.packetid)),
    )
}

fn times(capture: &Capture) -> Option<Finding> {
    let mut latest = i64::MIN;
    let mut farthest = 0_i64;
    let mut behind = Vec::new();
    for segment in &capture.segments {
        if segment.abstime < latest {
            farthest = farthest.max(latest.saturating_sub(segment.abstime));
            behind.push(segment.packetid);
        }
        latest = latest.max(segment.abstime);
    }
    if behind.is_empty() {
        return None;
    }
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = farthest as f64 / 1e6;
    let detail =
        format!("time goes back at {} of the file, by up to {milliseconds:.3} ms", counted(behind.len(), "packet"));
    let meaning = "several interfaces were written one after the other; put the file in order with reordercap before \
                   reading delays, reinjections or out-of-order data from it";
    Some(
        Finding::problem(
            FindingKind::TimestampsOutOfOrder,
            detail,
            meaning,
            "put the file in order with `reordercap` for tools that need it",
        )
        .shown_by(behind),
    )
}

/// Data that an end acknowledged and that the capture does not hold.
fn missing(capture: &Capture) -> Option<Finding> {
    let mut shown = Vec::new();
    let mut streams = 0_usize;
    for stream in &capture.tracking.streams {
        let before = shown.len();
        shown.extend(acknowledged_unseen(capture, stream));
        streams += usize::from(shown.len() > before);
    }
    if shown.is_empty() {
        return None;
    }
    let detail = format!(
        "data that the capture does not hold was acknowledged in {} of {}",
        counted(shown.len(), "packet"),
        counted(streams, "TCP stream")
    );
    let meaning = "the capture dropped packets, or does not see all of the path: volumes are too low";
    shown.sort_unstable();
    Some(
        Finding::problem(
            FindingKind::PacketsMissing,
            detail,
            meaning,
            "look at the drop counters of the capturing program, and capture on all interfaces",
        )
        .shown_by(shown),
    )
}

fn acknowledged_unseen(capture: &Capture, stream: &Stream) -> Vec<u64> {
    /// One direction's data: how far it was seen.
    #[derive(Default)]
    struct Seen {
        positions: Positions,
        end: Option<u64>,
    }
    let mut directions: ByRole<Seen> = ByRole::default();
    let mut found = Vec::new();
    for row in &stream.packets {
        let (Some(segment), Some(packet)) =
            (capture.segments.get(*row as usize), capture.tracking.packets.get(*row as usize))
        else {
            continue;
        };
        let towards = stream.towards(packet);
        let own = directions.get_mut(towards);
        let counted = u64::from(segment.has(flag::SYN)) + u64::from(segment.has(flag::FIN));
        let start = own.positions.position(segment.sequence);
        let end = start.saturating_add(u64::from(segment.payload.unwrap_or(0))).saturating_add(counted);
        // A RST may carry any number.
        if !segment.has(flag::RST) {
            own.end = Some(own.end.map_or(end, |known| known.max(end)));
        }
        let opposite = directions.get_mut(towards.other());
        if segment.flags & (flag::ACK | flag::RST | flag::SYN) == flag::ACK
            && let Some(seen) = opposite.end
        {
            let acknowledged = opposite.positions.position(segment.acknowledgement);
            if acknowledged > seen {
                found.push(segment.packetid);
                // Said once for each gap.
                opposite.end = Some(acknowledged);
            }
        }
    }
    found
}
