//! One panel in characters: title, axes with numbers, and where the chart between them is.

use super::super::super::DrawError;
use super::super::super::backend::cells::{Cells, Row, cell};
use super::super::super::chart;
use super::super::super::extent::Extent;
use super::super::super::figure::{Axis, Marks, Panel, RoleKind, Series};
use super::super::super::ticks::{Tick, Ticks};
use super::super::super::wrapping::{shorten, wrap};
use super::{Inks, cells};
use crate::terminal_text::escape;

/// The least height between the axes.
const LEAST_HEIGHT: usize = 4;
/// So many names along the y axis get a row each; of more, some are left out.
const ROWS_OF_NAMES: usize = 60;
/// The least height between the axes where some are left out.
const ROWS_OF_MANY: usize = 20;

/// A panel whose place is not known yet.
pub(super) struct Draft<'a> {
    panel: &'a Panel,
    extent: Extent,
    title: Option<String>,
    /// Whether numbers and label stand at its x axis.
    has_x: bool,
    /// Names along x stand above: the panel is a sequence diagram.
    on_top: bool,
}

impl<'a> Draft<'a> {
    pub(super) fn new(panel: &'a Panel, extent: Extent, has_x: bool, width: usize) -> Self {
        let title = panel.title.as_deref().filter(|title| !title.is_empty());
        let title = title.map(|title| shorten(&escape(title), width as f64, cells));
        let on_top = !panel.x.categories.is_empty() && panel.y.reversed;
        Draft { panel, extent, title, has_x, on_top }
    }

    /// The least height between the axes: names along y need a row each, or they, and the arrows between them, would be
    /// drawn on each other.
    pub(super) fn least_height(&self) -> usize {
        // Ranges are bounded, and `as` saturates.
        let places = (self.extent.y.high - self.extent.y.low).ceil() as usize;
        let arrows = || self.panel.series.iter().any(|series| matches!(series.marks, Marks::Arrows(_)));
        let names = match places {
            _ if self.panel.y.categories.is_empty() => 0,
            // Lanes may lie in one row, the texts of arrows may not.
            more if more > ROWS_OF_NAMES && !arrows() => ROWS_OF_MANY,
            _ => places.min(ROWS_OF_NAMES),
        };
        names.max(LEAST_HEIGHT)
    }

    fn marked(&self) -> bool {
        self.panel.annotations.iter().any(|annotation| annotation.y.is_none())
    }

    /// Rows above and below the canvas: title, the y axis' label, marked instants, axis and its numbers.
    pub(super) fn around(&self, width: usize) -> usize {
        let numbers = match (self.has_x, self.on_top) {
            (true, true) => 1 + self.names(width),
            // Numbers and label.
            (true, false) => 2 + self.names(width),
            (false, _) => 1,
        };
        usize::from(self.title.is_some()) + 1 + usize::from(self.marked()) + numbers
    }

    fn y_ticks(&self, height: usize) -> Ticks {
        let axis = &self.panel.y;
        let most = if axis.categories.is_empty() { height.div_ceil(2).clamp(2, 10) } else { height };
        Ticks::prefixed(axis, self.extent.y, most, self.extent.y_prefixed)
    }

    fn y_labels(&self, height: usize) -> Vec<(f64, String)> {
        let labels = self.y_ticks(height).ticks.into_iter();
        labels.map(|tick| (tick.value, shorten(&escape(&tick.label), 20.0, cells))).collect()
    }

    /// Cells left of the canvas, its axis included.
    pub(super) fn margin(&self, height: usize) -> usize {
        let widest = self.y_labels(height).iter().map(|(_, label)| cells(label) as usize).max().unwrap_or(0);
        widest.saturating_add(2)
    }

