//! Effect of each packet of a connection on the window of one direction.

use super::{Offer, Plainness, WindowLevel, carried};
use crate::analysis::sender_view;
use crate::packets::segment::{Dss, flag};
use crate::tracking::data::{Laden, Sending};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::Travelling;
use crate::tracking::{Capture, Connection, Role, Tracking};
use crate::{Instant, Span};

/// One packet, as one direction sees it.
#[derive(Debug, Clone, Copy)]
pub struct WindowStep {
    /// Wireshark's `frame.number`.
    pub packetid: u64,
    /// When it was recorded.
    pub time: Instant,
    /// Index of its subflow in [`Connection::subflows`].
    pub subflow: usize,
    /// Payload bytes, whichever way it travels.
    pub payload: u32,
    /// It travels in the direction, as data do; otherwise against it, as acknowledgements do.
    pub forward: bool,
    /// One past the highest byte sent so far in the direction, by what the window counts from; `None` before the first.
    pub sent: Option<u64>,
    /// It carries bytes that were not sent before.
    pub is_new: bool,
    /// It carries nothing and lies before what was sent: a question for the window, or whether the other end is there (RFC
    /// 9293 §3.8.4, §3.8.6.1).
    pub asks: bool,
    /// Bytes of some subflow wait for TCP's acknowledgement, though another one may have brought their data: what was given
    /// to that subflow may be stuck behind them.
    pub waits: bool,
    /// Room at the end that the direction leads to.
    pub offer: Option<Offer>,
    /// The direction's sender has no more data from here on.
    pub ends: bool,
}

/// One direction of a connection while its packets go by, in the order of the file.
#[derive(Debug, Clone)]
pub struct WindowCourse {
    towards: Role,
    /// How much later than here its sender hears what its receiver says (see [`crate::analysis::sender_view`]).
    pub delay: Span,
    /// One past the highest byte of data sent.
    data_sent: Option<u64>,
    streams: Vec<StreamSent>,
    /// Number of them that wait for an acknowledgement.
    waiting: usize,
    plainness: Plainness,
    /// Current base of the window, and the index of that subflow.
    level: (WindowLevel, usize),
    /// Data sent with data sequence numbers.
    captured: RangeSet,
    /// The highest DATA_ACK.
    acknowledged: Option<u64>,
}

/// Data sent on one subflow.
#[derive(Debug, Clone, Copy, Default)]
struct StreamSent {
    positions: Positions,
    /// One past the highest byte.
    highest: Option<u64>,
    /// The next byte that the receiver expects.
    acknowledged: Option<u64>,
    reset: bool,
}

impl StreamSent {
    #[inline]
    fn waits(&self) -> bool {
        !self.reset && self.highest > self.acknowledged
    }

    #[inline]
    fn note(&mut self, packet: &Travelling<'_>, forward: bool) {
        let segment = packet.segment;
        self.reset |= packet.ends_with(flag::RST);
        if !forward && segment.has(flag::ACK) && !self.reset {
            self.acknowledged = self.acknowledged.max(self.positions.nearest(segment.acknowledgement));
        }
    }
}

impl WindowCourse {
    /// The data towards `towards`, before the first packet.
    #[must_use]
    pub fn new(capture: &Capture, connection: &Connection, towards: Role) -> Self {
        WindowCourse {
            towards,
            delay: sender_view::delay(capture, connection, towards),
            data_sent: None,
            streams: vec![StreamSent::default(); connection.subflows.len()],
            waiting: 0,
            plainness: Plainness::default(),
            level: (WindowLevel::Data, 0),
            captured: RangeSet::default(),
            acknowledged: None,
        }
    }

