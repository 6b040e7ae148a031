//! What did acknowledgements say beyond how far the data came: SACK blocks, duplicate ACKs, windows of zero?

use crate::packets::segment::{Segment, flag};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::{StreamPacket, of_stream};
use crate::tracking::{ByRole, Nature, Stream, Tracking};
use crate::{Instant, PacketRow};

/// What an acknowledgement said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AckMarkKind {
    /// A part of a SACK block that none before had reported (RFC 2018), or a whole block that reports what came twice
    /// (RFC 2883).
    Sack,
    /// A duplicate ACK, as Wireshark's `tcp.analysis.duplicate_ack`: no data, and the numbers and window of the last packet.
    Duplicate,
    /// A window of zero, as Wireshark's `tcp.analysis.zero_window`: on a packet without SYN, FIN and RST.
    ZeroWindow,
}

/// One of them. Positions are those of [`Positions`] that begin with the sender's SYN, where it was captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AckMark {
    /// Row of the packet.
    pub row: PacketRow,
    /// When.
    pub time: Instant,
    /// What it said.
    pub kind: AckMarkKind,
    /// The first reported byte; of other kinds the byte that is expected next.
    pub start: u64,
    /// One past the last reported byte; of other kinds `start`.
    pub end: u64,
}

/// What the acknowledgements of one direction's data said.
#[derive(Debug, Clone, Default)]
pub struct AckMarks {
    /// In the order of the file.
    pub marks: Vec<AckMark>,
    /// Each time the cumulative acknowledgement grew: packet, when, and the byte that is expected next.
    pub advances: Vec<(PacketRow, Instant, u64)>,
    /// Relative number of a position, less the low half of the position.
    relative: u32,
}

impl AckMarks {
    /// The sequence number of a position, as sent.
    #[must_use]
    pub fn raw(position: u64) -> u32 {
        // Truncation is the meaning.
        #[allow(clippy::cast_possible_truncation)]
        let number = position as u32;
        number
    }

    /// The same, relative as the stream's numbers are (`tcp.seq`).
    #[must_use]
    pub fn relative(&self, position: u64) -> u32 {
        Self::raw(position).wrapping_add(self.relative)
    }
}

/// What acknowledgements said, by the end of the *stream* that the acknowledged data travelled towards, which sent them.
#[must_use]
pub fn ack_marks(segments: &[Segment], tracking: &Tracking, stream: &Stream) -> ByRole<AckMarks> {
    let data_sent_by = |end| {
        let mut acknowledged = Acknowledged::default();
        if let Some(isn) = stream.ends.get(end).isn {
            acknowledged.positions.position(isn);
        }
        acknowledged
    };
    let (client, server) = (crate::tracking::Role::Client, crate::tracking::Role::Server);
    let mut data = ByRole { server: data_sent_by(client), client: data_sent_by(server) };
    let mut speaking = ByRole::<Speaker>::default();
    for packet in of_stream(segments, tracking, stream) {
        let segment = packet.segment;
        let asked = speaking.get(packet.towards).probes;
        let own = speaking.get_mut(packet.towards.other());
        let repeats = !asked && own.repeats(&packet);
        own.note(&packet);
        if packet.nature.is_stray() {
            continue;
        }
        if segment.has(flag::ACK) && !segment.has(flag::RST) {
            let relative = tracking.packets.get(packet.row).and_then(|place| place.acknowledgement());
            data.get_mut(packet.towards.other()).push(&packet, relative, repeats);
        }
        data.get_mut(packet.towards).positions.position(segment.sequence);
    }
    ByRole { server: data.server.found, client: data.client.found }
}

/// The last packet of one end, as far as the next one may repeat it.
#[derive(Debug, Clone, Copy, Default)]
struct Speaker {
    /// One past the highest sequence number that it sent.
    next: Option<u32>,
    /// Acknowledgement number and window.
    last: Option<(u32, u16)>,
    /// It was a keep-alive or a window probe: what answers it, repeats without being asked for data.
    probes: bool,
}

