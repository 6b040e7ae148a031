//! Elements of plotters for what its own cannot say: dashes of any lengths, our marks, text at any angle.

use std::convert::Infallible;

use plotters::element::{Drawable, PointCollection};
use plotters::style::{RGBAColor, ShapeStyle};
use plotters_backend::{BackendCoord, BackendStyle, DrawingErrorKind};

use super::super::backend::{Canvas, Stroke, Surface, pixels, units};
use super::super::geometry::PixelPoint;
use super::super::style::{Colour, Look, Style, Symbol};
use super::super::text::Text;
use super::Pen;
use mptcp_trace::interrupt::interruptible;

/// What drawing an element comes to.
pub(super) type Drawn = Result<(), DrawingErrorKind<Infallible>>;

/// Pixels at 96 an inch between the marks that tell lines apart.
const BETWEEN_MARKS: f64 = 56.0;
/// Such marks on one series.
pub(super) const MOST_MARKS: usize = 200;

/// A colour for plotters' own elements.
pub(super) fn filled(colour: Colour, opacity: f64) -> ShapeStyle {
    ShapeStyle { color: RGBAColor(colour.red, colour.green, colour.blue, opacity), filled: true, stroke_width: 1 }
}

/// A line without breaks for plotters' own elements.
pub(super) fn solid(colour: Colour, width: f64) -> ShapeStyle {
    ShapeStyle { stroke_width: Stroke::solid(colour, width).stroke_width(), ..filled(colour, 1.0) }
}

/// A line of text.
pub(super) struct Words<'a>(pub(super) &'a Text);

impl<'b> PointCollection<'b, BackendCoord> for &'b Words<'_> {
    type Point = BackendCoord;
    type IntoIter = std::iter::Once<BackendCoord>;

    fn point_iter(self) -> Self::IntoIter {
        std::iter::once(units((self.0.x, self.0.y)))
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Words<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, _: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        canvas.write(self.0);
        Ok(())
    }
}

/// A line with dashes.
pub(super) struct Dashes<'a> {
    pub(super) points: Vec<PixelPoint>,
    pub(super) stroke: &'a Stroke,
}

impl<'b> PointCollection<'b, BackendCoord> for &'b Dashes<'_> {
    type Point = BackendCoord;
    type IntoIter = Box<dyn Iterator<Item = BackendCoord> + 'b>;

    fn point_iter(self) -> Self::IntoIter {
        Box::new(self.points.iter().copied().map(units))
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Dashes<'_> {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, points: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        canvas.line(points.map(pixels), self.stroke);
        Ok(())
    }
}

/// One of our marks.
pub(super) struct Mark {
    pub(super) symbol: Symbol,
    pub(super) size: f64,
    pub(super) place: PixelPoint,
    pub(super) colour: Colour,
}

impl<'b> PointCollection<'b, BackendCoord> for &'b Mark {
    type Point = BackendCoord;
    type IntoIter = std::iter::Once<BackendCoord>;

    fn point_iter(self) -> Self::IntoIter {
        std::iter::once(units(self.place))
    }
}

impl<S: Surface> Drawable<Canvas<S>> for Mark {
    fn draw<I: Iterator<Item = BackendCoord>>(&self, places: I, canvas: &mut Canvas<S>, _: (u32, u32)) -> Drawn {
        places.map(pixels).for_each(|place| canvas.mark(self.symbol, self.size, place, self.colour));
        Ok(())
    }
}

/// Dashes and width of a line.
pub(super) fn line_stroke(look: &Look, width: f64, scale: f64) -> Stroke {
    let width = look.width.unwrap_or(width) * scale;
    let dash = look.dash.lengths().iter().map(|length| length * width).collect();
    Stroke { colour: look.colour, width, dash }
}

/// A stroke or an arrow.
pub(super) fn stroke(look: &Look, style: &Style, scale: f64) -> Stroke {
    Stroke::solid(look.colour, look.width.unwrap_or(style.stroke_width) * scale)
}

/// A text over a patch of the background, so that it can be read over data.
pub(super) fn boxed<S: Surface>(canvas: &mut Canvas<S>, text: &Text, background: Colour) {
    if !S::COARSE {
        canvas.area(text.corners(0.0), background, 0.8);
    }
    canvas.write(text);
}

/// Corners of the head of an arrow.
pub(super) fn arrow_head(from: PixelPoint, to: PixelPoint, scale: f64) -> Vec<PixelPoint> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let length = dx.hypot(dy);
    if length <= 0.0 {
        return Vec::new();
    }
    let (along, across) = (8.0 * scale / length, 3.0 * scale / length);
    let (back_x, back_y) = (to.0 - dx * along, to.1 - dy * along);
    vec![to, (back_x - dy * across, back_y + dx * across), (back_x + dy * across, back_y - dx * across)]
}

impl Pen<'_> {
    /// A mark at each place.
    pub(super) fn mark_each<S: Surface>(&self, places: impl Iterator<Item = PixelPoint>, canvas: &mut Canvas<S>) {
        if self.look.mark != Symbol::None && !S::COARSE {
            let size = self.mark_size() * 0.9;
            places.for_each(|place| canvas.mark(self.look.mark, size, place, self.look.colour));
        }
    }

    /// A mark now and then on a line, so that it can be told from others without colour. Series start at different
    /// places, so that their marks do not meet.
    pub(super) fn telling_marks<S: Surface>(&self, places: impl Iterator<Item = PixelPoint>, canvas: &mut Canvas<S>) {
        if self.look.mark == Symbol::None || S::COARSE {
            return;
        }
        let between = self.scaled(BETWEEN_MARKS);
        let size = self.mark_size() * 0.9;
        let mut drawn = 0;
        let mut mark = |place| canvas.mark(self.look.mark, size, place, self.look.colour);
        let mut before: Option<PixelPoint> = None;
        // The first mark of the n-th series comes after n quarters of the distance.
        let delay = between * (self.position % 4) as f64 / 4.0;
        let mut first: Option<PixelPoint> = None;
        for (x, y) in interruptible(places) {
            let start = *first.get_or_insert((x, y));
            let far =
                |(other_x, other_y): PixelPoint, distance: f64| (x - other_x).abs() + (y - other_y).abs() >= distance;
            let due = match before {
                None => far(start, delay),
                Some(before) => far(before, between),
            };
            if due && drawn < MOST_MARKS {
                mark((x, y));
                before = Some((x, y));
                drawn += 1;
            }
        }
        // A short line still gets its mark.
        if let (None, Some(first)) = (before, first) {
            mark(first);
        }
    }
}
