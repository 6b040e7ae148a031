//! Data of one direction of a stream: the arithmetic that both summaries share.

use crate::packets::segment::{Segment, flag};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::{Nature, PacketInStream};
use crate::{Instant, Span};

/// Bytes and packets of one direction of one TCP stream.
#[derive(Debug, Clone, Default)]
pub struct Volume {
    /// Packets, with or without payload.
    pub packets: u64,
    /// Sum of payload lengths.
    pub throughput: u64,
    /// Packets in which at least one byte had been sent before.
    pub retransmitted_packets: u64,
    /// Keep-alives; see [`Nature::KeepAlive`].
    pub keepalives: u64,
    /// Zero-window probes; see [`Nature::WindowProbe`].
    pub window_probes: u64,
    retransmitted: u64,
    /// Bytes in copies that the path made.
    pub duplicated: u64,
    /// Copies that the path made, with or without payload.
    pub duplicated_packets: u64,
    /// Packets with payload that repeat another in everything, and may be copies or retransmissions.
    pub undecided_packets: u64,
    positions: Positions,
    sent: RangeSet,
    first: Option<Instant>,
    last: Instant,
}

impl Volume {
    /// Takes in a packet of this direction; returns how many of its bytes had been sent before.
    pub fn push(&mut self, segment: &Segment, packet: &PacketInStream) -> u64 {
        self.packets += 1;
        if !packet.elsewhere {
            self.last = self.first.map_or(segment.abstime, |_| self.last.max(segment.abstime));
            self.first = Some(self.first.map_or(segment.abstime, |first| first.min(segment.abstime)));
        }
        let payload = u64::from(segment.payload().unwrap_or(0));
        if packet.nature == Nature::Duplicate {
            self.throughput += payload;
            self.duplicated += payload;
            self.duplicated_packets += 1;
            return 0;
        }
        self.undecided_packets += u64::from(packet.nature == Nature::Alike);
        let length = u64::from(packet.data(segment).unwrap_or(0));
        let new = if length == 0 {
            // Nothing is measured by the numbers of a RST or a packet out of the window, which may be any.
            0
        } else {
            // A SYN counts one byte of sequence space before any data it carries (TCP Fast Open).
            let start = self.positions.position(segment.sequence) + u64::from(segment.has(flag::SYN));
            self.sent.insert(start, start.saturating_add(length))
        };
        self.throughput += u64::from(segment.payload().unwrap_or(0));
        self.retransmitted += length.saturating_sub(new);
        self.retransmitted_packets += u64::from(new < length);
        self.keepalives += u64::from(packet.nature == Nature::KeepAlive);
        self.window_probes += u64::from(matches!(packet.nature, Nature::WindowProbe | Nature::AcceptedProbe));
        length.saturating_sub(new)
    }

    /// Size of the union of the ranges sent.
    #[must_use]
    pub fn goodput(&self) -> u64 {
        self.sent.total()
    }

    /// Bytes sent again under the same sequence numbers.
    #[must_use]
    pub fn retransmitted(&self) -> u64 {
        self.retransmitted
    }

    /// First and last packet; `None` without packets.
    #[must_use]
    pub fn span(&self) -> Option<(Instant, Instant)> {
        self.first.map(|first| (first, self.last))
    }
}

/// Time between the first and the last of two instants.
#[must_use]
pub fn duration(ends: Option<(Instant, Instant)>) -> Span {
    ends.map_or(Span::ZERO, |(first, last)| last - first)
}

/// Bytes per second; `None` when the direction lasted no time.
#[must_use]
pub fn rate(bytes: u64, duration: f64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    (duration > 0.0).then(|| bytes as f64 / duration)
}

/// `part` of `whole`; `None` of nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)]
    (whole > 0).then(|| part as f64 / whole as f64)
}
