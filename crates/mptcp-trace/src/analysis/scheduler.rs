//! Which subflow was the first to send each byte of the data, and how much of them so far?

use crate::interrupt::interruptible;
use crate::tracking::data::{DataSequence, Sending};
use crate::{Instant, PacketRow};

/// Data that a packet was the first to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstSending {
    /// Row of the packet.
    pub row: PacketRow,
    /// When.
    pub time: Instant,
    /// Index of the subflow in [`crate::tracking::Connection::subflows`].
    pub subflow: usize,
    /// First byte, from the sender's IDSN; without the sender's key from the byte before the lowest one seen.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

/// A stretch of the data sequence space that one subflow was the first to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Row of the packet that sent its first byte.
    pub row: PacketRow,
    /// Index of the subflow.
    pub subflow: usize,
    /// First byte, counted as in [`FirstSending`].
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
}

/// How the data sent so far are divided.
#[derive(Debug, Clone, PartialEq)]
pub struct Division {
    /// Row of the packet that made it so.
    pub row: PacketRow,
    /// From when on.
    pub time: Instant,
    /// The part of each subflow, which add up to one.
    pub shares: Vec<f64>,
}

/// New data of one direction, in time order.
#[must_use]
pub fn first_sendings(sequence: &DataSequence) -> Vec<FirstSending> {
    let origin = sequence.origin();
    let first = sequence.numbered().filter(|range| range.sending == Sending::First);
    let mut found: Vec<FirstSending> = first
        .map(|range| FirstSending {
            row: range.row,
            time: range.time,
            subflow: range.subflow,
            start: range.start.saturating_sub(origin),
            end: range.end.saturating_sub(origin),
        })
        .collect();
    found.sort_by_key(|sending| sending.time);
    found
}

/// The stretches of the data sequence space, lowest first: neighbours of one subflow are one stretch, whenever they were
/// sent.
#[must_use]
pub fn stretches(sendings: &[FirstSending]) -> Vec<Stretch> {
    let mut pieces: Vec<Stretch> = sendings
        .iter()
        .map(|one| Stretch { row: one.row, subflow: one.subflow, start: one.start, end: one.end })
        .collect();
    pieces.sort_unstable_by_key(|piece| piece.start);
    let mut merged: Vec<Stretch> = Vec::new();
    for piece in interruptible(pieces) {
        match merged.last_mut() {
            Some(last) if last.subflow == piece.subflow && last.end == piece.start => last.end = piece.end,
            _ => merged.push(piece),
        }
    }
    merged
}

/// How the data sent so far are divided among `subflows` subflows, at most `most` times: after every so many sendings,
/// and after the last one.
#[must_use]
pub fn divisions(sendings: &[FirstSending], subflows: usize, most: usize) -> Vec<Division> {
    let every = sendings.len().div_ceil(most.max(1)).max(1);
    let mut bytes = vec![0_u64; subflows];
    let mut total = 0_u64;
    let mut found = Vec::new();
    for (index, sending) in interruptible(sendings.iter().enumerate()) {
        let length = sending.end.saturating_sub(sending.start);
        if let Some(own) = bytes.get_mut(sending.subflow) {
            *own = own.saturating_add(length);
            total = total.saturating_add(length);
        }
        let so_far = index.saturating_add(1);
        if total > 0 && (so_far.is_multiple_of(every) || so_far == sendings.len()) {
            #[allow(clippy::cast_precision_loss)]
            let shares = bytes.iter().map(|own| *own as f64 / total as f64).collect();
            found.push(Division { row: sending.row, time: sending.time, shares });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::at;

    fn sending(time: i64, subflow: usize, start: u64, end: u64) -> FirstSending {
        FirstSending { row: PacketRow(start as u32), time: at(time), subflow, start, end }
    }

    /// Subflow 0 sends 1 to 100 and 101 to 200, subflow 1 sends 201 to 500; then subflow 0 fills 501 to 600, which was
    /// reserved for it, before subflow 1 sends 601 to 1000.
    fn example() -> Vec<FirstSending> {
        vec![
            sending(10, 0, 1, 101),
            sending(20, 1, 201, 501),
            sending(30, 0, 101, 201),
            sending(40, 0, 501, 601),
            sending(50, 1, 601, 1001),
        ]
    }

    #[test]
    fn neighbours_of_one_subflow_are_one_stretch() {
        let stretch = |subflow, start: u64, end| Stretch { row: PacketRow(start as u32), subflow, start, end };
        let expected = [stretch(0, 1, 201), stretch(1, 201, 501), stretch(0, 501, 601), stretch(1, 601, 1001)];
        assert_eq!(stretches(&example()), expected);
        // With a hole between them they are two.
        assert_eq!(stretches(&[sending(0, 0, 1, 5), sending(1, 0, 6, 9)]).len(), 2);
        assert!(stretches(&[]).is_empty());
    }

    #[test]
    fn shares_are_of_what_was_sent_so_far() {
        let found = divisions(&example(), 2, 100);
        let first: Vec<(i64, f64)> =
            found.iter().map(|division| (division.time.nanoseconds(), division.shares[0])).collect();
        // 100 of 100, 100 of 400, 200 of 500, 300 of 600, 300 of 1000.
        assert_eq!(first, [(10, 1.0), (20, 0.25), (30, 0.4), (40, 0.5), (50, 0.3)]);
        assert!(found.iter().all(|division| (division.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12));
        // Every second one, and the last.
        let few = divisions(&example(), 2, 3);
        assert_eq!(few.iter().map(|division| division.time.nanoseconds()).collect::<Vec<_>>(), [20, 40, 50]);
        assert!(divisions(&[], 2, 3).is_empty());
    }
}
