//! Our axes for plotters: ranges, logarithms and directions of the figure, key points and labels of the layout.

use std::ops::Range as Values;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::super::backend::UNITS;
use super::super::extent::Range;
use super::super::figure::Axis;
use super::super::geometry::nearest_whole;
use super::super::ticks::Tick;

/// An axis between two places of the picture.
#[derive(Debug, Clone)]
pub struct Scaled<'a> {
    range: Range,
    axis: &'a Axis,
    ticks: &'a [Tick],
    /// Width of the lines that stand at key points, in pixels, where these shall cover whole pixels.
    sharp: Option<f64>,
}

impl<'a> Scaled<'a> {
    /// The axis with the range and the ticks that the layout gave it.
    #[must_use]
    pub fn new(axis: &'a Axis, range: Range, ticks: &'a [Tick]) -> Self {
        Scaled { range, axis, ticks, sharp: None }
    }

    /// The same axis for lines of a width, in pixels, at its ticks.
    #[must_use]
    pub fn sharp(&self, width: f64) -> Self {
        Scaled { sharp: Some(width), ..self.clone() }
    }
}

impl Ranged for Scaled<'_> {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = self.range.share(*value, self.axis.scale);
        let share = if self.axis.reversed { 1.0 - share } else { share };
        let place = f64::from(first) + share * (f64::from(last) - f64::from(first));
        let place = self.sharp.map_or(place, |width| sharp(place / UNITS, width) * UNITS);
        // Saturates; what is drawn was cut at the edges of the panel before.
        nearest_whole(place)
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // The layout has chosen as many as have room; there are no lesser ones between them.
        match hint.weight().allow_light_points() {
            true => Vec::new(),
            false => self.ticks.iter().map(|tick| tick.value).collect(),
        }
    }

    fn range(&self) -> Values<f64> {
        self.range.low..self.range.high
    }
}

impl ValueFormatter<f64> for Scaled<'_> {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|tick| tick.value.total_cmp(value).is_eq());
        tick.map_or_else(|| value.to_string(), |tick| tick.label.clone())
    }
}

/// The nearest place where a line of a width covers whole pixels: in the middle of one where the width is odd.
pub fn sharp(place: f64, width: f64) -> f64 {
    let odd = width.round().rem_euclid(2.0) == 1.0;
    if odd { place.floor() + 0.5 } else { place.round() }
}
