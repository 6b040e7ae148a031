//! What is put in by rising numbers and taken out from the lowest one, as data under way are.

use std::collections::{BTreeMap, VecDeque};

/// Lines at most.
const MOST: usize = 8;

/// Values by number. Those that come in order cost one comparison; those of several senders whose numbers rise each on
/// their own, as subflows send, cost one for each sender. Others cost a logarithm.
#[derive(Debug, Clone)]
pub struct Rising<V> {
    /// Each in order; empty ones are kept for what comes.
    lines: Vec<VecDeque<(u64, V)>>,
    /// One past the last number of each line, 0 of an empty one.
    ends: [u64; MOST],
    /// The first number of each line, the highest there is of an empty one.
    starts: [u64; MOST],
    /// The line with the lowest of these.
    lowest: usize,
    /// Those that fit at the end of no line, nor before one.
    others: BTreeMap<u64, V>,
}

impl<V> Default for Rising<V> {
    fn default() -> Self {
        let (ends, starts) = ([0; MOST], [u64::MAX; MOST]);
        Rising { lines: Vec::new(), ends, starts, lowest: 0, others: BTreeMap::new() }
    }
}

impl<V> Rising<V> {
    /// Adds a value under a number that none has.
    #[inline]
    pub fn insert(&mut self, number: u64, value: V) {
        // The line whose end is nearest to it takes it: then numbers that rise in so many places need so many lines.
        let mut nearest = None;
        for (place, end) in self.ends.iter().enumerate().take(self.lines.len()) {
            if *end <= number && nearest.is_none_or(|(_, nearest)| nearest < *end) {
                nearest = Some((place, *end));
            }
        }
        match nearest {
            Some((place, _)) => self.put_behind(place, number, value),
            None => self.put_elsewhere(number, value),
        }
    }

    #[inline]
    fn put_behind(&mut self, place: usize, number: u64, value: V) {
        let (Some(line), Some(end)) = (self.lines.get_mut(place), self.ends.get_mut(place)) else { return };
        let is_first = line.is_empty();
        line.push_back((number, value));
        *end = number.saturating_add(1);
        if is_first {
            self.begins_at(place, number);
        }
    }

    /// A line begins at that number now, which is not higher than before.
    #[inline]
    fn begins_at(&mut self, place: usize, number: u64) {
        if let Some(start) = self.starts.get_mut(place) {
            *start = number;
        }
        if self.starts.get(self.lowest).is_none_or(|lowest| number < *lowest) {
            self.lowest = place;
        }
    }

    /// Adds what lies before the end of every line.
    fn put_elsewhere(&mut self, number: u64, value: V) {
        if let Some(place) = self.starts.iter().take(self.lines.len()).position(|start| *start > number)
            && let Some(line) = self.lines.get_mut(place)
        {
            line.push_front((number, value));
            self.begins_at(place, number);
        } else if self.lines.len() < MOST {
            self.lines.push(VecDeque::new());
            self.put_behind(self.lines.len() - 1, number, value);
        } else {
            self.others.insert(number, value);
        }
    }

    /// Takes out the lowest number and its value, if `due` says so of them.
    #[inline]
    pub fn pop_first_if(&mut self, due: impl FnOnce(u64, &V) -> bool) -> Option<(u64, V)> {
        let line = self.lines.get_mut(self.lowest);
        let lowest = line.as_ref().and_then(|line| line.front()).map(|(number, _)| *number);
        if !self.others.is_empty()
            && let Some(other) = self.others.first_entry()
            && lowest.is_none_or(|lowest| *other.key() < lowest)
        {
            return due(*other.key(), other.get()).then(|| other.remove_entry());
        }
        let line = line?;
        if !line.front().is_some_and(|(number, value)| due(*number, value)) {
            return None;
        }
        let first = line.pop_front();
        let (start, end) = (self.starts.get_mut(self.lowest)?, self.ends.get_mut(self.lowest)?);
        match line.front() {
            Some((next, _)) => *start = *next,
            None => (*start, *end) = (u64::MAX, 0),
        }
        let (mut place, mut least) = (0, u64::MAX);
        for (index, start) in self.starts.iter().enumerate().take(self.lines.len()) {
            if *start < least {
                (place, least) = (index, *start);
            }
        }
        self.lowest = place;
        first
    }

    /// Whether there are none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.others.is_empty() && self.lines.iter().all(VecDeque::is_empty)
    }

    /// The highest number up to this one, and its value. Mostly it is among the last ones.
    #[inline]
    #[must_use]
    pub fn up_to(&self, number: u64) -> Option<(u64, &V)> {
        let lines = self.lines.iter().filter_map(|line| line.get(behind(line, number).checked_sub(1)?));
        let lines = lines.map(|(number, value)| (*number, value));
        let others = self.others.range(..=number).next_back().map(|(number, value)| (*number, value));
        lines.chain(others).max_by_key(|(number, _)| *number)
    }
}

/// Place in a line of the first number above this one. Looks at 1, 2, 4… of the last ones before it halves.
fn behind<V>(line: &VecDeque<(u64, V)>, number: u64) -> usize {
    let is_above = |place: usize| line.get(place).is_some_and(|(own, _)| *own > number);
    let (mut high, mut step) = (line.len(), 1_usize);
    while high > 0 && is_above(high - 1) {
        let low = high.saturating_sub(step);
        if !is_above(low) {
            break;
        }
        high = low;
        step = step.saturating_mul(2);
    }
    let mut low = high.saturating_sub(step);
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_above(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use std::collections::btree_map::Entry;

    use super::*;

    /// Against the map of the standard library.
    #[test]
    fn it_is_what_a_map_says_whatever_the_order() {
        let numbers =
            std::iter::successors(Some(7_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        let mut numbers = numbers.map(|n| u64::from(n >> 16));
        let (mut rising, mut map) = (Rising::default(), BTreeMap::new());
        for step in 0..20_000_u64 {
            // Mostly in order, at times behind or before all others.
            let mut draw = || numbers.next().unwrap();
            let number = match draw() % 8 {
                0 => draw() % (step + 1),
                1 => 0,
                // Four senders, each at its own place.
                2..=4 => 2 * step + 1_000_000 * (draw() % 4),
                _ => 2 * step,
            };
            if let Entry::Vacant(vacant) = map.entry(number) {
                vacant.insert(step);
                rising.insert(number, step);
            }
            let wanted = if draw() % 2 == 0 { draw() % (2 * step + 2) } else { (2 * step).saturating_sub(draw() % 9) };
            let found = map.range(..=wanted).next_back().map(|(number, value)| (*number, value));
            assert_eq!(rising.up_to(wanted), found, "step {step}");
            if draw() % 3 == 0 {
                assert_eq!(
                    rising.pop_first_if(|number, _| number < step),
                    map.first_entry().filter(|first| *first.key() < step).map(|first| first.remove_entry())
                );
                assert_eq!(rising.pop_first_if(|_, _| true), map.pop_first(), "step {step}");
                assert_eq!(rising.is_empty(), map.is_empty());
            }
        }
        while let Some(first) = map.pop_first() {
            assert_eq!(rising.pop_first_if(|_, _| true), Some(first));
        }
        assert!(rising.is_empty() && rising.pop_first_if(|_, _| true).is_none());
    }
}
