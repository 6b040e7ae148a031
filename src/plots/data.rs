//! The plotted values as a table, for CSV, JSON and Parquet: every value as it was given, none thinned.

use polars::prelude::{Column, DataFrame, PolarsResult};

use crate::drawing::figure::{Axis, Figure, Marks, Panel, Unit};
use mptcp_trace::interrupt::interruptible;

/// The largest whole number up to which every whole number is a double: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// One row per mark, then one an annotation, panel by panel.
///
/// | column | what |
/// |---|---|
/// | `panel` | number of the panel, from 1 at the top |
/// | `panel_title` | its title, with the direction, or null |
/// | `series` | name of the series; `annotation` for annotations |
/// | `role` | its role: `subflow`, `acknowledgement`, …; null for annotations |
/// | `subflow` | the subflow it belongs to, or null |
/// | `marks` | `points`, `lines`, `steps`, `vertical_strokes`, …; null for annotations |
/// | `x`, `y` | the value; the start of a stroke, bar, area or arrow; `y` is null for annotations of an instant |
/// | `x_end`, `y_end` | the other end of a stroke or arrow, the other side of a bar or area; otherwise null |
/// | `label` | the text of an arrow or annotation; otherwise null |
/// | `x_axis`, `y_axis` | quantity along the axes; of times also what they count from |
/// | `x_unit`, `y_unit` | unit of the values: `seconds`, `bytes`, `bits_per_second`, `count`, `percent` or `plain` |
/// | `x_name`, `y_name` | on an axis of names, where `x` and `y` are places: the name of the place, such as the time of a message; otherwise null |
/// | `x_end_name` | the same of `x_end`: the end that an arrow reaches |
/// | `packetid` | the packet that the mark or annotation stands for; null where it stands for none, such as the end of a line that only lasts |
/// | `towards` | the end that the panel's data travel to, or null |
///
/// Values are in the unit of the axis without its prefix, so that it does not depend on the capture. `x` and `y` (with their ends) are whole numbers
/// where all panels measure bytes or counts along that axis and every value is whole; otherwise floating-point numbers.
/// Either way they are exact up to 2^53.
///
/// # Errors
/// When polars refuses a column, which it has no reason to.
pub fn table(figure: &Figure) -> PolarsResult<DataFrame> {
    let mut rows = Rows::default();
    for (panel, number) in figure.panels.iter().zip(1_u32..) {
        for series in &panel.series {
            let (role, subflow) = (series.role.kind.name(), series.role.subflow);
            let texts = labels(&series.marks);
            let mut packets = series.packets.iter();
            for (ends, label) in interruptible(ends(&series.marks).zip(texts)) {
                let (x, y, x_end, y_end) = on_axes(panel, ends);
                rows.begin(panel, number);
                rows.names_at(panel, Some(x), Some(y));
                rows.end_names.push(name_at(&panel.x, x_end));
                rows.packetid.push(packets.next().copied().flatten().map(u64::from));
                rows.series.push(series.name.as_str());
                rows.role.push(Some(role));
                rows.subflow.push(subflow);
                rows.marks.push(Some(series.marks.name()));
                rows.x.push(Some(x));
                rows.y.push(Some(y));
                rows.x_end.push(x_end);
                rows.y_end.push(y_end);
                rows.label.push(label);
            }
        }
        for annotation in &panel.annotations {
            rows.begin(panel, number);
            rows.names_at(panel, Some(annotation.x), annotation.y);
            rows.end_names.push(None);
            rows.packetid.push(annotation.packet.map(u64::from));
            rows.series.push("annotation");
            rows.role.push(None);
            rows.subflow.push(None);
            rows.marks.push(None);
            rows.x.push(Some(annotation.x * panel.x.unit.on_axis().1));
            rows.y.push(annotation.y.map(|y| y * panel.y.unit.on_axis().1));
            rows.x_end.push(None);
            rows.y_end.push(None);
            rows.label.push(Some(annotation.text.as_str()));
        }
    }
    rows.frame(figure)
}

