//! TCP's own retransmissions: bytes sent again in a stream under the same sequence numbers.

use super::sequence::{Positions, RangeSet};
use super::{Nature, PacketInStream, Tracking};
use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::{IdVec, StreamId};

/// One direction of one stream: what was sent so far.
#[derive(Debug, Clone, Default)]
struct Sent {
    positions: Positions,
    ranges: RangeSet,
}

/// For each packet, whether at least one byte of its payload had been sent before in its stream under the same
/// sequence number; `None` for packets without payload, and where the packet does not tell. Keep-alives, window probes
/// and copies that the path made are not retransmissions.
#[must_use]
pub fn retransmitted(segments: &[Segment], tracking: &Tracking) -> Vec<Option<bool>> {
    let mut sent: IdVec<StreamId, [Sent; 2]> = vec![Default::default(); tracking.streams.len()].into();
    let mut found = Vec::with_capacity(segments.len());
    for (segment, packet) in interruptible(segments.iter().zip(&tracking.packets)) {
        let ends = sent.get_mut(packet.stream);
        let direction = ends.and_then(|ends| ends.get_mut(usize::from(!packet.by_first_sender)));
        found.push(direction.and_then(|direction| direction.push(segment, packet)));
    }
    found
}

impl Sent {
    fn push(&mut self, segment: &Segment, packet: &PacketInStream) -> Option<bool> {
        segment.payload().filter(|length| *length > 0)?;
        let length = u64::from(packet.data(segment)?);
        if length == 0 {
            return Some(false);
        }
        // A SYN counts one byte of sequence space before any data it carries (TCP Fast Open).
        let start = self.positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        let new = self.ranges.insert(start, start.saturating_add(length));
        Some(new < length && packet.nature != Nature::Duplicate)
    }
}
