//! The legend: above the panels or beside them, whichever leaves them more room.

use super::super::figure::{Figure, Marks, Role, RoleKind, Series};
use super::super::font;
use super::super::geometry::Rectangle;
use super::super::text::{Anchor, Text};
use super::super::wrapping::shorten;
use super::Sizes;
use crate::terminal_text::escape;

/// One entry with the place of its sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Look of the sample.
    pub key: LegendKey,
    /// Where the sample is drawn.
    pub sample: Rectangle,
}

/// Parameters of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LegendKey {
    /// The role of the series.
    pub role: Role,
    /// [`Marks::name`] of the series.
    pub marks: &'static str,
}

impl LegendKey {
    /// That of a series. Marks of one meaning are one entry, whichever subflow's colour each has.
    #[must_use]
    pub fn of(series: &Series) -> Self {
        let role = if series.role.kind == RoleKind::Subflow { series.role } else { Role::of(series.role.kind) };
        LegendKey { role, marks: Marks::name(&series.marks) }
    }
}

/// Width of a sample, in multiples of the font's size.
const SAMPLE: f64 = 2.4;
/// Between a sample and its text.
const GAP: f64 = 0.5;
/// Between entries.
const APART: f64 = 1.3;
/// Height of a row.
const ROW: f64 = 1.45;
/// Rows of a legend that has no room for all entries.
const OF_MANY: usize = 4;
/// The share of the width that a legend beside the panels may take.
const BESIDE: f64 = 0.32;

/// The names of all series with what they look like, each once: one thing drawn as strokes in one panel and as a line in
/// the next has the same colour and mark in both.
pub fn names(figure: &Figure) -> Vec<(String, LegendKey)> {
    let mut seen = std::collections::HashSet::new();
    let series = figure.panels.iter().flat_map(|panel| &panel.series);
    series
        .filter(|series| !series.name.is_empty())
        .map(|series| (series.name.as_str(), LegendKey::of(series)))
        .filter(|(name, key)| seen.insert((*name, key.role)))
        .map(|(name, key)| (escape(name).into_owned(), key))
        .collect()
}

/// The legend with its places.
pub(super) struct Legend {
    pub(super) entries: Vec<Entry>,
    /// Every name is in it.
    pub(super) whole: bool,
}

pub(super) fn place(
    figure: &Figure,
    sizes: &Sizes,
    share: f64,
    region: &mut Rectangle,
    texts: &mut Vec<Text>,
) -> Legend {
    let names = names(figure);
    if names.is_empty() {
        return Legend { entries: Vec::new(), whole: true };
    }
    let rows = flow(&names, sizes, region.width());
    let row = ROW * sizes.font;
    let above = rows.last().map_or(0.0, |last| (last.row as f64 + 1.0) * row);
    let widest = names.iter().map(|(name, _)| entry_width(name, sizes)).fold(0.0, f64::max);
    let fits_beside = names.len() as f64 * row <= region.height() && widest <= region.width() * BESIDE;
    // What each of the two takes from the panels.
    if fits_beside && widest * region.height() < above * region.width() {
        return Legend { entries: beside(&names, sizes, widest, region, texts), whole: true };
    }
    // At least one row, or the plot would not say what it shows.
    let most = (sizes.height * share / row).floor().max(1.0) as usize;
    // One that names a part of the series only needs not be long.
    let most = if rows.last().is_some_and(|last| last.row >= most) { most.min(OF_MANY) } else { most };
    let entries = on_top(&names, rows, most, sizes, region, texts);
    Legend { whole: entries.len() == names.len(), entries }
}

fn entry_width(name: &str, sizes: &Sizes) -> f64 {
    (SAMPLE + GAP + APART) * sizes.font + font::width(name, sizes.font)
}

/// A place in rows that are filled from left to right.
struct Flowed {
    row: usize,
    left: f64,
}

fn flow(names: &[(String, LegendKey)], sizes: &Sizes, width: f64) -> Vec<Flowed> {
    let (mut row, mut left) = (0_usize, 0.0_f64);
    let mut places = Vec::with_capacity(names.len());
    for (name, _) in names {
        let wide = entry_width(name, sizes) - APART * sizes.font;
        if left > 0.0 && left + wide > width {
            row = row.saturating_add(1);
            left = 0.0;
        }
        places.push(Flowed { row, left });
        left += wide + APART * sizes.font;
    }
    places
}

fn on_top(
    names: &[(String, LegendKey)],
    places: Vec<Flowed>,
    most: usize,
    sizes: &Sizes,
    region: &mut Rectangle,
    texts: &mut Vec<Text>,
) -> Vec<Entry> {
    let row = ROW * sizes.font;
    let rows = places.last().map_or(0, |last| last.row.saturating_add(1)).min(most);
    let mut entries = Vec::new();
    let hidden = places.iter().filter(|place| place.row >= most).count();
    for ((name, key), place) in names.iter().zip(&places) {
        if place.row >= most {
            break;
        }
        let top = region.top + place.row as f64 * row;
        entries.push(entry(name, *key, sizes, (region.left + place.left, top), region.right, texts));
    }
    region.top += rows as f64 * row;
    if hidden > 0 {
        // In place of the last row's end would be hard to find; a short line of its own is not.
        let baseline = region.top + font::ASCENT * sizes.small;
        texts.push(sizes.text(more(hidden), region.left, baseline, sizes.small, Anchor::Start));
        region.top += Sizes::line(sizes.small);
    }
    region.top += sizes.font * 0.3;
    entries
}

fn beside(
    names: &[(String, LegendKey)],
    sizes: &Sizes,
    column: f64,
    region: &mut Rectangle,
    texts: &mut Vec<Text>,
) -> Vec<Entry> {
    let left = region.right - column + APART * sizes.font;
    let top = |index: usize| region.top + index as f64 * ROW * sizes.font;
    let place = |(index, (name, key)): (usize, &(String, LegendKey))| {
        entry(name, *key, sizes, (left, top(index)), region.right, texts)
    };
    let entries = names.iter().enumerate().map(place).collect();
    region.right -= column;
    entries
}

fn entry(
    name: &str,
    key: LegendKey,
    sizes: &Sizes,
    (left, top): (f64, f64),
    right: f64,
    texts: &mut Vec<Text>,
) -> Entry {
    let bottom = top + ROW * sizes.font;
    let sample = Rectangle { left, top, right: left + SAMPLE * sizes.font, bottom };
    let text_left = sample.right + GAP * sizes.font;
    let shown = shorten(name, right - text_left, |text| font::width(text, sizes.font));
    // Letters without descenders look centred.
    let baseline = (top + bottom) / 2.0 + 0.36 * sizes.font;
    texts.push(sizes.text(shown, text_left, baseline, sizes.font, Anchor::Start));
    Entry { key, sample }
}

fn more(hidden: usize) -> String {
    format!("… and {hidden} more")
}
