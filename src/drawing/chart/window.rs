//! What a panel shows of values: everything is cut at its edges before plotters places it, because plotters moves each
//! point that lies outside to the edge, which bends the line that leads there.

use super::super::extent::{Extent, Range};
use super::super::figure::{Panel, Scale};
use mptcp_trace::interrupt::interruptible;

/// A pair of values: along x, along y.
pub type Value = (f64, f64);

/// The values between the edges of a panel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    x: Edges,
    y: Edges,
}

/// Two edges, as values and where even steps are even.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Edges {
    range: Range,
    scale: Scale,
    even: Range,
}

impl Edges {
    fn new(range: Range, scale: Scale) -> Self {
        let even = |value: f64| if scale == Scale::Linear { value } else { value.log10() };
        Edges { range, scale, even: Range { low: even(range.low), high: even(range.high) } }
    }

    fn even(&self, value: f64) -> f64 {
        if self.scale == Scale::Linear { value } else { value.log10() }
    }

    fn uneven(&self, even: f64) -> f64 {
        let value = if self.scale == Scale::Linear { even } else { 10_f64.powf(even) };
        // However it was rounded, a cut end is not outside.
        value.clamp(self.range.low, self.range.high)
    }

    /// Whether the value has a place, inside or outside of the edges.
    fn places(&self, value: f64) -> bool {
        value.is_finite() && (self.scale == Scale::Linear || value > 0.0)
    }

    fn holds(&self, value: f64) -> bool {
        self.range.low <= value && value <= self.range.high
    }
}

impl Window {
    /// What `panel` shows.
    #[must_use]
    pub fn new(panel: &Panel, extent: &Extent) -> Self {
        Window { x: Edges::new(extent.x, panel.x.scale), y: Edges::new(extent.y, panel.y.scale) }
    }

    /// Whether both values have a place on their axes, shown or not.
    #[must_use]
    pub fn places(&self, (x, y): Value) -> bool {
        self.x.places(x) && self.y.places(y)
    }

    /// Whether the place is shown.
    #[must_use]
    pub fn holds(&self, (x, y): Value) -> bool {
        self.places((x, y)) && self.x.holds(x) && self.y.holds(y)
    }

    /// Where bars stand: zero, or the lower edge where zero has no place.
    #[must_use]
    pub fn ground(&self) -> f64 {
        if self.y.places(0.0) { 0.0 } else { self.y.range.low }
    }

