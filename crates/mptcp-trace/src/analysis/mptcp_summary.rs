//! How much did a connection carry in each direction, over which subflows, and how much of it more than once?

use serde::Serialize;

use super::capture_point::{CapturePoint, SeenFrom, of_connection};
use super::setup::{Setup, setup};
use super::volume::{duration, rate, share};
use crate::interrupt::interruptible;
use crate::tracking::data::{Direction, RepeatKind, directions};
use crate::tracking::{ByRole, Capture, Connection, Role};
use crate::{ConnectionId, PacketRow, StreamId, parallel};

/// Both directions of one connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MptcpSummary {
    /// Wireshark's `mptcp.stream`.
    pub mptcpstream: ConnectionId,
    /// Duration of the setup.
    pub setup: Setup,
    /// Towards the server, then towards the client.
    pub directions: Vec<MptcpDirection>,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MptcpDirection {
    /// Which.
    pub towards: Role,
    /// Bytes of data, each counted once: what the application wrote. It is the sum of the next three.
    pub goodput_bytes: u64,
    /// Those that a mapping gives a place in the data.
    pub mapped_bytes: u64,
    /// Those that went as plain TCP after a fallback (RFC 8684 §3.7), under an infinite mapping or none.
    pub plain_tcp_bytes: u64,
    /// Those that the SYN carried and the server took (TCP Fast Open). They lie before the first data sequence number (RFC
    /// 8684 §B.2). What the server did not take is sent again, and is among the others.
    pub fast_open_bytes: u64,
    /// Sum of payload lengths over the subflows, bytes.
    pub throughput_bytes: u64,
    /// First to last packet of this direction, seconds.
    pub duration: f64,
    /// Goodput over duration, bytes per second; `None` when the duration is zero.
    pub rate: Option<f64>,
    /// Bytes of data that DATA_ACKs cover, DATA_FIN is none of them; `None` where no DATA_ACK of this direction was captured.
    /// Without the sender's key they count from the lowest DATA_ACK.
    pub acknowledged_bytes: Option<u64>,
    /// Bytes sent again by TCP, under the same subflow sequence numbers.
    pub retransmitted_bytes: u64,
    /// Packets that carried such bytes.
    pub retransmitted_packets: u64,
    /// Bytes in copies that the path made of packets; the sender sent them once.
    pub duplicated_bytes: u64,
    /// Copies that the path made, with or without payload.
    pub duplicated_packets: u64,
    /// Where the capture was taken, as this direction sees it; `None` where the capture does not tell.
    pub seen_from: Option<SeenFrom>,
    /// Bytes of data that another subflow had carried before at the place of capture. At the sender these were
    /// reinjected; at the receiver they are those of the copy that came late, be it the reinjection or the original.
    pub reinjected_bytes: u64,
    /// Packets that carried such bytes.
    pub reinjected_packets: u64,
    /// Bytes of data that had first been sent on the same subflow, under other sequence numbers.
    pub resent_same_subflow_bytes: u64,
    /// Ranges sent again that span more pieces of earlier data than are told apart, which only captures made for it have:
    /// each counts whole as its first piece does, for the subflow that had sent that one.
    pub merged_repeats: u64,
    /// Bytes that no mapping covers although no fallback is shown: their mapping was not captured. They are left out of
    /// the goodput.
    pub unmapped_bytes: u64,
    /// Keep-alives of the subflows (RFC 9293 §3.8.4), packets.
    pub keepalives: u64,
    /// Zero-window probes (RFC 9293 §3.8.6.1), packets: of the subflows, and those that Linux sends for the connection as
    /// one byte of acknowledged data with a mapping of its own. The byte of a probe that was not taken counts in the
    /// throughput alone.
    pub window_probes: u64,
    /// Bytes of data that a DATA_ACK covers and no captured packet carried: goodput and shares are of the others. `None`
    /// where no DATA_ACK of this direction was captured.
    pub unseen_bytes: Option<u64>,
    /// Each subflow's part.
    pub subflows: Vec<SubflowShare>,
    /// Reinjected bytes by pair of subflows.
    pub reinjections: Vec<ReinjectionPair>,
}

