//! Facts about one stream, computed before it is compared.

use std::collections::HashMap;

use super::clocks::Clocks;
use super::marks::{has_numbers, hash};
use crate::interrupt::interruptible;
use crate::interrupt::{self, Interrupted};
use crate::packets::segment::{Segment, flag};
use crate::tracking::sequence::Positions;
use crate::tracking::{ByRole, Capture, PacketInStream, Role, Stream};
use crate::{IdVec, PacketRow, StreamId};

/// Initial sequence number of an end: from its SYN, or what the SYN/ACK says of the client's.
pub(super) fn isn(capture: &Capture, stream: &Stream, role: Role) -> Option<u32> {
    let segment = |row: Option<PacketRow>| capture.segments.get(row?.index());
    match role {
        Role::Server => segment(stream.syn_ack).map(|syn_ack| syn_ack.sequence),
        Role::Client => segment(stream.syn)
            .map(|syn| syn.sequence)
            .or_else(|| segment(stream.syn_ack).map(|syn_ack| syn_ack.acknowledgement.wrapping_sub(1))),
    }
}

/// The sequence numbers that one end used, as far as captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    start: u32,
    length: u64,
}

impl Range {
    /// Whether they have a number in common. Numbers go round, so `other` may begin within this one or the other way.
    pub fn meets(self, other: Range) -> bool {
        let within = |one: Range, other: Range| u64::from(other.start.wrapping_sub(one.start)) <= one.length;
        within(self, other) || within(other, self)
    }

    /// The bits of surprise in two ranges of these lengths meeting by chance.
    pub fn surprise(self, other: Range) -> f64 {
        // Precision is lost beyond 2⁵³ only.
        #[allow(clippy::cast_precision_loss)]
        let together = self.length.saturating_add(other.length).saturating_add(1) as f64;
        (32.0 - together.log2()).max(0.0)
    }
}

/// The range of each end of each stream.
pub(super) fn ranges(capture: &Capture) -> Result<IdVec<StreamId, ByRole<Option<Range>>>, Interrupted> {
    let mut open: IdVec<StreamId, ByRole<Reach>> = vec![ByRole::default(); capture.tracking.streams.len()].into();
    for (segment, packet) in interruptible(capture.segments.iter().zip(&capture.tracking.packets)) {
        interrupt::check()?;
        let Some(stream) = capture.tracking.stream(packet.stream) else { continue };
        let Some(reach) = open.get_mut(packet.stream) else { continue };
        let towards = stream.towards(packet);
        if has_numbers(segment) {
            let sent = reach.get_mut(towards.other());
            sent.reach(segment.sequence);
            sent.reach(segment.sequence.wrapping_add(segment.payload().unwrap_or(0)));
        }
        if segment.has(flag::ACK) {
            reach.get_mut(towards).reach(segment.acknowledgement);
        }
    }
    Ok(open.into_iter().map(|reach| ByRole { server: reach.server.range(), client: reach.client.range() }).collect())
}

/// A range while packets come in.
#[derive(Debug, Clone, Copy, Default)]
struct Reach {
    positions: Positions,
    lowest: Option<u64>,
    highest: u64,
}

impl Reach {
    fn reach(&mut self, number: u32) {
        let position = self.positions.position(number);
        self.lowest = Some(self.lowest.map_or(position, |lowest| lowest.min(position)));
        self.highest = self.highest.max(position);
    }

    fn range(self) -> Option<Range> {
        let lowest = self.lowest?;
        // The low 32 bits of a position are the number.
        #[allow(clippy::cast_possible_truncation)]
        Some(Range { start: lowest as u32, length: self.highest.saturating_sub(lowest) })
    }
}

/// What the payloads of two streams have in common, by their places relative to the ISNs.
pub(super) struct InCommon {
    /// Payloads of the same length at the same place.
    pub lengths: usize,
    /// How much of the smaller stream that is, 0 to 1.
    pub share: f64,
    /// The timestamps of those that neither capture has twice.
    pub clocks: Clocks,
}

/// Compares the payloads of two streams. Only where both handshakes were captured.
pub(super) fn in_common(first: (&Capture, &Stream), second: (&Capture, &Stream)) -> InCommon {
    let (first, second) = (payloads(first.0, first.1), payloads(second.0, second.1));
    let mut found = InCommon { lengths: 0, share: 0.0, clocks: Clocks::default() };
    for (place, one) in interruptible(&first) {
        let Some(other) = second.get(place) else { continue };
        found.lengths += 1;
        if let (Some(one), Some(other)) = (one, other) {
            found.clocks.add(one.0, one.1, other.1);
        }
    }
    let smaller = first.len().min(second.len());
    if smaller > 0 {
        // There are fewer than 2³² packets.
        #[allow(clippy::cast_precision_loss)]
        let share = found.lengths as f64 / smaller as f64;
        found.share = share;
    }
    found
}

/// Places and lengths of the payloads of a stream, with whether the client sent them and their TSval; `None` for those
/// that are there more than once.
fn payloads(capture: &Capture, stream: &Stream) -> HashMap<u64, Option<(bool, Option<u32>)>> {
    let of_row = |row: &PacketRow| -> Option<(&Segment, &PacketInStream)> {
        Some((capture.segments.get(row.index())?, capture.tracking.packets.get(*row)?))
    };
    let mut found = HashMap::new();
    for (segment, packet) in interruptible(stream.packets.iter().filter_map(of_row)) {
        let Some(length) = segment.payload().filter(|length| *length > 0) else { continue };
        let Some(acknowledgement) = packet.acknowledgement() else { continue };
        let from_client = stream.towards(packet) == Role::Server;
        let place = hash(u64::from(packet.sequence) << 32 | u64::from(acknowledgement), length);
        let clock = segment.timestamps().map(|(value, _)| value);
        let entry = found.entry(hash(place, u32::from(from_client)));
        entry.and_modify(|only| *only = None).or_insert(Some((from_client, clock)));
    }
    found
}
