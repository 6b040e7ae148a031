//! Backends of plotters: what becomes of the lines, areas and texts of a chart.
//!
//! [`Canvas`] is the one [`DrawingBackend`]. It works in units far smaller than a pixel, because plotters counts in whole
//! ones, and it collects what is drawn with one look, so that a series is one path and not thousands. A [`Surface`] makes
//! a picture of it. What the trait of plotters cannot say, [`Canvas`] takes by methods of its own: dashes of any lengths,
//! marks, text at any angle, and the titles of groups.

pub mod bitmap;
pub mod cells;
pub mod pdf;
pub mod svg;
mod symbol;

use std::convert::Infallible;
use std::fmt::Write as _;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};

use super::figure::Series;
use super::font;
use super::geometry::{PixelPoint, nearest_whole};
use super::style::{Colour, Symbol};
use super::text::{Anchor, Text};

/// Units of plotters' coordinates in a pixel: a picture of 32,767 pixels is as large as they can say.
pub const UNITS: f64 = 65_536.0;

/// Makes a picture of what a chart consists of. All lengths are pixels, from the top left corner.
pub trait Surface {
    /// Whether a pixel is so large that outlines, and marks on lines, hide what they belong to.
    const COARSE: bool = false;

    /// Lines, each through its points.
    fn lines(&mut self, paths: &[Vec<PixelPoint>], stroke: &Stroke);
    /// Filled polygons; an opacity of 0 is invisible, 1 hides what is below.
    fn areas(&mut self, polygons: &[Vec<PixelPoint>], colour: Colour, opacity: f64);
    /// One symbol at many places; `size` is from side to side.
    fn marks(&mut self, symbol: Symbol, size: f64, places: &[PixelPoint], colour: Colour);
    /// A line of text.
    fn text(&mut self, text: &Text);
    /// What follows belongs together: a series, or something else.
    fn begin(&mut self, series: Option<&Series>);
    /// What belongs together ends.
    fn end(&mut self);
}

/// Style of lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    /// Their colour.
    pub colour: Colour,
    /// From side to side.
    pub width: f64,
    /// Lengths drawn and left out in turns; empty for lines without breaks.
    pub dash: Vec<f64>,
}

impl Stroke {
    /// Lines without breaks.
    #[must_use]
    pub fn solid(colour: Colour, width: f64) -> Self {
        Stroke { colour, width, dash: Vec::new() }
    }
}

impl BackendStyle for Stroke {
    fn color(&self) -> BackendColor {
        backend_colour(self.colour, 1.0)
    }

    fn stroke_width(&self) -> u32 {
        // `as` saturates; no line is wider than a picture.
        (self.width * UNITS).round() as u32
    }
}

/// A colour for plotters.
#[must_use]
pub fn backend_colour(colour: Colour, opacity: f64) -> BackendColor {
    BackendColor { alpha: opacity, rgb: (colour.red, colour.green, colour.blue) }
}

/// A place for plotters.
#[must_use]
pub fn units((x, y): PixelPoint) -> BackendCoord {
    // Saturates, far outside of every picture.
    (nearest_whole(x * UNITS), nearest_whole(y * UNITS))
}

/// A place from plotters.
#[must_use]
pub fn pixels((x, y): BackendCoord) -> PixelPoint {
    (f64::from(x) / UNITS, f64::from(y) / UNITS)
}

/// What can be drawn in one go.
#[derive(Debug, Clone, PartialEq)]
enum Look {
    Lines(Stroke),
    Areas { colour: Colour, opacity: f64 },
    Marks { symbol: Symbol, size: f64, colour: Colour },
}

/// The backend of all pictures: collects what has one look and hands it to its surface.
#[derive(Debug)]
pub struct Canvas<S> {
    surface: S,
    size: (u32, u32),
    look: Option<Look>,
    paths: Vec<Vec<PixelPoint>>,
    places: Vec<PixelPoint>,
}

impl<S: Surface> Canvas<S> {
    /// A canvas of a size in pixels.
    pub fn new(surface: S, size: (u32, u32)) -> Self {
        Canvas { surface, size, look: None, paths: Vec::new(), places: Vec::new() }
    }

