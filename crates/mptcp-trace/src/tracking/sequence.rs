//! 32-bit sequence numbers without their wrap-around, and sets of byte ranges over them.

use std::collections::BTreeMap;

/// Turns 32-bit sequence numbers of one direction into 64-bit positions that only grow with the stream.
///
/// A number is taken to be the nearest one to the highest seen, as TCP itself does (RFC 9293 §3.4): right as long as
/// neighbouring packets are less than 2 GiB apart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Positions {
    highest: Option<u64>,
}

impl Positions {
    /// Where the first number is put: far enough from zero that earlier ones, seen later, stay positive.
    const START: u64 = 1 << 32;

    /// The position of a number that is not the direction's own, such as an acknowledgement of it: it does not move
    /// what later numbers are measured by. `None` before the first of the direction's own.
    #[must_use]
    pub fn nearest(&self, sequence: u32) -> Option<u64> {
        self.highest.map(|_| {
            let mut copy = *self;
            copy.position(sequence)
        })
    }

    /// The position of `sequence`.
    pub fn position(&mut self, sequence: u32) -> u64 {
        let Some(highest) = self.highest else {
            let first = Self::START + u64::from(sequence);
            self.highest = Some(first);
            return first;
        };
        // Truncation keeps the low 32 bits, which is what is compared.
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        let distance = sequence.wrapping_sub(highest as u32) as i32;
        let position = highest.saturating_add_signed(i64::from(distance));
        self.highest = Some(highest.max(position));
        position
    }
}

/// A set of byte ranges, neighbours merged. In-order data costs one comparison, anything else a logarithm.
#[derive(Debug, Clone, Default)]
pub struct RangeSet {
    /// Start to end (exclusive); disjoint, not touching.
    ranges: BTreeMap<u64, u64>,
    total: u64,
}

impl RangeSet {
    /// Adds `start..end` and returns how many of its bytes are new.
    pub fn insert(&mut self, start: u64, end: u64) -> u64 {
        if start >= end {
            return 0;
        }
        let (mut low, mut high, mut known) = (start, end, 0_u64);
        // Every range that overlaps or touches; each is removed at most once after it was put in.
        while let Some((&first, &last)) = self.ranges.range(..=high).next_back() {
            if last < low {
                break;
            }
            known += last.min(end).saturating_sub(first.max(start));
            low = low.min(first);
            high = high.max(last);
            self.ranges.remove(&first);
        }
        self.ranges.insert(low, high);
        let new = (end - start) - known;
        self.total += new;
        new
    }

    /// Whether any of `start..end` is in the set.
    #[must_use]
    pub fn reaches_into(&self, start: u64, end: u64) -> bool {
        self.ranges.range(..end).next_back().is_some_and(|(_, last)| *last > start)
    }

    /// Takes out what lies before `position`.
    pub fn remove_before(&mut self, position: u64) {
        while let Some(range) = self.ranges.first_entry().filter(|range| *range.key() < position) {
            let (start, end) = range.remove_entry();
            self.total = self.total.saturating_sub(end.min(position).saturating_sub(start));
            if end > position {
                self.ranges.insert(position, end);
            }
        }
    }

    /// Whether the byte at `position` is in the set.
    #[must_use]
    pub fn contains(&self, position: u64) -> bool {
        self.ranges.range(..=position).next_back().is_some_and(|(_, end)| position < *end)
    }

    /// Ranges in the set, neighbours being one.
    #[must_use]
    pub fn ranges(&self) -> usize {
        self.ranges.len()
    }

    /// The first byte of the set and one past its last.
    #[must_use]
    pub fn span(&self) -> Option<(u64, u64)> {
        let ((start, _), (_, end)) = self.ranges.first_key_value().zip(self.ranges.last_key_value())?;
        Some((*start, *end))
    }

    /// Bytes in the set.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_go_on_through_the_wrap_and_back() {
        let mut positions = Positions::default();
        let before = positions.position(u32::MAX - 99);
        let after = positions.position(100);
        assert_eq!(after - before, 200);
        assert_eq!(positions.position(u32::MAX - 99), before);
        assert_eq!(positions.position(u32::MAX), before + 99);
    }

    #[test]
    fn earlier_numbers_seen_later_come_before() {
        let mut positions = Positions::default();
        let second = positions.position(5);
        assert_eq!(second - positions.position(u32::MAX), 6);
    }

    #[test]
    fn a_number_of_the_other_direction_moves_nothing() {
        let mut positions = Positions::default();
        assert_eq!(positions.nearest(1), None);
        let first = positions.position(u32::MAX);
        assert_eq!(positions.nearest(9), Some(first + 10));
        assert_eq!(positions.nearest(1 << 30), Some(first + (1 << 30) + 1));
        assert_eq!(positions.position(u32::MAX), first);
    }

    #[test]
    fn ranges_count_each_octet_once() {
        let mut set = RangeSet::default();
        assert_eq!(set.insert(0, 100), 100);
        assert_eq!(set.insert(100, 200), 100);
        assert_eq!(set.insert(50, 150), 0);
        assert_eq!(set.insert(300, 400), 100);
        assert_eq!(set.insert(150, 350), 100);
        assert_eq!(set.insert(0, 500), 100);
        assert_eq!(set.insert(7, 7), 0);
        assert_eq!(set.total(), 500);
        assert!(set.contains(0) && set.contains(499) && !set.contains(500));
    }

    #[test]
    fn what_lies_before_a_position_can_be_taken_out() {
        let mut set = RangeSet::default();
        set.insert(10, 20);
        set.insert(30, 40);
        set.insert(50, 60);
        set.remove_before(10);
        assert_eq!(set.total(), 30);
        set.remove_before(35);
        assert_eq!(set.total(), 15);
        assert!(!set.contains(34) && set.contains(35) && set.contains(50));
        set.remove_before(60);
        assert_eq!(set.total(), 0);
    }
}
