//! Gaps of the capture that affect its numbers.

use std::collections::HashSet;

use super::{Finding, FindingKind};
use mptcp_trace::StreamId;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::{Segment, flag};
use mptcp_trace::tracking::Positions;
use mptcp_trace::tracking::copies::{CopiedStream, ToldBy};
use mptcp_trace::tracking::{ByRole, Capture, Stream};
use mptcp_trace::units::counted;

pub fn find(capture: &Capture) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(warnings(capture));
    findings.extend(no_tcp(capture));
    findings.extend(mid_stream(capture));
    findings.extend(options_cut(capture));
    findings.extend(times(capture));
    findings.extend(copies(capture));
    findings.extend(translated(capture));
    findings.extend(missing(capture));
    findings
}

fn warnings(capture: &Capture) -> Vec<Finding> {
    let meaning = "the unread part is missing from every number";
    capture
        .facts
        .warnings
        .iter()
        .map(|warning| {
            Finding::notice(
                FindingKind::CaptureWarning,
                warning.clone(),
                meaning,
                "record the capture again if the missing part matters",
            )
        })
        .collect()
}

fn no_tcp(capture: &Capture) -> Option<Finding> {
    let frames = capture.facts.frames;
    let detail = format!("none of its {} is a TCP packet", counted(frames, "frame"));
    let meaning = "nothing to analyze: wrong capture filter or interface";
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
        "{} of {} began before the capture; MP_CAPABLE was not captured for {}",
        begun.len(),
        counted(capture.tracking.streams.len(), "TCP stream"),
        counted(without_keys, "MPTCP connection")
    );
    let meaning = "without handshakes, keys, window scales and relative data sequence numbers are unknown, and roles \
                   are guessed from ports";
    let first = begun.iter().filter_map(|stream| capture.segments.get(stream.packets.first()?.index()));
    Some(
        Finding::notice(
            FindingKind::MidStream,
            detail,
            meaning,
            "start the capture before the connection to record its keys",
        )
        .shown_by(first.map(|segment| segment.packetid())),
    )
}

fn options_cut(capture: &Capture) -> Option<Finding> {
    let cut: Vec<&Segment> = capture.segments.iter().filter(|segment| segment.options_cut()).collect();
    if cut.is_empty() {
        return None;
    }
    let detail = format!("the snap length cut the TCP options of {}", counted(cut.len(), "packet"));
    let meaning = "their keys, tokens and mappings are unknown";
    Some(
        Finding::problem(
            FindingKind::OptionsCut,
            detail,
            meaning,
            "record with a snap length of at least 128 bytes (`tcpdump -s 128`)",
        )
        .shown_by(cut.iter().map(|segment| segment.packetid())),
    )
}

/// Frames that stand in the file behind one recorded later.
fn times(capture: &Capture) -> Option<Finding> {
    let order = &capture.order;
    if order.misplaced.is_empty() {
        return None;
    }
    #[allow(clippy::cast_precision_loss)]
    let milliseconds = order.farthest.nanoseconds() as f64 / 1e6;
    let detail = format!(
        "time goes back at {} of the file, by up to {milliseconds:.3} ms",
        counted(order.misplaced.len(), "packet")
    );
    let finding = if order.clock_set_back {
        Finding::problem(
            FindingKind::TimestampsOutOfOrder,
            detail,
            "the clock of the capturing host was set back: TCP's numbers continue in file order, which is used; times \
             before and after the step are not comparable",
            "ignore delays and rates across the step, or record again without clock changes",
        )
    } else {
        Finding::notice(
            FindingKind::TimestampsOutOfOrder,
            detail,
            "the capturing program wrote packets of several interfaces or queues slightly out of order, or files were \
             concatenated. Numbers are computed in time order; ids are those of the file",
            "nothing here; for tools that need time order, sort the file with `reordercap`",
        )
    };
    Some(finding.shown_by(order.misplaced.iter().copied()))
}

/// Packets that were recorded in several places.
fn copies(capture: &Capture) -> Option<Finding> {
    let copies = capture.copies.as_ref()?;
    let detail = format!(
        "{} of {} are in the file {} times each ({}); {}",
        counted(copies.packets, "packet"),
        counted(copies.streams.len(), "TCP stream"),
        copies.times,
        copies.difference(),
        match copies.left_out {
            0 => "all copies count".to_string(),
            left_out => format!(
                "each counts once, {} skipped{}",
                counted(left_out, "further recording"),
                match copies.elsewhere {
                    0 => String::new(),
                    elsewhere => format!(
                        "; {} recorded only at the farther place count without a time",
                        counted(elsewhere, "packet")
                    ),
                }
            ),
        }
    );
    let one_host = copies.streams.iter().all(CopiedStream::passed_on);
    let meaning = match (one_host, copies.told_by()) {
        (true, _) if copies.routed => {
            "a router was captured on several interfaces (`-i any`), or a mirror port of it: each packet was recorded \
                                       both on arrival and on departure"
        }
        (true, ToldBy::Interface) => {
            "one host was captured on several interfaces that packets pass in turn: a bridge and its ports, an \
                                      interface and its VLANs, or a container host"
        }
        (true, _) => {
            "one host was captured on several interfaces that packets pass one after the other (`-i any`), or a \
                      mirror port sends what comes in and what goes out"
        }
        (false, _) => "captures of two places on the path, such as both ends, were merged into one file",
    };
    Some(
        Finding::notice(
            FindingKind::PacketsCapturedTwice,
            detail,
            meaning,
            "look at one place with `load_pcap FILE@client` or `FILE@server`, or at both as two captures: `loss mptcp \
             FILE@client N FILE@server`",
        )
        .shown_by(copies.examples.iter().copied()),
    )
}

