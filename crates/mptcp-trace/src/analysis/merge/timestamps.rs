//! TCP timestamps of both captures in numbers that compare.
//!
//! A firewall that hides the clocks of the hosts behind it (`scrub reassemble tcp` of OpenBSD's pf, some load balancers)
//! adds a number of its own to TSval in one direction and takes it off TSecr in the other. So timestamps are relative to
//! the stream, as sequence numbers are to the ISN. The number shows in packets that need no timestamps to be told apart.
//! Where nearly all of those do not share one, timestamps do not say which packet is which: something took them out or
//! rewrote them packet by packet. They are then left out.

use std::collections::{HashMap, HashSet};

use super::directions::{MergedDirection, Packet};
use crate::interrupt::interruptible;

/// Packets that are looked at for the shift, about; chosen alike in both captures.
const SAMPLE: usize = 4096;

/// Identity of a packet without its timestamps.
#[derive(PartialEq, Eq, Hash)]
struct TimestampPlace {
    sequence: u32,
    acknowledgement: u32,
    length: Option<u32>,
    flags: u16,
}

/// What is to be added to a number of the second capture's timestamps to make it the first one's; `None` where the two
/// do not compare.
type Shift = Option<u32>;

/// Makes the timestamps of a direction comparable, whose sequence numbers are so already. Where a number of them does not
/// compare it becomes 0 in both captures, and where neither does the timestamps become `None`.
pub fn align(direction: &mut MergedDirection) {
    let (value, echo) = shifts(direction);
    let compared = |timestamps: Option<(u32, u32)>, second: bool| {
        if value.is_none() && echo.is_none() {
            return None;
        }
        let (tsval, tsecr) = timestamps?;
        let first = |number: u32, shift: Shift| match shift {
            Some(shift) if second => number.wrapping_add(shift),
            Some(_) => number,
            None => 0,
        };
        // An echo of 0 says that there is nothing to echo yet (RFC 7323 §3.2), and is left alone by what shifts others.
        let tsecr = Some(first(tsecr, echo)).filter(|number| Some(*number) != echo);
        Some((first(tsval, value), tsecr.unwrap_or(0)))
    };
    for packet in interruptible(&mut direction.first) {
        packet.timestamps = compared(packet.timestamps, false);
    }
    for packet in interruptible(&mut direction.second) {
        packet.timestamps = compared(packet.timestamps, true);
    }
}

/// The shift of TSval and that of TSecr.
fn shifts(direction: &MergedDirection) -> (Shift, Shift) {
    let shows = |packets: &[Packet]| packets.iter().any(|packet| packet.timestamps.is_some());
    if !shows(&direction.first) || !shows(&direction.second) {
        return (None, None);
    }
    let larger = direction.first.len().max(direction.second.len());
    let one_of = u32::try_from(larger / SAMPLE).unwrap_or(u32::MAX).saturating_add(1);
    let (first, second) = (by_place(&direction.first, one_of), by_place(&direction.second, one_of));
    let common = || first.iter().filter_map(|(place, packets)| Some((packets, second.get(place)?)));
    // Packets that are there once tell best, then those that are there as often at both ends.
    let found = [true, false].into_iter().find_map(|alone| {
        let (mut values, mut echoes) = (Votes::default(), Votes::default());
        for (first, second) in interruptible(common()) {
            if first.len() == second.len() && (first.len() == 1) == alone {
                first.iter().zip(second).for_each(|(one, other)| vote(one, other, (&mut values, &mut echoes)));
            }
        }
        (values.all > 0).then(|| {
            let (unknown, value) = (echoes.all == 0, values.winner());
            // What shifts one number shifts the other, too.
            (value, if unknown && value != Some(0) { None } else { echoes.winner() })
        })
    });
    found.unwrap_or_else(|| {
        let is_there = |(first, second): (&Vec<&Packet>, &Vec<&Packet>)| {
            let known: HashSet<_> = first.iter().map(|one| one.timestamps).collect();
            second.iter().any(|other| known.contains(&other.timestamps))
        };
        let as_it_is = (common().next().is_none() || common().any(is_there)).then_some(0);
        (as_it_is, as_it_is)
    })
}

fn vote(one: &Packet, other: &Packet, (values, echoes): (&mut Votes, &mut Votes)) {
    match (one.timestamps, other.timestamps) {
        (Some((value, echo)), Some((other_value, other_echo))) => {
            values.add(value.wrapping_sub(other_value));
            if echo != 0 && other_echo != 0 {
                echoes.add(echo.wrapping_sub(other_echo));
            }
        }
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            values.all = values.all.saturating_add(1);
            echoes.all = echoes.all.saturating_add(1);
        }
    }
}

