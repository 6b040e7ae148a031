//! Which values the axes of a panel show.

use std::ops::ControlFlow;

use super::figure::{Axis, Figure, Marks, Panel, Scale, Series, Unit};
use super::ticks::common_prefix;
use mptcp_trace::parallel::each;

/// The least and the greatest value along an axis; the least is always the smaller one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Range {
    /// Where `value` lies between the ends: 0 at the least, 1 at the greatest.
    #[must_use]
    pub fn share(self, value: f64, scale: Scale) -> f64 {
        let (low, high, value) = match scale {
            Scale::Linear => (self.low, self.high, value),
            Scale::Logarithmic => (self.low.log10(), self.high.log10(), value.log10()),
        };
        (value - low) / (high - low)
    }

    /// The value that is furthest from zero, without its sign.
    #[must_use]
    pub fn greatest(self) -> f64 {
        self.low.abs().max(self.high.abs())
    }

    fn joined(self, other: Range) -> Range {
        Range { low: self.low.min(other.low), high: self.high.max(other.high) }
    }
}

/// The ranges of one panel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// From left to right.
    pub x: Range,
    /// From bottom to top.
    pub y: Range,
    /// The value whose unit prefix the y axis has: one for panels that measure the same, where their numbers stay readable.
    pub y_prefixed: f64,
    /// Whether anything is drawn in it.
    pub empty: bool,
}

/// The ranges of each panel; panels that measure the same along x share its range.
#[must_use]
pub fn extents(figure: &Figure) -> Vec<Extent> {
    let series: Vec<(&Panel, &Series)> =
        figure.panels.iter().flat_map(|panel| panel.series.iter().map(move |series| (panel, series))).collect();
    let marks = series.iter().map(|(_, series)| series.marks.len()).sum();
    let mut values = each(&series, marks, |(panel, series)| of_series(panel, series)).into_iter();
    let own: Vec<Reach> =
        figure.panels.iter().map(|panel| data(panel, values.by_ref().take(panel.series.len()))).collect();
    let panels = || figure.panels.iter().zip(&own);
    // Panels are few: looking at each for each is cheap.
    let common =
        |axis: &Axis| panels().filter(|(panel, _)| panel.x == *axis).filter_map(|(_, (x, _))| *x).reduce(Range::joined);
    let extent = |(panel, (_, y)): (&Panel, &Reach)| {
        let y = shown(&panel.y, *y, Side::Y);
        Extent {
            x: shown(&panel.x, common(&panel.x), Side::X),
            y,
            y_prefixed: y.greatest(),
            empty: panel.series.iter().all(|series| series.marks.is_empty()) && panel.annotations.is_empty(),
        }
    };
    let mut extents: Vec<Extent> = panels().map(extent).collect();
    let prefixed: Vec<f64> = figure
        .panels
        .iter()
        .zip(&extents)
        .map(|(panel, extent)| {
            let alike = figure.panels.iter().zip(&extents).filter(|(other, extent)| {
                other.y.label == panel.y.label && other.y.unit == panel.y.unit && !extent.empty
            });
            common_prefix(panel.y.unit, alike.map(|(_, extent)| extent.y)).unwrap_or(extent.y_prefixed)
        })
        .collect();
    extents.iter_mut().zip(prefixed).for_each(|(extent, prefixed)| extent.y_prefixed = prefixed);
    extents
}

/// Whether all panels measure the same along x, so that only the lowest one needs its numbers.
#[must_use]
pub fn shares_x(figure: &Figure) -> bool {
    figure.panels.windows(2).all(|pair| match pair {
        [one, other] => one.x == other.x,
        _ => true,
    })
}

/// Values that have no place on a logarithmic axis, all panels together.
#[must_use]
pub fn left_out(figure: &Figure) -> usize {
    let count = |panel: &Panel| {
        if panel.x.scale == Scale::Linear && panel.y.scale == Scale::Linear {
            return 0;
        }
        let placed = |(x, y, x_end, y_end): &(f64, f64, f64, f64)| {
            panel.x.places(*x) && panel.x.places(*x_end) && panel.y.places(*y) && panel.y.places(*y_end)
        };
        panel.series.iter().map(|series| series.marks.boxes().filter(|corners| !placed(corners)).count()).sum()
    };
    figure.panels.iter().map(count).sum()
}

/// The least and the greatest value along x and along y.
type Reach = (Option<Range>, Option<Range>);

