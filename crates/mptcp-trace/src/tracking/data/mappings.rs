//! The first pass: mappings of subflow bytes to data bytes.

use super::bases::Evidence;
use super::flow::{Payload, SubflowDirection};
use super::numbers::Numbers;
use super::plain::Initial;
use super::probes::DataProgress;
use crate::interrupt::interruptible;
use crate::packets::segment::Dss;
use crate::tracking::role::{ByRole, Role};
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, Tracking};

/// All flows of a connection: by direction, then by subflow.
pub type Flows = ByRole<Vec<SubflowDirection>>;

/// Result of the first pass.
pub struct FirstPass {
    pub flows: Flows,
    pub numbers: ByRole<Numbers>,
    /// How far the data of either direction came.
    pub courses: ByRole<DataProgress>,
    /// The initial subflow; `None` when the capture lacks its handshake.
    pub initial: Option<Initial>,
}

/// A packet that the first pass has taken in.
pub struct Read<'p, 'a> {
    pub packet: &'p Travelling<'a>,
    /// Its DATA_ACK, a working number.
    pub data_ack: Option<u64>,
    /// Where its payload lies in its flow.
    pub payload: Payload,
    /// With the mappings that came until now.
    pub flow: &'p SubflowDirection,
}

/// The first pass over the packets that `packets` gives again each time: the mappings of all flows. `note` is given each
/// packet.
pub fn flows<'a, I: Iterator<Item = Travelling<'a>>>(
    packets: impl Fn() -> I,
    tracking: &Tracking,
    connection: &Connection,
    mut note: impl FnMut(&Read<'_, 'a>),
) -> FirstPass {
    let flows_of = |towards: Role| {
        let ids = connection.subflows.iter();
        ids.map(|id| SubflowDirection::new(tracking, *id, towards)).collect::<Vec<SubflowDirection>>()
    };
    let mut flows = Flows { server: flows_of(Role::Server), client: flows_of(Role::Client) };
    find_bases(&packets, &mut flows);
    let mut numbers = Numbers::of(connection);
    let mut courses = ByRole::<DataProgress>::default();
    let mut initial = Initial::of(tracking, connection);
    // Not a `for` loop: what the packets come out of is a chain, which is quicker from within.
    interruptible(packets()).for_each(|packet| {
        let dss = packet.segment.dss();
        let number = dss.and_then(|dss| Some((dss.data_ack?, dss.has(Dss::DATA_ACK_8))));
        let data_ack = number.map(|(sent, wide)| {
            let data_ack = numbers.get_mut(packet.towards.other()).working(sent, wide);
            courses.get_mut(packet.towards.other()).acknowledge(data_ack, packet.segment);
            data_ack
        });
        let (numbering, course) = (numbers.get_mut(packet.towards), courses.get_mut(packet.towards));
        let Some(flow) = flows.get_mut(packet.towards).get_mut(packet.subflow) else { return };
        let payload = flow.read(&packet, numbering, course);
        note(&Read { packet: &packet, data_ack, payload, flow });
        if let Some(initial) = &mut initial {
            initial.push(&packet, payload, &flows);
        }
    });
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
    FirstPass { flows, numbers, courses, initial }
}

/// Finds out where the numbers of those flows count from whose SYN was not captured; and whether those with data in the
/// SYN count from behind them.
fn find_bases<'a, I: Iterator<Item = Travelling<'a>>>(packets: impl Fn() -> I, flows: &mut Flows) {
    let missing = |flows: &[SubflowDirection]| -> Vec<Option<Evidence>> {
        let unsure = |flow: &SubflowDirection| flow.base.is_none() || flow.fast_open.is_some();
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
