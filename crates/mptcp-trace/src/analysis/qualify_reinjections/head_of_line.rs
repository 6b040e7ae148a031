//! How much longer would the receiver have waited without the reinjections?
//!
//! Data is delivered in order: a byte when it and all before it have arrived. What arrived by reinjection is put back
//! to when its own subflow brought it, and the times of delivery compared. Where that subflow never brought it, nothing
//! can be said of what comes after: in truth TCP would have gone on trying.

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::tracking::data::{Arrival, Intervals};
use crate::{Instant, Span};

/// Waiting at the receiver that the reinjections saved it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct HeadOfLine {
    /// Bytes that could be delivered earlier than without the reinjections.
    pub earlier_bytes: u64,
    /// By how much at most, seconds.
    pub earlier_max: Option<f64>,
    /// By how much on average over these bytes, seconds.
    pub earlier_mean: Option<f64>,
    /// Bytes from the first one on whose own subflow never delivered it: without reinjection they would not have been
    /// delivered within the capture.
    pub undeliverable_bytes: u64,
}

/// Compares the delivery of what arrived (`any`) with that of the same without the reinjections: `originals` has, for
/// every reinjected byte that arrived, when its own subflow delivered it, or that it never did.
pub fn head_of_line(any: &Intervals<Arrival>, originals: &Intervals<Option<Instant>>) -> HeadOfLine {
    let mut found = HeadOfLine::default();
    let (mut with, mut without) = (Instant::MIN, Some(Instant::MIN));
    let (mut longest, mut sum) = (Span::ZERO, 0_i128);
    for piece in interruptible(any.overlaps(0, u64::MAX)) {
        with = with.max(piece.value.time);
        let own = originals.overlaps(piece.start, piece.end);
        let own = own.map(|part| (part.start, part.end, part.value.map(|time| time.max(piece.value.time))));
        let untouched = originals.gaps(piece.start, piece.end).map(|(from, to)| (from, to, Some(piece.value.time)));
        let mut parts: Vec<(u64, u64, Option<Instant>)> = own.chain(untouched).collect();
        parts.sort_unstable_by_key(|(start, ..)| *start);
        for (start, end, time) in interruptible(parts) {
            without = without.zip(time).map(|(latest, time)| latest.max(time));
            let bytes = end - start;
            match without {
                None => found.undeliverable_bytes += bytes,
                Some(without) if without > with => {
                    let gain = without - with;
                    found.earlier_bytes += bytes;
                    longest = longest.max(gain);
                    sum += i128::from(gain.nanoseconds()) * i128::from(bytes);
                }
                Some(_) => {}
            }
        }
    }
    if found.earlier_bytes > 0 {
        #[allow(clippy::cast_precision_loss)]
        let mean = sum as f64 / found.earlier_bytes as f64 / 1e9;
        found.earlier_mean = Some(mean);
        found.earlier_max = Some(longest.seconds());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketRow;
    use crate::time::short::at_ms;

    fn arrived(ranges: &[(u64, u64, i64, usize)]) -> Intervals<Arrival> {
        let mut map = Intervals::default();
        for (start, end, milliseconds, subflow) in ranges {
            map.fill(*start, *end, |_| Arrival { row: PacketRow(0), time: at_ms(*milliseconds), subflow: *subflow });
        }
        map
    }

    #[test]
    fn what_waited_for_the_original_is_earlier() {
        // Bytes 0 to 9 at 10 ms; 10 to 19 by reinjection at 20 ms, by their own subflow at 50 ms; 20 to 29 at 12 ms,
        // 30 to 39 at 60 ms. Delivery: 10, 20, 20, 60 ms; without the reinjection 10, 50, 50, 60 ms.
        let any = arrived(&[(0, 10, 10, 0), (20, 30, 12, 0), (10, 20, 20, 1), (30, 40, 60, 0)]);
        let mut originals = Intervals::default();
        originals.fill(10, 20, |_| Some(at_ms(50)));
        let expected =
            HeadOfLine { earlier_bytes: 20, earlier_max: Some(0.03), earlier_mean: Some(0.03), undeliverable_bytes: 0 };
        assert_eq!(head_of_line(&any, &originals), expected);
    }

    #[test]
    fn a_late_reinjection_changes_nothing() {
        let any = arrived(&[(0, 10, 10, 0), (10, 20, 11, 0)]);
        let mut originals = Intervals::default();
        originals.fill(0, 10, |_| Some(at_ms(10)));
        assert_eq!(head_of_line(&any, &originals), HeadOfLine::default());
    }

    #[test]
    fn what_never_came_holds_up_all_after_it() {
        let any = arrived(&[(0, 10, 10, 0), (10, 20, 20, 1), (20, 25, 21, 0)]);
        let mut originals = Intervals::default();
        originals.fill(10, 20, |_| None);
        let found = head_of_line(&any, &originals);
        assert_eq!((found.undeliverable_bytes, found.earlier_bytes), (15, 0));
    }
}