    /// The panel, and whether a text had no room in it.
    pub(super) fn rows(
        &self,
        margin: usize,
        width: usize,
        height: usize,
        inks: &Inks,
    ) -> Result<(Vec<Row>, bool), DrawError> {
        let columns = width.saturating_sub(margin);
        let mut rows: Vec<Row> = self.title.iter().map(|title| Row::of(title)).collect();
        let label = fitting(self.y_ticks(height).shorter_labels(&self.panel.y), width);
        rows.push(Row::of(&label.unwrap_or_default()));
        let ink = |series: &Series| inks.of_series(series);
        let mut ground = Cells::new((columns, height), inks.style.foreground, &ink);
        let mut refused = false;
        if self.marked() {
            let (row, without_room) = self.marks(margin, columns, height, &mut ground);
            rows.push(row);
            refused |= without_room;
        }
        let (axis, numbers) = self.x_axis(margin, columns);
        if self.on_top {
            rows.extend(numbers.iter().cloned());
            rows.push(axis.clone());
            self.lifelines(columns, height, &mut ground);
        }
        let (mut canvas, unlabelled) =
            chart::cells((self.panel, &self.extent), &in_order(&self.panel.series), &inks.style, ground)?;
        refused |= unlabelled;
        if self.extent.empty {
            canvas.write(columns.saturating_sub(7) / 2, height / 2, "no data");
        }
        rows.extend(self.body(margin, height, &canvas));
        if !self.on_top {
            rows.push(axis);
            rows.extend(numbers);
            if self.has_x {
                rows.push(self.x_label(margin, columns));
            }
        }
        Ok((rows, refused))
    }

    /// The canvas with the y axis and its numbers.
    fn body(&self, margin: usize, height: usize, canvas: &Cells<'_>) -> Vec<Row> {
        let mut labels: Vec<Option<String>> = vec![None; height];
        for (value, label) in self.y_labels(height) {
            // A number stands in the row of its dots, which are drawn in the middle of theirs.
            let share = self.extent.y.share(value, self.panel.y.scale);
            let share = if self.panel.y.reversed { share } else { 1.0 - share };
            let (_, row) = cell((0.0, share.clamp(0.0, 1.0)), 1, height);
            if let Some(place) = labels.get_mut(row).filter(|place| place.is_none()) {
                *place = Some(label);
            }
        }
        let line = |(row, label): (usize, Option<String>)| {
            let mut line = Row::default();
            let axis = if label.is_some() { '┤' } else { '│' };
            let label = label.unwrap_or_default();
            line.pad(margin.saturating_sub(2).saturating_sub(cells(&label) as usize));
            line.push(&format!("{label} {axis}"), None);
            line.append(canvas.row(row));
            line
        };
        labels.into_iter().enumerate().map(line).collect()
    }

    /// The line of the x axis, and the rows of numbers or names at it where it has some.
    fn x_axis(&self, margin: usize, columns: usize) -> (Row, Vec<Row>) {
        let placed = x_labels(&self.panel.x, &self.extent, columns);
        let mut line: Vec<char> = vec!['─'; columns];
        let tick = if self.on_top { '┴' } else { '┬' };
        for label in &placed {
            if let Some(place) = line.get_mut(label.column) {
                *place = tick;
            }
        }
        let mut drawn = Row::default();
        drawn.pad(margin.saturating_sub(1));
        drawn.push(if self.on_top { "┌" } else { "└" }, None);
        drawn.push(&line.into_iter().collect::<String>(), None);
        if !self.has_x {
            return (drawn, Vec::new());
        }
        let height = placed.iter().map(|label| label.lines.len()).max().unwrap_or(1);
        let mut numbers = vec![Row::default(); height];
        for label in placed {
            // Names above an axis stand right on it.
            let first = if self.on_top { height.saturating_sub(label.lines.len()) } else { 0 };
            for (row, content) in numbers.iter_mut().skip(first).zip(&label.lines) {
                row.pad(margin.saturating_add(label.start_of(content, columns)));
                row.push(content, None);
            }
        }
        (drawn, numbers)
    }

    /// Rows that the names along the x axis take.
    fn names(&self, width: usize) -> usize {
        let placed = x_labels(&self.panel.x, &self.extent, width.saturating_sub(self.margin(24)));
        placed.iter().map(|label| label.lines.len()).max().unwrap_or(1)
    }

    fn x_label(&self, margin: usize, columns: usize) -> Row {
        let ticks = Ticks::new(&self.panel.x, self.extent.x, 4);
        let label = fitting(ticks.shorter_labels(&self.panel.x), columns).unwrap_or_default();
        let mut row = Row::default();
        row.pad(margin.saturating_add(columns.saturating_sub(cells(&label) as usize) / 2));
        row.push(&label, None);
        row
    }

    /// The column of a value of the x axis, when it is shown.
    fn column(&self, x: f64, columns: usize) -> Option<usize> {
        let share = self.extent.x.share(x, self.panel.x.scale);
        let share = if self.panel.x.reversed { 1.0 - share } else { share };
        (self.panel.x.places(x) && (0.0..=1.0).contains(&share)).then(|| cell((share, 0.0), columns, 1).0)
    }

