//! One direction of one subflow: its mappings of subflow bytes to data bytes, and what each payload carries by them.

use super::intervals::{Intervals, Piece};
use super::numbers::Numbers;
use super::probes::DataProgress;
use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Mapping, flag};
use crate::tracking::role::Role;
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::Travelling;
use crate::tracking::{SubflowKind, Tracking};
use crate::{PacketRow, StreamId};

/// Where a mapping puts its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Working DSN of the byte at the beginning of the range.
    dsn: u64,
    /// Row of the packet that carried the mapping.
    row: PacketRow,
    /// It maps the byte of a window probe.
    probe: bool,
}

/// Source of the place of payload bytes in the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carriage {
    /// A mapping of known length.
    Mapping,
    /// An infinite mapping: from there on plain TCP, whose bytes still have data sequence numbers (RFC 8684 §3.7).
    Infinite,
    /// A fallback that no infinite mapping announced. The bytes have no data sequence numbers; those after the highest
    /// mapped one stand in, so that each byte counts once.
    Plain,
    /// The SYN carried it (TCP Fast Open): before the first data sequence number (RFC 8684 §B.2).
    FastOpen,
    /// It is the byte of a window probe at the data level: not new data, and not data sent again.
    Probe,
}

impl Carriage {
    /// Whether the bytes went as plain TCP after a fallback.
    #[must_use]
    pub fn is_plain(self) -> bool {
        matches!(self, Carriage::Infinite | Carriage::Plain)
    }

    /// Whether the bytes have data sequence numbers on the wire. Where they do not, others stand in for counting.
    #[must_use]
    pub fn is_numbered(self) -> bool {
        !matches!(self, Carriage::Plain | Carriage::FastOpen)
    }
}

/// Gaps between mappings that are looked at in one payload that was sent before.
const MOST_GAPS: usize = 256;

/// One direction of one subflow.
#[derive(Debug, Clone, Default)]
pub struct SubflowDirection {
    /// Positions before the first packet: they give each packet of a further pass the same position.
    start: Positions,
    positions: Positions,
    /// Position from which subflow sequence numbers count: of the SYN, or of the last byte of data in it; `None` until
    /// it is known.
    pub(super) base: Option<u64>,
    /// Position of the SYN, and how many bytes of its data the other end took; for initial subflows.
    pub(super) fast_open: Option<(u64, u64)>,
    /// Working DSN of the first of these bytes.
    fast_open_dsn: u64,
    /// Positions to DSNs.
    mappings: Intervals<Target>,
    /// From this position on every byte is mapped: the infinite mapping.
    infinite: Option<(u64, Target)>,
    /// From this position on every byte is plain TCP, and the working DSN that stands in for the first.
    plain: Option<(u64, u64)>,
}

/// Where a payload lies in its subflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Position of the first byte.
    pub start: u64,
    /// Bytes of data: none of a keep-alive.
    pub data: u64,
}

impl Payload {
    /// One past the position of the last byte of data.
    #[inline]
    pub fn end(self) -> u64 {
        self.start.saturating_add(self.data)
    }
}

/// What a packet's own option maps.
struct Own {
    /// Position of the first byte.
    start: u64,
    /// Bytes.
    length: u64,
    /// Working DSN of the first byte.
    dsn: u64,
    /// It maps all that follows.
    infinite: bool,
}

impl Own {
    /// The working DSN that it gives to the byte at `position`, where it covers that.
    #[inline]
    fn at(&self, position: u64) -> Option<u64> {
        let into = position.checked_sub(self.start).filter(|into| *into < self.length)?;
        self.dsn.checked_add(into)
    }
}

/// A part of a payload and the data it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// Bytes.
    pub length: u64,
    /// Working DSN of the first byte.
    pub dsn: u64,
    /// Source of that number.
    pub carriage: Carriage,
}

impl SubflowDirection {
    /// The flow towards this end of the connection on a subflow.
    pub fn new(tracking: &Tracking, stream: StreamId, towards: Role) -> Self {
        let mut flow = SubflowDirection::default();
        let Some((subflow, stream)) = tracking.subflow(stream).zip(tracking.stream(stream)) else { return flow };
        // The sender is the end that the direction leads away from.
        let tcp_towards = Tracking::mptcp_towards(subflow, towards);
        let isn = stream.ends.get(tcp_towards.other()).isn;
        flow.base = isn.map(|isn| flow.positions.position(isn));
        flow.start = flow.positions;
        let taken = stream.fast_open.and_then(|fast_open| fast_open.accepted).unwrap_or(0);
        if let Some(base) = flow.base
            && taken > 0
            && tcp_towards == Role::Server
            && subflow.kind == SubflowKind::Initial
        {
            // Subflow sequence numbers count from behind the SYN's data (RFC 8684 §B.3, erratum 6609; Linux).
            flow.fast_open = Some((base, taken.into()));
            flow.base = Some(base.saturating_add(taken.into()));
        }
        flow
    }

