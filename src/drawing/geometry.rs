//! Places and parts of a picture, in pixels from its top left corner.

/// A place in the picture.
pub type PixelPoint = (f64, f64);

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
