//! Of which packets does the receiver's capture say nothing, because it was not running when they arrived?

use std::collections::{HashMap, HashSet};

use crate::analysis::merge::{Fate, Merged, Passage};
use crate::interrupt::interruptible;
use crate::tracking::Capture;
use crate::tracking::data::Intervals;
use crate::{PacketRow, StreamId};

use super::DirectionEnds;

/// Packets of one direction of a connection that would have arrived outside of the receiver's capture, or may have
/// ([`Fate::OutsideCapture`]), by their rows at the sender.
pub(super) struct Outside<'a> {
    sender: &'a Capture,
    /// Their bytes, by stream.
    bytes: HashMap<StreamId, Intervals<()>>,
    /// Those of them that were sent before all that the receiver's capture has of their subflow.
    before: HashSet<PacketRow>,
}

impl<'a> Outside<'a> {
    /// Those of one direction.
    pub fn new(merged: &Merged, ends: &DirectionEnds<'a>) -> Self {
        let mut found = Outside { sender: ends.sender.capture, bytes: HashMap::new(), before: HashSet::new() };
        let wanted = |sender, towards| sender == ends.sender_is && towards == ends.towards;
        for flow in interruptible(merged.flows.iter().filter(|flow| wanted(flow.sender, flow.towards()))) {
            let outside = |passage: &&Passage| passage.fate == Fate::OutsideCapture;
            for row in interruptible(flow.passages.iter().filter(outside).filter_map(|passage| passage.sender)) {
                if let Some((stream, start, end)) = found.place(row) {
                    found.bytes.entry(stream).or_default().fill(start, end, |_| ());
                }
            }
            // Passages are in the order in which they were sent.
            let begun = flow.passages.iter().take_while(|passage| passage.fate != Fate::Received);
            found.before.extend(begun.filter(outside).filter_map(|passage| passage.sender));
        }
        found
    }

    /// Whether the capture may lack a packet that brought bytes of the packet in this row: itself, or a retransmission.
    pub fn has(&self, row: PacketRow) -> bool {
        let Some((stream, start, end)) = self.place(row) else { return false };
        self.bytes.get(&stream).is_some_and(|bytes| bytes.overlaps(start, end).next().is_some())
    }

    /// Whether the packet in this row may have arrived before the capture began.
    pub fn may_precede(&self, row: PacketRow) -> bool {
        self.before.contains(&row)
    }

    /// The stream of a packet, and its bytes there.
    fn place(&self, row: PacketRow) -> Option<(StreamId, u64, u64)> {
        let packet = self.sender.tracking.packets.get(row)?;
        let length = self.sender.segments.get(row.index())?.payload()?;
        let start = u64::from(packet.sequence);
        Some((packet.stream, start, start.saturating_add(length.into())))
    }
}
