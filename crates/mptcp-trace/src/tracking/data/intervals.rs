//! A map from byte ranges to values: who owned each byte first.

use std::cell::Cell;
use std::collections::BTreeMap;

/// A range that is in the map, or the part of it that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<V> {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Where the range that this is a part of begins in the map.
    pub origin: u64,
    /// Its value.
    pub value: V,
}

impl<V> Piece<V> {
    /// Bytes in it.
    pub fn length(&self) -> u64 {
        self.end - self.start
    }
}

/// Disjoint ranges with a value each. What is in the map stays: a later insertion only fills the gaps.
///
/// Most data comes in order: what lies beyond all ranges is told without a look into the map, and most questions are
/// about the place that the one before was about. Ranges lie in runs, one after the other, and only the runs are in a
/// tree: that takes half the memory of a tree of ranges.
#[derive(Debug, Clone)]
pub struct Intervals<V> {
    /// Ranges in order, at most [`RUN`] of them in each run. None is empty.
    runs: Vec<Vec<Range<V>>>,
    /// The runs in order, by the start of their first range.
    order: BTreeMap<u64, usize>,
    /// The run behind all others.
    last: usize,
    /// The run that was looked at last.
    recent: Cell<usize>,
    total: u64,
    /// The highest end of all ranges.
    end: u64,
    /// The same ranges without their values.
    filled: Filled,
}

/// Which parts are filled: ranges of the map that touch are one here. So what is missing of a part that many ranges fill
/// is found without looking at each of them, whatever a capture makes of them.
#[derive(Debug, Clone, Default)]
struct Filled {
    /// Start to end, disjoint and not touching, but for the last.
    before: BTreeMap<u64, u64>,
    /// The last: data in order changes nothing else.
    last: (u64, u64),
}

impl Filled {
    /// Adds a range that begins where all others end, or behind.
    #[inline]
    fn append(&mut self, start: u64, end: u64) {
        if start > self.last.1 {
            if self.last.0 < self.last.1 {
                self.before.insert(self.last.0, self.last.1);
            }
            self.last.0 = start;
        } else if self.last.0 == self.last.1 {
            self.last.0 = start;
        }
        self.last.1 = end;
    }

    /// The ranges that reach into `start..end`, from the first on.
    fn reaching(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let first = self.before.range(..=start).next_back().filter(|(_, last)| **last > start);
        let behind = start.saturating_add(1);
        let more = (behind < end).then(|| self.before.range(behind..end));
        let last = Some(self.last).filter(|(first, last)| *first < end && *last > start);
        first.into_iter().chain(more.into_iter().flatten()).map(|(first, last)| (*first, *last)).chain(last)
    }

    /// Adds a range that none of these overlaps; it may touch them.
    fn insert(&mut self, mut start: u64, mut end: u64) {
        if start >= self.last.1 {
            return self.append(start, end);
        }
        if let Some((first, _)) = self.before.range(..start).next_back().filter(|(_, last)| **last == start) {
            start = *first;
        }
        if let Some(last) = self.before.remove(&end) {
            end = last;
        }
        if end == self.last.0 {
            self.before.remove(&start);
            self.last.0 = start;
        } else {
            self.before.insert(start, end);
        }
    }
}

/// Ranges in a run at most.
const RUN: usize = 64;

#[derive(Debug, Clone, Copy)]
struct Range<V> {
    start: u64,
    end: u64,
    value: V,
}

impl<V> Default for Intervals<V> {
    fn default() -> Self {
        Intervals {
            runs: Vec::new(),
            order: BTreeMap::new(),
            last: 0,
            recent: Cell::new(0),
            total: 0,
            end: 0,
            filled: Filled::default(),
        }
    }
}

impl<V: Copy + PartialEq> Intervals<V> {
    /// Bytes in the map.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// One past the last byte of all ranges; `None` of none.
    pub fn end(&self) -> Option<u64> {
        (self.total > 0).then_some(self.end)
    }

