//! Round trips at the data level: from the first sending of data, on whichever subflow, to the DATA_ACK that covers it.

use std::collections::BTreeMap;

use super::Sample;
use crate::Instant;
use crate::interrupt::interruptible;
use crate::tracking::Role;
use crate::tracking::data::Carried;

/// Data under way.
struct Sent {
    end: u64,
    time: Instant,
    subflow: usize,
}

/// Samples of the data towards `towards`, in the order of time, each with the index of the subflow that first sent its
/// data. One sample is taken of each range of data that one packet was the first to send, when a DATA_ACK on any
/// subflow first covers all of it.
pub fn measure(level: &Carried, towards: Role) -> Vec<(usize, Sample)> {
    let mut samples = Vec::new();
    let origin = origin(level, towards);
    let mut under_way: BTreeMap<u64, Sent> = BTreeMap::new();
    let mut highest = 0;
    for packet in interruptible(&level.packets) {
        if packet.towards == towards {
            // What was acknowledged before it was seen to be sent has no round trip here.
            for (start, end) in interruptible(packet.fresh.iter().filter(|(_, end)| *end > highest)) {
                let sent = Sent { end: *end, time: packet.time, subflow: packet.subflow };
                under_way.insert(*start, sent);
            }
        } else if let Some(acknowledged) = packet.data_ack {
            highest = highest.max(acknowledged);
            while let Some(first) = under_way.first_entry()
                && first.get().end <= acknowledged
            {
                let (start, sent) = first.remove_entry();
                let span = packet.time - sent.time;
                let dsn = Some(start.saturating_sub(origin));
                samples.push((sent.subflow, Sample { row: packet.row, time: packet.time, span, dsn }));
            }
        }
    }
    samples
}

/// The working number that counts as 0: the IDSN, or the byte before the lowest one seen.
fn origin(level: &Carried, towards: Role) -> u64 {
    let own = level.packets.iter().filter(|packet| packet.towards == towards);
    let lowest = || own.flat_map(|packet| &packet.fresh).map(|(start, _)| *start).min();
    level.first.get(towards).or_else(lowest).map_or(0, |first| first.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketRow;
    use crate::time::short::at;
    use crate::tracking::data::DataPacket;

    fn packet(time: i64, subflow: usize, fresh: &[(u64, u64)], data_ack: Option<u64>) -> DataPacket {
        let towards = if data_ack.is_some() { Role::Client } else { Role::Server };
        let mapped = fresh.iter().map(|(start, end)| end - start).sum();
        DataPacket {
            row: PacketRow(0),
            subflow,
            towards,
            time: at(time),
            mapped,
            unmapped: 0,
            fresh: fresh.to_vec(),
            data_ack,
        }
    }

    #[test]
    fn a_cumulative_data_ack_on_any_subflow_counts_for_the_subflow_that_sent_first() {
        let packets = vec![
            packet(0, 0, &[(1, 101)], None),
            packet(10, 1, &[(101, 201)], None),
            packet(20, 0, &[(201, 301)], None),
            // All of the first, half of the second.
            packet(30, 1, &[], Some(151)),
            packet(40, 0, &[], Some(301)),
            // Nothing new.
            packet(50, 0, &[], Some(301)),
            // Acknowledged before it was seen.
            packet(60, 0, &[], Some(401)),
            packet(61, 0, &[(301, 401)], None),
            packet(70, 0, &[], Some(401)),
        ];
        let level = Carried { packets, ..Carried::default() };
        let found: Vec<_> = measure(&level, Role::Server)
            .iter()
            .map(|(s, sample)| (*s, sample.span.nanoseconds(), sample.dsn))
            .collect();
        assert_eq!(found, [(0, 30, Some(1)), (1, 30, Some(101)), (0, 20, Some(201))]);
        assert!(measure(&level, Role::Client).is_empty());
    }
}
