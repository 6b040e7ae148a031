//! Distributions as lines: which share of the values is at most so large.

use crate::drawing::figure::Point;
use mptcp_trace::analysis::distribution::cumulative;

/// The cumulative distribution of whole numbers as steps, the numbers multiplied by `factor`: from a share of zero at the
/// least one to all of them at the greatest.
#[must_use]
pub fn share_at_most(values: Vec<i64>, factor: f64) -> Vec<Point> {
    let steps = cumulative(values);
    #[allow(clippy::cast_precision_loss)]
    let place = |value: i64| value as f64 * factor;
    let start = steps.first().map(|(least, _)| Point { x: place(*least), y: 0.0 });
    start.into_iter().chain(steps.iter().map(|(value, share)| Point { x: place(*value), y: *share })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_begin_at_zero_and_end_at_all() {
        let points: Vec<_> = share_at_most(vec![3, 1, 3, 9], 0.5).iter().map(|point| (point.x, point.y)).collect();
        assert_eq!(points, [(0.5, 0.0), (0.5, 0.25), (1.5, 0.75), (4.5, 1.0)]);
        assert_eq!(share_at_most(Vec::new(), 1.0), []);
    }
}
