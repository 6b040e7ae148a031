//! A figure as charts of plotters: our layout decides, plotters draws.
//!
//! Each panel is a [`ChartContext`] whose margins are those of the layout and whose coordinates are our axes
//! ([`axis::Scaled`]). Series are elements of plotters, which thin themselves where they know their pixels.

mod annotations;
mod arrows;
mod axis;
mod bars;
mod cell_labels;
mod labels;
mod legend;
mod lines;
mod panel;
mod points;
mod shapes;
mod strokes;
mod window;

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use plotters::chart::{ChartBuilder, ChartContext};
use plotters::coord::Shift;
use plotters::coord::cartesian::Cartesian2d;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};

use super::DrawError;
use super::backend::cells::Cells;
use super::backend::{Canvas, Surface, units};
use super::extent::{Extent, left_out};
use super::figure::{Figure, Panel, RoleKind, Series};
use super::geometry::Rectangle;
use super::layout::{Layout, Sizes, layout};
use super::style::{Look, Style};
use axis::Scaled;
use cell_labels::CellLabels;
use labels::Labelling;
use mptcp_trace::units::grouped;
use shapes::Words;
use window::Window;

/// Lines that are drawn of one series in cells; more would lie on each other.
const MARKS_IN_CELLS: usize = 20_000;

/// Resolution of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detail {
    /// Pixels for one of 96 an inch: text and lines grow with it.
    pub scale: f64,
    /// Pixels within which marks count as one.
    pub cell: f64,
    /// Marks that may be left, all series together.
    pub most: usize,
}

/// Trouble of plotters; a canvas has none of its own.
type Trouble = DrawingAreaErrorKind<Infallible>;

impl From<Trouble> for DrawError {
    fn from(trouble: Trouble) -> Self {
        DrawError::Drawing(trouble.to_string())
    }
}

/// Draws a valid figure on a surface. Where labels turn out to have no room, it is drawn again with a note that says so.
///
/// # Errors
/// [`DrawError::TooSmall`] when the panels have no room.
pub fn draw<S: Surface>(
    figure: &Figure,
    size: (u32, u32),
    style: &Style,
    detail: Detail,
    surface: impl Fn() -> S,
) -> Result<S, DrawError> {
    let sizes = Sizes::new(style, detail.scale, size);
    let mut notes = Vec::new();
    let missing = left_out(figure);
    if missing > 0 {
        let shown = grouped(u64::try_from(missing).unwrap_or(u64::MAX));
        notes.push(format!("Not shown, because a logarithmic axis has no place for values <= 0: {shown}."));
    }
    let plan = layout(figure, &notes, &sizes)?;
    let (drawn, unlabelled) = charts(figure, &plan, (style, detail), Canvas::new(surface(), size))?;
    if unlabelled {
        notes.push("Some labels omitted for lack of room.".to_string());
        // The note itself takes room, which changes nothing about its truth.
        if let Ok(plan) = layout(figure, &notes, &sizes) {
            return Ok(charts(figure, &plan, (style, detail), Canvas::new(surface(), size))?.0);
        }
    }
    Ok(drawn)
}

/// Draws the data of a panel in cells, in the order of `series`; and whether labels were omitted.
///
/// # Errors
/// When plotters refuses, which it has no reason to.
pub fn cells<'a>(
    (panel, extent): (&Panel, &Extent),
    series: &[&Series],
    style: &Style,
    cells: Cells<'a>,
) -> Result<(Cells<'a>, bool), DrawError> {
    let size = cells.size();
    let (width, height) = (f64::from(size.0), f64::from(size.1));
    // The middle of a dot, so that rounding never moves an edge outside.
    let frame = Rectangle { left: 0.5, top: 0.5, right: width - 0.5, bottom: height - 0.5 };
    let sheet = Sheet::new(Canvas::new(cells, size));
    let labels = RefCell::new(CellLabels::new(size));
    // Everything is as thin as a dot.
    let detail = Detail { scale: 0.0, cell: 1.0, most: MARKS_IN_CELLS };
    panel::data(&sheet, (panel, extent), &frame, series, (style, detail), &labels)?;
    Ok((sheet.finish()?, labels.into_inner().refused()))
}

