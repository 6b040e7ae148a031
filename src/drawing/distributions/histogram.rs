//! Histograms: how many values are in each bin.

use super::super::figure::{Axis, Bar, Marks, Panel, Role, Series};
use super::Values;

/// A panel with bars for each group. A bin begins at its lower edge; the last one has its upper edge as well. Values
/// outside of the edges are in no bin.
#[must_use]
pub fn histogram(groups: &[Values], edges: &[f64], x: Axis, y: Axis) -> Panel {
    let mut panel = Panel::new(x, y);
    for (group, index) in groups.iter().zip(0_u32..) {
        let bars: Vec<Bar> = counts(&group.sorted(), edges)
            .into_iter()
            .zip(edges.windows(2))
            .filter_map(|(count, bin)| match bin {
                #[allow(clippy::cast_precision_loss)]
                [low, high] if count > 0 => Some(Bar { x_low: *low, x_high: *high, y: count as f64 }),
                _ => None,
            })
            .collect();
        if !bars.is_empty() {
            panel = panel.with_series(Series::new(group.name.as_str(), Role::subflow(index), Marks::Bars(bars)));
        }
    }
    panel
}

/// How many of the sorted values are in each bin.
fn counts(sorted: &[f64], edges: &[f64]) -> Vec<usize> {
    let below = |edge: f64| sorted.partition_point(|value| *value < edge);
    let last = edges.len().saturating_sub(2);
    edges
        .windows(2)
        .enumerate()
        .map(|(place, bin)| match bin {
            [low, high] if place == last => sorted.partition_point(|value| value <= high).saturating_sub(below(*low)),
            [low, high] => below(*high).saturating_sub(below(*low)),
            _ => 0,
        })
        .collect()
}

/// So many edges of bins that are equally wide to the eye on a logarithmic axis, from one power of ten to another.
#[must_use]
pub fn powers(from: i32, to: i32, edges: u32) -> Vec<f64> {
    let steps = f64::from(edges.saturating_sub(1).max(1));
    let (from, to) = (f64::from(from), f64::from(to));
    (0..edges).map(|edge| 10_f64.powf(from + (to - from) * f64::from(edge) / steps)).collect()
}

/// Edges of so many bins of equal width.
#[must_use]
pub fn even(from: f64, to: f64, bins: u32) -> Vec<f64> {
    (0..=bins).map(|edge| from + (to - from) * f64::from(edge) / f64::from(bins.max(1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_have_their_lower_edge_and_the_last_one_both() {
        // numpy.histogram([0, 1, 1.5, 2, 3, 4], [1, 2, 3]) is [2, 2].
        assert_eq!(counts(&[0.0, 1.0, 1.5, 2.0, 3.0, 4.0], &[1.0, 2.0, 3.0]), [2, 2]);
        assert_eq!(counts(&[], &[1.0, 2.0]), [0]);
        assert_eq!(even(0.0, 1.0, 2), [0.0, 0.5, 1.0]);
        assert_eq!(powers(-1, 1, 3), [0.1, 1.0, 10.0]);
    }
}