    /// The surface with everything on it.
    pub fn finish(mut self) -> S {
        self.flush();
        self.surface
    }

    /// What follows belongs together.
    pub fn begin(&mut self, series: Option<&Series>) {
        self.flush();
        self.surface.begin(series);
    }

    /// What belongs together ends.
    pub fn end(&mut self) {
        self.flush();
        self.surface.end();
    }

    /// A line with the dashes of its stroke.
    pub fn line(&mut self, points: impl IntoIterator<Item = PixelPoint>, stroke: &Stroke) {
        let path: Vec<PixelPoint> = points.into_iter().collect();
        if path.len() > 1 {
            self.take(|| Look::Lines(stroke.clone()), |look| matches!(look, Look::Lines(own) if own == stroke));
            self.paths.push(path);
        }
    }

    /// A filled polygon.
    pub fn area(&mut self, corners: impl IntoIterator<Item = PixelPoint>, colour: Colour, opacity: f64) {
        let polygon: Vec<PixelPoint> = corners.into_iter().collect();
        if polygon.len() > 2 {
            self.take_look(Look::Areas { colour, opacity });
            self.paths.push(polygon);
        }
    }

    /// A symbol around a place.
    pub fn mark(&mut self, symbol: Symbol, size: f64, place: PixelPoint, colour: Colour) {
        self.take_look(Look::Marks { symbol, size, colour });
        self.places.push(place);
    }

    /// A line of text at any angle.
    pub fn write(&mut self, text: &Text) {
        self.flush();
        self.surface.text(text);
    }

    fn take_look(&mut self, look: Look) {
        self.take(|| look.clone(), |own| *own == look);
    }

    fn take(&mut self, look: impl FnOnce() -> Look, same: impl FnOnce(&Look) -> bool) {
        if !self.look.as_ref().is_some_and(same) {
            self.flush();
            self.look = Some(look());
        }
    }

    fn flush(&mut self) {
        match self.look.take() {
            Some(Look::Lines(stroke)) => self.surface.lines(&self.paths, &stroke),
            Some(Look::Areas { colour, opacity }) => self.surface.areas(&self.paths, colour, opacity),
            Some(Look::Marks { symbol, size, colour }) => self.surface.marks(symbol, size, &self.places, colour),
            None => {}
        }
        self.paths.clear();
        self.places.clear();
    }
}

/// A number with at most that many digits after the point.
fn number(value: f64, digits: usize) -> String {
    let mut text = String::new();
    // Writing to a string never fails.
    let _ = match decimal(value, digits) {
        Some((whole, 0)) => write!(text, "{}{whole}", if value < 0.0 { "-" } else { "" }),
        Some((whole, part)) => write!(text, "{}{whole}.{part:0digits$}", if value < 0.0 { "-" } else { "" }),
        None => write!(text, "{value:.digits$}"),
    };
    if text.contains('.') {
        text.truncate(text.trim_end_matches('0').trim_end_matches('.').len());
    }
    if text == "-0" { "0".to_string() } else { text }
}

/// A number without its sign, rounded as formatting rounds it (to the even digit where two are as near): what is before
/// the point, and the digits after it as a number. Formatting is slow where two are as near, and the middles of columns
/// of pixels all are. `None` where units are too coarse to tell.
fn decimal(value: f64, digits: usize) -> Option<(u64, u64)> {
    const UNIT: u64 = 1 << 16;
    let times = [1, 10, 100].get(digits).copied()?;
    let units = value.abs() * UNITS;
    if units.is_nan() || units > 1e12 {
        return None;
    }
    let whole_units = units as u64;
    let (down, rest) = (whole_units * times / UNIT, whole_units * times % UNIT);
    let rounded = match units > whole_units as f64 {
        // The number is between two units.
        true if rest + times <= UNIT / 2 => down,
        true if rest >= UNIT / 2 => down + 1,
        true => return None,
        false if rest == UNIT / 2 => down + down % 2,
        false => down + u64::from(rest > UNIT / 2),
    };
    Some((rounded / times, rounded % times))
}

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

fn colour_of(colour: BackendColor) -> Colour {
    let (red, green, blue) = colour.rgb;
    Colour { red, green, blue }
}

