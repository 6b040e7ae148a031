//! Box plots: quartiles of each group, with what lies far from them.

use super::super::figure::{Area, Axis, HorizontalStroke, Marks, Panel, Point, Role, RoleKind, Series, VerticalStroke};
use super::{Values, categories, half_width, quantile};

/// Whiskers end at the last value within so many times the height of the box.
const REACH: f64 = 1.5;
/// More values beyond the whiskers are not drawn: they would be a line.
const MOST_OUTSIDE: usize = 20_000;

/// A panel with one box per group, in the order of their names along x: first to third quartile, the median, whiskers to
/// the last values within 1.5 times the height of the box, and points for what lies beyond them.
#[must_use]
pub fn boxes(groups: &[Values], x_label: &str, y: Axis) -> Panel {
    let half = half_width(groups.len());
    let (mut areas, mut medians, mut whiskers, mut outside) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (group, place) in groups.iter().zip(0_u32..) {
        let mut sorted = group.sorted();
        sorted.retain(|value| y.places(*value));
        let quartile = |share| quantile(&sorted, share);
        let (Some(low), Some(median), Some(high)) = (quartile(0.25), quartile(0.5), quartile(0.75)) else { continue };
        let (x, reach) = (f64::from(place), (high - low) * REACH);
        areas.push(Area { x_low: x - half, x_high: x + half, y_low: low, y_high: high });
        medians.push(HorizontalStroke { x_low: x - half, x_high: x + half, y: median });
        let within = || sorted.iter().copied().filter(|value| (low - reach..=high + reach).contains(value));
        // A quartile between two values may have none of them within reach on its side.
        let least = within().next().unwrap_or(low).min(low);
        let greatest = within().next_back().unwrap_or(high).max(high);
        whiskers.push(VerticalStroke { x, y_low: least, y_high: low });
        whiskers.push(VerticalStroke { x, y_low: high, y_high: greatest });
        let beyond = sorted.iter().filter(|value| **value < low - reach || **value > high + reach);
        outside.extend(beyond.map(|value| Point { x, y: *value }));
    }
    outside.truncate(MOST_OUTSIDE);
    let mut panel = Panel::new(Axis::of_categories(x_label, categories(groups)), y);
    let line = Role::of(RoleKind::Total);
    for (name, role, marks) in [
        ("quartiles", Role::subflow(0), Marks::Areas(areas)),
        ("whiskers", line, Marks::VerticalStrokes(whiskers)),
        ("median", line, Marks::HorizontalStrokes(medians)),
        ("beyond the whiskers", Role::of(RoleKind::Reference), Marks::Points(outside)),
    ] {
        if !marks.is_empty() {
            panel = panel.with_series(Series::new(name, role, marks));
        }
    }
    panel
}

#[cfg(test)]
mod tests {
    use super::super::super::figure::Unit;
    use super::*;

    #[test]
    fn a_box_has_quartiles_and_whiskers_end_at_values() {
        let groups = [Values::new("none", Vec::new()), Values::new("a", vec![1.0, 2.0, 3.0, 4.0, 100.0])];
        let panel = boxes(&groups, "", Axis::new("y", Unit::Plain));
        assert_eq!(panel.x.categories, ["none", "a"]);
        // numpy.percentile: 2, 3, 4; within [2 - 3, 4 + 3].
        let half = half_width(2);
        let area = Area { x_low: 1.0 - half, x_high: 1.0 + half, y_low: 2.0, y_high: 4.0 };
        assert_eq!(panel.series[0].marks, Marks::Areas(vec![area]));
        let stroke = |y_low, y_high| VerticalStroke { x: 1.0, y_low, y_high };
        assert_eq!(panel.series[1].marks, Marks::VerticalStrokes(vec![stroke(1.0, 2.0), stroke(4.0, 4.0)]));
        assert_eq!(panel.series[3].marks, Marks::Points(vec![Point { x: 1.0, y: 100.0 }]));
    }
}