/// The sampled packets of one capture by their places, in the order of time; of a place that many have, some.
fn by_place(packets: &[Packet], one_of: u32) -> HashMap<TimestampPlace, Vec<&Packet>> {
    const MOST: usize = 16;
    let mut found: HashMap<TimestampPlace, Vec<&Packet>> = HashMap::new();
    for packet in interruptible(packets) {
        // Both captures choose the same places, whatever else either holds.
        let chosen = (packet.sequence ^ packet.acknowledgement.rotate_left(16)).wrapping_mul(0x9e37_79b1) >> 8;
        if chosen % one_of != 0 {
            continue;
        }
        let place = TimestampPlace {
            sequence: packet.sequence,
            acknowledgement: packet.acknowledgement,
            length: packet.length,
            flags: packet.flags,
        };
        let there = found.entry(place).or_default();
        if there.len() < MOST {
            there.push(packet);
        }
    }
    found
}

/// Count of each shift.
#[derive(Default)]
struct Votes {
    shifts: HashMap<u32, u32>,
    all: u32,
}

impl Votes {
    fn add(&mut self, shift: u32) {
        self.all = self.all.saturating_add(1);
        let count = self.shifts.entry(shift).or_default();
        *count = count.saturating_add(1);
    }

    /// The shift that all share but for one in fifty, each of which may be another copy at either end. Where two of those
    /// share another number, something shifted the clock otherwise for a while. One packet alone fits any number, and is
    /// believed when it is 0.
    fn winner(self) -> Shift {
        if self.all == 0 {
            return Some(0);
        }
        // Of equals the smallest, so that the same captures always give the same answer.
        let rank = |(shift, count): (&u32, &u32)| (*count, std::cmp::Reverse(*shift));
        let (count, std::cmp::Reverse(shift)) = self.shifts.iter().map(rank).max()?;
        let another = self.shifts.iter().any(|(other, count)| *other != shift && *count > 1);
        let shared = shift == 0 || count > 1;
        (shared && !another && u64::from(count) * 50 >= u64::from(self.all) * 49).then_some(shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketRow;
    use crate::time::short::at;

    fn packet(sequence: u32, timestamps: Option<(u32, u32)>) -> Packet {
        Packet {
            row: PacketRow(0),
            time: at(0),
            sequence,
            acknowledgement: 1,
            length: Some(100),
            flags: 0x10,
            timestamps,
            position: 0,
        }
    }

    /// Timestamps of both captures after alignment.
    fn aligned(first: &[Option<(u32, u32)>], second: &[Option<(u32, u32)>]) -> [Vec<Option<(u32, u32)>>; 2] {
        let numbered = |all: &[Option<(u32, u32)>]| (0..).zip(all).map(|(at, own)| packet(at, *own)).collect();
        let mut direction = MergedDirection { first: numbered(first), second: numbered(second) };
        align(&mut direction);
        [direction.first, direction.second].map(|packets| packets.iter().map(|packet| packet.timestamps).collect())
    }

    #[test]
    fn a_shift_of_each_number_is_taken_off() {
        // TSval is 10 more in the second capture, and wraps; TSecr is 7 less, but for the one that echoes nothing.
        let first = [Some((u32::MAX - 1, 0)), Some((u32::MAX, 20)), Some((5, 7)), Some((6, 30))];
        let second = [Some((8, 0)), Some((9, 13)), Some((15, 0)), Some((16, 23))];
        let [one, other] = aligned(&first, &second);
        assert_eq!(one, other);
        // An echo that the shift makes 0 cannot be told from one of nothing.
        assert_eq!(one, [Some((u32::MAX - 1, 0)), Some((u32::MAX, 20)), Some((5, 0)), Some((6, 30))]);
    }

    #[test]
    fn what_does_not_compare_is_left_out() {
        let first = [Some((1, 2)), Some((2, 3)), Some((3, 4))];
        // TSval rewritten packet by packet, TSecr not.
        assert_eq!(
            aligned(&first, &[Some((900, 2)), Some((17, 3)), Some((400, 4))]),
            [[Some((0, 2)), Some((0, 3)), Some((0, 4))]; 2].map(Vec::from)
        );
        // Taken out of all, of most packets.
        assert_eq!(aligned(&first, &[None, None, None]), [[None; 3]; 2].map(Vec::from));
        assert_eq!(aligned(&first, &[Some((1, 2)), None, None]), [[None; 3]; 2].map(Vec::from));
    }

    #[test]
    fn packets_that_are_there_several_times_tell_where_no_others_do() {
        let all = |ticks: &[u32]| ticks.iter().map(|tick| packet(1, Some((*tick, 0)))).collect();
        let compared = |first: &[u32], second: &[u32]| {
            let mut direction = MergedDirection { first: all(first), second: all(second) };
            align(&mut direction);
            direction.second.iter().map(|packet| packet.timestamps).collect::<Vec<_>>()
        };
        assert_eq!(compared(&[10, 20], &[1010, 1020]), [Some((10, 0)), Some((20, 0))]);
        // Of two one arrived: its clock is known where nothing shifted it.
        assert_eq!(compared(&[10, 20], &[20]), [Some((20, 0))]);
        assert_eq!(compared(&[10, 20], &[1020]), [None]);
    }

    #[test]
    fn without_packets_in_common_nothing_is_shifted() {
        let mut direction =
            MergedDirection { first: vec![packet(1, Some((5, 6)))], second: vec![packet(2, Some((7, 8)))] };
        align(&mut direction);
        assert_eq!(direction.second[0].timestamps, Some((7, 8)));
    }
}
