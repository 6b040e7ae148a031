//! Mappings of subflow octets to data octets, and the data sequence number of each packet.

use super::bases::Evidence;
use super::intervals::{Intervals, Piece};
use super::numbers::Numbers;
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
    /// Row of the packet whose mapping covers the first payload octet: this packet, if its own does.
    pub mapping_row: Option<u32>,
    /// 64-bit DATA_ACK; `None` where its high half is not known.
    pub data_ack: Option<u64>,
    /// The same relative to the IDSN of the acknowledged data; `None` without that end's key.
    pub relative_data_ack: Option<u64>,
    /// The same as a working number, whether or not its high half is known.
    pub(super) working_data_ack: Option<u64>,
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
    /// Positions before the first packet: they give each packet of a further pass the same position.
    start: Positions,
    positions: Positions,
    /// Position of the SYN, from which subflow sequence numbers count; `None` until it is known.
    base: Option<u64>,
    /// Positions to DSNs.
    mappings: Intervals<Target>,
    /// From this position on every octet is mapped: the infinite mapping.
    infinite: Option<(u64, Target)>,
    /// Each packet's payload, `None` for packets without, in order of travel; kept for those who ask what each carried.
    payloads: Vec<Option<Payload>>,
}

/// Where a payload lies in its subflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payload {
    /// Position of the first octet.
    pub start: u64,
    /// Octets.
    pub length: u64,
    /// Working DSN of the first octet by the packet's own mapping, when that covers it.
    own: Option<u64>,
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

