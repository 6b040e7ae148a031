//! Cutting lines and bars off at the edge of a panel.

use super::super::shape::Rectangle;
use super::super::thin::PixelPoint;
use mptcp_trace::interrupt::interruptible;

/// The parts of a line through `points` that lie inside of `frame`.
#[must_use]
pub fn line(points: &[PixelPoint], frame: &Rectangle) -> Vec<Vec<PixelPoint>> {
    let mut parts: Vec<Vec<PixelPoint>> = Vec::new();
    if let [only] = points {
        return if frame.holds(*only) { vec![vec![*only]] } else { parts };
    }
    for pair in interruptible(points.windows(2)) {
        let [from, to] = pair else { continue };
        let Some((start, end)) = segment(*from, *to, frame) else { continue };
        match parts.last_mut() {
            Some(part) if part.last() == Some(&start) => part.push(end),
            _ => parts.push(vec![start, end]),
        }
    }
    parts
}

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

/// The part of a rectangle inside of `frame`; a part without width or height counts.
#[must_use]
pub fn rectangle(own: &Rectangle, frame: &Rectangle) -> Option<Rectangle> {
    let part = Rectangle {
        left: own.left.max(frame.left),
        top: own.top.max(frame.top),
        right: own.right.min(frame.right),
        bottom: own.bottom.min(frame.bottom),
    };
    (part.left <= part.right && part.top <= part.bottom).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Rectangle = Rectangle { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn segments_are_cut_at_the_edges() {
        assert_eq!(segment((-5.0, 5.0), (15.0, 5.0), &FRAME), Some(((0.0, 5.0), (10.0, 5.0))));
        assert_eq!(segment((5.0, 5.0), (5.0, 25.0), &FRAME), Some(((5.0, 5.0), (5.0, 10.0))));
        assert_eq!(segment((-5.0, 0.0), (5.0, 10.0), &FRAME), Some(((0.0, 5.0), (5.0, 10.0))));
        assert_eq!(segment((-5.0, 8.0), (2.0, 15.0), &FRAME), None);
        assert_eq!(segment((11.0, 0.0), (11.0, 10.0), &FRAME), None);
        assert_eq!(segment((1.0, 1.0), (1.0, 1.0), &FRAME), Some(((1.0, 1.0), (1.0, 1.0))));
        assert_eq!(segment((f64::NAN, 1.0), (1.0, 1.0), &FRAME), None);
    }

    #[test]
    fn a_line_that_leaves_and_comes_back_has_two_parts() {
        let line = line(&[(1.0, 1.0), (5.0, 1.0), (15.0, 1.0), (15.0, 9.0), (5.0, 9.0)], &FRAME);
        assert_eq!(line, vec![vec![(1.0, 1.0), (5.0, 1.0), (10.0, 1.0)], vec![(10.0, 9.0), (5.0, 9.0)]]);
    }

    #[test]
    fn rectangles_are_cut() {
        let own = Rectangle { left: -1.0, top: 2.0, right: 3.0, bottom: 30.0 };
        assert_eq!(rectangle(&own, &FRAME), Some(Rectangle { left: 0.0, top: 2.0, right: 3.0, bottom: 10.0 }));
        assert_eq!(rectangle(&Rectangle { left: 11.0, ..own }, &FRAME), None);
    }
}
