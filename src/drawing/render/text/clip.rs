//! Cutting lines off at the edge of a canvas.

use super::super::super::geometry::{PixelPoint, Rectangle};

/// The part of a segment inside of `frame`.
#[must_use]
pub fn segment(from: PixelPoint, to: PixelPoint, frame: &Rectangle) -> Option<(PixelPoint, PixelPoint)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    // The part from `first` to `last`, in parts of the whole, shrinks with each edge.
    let (mut first, mut last) = (0.0_f64, 1.0_f64);
    let edges = [
        (-dx, from.0 - frame.left),
        (dx, frame.right - from.0),
        (-dy, from.1 - frame.top),
        (dy, frame.bottom - from.1),
    ];
    for (towards, room) in edges {
        if towards == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if towards < 0.0 {
            first = first.max(room / towards);
        } else {
            last = last.min(room / towards);
        }
    }
    if first > last || ![from.0, from.1, to.0, to.1].into_iter().all(f64::is_finite) {
        return None;
    }
    let start = if first > 0.0 { (from.0 + first * dx, from.1 + first * dy) } else { from };
    let end = if last < 1.0 { (from.0 + last * dx, from.1 + last * dy) } else { to };
    Some((start, end))
}
