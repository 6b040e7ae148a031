//! Round trips at the data level: from the first sending of data, on whichever subflow, to the DATA_ACK that covers it.

use super::RttSample;
use crate::Instant;
use crate::interrupt::interruptible;
use crate::tracking::Role;
use crate::tracking::data::DataPacket;
use crate::tracking::rising::Rising;

/// Data under way.
struct Sent {
    end: u64,
    time: Instant,
    subflow: usize,
}

/// The data towards one end while the packets of a connection come in the order of time.
///
/// One sample is taken of each range of data that one packet was the first to send, when a DATA_ACK on any subflow first
/// covers all of it.
pub struct RttCourse {
    towards: Role,
    /// The first byte of data, where the sender's key tells it.
    first: Option<u64>,
    /// The lowest one seen.
    lowest: Option<u64>,
    under_way: Rising<Sent>,
    highest: u64,
    /// With the index of the subflow that first sent the data, and the data's own numbers.
    samples: Vec<(usize, RttSample)>,
}

impl RttCourse {
    /// Before the first packet; `first` is the number of the first byte of data, where the sender's key tells it.
    pub fn new(towards: Role, first: Option<u64>) -> Self {
        RttCourse { towards, first, lowest: None, under_way: Rising::default(), highest: 0, samples: Vec::new() }
    }

    /// Takes in the next packet.
    pub fn push(&mut self, packet: &DataPacket<'_>) {
        if packet.towards == self.towards {
            for (start, end) in interruptible(packet.fresh) {
                self.lowest = Some(self.lowest.map_or(*start, |lowest| lowest.min(*start)));
                // What was acknowledged before it was seen to be sent has no round trip here.
                if *end > self.highest {
                    self.under_way.insert(*start, Sent { end: *end, time: packet.time, subflow: packet.subflow });
                }
            }
        } else if let Some(acknowledged) = packet.data_ack {
            self.highest = self.highest.max(acknowledged);
            while let Some((start, sent)) = self.under_way.pop_first_if(|_, sent| sent.end <= acknowledged) {
                let span = packet.time - sent.time;
                self.samples
                    .push((sent.subflow, RttSample { row: packet.row, time: packet.time, span, dsn: Some(start) }));
            }
        }
    }

    /// The samples in the order of time, each with the index of the subflow that first sent its data.
    pub fn finish(mut self) -> Vec<(usize, RttSample)> {
        // What counts as 0: the IDSN, or the byte before the lowest one seen.
        let origin = self.first.or(self.lowest).map_or(0, |first| first.saturating_sub(1));
        for (_, sample) in interruptible(&mut self.samples) {
            sample.dsn = sample.dsn.map(|dsn| dsn.saturating_sub(origin));
        }
        self.samples
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketRow;
    use crate::time::short::at;

    fn packet(time: i64, subflow: usize, fresh: &[(u64, u64)], data_ack: Option<u64>) -> DataPacket<'_> {
        let towards = if data_ack.is_some() { Role::Client } else { Role::Server };
        let mapped = fresh.iter().map(|(start, end)| end - start).sum();
        DataPacket { row: PacketRow(0), subflow, towards, time: at(time), mapped, unmapped: 0, fresh, data_ack }
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
        let measure = |towards: Role| {
            let mut course = RttCourse::new(towards, None);
            packets.iter().for_each(|packet| course.push(packet));
            course.finish()
        };
        let found: Vec<_> =
            measure(Role::Server).iter().map(|(s, sample)| (*s, sample.span.nanoseconds(), sample.dsn)).collect();
        assert_eq!(found, [(0, 30, Some(1)), (1, 30, Some(101)), (0, 20, Some(201))]);
        assert!(measure(Role::Client).is_empty());
    }
}
