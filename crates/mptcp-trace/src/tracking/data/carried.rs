//! A connection's packets in the order of time, with the data that each was the first to carry: what delays are
//! measured on.

use super::flow::Carriage;
use super::mappings;
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::tracking::role::{ByRole, Role};
use crate::tracking::sequence::RangeSet;
use crate::tracking::travelling::in_one_place;
use crate::tracking::{Connection, Tracking};
use crate::{Instant, PacketRow};

/// One packet at the data level. Data sequence numbers are working ones: they compare, but are not those on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataPacket {
    /// Its row.
    pub row: PacketRow,
    /// Index of its subflow in [`Connection::subflows`].
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
    pub fresh: Vec<(u64, u64)>,
    /// DATA_ACK, of the data that travels the other way.
    pub data_ack: Option<u64>,
}

/// A connection's packets at the data level.
#[derive(Debug, Clone, Default)]
pub struct Carried {
    /// In the order of time; packets of the same time in the order of the file.
    pub packets: Vec<DataPacket>,
    /// Number of the first byte of data either way; `None` without the sender's key.
    pub first: ByRole<Option<u64>>,
    /// Packets that stand in the file behind one recorded later.
    pub misplaced: usize,
}

/// Works out what each packet of `connection` was the first to carry.
#[must_use]
pub fn carried(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> Carried {
    let travelling = in_one_place(segments, tracking, connection);
    let (flows, acknowledged, numbers) = mappings::collect(&travelling, tracking, connection);
    let count = connection.subflows.len();
    let mut next = ByRole { server: vec![0_usize; count], client: vec![0_usize; count] };
    let empty = || vec![RangeSet::default(); count];
    let mut sent = ByRole { server: empty(), client: empty() };
    let mut packets = Vec::with_capacity(travelling.len());
    let mut misplaced = 0;
    let mut latest = Instant::MIN;
    for (packet, data) in interruptible(travelling.iter().zip(acknowledged)) {
        let time = packet.segment.abstime;
        misplaced += usize::from(time < latest);
        latest = latest.max(time);
        let index = next.get_mut(packet.towards).get_mut(packet.subflow);
        let flow = flows.get(packet.towards).get(packet.subflow);
        let (Some(index), Some(flow)) = (index, flow) else { continue };
        let payload = flow.payload(*index);
        *index += 1;
        let (start, length) = payload.map_or((0, 0), |payload| (payload.start, payload.data));
        let end = start.saturating_add(length);
        let known = sent.get_mut(packet.towards).get_mut(packet.subflow);
        let Some(known) = known else { continue };
        let new: u64 = known.gaps(start, end).map(|(first, last)| last - first).sum();
        let mut parts = if new > 0 { flow.newly_mapped(known, start, end) } else { Vec::new() };
        let beside = parts.extract_if(.., |part| !matches!(part.carriage, Carriage::Mapping | Carriage::Infinite));
        let exempt = beside.filter(|part| part.carriage != Carriage::Plain).map(|part| part.length).sum();
        // What was sent before under the same numbers carried the same data.
        let again = if new < length { flow.mapped_bytes(start, end).min(length - new) } else { 0 };
        let mapped = parts.iter().map(|part| part.length).sum::<u64>().saturating_add(again);
        packets.push(DataPacket {
            row: packet.row,
            subflow: packet.subflow,
            towards: packet.towards,
            time,
            mapped,
            unmapped: length.saturating_sub(mapped).saturating_sub(exempt),
            fresh: parts.iter().map(|part| (part.dsn, part.dsn.saturating_add(part.length))).collect(),
            data_ack: data.working_data_ack,
        });
    }
    packets.sort_by_key(|packet| packet.time);
    let mut seen = ByRole::<RangeSet>::default();
    for packet in interruptible(&mut packets) {
        packet.fresh = not_seen(seen.get_mut(packet.towards), std::mem::take(&mut packet.fresh));
    }
    let first = ByRole { server: numbers.server.first(), client: numbers.client.first() };
    Carried { packets, first, misplaced }
}

/// The parts of `ranges` that are not in `seen`, which they are added to; neighbours merged.
fn not_seen(seen: &mut RangeSet, mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut fresh: Vec<(u64, u64)> = Vec::with_capacity(ranges.len());
    for (start, end) in interruptible(ranges) {
        for (first, last) in interruptible(seen.gaps(start, end)) {
            match fresh.last_mut() {
                Some(before) if before.1 == first => before.1 = last,
                _ => fresh.push((first, last)),
            }
        }
        seen.insert(start, end);
    }
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_new_is_fresh() {
        let mut seen = RangeSet::default();
        assert_eq!(not_seen(&mut seen, vec![(20, 30), (10, 20)]), [(10, 30)]);
        assert_eq!(not_seen(&mut seen, vec![(5, 40)]), [(5, 10), (30, 40)]);
        assert_eq!(not_seen(&mut seen, vec![(5, 40)]), []);
        assert_eq!(not_seen(&mut seen, Vec::new()), []);
    }
}
