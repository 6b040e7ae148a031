//! Millions of marks become as many as a picture can show, so that what is drawn stays the same.
//!
//! All functions work in pixels, on columns (and rows) of `cell` pixels, in one pass. Only where more than `most` pieces
//! would be left are the cells made larger, until they suffice.

use std::collections::{HashMap, HashSet};

use super::geometry::{PixelPoint, whole_below};
use mptcp_trace::interrupt::interruptible;

/// A vertical line in the picture: `x`, top, bottom.
pub type Stroke = (f64, f64, f64);

/// Larger cells would show.
const LARGEST_CELL: f64 = 64.0;

/// Doubles the cell until at most `most` pieces are left.
fn fitting<T>(most: usize, cell: f64, count: impl Fn(&T) -> usize, thin: impl Fn(f64) -> T) -> T {
    let mut cell = cell;
    loop {
        let kept = thin(cell);
        if count(&kept) <= most || cell >= LARGEST_CELL {
            return kept;
        }
        cell *= 2.0;
    }
}

fn index(value: f64, cell: f64) -> i64 {
    // Saturates: what lies that far out is outside of every picture.
    whole_below(value / cell)
}

/// Marks of which one hides the others: the first in each cell.
#[must_use]
pub fn marks(places: &[PixelPoint], cell: f64, most: usize) -> Vec<PixelPoint> {
    fitting(most, cell, Vec::len, |cell| {
        let mut taken = HashSet::new();
        let fresh = |(x, y): &&PixelPoint| taken.insert((index(*x, cell), index(*y, cell)));
        interruptible(places).filter(fresh).copied().collect()
    })
}

/// Vertical strokes: in each column the lines that they cover together, standing in the middle of the column.
#[must_use]
pub fn strokes(strokes: &[Stroke], cell: f64, most: usize) -> Vec<Stroke> {
    fitting(most, cell, Vec::len, |cell| columns_of_strokes(strokes, cell))
}

fn columns_of_strokes(strokes: &[Stroke], cell: f64) -> Vec<Stroke> {
    let mut columns: Vec<(i64, Vec<(f64, f64)>)> = Vec::new();
    let mut places: HashMap<i64, usize> = HashMap::new();
    // Mostly the next stroke stands in the column of the one before.
    let mut at = None;
    for (x, one, other) in interruptible(strokes) {
        let (column, top, bottom) = (index(*x, cell), one.min(*other), one.max(*other));
        let place = at.filter(|(own, _)| *own == column).map_or_else(
            || {
                *places.entry(column).or_insert_with(|| {
                    columns.push((column, Vec::new()));
                    columns.len() - 1
                })
            },
            |(_, place)| place,
        );
        at = Some((column, place));
        let Some((_, pieces)) = columns.get_mut(place) else { continue };
        match pieces.last_mut() {
            // No row of cells is free between the two: they are one piece in any case.
            Some(open)
                if index(top, cell) <= index(open.1, cell).saturating_add(1)
                    && index(open.0, cell) <= index(bottom, cell).saturating_add(1) =>
            {
                *open = (open.0.min(top), open.1.max(bottom));
            }
            _ => pieces.push((top, bottom)),
        }
    }
    columns.sort_unstable_by_key(|(column, _)| *column);
    let mut merged = Vec::new();
    for (column, mut pieces) in interruptible(columns) {
        // `as` is exact: a column of a picture.
        let middle = (column as f64 + 0.5) * cell;
        pieces.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
        let mut pieces = pieces.into_iter();
        let Some(mut open) = pieces.next() else { continue };
        for (top, bottom) in interruptible(pieces) {
            // No row of cells is free between the two.
            if index(top, cell) <= index(open.1, cell).saturating_add(1) {
                open.1 = open.1.max(bottom);
            } else {
                merged.push((middle, open.0, open.1));
                open = (top, bottom);
            }
        }
        merged.push((middle, open.0, open.1));
    }
    merged
}

/// A line: of the points that follow each other in one column the first, the lowest, the highest and the last.
///
/// A line that runs to and fro so often that too much would be left is returned as its extent in each column.
#[must_use]
pub fn line(points: &[PixelPoint], cell: f64, most: usize) -> Vec<Vec<PixelPoint>> {
    let kept = fitting(most, cell, Vec::len, |cell| runs(points, cell));
    if kept.len() <= most {
        return vec![kept];
    }
    let upright: Vec<Stroke> = points.iter().map(|(x, y)| (*x, *y, *y)).collect();
    let mut columns: Vec<Vec<PixelPoint>> = Vec::new();
    for (x, top, bottom) in interruptible(columns_of_strokes(&upright, cell)) {
        match columns.last_mut().map(Vec::as_mut_slice) {
            Some([(before, above), (_, below)]) if *before == x => {
                *above = above.min(top);
                *below = below.max(bottom);
            }
            _ => columns.push(vec![(x, top), (x, bottom)]),
        }
    }
    columns
}

fn runs(points: &[PixelPoint], cell: f64) -> Vec<PixelPoint> {
    let mut kept = Vec::new();
    let mut run: Option<Run> = None;
    for (position, place) in interruptible(points.iter().enumerate()) {
        let column = index(place.0, cell);
        match &mut run {
            Some(run) if run.column == column => run.add(position, *place),
            _ => {
                if let Some(run) = run.take() {
                    run.keep(&mut kept);
                }
                run = Some(Run::new(column, position, *place));
            }
        }
    }
    if let Some(run) = run {
        run.keep(&mut kept);
    }
    kept
}

/// Points of one column that follow each other.
struct Run {
    column: i64,
    /// First, lowest, highest and last, with their positions.
    four: [(usize, PixelPoint); 4],
}

impl Run {
    fn new(column: i64, position: usize, place: PixelPoint) -> Self {
        Run { column, four: [(position, place); 4] }
    }

    fn add(&mut self, position: usize, place: PixelPoint) {
        let [_, lowest, highest, last] = &mut self.four;
        if place.1 < lowest.1.1 {
            *lowest = (position, place);
        }
        if place.1 > highest.1.1 {
            *highest = (position, place);
        }
        *last = (position, place);
    }

    fn keep(mut self, kept: &mut Vec<PixelPoint>) {
        self.four.sort_unstable_by_key(|(position, _)| *position);
        let mut before = None;
        for (position, place) in self.four {
            if before != Some(position) {
                kept.push(place);
            }
            before = Some(position);
        }
    }
}

/// Things with two ends: the first of those whose ends lie in the same cells.
#[must_use]
pub fn pairs<T: Clone>(things: &[T], cell: f64, most: usize, ends: impl Fn(&T) -> (PixelPoint, PixelPoint)) -> Vec<T> {
    fitting(most, cell, Vec::len, |cell| {
        let mut taken = HashSet::new();
        let fresh = |thing: &&T| {
            let (from, to) = ends(thing);
            taken.insert([from.0, from.1, to.0, to.1].map(|value| index(value, cell)))
        };
        things.iter().filter(fresh).cloned().collect()
    })
}

#[cfg(test)]
mod tests;
