//! Packets that bring nothing new to their stream: neither sequence numbers nor acknowledgements beyond those that
//! their sender sent before. Every copy of a packet is among them, so are retransmissions and duplicate ACKs.

use super::copies::Identity;
use super::packet_in_stream::PacketInStream;
use super::seen::Seen;
use crate::packets::segment::{Segment, flag};
use crate::{IdVec, PacketRow, StreamId};

/// The packets that bring nothing new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
    /// How many there are of each stream; nothing for streams behind the last that has some.
    pub by_stream: IdVec<StreamId, u32>,
    /// Rows of those that may be like an earlier packet in everything, in order: few others are among them.
    pub alike: Vec<PacketRow>,
    /// How many packets of each stream may be like an earlier one, of this stream or another between the same ends.
    pub alike_by_stream: IdVec<StreamId, u32>,
}

/// Progress of one direction.
#[derive(Debug, Clone, Copy)]
struct Reached {
    sequence: u32,
    acknowledgement: u32,
}

/// Finds them while packets come in.
#[derive(Debug, Default)]
pub struct RepeatsFinder {
    reached: IdVec<StreamId, [Option<Reached>; 2]>,
    seen: Seen,
    found: Repeats,
}

impl RepeatsFinder {
    /// Takes in the packet in row `row`, with its IPv4 identification.
    #[inline]
    pub fn push(&mut self, row: PacketRow, segment: &Segment, ip_id: Option<u16>, packet: &PacketInStream) {
        let alike = self.seen.note(Identity::bits(segment, ip_id));
        if alike {
            count(&mut self.found.alike_by_stream, packet.stream);
        }
        if !self.brings_something(segment, packet) {
            count(&mut self.found.by_stream, packet.stream);
            if alike {
                self.found.alike.push(row);
            }
        }
    }

    #[inline]
    fn brings_something(&mut self, segment: &Segment, packet: &PacketInStream) -> bool {
        if self.reached.len() <= packet.stream.index() {
            self.reached.resize_with(packet.stream.index().saturating_add(1), || [None; 2]);
        }
        let direction = self.reached.get_mut(packet.stream);
        let Some(direction) = direction.and_then(|ends| ends.get_mut(usize::from(packet.by_first_sender))) else {
            return true;
        };
        let counted = u32::from(segment.has(flag::SYN)) + u32::from(segment.has(flag::FIN));
        let sequence = packet.sequence.wrapping_add(segment.payload().unwrap_or(0)).wrapping_add(counted);
        let acknowledgement = packet.acknowledgement();
        let Some(known) = direction else {
            *direction = Some(Reached { sequence, acknowledgement: acknowledgement.unwrap_or(0) });
            return true;
        };
        let sends = beyond(sequence, known.sequence);
        if sends {
            known.sequence = sequence;
        }
        let further = acknowledgement.filter(|number| beyond(*number, known.acknowledgement));
        known.acknowledgement = further.unwrap_or(known.acknowledgement);
        sends || further.is_some()
    }

    /// Those found.
    #[must_use]
    pub fn finish(self) -> Repeats {
        self.found
    }
}

#[cold]
fn count(counts: &mut IdVec<StreamId, u32>, stream: StreamId) {
    if counts.len() <= stream.index() {
        counts.resize_with(stream.index().saturating_add(1), u32::default);
    }
    if let Some(count) = counts.get_mut(stream) {
        *count = count.saturating_add(1);
    }
}

/// Whether a number that wraps is beyond another.
fn beyond(number: u32, other: u32) -> bool {
    (1..=u32::MAX / 2).contains(&number.wrapping_sub(other))
}
