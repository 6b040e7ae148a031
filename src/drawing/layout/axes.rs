//! Numbers and names along the axes: as many as have room.

use super::super::extent::{Extent, Range};
use super::super::figure::Axis;
use super::super::font;
use super::super::ticks::Ticks;
use super::super::wrapping::{shorten, wrap, wrap_words};
use super::Sizes;
use super::axis_titles::SMALLER;
use crate::terminal_text::escape;

/// From name to name along y, in multiples of their size.
pub(super) const NAMED_APART: f64 = 1.25;

/// An axis with its ticks and the lines of their labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Scaled {
    pub(super) ticks: Ticks,
    /// Lines of each label.
    pub(super) labels: Vec<Vec<String>>,
    /// Size of their letters.
    pub(super) size: f64,
    /// They run upwards.
    pub(super) upright: bool,
}

impl Scaled {
    /// Lines of the label that has most.
    pub(super) fn lines(&self) -> usize {
        self.labels.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Width of the widest label.
    pub(super) fn widest(&self) -> f64 {
        self.labels.iter().flatten().map(|line| font::width(line, self.size)).fold(0.0, f64::max)
    }

    /// Height of the highest label below or above an axis.
    pub(super) fn height(&self) -> f64 {
        if self.upright { self.widest() } else { self.lines() as f64 * Sizes::line(self.size) }
    }
}

/// Names along x: beside each other in lines of whole words, in smaller letters where room lacks; upwards where words are
/// too wide even so. Above the panel (`on_top`), all names stand, and long ones are broken instead of shortened.
fn names_along_x(axis: &Axis, range: Range, width: f64, on_top: bool, sizes: &Sizes) -> Scaled {
    // A lifeline without its name would be none.
    let most = if on_top { usize::MAX } else { (width / (4.0 * sizes.small)).floor().clamp(1.0, 256.0) as usize };
    let ticks = Ticks::new(axis, range, most);
    let room = width / ticks.ticks.len().max(1) as f64 - 0.6 * sizes.small;
    let names: Vec<String> = ticks.ticks.iter().map(|tick| escape(&tick.label).into_owned()).collect();
    let whole = SMALLER.iter().find_map(|smaller| {
        let size = sizes.small * smaller;
        let labels = names.iter().map(|name| wrap_words(name, room, 3, |text| font::width(text, size)));
        Some((labels.collect::<Option<Vec<_>>>()?, size))
    });
    if let Some((labels, size)) = whole {
        return Scaled { ticks, labels, size, upright: false };
    }
    let size = sizes.small * 0.9;
    let widest = names.iter().map(|name| font::width(name, size)).fold(0.0, f64::max);
    if on_top && (widest > sizes.height / 3.0 || room < size) {
        let size = sizes.small;
        let labels = names.iter().map(|name| wrap(name, room, 3, |text| font::width(text, size))).collect();
        return Scaled { ticks, labels, size, upright: false };
    }
    let most = if on_top { widest } else { sizes.height / 4.0 };
    let upwards = |name: &String| vec![shorten(name, most, |text| font::width(text, size))];
    let labels = names.iter().map(upwards).collect();
    Scaled { ticks, labels, size, upright: true }
}

/// Ticks of an x axis whose labels have room beside each other.
pub(super) fn along_x(axis: &Axis, range: Range, width: f64, on_top: bool, sizes: &Sizes) -> Scaled {
    let measure = |text: &str| font::width(text, sizes.small);
    if !axis.categories.is_empty() {
        return names_along_x(axis, range, width, on_top, sizes);
    }
    let fits = |ticks: &Ticks| {
        ticks.ticks.windows(2).all(|pair| {
            let [one, other] = pair else { return true };
            let between = (range.share(other.value, axis.scale) - range.share(one.value, axis.scale)) * width;
            let needed = (measure(&one.label) + measure(&other.label)) / 2.0 + 0.9 * sizes.small;
            between >= needed
        })
    };
    let ticks = (2..=12).rev().map(|most| Ticks::new(axis, range, most)).find(fits).unwrap_or_default();
    let labels = ticks.ticks.iter().map(|tick| vec![tick.label.clone()]).collect();
    Scaled { ticks, labels, size: sizes.small, upright: false }
}

/// Ticks of a y axis whose labels have room above each other.
pub(super) fn along_y(axis: &Axis, extent: &Extent, height: f64, sizes: &Sizes) -> Scaled {
    let range = extent.y;
    let apart = if axis.categories.is_empty() { 2.2 } else { NAMED_APART };
    let most = (height / (apart * sizes.small)).floor();
    let most = if axis.categories.is_empty() { most.clamp(2.0, 10.0) } else { most.clamp(1.0, 256.0) } as usize;
    // Even steps on a logarithmic axis come closer the greater they are.
    let apart = |most: usize| {
        let mut ticks = Ticks::prefixed(axis, range, most, extent.y_prefixed);
        let mut last = f64::NEG_INFINITY;
        ticks.ticks.retain(|tick| {
            let place = range.share(tick.value, axis.scale) * height;
            let apart = place - last >= 1.2 * sizes.small;
            last = if apart { place } else { last };
            apart
        });
        ticks
    };
    let mut ticks = apart(most);
    // One number alone tells nothing of the scale.
    if ticks.ticks.len() < 2 && axis.categories.is_empty() {
        let closer = (1..=3_usize).map(|more| apart(most.saturating_add(more))).find(|ticks| ticks.ticks.len() > 1);
        ticks = closer.unwrap_or(ticks);
    }
    // Names may take a quarter of the picture.
    let room = sizes.width / 4.0;
    let size = sizes.small;
    let label = |label: &str| shorten(&escape(label), room, |text| font::width(text, size));
    let labels = ticks.ticks.iter().map(|tick| vec![label(&tick.label)]).collect();
    Scaled { ticks, labels, size, upright: false }
}
