//! Round trips of one TCP stream: from acknowledgements, by Karn's rule, and from timestamps (RFC 7323).

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::RttSample;
use crate::Instant;
use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::rising::Rising;
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::StreamPacket;
use crate::tracking::{ByRole, Nature};

/// The samples of one direction.
#[derive(Debug, Clone, Default)]
pub struct Measured {
    /// Of its SYN.
    pub handshake: Vec<RttSample>,
    /// Of the newest byte that an ACK acknowledges.
    pub acknowledgements: Vec<RttSample>,
    /// Of the first packet with a timestamp.
    pub timestamps: Vec<RttSample>,
}

/// Both directions of a stream while its packets come in the order of time.
#[derive(Default)]
pub struct Course {
    directions: ByRole<Direction>,
    latest: Option<Instant>,
    /// A packet stood behind one recorded later.
    misplaced: bool,
}

impl Course {
    /// Takes in the next packet.
    pub fn push(&mut self, packet: &StreamPacket<'_>) {
        let time = Some(packet.segment.abstime);
        self.misplaced |= time < self.latest;
        self.latest = time;
        // What a packet acknowledges was sent before what it carries.
        self.directions.get_mut(packet.towards.other()).acknowledge(packet);
        if packet.nature != Nature::Duplicate {
            self.directions.get_mut(packet.towards).send(packet);
        }
    }

    /// What was measured; `None` where the packets did not come in the order of time.
    pub fn finish(self) -> Option<ByRole<Measured>> {
        let ByRole { server, client } = self.directions;
        (!self.misplaced).then_some(ByRole { server: server.measured, client: client.measured })
    }
}

/// Measures both directions of a stream, whose packets come in the order of time.
pub fn measure<'a>(packets: impl IntoIterator<Item = StreamPacket<'a>>) -> ByRole<Measured> {
    let mut course = Course::default();
    for packet in interruptible(packets) {
        course.push(&packet);
    }
    let ByRole { server, client } = course.directions;
    ByRole { server: server.measured, client: client.measured }
}

/// Bytes under way that one packet was the first to send.
struct Sent {
    end: u64,
    time: Instant,
    syn: bool,
}

/// One direction under way.
#[derive(Default)]
struct Direction {
    positions: Positions,
    /// Everything before this position is acknowledged.
    acknowledged: Option<u64>,
    under_way: Rising<Sent>,
    /// All that was sent.
    sent: RangeSet,
    /// What was sent again: an acknowledgement may be of either copy.
    again: RangeSet,
    /// What SACK blocks said had arrived: its later acknowledgement waited for something else.
    selectively: RangeSet,
    timestamps: Timestamps,
    measured: Measured,
}

impl Direction {
    fn send(&mut self, packet: &StreamPacket<'_>) {
        let segment = packet.segment;
        if segment.has(flag::RST) || packet.nature.is_stray() {
            return;
        }
        let syn = segment.has(flag::SYN);
        let bytes = u64::from(packet.data) + u64::from(syn) + u64::from(segment.has(flag::FIN));
        let start = self.positions.position(segment.sequence);
        if bytes == 0 {
            return;
        }
        if let Some((value, _)) = segment.timestamps() {
            self.timestamps.send(value, segment.abstime, start);
        }
        let end = start.saturating_add(bytes);
        let start = start.max(self.acknowledged.unwrap_or(0));
        let mut next = start;
        for (first, last) in interruptible(self.sent.gaps(start, end)) {
            self.again.insert(next, first);
            next = last;
            self.under_way.insert(first, Sent { end: last, time: segment.abstime, syn });
        }
        self.again.insert(next, end);
        self.sent.insert(start, end);
    }

    fn acknowledge(&mut self, packet: &StreamPacket<'_>) {
        let segment = packet.segment;
        if !segment.has(flag::ACK) || segment.has(flag::RST) {
            return;
        }
        let Some(position) = self.positions.nearest(segment.acknowledgement) else { return };
        for (left, right) in segment.sack() {
            if let (Some(left), Some(right)) = (self.positions.nearest(*left), self.positions.nearest(*right)) {
                self.selectively.insert(left, right);
            }
        }
        if self.acknowledged.is_some_and(|acknowledged| position <= acknowledged) {
            return;
        }
        self.acknowledged = Some(position);
        let sample = |time: Instant| {
            let span = segment.abstime - time;
            RttSample { row: packet.row, time: segment.abstime, span, dsn: None }
        };
        if let Some((_, echo)) = segment.timestamps()
            && let Some(time) = self.timestamps.echoed(echo, position)
        {
            self.measured.timestamps.push(sample(time));
        }
        let Some((newest, again)) = self.remove_before(position) else { return };
        let arrived_earlier = position.checked_sub(1).is_some_and(|byte| self.selectively.contains(byte));
        if again || arrived_earlier {
            return;
        }
        let samples = if newest.syn { &mut self.measured.handshake } else { &mut self.measured.acknowledgements };
        samples.push(sample(newest.time));
    }

    /// Drops what lies before `position`. Returns the packet that was the first to send the byte before it, and
    /// whether any byte that was dropped was sent again; `None` when that byte was not captured, or when a byte before
    /// it came later: the acknowledgement then answers that one (reordering, or a loss before the place of capture,
    /// which SACK does not always tell, for DSS leaves it little room).
    fn remove_before(&mut self, position: u64) -> Option<(Sent, bool)> {
        let mut again = false;
        let mut newest = None;
        let mut latest = Instant::MIN;
        while let Some((start, sent)) = self.under_way.pop_first_if(|start, _| start < position) {
            again |= self.again.reaches_into(start, sent.end);
            latest = latest.max(sent.time);
            if sent.end > position {
                // Part of a large packet, as one that the sender's network card will cut.
                let rest = Sent { end: sent.end, time: sent.time, syn: false };
                self.under_way.insert(position, rest);
            }
            newest = Some(sent);
        }
        newest.filter(|sent| sent.end >= position && sent.time == latest).map(|sent| (sent, again))
    }
}

/// Timestamps under way, oldest first. A clock that ticks slowly gives many packets the same value: the first counts.
#[derive(Default)]
struct Timestamps {
    order: VecDeque<u32>,
    first: HashMap<u32, (Instant, u64), RandomState>,
}

impl Timestamps {
    /// Takes in the value of a packet that occupies sequence numbers from `start`.
    fn send(&mut self, value: u32, time: Instant, start: u64) {
        if self.order.back() == Some(&value) {
            return;
        }
        if let std::collections::hash_map::Entry::Vacant(vacant) = self.first.entry(value) {
            vacant.insert((time, start));
            self.order.push_back(value);
        }
    }

    /// The time of the packet that an echo answers, when it acknowledges it. Each value is answered once, and older
    /// ones no more: the receiver's echo only moves on.
    fn echoed(&mut self, echo: u32, position: u64) -> Option<Instant> {
        let (time, start) = *self.first.get(&echo)?;
        if start >= position {
            return None;
        }
        while let Some(value) = self.order.pop_front() {
            self.first.remove(&value);
            if value == echo {
                break;
            }
        }
        Some(time)
    }
}

#[cfg(test)]
mod tests;
