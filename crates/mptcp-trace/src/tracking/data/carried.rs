//! A connection's packets in the order of time, with the data that each was the first to carry: what delays are
//! measured on.

use super::flow::{Carriage, Mapped, Payload, SubflowDirection};
use super::mappings::Read;
use super::numbers::Numbers;
use super::walk::{Mappings, Placed};
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::tracking::role::{ByRole, Role};
use crate::tracking::sequence::RangeSet;
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, Tracking};
use crate::{Instant, PacketRow};

/// One packet at the data level. Data sequence numbers are working ones: they compare, but are not those on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataPacket<'p> {
    /// Its row.
    pub row: PacketRow,
    /// Index of its subflow in [`crate::Connection::subflows`].
    pub subflow: usize,
    /// Which end of the connection it travels towards.
    pub towards: Role,
    /// When it was recorded.
    pub time: Instant,
    /// Bytes of its payload that a mapping covers.
    pub mapped: u64,
    /// Bytes of its payload that none covers; those that a SYN carries (TCP Fast Open) are not meant to have one.
    pub unmapped: u64,
    /// Ranges of data (start, end exclusive) that no earlier packet carried on any subflow, lowest first.
    pub fresh: &'p [(u64, u64)],
    /// DATA_ACK, of the data that travels the other way.
    pub data_ack: Option<u64>,
}

impl Mappings<'_> {
    /// Number of the first byte of data either way; `None` without the sender's key.
    #[must_use]
    pub fn first(&self) -> ByRole<Option<u64>> {
        let numbers = self.numbers();
        ByRole { server: numbers.server.first(), client: numbers.client.first() }
    }

    /// Shows `visit` each packet in the order of time, those of the same time in the order of the file, and what it was
    /// the first to carry. Returns how many packets stand in the file behind one recorded later.
    pub fn carried(&self, mut visit: impl FnMut(&DataPacket<'_>)) -> usize {
        let (found, mut places) = self.in_one_place();
        let mut order = Order { later: Vec::new(), latest: Instant::MIN, misplaced: 0, seen: ByRole::default() };
        let mut carrying = Carrying::new(self.connection());
        for packet in interruptible(self.packets().filter(|packet| !packet.elsewhere)) {
            let flow = found.flows.get(packet.towards).get(packet.subflow);
            let (Some(Placed { payload, data_ack }), Some(flow)) = (places.next(&packet), flow) else { continue };
            let Some(packet) = carrying.next(&packet, flow, payload, data_ack) else { continue };
            order.push(packet, &mut carrying.ranges, self.is_in_time_order(), &mut visit);
        }
        order.finish(&mut visit)
    }
}

impl<'a> Mappings<'a> {
    /// Shows each packet of a connection to a course, as [`Mappings::carried`] does, and returns it with the number of
    /// misplaced packets. `course` makes one of the numbers of the first bytes of data ([`Mappings::first`]).
    ///
    /// Mostly packets come in the order of time, and mappings with their data or before: then one pass does. At the first
    /// packet of which that is not so, this is given up; a new course sees the packets in a second pass.
    pub fn carried_at_once<C>(
        segments: &'a [Segment],
        tracking: &'a Tracking,
        connection: &'a Connection,
        course: impl Fn(ByRole<Option<u64>>) -> C,
        mut see: impl FnMut(&mut C, &DataPacket<'_>),
    ) -> (C, usize) {
        let numbers = Numbers::of(connection);
        let first = ByRole { server: numbers.server.first(), client: numbers.client.first() };
        let mut at_once = Some((Carrying::new(connection), ByRole::<RangeSet>::default(), course(first)));
        let mut latest = Instant::MIN;
        let mappings = Self::collected(segments, tracking, connection, |read| {
            let Read { packet, data_ack, payload, flow } = *read;
            let time = packet.segment.abstime;
            if packet.elsewhere || time < latest || !flow.has_mapped(payload) {
                at_once = None;
            }
            latest = time;
            let Some((carrying, seen, course)) = &mut at_once else { return };
            let Some(packet) = carrying.next(packet, flow, payload, data_ack) else { return };
            keep_new(seen.get_mut(packet.towards), &mut carrying.ranges);
            see(course, &DataPacket { fresh: &carrying.ranges, ..packet });
        });
        if let Some((_, _, course)) = at_once {
            return (course, 0);
        }
        let mut course = course(mappings.first());
        let misplaced = mappings.carried(|packet| see(&mut course, packet));
        (course, misplaced)
    }
}

/// What each subflow carried, while its packets come in the order of the file.
struct Carrying {
    sent: ByRole<Vec<RangeSet>>,
    parts: Vec<Mapped>,
    /// Of the current packet, what its subflow had not carried before.
    ranges: Ranges,
}

impl Carrying {
    fn new(connection: &Connection) -> Self {
        let none = || vec![RangeSet::default(); connection.subflows.len()];
        Carrying { sent: ByRole { server: none(), client: none() }, parts: Vec::new(), ranges: Ranges::new() }
    }