#[derive(Default)]
struct Rows<'a> {
    panel: Vec<u32>,
    titles: Vec<Option<&'a str>>,
    axes: [Vec<&'a str>; 2],
    units: [Vec<&'static str>; 2],
    names: [Vec<Option<&'a str>>; 2],
    end_names: Vec<Option<&'a str>>,
    packetid: Vec<Option<u64>>,
    towards: Vec<Option<&'a str>>,
    series: Vec<&'a str>,
    role: Vec<Option<&'a str>>,
    subflow: Vec<Option<u32>>,
    marks: Vec<Option<&'a str>>,
    x: Vec<Option<f64>>,
    y: Vec<Option<f64>>,
    x_end: Vec<Option<f64>>,
    y_end: Vec<Option<f64>>,
    label: Vec<Option<&'a str>>,
}

impl<'a> Rows<'a> {
    /// What all rows of a panel have in common.
    fn begin(&mut self, panel: &'a Panel, number: u32) {
        self.panel.push(number);
        self.titles.push(panel.title.as_deref());
        self.towards.push(panel.direction.as_deref());
        for ((axis, labels), units) in [&panel.x, &panel.y].into_iter().zip(&mut self.axes).zip(&mut self.units) {
            labels.push(axis.label.as_str());
            units.push(axis.unit.on_axis().0);
        }
    }

    /// The names of places on the axes that have names.
    fn names_at(&mut self, panel: &'a Panel, x: Option<f64>, y: Option<f64>) {
        for ((axis, place), names) in [(&panel.x, x), (&panel.y, y)].into_iter().zip(&mut self.names) {
            names.push(name_at(axis, place));
        }
    }

    fn frame(self, figure: &Figure) -> PolarsResult<DataFrame> {
        let whole_x = is_whole(figure.panels.iter().map(|panel| &panel.x), &self.x, &self.x_end);
        let whole_y = is_whole(figure.panels.iter().map(|panel| &panel.y), &self.y, &self.y_end);
        let ([x_axis, y_axis], [x_unit, y_unit], [x_name, y_name]) = (self.axes, self.units, self.names);
        DataFrame::new_infer_height(vec![
            Column::new("panel".into(), self.panel),
            Column::new("series".into(), self.series),
            Column::new("role".into(), self.role),
            Column::new("subflow".into(), self.subflow),
            Column::new("marks".into(), self.marks),
            numbers("x", self.x, whole_x),
            numbers("y", self.y, whole_y),
            numbers("x_end", self.x_end, whole_x),
            numbers("y_end", self.y_end, whole_y),
            Column::new("label".into(), self.label),
            Column::new("panel_title".into(), self.titles),
            Column::new("x_axis".into(), x_axis),
            Column::new("x_unit".into(), x_unit),
            Column::new("y_axis".into(), y_axis),
            Column::new("y_unit".into(), y_unit),
            Column::new("packetid".into(), self.packetid),
            Column::new("towards".into(), self.towards),
            Column::new("x_name".into(), x_name),
            Column::new("y_name".into(), y_name),
            Column::new("x_end_name".into(), self.end_names),
        ])
    }
}

/// The name of a place on an axis of names.
fn name_at(axis: &Axis, place: Option<f64>) -> Option<&str> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked before.
    let index = place.filter(|place| *place >= 0.0 && place.fract() == 0.0).map(|place| place as usize);
    index.and_then(|index| axis.categories.get(index)).map(String::as_str)
}

fn is_whole<'a>(mut axes: impl Iterator<Item = &'a Axis>, values: &[Option<f64>], ends: &[Option<f64>]) -> bool {
    let counted = |axis: &Axis| matches!(axis.unit, Unit::Bytes | Unit::Count);
    let whole = |value: &f64| value.fract() == 0.0 && value.abs() <= EXACT;
    axes.all(counted) && values.iter().chain(ends).flatten().all(whole)
}

fn numbers(name: &'static str, values: Vec<Option<f64>>, whole: bool) -> Column {
    if !whole {
        return Column::new(name.into(), values);
    }
    // Whole and at most 2^53: the conversion is exact.
    Column::new(name.into(), values.into_iter().map(|value| value.map(|value| value as i64)).collect::<Vec<_>>())
}

type Ends = (f64, f64, Option<f64>, Option<f64>);

/// The same in the units of the panel's axes.
fn on_axes(panel: &Panel, (x, y, x_end, y_end): Ends) -> Ends {
    let [by_x, by_y] = [&panel.x, &panel.y].map(|axis| axis.unit.on_axis().1);
    (x * by_x, y * by_y, x_end.map(|x| x * by_x), y_end.map(|y| y * by_y))
}

/// Both ends of each mark, as far as it has two.
fn ends(marks: &Marks) -> Box<dyn Iterator<Item = Ends> + '_> {
    match marks {
        Marks::Points(_) | Marks::Lines(_) | Marks::Steps(_) | Marks::Ticks(_) => {
            Box::new(marks.boxes().map(|(x, y, ..)| (x, y, None, None)))
        }
        Marks::VerticalStrokes(_) => Box::new(marks.boxes().map(|(x, y, _, y_end)| (x, y, None, Some(y_end)))),
        Marks::HorizontalStrokes(_) | Marks::Bars(_) => {
            Box::new(marks.boxes().map(|(x, y, x_end, _)| (x, y, Some(x_end), None)))
        }
        Marks::Areas(_) | Marks::Arrows(_) => {
            Box::new(marks.boxes().map(|(x, y, x_end, y_end)| (x, y, Some(x_end), Some(y_end))))
        }
    }
}

fn labels(marks: &Marks) -> Box<dyn Iterator<Item = Option<&str>> + '_> {
    match marks {
        Marks::Arrows(arrows) => {
            Box::new(arrows.iter().map(|arrow| Some(arrow.text.as_str()).filter(|text| !text.is_empty())))
        }
        _ => Box::new(std::iter::repeat(None)),
    }
}

#[cfg(test)]
mod tests;
