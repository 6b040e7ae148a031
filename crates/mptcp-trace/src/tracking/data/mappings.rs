//! The first pass: mappings of subflow bytes to data bytes, and the data sequence number of each packet.

use super::bases::Evidence;
use super::flow::{Flow, Payload};
use super::numbers::Numbers;
use super::plain::Initial;
use super::probes::Course;
use crate::PacketRow;
use crate::interrupt::interruptible;
use crate::packets::segment::Dss;
use crate::tracking::role::{ByRole, Role};
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, Tracking};

/// Data of one packet at the data level. Numbers are raw; the relative ones count from the IDSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PacketData {
    /// 64-bit DSN of the first payload byte; `None` where no mapping covers it or its high half is not known.
    pub dsn: Option<u64>,
    /// The same relative to the IDSN, the first byte of data being 1; `None` without the sender's key.
    pub relative_dsn: Option<u64>,
    /// Row of the packet whose mapping covers the first payload byte: this packet, if its own does.
    pub mapping_row: Option<PacketRow>,
    /// 64-bit DATA_ACK; `None` where its high half is not known.
    pub data_ack: Option<u64>,
    /// The same relative to the IDSN of the acknowledged data; `None` without that end's key.
    pub relative_data_ack: Option<u64>,
    /// The same as a working number, whether or not its high half is known.
    pub(super) working_data_ack: Option<u64>,
}

/// All flows of a connection: by direction, then by subflow.
pub type Flows = ByRole<Vec<Flow>>;

/// Result of the first pass.
pub struct Found {
    pub flows: Flows,
    pub numbers: ByRole<Numbers>,
    /// The initial subflow; `None` when the capture lacks its handshake.
    pub initial: Option<Initial>,
}

/// First pass: collects the mappings of all flows and what each packet acknowledges; then looks up each payload.
pub fn collect(
    travelling: &[Travelling<'_>],
    tracking: &Tracking,
    connection: &Connection,
) -> (Flows, Vec<PacketData>, ByRole<Numbers>) {
    let mut acknowledged = Vec::with_capacity(travelling.len());
    let Found { flows, numbers, .. } = flows(
        || travelling.iter().copied(),
        tracking,
        connection,
        |_, flow, payload, working| {
            acknowledged.push(working);
            flow.payloads.push(payload);
        },
    );
    let packets = look_up(travelling, &acknowledged, &flows, &numbers);
    (flows, packets, numbers)
}

/// The first pass over the packets that `packets` gives again each time: the mappings of all flows. `note` is given each
/// packet, its flow, its payload, and its DATA_ACK as a working number.
pub fn flows<'a, I: Iterator<Item = Travelling<'a>>>(
    packets: impl Fn() -> I,
    tracking: &Tracking,
    connection: &Connection,
    mut note: impl FnMut(&Travelling<'_>, &mut Flow, Option<Payload>, Option<u64>),
) -> Found {
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
    let mut courses = ByRole::<Course>::default();
    let mut initial = Initial::of(tracking, connection);
    for packet in interruptible(packets()) {
        let dss = packet.segment.dss.as_ref();
        let number = dss.and_then(|dss| Some((dss.data_ack?, dss.has(Dss::DATA_ACK_8))));
        let acknowledged = number.map(|(sent, wide)| {
            let data_ack = numbers.get_mut(packet.towards.other()).working(sent, wide);
            courses.get_mut(packet.towards.other()).acknowledge(data_ack, packet.segment);
            data_ack
        });
        let (numbering, course) = (numbers.get_mut(packet.towards), courses.get_mut(packet.towards));
        let Some(flow) = flows.get_mut(packet.towards).get_mut(packet.subflow) else { continue };
        let payload = flow.read(&packet, numbering, course);
        note(&packet, flow, payload, acknowledged);
        if let Some(initial) = &mut initial {
            initial.push(&packet, payload, &flows);
        }
    }
    let first_of = |towards: Role| {
        let known = numbers.get(towards).first();
        known.or(courses.get(towards).lowest()).unwrap_or(Numbers::FIRST)
    };
    let first = ByRole { server: first_of(Role::Server), client: first_of(Role::Client) };
    for towards in Role::BOTH {
        for flow in interruptible(flows.get_mut(towards)) {
            flow.place_fast_open(*first.get(towards));
        }
    }
    if let Some(initial) = &initial {
        initial.settle(&mut flows, &courses, first);
    }
    Found { flows, numbers, initial }
}

/// Finds out where the numbers of those flows count from whose SYN was not captured; and whether those with data in the
/// SYN count from behind them.
fn find_bases<'a, I: Iterator<Item = Travelling<'a>>>(packets: impl Fn() -> I, flows: &mut Flows) {
    let missing = |flows: &[Flow]| -> Vec<Option<Evidence>> {
        let unsure = |flow: &Flow| flow.base.is_none() || flow.fast_open.is_some();
        flows.iter().map(|flow| unsure(flow).then(|| Evidence::from(flow.start()))).collect()
    };
    let mut evidence = ByRole { server: missing(&flows.server), client: missing(&flows.client) };
    if evidence.server.iter().chain(&evidence.client).all(Option::is_none) {
        return;
    }
    for packet in interruptible(packets()) {
        if let Some(Some(evidence)) = evidence.get_mut(packet.towards).get_mut(packet.subflow) {
            evidence.note(packet.segment);
        }
    }
    for role in Role::BOTH {
        let found = std::mem::take(evidence.get_mut(role));
        for (flow, evidence) in interruptible(flows.get_mut(role).iter_mut().zip(found)) {
            match (flow.base, flow.fast_open, evidence) {
                (None, _, Some(evidence)) => flow.base = evidence.base(),
                (Some(behind), Some((syn, _)), Some(evidence)) if evidence.votes(syn) > evidence.votes(behind) => {
                    // Subflow sequence numbers count from the SYN: its data have mappings like all others.
                    flow.base = Some(syn);
                }
                _ => {}
            }
        }
    }
}

/// Data of each packet, now that all mappings and the high halves of all numbers are known.
fn look_up(
    travelling: &[Travelling<'_>],
    acknowledged: &[Option<u64>],
    flows: &Flows,
    numbers: &ByRole<Numbers>,
) -> Vec<PacketData> {
    let mut next = ByRole { server: vec![0_usize; flows.server.len()], client: vec![0_usize; flows.client.len()] };
    let mut packets = Vec::with_capacity(travelling.len());
    for (packet, acknowledged) in interruptible(travelling.iter().zip(acknowledged)) {
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