    /// Takes in the next packet, but for what others carried of its data.
    #[inline]
    fn next(
        &mut self,
        packet: &Travelling<'_>,
        flow: &SubflowDirection,
        payload: Payload,
        data_ack: Option<u64>,
    ) -> Option<DataPacket<'static>> {
        let sent = self.sent.get_mut(packet.towards).get_mut(packet.subflow)?;
        let new = flow.newly_mapped(sent, payload.start, payload.end(), &mut self.parts);
        let mut carried = DataPacket {
            row: packet.row,
            subflow: packet.subflow,
            towards: packet.towards,
            time: packet.segment.abstime,
            mapped: 0,
            unmapped: 0,
            fresh: &[],
            data_ack,
        };
        let mut exempt: u64 = 0;
        self.ranges.clear();
        for part in self.parts.drain(..) {
            if matches!(part.carriage, Carriage::Mapping | Carriage::Infinite) {
                carried.mapped += part.length;
                self.ranges.push((part.dsn, part.dsn.saturating_add(part.length)));
            } else if part.carriage != Carriage::Plain {
                exempt += part.length;
            }
        }
        // What was sent before under the same numbers carried the same data.
        if new < payload.data {
            let again = flow.mapped_bytes(payload.start, payload.end()).min(payload.data - new);
            carried.mapped = carried.mapped.saturating_add(again);
        }
        carried.unmapped = payload.data.saturating_sub(carried.mapped).saturating_sub(exempt);
        Some(carried)
    }
}

/// Ranges of data (start, end exclusive).
type Ranges = Vec<(u64, u64)>;

/// Puts packets in the order of time, where that is not the order of the file.
struct Order {
    /// Packets that wait for those that may come before them, with what they carried on their subflow.
    later: Vec<(DataPacket<'static>, Ranges)>,
    latest: Instant,
    misplaced: usize,
    /// What was seen of either direction.
    seen: ByRole<RangeSet>,
}

impl Order {
    fn push(
        &mut self,
        packet: DataPacket<'static>,
        ranges: &mut Ranges,
        in_order: bool,
        visit: &mut impl FnMut(&DataPacket<'_>),
    ) {
        self.misplaced += usize::from(packet.time < self.latest);
        self.latest = self.latest.max(packet.time);
        if in_order {
            keep_new(self.seen.get_mut(packet.towards), ranges);
            visit(&DataPacket { fresh: ranges, ..packet });
        } else {
            self.later.push((packet, std::mem::take(ranges)));
        }
    }

    fn finish(mut self, visit: &mut impl FnMut(&DataPacket<'_>)) -> usize {
        self.later.sort_by_key(|(packet, _)| packet.time);
        for (packet, mut ranges) in interruptible(self.later) {
            keep_new(self.seen.get_mut(packet.towards), &mut ranges);
            visit(&DataPacket { fresh: &ranges, ..packet });
        }
        self.misplaced
    }
}

/// Leaves of `ranges` the parts that are not in `seen`, which they are added to; neighbours merged.
fn keep_new(seen: &mut RangeSet, ranges: &mut Ranges) {
    if let [(start, end)] = ranges.as_slice()
        && !seen.reaches_into(*start, *end)
    {
        // Most data goes once.
        seen.insert(*start, *end);
        return;
    }
    ranges.sort_unstable();
    let mut fresh: Ranges = Vec::with_capacity(ranges.len());
    for (start, end) in interruptible(ranges.drain(..)) {
        for (first, last) in interruptible(seen.gaps(start, end)) {
            match fresh.last_mut() {
                Some(before) if before.1 == first => before.1 = last,
                _ => fresh.push((first, last)),
            }
        }
        seen.insert(start, end);
    }
    *ranges = fresh;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_fresh() {
        let mut seen = RangeSet::default();
        let mut not_seen = |mut ranges: Ranges| {
            keep_new(&mut seen, &mut ranges);
            ranges
        };
        assert_eq!(not_seen(vec![(20, 30), (10, 20)]), [(10, 30)]);
        assert_eq!(not_seen(vec![(5, 40)]), [(5, 10), (30, 40)]);
        assert_eq!(not_seen(vec![(5, 40)]), []);
        assert_eq!(not_seen(Vec::new()), []);
        assert_eq!(not_seen(vec![(40, 50)]), [(40, 50)]);
    }
}
