//! How many octets of data did each DATA_ACK newly acknowledge?

use serde::Serialize;

use crate::tracking::data::DataSequence;

/// A DATA_ACK that acknowledged more than all before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AckSize {
    /// Row of its packet.
    pub row: u32,
    /// When it was recorded, nanoseconds since 1970.
    pub time: i64,
    /// Index of the subflow that it travelled on in [`crate::tracking::Connection::subflows`].
    pub subflow: usize,
    /// How much further than the highest before it, octets; DATA_FIN counts one (RFC 8684 §3.3.3).
    pub new: u64,
}

/// The DATA_ACKs of one direction's data.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AckSizes {
    /// Those that acknowledged something new, in the order of time.
    pub sizes: Vec<AckSize>,
    /// How many acknowledged nothing new.
    pub nothing_new: u64,
}

/// What the DATA_ACKs of one direction's data newly acknowledged, whichever subflow they travelled on. Without the
/// sender's key the first one is what the others are measured by.
#[must_use]
pub fn ack_sizes(sequence: &DataSequence) -> AckSizes {
    let mut acknowledged = sequence.acknowledged.clone();
    acknowledged.sort_by_key(|ack| ack.time);
    let first = || acknowledged.first().map(|ack| ack.next);
    let mut highest = sequence.numbers.first().or_else(first).unwrap_or_default();
    let mut found = AckSizes::default();
    for ack in &acknowledged {
        let new = ack.next.saturating_sub(highest);
        if new == 0 {
            found.nothing_new += 1;
        } else {
            found.sizes.push(AckSize { row: ack.row, time: ack.time, subflow: ack.subflow, new });
            highest = ack.next;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracking::data::{Acknowledgement, Numbers};

    fn sizes(numbers: Numbers, acks: &[(i64, usize, u64)]) -> (Vec<(i64, usize, u64)>, u64) {
        let acknowledged = (0..).zip(acks).map(|(row, (time, subflow, next))| Acknowledgement {
            row,
            time: *time,
            subflow: *subflow,
            next: *next,
            window: None,
        });
        let acknowledged = acknowledged.collect();
        let found = ack_sizes(&DataSequence { sent: Vec::new(), acknowledged, numbers });
        (found.sizes.iter().map(|size| (size.time, size.subflow, size.new)).collect(), found.nothing_new)
    }

    #[test]
    fn only_what_no_subflow_had_acknowledged_counts() {
        let numbers = Numbers::new(Some(0xffff_ffff_ffff_fff0));
        let first = numbers.first().unwrap();
        // 1000 octets over subflow 0; the same over subflow 1; then 3000 at once over subflow 1 while subflow 0 lags.
        let acks = [(10, 0, 1000), (12, 1, 1000), (15, 1, 4000), (16, 0, 2500), (17, 0, 4001)];
        let acks = acks.map(|(time, subflow, octets)| (time, subflow, first + octets));
        assert_eq!(sizes(numbers, &acks), (vec![(10, 0, 1000), (15, 1, 3000), (17, 0, 1)], 2));
    }

    #[test]
    fn the_order_of_time_counts_and_without_a_key_the_first_is_the_beginning() {
        let acks = [(20, 0, 700), (10, 1, 200), (30, 0, 900)];
        assert_eq!(sizes(Numbers::default(), &acks), (vec![(20, 0, 500), (30, 0, 200)], 1));
        assert_eq!(sizes(Numbers::default(), &[]), (vec![], 0));
    }
}
