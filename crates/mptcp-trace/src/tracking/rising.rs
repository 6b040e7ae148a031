//! What is put in by rising numbers and taken out from the lowest one, as data under way are.

use std::collections::{BTreeMap, VecDeque};

/// Values by number. Those that come in order cost one comparison, others a logarithm.
#[derive(Debug, Clone)]
pub struct Rising<V> {
    line: VecDeque<(u64, V)>,
    /// Those that came when a higher number was there.
    others: BTreeMap<u64, V>,
}

impl<V> Default for Rising<V> {
    fn default() -> Self {
        Rising { line: VecDeque::new(), others: BTreeMap::new() }
    }
}

impl<V> Rising<V> {
    /// Adds a value under a number that none has.
    #[inline]
    pub fn insert(&mut self, number: u64, value: V) {
        if self.line.back().is_none_or(|(last, _)| *last < number) {
            self.line.push_back((number, value));
        } else if self.line.front().is_some_and(|(first, _)| *first > number) {
            self.line.push_front((number, value));
        } else {
            self.others.insert(number, value);
        }
    }

    /// The lowest number and its value.
    #[inline]
    #[must_use]
    pub fn first(&self) -> Option<(u64, &V)> {
        let line = self.line.front().map(|(number, value)| (*number, value));
        if self.others.is_empty() {
            return line;
        }
        let other = self.others.first_key_value().map(|(number, value)| (*number, value));
        match (line, other) {
            (Some(line), Some(other)) => Some(if line.0 < other.0 { line } else { other }),
            (line, other) => line.or(other),
        }
    }

    /// Takes out the lowest number and its value.
    #[inline]
    pub fn pop_first(&mut self) -> Option<(u64, V)> {
        if self.others.is_empty() {
            return self.line.pop_front();
        }
        let other = self.others.first_key_value().map(|(number, _)| *number);
        if self.line.front().is_some_and(|(line, _)| other.is_none_or(|other| *line < other)) {
            self.line.pop_front()
        } else {
            self.others.pop_first()
        }
    }

    /// The highest number up to this one, and its value. Mostly it is among the last ones.
    #[inline]
    #[must_use]
    pub fn up_to(&self, number: u64) -> Option<(u64, &V)> {
        let place = self.behind(number).checked_sub(1);
        let line = place.and_then(|place| self.line.get(place)).map(|(number, value)| (*number, value));
        if self.others.is_empty() {
            return line;
        }
        let other = self.others.range(..=number).next_back().map(|(number, value)| (*number, value));
        match (line, other) {
            (Some(line), Some(other)) => Some(if line.0 > other.0 { line } else { other }),
            (line, other) => line.or(other),
        }
    }

    /// Place in the line of the first number above this one. Looks at 1, 2, 4… of the last ones before it halves.
    fn behind(&self, number: u64) -> usize {
        let is_above = |place: usize| self.line.get(place).is_some_and(|(own, _)| *own > number);
        let (mut high, mut step) = (self.line.len(), 1_usize);
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
                    rising.first().map(|(number, value)| (number, *value)),
                    map.first_key_value().map(|(n, v)| (*n, *v))
                );
                assert_eq!(rising.pop_first(), map.pop_first(), "step {step}");
            }
        }
        while let Some(first) = map.pop_first() {
            assert_eq!(rising.pop_first(), Some(first));
        }
        assert!(rising.first().is_none() && rising.pop_first().is_none());
    }
}
