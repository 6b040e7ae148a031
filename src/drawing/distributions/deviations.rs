//! The mean of each group as a bar, with the standard deviation.

use super::super::figure::{Axis, Bar, Marks, Panel, Role, RoleKind, Series, VerticalStroke};
use super::{Values, categories, deviation, half_width, mean};

/// A panel with one bar per group, in the order of their names along x.
#[must_use]
pub fn deviations(groups: &[Values], x_label: &str, y: Axis) -> Panel {
    let half = half_width(groups.len());
    let (mut bars, mut spreads) = (Vec::new(), Vec::new());
    for (group, place) in groups.iter().zip(0_u32..) {
        let (x, values) = (f64::from(place), group.sorted());
        let Some(mean) = mean(&values) else { continue };
        bars.push(Bar { x_low: x - half, x_high: x + half, y: mean });
        let spread = deviation(&values).map(|spread| VerticalStroke { x, y_low: mean - spread, y_high: mean + spread });
        spreads.extend(spread);
    }
    Panel::new(Axis::of_categories(x_label, categories(groups)), y)
        .with_series(Series::new("mean", Role::subflow(0), Marks::Bars(bars)))
        .with_series(Series::new("± standard deviation", Role::of(RoleKind::Total), Marks::VerticalStrokes(spreads)))
}

/// A panel with one bar per name and series, from counted numbers or shares.
#[must_use]
pub fn bars(series: &[Values], names: &[String], x_label: &str, y: Axis) -> Panel {
    let half = half_width(names.len());
    let mut panel = Panel::new(Axis::of_categories(x_label, names), y);
    for (one, index) in series.iter().zip(0_u32..) {
        let bars = one.values.iter().zip(0_u32..).map(|(height, place)| {
            let x = f64::from(place);
            Bar { x_low: x - half, x_high: x + half, y: *height }
        });
        panel = panel.with_series(Series::new(one.name.as_str(), Role::subflow(index), Marks::Bars(bars.collect())));
    }
    panel
}

#[cfg(test)]
mod tests {
    use super::super::super::figure::Unit;
    use super::*;

    #[test]
    fn one_value_has_a_mean_and_no_deviation() {
        let groups = [Values::new("a", vec![2.0, 4.0, 6.0]), Values::new("b", vec![5.0])];
        let panel = deviations(&groups, "", Axis::new("y", Unit::Plain));
        let half = half_width(2);
        let bars = [(0.0, 4.0), (1.0, 5.0)].map(|(x, y)| Bar { x_low: x - half, x_high: x + half, y });
        assert_eq!(panel.series[0].marks, Marks::Bars(bars.to_vec()));
        let spread = VerticalStroke { x: 0.0, y_low: 2.0, y_high: 6.0 };
        assert_eq!(panel.series[1].marks, Marks::VerticalStrokes(vec![spread]));
    }
}