    /// The parts of `start..end` that are in the map, in order.
    #[inline]
    pub fn overlaps(&self, start: u64, end: u64) -> impl Iterator<Item = Piece<V>> + '_ {
        self.ranges_from(start, end).take_while(move |range| range.start < end).map(move |range| Piece {
            start: range.start.max(start),
            end: range.end.min(end),
            origin: range.start,
            value: range.value,
        })
    }

    /// The ranges in order from the first that reaches beyond `start`, at least as far as `end`.
    #[inline]
    fn ranges_from(&self, start: u64, end: u64) -> impl Iterator<Item = &Range<V>> + '_ {
        let possible = start < end && start < self.end;
        let run = if possible { self.run_before(start).and_then(|index| self.runs.get(index)) } else { None };
        let first = run.map_or(&[][..], |run| {
            let skipped = run.partition_point(|range| range.end <= start);
            run.get(skipped..).unwrap_or(&[])
        });
        // Most questions end within that run.
        let ends = first.last().is_some_and(|range| range.end >= end);
        let behind = start.saturating_add(1);
        let more = if possible && !ends && behind < end { Some(self.order.range(behind..end)) } else { None };
        let more = more.into_iter().flatten().filter_map(|(_, index)| self.runs.get(*index)).flatten();
        first.iter().chain(more)
    }

    /// The run that may hold `start`; all others begin behind it or end before.
    #[inline]
    fn run_before(&self, start: u64) -> Option<usize> {
        let recent = self.recent.get();
        if self.runs.get(recent).is_some_and(|run| covers(run, start)) {
            return Some(recent);
        }
        let (_, index) = self.order.range(..=start).next_back()?;
        self.recent.set(*index);
        Some(*index)
    }

    /// The parts of `start..end` that are not in the map, in order.
    #[inline]
    pub fn gaps(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let mut next = start;
        let mut filled = (start < self.end).then(|| self.filled.reaching(start, end)).into_iter().flatten();
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

    /// Gives the bytes of `start..end` that are in no range yet the value that `value` returns for the first of
    /// them; returns how many bytes these are.
    #[inline]
    pub fn fill(&mut self, start: u64, end: u64, value: impl Fn(u64) -> V) -> u64 {
        if start >= end {
            return 0;
        }
        if start >= self.end {
            self.append(start, end, value(start));
            return end - start;
        }
        let mut filled = 0;
        let mut next = start;
        // Gap by gap: each insertion moves what the next one is looked for in.
        loop {
            let gap = self.gaps(next, end).next();
            let Some((first, last)) = gap else { break };
            if first >= self.end {
                self.append(first, last, value(first));
                return filled + (last - first);
            }
            self.insert(Range { start: first, end: last, value: value(first) });
            self.filled.insert(first, last);
            filled += last - first;
            self.total += last - first;
            next = last;
        }
        filled
    }

    /// Adds a range behind all others, to the last one if they touch and their values do not tell them apart.
    fn append(&mut self, start: u64, end: u64, value: V) {
        self.total += end - start;
        self.filled.append(start, end);
        let touches = start == self.end;
        self.end = end;
        if let Some(run) = self.runs.get_mut(self.last) {
            if let Some(range) = run.last_mut().filter(|range| touches && range.value == value) {
                range.end = end;
                return;
            }
            if run.len() < RUN {
                run.push(Range { start, end, value });
                return;
            }
        }
        self.last = self.add(vec![Range { start, end, value }]);
    }

    /// Adds a run, and returns its place.
    fn add(&mut self, run: Vec<Range<V>>) -> usize {
        let index = self.runs.len();
        if let Some(first) = run.first() {
            self.order.insert(first.start, index);
        }
        self.runs.push(run);
        index
    }

    /// Puts a range where none is, before the end of all.
    fn insert(&mut self, range: Range<V>) {
        let Some((_, index)) = self.order.range(..range.start).next_back().map(|(start, index)| (*start, *index))
        else {
            self.insert_first(range);
            return;
        };
        let Some(run) = self.runs.get_mut(index) else { return };
        let place = run.partition_point(|other| other.start < range.start);
        if join(run, place, &range) {
            return;
        }
        if run.len() < RUN {
            run.insert(place, range);
            return;
        }
        let mut behind = run.split_off(RUN / 2);
        match place.checked_sub(RUN / 2) {
            Some(place) if place > 0 => behind.insert(place, range),
            _ => run.insert(place, range),
        }
        let added = self.add(behind);
        if self.last == index {
            self.last = added;
        }
    }

    /// Puts a range before all others: its run gets a new name.
    fn insert_first(&mut self, range: Range<V>) {
        if let Some(entry) = self.order.first_entry()
            && let Some(run) = self.runs.get_mut(*entry.get())
            && (join(run, 0, &range) || run.len() < RUN)
        {
            if run.first().is_none_or(|first| first.start != range.start) {
                run.insert(0, range);
            }
            let index = entry.remove();
            self.order.insert(range.start, index);
            return;
        }
        self.add(vec![range]);
    }
}

