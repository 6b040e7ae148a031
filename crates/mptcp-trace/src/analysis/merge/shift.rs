//! By how much a middlebox between the captures shifted the sequence numbers of a direction.

use std::collections::HashMap;
use std::hash::Hash;

use super::directions::{MergedDirection, Packet};
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;

/// What is to be added to the second capture's sequence numbers to make them the first one's. The initial sequence
/// numbers tell it. Where a capture lacks the handshake it is the shift that most packets have which are the same by
/// their timestamps, by the mapping of data that they carry, or by their numbers as they are.
pub fn of(isn: (Option<u32>, Option<u32>), direction: &MergedDirection, segments: (&[Segment], &[Segment])) -> u32 {
    if let (Some(first), Some(second)) = isn {
        return first.wrapping_sub(second);
    }
    let timestamps = |packet: &Packet| packet.timestamps.map(|timestamps| (timestamps, packet.length, packet.flags));
    let mapping = |segments: &[Segment], packet: &Packet| {
        let mapping = segments.get(packet.row.index())?.mapping()?;
        Some((mapping.dsn, mapping.ssn, mapping.length, packet.length)).filter(|_| mapping.ssn != 0)
    };
    let numbers = |packet: &Packet| Some((packet.sequence, packet.length, packet.flags));
    let found = [
        // Of equals the first, and numbers that nothing shifted are by far the most frequent.
        vote(direction, numbers, numbers),
        vote(direction, timestamps, timestamps),
        vote(direction, |packet| mapping(segments.0, packet), |packet| mapping(segments.1, packet)),
    ];
    let best = found.into_iter().flatten().reduce(|best, next| if next.1 > best.1 { next } else { best });
    best.map_or(0, |(shift, _)| shift)
}

/// The shift that most packets with the same key have, and how many.
fn vote<K: Eq + Hash>(
    direction: &MergedDirection,
    first: impl Fn(&Packet) -> Option<K>,
    second: impl Fn(&Packet) -> Option<K>,
) -> Option<(u32, u32)> {
    let mut numbers: HashMap<K, Option<u32>> = HashMap::new();
    for packet in interruptible(&direction.first) {
        if let Some(key) = first(packet) {
            // What is there twice tells nothing.
            numbers.entry(key).and_modify(|number| *number = None).or_insert(Some(packet.sequence));
        }
    }
    let mut votes: HashMap<u32, u32> = HashMap::new();
    for packet in interruptible(&direction.second) {
        if let Some(Some(number)) = second(packet).and_then(|key| numbers.get(&key)) {
            let count = votes.entry(number.wrapping_sub(packet.sequence)).or_default();
            *count = count.saturating_add(1);
        }
    }
    // Of equals the smallest shift, so that the same captures always give the same answer.
    votes.into_iter().max_by_key(|(shift, count)| (*count, std::cmp::Reverse(*shift)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketRow;
    use crate::packets::segment::flag;
    use crate::time::short::at;

    fn packet(sequence: u32, timestamp: u32) -> Packet {
        Packet {
            row: PacketRow(0),
            time: at(0),
            sequence,
            acknowledgement: 0,
            length: Some(100),
            flags: flag::ACK,
            timestamps: Some((timestamp, 1)),
            position: 0,
        }
    }

    #[test]
    fn a_shift_shows_in_the_handshake_or_in_most_packets() {
        let direction = MergedDirection { first: Vec::new(), second: Vec::new() };
        assert_eq!(of((Some(5), Some(u32::MAX)), &direction, (&[], &[])), 6);
        // Of four packets one is there twice in the first capture and two agree on 1000.
        let first = vec![packet(1100, 7), packet(1200, 8), packet(1300, 9), packet(1300, 9), packet(4000, 10)];
        let second = vec![packet(100, 7), packet(200, 8), packet(300, 9), packet(400, 10)];
        assert_eq!(of((None, Some(3)), &MergedDirection { first, second }, (&[], &[])), 1000);
    }

    #[test]
    fn numbers_that_agree_outweigh_timestamps_that_agree_by_chance() {
        // All sequence numbers agree; timestamps are shifted by two, so that each looks like that of another packet.
        let first = [1100, 1200, 1350, 1500].into_iter().zip(7..).map(|(number, tick)| packet(number, tick)).collect();
        let second = [1100, 1200, 1350, 1500].into_iter().zip(9..).map(|(number, tick)| packet(number, tick)).collect();
        assert_eq!(of((None, None), &MergedDirection { first, second }, (&[], &[])), 0);
    }
}
