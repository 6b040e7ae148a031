//! Numbers and names along the axes: as many as have room.

use super::super::extent::Range;
use super::super::figure::Axis;
use super::super::font;
use super::super::ticks::Ticks;
use super::super::wrapping::{shorten, wrap};
use super::Sizes;
use crate::terminal_text::escape;

/// An axis with its ticks and the lines of their labels.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Scaled {
    pub(super) ticks: Ticks,
    /// Lines of each label.
    pub(super) labels: Vec<Vec<String>>,
}

impl Scaled {
    /// Lines of the label that has most.
    pub(super) fn lines(&self) -> usize {
        self.labels.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Width of the widest label.
    pub(super) fn widest(&self, sizes: &Sizes) -> f64 {
        self.labels.iter().flatten().map(|line| font::width(line, sizes.small)).fold(0.0, f64::max)
    }
}

/// Ticks of an x axis whose labels have room beside each other.
pub(super) fn along_x(axis: &Axis, range: Range, width: f64, sizes: &Sizes) -> Scaled {
    let measure = |text: &str| font::width(text, sizes.small);
    if !axis.categories.is_empty() {
        let most = (width / (4.0 * sizes.small)).floor().clamp(1.0, 256.0) as usize;
        let ticks = Ticks::new(axis, range, most);
        let room = width / ticks.ticks.len().max(1) as f64 - 0.6 * sizes.small;
        let labels = ticks.ticks.iter().map(|tick| wrap(&escape(&tick.label), room, 3, measure)).collect();
        return Scaled { ticks, labels };
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
    Scaled { ticks, labels }
}

/// Ticks of a y axis whose labels have room above each other.
pub(super) fn along_y(axis: &Axis, range: Range, height: f64, sizes: &Sizes) -> Scaled {
    let apart = if axis.categories.is_empty() { 2.2 } else { 1.25 };
    let most = (height / (apart * sizes.small)).floor();
    let most = if axis.categories.is_empty() { most.clamp(2.0, 10.0) } else { most.clamp(1.0, 256.0) } as usize;
    let ticks = Ticks::new(axis, range, most);
    // Names may take a quarter of the picture.
    let room = sizes.width / 4.0;
    let label = |label: &str| shorten(&escape(label), room, |text| font::width(text, sizes.small));
    let labels = ticks.ticks.iter().map(|tick| vec![label(&tick.label)]).collect();
    Scaled { ticks, labels }
}
