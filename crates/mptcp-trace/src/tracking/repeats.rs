//! Packets that bring nothing new to their stream: neither sequence numbers nor acknowledgements beyond those that
//! their sender sent before. Every copy of a packet is among them, so are retransmissions and duplicate ACKs.

use super::Tracking;
use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::{IdVec, PacketRow, StreamId};

/// The packets that bring nothing new.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Their rows, in order.
    pub rows: Vec<PacketRow>,
    /// How many there are of each stream; empty where there are none at all.
    pub by_stream: IdVec<StreamId, u32>,
}

/// Progress of one direction.
#[derive(Debug, Clone, Copy)]
struct Reached {
    sequence: u32,
    acknowledgement: u32,
}

/// Finds them.
#[must_use]
pub fn repeats(segments: &[Segment], tracking: &Tracking) -> Repeats {
    let mut reached: IdVec<StreamId, [Option<Reached>; 2]> = vec![[None; 2]; tracking.streams.len()].into();
    let mut found = Repeats::default();
    for ((row, segment), packet) in interruptible((0..).map(PacketRow).zip(segments).zip(&tracking.packets)) {
        let direction = reached.get_mut(packet.stream);
        let Some(direction) = direction.and_then(|ends| ends.get_mut(usize::from(packet.by_first_sender))) else {
            continue;
        };
        let counted = u32::from(segment.has(flag::SYN)) + u32::from(segment.has(flag::FIN));
        let sequence = packet.sequence.wrapping_add(segment.payload.unwrap_or(0)).wrapping_add(counted);
        let acknowledgement = packet.acknowledgement();
        let Some(known) = direction else {
            *direction = Some(Reached { sequence, acknowledgement: acknowledgement.unwrap_or(0) });
            continue;
        };
        let (sends, acknowledges) =
            (beyond(sequence, known.sequence), acknowledgement.is_some_and(|n| beyond(n, known.acknowledgement)));
        if sends {
            known.sequence = sequence;
        }
        if acknowledges {
            known.acknowledgement = acknowledgement.unwrap_or(known.acknowledgement);
        }
        if !sends && !acknowledges {
            if found.by_stream.is_empty() {
                found.by_stream = vec![0; tracking.streams.len()].into();
            }
            if let Some(count) = found.by_stream.get_mut(packet.stream) {
                *count = count.saturating_add(1);
            }
            found.rows.push(row);
        }
    }
    found
}

/// Whether a number that wraps is beyond another.
fn beyond(number: u32, other: u32) -> bool {
    (1..=u32::MAX / 2).contains(&number.wrapping_sub(other))
}
