//! Titles of axes: broken between words alone, in smaller letters where room lacks, and shortened by words at last.

use super::super::figure::Axis;
use super::super::font;
use super::super::ticks::Ticks;
use super::super::wrapping::wrap_words;
use super::Sizes;

/// Sizes of letters that are tried, in multiples of the usual one.
pub(super) const SMALLER: [f64; 3] = [1.0, 0.9, 0.8];

/// Lines and sizes of letters of a title, in the order in which they are tried.
const LINES_AND_SIZES: [(usize, f64); 9] =
    [(1, 1.0), (1, 0.9), (2, 1.0), (1, 0.8), (2, 0.9), (2, 0.8), (3, 1.0), (3, 0.9), (3, 0.8)];

/// The title of an axis in lines.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct AxisTitle {
    pub(super) lines: Vec<String>,
    /// Size of the letters.
    pub(super) size: f64,
}

impl AxisTitle {
    /// `text` in at most `most` lines of `room`: of few lines and large letters what reads best. `None` where it has no room.
    pub(super) fn fit(text: &str, room: f64, most: usize, sizes: &Sizes) -> Option<Self> {
        let choices = LINES_AND_SIZES.iter().filter(|(lines, _)| *lines <= most);
        choices.into_iter().find_map(|(lines, smaller)| {
            let size = sizes.font * smaller;
            Some(AxisTitle { lines: wrap_words(text, room, *lines, |text| font::width(text, size))?, size })
        })
    }

    /// The title of an x axis, in one line of smaller letters rather than two; its unit in any case. Words that have no room
    /// are left out.
    pub(super) fn along_x(axis: &Axis, ticks: &Ticks, room: f64, sizes: &Sizes) -> Self {
        let lines_of = |title: &String| Self::fit(title, room, 1, sizes).or_else(|| Self::fit(title, room, 2, sizes));
        ticks.shorter_labels(axis).iter().find_map(lines_of).unwrap_or_default()
    }

    /// Height of its lines.
    pub(super) fn height(&self) -> f64 {
        self.lines.len() as f64 * Sizes::line(self.size)
    }
}
