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
#[derive(Debug, Clone)]
pub struct Intervals<V> {
    ranges: BTreeMap<u64, (u64, V)>,
    total: u64,
}

impl<V> Default for Intervals<V> {
    fn default() -> Self {
        Intervals { ranges: BTreeMap::new(), total: 0 }
    }
}

impl<V: Copy> Intervals<V> {
    /// Octets in the map.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The parts of `start..end` that are in the map, in order.
    pub fn overlaps(&self, start: u64, end: u64) -> impl Iterator<Item = Piece<V>> + '_ {
        // The range before `start` may reach into it; all others begin within.
        let before = self.ranges.range(..start).next_back().filter(|(_, (last, _))| *last > start);
        let within = if start < end { Some(self.ranges.range(start..end)) } else { None };
        before.into_iter().filter(move |_| start < end).chain(within.into_iter().flatten()).map(
            move |(first, (last, value))| Piece {
                start: (*first).max(start),
                end: (*last).min(end),
                origin: *first,
                value: *value,
            },
        )
    }

    /// The parts of `start..end` that are not in the map, in order.
    pub fn gaps(&self, start: u64, end: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut next = start;
        for piece in self.overlaps(start, end) {
            if piece.start > next {
                gaps.push((next, piece.start));
            }
            next = piece.end;
        }
        if next < end {
            gaps.push((next, end));
        }
        gaps
    }

    /// Gives the octets of `start..end` that are in no range yet the value that `value` returns for the first of
    /// them; returns how many octets these are.
    pub fn fill(&mut self, start: u64, end: u64, value: impl Fn(u64) -> V) -> u64 {
        // Data in order goes to the end: no need to look for gaps.
        let beyond = self.ranges.last_key_value().is_none_or(|(_, (last, _))| *last <= start);
        if beyond {
            if start < end {
                self.ranges.insert(start, (end, value(start)));
                self.total += end - start;
            }
            return end.saturating_sub(start);
        }
        let gaps = self.gaps(start, end);
        let mut filled = 0;
        for (first, last) in gaps {
            self.ranges.insert(first, (last, value(first)));
            filled += last - first;
        }
        self.total += filled;
        filled
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
        assert_eq!(map.gaps(5, 25), [(5, 10), (20, 25)]);
    }
}
