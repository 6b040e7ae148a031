//! A map from octet ranges to values: who owned each octet first.

use std::collections::BTreeMap;

/// A range that is in the map, or the part of it that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<V> {
    /// First octet.
    pub start: u64,
    /// One past the last octet.
    pub end: u64,
    /// Where the range that this is a part of begins in the map.
    pub origin: u64,
    /// Its value.
    pub value: V,
}

impl<V> Piece<V> {
    /// Octets in it.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }
}

/// Disjoint ranges with a value each. What is in the map stays: a later insertion only fills the gaps.
///
/// Most data comes in order, so what lies beyond all ranges is told without a look into the tree, and what lies
/// within one range with a single one.
#[derive(Debug, Clone)]
pub struct Intervals<V> {
    ranges: BTreeMap<u64, (u64, V)>,
    total: u64,
    /// The highest end of all ranges.
    end: u64,
}

impl<V> Default for Intervals<V> {
    fn default() -> Self {
        Intervals { ranges: BTreeMap::new(), total: 0, end: 0 }
    }
}

impl<V: Copy + PartialEq> Intervals<V> {
    /// Octets in the map.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The parts of `start..end` that are in the map, in order.
    pub fn overlaps(&self, start: u64, end: u64) -> impl Iterator<Item = Piece<V>> + '_ {
        let possible = start < end && start < self.end;
        // One range may hold `start`; all others begin behind it.
        let before = if possible { self.ranges.range(..=start).next_back() } else { None };
        let first = before.filter(|(_, (last, _))| *last > start);
        let covered = first.is_some_and(|(_, (last, _))| *last >= end);
        let behind = start.saturating_add(1);
        let within = if possible && !covered && behind < end { Some(self.ranges.range(behind..end)) } else { None };
        first.into_iter().chain(within.into_iter().flatten()).map(move |(first, (last, value))| Piece {
            start: (*first).max(start),
            end: (*last).min(end),
            origin: *first,
            value: *value,
        })
    }

    /// The parts of `start..end` that are not in the map, in order.
    pub fn gaps(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut next = start;
        let mut pieces = self.overlaps(start, end);
        std::iter::from_fn(move || {
            for piece in pieces.by_ref() {
                let gap = (next, piece.start);
                next = piece.end;
                if gap.0 < gap.1 {
                    return Some(gap);
                }
            }
            let gap = (next, end);
            next = end;
            (gap.0 < gap.1).then_some(gap)
        })
    }

    /// Gives the octets of `start..end` that are in no range yet the value that `value` returns for the first of
    /// them; returns how many octets these are.
    pub fn fill(&mut self, start: u64, end: u64, value: impl Fn(u64) -> V) -> u64 {
        if start >= end {
            return 0;
        }
        if start >= self.end {
            self.append(start, end, value(start));
            return end - start;
        }
        let gaps: Vec<(u64, u64)> = self.gaps(start, end).collect();
        let mut filled = 0;
        for (first, last) in gaps {
            self.ranges.insert(first, (last, value(first)));
            filled += last - first;
        }
        self.total += filled;
        self.end = self.end.max(end);
        filled
    }

    /// Adds a range behind all others, to the last one if they touch and their values do not tell them apart.
    fn append(&mut self, start: u64, end: u64, value: V) {
        self.total += end - start;
        let touches = start == self.end;
        self.end = end;
        if touches
            && let Some(mut last) = self.ranges.last_entry()
            && last.get().1 == value
        {
            last.get_mut().0 = end;
            return;
        }
        self.ranges.insert(start, (end, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_owner_keeps_its_octets() {
        let mut map = Intervals::default();
        assert_eq!(map.fill(10, 20, |_| 'a'), 10);
        assert_eq!(map.fill(30, 40, |_| 'b'), 10);
        assert_eq!(map.fill(5, 35, |_| 'c'), 15);
        let pieces: Vec<_> = map.overlaps(0, 100).map(|p| (p.start, p.end, p.value)).collect();
        assert_eq!(pieces, [(5, 10, 'c'), (10, 20, 'a'), (20, 30, 'c'), (30, 40, 'b')]);
        assert_eq!(map.total(), 35);
    }

    #[test]
    fn a_question_sees_only_its_part() {
        let mut map = Intervals::default();
        map.fill(10, 20, |_| 'a');
        let pieces: Vec<_> = map.overlaps(15, 17).collect();
        assert_eq!(pieces, [Piece { start: 15, end: 17, origin: 10, value: 'a' }]);
        assert_eq!(map.overlaps(20, 30).count(), 0);
        assert_eq!(map.overlaps(0, 10).count(), 0);
        assert_eq!(map.overlaps(15, 15).count(), 0);
        assert_eq!(map.gaps(5, 25).collect::<Vec<_>>(), [(5, 10), (20, 25)]);
        assert_eq!(map.gaps(12, 18).count(), 0);
    }
}
