//! Pairs of values as points, by group.

use super::super::figure::{Axis, Marks, Panel, Point, Role, RoleKind, Series};

/// The pairs of one group.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pairs {
    /// The group's name, as in the legend.
    pub name: String,
    /// Its pairs; those that are not finite are left out.
    pub pairs: Vec<(f64, f64)>,
}

/// A panel with points for each group; with `identity`, also the line where both values are equal.
#[must_use]
pub fn scatter(groups: &[Pairs], identity: bool, x: Axis, y: Axis) -> Panel {
    let placed = |(a, b): &(f64, f64)| a.is_finite() && b.is_finite() && x.places(*a) && y.places(*b);
    let shown: Vec<Vec<Point>> = groups
        .iter()
        .map(|group| group.pairs.iter().filter(|pair| placed(pair)).map(|(x, y)| Point { x: *x, y: *y }).collect())
        .collect();
    let all = || shown.iter().flatten().flat_map(|point| [point.x, point.y]);
    let (low, high) = (all().fold(f64::INFINITY, f64::min), all().fold(f64::NEG_INFINITY, f64::max));
    let mut panel = Panel::new(x, y);
    if identity && low < high {
        let ends = [low, high].map(|value| Point { x: value, y: value }).to_vec();
        panel = panel.with_series(Series::new("equal", Role::of(RoleKind::Reference), Marks::Lines(ends)));
    }
    for ((group, points), index) in groups.iter().zip(shown).zip(0_u32..) {
        if !points.is_empty() {
            panel = panel.with_series(Series::new(group.name.as_str(), Role::subflow(index), Marks::Points(points)));
        }
    }
    panel
}

#[cfg(test)]
mod tests {
    use super::super::super::figure::Unit;
    use super::*;

    #[test]
    fn what_has_no_place_is_left_out() {
        let groups = [Pairs { name: "a".into(), pairs: vec![(1.0, 2.0), (0.0, 1.0), (f64::NAN, 1.0)] }];
        let axis = || Axis::new("x", Unit::Plain).logarithmic();
        let panel = scatter(&groups, true, axis(), axis());
        assert_eq!(panel.series[0].marks, Marks::Lines(vec![Point { x: 1.0, y: 1.0 }, Point { x: 2.0, y: 2.0 }]));
        assert_eq!(panel.series[1].marks, Marks::Points(vec![Point { x: 1.0, y: 2.0 }]));
    }
}
