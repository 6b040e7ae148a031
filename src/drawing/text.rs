//! A line of text with its place in a picture. All lengths are pixels, from the top left corner.

use super::font;
use super::geometry::{PixelPoint, Rectangle};
use super::style::Colour;

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
