//! Series as dots.

use super::super::super::extent::Extent;
use super::super::super::figure::{Arrow, Marks, Panel, Point, RoleKind, Series};
use super::super::super::scene::clip;
use super::super::super::shape::Rectangle;
use super::super::super::wrapping::shorten;
use super::canvas::{Canvas, Ink};
use super::cells;
use crate::terminal_text::escape;

/// Where a value of the y axis lies, in dots from the top.
pub(super) fn place_y(panel: &Panel, extent: &Extent, y: f64, canvas: &Canvas) -> f64 {
    let share = extent.y.share(y, panel.y.scale);
    let share = if panel.y.reversed { share } else { 1.0 - share };
    share * (canvas.height() - 1.0)
}

fn place_x(panel: &Panel, extent: &Extent, x: f64, canvas: &Canvas) -> f64 {
    let share = extent.x.share(x, panel.x.scale);
    let share = if panel.x.reversed { 1.0 - share } else { share };
    share * (canvas.width() - 1.0)
}

/// The column of a value of the x axis, when it is shown.
pub(super) fn column(panel: &Panel, extent: &Extent, x: f64, canvas: &Canvas) -> Option<usize> {
    if !panel.x.places(x) {
        return None;
    }
    let dot = place_x(panel, extent, x, canvas);
    // Inside of the canvas.
    (0.0..canvas.width()).contains(&dot).then_some((dot / 2.0) as usize)
}

struct Pen<'a> {
    panel: &'a Panel,
    extent: &'a Extent,
    ink: Ink,
}

impl Pen<'_> {
    fn place(&self, x: f64, y: f64, canvas: &Canvas) -> Option<(f64, f64)> {
        (self.panel.x.places(x) && self.panel.y.places(y)).then(|| {
            // The middle of a dot, so that rounding never moves an edge outside.
            (place_x(self.panel, self.extent, x, canvas) + 0.5, place_y(self.panel, self.extent, y, canvas) + 0.5)
        })
    }

    fn dot(&self, point: &Point, canvas: &mut Canvas) {
        if let Some((x, y)) = self.place(point.x, point.y, canvas) {
            canvas.dot(x, y, self.ink);
        }
    }

    /// The ends of the visible part of a line, in dots.
    fn visible(&self, from: Point, to: Point, canvas: &Canvas) -> Option<((f64, f64), (f64, f64))> {
        let (start, end) = (self.place(from.x, from.y, canvas)?, self.place(to.x, to.y, canvas)?);
        let frame = Rectangle { left: 0.0, top: 0.0, right: canvas.width() - 0.01, bottom: canvas.height() - 0.01 };
        clip::segment(start, end, &frame)
    }

    fn line(&self, from: Point, to: Point, canvas: &mut Canvas) {
        if let Some((from, to)) = self.visible(from, to, canvas) {
            canvas.line(from, to, self.ink);
        }
    }

    fn lines(&self, points: &[Point], steps: bool, canvas: &mut Canvas) {
        if let [only] = points {
            self.dot(only, canvas);
        }
        for pair in points.windows(2) {
            let [from, to] = pair else { continue };
            if steps {
                let corner = Point { x: to.x, y: from.y };
                self.line(*from, corner, canvas);
                self.line(corner, *to, canvas);
            } else {
                self.line(*from, *to, canvas);
            }
        }
    }

    fn arrow(&self, arrow: &Arrow, canvas: &mut Canvas) {
        let Some((from, to)) = self.visible(arrow.from, arrow.to, canvas) else { return };
        canvas.line(from, to, self.ink);
        let head = if to.0 >= from.0 { '>' } else { '<' };
        // Inside of the canvas: not negative. The head stands before the lifeline that it points to.
        let column = (to.0 / 2.0) as usize;
        let column = if to.0 >= from.0 { column.saturating_sub(1) } else { column.saturating_add(1) };
        canvas.put(column, (to.1 / 4.0) as usize, head, self.ink);
        let room = (to.0 - from.0).abs() / 2.0 - 4.0;
        let text = shorten(&escape(&arrow.text), room, cells);
        // A letter and an ellipsis say nothing.
        if text.chars().count() < arrow.text.chars().count().min(4) {
            canvas.refused = true;
            return;
        }
        if text.is_empty() {
            return;
        }
        let middle = (f64::midpoint(from.0, to.0) / 2.0 - cells(&text) / 2.0).max(0.0) as usize;
        // A blank parts it from a head on its left, or it would go to another arrow's row.
        let middle = if head == '<' { middle.max(column.saturating_add(2)) } else { middle };
        let row = (f64::midpoint(from.1, to.1) / 4.0) as usize;
        let free = [Some(row), row.checked_sub(1), row.checked_add(1)];
        if !free.into_iter().flatten().any(|row| canvas.text(middle, row, &text)) {
            canvas.refused = true;
        }
    }
}

