//! Series as dots.

use super::super::super::extent::Extent;
use super::super::super::figure::{Arrow, Marks, Panel, Point, RoleKind, Series};
use super::super::super::geometry::{PixelPoint, Rectangle};
use super::super::super::thin;
use super::super::super::wrapping::shorten;
use super::canvas::{Canvas, Ink};
use super::{cells, clip};
use crate::terminal_text::escape;

/// Lines that are drawn of one series; more would lie on each other.
const MOST: usize = 20_000;

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
        clip::segment(start, end, &frame(canvas))
    }

    fn lines(&self, points: &[Point], steps: bool, canvas: &mut Canvas) {
        let mut parts: Vec<Vec<PixelPoint>> = vec![Vec::new()];
        for point in points {
            match (self.place(point.x, point.y, canvas), parts.last_mut()) {
                (Some(place), Some(part)) => {
                    if let Some(before) = part.last().filter(|_| steps) {
                        let corner = (place.0, before.1);
                        part.push(corner);
                    }
                    part.push(place);
                }
                (None, Some(part)) if !part.is_empty() => parts.push(Vec::new()),
                _ => {}
            }
        }
        for line in parts.iter().flat_map(|part| thin::line(part, 1.0, MOST)) {
            if let [(x, y)] = line[..] {
                canvas.dot(x, y, self.ink);
            }
            for pair in line.windows(2) {
                let [from, to] = pair else { continue };
                if let Some((from, to)) = clip::segment(*from, *to, &frame(canvas)) {
                    canvas.line(from, to, self.ink);
                }
            }
        }
    }

    /// Lines of which many lie on each other.
    fn strokes(&self, marks: &Marks, canvas: &mut Canvas) {
        let ends = marks
            .boxes()
            .filter_map(|(x, y, x_end, y_end)| self.visible(Point { x, y }, Point { x: x_end, y: y_end }, canvas));
        let ends: Vec<(PixelPoint, PixelPoint)> = ends.collect();
        for (from, to) in thin::pairs(&ends, 1.0, MOST, |ends| *ends) {
            canvas.line(from, to, self.ink);
        }
    }

    fn bars(&self, marks: &Marks, canvas: &mut Canvas) {
        let ground = if self.panel.y.places(0.0) { 0.0 } else { self.extent.y.low };
        let ends = marks
            .boxes()
            .filter_map(|(x, y, x_end, _)| Some((self.place(x, y, canvas)?, self.place(x_end, ground, canvas)?)));
        let ends: Vec<(PixelPoint, PixelPoint)> = ends.collect();
        for (top, bottom) in thin::pairs(&ends, 1.0, MOST, |ends| *ends) {
            bar_of_dots(self.ink, top, bottom, canvas);
        }
    }

    fn arrows(&self, arrows: &[Arrow], canvas: &mut Canvas) {
        let ends = arrows.iter().filter_map(|arrow| {
            let (from, to) = self.visible(arrow.from, arrow.to, canvas)?;
            Some((from, to, arrow.text.as_str()))
        });
        let ends: Vec<(PixelPoint, PixelPoint, &str)> = ends.collect();
        for (from, to, text) in thin::pairs(&ends, 1.0, MOST, |(from, to, _)| (*from, *to)) {
            self.arrow(from, to, text, canvas);
        }
    }

    fn arrow(&self, from: PixelPoint, to: PixelPoint, text: &str, canvas: &mut Canvas) {
        canvas.line(from, to, self.ink);
        let head = if to.0 >= from.0 { '>' } else { '<' };
        // Inside of the canvas: not negative. The head stands before the lifeline that it points to.
        let column = (to.0 / 2.0) as usize;
        let column = if to.0 >= from.0 { column.saturating_sub(1) } else { column.saturating_add(1) };
        canvas.put(column, (to.1 / 4.0) as usize, head, self.ink);
        let room = (to.0 - from.0).abs() / 2.0 - 4.0;
        let shown = shorten(&escape(text), room, cells);
        // A letter and an ellipsis say nothing.
        if shown.chars().count() < text.chars().count().min(4) {
            canvas.refused = true;
            return;
        }
        if shown.is_empty() {
            return;
        }
        let middle = (f64::midpoint(from.0, to.0) / 2.0 - cells(&shown) / 2.0).max(0.0) as usize;
        // A blank parts it from a head on its left, or it would go to another arrow's row.
        let middle = if head == '<' { middle.max(column.saturating_add(2)) } else { middle };
        let row = (f64::midpoint(from.1, to.1) / 4.0) as usize;
        let free = [Some(row), row.checked_sub(1), row.checked_add(1)];
        if !free.into_iter().flatten().any(|row| canvas.text(middle, row, &shown)) {
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
        Marks::Bars(_) => pen.bars(&series.marks, canvas),
        Marks::Arrows(arrows) => pen.arrows(arrows, canvas),
        Marks::VerticalStrokes(_) | Marks::HorizontalStrokes(_) => pen.strokes(&series.marks, canvas),
    }
}

fn frame(canvas: &Canvas) -> Rectangle {
    Rectangle { left: 0.0, top: 0.0, right: canvas.width() - 0.01, bottom: canvas.height() - 0.01 }
}

fn bar_of_dots(ink: Ink, one: PixelPoint, other: PixelPoint, canvas: &mut Canvas) {
    let (left, right) = (one.0.min(other.0).max(0.0), one.0.max(other.0).min(canvas.width() - 1.0));
    let (top, bottom) = (one.1.min(other.1).max(0.0), one.1.max(other.1).min(canvas.height() - 1.0));
    if left > right || top > bottom {
        return;
    }
    // Inside of the canvas: at most some thousand columns. A blank dot parts it from the next bar where there is room.
    let last = if right - left > 3.0 { right - 1.0 } else { right };
    for column in (left.floor() as u32)..=(last.floor() as u32) {
        canvas.line((f64::from(column), top), (f64::from(column), bottom), ink);
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
