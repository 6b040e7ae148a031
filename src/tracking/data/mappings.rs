//! Mappings of subflow octets to data octets, and 64-bit data sequence numbers.

use super::intervals::{Intervals, Piece};
use crate::packets::segment::{Dss, Segment, flag};
use crate::tracking::role::{ByRole, Role};
use crate::tracking::sequence::Positions;
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, Tracking};

/// What one packet carried at the data level. Numbers are raw; the relative ones count from the IDSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketData {
    /// 64-bit DSN of the first payload octet; `None` where no mapping covers it or its high half is not known.
    pub dsn: Option<u64>,
    /// The same relative to the IDSN, the first octet of data being 1; `None` without the sender's key.
    pub relative_dsn: Option<u64>,
    /// Row of the packet whose mapping covers the first payload octet.
    pub mapping_row: Option<u32>,
    /// 64-bit DATA_ACK; `None` where its high half is not known.
    pub data_ack: Option<u64>,
    /// The same relative to the IDSN of the acknowledged data; `None` without that end's key.
    pub relative_data_ack: Option<u64>,
}

/// Where a mapping puts its octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// Working DSN of the octet at the beginning of the range.
    dsn: u64,
    /// Row of the packet that carried the mapping.
    row: u32,
}

/// One direction of one subflow.
#[derive(Debug, Clone, Default)]
pub struct Flow {
    positions: Positions,
    /// Position of the SYN, from which subflow sequence numbers count; `None` until it is known.
    base: Option<u64>,
    /// Positions to DSNs.
    mappings: Intervals<Target>,
    /// From this position on every octet is mapped: the infinite mapping.
    infinite: Option<(u64, Target)>,
    /// Position and length of each packet's payload, `None` for packets without, in order of travel.
    payloads: Vec<Option<(u64, u64)>>,
}

/// A part of a payload and the data it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mapped {
    /// Octets.
    pub length: u64,
    /// Working DSN of the first octet.
    pub dsn: u64,
}

/// All flows of a connection: by direction, then by subflow.
pub type Flows = ByRole<Vec<Flow>>;

/// Expands 32-bit data sequence numbers of one direction (RFC 8684 §3.3.1: the nearest to what is known).
///
/// Without a key or an 8-octet number, the high half is not known; numbers still fit together, so that ranges can be
/// compared, but they are not the real ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WideNumbers {
    latest: u64,
    known: bool,
    started: bool,
}

impl WideNumbers {
    /// Starts from the IDSN, where the key is known.
    #[must_use]
    pub fn new(idsn: Option<u64>) -> Self {
        WideNumbers { latest: idsn.unwrap_or(0), known: idsn.is_some(), started: idsn.is_some() }
    }

    /// True when expanded numbers are the real 64-bit ones.
    #[must_use]
    pub fn known(&self) -> bool {
        self.known
    }

    /// The 64-bit number that `value` stands for; `wide` says that all 64 bits were sent.
    pub fn expand(&mut self, value: u64, wide: bool) -> u64 {
        if wide {
            (self.known, self.started) = (true, true);
            self.advance(value);
            return value;
        }
        #[allow(clippy::cast_possible_truncation)]
        let low = value as u32;
        if !self.started {
            self.started = true;
            // The middle of the number space leaves room on both sides.
            self.latest = (1 << 62) | u64::from(low);
            return self.latest;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        let distance = low.wrapping_sub(self.latest as u32) as i32;
        let number = self.latest.wrapping_add_signed(i64::from(distance));
        self.advance(number);
        number
    }

    /// Keeps the highest number, by the arithmetic of a number space that wraps.
    fn advance(&mut self, number: u64) {
        #[allow(clippy::cast_possible_wrap)]
        let ahead = number.wrapping_sub(self.latest) as i64 > 0;
        if ahead {
            self.latest = number;
        }
    }
}

/// DSNs of one direction as they are worked with: counted so that the IDSN (or the first number seen) lies in the
/// middle of the number space, which ranges then never leave by wrapping.
#[derive(Debug, Clone, Copy)]
struct Numbering {
    wide: WideNumbers,
    idsn: Option<u64>,
    /// Subtracted from real numbers to get working ones.
    zero: Option<u64>,
}

/// Where the IDSN is put among working numbers.
const MIDDLE: u64 = 1 << 62;

impl Numbering {
    fn new(idsn: Option<u64>) -> Self {
        Numbering { wide: WideNumbers::new(idsn), idsn, zero: idsn.map(|idsn| idsn.wrapping_sub(MIDDLE)) }
    }