/// One subflow's part in one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SubflowShare {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// Name of what it runs over ([`Capture::path_label`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Packets, with or without payload.
    pub packets: u64,
    /// Sum of payload lengths, bytes.
    pub throughput_bytes: u64,
    /// Of the throughput over all subflows; `None` when that is zero.
    pub throughput_contribution: Option<f64>,
    /// Bytes of data that this subflow was the first to carry at the place of capture.
    pub goodput_bytes: u64,
    /// Of the connection's goodput; `None` when that is zero.
    pub goodput_contribution: Option<f64>,
    /// Bytes of its goodput that went as plain TCP after a fallback.
    pub plain_tcp_bytes: u64,
    /// Bytes of its goodput that the SYN carried.
    pub fast_open_bytes: u64,
    /// Bytes sent again by TCP.
    pub retransmitted_bytes: u64,
    /// Bytes in copies that the path made.
    pub duplicated_bytes: u64,
    /// Copies that the path made, with or without payload.
    pub duplicated_packets: u64,
    /// Bytes of data that another subflow had carried before, see [`MptcpDirection::reinjected_bytes`].
    pub reinjected_bytes: u64,
    /// Packets that carried such bytes.
    pub reinjected_packets: u64,
    /// Bytes of data that this subflow had carried first and another one carried again, as often as one did.
    pub reinjected_orig_bytes: u64,
    /// Packets of this subflow that had carried such bytes.
    pub reinjected_orig_packets: u64,
    /// Bytes of data that this subflow had carried before under other sequence numbers.
    pub resent_same_subflow_bytes: u64,
    /// Keep-alives.
    pub keepalives: u64,
    /// Zero-window probes.
    pub window_probes: u64,
}

/// Data that two subflows carried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReinjectionPair {
    /// The subflow that carried the data first at the place of capture.
    pub from: StreamId,
    /// The subflow that carried it again.
    pub to: StreamId,
    /// Bytes.
    pub bytes: u64,
    /// Packets of the second.
    pub packets: u64,
}

/// Sums up a connection.
#[must_use]
pub fn mptcp_summary(capture: &Capture, connection: &Connection) -> MptcpSummary {
    let (found, point) = parallel::both(
        capture.tracking.packets_of(connection),
        || directions(&capture.segments, &capture.tracking, connection),
        || of_connection(capture, connection),
    );
    mptcp_summary_of(capture, connection, &found, point)
}

/// As [`mptcp_summary`], from totals of either direction that are known; `point` is where the connection was recorded.
#[must_use]
pub fn mptcp_summary_of(
    capture: &Capture,
    connection: &Connection,
    found: &ByRole<Direction>,
    point: Option<CapturePoint>,
) -> MptcpSummary {
    let directions = Role::BOTH.into_iter().map(|towards| {
        let seen_from = point.map(|point| point.seen(towards));
        direction((capture, connection), towards, seen_from, found.get(towards))
    });
    MptcpSummary { mptcpstream: connection.id, setup: setup(capture, connection), directions: directions.collect() }
}

