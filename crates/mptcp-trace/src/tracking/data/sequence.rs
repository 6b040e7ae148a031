//! The data sequence space over time: what was sent when, and what was acknowledged.

use super::numbers::Numbers;
use super::sent::Sending;
use super::walk::{Laden, Mappings, Observer};
use crate::packets::segment::{Segment, flag};
use crate::tracking::role::ByRole;
use crate::tracking::{Connection, Nature, Tracking};
use crate::{Instant, PacketRow};

/// A range of data as a packet sent it. Numbers are working ones, see [`Numbers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentRange {
    /// Row of the packet.
    pub row: PacketRow,
    /// When it was recorded.
    pub time: Instant,
    /// Index of its subflow in [`Connection::subflows`].
    pub subflow: usize,
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Whether it had been sent before, and where.
    pub sending: Sending,
    /// Whether it has data sequence numbers. What went as plain TCP after a fallback, or in the SYN, has none: `start` and
    /// `end` are then stand-ins for counting.
    pub numbered: bool,
}

/// A DATA_ACK of the data of a direction; it travels the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Row of the packet.
    pub row: PacketRow,
    /// When it was recorded.
    pub time: Instant,
    /// Index of its subflow.
    pub subflow: usize,
    /// The next byte that the receiver expects; a working number.
    pub next: u64,
    /// Bytes beyond it that the receiver has room for; `None` where the window's scale was not captured.
    pub window: Option<u32>,
}

/// Payload of a packet whose data sequence numbers are unknown: no mapping covers it, and no fallback explains that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unmapped {
    /// When it was recorded.
    pub time: Instant,
    /// Index of its subflow.
    pub subflow: usize,
    /// Bytes; those that were sent before count once more.
    pub bytes: u64,
}

/// One direction.
#[derive(Debug, Clone, Default)]
pub struct DataSequence {
    /// Sent data, in file order.
    pub sent: Vec<SentRange>,
    /// Acknowledged data, in file order.
    pub acknowledged: Vec<Acknowledgement>,
    /// Sent payload that is not among the data, in file order.
    pub unmapped: Vec<Unmapped>,
    /// Meaning of the working numbers.
    pub numbers: Numbers,
}

impl DataSequence {
    /// Data sent with data sequence numbers.
    pub fn numbered(&self) -> impl Iterator<Item = &SentRange> {
        self.sent.iter().filter(|range| range.numbered)
    }

    /// The working number that is shown as 0: the IDSN; without the sender's key the one before the lowest number seen,
    /// of data or of a DATA_ACK.
    #[must_use]
    pub fn origin(&self) -> u64 {
        let acknowledged = self.acknowledged.iter().map(|ack| ack.next);
        let lowest = || self.numbered().map(|range| range.start).chain(acknowledged).min();
        self.numbers.first().or_else(lowest).map_or(0, |first| first.saturating_sub(1))
    }
}

/// The data sequence space of both directions of `connection` over time.
#[must_use]
pub fn data_sequence(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> ByRole<DataSequence> {
    let (mappings, _, course) = Mappings::walked(segments, tracking, connection, SequenceCourse::default);
    course.finish(&mappings)
}

/// The data sequence space of a connection while its packets go by.
#[derive(Debug, Clone, Default)]
pub struct SequenceCourse(ByRole<DataSequence>);

impl SequenceCourse {
    /// After the last packet.
    #[must_use]
    pub fn finish(self, mappings: &Mappings<'_>) -> ByRole<DataSequence> {
        let (numbers, mut found) = (mappings.numbers(), self.0);
        found.server.numbers = numbers.server;
        found.client.numbers = numbers.client;
        found
    }
}

impl Observer for SequenceCourse {
    #[inline]
    fn see(&mut self, laden: &Laden<'_, '_>) {
        let direction = self.0.get_mut(laden.packet.towards);
        direction.sent.extend_from_slice(laden.sent);
        direction.unmapped.extend(unmapped(laden));
        self.0.get_mut(laden.packet.towards.other()).acknowledged.extend(laden.acknowledged);
    }
}

/// The part of a packet's payload that nothing places in the data.
#[inline]
fn unmapped(laden: &Laden<'_, '_>) -> Option<Unmapped> {
    let packet = laden.packet;
    let placed: u64 = laden.sent.iter().map(|range| range.end.saturating_sub(range.start)).sum();
    let bytes = u64::from(packet.data).saturating_sub(placed);
    if bytes == 0 || packet.elsewhere || packet.nature.is_without_data() || packet.nature == Nature::Duplicate {
        return None;
    }
    // What a SYN carries is not meant to have a mapping, and the byte of a window probe is mapped and not data.
    let is_probe = laden.sent.is_empty() && packet.segment.mapping().is_some();
    let (time, subflow) = (packet.segment.abstime, packet.subflow);
    (!is_probe && !packet.segment.has(flag::SYN)).then_some(Unmapped { time, subflow, bytes })
}