impl Speaker {
    /// Whether a packet is a duplicate ACK.
    fn repeats(&self, packet: &StreamPacket<'_>) -> bool {
        let segment = packet.segment;
        segment.payload() == Some(0)
            && segment.has(flag::ACK)
            && segment.flags() & (flag::SYN | flag::FIN | flag::RST) == 0
            && segment.window > 0
            && self.last == Some((segment.acknowledgement, segment.window))
            && self.next == Some(segment.sequence)
            // One that carries a signal of MPTCP tells nothing of a loss (RFC 8684 §3.3.6).
            && segment.control().is_none()
    }

    fn note(&mut self, packet: &StreamPacket<'_>) {
        let segment = packet.segment;
        let taken = u32::from(segment.has(flag::SYN)).wrapping_add(u32::from(segment.has(flag::FIN)));
        let end = segment.sequence.wrapping_add(segment.payload().unwrap_or(0)).wrapping_add(taken);
        if self.next.is_none_or(|next| end.wrapping_sub(next) < 1 << 31) {
            self.next = Some(end);
        }
        self.last = Some((segment.acknowledgement, segment.window));
        self.probes = matches!(packet.nature, Nature::KeepAlive | Nature::WindowProbe);
    }
}

/// One direction's data as it is acknowledged.
#[derive(Debug, Default)]
struct Acknowledged {
    positions: Positions,
    next: Option<u64>,
    /// What SACK blocks reported beyond it.
    reported: RangeSet,
    /// The last block of what came twice: it may be repeated.
    twice: Option<(u64, u64)>,
    found: AckMarks,
}

/// Blocks that are longer are not believed: no window is (RFC 7323 §2.3).
const LONGEST: u64 = 1 << 30;

impl Acknowledged {
    /// Takes in a packet with its relative acknowledgement number; it `repeats` the one before.
    fn push(&mut self, packet: &StreamPacket<'_>, relative: Option<u32>, repeats: bool) {
        let segment = packet.segment;
        // Where no data were captured, numbers count from the first acknowledgement.
        let position = match self.positions.nearest(segment.acknowledgement) {
            Some(position) => position,
            None => self.positions.position(segment.acknowledgement),
        };
        if let Some(relative) = relative {
            self.found.relative = relative.wrapping_sub(segment.acknowledgement);
        }
        let (row, time) = (packet.row, segment.abstime);
        if self.next.is_none_or(|next| position > next) {
            self.next = Some(position);
            self.reported.remove_before(position);
            self.found.advances.push((row, time, position));
        }
        let next = self.next.unwrap_or(position);
        self.selective(packet, next);
        let mark = |kind| AckMark { row, time, kind, start: position, end: position };
        if repeats {
            self.found.marks.push(mark(AckMarkKind::Duplicate));
        }
        if segment.window == 0 && segment.flags() & (flag::SYN | flag::FIN) == 0 {
            self.found.marks.push(mark(AckMarkKind::ZeroWindow));
        }
    }

    fn selective(&mut self, packet: &StreamPacket<'_>, acknowledged: u64) {
        let blocks = packet.segment.sack();
        let range = |(left, right): &(u32, u32)| {
            let range = (self.positions.nearest(*left)?, self.positions.nearest(*right)?);
            (range.0 < range.1 && range.1 - range.0 <= LONGEST).then_some(range)
        };
        let blocks: Vec<(u64, u64)> = blocks.iter().filter_map(range).collect();
        let Some(&first) = blocks.first() else { return };
        let mark = |(start, end)| AckMark {
            row: packet.row,
            time: packet.segment.abstime,
            kind: AckMarkKind::Sack,
            start,
            end,
        };
        // RFC 2883 §4: a first block that is acknowledged, or lies within the second, reports what came twice.
        let within = blocks.get(1).is_some_and(|(left, right)| *left <= first.0 && first.1 <= *right);
        if first.1 <= acknowledged || within {
            if self.twice.replace(first) != Some(first) {
                self.found.marks.push(mark(first));
            }
        } else {
            self.twice = None;
        }
        for (left, right) in blocks {
            let left = left.max(acknowledged);
            if left < right {
                self.found.marks.extend(self.reported.gaps(left, right).map(mark));
                self.reported.insert(left, right);
            }
        }
    }
}

#[cfg(test)]
mod tests;