    /// Positions as they were before the flow's first packet.
    #[inline]
    pub fn start(&self) -> Positions {
        self.start
    }

    /// The position of an acknowledgement number of this flow's bytes.
    #[inline]
    pub fn acknowledged(&self, number: u32) -> Option<u64> {
        self.positions.nearest(number)
    }

    /// Takes in a packet and its mapping; returns where its payload lies.
    pub fn read(&mut self, packet: &Travelling<'_>, numbering: &mut Numbers, course: &mut DataProgress) -> Payload {
        let (start, data) = place(&mut self.positions, packet);
        self.note_mapping(packet, start, numbering, course);
        Payload { start, data }
    }

    /// Whether mappings of known length cover all data of a payload. What they say of it stays, whatever comes later: the
    /// first one counts.
    #[inline]
    pub fn has_mapped(&self, payload: Payload) -> bool {
        payload.data == 0 || self.mappings.covers(payload.start, payload.end())
    }

    /// Takes in the mapping of a packet whose payload begins at `position`.
    #[inline]
    fn note_mapping(
        &mut self,
        packet: &Travelling<'_>,
        position: u64,
        numbering: &mut Numbers,
        course: &mut DataProgress,
    ) {
        let Some(Own { start, length, dsn, infinite }) = self.mapping_of(packet, position, numbering) else { return };
        if infinite {
            // Without data it maps nothing, whatever its sender meant.
            if packet.data > 0 {
                self.infinite.get_or_insert((start, Target { dsn, row: packet.row, probe: false }));
            }
            return;
        }
        let probe = packet.data == 1 && start == position && course.is_probe(dsn, length);
        course.map(dsn, length);
        let end = start.saturating_add(length);
        let at = |position: u64| Target { dsn: dsn.saturating_add(position - start), row: packet.row, probe };
        self.mappings.fill(start, end, at);
    }

    /// The mapping of a packet whose payload begins at `position`.
    #[inline]
    fn mapping_of(&self, packet: &Travelling<'_>, position: u64, numbering: &mut Numbers) -> Option<Own> {
        let segment = packet.segment;
        if let Some(dss) = segment.dss()
            && let Some(mapping) = dss.mapping
        {
            let dsn = numbering.working(mapping.dsn, dss.has(Dss::DSN_8));
            // A DATA_FIN takes the last byte of a mapping and has none in the subflow (RFC 8684 §3.3.3).
            let length = u64::from(mapping.length).saturating_sub(u64::from(dss.has(Dss::DATA_FIN)));
            let start = self.start_of(&mapping, position)?;
            return Some(Own { start, length, dsn, infinite: mapping.length == 0 });
        }
        // The first data of version 1 is mapped by MP_CAPABLE itself (RFC 8684 §3.1): from SSN 1 on, wherever the
        // segment lies, because segmentation offload copies the option onto each segment of the first burst.
        let length = segment.capable()?.data_length?.into();
        let dsn = numbering.first()?;
        let start = self.base.map_or(position, |base| base.saturating_add(1));
        Some(Own { start, length, dsn, infinite: false })
    }

    /// The working DSN that a packet's own mapping gives to the first byte of its payload, which is at `position`; once
    /// all mappings are known, and the packets come once more.
    pub fn own(&self, packet: &Travelling<'_>, position: u64, numbering: &mut Numbers) -> Option<u64> {
        let own = self.mapping_of(packet, position, numbering)?;
        own.at(position).filter(|_| !own.infinite)
    }

    /// Position of the first byte of a mapping that came with a payload at `position`; `None` without the base.
    #[inline]
    fn start_of(&self, mapping: &Mapping, position: u64) -> Option<u64> {
        let base = self.base?;
        Some(base.saturating_add(near(position.saturating_sub(base), mapping.ssn)))
    }

    /// One past the last byte of the subflow that a mapping covers; without any, its first byte. `None` without the
    /// base.
    pub fn mapped_end(&self) -> Option<u64> {
        self.mappings.end().or_else(|| self.base.map(|base| base.saturating_add(1)))
    }

    /// Whether an infinite mapping reaches over the byte at `position`.
    pub fn is_infinite_at(&self, position: u64) -> bool {
        self.infinite.is_some_and(|(from, _)| position >= from)
    }

    /// From `position` on, what no mapping covers is plain TCP; `dsn` stands in for its first number.
    pub fn goes_plain(&mut self, position: u64, dsn: u64) {
        self.plain = Some((position, dsn));
    }

    /// One past the last byte of the SYN's data has this working DSN.
    pub fn place_fast_open(&mut self, dsn: u64) {
        if let Some((_, taken)) = self.fast_open {
            self.fast_open_dsn = dsn.saturating_sub(taken);
        }
    }

    /// Working DSN of the byte at `position` as it was sent, and the row of its mapping.
    pub fn target(&self, position: u64) -> Option<(u64, PacketRow)> {
        let found = self.mappings.overlaps(position, position.saturating_add(1)).next();
        if let Some(piece) = found {
            return Some((dsn_in(&piece), piece.value.row));
        }
        let (start, target) = self.infinite?;
        let beyond = position.checked_sub(start)?;
        Some((target.dsn.saturating_add(beyond), target.row))
    }

