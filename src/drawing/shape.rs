//! Parts of scenes. All lengths are pixels, from the top left corner.

use super::font;
use super::style::{Colour, Symbol};
use super::thin::PixelPoint;

/// A figure laid out.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// Pixels from left to right.
    pub width: u32,
    /// Pixels from top to bottom.
    pub height: u32,
    /// Behind everything.
    pub background: Colour,
    /// Name of the figure, for those who cannot see it.
    pub title: String,
    /// Drawn in this order.
    pub groups: Vec<Group>,
}

/// Shapes that belong together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// The name of the series, where it is one.
    pub name: Option<String>,
    /// Drawn in this order.
    pub shapes: Vec<Shape>,
}

/// Something to draw.
#[derive(Debug, Clone, PartialEq)]
pub enum Shape {
    /// Lines through points.
    Lines {
        /// Each a line through its points.
        paths: Vec<Vec<PixelPoint>>,
        /// Their look.
        stroke: Stroke,
    },
    /// Filled polygons.
    Areas {
        /// Each the corners of one.
        polygons: Vec<Vec<PixelPoint>>,
        /// The colour inside.
        colour: Colour,
        /// 0 is invisible, 1 hides what is below.
        opacity: f64,
    },
    /// One symbol at many places.
    Marks {
        /// Look.
        symbol: Symbol,
        /// From side to side.
        size: f64,
        /// The middles.
        places: Vec<PixelPoint>,
        /// Its colour.
        colour: Colour,
    },
    /// A line of text.
    Text(Text),
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

/// Which point of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

/// A line of text, escaped.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// Its content.
    pub content: String,
    /// Where its anchor stands.
    pub x: f64,
    /// Where its baseline runs at the anchor.
    pub y: f64,
    /// Size of the font.
    pub size: f64,
    /// Which point stands at `x` and `y`.
    pub anchor: Anchor,
    /// Degrees by which it is turned around its anchor, clockwise: upwards is -90.
    pub angle: f64,
    /// Its colour.
    pub colour: Colour,
}

impl Text {
    /// Text from left to right.
    #[must_use]
    pub fn new(content: impl Into<String>, (x, y): PixelPoint, size: f64, anchor: Anchor, colour: Colour) -> Self {
        Text { content: content.into(), x, y, size, anchor, angle: 0.0, colour }
    }

    /// The distance from its beginning to its anchor.
    #[must_use]
    pub fn before(&self) -> f64 {
        let length = font::width(&self.content, self.size);
        match self.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => length / 2.0,
            Anchor::End => length,
        }
    }

    /// The corners of the room that it takes, with a margin around it.
    #[must_use]
    pub fn corners(&self, margin: f64) -> Vec<PixelPoint> {
        let left = -self.before();
        let flat = Rectangle {
            left,
            top: -font::ASCENT * self.size,
            right: left + font::width(&self.content, self.size),
            bottom: font::DESCENT * self.size,
        };
        let (sine, cosine) = self.angle.to_radians().sin_cos();
        let turned = |(x, y): PixelPoint| (self.x + x * cosine - y * sine, self.y + x * sine + y * cosine);
        flat.grown(margin).corners().into_iter().map(turned).collect()
    }

    /// The upright rectangle around the room that it takes.
    #[must_use]
    pub fn bounds(&self) -> Rectangle {
        let nothing =
            Rectangle { left: f64::INFINITY, top: f64::INFINITY, right: f64::NEG_INFINITY, bottom: f64::NEG_INFINITY };
        self.corners(0.0).into_iter().fold(nothing, |around, (x, y)| Rectangle {
            left: around.left.min(x),
            top: around.top.min(y),
            right: around.right.max(x),
            bottom: around.bottom.max(y),
        })
    }
}

/// A part of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rectangle {
    /// Least x.
    pub left: f64,
    /// Least y: y grows downwards.
    pub top: f64,
    /// Greatest x.
    pub right: f64,
    /// Greatest y.
    pub bottom: f64,
}

impl Rectangle {
    /// From left to right.
    #[must_use]
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    /// From top to bottom.
    #[must_use]
    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// Larger by `margin` on each side.
    #[must_use]
    pub fn grown(&self, margin: f64) -> Rectangle {
        Rectangle {
            left: self.left - margin,
            top: self.top - margin,
            right: self.right + margin,
            bottom: self.bottom + margin,
        }
    }

    /// Whether the two share more than an edge.
    #[must_use]
    pub fn overlaps(&self, other: &Rectangle) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Whether `place` is inside or on the edge.
    #[must_use]
    pub fn holds(&self, (x, y): PixelPoint) -> bool {
        self.left <= x && x <= self.right && self.top <= y && y <= self.bottom
    }

    /// Whether `other` lies inside.
    #[must_use]
    pub fn encloses(&self, other: &Rectangle) -> bool {
        self.holds((other.left, other.top)) && self.holds((other.right, other.bottom))
    }

    /// Its corners.
    #[must_use]
    pub fn corners(&self) -> Vec<PixelPoint> {
        vec![(self.left, self.top), (self.right, self.top), (self.right, self.bottom), (self.left, self.bottom)]
    }
}
