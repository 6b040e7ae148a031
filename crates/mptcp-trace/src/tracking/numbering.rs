//! Numbers of streams and connections are the file's, whatever the order in which its packets are taken, and whichever
//! of them are left out.

use super::Tracking;
use crate::interrupt::interruptible;
use crate::{ConnectionId, Id, IdVec, PacketRow, StreamId};

/// Gives the streams and connections of `tracking` the order that they have in the file. `tracking` took the packets of
/// `rows` in that order, `in_file` all packets in the order of the file: its numbers are Wireshark's.
#[must_use]
pub fn as_in_file(mut tracking: Tracking, in_file: &Tracking, rows: &[PacketRow]) -> Tracking {
    // The first packet of each stream in the file, and the number that it has there.
    let mut places: IdVec<StreamId, (StreamId, PacketRow)> = IdVec::with_capacity(tracking.streams.len());
    for stream in interruptible(&tracking.streams) {
        let first = stream.packets.iter().filter_map(|row| rows.get(row.index())).min();
        let first = first.copied().unwrap_or(PacketRow(u32::MAX));
        let number = in_file.packets.get(first).map_or(StreamId(u32::MAX), |packet| packet.stream);
        places.push((number, first));
    }
    let mut connection_places: IdVec<ConnectionId, (ConnectionId, PacketRow)> =
        vec![(ConnectionId(u32::MAX), PacketRow(u32::MAX)); tracking.connections.len()].into();
    for subflow in interruptible(tracking.subflows.iter().flatten()) {
        let own = connection_places.get_mut(subflow.wireshark);
        let (Some(own), Some((number, first))) = (own, places.get(subflow.stream)) else { continue };
        let connection = in_file.subflow(*number).map_or(ConnectionId(u32::MAX), |subflow| subflow.wireshark);
        *own = (*own).min((connection, *first));
    }
    let connections = Renumbered::of(&connection_places);
    let streams = Renumbered::of(&places);
    for packet in interruptible(&mut tracking.packets) {
        packet.stream = streams.number(packet.stream);
    }
    for stream in interruptible(&mut tracking.streams) {
        stream.id = streams.number(stream.id);
    }
    for subflow in interruptible(tracking.subflows.iter_mut().flatten()) {
        subflow.stream = streams.number(subflow.stream);
        subflow.connection = connections.number(subflow.connection);
        subflow.wireshark = connections.number(subflow.wireshark);
    }
    for connection in interruptible(&mut tracking.connections) {
        connection.id = connections.number(connection.id);
        connection.part_of = connection.part_of.map(|whole| connections.number(whole));
        connection.subflows.iter_mut().for_each(|stream| *stream = streams.number(*stream));
        connection.subflows.sort_unstable();
    }
    for again in interruptible(&mut tracking.again) {
        (again.stream, again.first) = (streams.number(again.stream), streams.number(again.first));
    }
    tracking.streams = streams.in_order(tracking.streams);
    tracking.connections = connections.in_order(tracking.connections);
    tracking.subflows = streams.in_order(tracking.subflows);
    tracking
}

/// New numbers by the old ones.
struct Renumbered<I>(IdVec<I, I>);

impl<I: Id> Renumbered<I> {
    /// In the order of `places`, the place of each old number.
    fn of<P: Ord>(places: &IdVec<I, P>) -> Self {
        let mut order: Vec<I> = places.numbered().map(|(old, _)| old).collect();
        order.sort_by_key(|old| places.get(*old));
        let mut numbers: IdVec<I, I> = vec![I::at(0); places.len()].into();
        for (new, old) in order.into_iter().enumerate() {
            if let Some(number) = numbers.get_mut(old) {
                *number = I::at(new);
            }
        }
        Renumbered(numbers)
    }

    fn number(&self, old: I) -> I {
        self.0.get(old).copied().unwrap_or(old)
    }

    /// Reorders by new numbers what is indexed by old ones.
    fn in_order<T>(&self, things: IdVec<I, T>) -> IdVec<I, T> {
        let mut numbered: Vec<(I, T)> = self.0.iter().copied().zip(things).collect();
        numbered.sort_by_key(|(number, _)| number.index());
        numbered.into_iter().map(|(_, thing)| thing).collect()
    }
}
