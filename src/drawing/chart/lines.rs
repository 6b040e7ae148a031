//! Lines and steps.

use plotters::element::{Drawable, PointCollection};
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Surface, pixels};
use super::super::figure::Point;
use super::super::geometry::PixelPoint;
use super::super::style::Symbol;
use super::super::thin;
use super::Pen;
use super::shapes::{Drawn, line_stroke};
use super::window::Value;
use mptcp_trace::interrupt::interruptible;

/// A line in the parts of it that are shown.
pub(super) struct Lines<'a> {
    parts: Vec<Vec<Value>>,
    pen: &'a Pen<'a>,
}

impl<'a> Lines<'a> {
    /// Straight lines from point to point.
    pub(super) fn straight(points: &[Point], pen: &'a Pen<'a>) -> Self {
        Lines { parts: pen.window.line(points.iter().map(|point| (point.x, point.y))), pen }
    }

    /// A value holds until the next one comes.
    pub(super) fn steps(points: &[Point], pen: &'a Pen<'a>) -> Self {
        let mut height: Option<f64> = None;
        let corners = points.iter().flat_map(move |point| {
            let value = (point.x, point.y);
            // A point without a place parts the line.
            let corner = height.filter(|_| pen.window.places(value)).map(|height| (point.x, height));
            height = pen.window.places(value).then_some(point.y);
            corner.into_iter().chain([value])
        });
        Lines { parts: pen.window.line(corners), pen }
    }
}

impl<'b> PointCollection<'b, Value> for &'b Lines<'_> {
    type Point = Value;
    type IntoIter = Box<dyn Iterator<Item = Value> + 'b>;

    fn point_iter(self) -> Self::IntoIter {
        Box::new(self.parts.iter().flatten().copied())
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Lines<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, mut places: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        let Pen { look, style, detail, .. } = self.pen;
        let share = detail.most.checked_div(self.parts.len()).unwrap_or(0).max(8);
        let mut paths: Vec<Vec<PixelPoint>> = Vec::new();
        for part in interruptible(&self.parts) {
            let part: Vec<PixelPoint> = places.by_ref().take(part.len()).map(pixels).collect();
            paths.extend(thin::line(&part, detail.cell, share));
        }
        let stroke = line_stroke(look, style.line_width, detail.scale);
        paths.iter().for_each(|path| canvas.line(path.iter().copied(), &stroke));
        // A line of one point would not be seen.
        for place in paths.iter().filter(|path| path.len() == 1).flatten() {
            canvas.mark(Symbol::Circle, stroke.width * 2.0, *place, look.colour);
        }
        self.pen.telling_marks(paths.iter().flatten().copied(), canvas);
        Ok(())
    }
}