    /// Whether what was acknowledged was captured, but for a hundredth at most. Where it was not, as on one of several
    /// interfaces, what the sender did meanwhile is not known.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        let (Some((first, _)), Some(acknowledged)) = (self.captured.span(), self.acknowledged) else { return true };
        // One byte more is the DATA_FIN's.
        let acknowledged = acknowledged.saturating_sub(first).saturating_sub(1);
        self.captured.total() >= acknowledged.saturating_sub(acknowledged / 100)
    }

    /// Whether all that counts was captured ([`WindowCourse::is_whole`]), data among it: mappings may be cut by a snap length that
    /// leaves DATA_ACKs.
    #[must_use]
    pub fn is_measured(&self) -> bool {
        self.is_whole() && (self.level.0 != WindowLevel::Data || self.captured.span().is_some())
    }

    /// Takes in the next packet; what it means for the direction.
    pub fn push(&mut self, tracking: &Tracking, laden: &Laden<'_, '_>) -> WindowStep {
        let packet = laden.packet;
        let segment = packet.segment;
        let forward = packet.towards == self.towards;
        let (mut is_new, mut asks, mut offer, mut ends) = (false, false, None, false);
        let waited = self.streams.get(packet.subflow).is_some_and(StreamSent::waits);
        if forward {
            asks = self.asks(packet);
            is_new = self.sends(laden);
            ends = segment.dss().is_some_and(|dss| dss.has(Dss::DATA_FIN))
                || (packet.ends_with(flag::FIN) && self.level.0 == WindowLevel::Stream(packet.stream));
        } else {
            offer = self.offer(tracking, laden);
        }
        if let Some(stream) = self.streams.get_mut(packet.subflow) {
            stream.note(packet, forward);
            let waits = stream.waits();
            self.waiting = self.waiting.saturating_add(usize::from(waits)).saturating_sub(usize::from(waited));
        }
        let (level, index) = self.level;
        let sent = match level {
            WindowLevel::Data => self.data_sent,
            WindowLevel::Stream(_) => self.streams.get(index).and_then(|stream| stream.highest),
        };
        let (packetid, time, subflow) = (segment.packetid(), segment.abstime, packet.subflow);
        let waits = self.waiting > 0;
        WindowStep { packetid, time, subflow, waits, payload: packet.data, forward, sent, is_new, asks, offer, ends }
    }

    #[inline]
    fn asks(&self, packet: &Travelling<'_>) -> bool {
        let Some(stream) = self.streams.get(packet.subflow) else { return false };
        let bare =
            packet.segment.payload() == Some(0) && packet.segment.flags() & (flag::SYN | flag::FIN | flag::RST) == 0;
        let position = stream.positions.nearest(packet.segment.sequence);
        bare && position.zip(stream.highest).is_some_and(|(position, highest)| position < highest)
    }

    /// Notes what a packet sends; true when some of it is new.
    fn sends(&mut self, laden: &Laden<'_, '_>) -> bool {
        let packet = laden.packet;
        let (mut new_data, mut new_bytes) = (false, false);
        for range in laden.sent.iter().filter(|range| range.numbered) {
            new_data |= range.sending == Sending::First;
            self.data_sent = self.data_sent.max(Some(range.end));
            self.captured.insert(range.start, range.end);
        }
        let length = u64::from(packet.data);
        if let Some(stream) = self.streams.get_mut(packet.subflow).filter(|_| !packet.segment.has(flag::RST)) {
            let start = stream.positions.position(packet.segment.sequence);
            let end = start.saturating_add(u64::from(packet.segment.has(flag::SYN))).saturating_add(length);
            new_bytes = length > 0 && stream.highest.is_none_or(|highest| end > highest);
            if length > 0 {
                stream.highest = stream.highest.max(Some(end));
            }
        }
        if self.level.0 == WindowLevel::Data { new_data } else { new_bytes }
    }

    fn offer(&mut self, tracking: &Tracking, laden: &Laden<'_, '_>) -> Option<Offer> {
        let packet = laden.packet;
        let acknowledged = laden.acknowledged.map(|one| one.next);
        self.acknowledged = self.acknowledged.max(acknowledged);
        let scaled = tracking.packets.get(packet.row).and_then(|packet| packet.window());
        let window = carried(packet.segment, scaled)?;
        let plain = self.plainness.push(packet.segment);
        let next = match acknowledged {
            Some(next) => {
                self.level = (WindowLevel::Data, 0);
                next
            }
            None if plain => {
                let next = self.streams.get(packet.subflow)?.positions.nearest(packet.segment.acknowledgement)?;
                self.level = (WindowLevel::Stream(packet.stream), packet.subflow);
                next
            }
            None => return None,
        };
        Some(Offer { level: self.level.0, next, window, stream: packet.stream })
    }
}
