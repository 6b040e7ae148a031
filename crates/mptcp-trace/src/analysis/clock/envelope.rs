//! Lines under (or over) points in time, and the slope that several sets of points share.
//!
//! Of a set of points only the vertices of its convex hull can lie on a line that all others are on one side of. The
//! slope looked for is one under which as many points as possible lie close to their set's line: queues push packets
//! away from it, one side only and never alike, while every packet that met none lies on it. So the sum of the logarithms of all
//! distances is made small. Between two slopes of hull edges each distance is a linear function of the slope, the sum of
//! logarithms is concave, and its smallest value lies at an edge: only their slopes need to be tried.

use crate::interrupt::interruptible;
use crate::{Instant, Span};
/// How far recorded times jitter, nanoseconds: what is that close to the line is on it.
const JITTER: f64 = 50_000.0;
/// Parts of a set's time of which the closest point each counts: slopes are compared by few points, evenly spread.
const WINDOWS: usize = 256;
/// Slopes tried at most.
const MOST_SLOPES: usize = 2048;
/// Clocks that differ more than this run at all: 5 %.
const STEEPEST: f64 = 0.05;

/// A packet that both captures have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// When the first capture recorded it.
    pub time: Instant,
    /// Lead of the second clock.
    pub difference: Span,
}

/// On which side of the points the line lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Below them: packets from the first capture to the second.
    Lower,
    /// Above them: packets from the second to the first.
    Upper,
}

/// A point relative to the reference, nanoseconds. The difference is turned over for upper lines, so that all lines are
/// lower ones.
#[derive(Debug, Clone, Copy, PartialEq)]
struct EnvelopePoint {
    time: f64,
    height: f64,
}

/// The points of one direction of a path, and their hull.
#[derive(Debug, Clone)]
pub struct Envelope {
    side: Side,
    places: Vec<EnvelopePoint>,
    hull: Vec<EnvelopePoint>,
}

impl Envelope {
    /// Of points in any order, in time relative to `reference`.
    pub fn new(side: Side, mut points: Vec<Point>, reference: Instant) -> Self {
        points.sort_by_key(|point| point.time);
        #[allow(clippy::cast_precision_loss)]
        let place = |point: &Point| EnvelopePoint {
            time: (point.time - reference).nanoseconds() as f64,
            height: match side {
                Side::Lower => point.difference.nanoseconds() as f64,
                Side::Upper => -(point.difference.nanoseconds() as f64),
            },
        };
        let places: Vec<EnvelopePoint> = points.iter().map(place).collect();
        let hull = lower_hull(&places);
        Envelope { side, places, hull }
    }

    /// Number of points.
    pub fn packets(&self) -> usize {
        self.places.len()
    }

    /// Where the line of this slope that all points are on the right side of cuts the reference, nanoseconds; `None`
    /// without points.
    pub fn intercept(&self, slope: f64) -> Option<f64> {
        let slope = self.turned(slope);
        let lowest = self.hull.iter().map(|place| place.height - slope * place.time).min_by(f64::total_cmp)?;
        Some(self.turned(lowest))
    }

    fn turned(&self, value: f64) -> f64 {
        match self.side {
            Side::Lower => value,
            Side::Upper => -value,
        }
    }

    /// Slopes of the hull's edges, as the clocks' difference has them.
    fn edges(&self) -> impl Iterator<Item = f64> + '_ {
        let slope = |pair: &[EnvelopePoint]| match pair {
            [from, to] if to.time > from.time => Some((to.height - from.height) / (to.time - from.time)),
            _ => None,
        };
        self.hull.windows(2).filter_map(slope).map(|slope| self.turned(slope))
    }

    /// Of each part of the time the point closest to the line of this slope.
    fn closest(&self, slope: f64) -> Vec<EnvelopePoint> {
        let slope = self.turned(slope);
        let (Some(first), Some(last)) = (self.places.first(), self.places.last()) else { return Vec::new() };
        #[allow(clippy::cast_precision_loss)]
        let width = ((last.time - first.time) / WINDOWS as f64).max(1.0);
        let mut closest: Vec<EnvelopePoint> = Vec::with_capacity(WINDOWS + 1);
        let mut until = f64::NEG_INFINITY;
        for place in interruptible(&self.places) {
            let height = |place: &EnvelopePoint| place.height - slope * place.time;
            match closest.last_mut() {
                Some(best) if place.time < until => {
                    if height(place) < height(best) {
                        *best = *place;
                    }
                }
                _ => {
                    closest.push(*place);
                    until = place.time + width;
                }
            }
        }
        closest
    }

    /// How far `places` lie from the line of this slope, nanoseconds, with their times.
    fn distances<'a>(&'a self, slope: f64, places: &'a [EnvelopePoint]) -> impl Iterator<Item = (f64, f64)> + 'a {
        let intercept = self.intercept(slope).map_or(0.0, |intercept| self.turned(intercept));
        let slope = self.turned(slope);
        places.iter().map(move |place| (place.time, (place.height - slope * place.time - intercept).max(0.0)))
    }
}

/// The lower convex hull of points in the order of time, by a chain that only turns left; linear.
fn lower_hull(places: &[EnvelopePoint]) -> Vec<EnvelopePoint> {
    let mut hull: Vec<EnvelopePoint> = Vec::new();
    for place in interruptible(places) {
        while let [.., before, last] = hull.as_slice() {
            let turn = (last.time - before.time) * (place.height - before.height)
                - (last.height - before.height) * (place.time - before.time);
            if turn > 0.0 {
                break;
            }
            hull.pop();
        }
        // Of points at the same time the lowest is enough.
        if let Some(last) = hull.last()
            && last.time >= place.time
        {
            if last.height <= place.height {
                continue;
            }
            hull.pop();
        }
        hull.push(*place);
    }
    hull
}

