//! A map from byte ranges to values: who owned each byte first.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::tracking::sequence::RangeSet;

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
    /// Where the latest questions were answered, and which of these is the oldest: each subflow sends at a place of its own.
    recent: [Cell<Place>; RECENT],
    oldest: Cell<usize>,
    /// The same ranges without their values: ranges of the map that touch are one here. So what is missing of a part that
    /// many ranges fill is found without looking at each of them, whatever a capture makes of them.
    filled: RangeSet,
    /// The highest end of all ranges.
    end: u64,
}

/// Ranges in a run at most.
const RUN: usize = 32;
/// Places that are remembered.
const RECENT: usize = 4;

#[derive(Debug, Clone, Copy)]
struct Range<V> {
    start: u64,
    end: u64,
    value: V,
}

/// A place in the map.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    run: usize,
    /// The run is that of the numbers from here on, those of its first range.
    from: u64,
    /// One past the last of them; none where it is not beyond `from`.
    until: u64,
    /// A range of the run.
    range: usize,
}

impl<V> Default for Intervals<V> {
    fn default() -> Self {
        Intervals {
            runs: Vec::new(),
            order: BTreeMap::new(),
            last: 0,
            recent: Default::default(),
            oldest: Cell::default(),
            filled: RangeSet::default(),
            end: 0,
        }
    }
}

impl<V: Copy + PartialEq> Intervals<V> {
    /// Bytes in the map.
    pub fn total(&self) -> u64 {
        self.filled.total()
    }

    /// One past the last byte of all ranges; `None` of none.
    pub fn end(&self) -> Option<u64> {
        (self.total() > 0).then_some(self.end)
    }

    /// Whether any of `start..end` is in the map.
    #[inline]
    pub fn reaches_into(&self, start: u64, end: u64) -> bool {
        self.filled.reaches_into(start, end)
    }

    /// Whether all of `start..end` is in the map.
    #[inline]
    pub fn covers(&self, start: u64, end: u64) -> bool {
        self.filled.covers(start, end)
    }

    /// The part `start..end`, where it lies within one range.
    #[inline]
    pub fn within(&self, start: u64, end: u64) -> Option<Piece<V>> {
        let (run, place) = self.range_at(start).filter(|_| start < self.end)?;
        let range = run.get(place).filter(|range| range.start <= start && end <= range.end)?;
        Some(Piece { start, end, origin: range.start, value: range.value })
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
        let at = if possible { self.range_at(start) } else { None };
        let first = at.and_then(|(run, place)| run.get(place..)).unwrap_or(&[]);
        // Most questions end within that run.
        let ends = first.last().is_some_and(|range| range.end >= end);
        let behind = start.saturating_add(1);
        let more = if possible && !ends && behind < end { Some(self.order.range(behind..end)) } else { None };
        let more = more.into_iter().flatten().filter_map(|(_, index)| self.runs.get(*index)).flatten();
        first.iter().chain(more)
    }

    /// The run that `start` belongs to, and the place in it of the first range that reaches beyond.
    #[inline]
    fn range_at(&self, start: u64) -> Option<(&[Range<V>], usize)> {
        let recent = self.place_of(start)?;
        let place = recent.get();
        let run = self.runs.get(place.run)?;
        // That of the question before, or the next one.
        for range in [place.range, place.range.saturating_add(1)] {
            let before = range.checked_sub(1).and_then(|before| run.get(before));
            if run.get(range).is_some_and(|range| range.end > start) && before.is_none_or(|range| range.end <= start) {
                recent.set(Place { range, ..place });
                return Some((run, range));
            }
        }
        let range = run.partition_point(|range| range.end <= start);
        recent.set(Place { range, ..place });
        Some((run, range))
    }

    /// The place of the run that `start` belongs to; all others begin behind it or end before.
    #[inline]
    fn place_of(&self, start: u64) -> Option<&Cell<Place>> {
        let known = self.recent.iter().find(|recent| {
            let Place { from, until, .. } = recent.get();
            from <= start && start < until
        });
        known.or_else(|| self.search(start))
    }

    fn search(&self, start: u64) -> Option<&Cell<Place>> {
        let (from, run) = self.order.range(..=start).next_back().map(|(from, run)| (*from, *run))?;
        let next = start.checked_add(1).and_then(|behind| self.order.range(behind..).next());
        let until = next.map_or(u64::MAX, |(next, _)| *next);
        let oldest = self.oldest.get();
        self.oldest.set(oldest.wrapping_add(1) % RECENT);
        let recent = self.recent.get(oldest)?;
        recent.set(Place { run, from, until, range: 0 });
        Some(recent)
    }

    /// The parts of `start..end` that are not in the map, in order.
    #[inline]
    pub fn gaps(&self, start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.filled.gaps(start, end)
    }