    /// The texts of marked instants above the canvas, their lines in it, and whether a text had no room.
    fn marks(&self, margin: usize, columns: usize, rows: usize, canvas: &mut Cells<'_>) -> (Row, bool) {
        let mut marks: Vec<(usize, String)> = Vec::new();
        for annotation in self.panel.annotations.iter().filter(|annotation| annotation.y.is_none()) {
            if let Some(column) = self.column(annotation.x, columns) {
                (0..rows).for_each(|row| canvas.ground(column, row, '┊'));
                marks.push((column, escape(&annotation.text).into_owned()));
            }
        }
        marks.sort();
        let mut row = Row::default();
        let mut refused = false;
        for (column, text) in marks {
            let text = shorten(&text, columns as f64, cells);
            // Near the right edge a text is moved so that it stays inside.
            let start = margin.saturating_add(column.min(columns.saturating_sub(cells(&text) as usize)));
            if row.width() == 0 || row.width() < start {
                row.pad(start);
                row.push(&text, None);
            } else {
                refused = true;
            }
        }
        (row, refused)
    }

    fn lifelines(&self, columns: usize, rows: usize, canvas: &mut Cells<'_>) {
        for index in 0..self.panel.x.categories.len() {
            if let Some(column) = self.column(index as f64, columns) {
                (0..rows).for_each(|row| canvas.ground(column, row, '│'));
            }
        }
    }
}

/// The first of these labels that a row of so many cells has room for.
fn fitting(labels: Vec<String>, columns: usize) -> Option<String> {
    labels.into_iter().find(|label| cells(label) <= columns as f64)
}

/// Series in the order in which characters show most: what runs along the data first, single points last, because one
/// character hides all that was drawn in it before.
fn in_order(series: &[Series]) -> Vec<&Series> {
    let rank = |series: &&Series| match (&series.marks, series.role.kind) {
        (Marks::Points(_) | Marks::Ticks(_), _) => 2,
        (_, RoleKind::WindowEdge | RoleKind::Acknowledgement | RoleKind::Total | RoleKind::Reference) => 0,
        _ => 1,
    };
    let mut sorted: Vec<&Series> = series.iter().collect();
    sorted.sort_by_key(rank);
    sorted
}

/// The label of a tick of the x axis.
struct Label {
    /// Where the tick is.
    column: usize,
    lines: Vec<String>,
}

impl Label {
    /// Where a line starts so that its middle is at the tick, and it stays inside.
    fn start_of(&self, line: &str, columns: usize) -> usize {
        let wide = cells(line) as usize;
        self.column.saturating_sub(wide / 2).min(columns.saturating_sub(wide))
    }

    fn reach(&self, columns: usize) -> (usize, usize) {
        let starts = self.lines.iter().map(|line| self.start_of(line, columns));
        let ends = self.lines.iter().map(|line| self.start_of(line, columns).saturating_add(cells(line) as usize));
        (starts.min().unwrap_or(self.column), ends.max().unwrap_or(self.column))
    }
}

/// The labels of the x axis from left to right, as many as have room.
fn x_labels(axis: &Axis, extent: &Extent, columns: usize) -> Vec<Label> {
    let names = !axis.categories.is_empty();
    let most = if names { (columns / 4).clamp(1, 256) } else { 10 };
    let attempt = |most: usize| {
        let ticks = Ticks::new(axis, extent.x, most).ticks;
        let room = (columns / ticks.len().max(1)).saturating_sub(1).max(1);
        let label = |tick: &Tick| {
            let share = extent.x.share(tick.value, axis.scale);
            let share = if axis.reversed { 1.0 - share } else { share };
            let (column, _) = cell((share.clamp(0.0, 1.0), 0.0), columns, 1);
            let text = escape(&tick.label);
            let lines = if names { wrap(&text, room as f64, 2, cells) } else { vec![text.into_owned()] };
            Label { column, lines }
        };
        let mut labels: Vec<Label> = ticks.iter().map(label).collect();
        labels.sort_by_key(|label| label.column);
        let apart = if names { 1 } else { 2 };
        let fit = labels.windows(2).all(|pair| match pair {
            [one, other] => one.reach(columns).1.saturating_add(apart) <= other.reach(columns).0,
            _ => true,
        });
        fit.then_some(labels)
    };
    (1..=most).rev().take(40).find_map(attempt).unwrap_or_default()
}
