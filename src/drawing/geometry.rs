//! Places and parts of a picture, in pixels from its top left corner.

/// A place in the picture.
pub type PixelPoint = (f64, f64);

/// The nearest whole number, away from zero where two are as near: `value.round() as i32` without a call of the library
/// for each of millions of places.
#[inline]
#[must_use]
pub fn nearest_whole(value: f64) -> i32 {
    // `as` saturates, and makes 0 of what is not a number.
    let whole = value as i32;
    let rest = value - f64::from(whole);
    whole.saturating_add(i32::from(rest >= 0.5)).saturating_sub(i32::from(rest <= -0.5))
}

/// The greatest whole number that is not above `value`: `value.floor() as i64`, likewise.
#[inline]
#[must_use]
pub fn whole_below(value: f64) -> i64 {
    let whole = value as i64;
    whole.saturating_sub(i64::from(whole as f64 > value))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_those_of_the_library() {
        let halves = (-9..10).map(|half| f64::from(half) / 2.0);
        let edges = [0.0, 2_147_483_647.0, 4_503_599_627_370_496.0, 9_223_372_036_854_775_807.0, 1e300, f64::INFINITY];
        let values = halves.chain(edges).chain([f64::NAN, 0.499_999_999_999_999_94, 2_147_483_646.5, 2_147_483_647.5]);
        for value in values.flat_map(|value| [value, -value, value.next_up(), value.next_down()]) {
            assert_eq!(nearest_whole(value), value.round() as i32, "{value}");
            assert_eq!(whole_below(value), value.floor() as i64, "{value}");
        }
    }
}
