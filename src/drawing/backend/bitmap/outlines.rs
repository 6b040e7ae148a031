//! Lines and marks as polygons.

use std::f64::consts::TAU;

use super::super::super::geometry::{PixelPoint, Rectangle};
use super::super::super::style::Symbol;
use super::super::Stroke;
use super::super::symbol::{self, Outline};

/// Corners of a circle: more are not seen at the size of a mark.
const CORNERS: u32 = 20;

/// Lines of some width, broken into dashes.
pub(super) fn lines(paths: &[Vec<PixelPoint>], stroke: &Stroke) -> Vec<Vec<PixelPoint>> {
    let mut polygons = Vec::new();
    for path in paths {
        if stroke.dash.is_empty() {
            thick(path, stroke.width, &mut polygons);
        } else {
            dashes(path, &stroke.dash).iter().for_each(|dash| thick(dash, stroke.width, &mut polygons));
        }
    }
    polygons
}

/// One symbol at many places.
pub(super) fn marks(symbol: Symbol, size: f64, places: &[PixelPoint]) -> Vec<Vec<PixelPoint>> {
    let mut polygons = Vec::new();
    let width = symbol::LINE * size;
    for (x, y) in places {
        let at = |(dx, dy): PixelPoint| (x + dx * size, y + dy * size);
        match symbol::outline(symbol) {
            Outline::Disc => polygons.push(circle((*x, *y), size / 2.0)),
            Outline::Ring => {
                let mut ring = circle((*x, *y), (size - width) / 2.0);
                ring.extend(ring.first().copied());
                thick(&ring, width, &mut polygons);
            }
            Outline::Filled(corners) => polygons.push(corners.iter().copied().map(at).collect()),
            Outline::Lines(lines) => {
                lines.iter().for_each(|(from, to)| thick(&[at(*from), at(*to)], width, &mut polygons));
            }
        }
    }
    polygons
}

fn circle((x, y): PixelPoint, radius: f64) -> Vec<PixelPoint> {
    let corner = |index: u32| {
        let angle = TAU * f64::from(index) / f64::from(CORNERS);
        (x + radius * angle.cos(), y + radius * angle.sin())
    };
    (0..CORNERS).map(corner).collect()
}

/// A rectangle for each segment, and a triangle that closes the gap at each bend.
fn thick(path: &[PixelPoint], width: f64, polygons: &mut Vec<Vec<PixelPoint>>) {
    let mut before: Option<PixelPoint> = None;
    for pair in path.windows(2) {
        let [from, to] = pair else { continue };
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy);
        if length <= 1e-9 {
            continue;
        }
        // From the middle of the line to its side.
        let side = (-dy / length * width / 2.0, dx / length * width / 2.0);
        polygons.push(vec![plus(*from, side), plus(*to, side), minus(*to, side), minus(*from, side)]);
        if let Some(before) = before {
            // The gap is on the outer side of the bend; the triangle on the inner side is covered anyway.
            polygons.push(vec![*from, plus(*from, before), plus(*from, side)]);
            polygons.push(vec![*from, minus(*from, before), minus(*from, side)]);
        }
        before = Some(side);
    }
}

fn plus(one: PixelPoint, other: PixelPoint) -> PixelPoint {
    (one.0 + other.0, one.1 + other.1)
}

fn minus(one: PixelPoint, other: PixelPoint) -> PixelPoint {
    (one.0 - other.0, one.1 - other.1)
}

/// The drawn parts of a dashed line.
fn dashes(path: &[PixelPoint], lengths: &[f64]) -> Vec<Vec<PixelPoint>> {
    let mut drawn = Vec::new();
    // Shorter lengths could not be seen, and their number would have no bound.
    let lengths: Vec<f64> = lengths.iter().map(|length| length.max(0.5)).collect();
    let mut turns = lengths.iter().copied().cycle();
    let Some(mut left) = turns.next() else { return drawn };
    let mut on = true;
    let mut dash: Vec<PixelPoint> = path.first().copied().into_iter().collect();
    for pair in path.windows(2) {
        let [from, to] = pair else { continue };
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let mut gone = 0.0;
        while length - gone > left {
            gone += left;
            let place = (from.0 + (to.0 - from.0) * gone / length, from.1 + (to.1 - from.1) * gone / length);
            if on {
                dash.push(place);
                drawn.push(std::mem::take(&mut dash));
            } else {
                dash = vec![place];
            }
            on = !on;
            left = turns.next().unwrap_or(1.0);
        }
        left -= length - gone;
        if on {
            dash.push(*to);
        }
    }
    if on {
        drawn.push(dash);
    }
    drawn
}

/// Calls `edge` for each edge of a polygon, all polygons turning the same way round, so that their areas add up.
pub(super) fn each_edge(corners: &[PixelPoint], mut edge: impl FnMut(PixelPoint, PixelPoint)) {
    let next = corners.iter().cycle().skip(1);
    let pairs = corners.iter().zip(next);
    let area: f64 = pairs.clone().map(|(from, to)| from.0 * to.1 - to.0 * from.1).sum();
    for (from, to) in pairs {
        if area >= 0.0 { edge(*from, *to) } else { edge(*to, *from) }
    }
}

/// The part of a convex polygon inside of `frame`.
pub(super) fn clipped(corners: &[PixelPoint], frame: &Rectangle) -> Vec<PixelPoint> {
    if corners.iter().all(|corner| frame.holds(*corner)) {
        return corners.to_vec();
    }
    let left = cut(corners, |(x, _)| x - frame.left);
    let right = cut(&left, |(x, _)| frame.right - x);
    let top = cut(&right, |(_, y)| y - frame.top);
    cut(&top, |(_, y)| frame.bottom - y)
}

/// The part of a convex polygon where `inside` is not negative.
fn cut(corners: &[PixelPoint], inside: impl Fn(PixelPoint) -> f64) -> Vec<PixelPoint> {
    let mut kept = Vec::with_capacity(corners.len().saturating_add(2));
    for (from, to) in corners.iter().zip(corners.iter().cycle().skip(1)) {
        let (here, there) = (inside(*from), inside(*to));
        if here >= 0.0 {
            kept.push(*from);
        }
        if (here >= 0.0) != (there >= 0.0) {
            let share = here / (here - there);
            kept.push((from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share));
        }
    }
    kept
}