    /// Appends the parts of `start..end` that carry data with a known place to `parts`.
    #[inline]
    pub fn mapped_into(&self, start: u64, end: u64, parts: &mut Vec<Mapped>) {
        let mapped = |piece: Piece<Target>| Mapped {
            length: piece.length(),
            dsn: dsn_in(&piece),
            carriage: if piece.value.probe { Carriage::Probe } else { Carriage::Mapping },
        };
        if let Some(piece) = self.mappings.within(start, end) {
            parts.push(mapped(piece));
            return;
        }
        parts.extend(self.mappings.overlaps(start, end).map(mapped));
        if self.infinite.is_some() || self.plain.is_some() || self.fast_open.is_some() {
            self.unmapped_into(start, end, parts);
        }
    }

    /// The same for at most so many mappings; returns how many parts there were.
    pub fn some_mapped_into(&self, start: u64, end: u64, most: usize, parts: &mut Vec<Mapped>) -> usize {
        let before = parts.len();
        // The mapping after the last one that is wanted: without it, all up to the end is.
        let beyond = self.mappings.overlaps(start, end).nth(most);
        if most > 0 {
            self.mapped_into(start, beyond.map_or(end, |beyond| beyond.start), parts);
        }
        parts.len().saturating_sub(before)
    }

    /// The same for those parts of them that no mapping of known length covers.
    fn unmapped_into(&self, start: u64, end: u64, parts: &mut Vec<Mapped>) {
        let beyond = match (self.infinite, self.plain) {
            (Some((from, target)), _) => Some((from, target.dsn, Carriage::Infinite)),
            (None, Some((from, dsn))) => Some((from, dsn, Carriage::Plain)),
            (None, None) => None,
        };
        if let Some((from, dsn, carriage)) = beyond {
            for (first, last) in interruptible(self.mappings.gaps(start.max(from), end)) {
                parts.push(Mapped { length: last - first, dsn: dsn.saturating_add(first - from), carriage });
            }
        }
        if let Some((syn, taken)) = self.fast_open {
            let from = syn.saturating_add(1);
            let until = from.saturating_add(taken).min(beyond.map_or(u64::MAX, |(from, ..)| from));
            for (first, last) in interruptible(self.mappings.gaps(start.max(from), end.min(until))) {
                let dsn = self.fast_open_dsn.saturating_add(first - from);
                parts.push(Mapped { length: last - first, dsn, carriage: Carriage::FastOpen });
            }
        }
    }

    /// Appends the parts of `start..end` to `parts` that carry data with a known place and that `sent` does not hold: what
    /// came before under the same numbers carried the same data. Returns how many bytes `sent` did not hold.
    pub fn newly_mapped(&self, sent: &mut RangeSet, start: u64, end: u64, parts: &mut Vec<Mapped>) -> u64 {
        if sent.reaches_into(start, end) {
            for (first, last) in interruptible(sent.gaps(start, end)) {
                self.mapped_into(first, last, parts);
            }
        } else if start < end {
            self.mapped_into(start, end, parts);
        }
        sent.insert(start, end)
    }

    /// Bytes of `start..end` that carry data with a known place; of a part with very many gaps, so many at most.
    pub fn mapped_bytes(&self, start: u64, end: u64) -> u64 {
        // Retransmissions may span the same tens of thousands of gaps again and again: the first ones tell enough.
        let gaps: Vec<(u64, u64)> = self.mappings.gaps(start, end).take(MOST_GAPS).collect();
        let mut parts = Vec::new();
        let missing: u64 = gaps.iter().map(|(first, last)| last - first).sum();
        gaps.iter().for_each(|(first, last)| self.unmapped_into(*first, *last, &mut parts));
        let beside: u64 = parts.iter().map(|part| part.length).sum();
        end.saturating_sub(start).saturating_sub(missing).saturating_add(beside)
    }
}

/// Where the payload of the flow's next packet begins, and how many bytes of it are data.
#[inline]
pub fn place(positions: &mut Positions, packet: &Travelling<'_>) -> (u64, u64) {
    let segment = packet.segment;
    if packet.nature.is_stray() {
        // Its number may be any: later ones are not measured by it.
        return (positions.nearest(segment.sequence).unwrap_or(0), 0);
    }
    let position = positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
    (position, packet.data.into())
}

/// Working DSN of the first byte of a piece of a mapping.
fn dsn_in(piece: &Piece<Target>) -> u64 {
    piece.value.dsn.saturating_add(piece.start - piece.origin)
}

/// The 64-bit subflow offset nearest to `offset` whose low half is `ssn`.
#[inline]
fn near(offset: u64, ssn: u32) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let distance = ssn.wrapping_sub(offset as u32) as i32;
    offset.saturating_add_signed(i64::from(distance))
}