/// Subflows that were recorded before and behind an address translator.
fn translated(capture: &Capture) -> Option<Finding> {
    const NAMED: usize = 5;
    let again = &capture.tracking.again;
    let stream = |id: StreamId| capture.tracking.stream(id);
    let pairs: Vec<_> = again.iter().filter_map(|again| Some((stream(again.stream)?, stream(again.first)?))).collect();
    let named = pairs.iter().take(NAMED).map(|(again, first)| {
        format!(
            "TCP stream {} ({} -> {}) is stream {} ({} -> {}) again",
            again.id, again.client, again.server, first.id, first.client, first.server
        )
    });
    let mut detail = named.collect::<Vec<_>>().join("; ");
    match pairs.len() {
        0 => return None,
        1..=NAMED => {}
        all => detail = format!("{detail}; and {} more", all - NAMED),
    }
    let first = pairs.iter().flat_map(|(again, first)| [first, again]).filter_map(|stream| {
        let row = *stream.packets.first()?;
        Some(capture.segments.get(row.index())?.packetid())
    });
    Some(
        Finding::notice(
            FindingKind::PacketsCapturedTwice,
            format!("{detail}: timestamps and keys or random numbers are the same"),
            "an address translator was captured on both sides, such as a home router or container host: each subflow \
             counts once, under its first recorded addresses",
            "look at the other side with `load_pcap FILE --interface NAME`, or at both as two captures: `FILE@NAME`",
        )
        .shown_by(first),
    )
}

/// Data that an end acknowledged and that the capture does not hold.
fn missing(capture: &Capture) -> Option<Finding> {
    let shown = acknowledged_unseen(capture);
    if shown.is_empty() {
        return None;
    }
    let streams: HashSet<StreamId> = shown.iter().map(|(stream, _)| *stream).collect();
    let detail = format!(
        "data missing from the capture was acknowledged in {} of {}",
        counted(shown.len(), "packet"),
        counted(streams.len(), "TCP stream")
    );
    let meaning = "the capture dropped packets, or does not cover the whole path: volumes are too low";
    let mut shown: Vec<u64> = shown.into_iter().map(|(_, packetid)| packetid).collect();
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

/// The packets that acknowledge such data first, each with its stream.
fn acknowledged_unseen(capture: &Capture) -> Vec<(StreamId, u64)> {
    /// One direction's data: how far it was seen.
    #[derive(Clone, Default)]
    struct Seen {
        positions: Positions,
        end: Option<u64>,
    }
    // All streams at once: packets are looked at in the order in which they lie in memory.
    let streams = capture.tracking.streams.as_slice();
    let mut directions: Vec<ByRole<Seen>> = vec![ByRole::default(); streams.len()];
    let mut found = Vec::new();
    for (segment, packet) in interruptible(capture.segments.iter().zip(&capture.tracking.packets)) {
        let index = packet.stream.index();
        let (Some(stream), Some(directions)) = (streams.get(index), directions.get_mut(index)) else { continue };
        let towards = stream.towards(packet);
        let own = directions.get_mut(towards);
        let counted = u64::from(segment.has(flag::SYN)) + u64::from(segment.has(flag::FIN));
        let start = own.positions.position(segment.sequence);
        let end = start.saturating_add(u64::from(segment.payload().unwrap_or(0))).saturating_add(counted);
        // A RST may carry any number, and so may what is out of the window.
        if !segment.has(flag::RST) && !packet.nature.is_stray() {
            own.end = Some(own.end.map_or(end, |known| known.max(end)));
        }
        let opposite = directions.get_mut(towards.other());
        if segment.flags() & (flag::ACK | flag::RST | flag::SYN) == flag::ACK
            && let Some(seen) = opposite.end
        {
            let acknowledged = opposite.positions.position(segment.acknowledgement);
            if acknowledged > seen {
                found.push((stream.id, segment.packetid()));
                // Said once for each gap.
                opposite.end = Some(acknowledged);
            }
        }
    }
    found
}
