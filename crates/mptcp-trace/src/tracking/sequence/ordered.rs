//! Ranges in the order of their starts: a list while they are few, because that is searched within two or three lines of
//! the processor's cache, and a tree once they are many, because a list would be moved at each insertion.

use std::collections::BTreeMap;

/// Ranges, start to end (exclusive), one for each start.
#[derive(Debug, Clone, Default)]
pub struct Ordered {
    /// All of them, unless `many` has some.
    few: Vec<(u64, u64)>,
    many: BTreeMap<u64, u64>,
}

/// Ranges in a list at most.
const FEW: usize = 64;
/// Ranges that are left in a tree when it becomes a list again.
const FEW_AGAIN: usize = FEW / 4;

impl Ordered {
    /// Their number.
    #[inline]
    pub fn len(&self) -> usize {
        self.few.len().saturating_add(self.many.len())
    }

    /// The first one.
    #[inline]
    pub fn first(&self) -> Option<(u64, u64)> {
        self.few.first().copied().or_else(|| self.many.first_key_value().map(|(start, end)| (*start, *end)))
    }

    /// The last one that starts at `position` or before.
    #[inline]
    pub fn up_to(&self, position: u64) -> Option<(u64, u64)> {
        if self.many.is_empty() {
            return self.few.get(self.behind(position).checked_sub(1)?).copied();
        }
        self.many.range(..=position).next_back().map(|(start, end)| (*start, *end))
    }

    /// The same, with its end to be changed.
    #[inline]
    pub fn up_to_mut(&mut self, position: u64) -> Option<(u64, &mut u64)> {
        if self.many.is_empty() {
            let place = self.behind(position).checked_sub(1)?;
            return self.few.get_mut(place).map(|(start, end)| (*start, end));
        }
        self.many.range_mut(..=position).next_back().map(|(start, end)| (*start, end))
    }

    /// Those that start in `from..until`.
    #[inline]
    pub fn starting_in(&self, from: u64, until: u64) -> impl Iterator<Item = (u64, u64)> + '_ {
        let few = self.few.get(self.few.partition_point(|(start, _)| *start < from)..).unwrap_or(&[]);
        let many = (from < until && !self.many.is_empty()).then(|| self.many.range(from..until));
        let many = many.into_iter().flatten().map(|(start, end)| (*start, *end));
        few.iter().copied().take_while(move |(start, _)| *start < until).chain(many)
    }

    /// Adds a range; none has its start.
    pub fn insert(&mut self, start: u64, end: u64) {
        if self.many.is_empty() && self.few.len() < FEW {
            self.few.insert(self.behind(start), (start, end));
            return;
        }
        self.many.extend(self.few.drain(..));
        self.many.insert(start, end);
    }

    /// Takes out the range that starts there.
    pub fn remove(&mut self, start: u64) {
        if self.many.is_empty() {
            if let Ok(place) = self.few.binary_search_by_key(&start, |(start, _)| *start) {
                self.few.remove(place);
            }
            return;
        }
        self.many.remove(&start);
        if self.many.len() <= FEW_AGAIN {
            self.few.extend(std::mem::take(&mut self.many));
        }
    }

    /// Place in the list behind those that start at `position` or before.
    #[inline]
    fn behind(&self, position: u64) -> usize {
        self.few.partition_point(|(start, _)| *start <= position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the map of the standard library, while ranges become many, and few again.
    #[test]
    fn it_is_what_a_map_says_however_many_there_are() {
        let numbers =
            std::iter::successors(Some(5_u32), |n| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223)));
        let mut numbers = numbers.map(|n| u64::from(n >> 16));
        let mut draw = |below: u64| numbers.next().unwrap() % below;
        let (mut ordered, mut map) = (Ordered::default(), BTreeMap::new());
        let (mut lists, mut trees) = (0, 0);
        for step in 0..40_000_u64 {
            let (start, end) = (draw(500), draw(500));
            // For a while more are put in, then more are taken out.
            if draw(8) < if step / 4000 % 2 == 0 { 5 } else { 2 } {
                if map.insert(start, end).is_none() {
                    ordered.insert(start, end);
                } else if let Some((_, known)) = ordered.up_to_mut(start) {
                    *known = end;
                }
            } else if let Some((&known, _)) = map.range(..=start).next_back() {
                map.remove(&known);
                ordered.remove(known);
            } else {
                // None starts there.
                ordered.remove(start);
            }
            if ordered.many.is_empty() {
                lists += 1
            } else {
                trees += 1
            }
            let position = draw(500);
            let wanted = map.range(..=position).next_back().map(|(start, end)| (*start, *end));
            assert_eq!(ordered.up_to(position), wanted, "step {step}");
            assert_eq!(ordered.up_to_mut(position).map(|(start, end)| (start, *end)), wanted);
            let until = position + draw(50);
            let within: Vec<(u64, u64)> = map.range(position..until).map(|(start, end)| (*start, *end)).collect();
            assert_eq!(ordered.starting_in(position, until).collect::<Vec<(u64, u64)>>(), within);
            assert_eq!(ordered.first(), map.first_key_value().map(|(start, end)| (*start, *end)));
            assert_eq!(ordered.len(), map.len());
        }
        assert!(lists > 5_000 && trees > 5_000, "{lists} lists, {trees} trees");
        assert_eq!(ordered.starting_in(9, 3).next(), None);
    }
}
