//! 32-bit sequence numbers without their wrap-around, and sets of byte ranges over them.

mod ordered;

use ordered::Ordered;

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
    #[inline]
    #[must_use]
    pub fn nearest(&self, sequence: u32) -> Option<u64> {
        self.highest.map(|_| {
            let mut copy = *self;
            copy.position(sequence)
        })
    }

    /// The position of `sequence`.
    #[inline]
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
    /// All ranges but the last; disjoint, not touching.
    before: Ordered,
    /// The last range: data in order changes nothing else. Empty only where the set is.
    last: (u64, u64),
    total: u64,
}

impl RangeSet {
    /// Adds `start..end` and returns how many of its bytes are new.
    #[inline]
    pub fn insert(&mut self, start: u64, end: u64) -> u64 {
        if start >= end {
            return 0;
        }
        if start < self.last.0 {
            return self.insert_before(start, end);
        }
        let new = if start > self.last.1 {
            self.goes_on_at(start);
            end - start
        } else {
            end.saturating_sub(self.last.1)
        };
        self.last.1 = self.last.1.max(end);
        self.total += new;
        new
    }

    /// Adds a range, which is not empty, if none of it is in the set; false where some is.
    #[inline]
    pub fn insert_new(&mut self, start: u64, end: u64) -> bool {
        if start >= self.last.1 {
            if start > self.last.1 {
                self.goes_on_at(start);
            }
            self.last.1 = end;
            self.total += end - start;
            return true;
        }
        start < self.last.0 && self.insert_new_before(start, end)
    }

    /// The same for a range that begins before the last one.
    fn insert_new_before(&mut self, start: u64, end: u64) -> bool {
        // Mostly one range goes on.
        if end < self.last.0
            && let Some((first, last)) = self.before.up_to_mut(end)
            && first < end
            && *last >= start
        {
            let goes_on = *last == start;
            if goes_on {
                *last = end;
                self.total += end - start;
            }
            return goes_on;
        }
        let is_new = !self.reaches_into(start, end);
        if is_new {
            self.insert_before(start, end);
        }
        is_new
    }

    /// The last range is one before the last from now on.
    fn goes_on_at(&mut self, start: u64) {
        if self.last.0 < self.last.1 {
            self.before.insert(self.last.0, self.last.1);
        }
        self.last = (start, start);
    }

    /// Adds a range that begins before the last one.
    fn insert_before(&mut self, start: u64, end: u64) -> u64 {
        let reaches_last = end >= self.last.0;
        // Mostly one range goes on.
        if !reaches_last
            && let Some((first, last)) = self.before.up_to_mut(end)
            && first <= start
            && *last >= start
        {
            let new = end.saturating_sub(*last);
            *last = (*last).max(end);
            self.total += new;
            return new;
        }
        let (mut low, mut high, mut known) = (start, end, 0_u64);
        // Every range that overlaps or touches; each is removed at most once after it was put in.
        while let Some((first, last)) = self.before.up_to(end) {
            if last < start {
                break;
            }
            known += last.min(end).saturating_sub(first.max(start));
            low = low.min(first);
            high = high.max(last);
            self.before.remove(first);
        }
        if reaches_last {
            known += self.last.1.min(end) - self.last.0;
            self.last = (low, self.last.1.max(high));
        } else {
            self.before.insert(low, high);
        }
        let new = (end - start) - known;
        self.total += new;
        new
    }

    /// The ranges that reach into `start..end`, whole, in order.
    #[inline]
    fn reaching(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let before = (start < self.last.0).then(|| {
            let first = self.before.up_to(start).filter(|(_, last)| *last > start);
            first.into_iter().chain(self.before.starting_in(start.saturating_add(1), end))
        });
        let last = Some(self.last).filter(|(first, last)| *first < end && *last > start);
        before.into_iter().flatten().chain(last)
    }

    /// The parts of `start..end` that are in the set, in order.
    pub fn overlaps(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.reaching(start, end).map(move |(first, last)| (first.max(start), last.min(end)))
    }

    /// The parts of `start..end` that are not in the set, in order.
    #[inline]
    pub fn gaps(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut next = start;
        let mut filled = (start < self.last.1).then(|| self.reaching(start, end)).into_iter().flatten();
        std::iter::from_fn(move || {
            for (first, last) in filled.by_ref() {
                let gap = (next, first);
                next = last;
                if gap.0 < gap.1 {
                    return Some(gap);
                }
            }
            let gap = (next, end);
            next = end;
            (gap.0 < gap.1).then_some(gap)
        })
    }