/// First pass: collects the mappings of all flows and what each packet acknowledges; then looks up each payload.
pub fn collect(
    travelling: &[Travelling<'_>],
    tracking: &Tracking,
    connection: &Connection,
) -> (Flows, Vec<PacketData>, ByRole<Numbers>) {
    let mut acknowledged = Vec::with_capacity(travelling.len());
    let (flows, numbers) = flows(
        || travelling.iter().copied(),
        tracking,
        connection,
        |flow, payload, working| {
            acknowledged.push(working);
            flow.payloads.push(payload);
        },
    );
    let packets = look_up(travelling, &acknowledged, &flows, &numbers);
    (flows, packets, numbers)
}

/// The first pass over the packets that `packets` gives anew each time: the mappings of all flows. `note` is given the
/// flow of each packet, its payload, and its DATA_ACK as a working number.
pub fn flows<'a, I: Iterator<Item = Travelling<'a>>>(
    packets: impl Fn() -> I,
    tracking: &Tracking,
    connection: &Connection,
    mut note: impl FnMut(&mut Flow, Option<Payload>, Option<u64>),
) -> (Flows, ByRole<Numbers>) {
    let flows_of = |towards: Role| {
        let ids = connection.subflows.iter();
        ids.map(|id| Flow::new(tracking, *id, towards)).collect::<Vec<Flow>>()
    };
    let mut flows = Flows { server: flows_of(Role::Server), client: flows_of(Role::Client) };
    find_bases(&packets, &mut flows);
    // Data towards the server is numbered from the client's IDSN.
    let mut numbers = ByRole {
        server: Numbers::new(connection.hosts.client.idsn),
        client: Numbers::new(connection.hosts.server.idsn),
    };
    for packet in packets() {
        let dss = packet.segment.dss.as_ref();
        let number = dss.and_then(|dss| Some((dss.data_ack?, dss.has(Dss::DATA_ACK_8))));
        let numbering = numbers.get_mut(packet.towards.other());
        let acknowledged = number.map(|(sent, wide)| numbering.working(sent, wide));
        let numbering = numbers.get_mut(packet.towards);
        if let Some(flow) = flows.get_mut(packet.towards).get_mut(packet.subflow) {
            let payload = flow.read(&packet, numbering);
            note(flow, payload, acknowledged);
        }
    }
    (flows, numbers)
}

/// Finds out where the numbers of those flows count from whose SYN was not captured.
fn find_bases<'a, I: Iterator<Item = Travelling<'a>>>(packets: impl Fn() -> I, flows: &mut Flows) {
    let missing = |flows: &[Flow]| -> Vec<Option<Evidence>> {
        flows.iter().map(|flow| flow.base.is_none().then(Evidence::default)).collect()
    };
    let mut evidence = ByRole { server: missing(&flows.server), client: missing(&flows.client) };
    if evidence.server.iter().chain(&evidence.client).all(Option::is_none) {
        return;
    }
    for packet in packets() {
        if let Some(Some(evidence)) = evidence.get_mut(packet.towards).get_mut(packet.subflow) {
            evidence.note(packet.segment);
        }
    }
    for role in Role::BOTH {
        let found = std::mem::take(evidence.get_mut(role));
        for (flow, evidence) in flows.get_mut(role).iter_mut().zip(found) {
            flow.base = flow.base.or_else(|| evidence?.base());
        }
    }
}

/// What each packet carried, now that all mappings and the high halves of all numbers are known.
fn look_up(
    travelling: &[Travelling<'_>],
    acknowledged: &[Option<u64>],
    flows: &Flows,
    numbers: &ByRole<Numbers>,
) -> Vec<PacketData> {
    let mut next = ByRole { server: vec![0_usize; flows.server.len()], client: vec![0_usize; flows.client.len()] };
    let mut packets = Vec::with_capacity(travelling.len());
    for (packet, acknowledged) in travelling.iter().zip(acknowledged) {
        let mut data = PacketData::default();
        if let Some(working) = *acknowledged {
            let numbering = numbers.get(packet.towards.other());
            data.data_ack = numbering.real(working);
            data.relative_data_ack = numbering.relative(working);
            data.working_data_ack = Some(working);
        }
        let flow = flows.get(packet.towards).get(packet.subflow);
        let index = next.get_mut(packet.towards).get_mut(packet.subflow);
        if let (Some(flow), Some(index)) = (flow, index) {
            let payload = flow.payload(*index);
            *index += 1;
            if let Some((dsn, row)) = payload.and_then(|payload| flow.target(payload.start)) {
                let numbering = numbers.get(packet.towards);
                data.dsn = numbering.real(dsn);
                data.relative_dsn = numbering.relative(dsn);
                // Linux repeats a mapping in each of the segments it covers.
                let own = payload.is_some_and(|payload| payload.own == Some(dsn));
                data.mapping_row = Some(if own { packet.row } else { row });
            }
        }
        packets.push(data);
    }
    packets
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
            flow.start = flow.positions;
        }
        flow
    }

    /// Positions as they were before the flow's first packet.
    pub fn start(&self) -> Positions {
        self.start
    }

    /// Takes in a packet and its mapping; returns where its payload lies.
    fn read(&mut self, packet: &Travelling<'_>, numbering: &mut Numbers) -> Option<Payload> {
        let (start, length) = place(&mut self.positions, packet.segment);
        let own = self.note_mapping(packet, start, numbering);
        (length > 0).then_some(Payload { start, length, own })
    }

    /// Takes in the mapping of a packet whose payload begins at `position`; returns the working DSN that it gives to
    /// that octet.
    fn note_mapping(&mut self, packet: &Travelling<'_>, position: u64, numbering: &mut Numbers) -> Option<u64> {
        let segment = packet.segment;
        if let Some(dss) = &segment.dss
            && let Some(mapping) = dss.mapping
        {
            let dsn = numbering.working(mapping.dsn, dss.has(Dss::DSN_8));
            let base = self.base?;
            // A DATA_FIN takes the last octet of a mapping and has none in the subflow (RFC 8684 §3.3.3).
            let data = u64::from(mapping.length).saturating_sub(u64::from(dss.has(Dss::DATA_FIN)));
            let start = base.saturating_add(near(position.saturating_sub(base), mapping.ssn));
            let target = Target { dsn, row: packet.row };
            if mapping.length == 0 {
                // Without data it maps nothing, whatever its sender meant.
                if segment.payload.is_none_or(|length| length > 0) {
                    self.infinite.get_or_insert((start, target));
                }
                None
            } else {
                self.map(start, data, target);
                let into = position.checked_sub(start).filter(|into| *into < data)?;
                dsn.checked_add(into)
            }
        } else if let Some(capable) = segment.capable()
            && let Some(length) = capable.data_length
            && let Some(dsn) = numbering.first()
        {
            // The first data of version 1 is mapped by MP_CAPABLE itself (RFC 8684 §3.1).
            self.map(position, u64::from(length), Target { dsn, row: packet.row });
            Some(dsn)
        } else {
            None
        }
    }

    fn map(&mut self, start: u64, length: u64, target: Target) {
        let end = start.saturating_add(length);
        let at = |position: u64| Target { dsn: target.dsn.saturating_add(position - start), row: target.row };
        self.mappings.fill(start, end, at);
    }

    /// The payload of the flow's packet number `index`.
    pub fn payload(&self, index: usize) -> Option<Payload> {
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

    /// Appends the parts of `start..end` that are mapped to `parts`.
    #[inline]
    pub fn mapped_into(&self, start: u64, end: u64, parts: &mut Vec<Mapped>) {
        let pieces = self.mappings.overlaps(start, end);
        parts.extend(pieces.map(|piece| Mapped { length: piece.length(), dsn: dsn_in(&piece) }));
        if let Some((from, target)) = self.infinite {
            for (first, last) in self.mappings.gaps(start.max(from), end) {
                parts.push(Mapped { length: last - first, dsn: target.dsn.saturating_add(first - from) });
            }
        }
    }

    /// The parts of `start..end` that are mapped.
    pub fn mapped(&self, start: u64, end: u64) -> Vec<Mapped> {
        let mut parts = Vec::new();
        self.mapped_into(start, end, &mut parts);
        parts
    }
}

/// Where the payload of the flow's next packet begins, and its octets.
pub fn place(positions: &mut Positions, segment: &Segment) -> (u64, u64) {
    let position = positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
    (position, u64::from(segment.payload.unwrap_or(0)))
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