/// Those of a series in its panel.
fn of_series(panel: &Panel, series: &Series) -> Reach {
    let (mut x, mut y) = (None, None);
    let _: ControlFlow<()> = series.marks.look_at_boxes(|(left, low, right, high)| {
        let placed = [left, right].iter().all(|value| panel.x.places(*value))
            && [low, high].iter().all(|value| panel.y.places(*value));
        if placed {
            grow(&mut x, left.min(right), left.max(right));
            grow(&mut y, low.min(high), low.max(high));
        }
        ControlFlow::Continue(())
    });
    if matches!(series.marks, Marks::Bars(_)) && panel.y.places(0.0) && !series.marks.is_empty() {
        grow(&mut y, 0.0, 0.0);
    }
    (x, y)
}

/// Those of a panel's data, whose `series` reach so far.
fn data(panel: &Panel, series: impl Iterator<Item = Reach>) -> Reach {
    let (mut x, mut y) = (None, None);
    for (own_x, own_y) in series {
        own_x.into_iter().for_each(|Range { low, high }| grow(&mut x, low, high));
        own_y.into_iter().for_each(|Range { low, high }| grow(&mut y, low, high));
    }
    for annotation in &panel.annotations {
        if panel.x.places(annotation.x) {
            grow(&mut x, annotation.x, annotation.x);
        }
        if let Some(height) = annotation.y.filter(|height| panel.y.places(*height)) {
            grow(&mut y, height, height);
        }
    }
    (x, y)
}

fn grow(range: &mut Option<Range>, low: f64, high: f64) {
    let grown = Range { low, high };
    *range = Some(range.map_or(grown, |range| range.joined(grown)));
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    X,
    Y,
}

/// Value of `data` on the axis.
fn shown(axis: &Axis, data: Option<Range>, side: Side) -> Range {
    if let Some((low, high)) = axis.range {
        return Range { low, high };
    }
    if !axis.categories.is_empty() {
        // Half a place on both sides.
        return Range { low: -0.5, high: axis.categories.len() as f64 - 0.5 };
    }
    match axis.scale {
        Scale::Linear => linear(axis.unit, data.unwrap_or(Range { low: 0.0, high: 1.0 }), side),
        Scale::Logarithmic => logarithmic(data.unwrap_or(Range { low: 1.0, high: 10.0 })),
    }
}

fn linear(unit: Unit, data: Range, side: Side) -> Range {
    let Range { mut low, mut high } = data;
    let amounts = matches!(unit, Unit::Bytes | Unit::BytesPerSecond | Unit::Count | Unit::Share);
    if side == Side::Y && amounts && low > 0.0 && low < high / 2.0 {
        low = 0.0;
    }
    // Below this the numbers on the axis would all read the same.
    let least = low.abs().max(high.abs()) * 1e-9;
    if high - low <= least {
        let around = if high == 0.0 { 1.0 } else { high.abs() * 0.1 };
        let from_zero = amounts && low >= 0.0 && side == Side::Y;
        return Range { low: if from_zero { 0.0 } else { low - around }, high: high + around };
    }
    let margin = (high - low) * if side == Side::X { 0.015 } else { 0.04 };
    if side == Side::X || low != 0.0 {
        low -= margin;
    }
    if side == Side::X || high != 0.0 {
        high += margin;
    }
    // A share of a whole is never more than all of it.
    if unit == Unit::Share && data.high <= 1.0 && side == Side::Y {
        high = high.min(1.02);
    }
    Range { low, high }
}

fn logarithmic(data: Range) -> Range {
    let Range { low, high } = data;
    if high / low <= 1.000_001 {
        return Range { low: low / 3.0, high: high * 3.0 };
    }
    let margin = (high / low).powf(0.04);
    Range { low: low / margin, high: high * margin }
}

#[cfg(test)]
mod tests {
    use super::super::figure::{Annotation, Bar, Point, Role, Series};
    use super::*;

    fn panel(unit: Unit, values: &[(f64, f64)]) -> Panel {
        let points = values.iter().map(|(x, y)| Point { x: *x, y: *y }).collect();
        Panel::new(Axis::new("time", Unit::Seconds), Axis::new("y", unit)).with_series(Series::new(
            "a",
            Role::subflow(0),
            Marks::Points(points),
        ))
    }

    fn extent(panel: Panel) -> Extent {
        extents(&Figure::new("").with_panel(panel))[0]
    }

