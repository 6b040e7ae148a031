//! How much room did a receiver offer, and when was it too little for a segment?
//!
//! A connection has one receive window for all its subflows, counted from DATA_ACK (RFC 8684 §3.3.4). After a fallback to
//! plain TCP it counts from the acknowledgement number of the one subflow that is left (RFC 9293 §3.8.6).

mod gate;
mod limited;
mod limits;
mod steps;

pub use gate::Gates;
pub use limited::{WindowLimited, window_limited};
pub use limits::{Closure, Limits, Restraint, limits};
pub use steps::{WindowCourse, WindowStep};

use crate::StreamId;
use crate::packets::segment::{Segment, flag};

/// Payload that counts as a full segment at most, bytes: that of an Ethernet frame. What is longer was put together by
/// offloading or went over a path with larger frames; a segment of this size could be sent all the same.
const FULL_SEGMENT: u32 = 1460;
/// Packets one after the other without any MPTCP option after which a receiver counts as one of plain TCP.
const PLAIN_RUN: u8 = 3;

/// Base of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowLevel {
    /// DATA_ACK: all subflows together.
    Data,
    /// The acknowledgement number of this TCP stream, whose packets have no MPTCP option.
    Stream(StreamId),
}

/// Room at the packet's sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Meaning of the numbers.
    pub level: WindowLevel,
    /// The next byte that the receiver expects.
    pub next: u64,
    /// Bytes from there on that it has room for; `None` where there is room, and how much is not known because the
    /// window's scale was not captured.
    pub window: Option<u64>,
    /// The TCP stream that said so.
    pub stream: StreamId,
}

/// The window that a packet carries, as in [`Offer::window`]. Outer `None` for packets that offer nothing: SYNs, whose
/// windows are about another time, and RSTs.
#[inline]
#[must_use]
fn carried(segment: &Segment, scaled: Option<u32>) -> Option<Option<u64>> {
    let offers = segment.flags() & (flag::SYN | flag::RST | flag::ACK) == flag::ACK;
    offers.then_some(scaled.map(u64::from))
}

/// Tells offers of plain TCP from packets of MPTCP that have no option by chance.
#[derive(Debug, Clone, Copy, Default)]
struct Plainness {
    /// Packets without any MPTCP option, one after the other.
    run: u8,
    /// A DATA_ACK was seen.
    is_mptcp: bool,
}

impl Plainness {
    /// Takes in a packet that carries a window; true when it counts as one of plain TCP.
    #[inline]
    fn push(&mut self, segment: &Segment) -> bool {
        if segment.dss().is_some_and(|dss| dss.data_ack.is_some()) {
            (self.run, self.is_mptcp) = (0, true);
            return false;
        }
        if segment.is_mptcp() || segment.options_cut() {
            return false;
        }
        self.run = self.run.saturating_add(1);
        self.run >= PLAIN_RUN || !self.is_mptcp
    }
}

/// The receive window of one direction, as far as the packets so far tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReceiveWindow {
    level: Option<WindowLevel>,
    /// The next byte that the receiver expects.
    next: u64,
    /// One past the last byte that it has room for; `None` where the scale was not captured.
    edge: Option<u64>,
    /// The TCP stream that said so.
    granted_by: StreamId,
    /// The newest packet took back what had been offered before.
    retracted: bool,
    /// The largest payload sent so far.
    segment: u32,
}

impl ReceiveWindow {
    /// Takes in the payload length of a packet that the other end sends.
    #[inline]
    pub fn sends(&mut self, payload: u32) {
        self.segment = self.segment.max(payload.min(FULL_SEGMENT));
    }

    /// Takes in what a packet offers.
    ///
    /// The furthest edge holds, whichever subflow told it (RFC 8684 §3.3.4). Only where the newest packet says that there
    /// is no room for a segment, earlier offers count no more: nobody should take back what was offered (RFC 9293 §3.8.6),
    /// but a host without memory does. Newest is what acknowledges more, or as much on the same subflow.
    #[inline]
    pub fn offers(&mut self, offer: Offer) {
        let edge = offer.window.map(|window| offer.next.saturating_add(window));
        if self.level != Some(offer.level) {
            *self = ReceiveWindow {
                level: Some(offer.level),
                next: offer.next,
                edge,
                granted_by: offer.stream,
                retracted: false,
                segment: self.segment,
            };
            return;
        }
        let newest = offer.next > self.next || (offer.next == self.next && offer.stream == self.granted_by);
        if newest {
            let too_small = offer.window.is_some_and(|window| window < self.full());
            self.retracted = too_small && further(self.edge, edge);
            self.next = offer.next;
            if too_small {
                (self.edge, self.granted_by) = (edge, offer.stream);
                return;
            }
        } else if offer.next < self.next && self.retracted {
            return;
        }
        if !further(self.edge, edge) {
            (self.edge, self.granted_by) = (edge, offer.stream);
        }
    }

    /// Bytes that the receiver has room for; `None` before the first offer and where that is not known.
    #[inline]
    #[must_use]
    pub fn offered(&self) -> Option<u64> {
        self.edge.map(|edge| edge.saturating_sub(self.next))
    }

    /// Bytes that may be sent beyond `sent`; `None` as above.
    #[inline]
    #[must_use]
    pub fn room(&self, sent: u64) -> Option<u64> {
        self.edge.map(|edge| edge.saturating_sub(sent))
    }

    /// Whether the receiver has no room for a segment of the size sent so far.
    #[inline]
    #[must_use]
    pub fn is_shut(&self) -> bool {
        self.offered().is_some_and(|offered| offered < self.full())
    }

    /// Whether the newest packet took back what had been offered before.
    #[must_use]
    pub fn is_taken_back(&self) -> bool {
        self.retracted
    }

    /// Whether the receiver has acknowledged all up to `sent`.
    #[inline]
    #[must_use]
    pub fn has_all(&self, sent: u64) -> bool {
        self.level.is_some() && self.next >= sent
    }

    /// The next byte that the receiver expects.
    #[inline]
    #[must_use]
    pub fn next(&self) -> u64 {
        self.next
    }

    /// Base of the window; `None` before the first offer.
    #[inline]
    #[must_use]
    pub fn level(&self) -> Option<WindowLevel> {
        self.level
    }

    /// A full segment: the largest payload sent so far, bytes.
    #[inline]
    #[must_use]
    pub fn full(&self) -> u64 {
        u64::from(self.segment.max(1))
    }
}

/// Whether an edge lies beyond another; one that is not known lies beyond all.
#[inline]
fn further(edge: Option<u64>, other: Option<u64>) -> bool {
    match (edge, other) {
        (Some(edge), Some(other)) => edge > other,
        (None, Some(_)) => true,
        (_, None) => false,
    }
}

#[cfg(test)]
mod tests;