    /// The working number of a number as sent.
    fn working(&mut self, value: u64, wide: bool) -> u64 {
        let number = self.wide.expand(value, wide);
        let zero = *self.zero.get_or_insert(number.wrapping_sub(MIDDLE));
        // Hostile numbers far from the IDSN must not make ranges wrap.
        number.wrapping_sub(zero).min(u64::MAX / 2)
    }

    fn real(&self, working: u64) -> Option<u64> {
        self.wide.known().then(|| working.wrapping_add(self.zero.unwrap_or(0)))
    }

    fn relative(&self, working: u64) -> Option<u64> {
        self.idsn?;
        working.checked_sub(MIDDLE)
    }
}

/// First pass: collects the mappings of all flows and what each packet acknowledges; then looks up each payload.
pub fn collect(
    travelling: &[Travelling<'_>],
    tracking: &Tracking,
    connection: &Connection,
) -> (Flows, Vec<PacketData>) {
    let flows_of = |towards: Role| {
        let ids = connection.subflows.iter();
        ids.map(|id| Flow::new(tracking, *id, towards)).collect::<Vec<Flow>>()
    };
    let mut flows = Flows { server: flows_of(Role::Server), client: flows_of(Role::Client) };
    // Data towards the server is numbered from the client's IDSN.
    let mut numbers = ByRole {
        server: Numbering::new(connection.hosts.client.idsn),
        client: Numbering::new(connection.hosts.server.idsn),
    };
    let mut packets = Vec::with_capacity(travelling.len());
    for packet in travelling {
        let mut data = PacketData::default();
        if let Some(dss) = &packet.segment.dss
            && let Some(acknowledged) = dss.data_ack
        {
            let acknowledging = numbers.get_mut(packet.towards.other());
            let working = acknowledging.working(acknowledged, dss.has(Dss::DATA_ACK_8));
            data.data_ack = acknowledging.real(working);
            data.relative_data_ack = acknowledging.relative(working);
        }
        packets.push(data);
        let numbering = numbers.get_mut(packet.towards);
        if let Some(flow) = flows.get_mut(packet.towards).get_mut(packet.subflow) {
            flow.note(packet, numbering);
        }
    }
    look_up(travelling, &flows, &numbers, &mut packets);
    (flows, packets)
}

/// Fills in the data sequence number of each packet's first payload octet.
fn look_up(travelling: &[Travelling<'_>], flows: &Flows, numbers: &ByRole<Numbering>, packets: &mut [PacketData]) {
    let mut next = ByRole { server: vec![0_usize; flows.server.len()], client: vec![0_usize; flows.client.len()] };
    for (packet, data) in travelling.iter().zip(packets) {
        let Some(flow) = flows.get(packet.towards).get(packet.subflow) else { continue };
        let Some(index) = next.get_mut(packet.towards).get_mut(packet.subflow) else { continue };
        let payload = flow.payload(*index);
        *index += 1;
        let Some((position, _)) = payload else { continue };
        if let Some((dsn, row)) = flow.target(position) {
            let numbering = numbers.get(packet.towards);
            data.dsn = numbering.real(dsn);
            data.relative_dsn = numbering.relative(dsn);
            data.mapping_row = Some(row);
        }
    }
}

impl Flow {
    fn new(tracking: &Tracking, stream: u32, towards: Role) -> Self {
        let mut flow = Flow::default();
        let subflow = tracking.subflow(stream).zip(tracking.stream(stream));
        if let Some((subflow, stream)) = subflow {
            // The sender is the end that the direction leads away from.
            let tcp_towards = Tracking::mptcp_towards(subflow, towards);
            let isn = stream.ends.get(tcp_towards.other()).isn;
            flow.base = isn.map(|isn| flow.positions.position(isn));
        }
        flow
    }

    /// Takes in a packet: where its payload lies, and its mapping.
    fn note(&mut self, packet: &Travelling<'_>, numbering: &mut Numbering) {
        let segment = packet.segment;
        let position = self.positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        self.infer_base(segment, position);
        let length = u64::from(segment.payload.unwrap_or(0));
        self.payloads.push((length > 0).then_some((position, length)));
        if let Some(dss) = &segment.dss
            && let Some(mapping) = dss.mapping
        {
            let dsn = numbering.working(mapping.dsn, dss.has(Dss::DSN_8));
            let Some(base) = self.base else { return };
            // A DATA_FIN takes the last octet of a mapping and has none in the subflow (RFC 8684 §3.3.3).
            let data = u64::from(mapping.length).saturating_sub(u64::from(dss.has(Dss::DATA_FIN)));
            let start = base.saturating_add(near(position.saturating_sub(base), mapping.ssn));
            let target = Target { dsn, row: packet.row };
            if mapping.length == 0 {
                self.infinite.get_or_insert((start, target));
            } else {
                self.map(start, data, target);
            }
        } else if let Some(capable) = segment.capable()
            && let Some(length) = capable.data_length
            && let Some(idsn) = numbering.idsn
        {
            // The first data of version 1 is mapped by MP_CAPABLE itself (RFC 8684 §3.1).
            let dsn = numbering.working(idsn.wrapping_add(1), true);
            self.map(position, u64::from(length), Target { dsn, row: packet.row });
        }
    }

    /// Without a SYN, a mapping that begins where its packet's payload does tells where the flow began.
    fn infer_base(&mut self, segment: &Segment, position: u64) {
        if self.base.is_some() {
            return;
        }
        let Some(mapping) = segment.dss.and_then(|dss| dss.mapping) else { return };
        let payload = segment.payload.unwrap_or(0);
        if payload > 0 && mapping.ssn > 0 && payload <= u32::from(mapping.length) {
            self.base = position.checked_sub(u64::from(mapping.ssn));
        }
    }

    fn map(&mut self, start: u64, length: u64, target: Target) {
        let end = start.saturating_add(length);
        let at = |position: u64| Target { dsn: target.dsn.saturating_add(position - start), row: target.row };
        self.mappings.fill(start, end, at);
    }

    /// Position and length of the payload of the flow's packet number `index`.
    pub fn payload(&self, index: usize) -> Option<(u64, u64)> {
        self.payloads.get(index).copied().flatten()
    }

    /// Working DSN of the octet at `position`, and the row of its mapping.
    fn target(&self, position: u64) -> Option<(u64, u32)> {
        let found = self.mappings.overlaps(position, position.saturating_add(1)).next();
        if let Some(piece) = found {
            return Some((dsn_in(&piece), piece.value.row));
        }
        let (start, target) = self.infinite?;
        let beyond = position.checked_sub(start)?;
        Some((target.dsn.saturating_add(beyond), target.row))
    }

    /// The parts of `start..end` that are mapped.
    pub fn mapped(&self, start: u64, end: u64) -> Vec<Mapped> {
        let pieces = self.mappings.overlaps(start, end);
        let mut parts: Vec<Mapped> =
            pieces.map(|piece| Mapped { length: piece.length(), dsn: dsn_in(&piece) }).collect();
        if let Some((from, target)) = self.infinite {
            for (first, last) in self.mappings.gaps(start.max(from), end) {
                parts.push(Mapped { length: last - first, dsn: target.dsn.saturating_add(first - from) });
            }
        }
        parts
    }
}

/// Working DSN of the first octet of a piece of a mapping.
fn dsn_in(piece: &Piece<Target>) -> u64 {
    piece.value.dsn.saturating_add(piece.start - piece.origin)
}

/// The 64-bit subflow offset nearest to `offset` whose low half is `ssn`.
fn near(offset: u64, ssn: u32) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let distance = ssn.wrapping_sub(offset as u32) as i32;
    offset.saturating_add_signed(i64::from(distance))
}