    #[test]
    fn amounts_start_at_zero_unless_they_vary_little() {
        assert_eq!(extent(panel(Unit::Bytes, &[(0.0, 1.0), (10.0, 100.0)])).y, Range { low: 0.0, high: 104.0 });
        assert_eq!(extent(panel(Unit::Bytes, &[(0.0, 900.0), (10.0, 1000.0)])).y, Range { low: 896.0, high: 1004.0 });
        assert_eq!(extent(panel(Unit::Seconds, &[(0.0, 1.0), (10.0, 101.0)])).y, Range { low: -3.0, high: 105.0 });
        assert_eq!(extent(panel(Unit::Bytes, &[(0.0, 1.0), (100.0, 2.0)])).x, Range { low: -1.5, high: 101.5 });
    }

    #[test]
    fn one_value_gets_room_around_it() {
        assert_eq!(extent(panel(Unit::Bytes, &[(5.0, 10.0)])).y, Range { low: 0.0, high: 11.0 });
        assert_eq!(extent(panel(Unit::Seconds, &[(0.0, -10.0)])).y, Range { low: -11.0, high: -9.0 });
        assert_eq!(extent(panel(Unit::Seconds, &[(0.0, 0.0)])).x, Range { low: -1.0, high: 1.0 });
        // 2^63 and the number after it that a double can hold are one value to the eye.
        let y =
            extent(panel(Unit::Seconds, &[(0.0, 9_223_372_036_854_775_808.0), (1.0, 9_223_372_036_854_777_856.0)])).y;
        assert!(y.high - y.low > 1e18, "{y:?}");
    }

    #[test]
    fn logarithmic_axes_pass_over_what_has_no_place() {
        let mut panel = panel(Unit::Seconds, &[(0.0, 0.0), (1.0, -3.0), (2.0, 0.01), (3.0, 1.0)]);
        panel.y = panel.y.logarithmic();
        let figure = Figure::new("").with_panel(panel);
        let extent = extents(&figure)[0];
        assert!(extent.y.low > 0.008 && extent.y.low < 0.01 && extent.y.high > 1.0 && extent.y.high < 1.3);
        assert!(extent.x.low > 1.9, "points that are left out do not widen the other axis: {extent:?}");
        assert_eq!(left_out(&figure), 2);
        assert!((extent.y.share(extent.y.high, Scale::Logarithmic) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn bars_stand_on_zero_and_annotations_are_inside() {
        let bars =
            Marks::Bars(vec![Bar { x_low: 1.0, x_high: 2.0, y: 50.0 }, Bar { x_low: 2.0, x_high: 3.0, y: 49.0 }]);
        let panel = Panel::new(Axis::new("x", Unit::Plain), Axis::new("y", Unit::Plain))
            .with_series(Series::new("", Role::subflow(0), bars))
            .with_annotation(Annotation::at(9.0, "late"));
        let extent = extent(panel);
        assert_eq!(extent.y, Range { low: 0.0, high: 52.0 });
        assert!(extent.x.low < 1.0 && extent.x.high > 9.0);
    }

    #[test]
    fn panels_of_one_x_axis_share_its_range() {
        let figure = Figure::new("")
            .with_panel(panel(Unit::Bytes, &[(0.0, 1.0), (50.0, 1.0)]))
            .with_panel(panel(Unit::Count, &[(20.0, 1.0), (100.0, 1.0)]));
        let both = extents(&figure);
        assert_eq!(both[0].x, Range { low: -1.5, high: 101.5 });
        assert_eq!(both[0].x, both[1].x);
        let mut other = figure.clone();
        other.panels[1].x.label = "round trip".into();
        assert_ne!(extents(&other)[0].x, extents(&other)[1].x);
        // A third panel that measures something else leaves these two alone.
        let mut third = panel(Unit::Bytes, &[(700.0, 1.0)]);
        third.x.label = "round trip".into();
        let three = extents(&figure.with_panel(third));
        assert_eq!((three[0].x, three[1].x), (both[0].x, both[1].x));
        assert!(three[2].x.low > 600.0);
    }

    #[test]
    fn without_data_there_is_still_a_range() {
        let panel = Panel::new(Axis::new("x", Unit::Plain), Axis::new("y", Unit::Plain).logarithmic());
        let extent = extent(panel);
        assert!(extent.empty && extent.x.low < extent.x.high && extent.y.low < extent.y.high);
        let names = Panel::new(Axis::of_categories("", ["a", "b"]), Axis::new("y", Unit::Plain));
        assert_eq!(extents(&Figure::new("").with_panel(names))[0].x, Range { low: -0.5, high: 1.5 });
    }
}
