//! Texts above a panel that point at instants, in lanes so that none covers another.

use super::super::extent::Extent;
use super::super::figure::Panel;
use super::super::font;
use super::super::wrapping::shorten;
use super::Sizes;
use crate::terminal_text::escape;

/// A line through the panel at an annotation, up to its text where it has one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Riser {
    /// Where it stands.
    pub x: f64,
    /// Upper end.
    pub top: f64,
}

/// An annotation with its place, before the height of the panel is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lifted {
    pub(super) x: f64,
    /// Where the text begins, the lane that it is in (0 is the lowest), and what it says.
    pub(super) text: Option<(f64, usize, String)>,
}

/// Gives the annotations of a panel that mark an instant their lanes, at most `most`.
pub(super) fn lanes(panel: &Panel, extent: &Extent, left: f64, right: f64, most: usize, sizes: &Sizes) -> Vec<Lifted> {
    let inside = |x: f64| panel.x.places(x) && extent.x.low <= x && x <= extent.x.high;
    let chosen = panel.annotations.iter().filter(|annotation| annotation.y.is_none() && inside(annotation.x));
    let mut lifted: Vec<(f64, &str)> = chosen
        .map(|annotation| {
            let share = extent.x.share(annotation.x, panel.x.scale);
            let share = if panel.x.reversed { 1.0 - share } else { share };
            (left + share * (right - left), annotation.text.as_str())
        })
        .collect();
    lifted.sort_by(|one, other| one.0.total_cmp(&other.0));
    let measure = |text: &str| font::width(text, sizes.small);
    // From the right: a text that would run into the next one goes a lane higher, where the line that leads up to it
    // passes to the left of that next one. Each lane ends where such a line, or a text, begins.
    let mut ends = vec![f64::INFINITY; most];
    let mut placed = Vec::with_capacity(lifted.len());
    for (x, text) in lifted.into_iter().rev() {
        let shown = shorten(&escape(text), (right - left) * 0.6, measure);
        let width = measure(&shown);
        // Near the right edge the text is moved so that it stays inside.
        let start = (x - 0.2 * sizes.small).min(right - width).max(left);
        let lane = ends.iter().position(|end| start + width + 0.6 * sizes.small <= *end);
        let text = lane.filter(|_| !shown.is_empty()).map(|lane| {
            ends.iter_mut().take(lane.saturating_add(1)).for_each(|end| *end = start);
            (start, lane, shown)
        });
        placed.push(Lifted { x, text });
    }
    placed
}
