//! Packets taken in one after the other, while the file is still being read.

use super::connections::ConnectionTracker;
use super::order::OrderWatch;
use super::repeats::{Repeats, RepeatsFinder};
use super::standing::Nature;
use super::streams::StreamTracker;
use super::{PacketInStream, Tracking, stretches, translated};
use crate::interrupt::interruptible;
use crate::packets::SoFar;
use crate::packets::flows::Flows;
use crate::packets::native::Watcher;
use crate::packets::segment::Segment;
use crate::{IdVec, PacketRow};

/// Tracks packets as they come, in one pass.
#[derive(Debug, Default)]
pub struct Tracker {
    streams: StreamTracker,
    connections: ConnectionTracker,
    packets: IdVec<PacketRow, PacketInStream>,
    repeats: RepeatsFinder,
    order: OrderWatch,
}

/// Tracks the packets of a capture while it is dissected.
impl Watcher for Tracker {
    fn packets(&mut self, packets: SoFar<'_>, first: PacketRow) {
        self.take(packets, first);
    }
}

/// What [`Tracker`] found out.
pub(super) struct Tracked {
    /// The meaning of the packets together.
    pub tracking: Tracking,
    /// Those that bring nothing new.
    pub repeats: Repeats,
    /// Whether they came in the order of time.
    pub order: OrderWatch,
}

impl Tracker {
    /// Takes in the packets of a capture from row `first` on.
    pub fn take(&mut self, packets: SoFar<'_>, first: PacketRow) {
        let rows = (first.0..).map(PacketRow);
        for (row, segment) in interruptible(rows.zip(packets.segments.get(first.index()..).unwrap_or(&[]))) {
            self.push(segment, packets.flows, packets.frames.ip_id(row));
        }
    }

    /// Takes in the next packet, which travels in one of `flows`, with its IPv4 identification.
    #[inline]
    pub(super) fn push(&mut self, segment: &Segment, flows: &Flows, ip_id: Option<u16>) {
        let row = self.packets.next_id();
        let packet = self.streams.push(row, segment, flows);
        self.connections.push(row, segment, &packet);
        self.repeats.push(row, segment, ip_id, &packet);
        self.order.push(segment);
        self.packets.push(packet);
    }

    /// Packets so far.
    #[must_use]
    pub fn height(&self) -> usize {
        self.packets.len()
    }

    /// What they mean together; `segments` are all of them.
    #[must_use]
    pub(super) fn finish(mut self, segments: &[Segment]) -> Tracked {
        for row in interruptible(self.streams.take_taken()) {
            if let Some(packet) = self.packets.get_mut(row) {
                packet.nature = Nature::AcceptedProbe;
            }
        }
        let (repeats, packets) = (self.repeats.finish(), self.packets);
        let streams = self.streams.finish();
        let (mut connections, mut subflows) = self.connections.finish(&streams);
        stretches::put_together(segments, &packets, &streams, &mut connections, &mut subflows);
        let again = translated::take_out(segments, &streams, &mut connections, &mut subflows);
        let tracking = Tracking { streams, connections, subflows, packets, again };
        Tracked { tracking, repeats, order: self.order }
    }
}
