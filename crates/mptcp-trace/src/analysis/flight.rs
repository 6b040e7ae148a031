//! How many bytes were under way at each instant: sent, and not yet acknowledged?

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::tracking::data::{Acknowledgement, DataSequence, Sending, SentRange};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::{StreamPacket, by_time};
use crate::tracking::{ByRole, Nature, Role, Stream, Tracking};
use crate::{Instant, PacketRow};

/// State from an instant until the next one. Positions only compare with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Moment {
    /// Row of the packet that brought it about.
    pub row: PacketRow,
    /// When.
    pub time: Instant,
    /// One past the highest byte sent so far.
    pub sent: u64,
    /// The next byte that the receiver expects, by its cumulative acknowledgements so far.
    pub acknowledged: u64,
    /// Bytes between both that SACK blocks reported (RFC 2018); zero at the data level, which has none.
    pub selectively: u64,
    /// The receive window from `acknowledged` on, bytes; `None` before the first one and where its scale was not
    /// captured.
    pub window: Option<u64>,
    /// Whether the packet of this instant sent bytes again.
    pub again: bool,
}

impl Moment {
    /// Bytes under way: from the lowest one that is not acknowledged to the highest one sent. What SACK reported is
    /// among them.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.sent.saturating_sub(self.acknowledged)
    }

    /// Bytes of which nothing is known but that they were sent: [`Moment::in_flight`] without what SACK reported.
    #[must_use]
    pub fn unaccounted(&self) -> u64 {
        self.in_flight().saturating_sub(self.selectively)
    }
}

/// Data in flight in a TCP stream, by the end of the stream that it travelled towards; one moment a packet that
/// carries payload or acknowledges, in the order of time. SYN and FIN are not bytes of payload and do not count.
#[must_use]
pub fn stream_flight(segments: &[Segment], tracking: &Tracking, stream: &Stream) -> ByRole<Vec<Moment>> {
    let mut moments = ByRole::<Vec<Moment>>::default();
    stream_moments(segments, tracking, stream, |towards, moment| moments.get_mut(towards).push(*moment));
    moments
}

/// The same shown to `visit` one after the other, without a list of them.
pub fn stream_moments(
    segments: &[Segment],
    tracking: &Tracking,
    stream: &Stream,
    mut visit: impl FnMut(Role, &Moment),
) {
    let mut directions = ByRole::<Direction>::default();
    by_time(segments, tracking, stream).for_each(|packet| {
        // What a packet acknowledges was sent before what it carries.
        let sender = packet.towards.other();
        if let Some(moment) = directions.get_mut(sender).acknowledge(&packet, tracking) {
            visit(sender, moment);
        }
        if let Some(moment) = directions.get_mut(packet.towards).send(&packet) {
            visit(packet.towards, moment);
        }
    });
}

/// One direction of a stream under way.
#[derive(Default)]
struct Direction {
    positions: Positions,
    sent: RangeSet,
    selectively: RangeSet,
    /// `None` before anything was sent or acknowledged.
    now: Option<Moment>,
}

impl Direction {
    fn send(&mut self, packet: &StreamPacket<'_>) -> Option<&Moment> {
        let segment = packet.segment;
        if segment.has(flag::RST) || packet.nature.is_stray() {
            return None;
        }
        let position = self.positions.position(segment.sequence);
        let length = u64::from(packet.data);
        if length == 0 {
            return None;
        }
        let start = position.saturating_add(u64::from(segment.has(flag::SYN)));
        let end = start.saturating_add(length);
        let again = self.sent.insert(start, end) < length && packet.nature != Nature::Duplicate;
        // What lies before the first byte seen is not known to be under way.
        let now = self.now.get_or_insert(Moment { sent: start, acknowledged: start, ..Moment::default() });
        let sent = now.sent.max(end);
        *now = Moment { row: packet.row, time: segment.abstime, sent, again, ..*now };
        Some(now)
    }

    fn acknowledge(&mut self, packet: &StreamPacket<'_>, tracking: &Tracking) -> Option<&Moment> {
        let segment = packet.segment;
        if !segment.has(flag::ACK) || segment.has(flag::RST) {
            return None;
        }
        let position = self.positions.nearest(segment.acknowledgement)?;
        let now = self.now.get_or_insert(Moment { sent: position, acknowledged: position, ..Moment::default() });
        // A late acknowledgement is not news, and its window is outdated.
        if position >= now.acknowledged {
            now.acknowledged = position;
            self.selectively.remove_before(position);
            let window = tracking.packets.get(packet.row).and_then(|place| place.window());
            now.window = window.map(u64::from);
        }
        for (left, right) in segment.sack() {
            if let (Some(left), Some(right)) = (self.positions.nearest(*left), self.positions.nearest(*right)) {
                // What was acknowledged already (RFC 2883) or never sent is not under way.
                self.selectively.insert(left.max(now.acknowledged), right.min(now.sent));
            }
        }
        let selectively = self.selectively.total();
        *now = Moment { row: packet.row, time: segment.abstime, selectively, again: false, ..*now };
        Some(now)
    }
}

/// Data in flight at the data level, over all subflows: from the highest DATA_ACK to the highest data sequence
/// number sent. The window is the furthest that any DATA_ACK allowed (RFC 8684 §3.3.4).
#[must_use]
pub fn data_flight(sequence: &DataSequence) -> Vec<Moment> {
    data_moments(sequence).collect()
}

/// The same one after the other, without a list of them.
pub fn data_moments(sequence: &DataSequence) -> impl Iterator<Item = Moment> {
    let sent = sequence.numbered().map(Happening::Sent);
    let mut happenings: Vec<Happening<'_>> =
        sent.chain(sequence.acknowledged.iter().map(Happening::Acknowledged)).collect();
    happenings.sort_by_key(|happening| match happening {
        Happening::Acknowledged(ack) => (ack.time, ack.row),
        Happening::Sent(range) => (range.time, range.row),
    });
    let (mut before, mut edge) = (None::<Moment>, None);
    interruptible(happenings).map(move |happening| {
        let (row, time, start) = match happening {
            Happening::Sent(range) => (range.row, range.time, range.start),
            Happening::Acknowledged(ack) => (ack.row, ack.time, ack.next),
        };
        let last = before.unwrap_or(Moment { sent: start, acknowledged: start, ..Moment::default() });
        let mut now = Moment { row, time, again: false, ..last };
        match happening {
            Happening::Sent(range) => {
                now.sent = now.sent.max(range.end);
                now.again = !matches!(range.sending, Sending::First | Sending::Duplicate);
            }
            Happening::Acknowledged(ack) => {
                now.acknowledged = now.acknowledged.max(ack.next);
                edge = edge.max(ack.window.map(|window| ack.next.saturating_add(window.into())));
            }
        }
        now.window = edge.map(|edge| edge.saturating_sub(now.acknowledged));
        before = Some(now);
        now
    })
}

/// Something that changes what is under way at the data level.
enum Happening<'a> {
    Sent(&'a SentRange),
    Acknowledged(&'a Acknowledgement),
}

#[cfg(test)]
mod tests;