fn direction(
    (capture, connection): (&Capture, &Connection),
    towards: Role,
    seen_from: Option<SeenFrom>,
    direction: &Direction,
) -> MptcpDirection {
    let sum = |part: fn(&crate::tracking::data::SubflowVolume) -> u64| direction.subflows.iter().map(part).sum::<u64>();
    let throughput = sum(|volume| volume.throughput);
    let duration = duration(direction.span).seconds();
    let originals = originals(direction);
    let subflows =
        connection.subflows.iter().zip(&direction.subflows).zip(originals).map(|((stream, volume), original)| {
            SubflowShare {
                tcpstream: *stream,
                path: capture.path_label(*stream).map(str::to_string),
                packets: volume.packets,
                throughput_bytes: volume.throughput,
                throughput_contribution: share(volume.throughput, throughput),
                goodput_bytes: volume.first_sent,
                goodput_contribution: share(volume.first_sent, direction.goodput),
                plain_tcp_bytes: volume.plain,
                fast_open_bytes: volume.fast_open,
                retransmitted_bytes: volume.retransmitted,
                duplicated_bytes: volume.duplicated,
                duplicated_packets: volume.duplicated_packets,
                reinjected_bytes: volume.reinjected,
                reinjected_packets: volume.reinjected_packets,
                reinjected_orig_bytes: original.0,
                reinjected_orig_packets: original.1,
                resent_same_subflow_bytes: volume.resent,
                keepalives: volume.keepalives,
                window_probes: volume.window_probes,
            }
        });
    let (plain, fast_open) = (sum(|volume| volume.plain), sum(|volume| volume.fast_open));
    MptcpDirection {
        towards,
        goodput_bytes: direction.goodput,
        mapped_bytes: direction.goodput.saturating_sub(plain).saturating_sub(fast_open),
        plain_tcp_bytes: plain,
        fast_open_bytes: fast_open,
        throughput_bytes: throughput,
        duration,
        rate: rate(direction.goodput, duration),
        acknowledged_bytes: direction.covered.map(|(start, end)| end.saturating_sub(start)),
        retransmitted_bytes: sum(|volume| volume.retransmitted),
        retransmitted_packets: sum(|volume| volume.retransmitted_packets),
        duplicated_bytes: sum(|volume| volume.duplicated),
        duplicated_packets: sum(|volume| volume.duplicated_packets),
        seen_from,
        reinjected_bytes: sum(|volume| volume.reinjected),
        reinjected_packets: sum(|volume| volume.reinjected_packets),
        resent_same_subflow_bytes: sum(|volume| volume.resent),
        merged_repeats: direction.merged_repeats,
        unmapped_bytes: sum(|volume| volume.unmapped),
        keepalives: sum(|volume| volume.keepalives),
        window_probes: sum(|volume| volume.window_probes),
        unseen_bytes: direction.unseen,
        subflows: subflows.collect(),
        reinjections: pairs(connection, direction),
    }
}

/// Bytes that each subflow of one direction had carried first and others carried again, and its packets with them.
fn originals(direction: &Direction) -> Vec<(u64, u64)> {
    let mut found = vec![(0_u64, 0_u64); direction.subflows.len()];
    let mut packets: Vec<(PacketRow, usize)> = Vec::new();
    for repeat in interruptible(direction.repeats.iter().filter(|repeat| repeat.kind == RepeatKind::Reinjection)) {
        if let Some((bytes, _)) = found.get_mut(repeat.original_subflow) {
            *bytes = bytes.saturating_add(repeat.length);
            packets.push((repeat.original_row, repeat.original_subflow));
        }
    }
    packets.sort_unstable();
    packets.dedup();
    for (_, subflow) in packets {
        if let Some((_, packets)) = found.get_mut(subflow) {
            *packets = packets.saturating_add(1);
        }
    }
    found
}

/// Reinjected bytes and packets of one direction by pair of subflows.
pub(super) fn pairs(connection: &Connection, direction: &Direction) -> Vec<ReinjectionPair> {
    let mut pairs = std::collections::BTreeMap::<(StreamId, StreamId), (u64, u64, Option<PacketRow>)>::new();
    for repeat in interruptible(direction.repeats.iter().filter(|repeat| repeat.kind == RepeatKind::Reinjection)) {
        let stream = |index: usize| connection.subflows.get(index).copied().unwrap_or_default();
        let key = (stream(repeat.original_subflow), stream(repeat.subflow));
        let (bytes, packets, latest) = pairs.entry(key).or_default();
        *bytes += repeat.length;
        // One packet may repeat several: it counts once.
        if *latest != Some(repeat.row) {
            *packets += 1;
            *latest = Some(repeat.row);
        }
    }
    let pairs = pairs.into_iter();
    pairs.map(|((from, to), (bytes, packets, _))| ReinjectionPair { from, to, bytes, packets }).collect()
}