/// Makes a range that belongs at `place` of a run a part of its neighbours there, where they touch and their values do not
/// tell them apart; false where there is no such neighbour.
fn join<V: Copy + PartialEq>(run: &mut Vec<Range<V>>, place: usize, range: &Range<V>) -> bool {
    let behind =
        run.get(place).filter(|next| next.start == range.end && next.value == range.value).map(|next| next.end);
    let before = place.checked_sub(1).and_then(|place| run.get_mut(place));
    if let Some(before) = before.filter(|before| before.end == range.start && before.value == range.value) {
        before.end = behind.unwrap_or(range.end);
        if behind.is_some() {
            run.remove(place);
        }
        return true;
    }
    match run.get_mut(place).filter(|_| behind.is_some()) {
        Some(next) => {
            next.start = range.start;
            true
        }
        None => false,
    }
}

/// Whether `start` lies between the beginning and the end of a run.
#[inline]
fn covers<V>(run: &[Range<V>], start: u64) -> bool {
    matches!((run.first(), run.last()), (Some(first), Some(last)) if first.start <= start && start < last.end)
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

    /// Against a list of bytes, each with its owner.
    #[test]
    fn ranges_in_any_order_are_what_a_list_of_octets_says() {
        let numbers =
            std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        let mut numbers = numbers.map(|n| u64::from(n >> 16));
        let mut owners: Vec<Option<u64>> = vec![None; 70_000];
        let mut map = Intervals::default();
        for owner in 0..3000 {
            let (start, length) = (numbers.next().unwrap(), numbers.next().unwrap() % 40);
            let before = owners[start as usize..(start + length) as usize].iter().filter(|o| o.is_none()).count();
            assert_eq!(map.fill(start, start + length, |_| owner), before as u64);
            owners[start as usize..(start + length) as usize].iter_mut().for_each(|o| *o = o.or(Some(owner)));
            let (from, to) = (numbers.next().unwrap(), numbers.next().unwrap() % 4000);
            let mut wanted = owners[from as usize..].iter().take(to as usize).copied();
            let mut found: Vec<Option<u64>> = vec![None; to as usize];
            for piece in map.overlaps(from, from + to) {
                assert!(piece.origin <= piece.start && piece.start < piece.end);
                found[(piece.start - from) as usize..(piece.end - from) as usize].fill(Some(piece.value));
            }
            assert!(found.iter().all(|found| *found == wanted.next().flatten()), "after {owner}");
        }
        assert_eq!(map.total(), owners.iter().flatten().count() as u64);
    }

    #[test]
    fn what_touches_and_is_alike_is_one_range() {
        let mut map = Intervals::default();
        let ends = |map: &Intervals<()>| map.overlaps(0, 1000).map(|p| (p.start, p.end)).collect::<Vec<_>>();
        for start in (0..100).rev() {
            map.fill(start * 10 + 5, start * 10 + 10, |_| ());
        }
        assert_eq!(ends(&map).len(), 100);
        assert_eq!(map.fill(0, 1000, |_| ()), 500);
        assert!(ends(&map).len() <= 4, "{:?}", ends(&map));
        for start in (0..1000).rev() {
            map.fill(2000 + start, 2001 + start, |_| ());
        }
        assert_eq!(map.overlaps(2000, 3000).count(), 1);
        assert_eq!(map.gaps(0, 3000).collect::<Vec<_>>(), [(1000, 2000)]);
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
