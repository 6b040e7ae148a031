//! How many bytes of data did each DATA_ACK, and each ACK of a subflow, newly acknowledge?

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::flag;
use crate::tracking::data::DataSequence;
use crate::tracking::travelling::{StreamPacket, by_time};
use crate::tracking::{ByRole, Capture, Stream};
use crate::{Instant, PacketRow};

/// A DATA_ACK that acknowledged more than all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AckSize {
    /// Row of its packet.
    pub row: PacketRow,
    /// When it was recorded.
    pub time: Instant,
    /// Index of the subflow that it travelled on in [`crate::tracking::Connection::subflows`].
    pub subflow: usize,
    /// Advance over the highest before it, bytes of data.
    pub new: u64,
}

/// The DATA_ACKs of one direction's data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AckSizes {
    /// Those that acknowledged something new, in the order of time.
    pub sizes: Vec<AckSize>,
    /// Number without new data.
    pub nothing_new: u64,
}

/// What the DATA_ACKs of one direction's data newly acknowledged, whichever subflow they travelled on. Without the
/// sender's key the first one is what the others are measured by. DATA_FIN is not data.
#[must_use]
pub fn ack_sizes(sequence: &DataSequence) -> AckSizes {
    let mut acknowledged = sequence.acknowledged.clone();
    acknowledged.sort_by_key(|ack| ack.time);
    let first = || acknowledged.first().map(|ack| ack.next);
    let mut highest = sequence.numbers.first().or_else(first).unwrap_or_default();
    // One number beyond all data is that of DATA_FIN (RFC 8684 §3.3.3).
    let end = sequence.numbered().map(|range| range.end).max().or(sequence.numbers.first());
    let data_fin = end.and_then(|end| end.checked_add(1));
    let mut found = AckSizes::default();
    for ack in interruptible(&acknowledged) {
        let next = if data_fin == Some(ack.next) { ack.next.saturating_sub(1) } else { ack.next };
        let new = next.saturating_sub(highest);
        if new == 0 {
            found.nothing_new += 1;
        } else {
            found.sizes.push(AckSize { row: ack.row, time: ack.time, subflow: ack.subflow, new });
            highest = next;
        }
    }
    found
}

/// What the ACKs of a TCP stream newly acknowledged of the data towards either of its ends, bytes, in the order of time. SYN
/// and FIN are not data. Without the SYN, the first ACK is what the others are measured by.
#[must_use]
pub fn tcp_ack_sizes(capture: &Capture, stream: &Stream) -> ByRole<Vec<u64>> {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    let mut ways = ByRole::<Way>::default();
    by_time(segments, tracking, stream).for_each(|packet| {
        // What a packet acknowledges was sent before what it carries.
        ways.get_mut(packet.towards.other()).acknowledge(&packet);
        ways.get_mut(packet.towards).send(&packet);
    });
    ByRole { server: ways.server.sizes, client: ways.client.sizes }
}

/// The data towards one end. Numbers are as sent.
#[derive(Default)]
struct Way {
    /// The next one to be acknowledged.
    next: Option<u32>,
    /// The FIN's own.
    fin: Option<u32>,
    sizes: Vec<u64>,
}

impl Way {
    fn send(&mut self, packet: &StreamPacket<'_>) {
        let segment = packet.segment;
        let syn = segment.has(flag::SYN);
        if syn {
            self.next.get_or_insert(segment.sequence.wrapping_add(1));
        }
        if segment.has(flag::FIN) && !packet.nature.is_stray() {
            self.fin = Some(segment.sequence.wrapping_add(packet.data).wrapping_add(u32::from(syn)));
        }
    }

    fn acknowledge(&mut self, packet: &StreamPacket<'_>) {
        let segment = packet.segment;
        if !segment.has(flag::ACK) || segment.has(flag::RST) || packet.nature.is_stray() {
            return;
        }
        let number = segment.acknowledgement;
        let number = if self.fin == Some(number.wrapping_sub(1)) { number.wrapping_sub(1) } else { number };
        let new = number.wrapping_sub(*self.next.get_or_insert(number));
        // What is behind is as far away as what is very far ahead (RFC 9293 §3.4).
        if new > 0 && new < 1 << 31 {
            self.sizes.push(new.into());
            self.next = Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::at;
    use crate::tracking::data::{Acknowledgement, Numbers, Sending, SentRange};

    fn sizes(numbers: Numbers, end: Option<u64>, acks: &[(i64, usize, u64)]) -> (Vec<(i64, usize, u64)>, u64) {
        let acknowledged = (0..).zip(acks).map(|(row, (time, subflow, next))| Acknowledgement {
            row: PacketRow(row),
            time: at(*time),
            subflow: *subflow,
            next: *next,
            window: None,
        });
        let acknowledged = acknowledged.collect();
        let sent = end.map(|end| SentRange {
            row: PacketRow(0),
            time: at(0),
            subflow: 0,
            start: 0,
            end,
            sending: Sending::First,
            numbered: true,
        });
        let found = ack_sizes(&DataSequence {
            sent: sent.into_iter().collect(),
            acknowledged,
            numbers,
            ..DataSequence::default()
        });
        (found.sizes.iter().map(|size| (size.time.nanoseconds(), size.subflow, size.new)).collect(), found.nothing_new)
    }

    #[test]
    fn only_what_no_subflow_had_acknowledged_counts() {
        let numbers = Numbers::new(Some(0xffff_ffff_ffff_fff0));
        let first = numbers.first().unwrap();
        // 1000 bytes over subflow 0; the same over subflow 1; then 3000 at once over subflow 1 while subflow 0 lags.
        // The last two are of the last 500 bytes, and of the DATA_FIN behind them.
        let acks = [(10, 0, 1000), (12, 1, 1000), (15, 1, 4000), (16, 0, 2500), (17, 0, 4500), (18, 0, 4501)];
        let acks = acks.map(|(time, subflow, bytes)| (time, subflow, first + bytes));
        let expected = (vec![(10, 0, 1000), (15, 1, 3000), (17, 0, 500)], 3);
        assert_eq!(sizes(numbers, Some(first + 4500), &acks), expected);
        // A DATA_FIN may be acknowledged together with data, and there may be no data at all.
        assert_eq!(sizes(numbers, Some(first + 300), &[(1, 0, first + 301)]), (vec![(1, 0, 300)], 0));
        assert_eq!(sizes(numbers, None, &[(1, 0, first), (2, 0, first + 1)]), (vec![], 2));
    }

    #[test]
    fn the_order_of_time_counts_and_without_a_key_the_first_is_the_beginning() {
        let acks = [(20, 0, 700), (10, 1, 200), (30, 0, 900)];
        assert_eq!(sizes(Numbers::default(), Some(5000), &acks), (vec![(20, 0, 500), (30, 0, 200)], 1));
        assert_eq!(sizes(Numbers::default(), None, &[]), (vec![], 0));
    }
}