/// A slope that several sets of points share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Slope {
    /// The slope.
    pub slope: f64,
    /// By how much it may be wrong.
    pub uncertainty: f64,
}

/// The slope under which most points of all sets lie on their lines; `None` where no two points tell one.
pub fn common_slope(envelopes: &[&Envelope]) -> Option<Slope> {
    let mut slopes: Vec<f64> = envelopes.iter().flat_map(|e| e.edges()).filter(|s| s.abs() <= STEEPEST).collect();
    slopes.push(0.0);
    slopes.sort_by(f64::total_cmp);
    slopes.dedup();
    let step = slopes.len().div_ceil(MOST_SLOPES);
    let slopes: Vec<f64> = slopes.into_iter().step_by(step).collect();
    let mut best = 0.0;
    // The closest points of each part of time depend a little on the slope that they are closest to.
    for _ in 0..3 {
        let closest: Vec<(&Envelope, Vec<EnvelopePoint>)> = envelopes.iter().map(|e| (*e, e.closest(best))).collect();
        let badness = |slope: &f64| -> f64 {
            let of_set = |(envelope, places): &(&Envelope, Vec<EnvelopePoint>)| -> f64 {
                envelope.distances(*slope, places).map(|(_, distance)| (distance / JITTER).ln_1p()).sum()
            };
            closest.iter().map(of_set).sum()
        };
        let found = slopes.iter().map(|slope| (badness(slope), *slope)).min_by(|one, other| one.0.total_cmp(&other.0));
        let found = found.map_or(0.0, |(_, slope)| slope);
        let settled = (found - best).abs() < f64::EPSILON;
        best = found;
        if settled {
            break;
        }
    }
    uncertainty(envelopes, best).map(|uncertainty| Slope { slope: best, uncertainty })
}

/// What jitter makes of the slope: twice its size over the time between the first and last point on a line, for the
/// set where that time is longest.
fn uncertainty(envelopes: &[&Envelope], slope: f64) -> Option<f64> {
    let longest = envelopes.iter().filter_map(|envelope| {
        let on_line = envelope.distances(slope, &envelope.places).filter(|(_, distance)| *distance <= JITTER);
        let (first, last) =
            on_line.fold((f64::MAX, f64::MIN), |(first, last), (time, _)| (first.min(time), last.max(time)));
        (last > first).then_some(last - first)
    });
    longest.max_by(f64::total_cmp).map(|time| 2.0 * JITTER / time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::{at, ns};

    const MS: i64 = 1_000_000;

    fn points(of: &[(i64, i64)]) -> Vec<Point> {
        of.iter().map(|(time, difference)| Point { time: at(*time), difference: ns(*difference) }).collect()
    }

    #[test]
    fn the_hull_keeps_the_lowest() {
        let envelope = Envelope::new(Side::Lower, points(&[(0, 5), (10, 1), (20, 4), (30, 3), (40, 9)]), at(0));
        let hull: Vec<(f64, f64)> = envelope.hull.iter().map(|place| (place.time, place.height)).collect();
        assert_eq!(hull, [(0.0, 5.0), (10.0, 1.0), (30.0, 3.0), (40.0, 9.0)]);
        assert_eq!(envelope.intercept(0.0), Some(1.0));
        // The line 1 + (t - 10) / 10 goes through the second and the fourth and cuts 0 at 0.
        assert_eq!(envelope.intercept(0.1), Some(0.0));
        let upper = Envelope::new(Side::Upper, points(&[(0, -5), (10, -1), (20, -4)]), at(0));
        assert_eq!(upper.intercept(0.0), Some(-1.0));
    }

    #[test]
    fn a_queue_in_one_direction_does_not_look_like_a_skew() {
        // Ten seconds; answers always take 10 ms; data at first, then ever longer, as a queue builds up and breathes.
        let queue = |i: i64| i * MS / 10 + (i * 37 % 53) * MS * i / 2000;
        let forth: Vec<(i64, i64)> = (0..1000).map(|i| (i * 10 * MS, 10 * MS + queue(i))).collect();
        let back: Vec<(i64, i64)> = (0..1000).map(|i| (i * 10 * MS + 5 * MS, -10 * MS - (i % 7) * 9000)).collect();
        let forth = Envelope::new(Side::Lower, points(&forth), at(0));
        let back = Envelope::new(Side::Upper, points(&back), at(0));
        let found = common_slope(&[&forth, &back]).unwrap();
        assert!(found.slope.abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn a_skew_shows_in_both_directions() {
        let skewed = |time: i64| time / 5000; // 200 ppm
        let forth: Vec<(i64, i64)> =
            (0..500).map(|i| (i * 10 * MS, skewed(i * 10 * MS) + 10 * MS + (i % 5) * MS)).collect();
        let back: Vec<(i64, i64)> =
            (0..500).map(|i| (i * 10 * MS, skewed(i * 10 * MS) - 10 * MS - (i % 3) * MS)).collect();
        let forth = Envelope::new(Side::Lower, points(&forth), at(0));
        let back = Envelope::new(Side::Upper, points(&back), at(0));
        let found = common_slope(&[&forth, &back]).unwrap();
        assert!((found.slope - 200e-6).abs() < 1e-7, "{found:?}");
    }
}