fn stroke_of(style: &impl BackendStyle) -> Stroke {
    Stroke::solid(colour_of(style.color()), f64::from(style.stroke_width()) / UNITS)
}

/// The corners of a circle that has as many of them as can be seen.
fn circle((x, y): PixelPoint, radius: f64) -> Vec<PixelPoint> {
    let corner = |index: u32| {
        let angle = std::f64::consts::TAU * f64::from(index) / 64.0;
        (x + radius * angle.cos(), y + radius * angle.sin())
    };
    (0..64).map(corner).collect()
}

/// Everything that elements of plotters draw. Nothing here asks plotters' rasteriser, whose pixel would be one unit.
impl<S: Surface> DrawingBackend for Canvas<S> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let (right, bottom) = units((f64::from(self.size.0), f64::from(self.size.1)));
        (right.unsigned_abs(), bottom.unsigned_abs())
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        self.flush();
        Ok(())
    }

    fn draw_pixel(&mut self, place: BackendCoord, colour: BackendColor) -> Drawn {
        let (x, y) = pixels(place);
        let corners = [(x, y), (x + 1.0, y), (x + 1.0, y + 1.0), (x, y + 1.0)];
        self.area(corners, colour_of(colour), colour.alpha);
        Ok(())
    }

    fn draw_line<Style: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &Style) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<Style: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &Style,
    ) -> Drawn {
        if style.color().alpha > 0.0 {
            self.line(path.into_iter().map(pixels), &stroke_of(style));
        }
        Ok(())
    }

    fn draw_rect<Style: BackendStyle>(
        &mut self,
        (left, top): BackendCoord,
        (right, bottom): BackendCoord,
        style: &Style,
        fill: bool,
    ) -> Drawn {
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
        if fill {
            self.fill_polygon(corners, style)
        } else {
            self.draw_path(corners.into_iter().chain([(left, top)]), style)
        }
    }

    fn draw_circle<Style: BackendStyle>(
        &mut self,
        centre: BackendCoord,
        radius: u32,
        style: &Style,
        fill: bool,
    ) -> Drawn {
        let corners = circle(pixels(centre), f64::from(radius) / UNITS);
        if fill {
            self.fill_polygon(corners.into_iter().map(units), style)
        } else {
            let first = corners.first().copied();
            self.draw_path(corners.into_iter().chain(first).map(units), style)
        }
    }

    fn fill_polygon<Style: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        corners: I,
        style: &Style,
    ) -> Drawn {
        let colour = style.color();
        if colour.alpha > 0.0 {
            self.area(corners.into_iter().map(pixels), colour_of(colour), colour.alpha);
        }
        Ok(())
    }

    fn draw_text<Style: BackendTextStyle>(&mut self, text: &str, style: &Style, place: BackendCoord) -> Drawn {
        let size = style.size() / UNITS;
        let anchor = match style.anchor().h_pos {
            HPos::Left => Anchor::Start,
            HPos::Center => Anchor::Middle,
            HPos::Right => Anchor::End,
        };
        let angle: f64 = match style.transform() {
            FontTransform::None => 0.0,
            FontTransform::Rotate90 => 90.0,
            FontTransform::Rotate180 => 180.0,
            FontTransform::Rotate270 => -90.0,
        };
        // From the anchor to the baseline, downwards before the text is turned.
        let down = size
            * match style.anchor().v_pos {
                VPos::Top => font::ASCENT,
                VPos::Center => (font::ASCENT - font::DESCENT) / 2.0,
                VPos::Bottom => -font::DESCENT,
            };
        let (sine, cosine) = angle.to_radians().sin_cos();
        let (x, y) = pixels(place);
        let place = (x - down * sine, y + down * cosine);
        self.write(&Text { angle, ..Text::new(text, place, size, anchor, colour_of(style.color())) });
        Ok(())
    }

    fn estimate_text_size<Style: BackendTextStyle>(
        &self,
        text: &str,
        style: &Style,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        // `as` saturates; sizes are not negative.
        let (width, height) = (font::width(text, style.size()), style.size() * (font::ASCENT + font::DESCENT));
        Ok((width.round() as u32, height.round() as u32))
    }
}

#[cfg(test)]
pub(super) mod tests;