/// Series in the order in which characters show most: what runs along the data first, single points last, for one
/// character hides all that was drawn in it before.
pub(super) fn in_order(series: &[Series]) -> Vec<&Series> {
    let rank = |series: &&Series| match (&series.marks, series.role.kind) {
        (Marks::Points(_) | Marks::Ticks(_), _) => 2,
        (_, RoleKind::WindowEdge | RoleKind::Acknowledgement | RoleKind::Total | RoleKind::Reference) => 0,
        _ => 1,
    };
    let mut sorted: Vec<&Series> = series.iter().collect();
    sorted.sort_by_key(rank);
    sorted
}

/// Draws a series.
pub(super) fn series(series: &Series, panel: &Panel, extent: &Extent, ink: Ink, canvas: &mut Canvas) {
    let pen = Pen { panel, extent, ink };
    match &series.marks {
        Marks::Points(points) | Marks::Ticks(points) => points.iter().for_each(|point| pen.dot(point, canvas)),
        Marks::Lines(points) => pen.lines(points, false, canvas),
        Marks::Steps(points) => pen.lines(points, true, canvas),
        Marks::Bars(bars) => {
            for bar in bars {
                let ground = if panel.y.places(0.0) { 0.0 } else { extent.y.low };
                bar_of_dots(&pen, (bar.x_low, bar.x_high), (ground, bar.y), canvas);
            }
        }
        Marks::Arrows(arrows) => arrows.iter().for_each(|arrow| pen.arrow(arrow, canvas)),
        Marks::VerticalStrokes(_) | Marks::HorizontalStrokes(_) => {
            for (x, y, x_end, y_end) in series.marks.boxes() {
                pen.line(Point { x, y }, Point { x: x_end, y: y_end }, canvas);
            }
        }
    }
}

fn bar_of_dots(pen: &Pen<'_>, (left, right): (f64, f64), (low, high): (f64, f64), canvas: &mut Canvas) {
    let corners = (pen.place(left, low, canvas), pen.place(right, high, canvas));
    let (Some((left, bottom)), Some((right, top))) = corners else { return };
    let (left, right) = (left.min(right).max(0.0), left.max(right).min(canvas.width() - 1.0));
    let (top, bottom) = (top.min(bottom).max(0.0), top.max(bottom).min(canvas.height() - 1.0));
    if left > right || top > bottom {
        return;
    }
    // Inside of the canvas: at most some thousand columns. A blank dot parts it from the next bar where there is room.
    let last = if right - left > 3.0 { right - 1.0 } else { right };
    for column in (left.floor() as u32)..=(last.floor() as u32) {
        canvas.line((f64::from(column), top), (f64::from(column), bottom), pen.ink);
    }
}

/// Writes the texts of annotations at a place.
pub(super) fn annotations(panel: &Panel, extent: &Extent, canvas: &mut Canvas) {
    let pen = Pen { panel, extent, ink: Ink::default() };
    for annotation in &panel.annotations {
        let Some((x, y)) = annotation.y.and_then(|y| pen.place(annotation.x, y, canvas)) else { continue };
        if !(0.0..canvas.width()).contains(&x) || !(0.0..canvas.height()).contains(&y) {
            continue;
        }
        let (column, row) = ((x / 2.0) as usize, (y / 4.0) as usize);
        let text = shorten(&escape(&annotation.text), canvas.columns as f64 * 0.6, cells);
        canvas.put(column, row, '◆', Ink::default());
        let before = column.checked_sub((cells(&text) as usize).saturating_add(2));
        let written = canvas.text(column.saturating_add(2), row, &text)
            || before.is_some_and(|before| canvas.text(before, row, &text));
        canvas.refused |= !written;
    }
}
