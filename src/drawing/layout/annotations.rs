//! Texts above a panel that point at instants, in lanes so that none covers another.

use std::borrow::Cow;
use std::collections::HashMap;

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
    /// Its text stands somewhere: here, or with others of the same.
    pub(super) told: bool,
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
    let lifted = together(lifted, |text| measure(text) + sizes.small);
    // From the right: a text that would run into the next one goes a lane higher, where the line that leads up to it
    // passes to the left of that next one. Each lane ends where such a line, or a text, begins.
    let mut ends = vec![f64::INFINITY; most];
    let mut placed = Vec::with_capacity(lifted.len());
    for (x, text) in lifted.into_iter().rev() {
        let Some(text) = text else {
            // Another line has the text.
            placed.push(Lifted { x, text: None, told: true });
            continue;
        };
        let shown = shorten(&escape(&text), (right - left) * 0.6, measure);
        let width = measure(&shown);
        // Near the right edge the text is moved so that it stays inside.
        let start = (x - 0.2 * sizes.small).min(right - width).max(left);
        let lane = ends.iter().position(|end| start + width + 0.6 * sizes.small <= *end);
        let text = lane.filter(|_| !shown.is_empty()).map(|lane| {
            ends.iter_mut().take(lane.saturating_add(1)).for_each(|end| *end = start);
            (start, lane, shown)
        });
        placed.push(Lifted { x, told: text.is_some(), text });
    }
    placed
}

/// The texts from left to right, of which equal ones that stand closer than their width are one: at the first of them, with
/// their number.
fn together<'a>(lifted: Vec<(f64, &'a str)>, width: impl Fn(&str) -> f64) -> Vec<(f64, Option<Cow<'a, str>>)> {
    // The place of the first of each group, where its last one stands, and how many they are.
    let mut groups = HashMap::<&str, (usize, f64, usize)>::new();
    let mut counts = vec![0_usize; lifted.len()];
    for (place, (x, text)) in lifted.iter().enumerate() {
        let group = match groups.get(text) {
            Some((first, last, count)) if x - last < width(text) => (*first, *x, count.saturating_add(1)),
            _ => (place, *x, 1),
        };
        groups.insert(text, group);
        if let Some(count) = counts.get_mut(group.0) {
            *count = group.2;
        }
    }
    let named = |((x, text), count): ((f64, &'a str), usize)| match count {
        0 => (x, None),
        1 => (x, Some(Cow::Borrowed(text))),
        count => (x, Some(Cow::Owned(format!("{text} ×{count}")))),
    };
    lifted.into_iter().zip(counts).map(named).collect()
}
