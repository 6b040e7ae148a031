//! Bars, from zero or from the lower edge, and areas.

use plotters::element::{Drawable, PointCollection};
use plotters_backend::BackendCoord;

use super::super::backend::{Canvas, Stroke, Surface, pixels};
use super::super::figure::Marks;
use super::super::geometry::{PixelPoint, Rectangle};
use super::super::style::Symbol;
use super::super::thin;
use super::Pen;
use super::shapes::{Drawn, MOST_MARKS, line_stroke};
use super::window::Value;

/// Opacity of a bar.
pub(super) const BAR: f64 = 0.45;

/// Bars or areas of one series.
pub(super) struct Bars<'a> {
    pub(super) marks: &'a Marks,
    pub(super) pen: &'a Pen<'a>,
}

/// Two opposite corners of each bar, one after the other.
impl<'b> PointCollection<'b, Value> for &'b Bars<'_> {
    type Point = Value;
    type IntoIter = Box<dyn Iterator<Item = Value> + 'b>;

    fn point_iter(self) -> Self::IntoIter {
        let window = self.pen.window;
        // A bar ends at its height.
        let standing = matches!(self.marks, Marks::Bars(_)).then(|| window.ground());
        let shown = self
            .marks
            .boxes()
            .filter_map(move |(x, y, x_end, y_end)| window.rectangle((x, y), (x_end, standing.unwrap_or(y_end))));
        Box::new(shown.flat_map(|(one, other)| [one, other]))
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Bars<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, places: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        let Pen { look, style, detail, .. } = self.pen;
        let mut places = places.map(pixels);
        let mut boxes = Vec::new();
        while let (Some((left, bottom)), Some((right, top))) = (places.next(), places.next()) {
            let (left, right) = (left.min(right), left.max(right));
            boxes.push(Rectangle { left, top: top.min(bottom), right, bottom: top.max(bottom) });
        }
        let thin = detail.cell.max(detail.scale);
        let (wide, narrow): (Vec<Rectangle>, Vec<Rectangle>) =
            boxes.into_iter().partition(|bar| bar.width() >= 2.0 * thin);
        let wide = thin::pairs(&wide, detail.cell, detail.most, |bar| ((bar.left, bar.top), (bar.right, bar.bottom)));
        let narrow: Vec<_> = narrow.iter().map(|bar| ((bar.left + bar.right) / 2.0, bar.top, bar.bottom)).collect();
        let narrow = thin::strokes(&narrow, detail.cell, detail.most);
        wide.iter().for_each(|bar| canvas.area(bar.corners(), look.colour, BAR));
        let outline = Stroke { width: detail.scale, ..line_stroke(look, style.line_width, detail.scale) };
        for bar in wide.iter().filter(|_| !S::COARSE) {
            let corners = bar.corners();
            let first = corners.first().copied();
            canvas.line(corners.into_iter().chain(first), &outline);
        }
        let upright = Stroke::solid(look.colour, thin);
        narrow.into_iter().for_each(|(x, top, bottom)| canvas.line([(x, top), (x, bottom)], &upright));
        // In a box, a mark would be taken for a value; bars of one series need none.
        if look.mark == Symbol::None || S::COARSE || !self.pen.among_bars || matches!(self.marks, Marks::Areas(_)) {
            return Ok(());
        }
        let size = self.pen.mark_size() * 0.9;
        let roomy = wide.iter().filter(|bar| bar.width() > 2.0 * size && bar.height() > 2.0 * size);
        for bar in roomy.take(MOST_MARKS) {
            let place: PixelPoint = ((bar.left + bar.right) / 2.0, bar.top + size);
            canvas.mark(look.mark, size, place, look.colour);
        }
        Ok(())
    }
}