    /// Gives the bytes of `start..end` that are in no range yet the value that `value` returns for the first of
    /// them; returns how many bytes these are.
    #[inline]
    pub fn fill(&mut self, start: u64, end: u64, value: impl Fn(u64) -> V) -> u64 {
        if start >= end {
            return 0;
        }
        if self.add_new(start, end, value(start)) {
            return end - start;
        }
        // Segmentation offload repeats a mapping on each of its segments.
        if self.filled.covers(start, end) {
            return 0;
        }
        let mut filled = 0;
        let mut next = start;
        // Gap by gap: each insertion moves what the next one is looked for in.
        loop {
            let gap = self.filled.gaps(next, end).next();
            let Some((first, last)) = gap else { break };
            self.add(Range { start: first, end: last, value: value(first) });
            filled += last - first;
            next = last;
        }
        filled
    }

    /// Gives all bytes of `start..end`, of which there are some, this value if none of them is in a range yet; false where
    /// that is not so.
    #[inline]
    pub fn add_new(&mut self, start: u64, end: u64, value: V) -> bool {
        let is_new = self.filled.insert_new(start, end);
        if is_new {
            self.put(Range { start, end, value });
        }
        is_new
    }

    /// Adds a range where none is.
    #[inline]
    fn add(&mut self, range: Range<V>) {
        self.filled.insert(range.start, range.end);
        self.put(range);
    }

    /// Adds a range that is among the filled ones.
    #[inline]
    fn put(&mut self, range: Range<V>) {
        if range.start >= self.end { self.append(range) } else { self.insert(range) }
    }

    /// Adds a range behind all others, to the last one if they touch and their values do not tell them apart.
    fn append(&mut self, range: Range<V>) {
        let touches = range.start == self.end;
        self.end = range.end;
        if let Some(run) = self.runs.get_mut(self.last) {
            if let Some(last) = run.last_mut().filter(|last| touches && last.value == range.value) {
                last.end = range.end;
                return;
            }
            if run.len() < RUN {
                run.push(range);
                return;
            }
        }
        // The first run may stay a short one.
        let mut run = Vec::with_capacity(if self.runs.is_empty() { 1 } else { RUN });
        run.push(range);
        self.last = self.add_run(run);
    }

    /// Adds a run, and returns its place.
    fn add_run(&mut self, run: Vec<Range<V>>) -> usize {
        let index = self.runs.len();
        if let Some(first) = run.first() {
            self.order.insert(first.start, index);
            for recent in &mut self.recent {
                let recent = recent.get_mut();
                if recent.from < first.start {
                    recent.until = recent.until.min(first.start);
                }
            }
        }
        self.runs.push(run);
        index
    }

    /// Puts a range where none is, before the end of all.
    fn insert(&mut self, range: Range<V>) {
        let Some(index) = self.place_of(range.start).map(|place| place.get().run) else {
            self.insert_first(range);
            return;
        };
        let Some(run) = self.runs.get_mut(index) else { return };
        // Mostly at the end, where the one before was put.
        let is_last = run.last().is_some_and(|last| last.start < range.start);
        let place = if is_last { run.len() } else { run.partition_point(|other| other.start < range.start) };
        if join(run, place, &range) {
            return;
        }
        if run.len() < RUN {
            run.insert(place, range);
            return;
        }
        // What grows in the middle goes on where it was put last: behind that, the run ends.
        let behind = if place < run.len() {
            let behind = run.drain(place.max(RUN / 2)..).collect();
            run.insert(place, range);
            behind
        } else {
            vec![range]
        };
        let added = self.add_run(behind);
        if self.last == index {
            self.last = added;
        }
    }

    /// Puts a range before all others: its run gets a new name.
    fn insert_first(&mut self, range: Range<V>) {
        self.recent = Default::default();
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
        self.add_run(vec![range]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_owner_keeps_its_bytes() {
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
    fn ranges_in_any_order_are_what_a_list_of_bytes_says() {
        let numbers =
            std::iter::successors(Some(1_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        let mut numbers = numbers.map(|n| u64::from(n >> 16));
        let mut owners: Vec<Option<u64>> = vec![None; 70_000];
        let mut map = Intervals::default();
        let mut ends = [0_u64; 6];
        for owner in 0..3000 {
            let length = numbers.next().unwrap() % 40;
            // Many go on where one of six others ended, as the subflows of a connection do.
            let start = match numbers.next().unwrap() {
                anywhere if anywhere % 3 == 0 => numbers.next().unwrap(),
                place => ends[place as usize % 6],
            };
            ends[numbers.next().unwrap() as usize % 6] = start + length;
            let start = start.min(69_000);
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