/// The whole picture of plotters, with access to what its own trait cannot say.
struct Sheet<S: Surface> {
    canvas: Rc<RefCell<Canvas<S>>>,
    root: DrawingArea<Canvas<S>, Shift>,
}

type Chart<'a, S> = ChartContext<'a, Canvas<S>, Cartesian2d<Scaled<'a>, Scaled<'a>>>;

impl<S: Surface> Sheet<S> {
    fn new(canvas: Canvas<S>) -> Self {
        let canvas = Rc::new(RefCell::new(canvas));
        Sheet { root: DrawingArea::from(&canvas), canvas }
    }

    /// What `draw` draws belongs together: a series, or something else.
    fn group<T>(&self, series: Option<&Series>, draw: impl FnOnce() -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.canvas.borrow_mut().begin(series);
        let drawn = draw();
        self.canvas.borrow_mut().end();
        drawn
    }

    /// A chart whose plotting area is `frame`.
    fn chart<'a>(&self, frame: &Rectangle, x: Scaled<'a>, y: Scaled<'a>) -> Result<Chart<'a, S>, Trouble> {
        let (left, top) = units((frame.left, frame.top));
        let (right, bottom) = units((frame.right, frame.bottom));
        let (width, height) = self.root.dim_in_pixel();
        // plotters counts whole pixels: the last one of a range belongs to it.
        let rest = |whole: u32, end: i32| whole.saturating_sub(end.unsigned_abs()).saturating_sub(1);
        ChartBuilder::on(&self.root)
            .margin_left(left)
            .margin_top(top)
            .margin_right(rest(width, right))
            .margin_bottom(rest(height, bottom))
            .build_cartesian_2d(x, y)
    }

    fn finish(self) -> Result<S, Trouble> {
        drop(self.root);
        let canvas = Rc::try_unwrap(self.canvas).map_err(|_| DrawingAreaErrorKind::SharingError)?;
        Ok(canvas.into_inner().finish())
    }
}

/// The picture, and whether labels were omitted.
fn charts<S: Surface>(
    figure: &Figure,
    plan: &Layout,
    (style, detail): (&Style, Detail),
    canvas: Canvas<S>,
) -> Result<(S, bool), Trouble> {
    let sizes = &plan.sizes;
    let sheet = Sheet::new(canvas);
    let count: usize = figure.panels.iter().map(|panel| panel.series.len()).sum();
    let most = detail.most.checked_div(count).unwrap_or(detail.most).max(100);
    let mut unlabelled = plan.unlabelled;
    for (panel, placed) in figure.panels.iter().zip(&plan.panels) {
        unlabelled |= panel::draw(&sheet, panel, placed, (style, sizes, Detail { most, ..detail }))?;
    }
    sheet.group(None, || legend::draw(&sheet.root, &plan.legend, style, sizes))?;
    sheet.group(None, || plan.texts.iter().try_for_each(|text| sheet.root.draw(&Words(text))))?;
    Ok((sheet.finish()?, unlabelled))
}

/// What all marks of one series have in common.
struct Pen<'a> {
    window: Window,
    style: &'a Style,
    look: Look,
    role: RoleKind,
    detail: Detail,
    /// The place of the series in its panel.
    position: usize,
    /// Other bars stand beside those of the series.
    among_bars: bool,
    /// Size of marks, in multiples of the style's: smaller ones in low panels, where they would cover the data.
    marks: f64,
}

/// Height of a frame, in pixels of 96 per inch, below which marks are smaller.
const HIGH: f64 = 85.0;

/// Size of marks in a frame of this many pixels at `scale` pixels for one of 96 per inch.
fn size_of_marks(height: f64, scale: f64) -> f64 {
    if scale > 0.0 { (height / scale / HIGH).clamp(0.6, 1.0) } else { 1.0 }
}

impl Pen<'_> {
    /// From side to side of a mark, in pixels.
    fn mark_size(&self) -> f64 {
        self.scaled(self.style.mark_size) * self.marks
    }

    /// Pixels of `size` at 96 an inch.
    fn scaled(&self, size: f64) -> f64 {
        size * self.detail.scale
    }
}

#[cfg(test)]
mod tests;
