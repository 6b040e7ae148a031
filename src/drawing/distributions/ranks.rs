//! Values in order of size.

use super::super::figure::{Axis, Marks, Panel, Point, Role, RoleKind, Series};

/// A panel with the first of each tuple in falling order, and beside it the others of the same rank: `names` has one name
/// for each.
#[must_use]
pub fn ranks<const N: usize>(mut rows: Vec<[f64; N]>, names: [&str; N], x: Axis, y: Axis) -> Panel {
    let key = |row: &[f64; N]| row.first().copied().unwrap_or_default();
    rows.sort_by(|one, other| key(other).total_cmp(&key(one)));
    let mut panel = Panel::new(x, y);
    for (place, (name, index)) in names.into_iter().zip(0_u32..).enumerate() {
        let values = rows.iter().filter_map(|row| row.get(place)).zip(1_u32..);
        let points: Vec<Point> = values
            .filter(|(value, _)| value.is_finite() && panel.y.places(**value))
            .map(|(value, rank)| Point { x: f64::from(rank), y: *value })
            .collect();
        if points.is_empty() {
            continue;
        }
        // The first one falls; the others jump up and down.
        let series = match index {
            0 => Series::new(name, Role::of(RoleKind::Total), Marks::Steps(points)),
            _ => Series::new(name, Role::subflow(index.saturating_sub(1)), Marks::Points(points)),
        };
        panel = panel.with_series(series);
    }
    panel
}

#[cfg(test)]
mod tests {
    use super::super::super::figure::Unit;
    use super::*;

    #[test]
    fn others_stay_beside_their_first() {
        let axis = || Axis::new("", Unit::Plain);
        let panel = ranks(vec![[1.0, 5.0], [3.0, 0.0], [2.0, 7.0]], ["all", "part"], axis(), axis().logarithmic());
        let point = |x, y| Point { x, y };
        assert_eq!(panel.series[0].marks, Marks::Steps(vec![point(1.0, 3.0), point(2.0, 2.0), point(3.0, 1.0)]));
        assert_eq!(panel.series[1].marks, Marks::Points(vec![point(2.0, 7.0), point(3.0, 5.0)]));
    }
}
