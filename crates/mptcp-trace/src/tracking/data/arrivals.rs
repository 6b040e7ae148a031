//! When each byte of data was first seen, on each subflow and on any: at the receiver, when it arrived.

use super::flow::Carriage;
use super::intervals::Intervals;
use super::numbers::Numbers;
use super::walk::Mappings;
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::tracking::role::{ByRole, Role};
use crate::tracking::sequence::RangeSet;
use crate::tracking::{Connection, Tracking};
use crate::{Instant, PacketRow};

/// The packet that first brought a byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Its row.
    pub row: PacketRow,
    /// When it was recorded.
    pub time: Instant,
    /// Index of its subflow in [`Connection::subflows`].
    pub subflow: usize,
}

/// One direction's arrivals by data sequence number; working numbers, see [`Numbers`].
#[derive(Debug, Clone, Default)]
pub struct Arrivals {
    /// On any subflow.
    pub any: Intervals<Arrival>,
    /// On each subflow, in the order of [`Connection::subflows`].
    pub subflows: Vec<Intervals<Arrival>>,
    /// Payload of each subflow, bytes, repeated ones included.
    pub payload: Vec<u64>,
    /// Meaning of the working numbers.
    pub numbers: Numbers,
}

/// When the data of `connection` was first seen, by the direction it travels.
#[must_use]
pub fn arrivals(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> ByRole<Arrivals> {
    let mappings = Mappings::of(segments, tracking, connection);
    let (known, mut places) = mappings.in_one_place();
    let count = connection.subflows.len();
    let empty = |role: Role| Arrivals {
        any: Intervals::default(),
        subflows: vec![Intervals::default(); count],
        payload: vec![0; count],
        numbers: *known.numbers.get(role),
    };
    let mut found = ByRole { server: empty(Role::Server), client: empty(Role::Client) };
    let none = || vec![RangeSet::default(); count];
    let mut sent = ByRole { server: none(), client: none() };
    let mut parts = Vec::new();
    for packet in interruptible(mappings.packets().filter(|packet| !packet.elsewhere)) {
        let flow = known.flows.get(packet.towards).get(packet.subflow);
        let sent = sent.get_mut(packet.towards).get_mut(packet.subflow);
        let (Some(place), Some(flow), Some(sent)) = (places.next(&packet), flow, sent) else { continue };
        let direction = found.get_mut(packet.towards);
        if let Some(sum) = direction.payload.get_mut(packet.subflow) {
            *sum = sum.saturating_add(packet.segment.payload().unwrap_or(0).into());
        }
        flow.newly_mapped(sent, place.payload.start, place.payload.end(), &mut parts);
        let arrival = Arrival { row: packet.row, time: packet.segment.abstime, subflow: packet.subflow };
        for part in parts.drain(..).filter(|part| part.carriage != Carriage::Probe) {
            let end = part.dsn.saturating_add(part.length);
            direction.any.fill(part.dsn, end, |_| arrival);
            if let Some(subflow) = direction.subflows.get_mut(packet.subflow) {
                subflow.fill(part.dsn, end, |_| arrival);
            }
        }
    }
    found
}