    /// Whether any of `start..end` is in the set.
    #[inline]
    #[must_use]
    pub fn reaches_into(&self, start: u64, end: u64) -> bool {
        if start >= self.last.1 {
            return false;
        }
        let before = || self.before.up_to(end.checked_sub(1)?);
        end > self.last.0 || before().is_some_and(|(_, last)| last > start)
    }

    /// Whether all of `start..end` is in the set.
    #[inline]
    #[must_use]
    pub fn covers(&self, start: u64, end: u64) -> bool {
        if start >= self.last.0 {
            return end <= self.last.1;
        }
        self.before.up_to(start).is_some_and(|(_, last)| end <= last)
    }

    /// Takes out what lies before `position`.
    pub fn remove_before(&mut self, position: u64) {
        if position >= self.last.1 {
            *self = Self::default();
            return;
        }
        while let Some((start, end)) = self.before.first().filter(|(start, _)| *start < position) {
            self.before.remove(start);
            self.total = self.total.saturating_sub(end.min(position).saturating_sub(start));
            if end > position {
                self.before.insert(position, end);
            }
        }
        if position > self.last.0 {
            self.total = self.total.saturating_sub(position - self.last.0);
            self.last.0 = position;
        }
    }

    /// Whether the byte at `position` is in the set.
    #[inline]
    #[must_use]
    pub fn contains(&self, position: u64) -> bool {
        self.reaches_into(position, position.saturating_add(1))
    }

    /// Ranges in the set, neighbours being one.
    #[inline]
    #[must_use]
    pub fn ranges(&self) -> usize {
        self.before.len().saturating_add(usize::from(self.total > 0))
    }

    /// The first byte of the set and one past its last.
    #[must_use]
    pub fn span(&self) -> Option<(u64, u64)> {
        let first = self.before.first().map_or(self.last.0, |(first, _)| first);
        (self.total > 0).then_some((first, self.last.1))
    }

    /// Bytes in the set.
    #[inline]
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
    fn ranges_count_each_byte_once() {
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

    /// Against a list of bytes.
    #[test]
    fn ranges_in_any_order_are_what_a_list_of_bytes_says() {
        let numbers =
            std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        let mut numbers = numbers.map(|n| u64::from(n >> 16));
        let mut bytes = vec![false; 70_000];
        let mut set = RangeSet::default();
        for step in 0..4000 {
            let (start, length) = (numbers.next().unwrap() % 60_000, numbers.next().unwrap() % 40);
            let part = &mut bytes[start as usize..(start + length) as usize];
            let new = part.iter().filter(|byte| !**byte).count();
            if step % 2 == 0 && length > 0 {
                // Pieces of every length go on where others end.
                assert_eq!(set.insert_new(start, start + length), new as u64 == length, "step {step}");
            }
            let left = if step % 2 == 0 && new as u64 == length { 0 } else { new as u64 };
            part.fill(true);
            assert_eq!(set.insert(start, start + length), left, "step {step}");
            let (from, to) = (numbers.next().unwrap() % 60_000, numbers.next().unwrap() % 4000);
            let mut held = vec![false; to as usize];
            for (first, last) in set.overlaps(from, from + to) {
                held[(first - from) as usize..(last - from) as usize].fill(true);
            }
            let wanted = &bytes[from as usize..(from + to) as usize];
            assert_eq!(held, wanted);
            let missing: u64 = set.gaps(from, from + to).map(|(first, last)| last - first).sum();
            assert_eq!(missing, wanted.iter().filter(|byte| !**byte).count() as u64);
            assert_eq!(set.reaches_into(from, from + to), wanted.contains(&true));
            assert_eq!(set.covers(from, from + 9), !bytes[from as usize..from as usize + 9].contains(&false));
            let runs = bytes.chunk_by(|one, next| one == next).filter(|run| run[0]).count();
            assert_eq!(set.ranges(), runs);
            if step % 500 == 499 {
                set.remove_before(from);
                bytes[..from as usize].fill(false);
            }
            assert_eq!(set.total(), bytes.iter().filter(|byte| **byte).count() as u64);
            assert_eq!(set.contains(from), bytes[from as usize]);
            let first = bytes.iter().position(|byte| *byte).map(|first| first as u64);
            assert_eq!(set.span().map(|(first, _)| first), first);
        }
    }
}
