//! Whether a figure can be drawn: finite numbers, bounded sizes.

use std::ops::ControlFlow;

use super::{Annotation, Axis, Figure, Marks, Panel, Scale, Series};
use crate::terminal_text::escape;
use mptcp_trace::parallel::each;
use mptcp_trace::units::grouped;

/// Panels that a figure may have.
const PANELS: usize = 16;
/// Series that a panel may have: two for each subflow that a plot draws, and what stands for all of them.
const SERIES: usize = 600;
/// Marks that a figure may have, all series together.
const MARKS: usize = 20_000_000;
/// Annotations that a panel may have.
const ANNOTATIONS: usize = 10_000;
/// Names that an axis may have.
const CATEGORIES: usize = 256;
/// Paragraphs that a caption may have.
const CAPTION: usize = 32;
/// Characters that a text may have.
const CHARACTERS: usize = 2000;
/// Numbers beyond this lose their place between the axes. A data sequence number, 64 bits, is far below.
const LARGEST: f64 = 1e100;

/// A figure that cannot be drawn.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FigureError {
    /// No panel.
    #[error("the figure has no panel; give it at least one")]
    NoPanel,
    /// More of something than can be drawn.
    #[error("the figure has {found} {what}, more than the limit of {limit}; give it fewer")]
    TooMany {
        /// The thing that exceeds its limit.
        what: &'static str,
        /// Their number.
        found: String,
        /// Maximum number.
        limit: String,
    },
    /// A number that has no place on an axis.
    #[error("{whose} has the value {value}, which cannot be drawn; omit it, or give a finite number")]
    NotDrawable {
        /// The series or annotation, escaped for a terminal.
        whose: String,
        /// The number.
        value: f64,
    },
    /// Packets that are not one for each mark.
    #[error("the series `{series}` has {packets} packets for {marks} marks; give one for each mark, or none")]
    PacketsOfOthers {
        /// The series, escaped for a terminal.
        series: String,
        /// Number of packets.
        packets: usize,
        /// Number of marks.
        marks: usize,
    },
    /// A range whose ends are equal, the wrong way round, or without a logarithm.
    #[error("the axis `{axis}` cannot go from {least} to {greatest}: {why}")]
    BadRange {
        /// The label of the axis, escaped for a terminal.
        axis: String,
        /// Lower end.
        least: f64,
        /// Upper end.
        greatest: f64,
        /// The expected form.
        why: &'static str,
    },
}

impl Figure {
    /// Says whether the figure can be drawn. The renderers ask first, so nobody else needs to.
    ///
    /// # Errors
    /// [`FigureError`]: a number that is not finite, more of anything than can be drawn, an impossible range.
    pub fn validate(&self) -> Result<(), FigureError> {
        if self.panels.is_empty() {
            return Err(FigureError::NoPanel);
        }
        at_most("panels", self.panels.len(), PANELS)?;
        at_most("caption lines", self.caption.len(), CAPTION)?;
        let marks = self.panels.iter().flat_map(|panel| &panel.series).map(|series| series.marks.len()).sum();
        at_most("marks", marks, MARKS)?;
        short(&self.title)?;
        self.caption.iter().try_for_each(|line| short(line))?;
        let all: Vec<&Series> = self.panels.iter().flat_map(|panel| &panel.series).collect();
        let mut found = each(&all, marks, |series| values(series)).into_iter();
        self.panels.iter().try_for_each(|one| panel(one, &mut found))
    }
}

/// `values` is what was found about the values of each series.
fn panel(panel: &Panel, values: &mut impl Iterator<Item = Result<(), FigureError>>) -> Result<(), FigureError> {
    at_most("series in a panel", panel.series.len(), SERIES)?;
    at_most("annotations in a panel", panel.annotations.len(), ANNOTATIONS)?;
    short(panel.title.as_deref().unwrap_or_default())?;
    axis(&panel.x)?;
    axis(&panel.y)?;
    panel.series.iter().try_for_each(|one| series(one, values.next()))?;
    panel.annotations.iter().try_for_each(annotation)
}

fn axis(axis: &Axis) -> Result<(), FigureError> {
    short(&axis.label)?;
    at_most("names on an axis", axis.categories.len(), CATEGORIES)?;
    axis.categories.iter().try_for_each(|name| short(name))?;
    let Some((least, greatest)) = axis.range else { return Ok(()) };
    let bad = |why| Err(FigureError::BadRange { axis: escape(&axis.label).into_owned(), least, greatest, why });
    if !drawable(least) || !drawable(greatest) {
        return bad("both ends must be finite numbers");
    }
    if least >= greatest {
        return bad("give the smaller number first");
    }
    if axis.scale == Scale::Logarithmic && least <= 0.0 {
        return bad("a logarithmic axis must start above zero");
    }
    Ok(())
}

fn series(series: &Series, values: Option<Result<(), FigureError>>) -> Result<(), FigureError> {
    short(&series.name)?;
    if !series.packets.is_empty() && series.packets.len() != series.marks.len() {
        return Err(FigureError::PacketsOfOthers {
            series: escape(&series.name).into_owned(),
            packets: series.packets.len(),
            marks: series.marks.len(),
        });
    }
    values.unwrap_or(Ok(()))?;
    match &series.marks {
        Marks::Arrows(arrows) => arrows.iter().try_for_each(|arrow| short(&arrow.text)),
        _ => Ok(()),
    }
}

/// Says whether all values of a series can be drawn.
fn values(series: &Series) -> Result<(), FigureError> {
    let found = series.marks.look_at_boxes(|(x, y, x_end, y_end)| {
        match [x, y, x_end, y_end].into_iter().find(|value| !drawable(*value)) {
            Some(value) => ControlFlow::Break(value),
            None => ControlFlow::Continue(()),
        }
    });
    match found {
        ControlFlow::Break(value) => Err(not_drawable("the series", &series.name, value)),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn annotation(annotation: &Annotation) -> Result<(), FigureError> {
    short(&annotation.text)?;
    match [annotation.x, annotation.y.unwrap_or_default()].into_iter().find(|value| !drawable(*value)) {
        Some(value) => Err(not_drawable("the annotation", &annotation.text, value)),
        None => Ok(()),
    }
}

fn not_drawable(what: &str, name: &str, value: f64) -> FigureError {
    FigureError::NotDrawable { whose: format!("{what} `{}`", escape(name)), value }
}

fn drawable(value: f64) -> bool {
    value.is_finite() && value.abs() <= LARGEST
}

fn short(text: &str) -> Result<(), FigureError> {
    // Bytes first: counting characters of a text of any length would be the attack itself.
    let characters = if text.len() > CHARACTERS * 4 { text.len() } else { text.chars().count() };
    at_most("characters in one text", characters, CHARACTERS)
}

fn at_most(what: &'static str, found: usize, limit: usize) -> Result<(), FigureError> {
    if found <= limit {
        return Ok(());
    }
    let shown = |number: usize| grouped(u64::try_from(number).unwrap_or(u64::MAX));
    Err(FigureError::TooMany { what, found: shown(found), limit: shown(limit) })
}