    /// The part of a straight line that is shown.
    #[must_use]
    pub fn segment(&self, from: Value, to: Value) -> Option<(Value, Value)> {
        if self.holds(from) && self.holds(to) {
            return Some((from, to));
        }
        if !self.places(from) || !self.places(to) {
            return None;
        }
        // A line is straight where steps are even.
        let (x, y) = (self.x.even(from.0), self.y.even(from.1));
        let (dx, dy) = (self.x.even(to.0) - x, self.y.even(to.1) - y);
        // The part from `first` to `last`, in parts of the whole, shrinks with each edge.
        let (mut first, mut last) = (0.0_f64, 1.0_f64);
        let edges = [
            (-dx, x - self.x.even.low),
            (dx, self.x.even.high - x),
            (-dy, y - self.y.even.low),
            (dy, self.y.even.high - y),
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
        if first > last {
            return None;
        }
        let at = |share: f64| (self.x.uneven(x + share * dx), self.y.uneven(y + share * dy));
        Some((if first > 0.0 { at(first) } else { from }, if last < 1.0 { at(last) } else { to }))
    }

    /// The parts of a line through `points` that are shown. A point without a place parts the line.
    #[must_use]
    pub fn line(&self, points: impl IntoIterator<Item = Value>) -> Vec<Vec<Value>> {
        let mut parts: Vec<Vec<Value>> = Vec::new();
        let mut before: Option<Value> = None;
        // Whether the last part ends where the last point is.
        let mut joined = false;
        for point in interruptible(points) {
            match before {
                _ if !self.places(point) => joined = false,
                None if self.holds(point) => {
                    parts.push(vec![point]);
                    joined = true;
                }
                None => joined = false,
                Some(before) => {
                    let shown = self.segment(before, point);
                    match (shown, parts.last_mut()) {
                        (Some((_, end)), Some(part)) if joined => part.push(end),
                        (Some((start, end)), _) => parts.push(vec![start, end]),
                        (None, _) => {}
                    }
                    joined = shown.is_some_and(|(_, end)| end == point);
                }
            }
            before = self.places(point).then_some(point);
        }
        parts
    }

    /// The part of a rectangle that is shown, given and returned by two opposite corners; one without width or height
    /// counts.
    #[must_use]
    pub fn rectangle(&self, one: Value, other: Value) -> Option<(Value, Value)> {
        let cut = |edges: &Edges, one: f64, other: f64| {
            let (low, high) = (one.min(other).max(edges.range.low), one.max(other).min(edges.range.high));
            (low <= high).then_some((low, high))
        };
        if !self.places(one) || !self.places(other) {
            return None;
        }
        let ((left, right), (low, high)) = (cut(&self.x, one.0, other.0)?, cut(&self.y, one.1, other.1)?);
        Some(((left, low), (right, high)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::figure::{Axis, Unit};
    use super::*;

    fn window(x: (f64, f64), y: (f64, f64), scale: Scale) -> Window {
        let axis = || Axis { scale, ..Axis::new("", Unit::Plain) };
        let range = |(low, high)| Range { low, high };
        Window::new(&Panel::new(axis(), axis()), &Extent { x: range(x), y: range(y), y_prefixed: 1.0, empty: false })
    }

    fn unit_square() -> Window {
        window((0.0, 1.0), (0.0, 1.0), Scale::Linear)
    }

    #[test]
    fn a_line_that_leaves_keeps_its_slope() {
        // y = 2x - 0.5 meets y = 0 at x = 0.25 and y = 1 at x = 0.75.
        let shown = unit_square().segment((0.0, -0.5), (1.0, 1.5));
        assert_eq!(shown, Some(((0.25, 0.0), (0.75, 1.0))));
        assert_eq!(unit_square().line([(0.0, -0.5), (1.0, 1.5)]), [[(0.25, 0.0), (0.75, 1.0)]]);
    }

    #[test]
    fn segments_are_cut_at_the_edges() {
        let window = window((0.0, 10.0), (0.0, 10.0), Scale::Linear);
        let segment = |from, to| window.segment(from, to);
        assert_eq!(segment((-5.0, 5.0), (15.0, 5.0)), Some(((0.0, 5.0), (10.0, 5.0))));
        assert_eq!(segment((5.0, 5.0), (5.0, 25.0)), Some(((5.0, 5.0), (5.0, 10.0))));
        assert_eq!(segment((-5.0, 0.0), (5.0, 10.0)), Some(((0.0, 5.0), (5.0, 10.0))));
        assert_eq!(segment((-5.0, 8.0), (2.0, 15.0)), None);
        assert_eq!(segment((11.0, 0.0), (11.0, 10.0)), None);
        assert_eq!(segment((1.0, 1.0), (1.0, 1.0)), Some(((1.0, 1.0), (1.0, 1.0))));
        assert_eq!(segment((f64::NAN, 1.0), (1.0, 1.0)), None);
    }

    #[test]
    fn a_line_that_leaves_and_comes_back_has_two_parts() {
        let window = window((0.0, 10.0), (0.0, 10.0), Scale::Linear);
        let line = window.line([(1.0, 1.0), (5.0, 1.0), (15.0, 1.0), (15.0, 9.0), (5.0, 9.0)]);
        assert_eq!(line, vec![vec![(1.0, 1.0), (5.0, 1.0), (10.0, 1.0)], vec![(10.0, 9.0), (5.0, 9.0)]]);
        assert_eq!(window.line([(1.0, 1.0)]), [[(1.0, 1.0)]]);
        assert_eq!(window.line([(11.0, 1.0)]), Vec::<Vec<Value>>::new());
        // A point without a place parts the line; the point alone behind it stays.
        assert_eq!(window.line([(1.0, 1.0), (f64::NAN, 1.0), (2.0, 2.0)]), [[(1.0, 1.0)], [(2.0, 2.0)]]);
    }

    #[test]
    fn on_logarithmic_axes_lines_are_straight_between_powers() {
        let window = window((1.0, 100.0), (1.0, 100.0), Scale::Logarithmic);
        // From (0.1, 1) to (1000, 10000): log y = log x + 1, which meets x = 1 at y = 10 and y = 100 at x = 10.
        let (from, to) = window.segment((0.1, 1.0), (1000.0, 10_000.0)).unwrap();
        let near = |(x, y): Value, (to_x, to_y): Value| (x - to_x).abs() < 1e-9 && (y - to_y).abs() < 1e-9;
        assert!(near(from, (1.0, 10.0)) && near(to, (10.0, 100.0)), "{from:?} {to:?}");
        assert_eq!(window.segment((0.0, 1.0), (10.0, 10.0)), None);
    }

    #[test]
    fn rectangles_are_cut() {
        let window = window((0.0, 10.0), (0.0, 10.0), Scale::Linear);
        assert_eq!(window.rectangle((-1.0, 30.0), (3.0, 2.0)), Some(((0.0, 2.0), (3.0, 10.0))));
        assert_eq!(window.rectangle((11.0, 0.0), (12.0, 5.0)), None);
        assert_eq!(window.rectangle((2.0, 0.0), (2.0, 0.0)), Some(((2.0, 0.0), (2.0, 0.0))));
    }
}
