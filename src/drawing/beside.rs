//! Bars of several series in one panel, drawn beside each other.
//!
//! In a figure each bar spans its whole bin, so that the table of values has the bins. Where several series have bars,
//! each is drawn in its own part of the bin.

use std::borrow::Cow;

use super::figure::{Figure, Marks, Panel, Scale};

/// The figure with the bars of several series where they are drawn; the figure as it is where no panel has several.
#[must_use]
pub fn side_by_side(figure: &Figure) -> Cow<'_, Figure> {
    if figure.panels.iter().all(|panel| bar_series(panel) < 2) {
        return Cow::Borrowed(figure);
    }
    let mut placed = figure.clone();
    for panel in &mut placed.panels {
        let parts = bar_series(panel);
        let scale = panel.x.scale;
        if parts < 2 {
            continue;
        }
        let bars = panel.series.iter_mut().filter_map(|series| match &mut series.marks {
            Marks::Bars(bars) if !bars.is_empty() => Some(bars),
            _ => None,
        });
        for (place, bars) in bars.enumerate() {
            for bar in bars {
                let (low, high) = (bar.x_low, bar.x_high);
                let along = |part: usize| between(low, high, part as f64 / parts as f64, scale);
                (bar.x_low, bar.x_high) = (along(place), along(place + 1));
            }
        }
    }
    Cow::Owned(placed)
}

fn bar_series(panel: &Panel) -> usize {
    panel.series.iter().filter(|series| matches!(&series.marks, Marks::Bars(bars) if !bars.is_empty())).count()
}

/// The value at a share of the way between two, as the eye sees it.
fn between(low: f64, high: f64, share: f64, scale: Scale) -> f64 {
    match scale {
        Scale::Logarithmic if low > 0.0 && high > 0.0 => low * (high / low).powf(share),
        _ => low + (high - low) * share,
    }
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Axis, Bar, Role, Series, Unit};
    use super::*;

    fn figure(of: &[&[(f64, f64)]], logarithmic: bool) -> Figure {
        let x = Axis::new("length", Unit::Bytes);
        let x = if logarithmic { x.logarithmic() } else { x };
        let mut panel = Panel::new(x, Axis::new("mappings", Unit::Count));
        for (index, bins) in (0_u32..).zip(of) {
            let bars = bins.iter().map(|(low, high)| Bar { x_low: *low, x_high: *high, y: 1.0 }).collect();
            panel = panel.with_series(Series::new("", Role::subflow(index), Marks::Bars(bars)));
        }
        Figure::new("").with_panel(panel)
    }

    fn places(figure: &Figure) -> Vec<(f64, f64)> {
        let boxes = figure.panels.iter().flat_map(|panel| &panel.series).flat_map(|series| series.marks.boxes());
        boxes.map(|(low, _, high, _)| (low, high)).collect()
    }

    #[test]
    fn each_series_has_its_part_of_the_bin() {
        let two = figure(&[&[(0.0, 100.0), (100.0, 200.0)], &[], &[(0.0, 100.0)]], false);
        assert_eq!(places(&side_by_side(&two)), [(0.0, 50.0), (100.0, 150.0), (50.0, 100.0)]);
        let one = figure(&[&[(0.0, 100.0)], &[]], false);
        assert_eq!(places(&side_by_side(&one)), [(0.0, 100.0)]);
        let decade = figure(&[&[(1.0, 100.0)], &[(1.0, 100.0)]], true);
        assert_eq!(places(&side_by_side(&decade)), [(1.0, 10.0), (10.0, 100.0)]);
    }
}
