//! Bytes of one direction of a subflow: which came below others, which were acknowledged, how many were under way.

use crate::packets::segment::{Segment, flag};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::Travelling;

/// What a packet acknowledges of the other direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Nothing new.
    Nothing,
    /// It acknowledges data for the first time, and with `fin` the FIN, too.
    Data { fin: bool },
    /// It acknowledges nothing but the FIN for the first time.
    Fin,
    /// It is a duplicate acknowledgement (RFC 5681 §2); whether the third of its number.
    Duplicate { third: bool },
}

/// The bytes of one direction under way. Numbers of a FIN and a SYN are not bytes.
#[derive(Debug, Clone, Default)]
pub struct Order {
    positions: Positions,
    seen: RangeSet,
    /// The first byte of data, where the SYN tells it.
    first: Option<u64>,
    /// One past the highest byte seen.
    top: Option<u64>,
    /// One past the number of the FIN.
    fin: Option<u64>,
    /// Everything before is acknowledged.
    acknowledged: Option<u64>,
    /// Bytes of data were acknowledged.
    answered: bool,
    duplicates: u32,
    /// Window field of the latest acknowledgement.
    window: Option<u16>,
    /// Packets with bytes that lie below others seen before, and had not been seen.
    pub out_of_order: u64,
    /// Bytes sent before any was acknowledged.
    initial: u64,
    in_flight: Option<(u64, u64)>,
    samples: u64,
    sum: u64,
}

impl Order {
    /// Takes in a packet of this direction.
    pub fn sends(&mut self, packet: &Travelling<'_>) {
        let segment = packet.segment;
        if segment.has(flag::RST) || packet.nature.is_stray() {
            return;
        }
        let syn = segment.has(flag::SYN);
        let start = self.positions.position(segment.sequence).saturating_add(u64::from(syn));
        if syn {
            self.first.get_or_insert(start);
        }
        let end = start.saturating_add(packet.data.into());
        if segment.has(flag::FIN) {
            self.fin = Some(end.saturating_add(1));
        }
        if start == end {
            return;
        }
        let top = self.top.unwrap_or(start);
        let below = if start < top { self.seen.insert(start, end.min(top)) } else { 0 };
        let above = if end > top { self.seen.insert(start.max(top), end) } else { 0 };
        self.top = Some(top.max(end));
        if packet.elsewhere {
            // It was under way at another place.
            return;
        }
        self.out_of_order = self.out_of_order.saturating_add(u64::from(below > 0));
        if !self.answered {
            self.initial = self.initial.saturating_add(below).saturating_add(above);
        }
        let from = *self.acknowledged.get_or_insert(self.first.unwrap_or(start));
        let in_flight = top.max(end).saturating_sub(from);
        let (least, most) = self.in_flight.unwrap_or((in_flight, in_flight));
        self.in_flight = Some((least.min(in_flight), most.max(in_flight)));
        self.samples = self.samples.saturating_add(1);
        self.sum = self.sum.saturating_add(in_flight);
    }

    /// Takes in a packet of the other direction, which may acknowledge bytes of this one.
    pub fn is_acknowledged(&mut self, packet: &Travelling<'_>) -> Answer {
        let segment = packet.segment;
        if !segment.has(flag::ACK) || segment.has(flag::RST) || packet.nature.is_stray() {
            return Answer::Nothing;
        }
        let Some(position) = self.positions.nearest(segment.acknowledgement) else { return Answer::Nothing };
        let window = self.window.replace(segment.window);
        let Some(before) = self.acknowledged.or(self.first) else {
            self.acknowledged = Some(position);
            return Answer::Nothing;
        };
        if position > before {
            self.acknowledged = Some(position);
            self.duplicates = 0;
            let fin = self.fin == Some(position);
            if fin && position.saturating_sub(before) == 1 {
                return Answer::Fin;
            }
            self.answered = true;
            return Answer::Data { fin };
        }
        self.acknowledged.get_or_insert(before);
        if position < before || window != Some(segment.window) || !self.is_bare(segment) {
            return Answer::Nothing;
        }
        self.duplicates = self.duplicates.saturating_add(1);
        Answer::Duplicate { third: self.duplicates == 3 }
    }

    /// Whether a packet that acknowledges nothing new may be a duplicate acknowledgement, but for its window: bytes are under
    /// way, and it has none. Signals of MPTCP other than DSS rule that out (RFC 8684).
    fn is_bare(&self, segment: &Segment) -> bool {
        let outstanding = self.top.max(self.fin) > self.acknowledged;
        let bare = segment.payload() == Some(0) && segment.flags() & (flag::SYN | flag::FIN) == 0;
        outstanding && bare && segment.control().is_none()
    }

    /// Bytes below the highest one seen or acknowledged that no packet carried.
    pub fn missed(&self) -> u64 {
        let end = match self.acknowledged {
            Some(acknowledged) if self.fin == Some(acknowledged) => Some(acknowledged.saturating_sub(1)),
            other => other,
        };
        let seen = self.seen.span().map(|(start, _)| start);
        let begin = self.first.into_iter().chain(seen).min();
        let (Some(begin), Some(end)) = (begin, self.top.max(end)) else { return 0 };
        end.saturating_sub(begin).saturating_sub(self.seen.total())
    }

    /// Bytes sent before any was acknowledged; `None` where the capture does not have the beginning.
    pub fn initial_window(&self) -> Option<u64> {
        self.first.filter(|_| self.samples > 0).map(|_| self.initial)
    }

    /// Fewest and most bytes under way right behind a packet with data.
    pub fn in_flight(&self) -> Option<(u64, u64)> {
        self.in_flight
    }

    /// Their mean over these packets.
    pub fn mean_in_flight(&self) -> Option<f64> {
        super::super::volume::share(self.sum, self.samples)
    }
}
