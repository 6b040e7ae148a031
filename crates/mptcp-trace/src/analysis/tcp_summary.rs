//! How much did one TCP stream carry in each direction?

use serde::Serialize;

use super::volume::{Volume, duration, rate};
use crate::StreamId;
use crate::interrupt::interruptible;
use crate::tracking::{ByRole, Capture, Role, Stream};

/// Both directions of one TCP stream.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpSummary {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// Towards the server, then towards the client.
    pub directions: Vec<TcpDirection>,
}

/// One direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TcpDirection {
    /// Which.
    pub towards: Role,
    /// Packets, with or without payload.
    pub packets: u64,
    /// Sum of payload lengths, bytes.
    pub throughput_bytes: u64,
    /// Size of the union of the sequence ranges sent, bytes.
    pub goodput_bytes: u64,
    /// Bytes sent again under the same sequence numbers.
    pub retransmitted_bytes: u64,
    /// Packets that carried such bytes.
    pub retransmitted_packets: u64,
    /// Keep-alives (RFC 9293 §3.8.4). A byte that they carry counts in the throughput alone.
    pub keepalives: u64,
    /// Zero-window probes (RFC 9293 §3.8.6.1). The byte that one carries counts in the throughput alone, unless the
    /// receiver took it.
    pub window_probes: u64,
    /// Bytes of data in the SYN that the server took (TCP Fast Open, RFC 7413); part of the goodput.
    pub fast_open_bytes: u64,
    /// Bytes in copies that the path made of packets; the sender sent them once.
    pub duplicated_bytes: u64,
    /// Copies that the path made, with or without payload.
    pub duplicated_packets: u64,
    /// Packets among the retransmitted ones that repeat another in everything: neither IPv4 identification nor timestamps
    /// tell whether the sender or the path repeated them.
    pub undecided_packets: u64,
    /// First to last packet of this direction, seconds.
    pub duration: f64,
    /// Goodput over duration, bytes per second; `None` when the duration is zero.
    pub rate: Option<f64>,
}

/// Sums up a stream.
#[must_use]
pub fn tcp_summary(capture: &Capture, stream: &Stream) -> TcpSummary {
    let mut volumes: ByRole<Volume> = ByRole::default();
    for row in interruptible(&stream.packets) {
        let packet = capture.segments.get(row.index()).zip(capture.tracking.packets.get(*row));
        if let Some((segment, packet)) = packet {
            volumes.get_mut(stream.towards(packet)).push(segment, packet);
        }
    }
    tcp_summary_of(stream, &volumes)
}

/// As [`tcp_summary`], of a stream whose packets were taken in by these volumes, by the end of the stream that they travel
/// towards, in the order of the file.
#[must_use]
pub fn tcp_summary_of(stream: &Stream, volumes: &ByRole<Volume>) -> TcpSummary {
    let fast_open = stream.fast_open.and_then(|fast_open| fast_open.accepted).unwrap_or(0).into();
    let directions = Role::BOTH.iter().map(|towards| {
        let volume = volumes.get(*towards);
        let duration = duration(volume.span()).seconds();
        TcpDirection {
            towards: *towards,
            packets: volume.packets,
            throughput_bytes: volume.throughput,
            goodput_bytes: volume.goodput(),
            retransmitted_bytes: volume.retransmitted(),
            retransmitted_packets: volume.retransmitted_packets,
            keepalives: volume.keepalives,
            window_probes: volume.window_probes,
            fast_open_bytes: if *towards == Role::Server { fast_open } else { 0 },
            duplicated_bytes: volume.duplicated,
            duplicated_packets: volume.duplicated_packets,
            undecided_packets: volume.undecided_packets,
            duration,
            rate: rate(volume.goodput(), duration),
        }
    });
    TcpSummary { tcpstream: stream.id, directions: directions.collect() }
}
