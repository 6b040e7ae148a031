//! Numbers of streams and connections are the file's, whatever the order in which its packets are taken, and whichever
//! of them are left out.

use super::Tracking;
use crate::interrupt::interruptible;

/// Gives the streams and connections of `tracking` the order that they have in the file. `tracking` took the packets of
/// `rows` in that order, `in_file` all packets in the order of the file: its numbers are Wireshark's.
#[must_use]
pub fn as_in_file(mut tracking: Tracking, in_file: &Tracking, rows: &[u32]) -> Tracking {
    // The first packet of each stream in the file, and the number that it has there.
    let mut places: Vec<(u32, u32)> = Vec::with_capacity(tracking.streams.len());
    for stream in interruptible(&tracking.streams) {
        let first = stream.packets.iter().filter_map(|row| rows.get(*row as usize)).min();
        let first = first.copied().unwrap_or(u32::MAX);
        let number = in_file.packets.get(first as usize).map_or(u32::MAX, |packet| packet.stream);
        places.push((number, first));
    }
    let mut connection_places = vec![(u32::MAX, u32::MAX); tracking.connections.len()];
    for subflow in interruptible(tracking.subflows.iter().flatten()) {
        let own = connection_places.get_mut(subflow.wireshark as usize);
        let (Some(own), Some((number, first))) = (own, places.get(subflow.stream as usize)) else { continue };
        let connection = in_file.subflow(*number).map_or(u32::MAX, |subflow| subflow.wireshark);
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
    tracking.streams.sort_by_key(|stream| stream.id);
    tracking.connections.sort_by_key(|connection| connection.id);
    tracking.subflows = streams.in_order(tracking.subflows);
    tracking
}

/// New numbers by the old ones.
struct Renumbered(Vec<u32>);

impl Renumbered {
    /// In the order of `places`, the place of each old number.
    fn of<P: Ord>(places: &[P]) -> Self {
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|old| places.get(*old));
        let mut numbers = vec![0; places.len()];
        for (new, old) in (0_u32..).zip(order) {
            if let Some(number) = numbers.get_mut(old) {
                *number = new;
            }
        }
        Renumbered(numbers)
    }

    fn number(&self, old: u32) -> u32 {
        self.0.get(old as usize).copied().unwrap_or(old)
    }

    /// What has an old number as its index, by the new ones.
    fn in_order<T>(&self, things: Vec<T>) -> Vec<T> {
        let mut numbered: Vec<(u32, T)> = self.0.iter().copied().zip(things).collect();
        numbered.sort_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, thing)| thing).collect()
    }
}
