//! When each byte of data was first seen, on each subflow and on any: at the receiver, when it arrived.

use super::flow::Carriage;
use super::intervals::Intervals;
use super::mappings;
use super::numbers::Numbers;
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::tracking::role::{ByRole, Role};
use crate::tracking::sequence::RangeSet;
use crate::tracking::travelling::in_one_place;
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
    let travelling = in_one_place(segments, tracking, connection);
    let (flows, _, numbers) = mappings::collect(&travelling, tracking, connection);
    let count = connection.subflows.len();
    let empty = |role: Role| Arrivals {
        any: Intervals::default(),
        subflows: vec![Intervals::default(); count],
        payload: vec![0; count],
        numbers: *numbers.get(role),
    };
    let mut found = ByRole { server: empty(Role::Server), client: empty(Role::Client) };
    let mut next = ByRole { server: vec![0_usize; count], client: vec![0_usize; count] };
    let none = || vec![RangeSet::default(); count];
    let mut sent = ByRole { server: none(), client: none() };
    let mut parts = Vec::with_capacity(travelling.len());
    for packet in interruptible(&travelling) {
        let index = next.get_mut(packet.towards).get_mut(packet.subflow);
        let flow = flows.get(packet.towards).get(packet.subflow);
        let (Some(index), Some(flow)) = (index, flow) else { continue };
        let payload = flow.payload(*index);
        *index += 1;
        let Some(payload) = payload else { continue };
        if let Some(sum) = found.get_mut(packet.towards).payload.get_mut(packet.subflow) {
            *sum = sum.saturating_add(payload.length);
        }
        let arrival = Arrival { row: packet.row, time: packet.segment.abstime, subflow: packet.subflow };
        let Some(known) = sent.get_mut(packet.towards).get_mut(packet.subflow) else { continue };
        let mapped = flow.newly_mapped(known, payload.start, payload.start.saturating_add(payload.data));
        let mapped = mapped.into_iter().filter(|part| part.carriage != Carriage::Probe);
        parts.extend(mapped.map(|part| (packet.towards, arrival, part)));
    }
    for (towards, arrival, part) in interruptible(parts) {
        let end = part.dsn.saturating_add(part.length);
        let direction = found.get_mut(towards);
        direction.any.fill(part.dsn, end, |_| arrival);
        if let Some(subflow) = direction.subflows.get_mut(arrival.subflow) {
            subflow.fill(part.dsn, end, |_| arrival);
        }
    }
    found
}
