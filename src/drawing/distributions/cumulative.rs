//! Cumulative distributions: which share of the values is at most, or more than, so large.

use super::super::figure::{Axis, Marks, Panel, Point, Role, Scale, Series};
use super::Values;

/// What is accumulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cumulative {
    /// Share of the values that are at most x: the CDF. It ends at 1.
    AtMost,
    /// Share of the values that are more than x: the CCDF.
    MoreThan,
    /// Share of the sum that values of at most x make up: the CDF weighted by the values. It ends at 1.
    OfSum,
}

/// A panel with one line of steps per group. What has no place on a logarithmic axis counts in the shares.
#[must_use]
pub fn cumulative(groups: &[Values], kind: Cumulative, x: Axis, y: Axis) -> Panel {
    let mut panel = Panel::new(x, y);
    for (group, index) in groups.iter().zip(0_u32..) {
        let mut points = steps(&group.sorted(), kind);
        if panel.x.scale == Scale::Logarithmic {
            points.retain(|point| point.x > 0.0);
        }
        if panel.y.scale == Scale::Logarithmic {
            points.retain(|point| point.y > 0.0);
        }
        if !points.is_empty() {
            panel = panel.with_series(Series::new(group.name.as_str(), Role::subflow(index), Marks::Steps(points)));
        }
    }
    panel
}

/// The steps of sorted values: a first point where nothing is accumulated yet, then one for each distinct value.
#[must_use]
pub fn steps(sorted: &[f64], kind: Cumulative) -> Vec<Point> {
    #[allow(clippy::cast_precision_loss)]
    let count = sorted.len() as f64;
    let sum: f64 = sorted.iter().sum();
    let Some(least) = sorted.first().copied() else { return Vec::new() };
    if kind == Cumulative::OfSum && sum <= 0.0 {
        return Vec::new();
    }
    let mut points = vec![Point { x: least, y: if kind == Cumulative::MoreThan { 1.0 } else { 0.0 } }];
    let (mut below, mut carried) = (0_usize, 0.0);
    for equal in sorted.chunk_by(|one, next| one == next) {
        below = below.saturating_add(equal.len());
        carried += equal.iter().sum::<f64>();
        #[allow(clippy::cast_precision_loss)]
        let share = match kind {
            Cumulative::AtMost => below as f64 / count,
            Cumulative::MoreThan => sorted.len().saturating_sub(below) as f64 / count,
            // Sums of many fractions may miss the whole by a little.
            Cumulative::OfSum if below == sorted.len() => 1.0,
            Cumulative::OfSum => (carried / sum).min(1.0),
        };
        points.extend(equal.first().map(|value| Point { x: *value, y: share }));
    }
    points
}

#[cfg(test)]
mod tests {
    use super::super::super::figure::Unit;
    use super::*;

    fn of(kind: Cumulative) -> Vec<(f64, f64)> {
        steps(&[1.0, 1.0, 2.0, 4.0], kind).iter().map(|point| (point.x, point.y)).collect()
    }

    #[test]
    fn shares_are_of_the_number_or_of_the_sum() {
        assert_eq!(of(Cumulative::AtMost), [(1.0, 0.0), (1.0, 0.5), (2.0, 0.75), (4.0, 1.0)]);
        assert_eq!(of(Cumulative::MoreThan), [(1.0, 1.0), (1.0, 0.5), (2.0, 0.25), (4.0, 0.0)]);
        assert_eq!(of(Cumulative::OfSum), [(1.0, 0.0), (1.0, 0.25), (2.0, 0.5), (4.0, 1.0)]);
        assert_eq!(steps(&[], Cumulative::AtMost), []);
        assert_eq!(steps(&[0.0], Cumulative::OfSum), [], "a share of nothing");
    }

    #[test]
    fn zeros_count_on_a_logarithmic_axis() {
        let groups = [Values::new("a", vec![0.0, 1.0, f64::NAN, 3.0, 0.0])];
        let axis = || Axis::new("x", Unit::Plain);
        let panel = cumulative(&groups, Cumulative::AtMost, axis().logarithmic(), axis());
        let points = vec![Point { x: 1.0, y: 0.75 }, Point { x: 3.0, y: 1.0 }];
        assert_eq!(panel.series[0].marks, Marks::Steps(points));
    }
}
