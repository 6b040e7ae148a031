//! Parts of packets: what one end recorded as one large frame and the other as several (segmentation offload).

use super::Fate;
use super::directions::Packet;
use super::matching::Copies;
use crate::interrupt::interruptible;
use crate::tracking::data::Intervals;
use crate::{Instant, Span};

/// How many sent frames are looked at for one received one: more than ever lie over each other in a real transfer.
const MOST_CANDIDATES: usize = 64;

/// A part of a packet, by its indices among the sent and the received packets of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Index of what was sent.
    pub sent: Option<usize>,
    /// Index of what was received.
    pub received: Option<usize>,
    /// Where the part begins in the payload that was sent, or received where nothing was.
    pub offset: u32,
    /// Its bytes.
    pub length: u32,
    /// Outcome, as far as the packets of this direction show.
    pub fate: Fate,
}

/// The parts that the packets of a direction fall into; what was sent and not received counts as lost here.
pub fn parts(sent: &[Packet], received: &[Packet], copies: &Copies, aligned: i64) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::with_capacity(sent.len());
    for (one, other) in interruptible(&copies.pairs) {
        let length = sent.get(*one).and_then(|packet| packet.length).unwrap_or(0);
        parts.push(Part { sent: Some(*one), received: Some(*other), offset: 0, length, fate: Fate::Received });
    }
    let mut frames = Frames::new(sent, &copies.sent);
    for (index, like) in interruptible(&copies.received) {
        let Some(packet) = received.get(*index) else { continue };
        if !frames.take(packet, *index, aligned, copies.soonest, &mut parts) {
            let fate = if like.is_some() { Fate::Duplicate } else { Fate::NotCapturedAtSender };
            let length = packet.length.unwrap_or(0);
            parts.push(Part { sent: *like, received: Some(*index), offset: 0, length, fate });
        }
    }
    frames.leave_lost(&mut parts);
    parts
}

/// What is to be added to positions at the receiver to make them the sender's: a capture that began late counts its
/// wraps of the sequence number from there.
pub fn alignment(sent: &[Packet], received: &[Packet], pairs: &[(usize, usize)]) -> i64 {
    let pair = pairs.iter().find_map(|(one, other)| Some((sent.get(*one)?, received.get(*other)?)));
    pair.map_or(0, |(one, other)| one.position.wrapping_sub(other.position).cast_signed())
}

/// A sent frame that no received one is whole the same as.
struct Frame {
    index: usize,
    timestamp: Option<u32>,
    time: Instant,
    start: u64,
    end: u64,
    /// Its bytes that were found at the receiver.
    found: Intervals<()>,
}

/// Those with payload, by timestamp and place.
struct Frames {
    frames: Vec<Frame>,
    longest: u64,
    /// Those without payload.
    empty: Vec<usize>,
}

impl Frames {
    fn new(sent: &[Packet], unmatched: &[usize]) -> Self {
        let mut frames = Vec::new();
        let mut empty = Vec::new();
        for index in interruptible(unmatched) {
            let Some(packet) = sent.get(*index) else { continue };
            let Some((start, end)) = packet.bytes() else {
                empty.push(*index);
                continue;
            };
            let timestamp = packet.timestamps.map(|(value, _)| value);
            frames.push(Frame { index: *index, timestamp, time: packet.time, start, end, found: Intervals::default() });
        }
        frames.sort_by_key(|frame| (frame.timestamp, frame.start));
        let longest = frames.iter().map(|frame| frame.end - frame.start).max().unwrap_or(0);
        Frames { frames, longest, empty }
    }

    /// Finds the bytes of a received packet in the frames and adds a part for each run of them; false when none are.
    fn take(
        &mut self,
        packet: &Packet,
        index: usize,
        aligned: i64,
        soonest: Option<Span>,
        parts: &mut Vec<Part>,
    ) -> bool {
        let Some((start, end)) = packet.bytes() else { return false };
        let (start, end) = (start.wrapping_add_signed(aligned), end.wrapping_add_signed(aligned));
        let timestamp = packet.timestamps.map(|(value, _)| value);
        let from = self
            .frames
            .partition_point(|frame| (frame.timestamp, frame.start) < (timestamp, start.saturating_sub(self.longest)));
        let until = self.frames.partition_point(|frame| (frame.timestamp, frame.start) < (timestamp, end));
        let from = from.max(until.saturating_sub(MOST_CANDIDATES));
        let Some(candidates) = self.frames.get_mut(from..until) else { return false };
        let mut missing = vec![(start, end)];
        let mut any = false;
        for frame in interruptible(candidates) {
            let early = soonest.is_none_or(|soonest| packet.time >= frame.time + soonest);
            if !early || frame.end <= start {
                continue;
            }
            let mut still = Vec::new();
            for (from, to) in interruptible(missing) {
                let (low, high) = (from.max(frame.start), to.min(frame.end));
                if low >= high {
                    still.push((from, to));
                    continue;
                }
                let gaps: Vec<(u64, u64)> = frame.found.gaps(low, high).collect();
                frame.found.fill(low, high, |_| ());
                let mut next = from;
                for (first, last) in interruptible(gaps) {
                    if next < first {
                        still.push((next, first));
                    }
                    parts.push(frame.part(first, last, Some(index), Fate::Received));
                    any = true;
                    next = last;
                }
                if next < to {
                    still.push((next, to));
                }
            }
            missing = still;
        }
        any
    }

    /// Text that was not found.
    fn leave_lost(self, parts: &mut Vec<Part>) {
        for frame in interruptible(&self.frames) {
            for (first, last) in interruptible(frame.found.gaps(frame.start, frame.end)) {
                parts.push(frame.part(first, last, None, Fate::Lost));
            }
        }
        let lost = |index| Part { sent: Some(index), received: None, offset: 0, length: 0, fate: Fate::Lost };
        parts.extend(self.empty.into_iter().map(lost));
    }
}

impl Frame {
    fn part(&self, first: u64, last: u64, received: Option<usize>, fate: Fate) -> Part {
        let bytes = |count: u64| u32::try_from(count).unwrap_or(u32::MAX);
        Part { sent: Some(self.index), received, offset: bytes(first - self.start), length: bytes(last - first), fate }
    }
}
