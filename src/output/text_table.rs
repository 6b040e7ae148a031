//! Aligned columns for people.
//!
//! A table that is wider than the terminal is folded at the blanks of its texts. Numbers, times and addresses have
//! none and are never cut in two: where even they do not fit side by side, each row becomes a block of its own with
//! one cell per line.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, TableComponent};

use unicode_width::UnicodeWidthStr;

use super::paint::{self, Paint};
use super::{Cell, Report, Table};
use crate::terminal_text::{escape, folded};
use mptcp_trace::units;

use crate::time_text;

/// The widest that a column is made for one of its cells, in characters: a longer cell stands beyond its column, so that
/// it does not fill every other row with as many blanks.
const WIDEST: usize = 10_000;

/// Look of tables.
#[derive(Clone, Copy)]
pub(super) struct Form<'a> {
    /// Unit prefixes.
    pub human: bool,
    /// Where lines fold, on a terminal.
    pub width: Option<u16>,
    /// Colours.
    pub paint: Option<&'a Paint<'a>>,
}

impl Form<'_> {
    /// A cell of a column as people see it; `digits` are those of times after the point.
    fn cell(self, column: &super::Column, cell: &Cell, digits: usize) -> String {
        let text = text(cell, self.human, digits);
        match self.paint {
            Some(paint) => paint.cell(&column.name, cell, text),
            None => text,
        }
    }

    fn title(self, line: &str) -> String {
        if self.paint.is_some() { paint::title(line) } else { line.to_string() }
    }
}

/// Writes the tables one below the other, then the text and the notes.
pub(super) fn write(report: &Report, form: Form<'_>, output: &mut dyn Write) -> io::Result<()> {
    let width = form.width;
    let of_frame = report.frame.as_ref().map(|frame| frame.table());
    let tables = of_frame.iter().chain(&report.tables);
    let mut anything = false;
    for table in tables {
        if anything {
            writeln!(output)?;
        }
        anything = true;
        write_table(table, form, output)?;
        for line in table.more.iter().flat_map(|line| folded(&escape(line), width.map_or(usize::MAX, usize::from))) {
            writeln!(output, "{line}")?;
        }
    }
    let fold = width.map_or(usize::MAX, usize::from);
    for line in report.text.iter().flat_map(|text| text.lines()) {
        anything = true;
        folded(&escape(line), fold).iter().try_for_each(|line| writeln!(output, "{line}"))?;
    }
    let mut notes = report.notes.iter().chain(&report.left_out).peekable();
    if anything && notes.peek().is_some() {
        writeln!(output)?;
    }
    let mut lines = notes.flat_map(|note| folded(&escape(note), fold));
    lines.try_for_each(|line| writeln!(output, "{line}"))
}

fn write_table(table: &Table, form: Form<'_>, output: &mut dyn Write) -> io::Result<()> {
    let width = form.width;
    if let Some(title) = &table.title {
        for line in folded(&escape(title), width.map_or(usize::MAX, usize::from)) {
            writeln!(output, "{}", form.title(&line))?;
        }
    }
    if let Some(first) = table.blocks {
        return write_headed_blocks(table, first, form, width.map_or(usize::MAX, usize::from), output);
    }
    if let Some(measured) = measured(table, form) {
        return write_plain(table, form, &measured, output);
    }
    let columns = shown(table, form);
    let fixed = width.map(|_| columns.iter().map(|column| column.fixed_width()).collect::<Vec<usize>>());
    if let (Some(width), Some(fixed)) = (width, &fixed) {
        let least: usize = fixed.iter().sum::<usize>() + 2 * fixed.len().saturating_sub(1);
        if least > usize::from(width) && !table.rows.is_empty() {
            return write_blocks(&columns, table.rows.len(), usize::from(width), output);
        }
    }
    let mut drawn = comfy_table::Table::new();
    drawn.load_preset(comfy_table::presets::NOTHING).set_style(TableComponent::HeaderLines, '-');
    if let Some(width) = width {
        drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    // Headings of one line stand at the bottom, beside the last line of longer ones.
    let height = columns.iter().map(|column| column.heading.len()).max().unwrap_or(1);
    drawn.set_header(columns.iter().map(|column| {
        let above = std::iter::repeat_n("", height - column.heading.len());
        above.chain(column.heading.iter().map(String::as_str)).collect::<Vec<&str>>().join("\n")
    }));
    for row in 0..table.rows.len() {
        drawn.add_row(columns.iter().map(|column| column.cells.get(row).map_or("-", String::as_str)));
    }
    let last = table.columns.len().saturating_sub(1);
    for (index, column) in drawn.column_iter_mut().enumerate() {
        // Two blanks between columns and none around the table.
        column.set_padding((0, if index == last { 0 } else { 2 }));
        if is_numeric(table, index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if columns.get(index).is_some_and(|shown| !shown.has_blanks) && fixed.is_some() {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    for line in drawn.lines() {
        writeln!(output, "{}", line.trim_end())?;
    }
    if table.rows.is_empty() {
        writeln!(output, "(none)")?;
    }
    Ok(())
}

/// A column of a table that fits as it is.
struct Measured {
    heading: Vec<String>,
    /// What its cells are padded to, in characters.
    width: usize,
    /// Digits after the point of a time.
    digits: usize,
    to_the_right: bool,
}

/// The columns' widths, when the table fits into `width`. Most tables do, and need no second copy to be drawn.
fn measured(table: &Table, Form { human, width, .. }: Form<'_>) -> Option<Vec<Measured>> {
    let mut measured = Vec::with_capacity(table.columns.len());
    let mut total = 2 * table.columns.len().saturating_sub(1);
    for (index, column) in table.columns.iter().enumerate() {
        let digits = digits_of_time(table, index);
        let heading = headings(column);
        let headings = heading.iter().map(|line| width_of(line));
        let cells = table.rows.iter().filter_map(|row| row.get(index));
        let widths = headings.chain(cells.map(|cell| width_of(&text(cell, human, digits))));
        let (mut widest, mut padded) = (0, 0);
        for width in widths {
            widest = widest.max(width);
            padded = padded.max(if width > WIDEST { 0 } else { width });
        }
        total = total.saturating_add(widest);
        measured.push(Measured { heading, width: padded, digits, to_the_right: is_numeric(table, index) });
    }
    (!measured.is_empty() && width.is_none_or(|width| total <= usize::from(width))).then_some(measured)
}

fn write_plain(table: &Table, form: Form<'_>, columns: &[Measured], output: &mut dyn Write) -> io::Result<()> {
    // Headings of one line stand at the bottom, beside the last line of longer ones.
    let height = columns.iter().map(|column| column.heading.len()).max().unwrap_or(0);
    let mut line = String::new();
    for number in 0..height {
        for column in columns {
            let above = height - column.heading.len();
            let part = number.checked_sub(above).and_then(|number| column.heading.get(number));
            append(&mut line, part.map_or("", String::as_str), column);
        }
        end_line(&mut line, output)?;
    }
    let total = columns.iter().map(|column| column.width).sum::<usize>() + 2 * columns.len().saturating_sub(1);
    writeln!(output, "{}", "-".repeat(total))?;
    for row in &table.rows {
        for ((index, column), of) in columns.iter().enumerate().zip(&table.columns) {
            append(&mut line, &form.cell(of, row.get(index).unwrap_or(&Cell::Null), column.digits), column);
        }
        end_line(&mut line, output)?;
    }
    if table.rows.is_empty() {
        writeln!(output, "(none)")?;
    }
    Ok(())
}

/// Appends a cell and the blanks around it.
fn append(line: &mut String, cell: &str, column: &Measured) {
    let blanks = column.width.saturating_sub(width_of(cell));
    line.extend(std::iter::repeat_n(' ', if column.to_the_right { blanks } else { 0 }));
    line.push_str(cell);
    line.extend(std::iter::repeat_n(' ', 2 + if column.to_the_right { 0 } else { blanks }));
}

/// Columns that a line of text takes.
fn width_of(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

fn end_line(line: &mut String, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "{}", line.trim_end())?;
    line.clear();
    Ok(())
}

fn headings(column: &super::report::Column) -> Vec<String> {
    column.heading.as_deref().unwrap_or(&column.name).lines().map(|line| escape(line).into()).collect()
}

/// A column as it is printed.
struct Shown {
    /// Lines of the heading.
    heading: Vec<String>,
    cells: Vec<String>,
    /// Some cell can be folded.
    has_blanks: bool,
}

impl Shown {
    /// Characters that the column takes at least: a foldable one so many that a few words fit on a line and no cell
    /// becomes a tower.
    fn fixed_width(&self) -> usize {
        const FEW_WORDS: usize = 16;
        const MOST_LINES: usize = 4;
        let longest = |texts: &[String]| texts.iter().map(|text| width_of(text)).max().unwrap_or(0);
        let cells = longest(&self.cells);
        longest(&self.heading).max(if self.has_blanks { cells.min(FEW_WORDS.max(cells / MOST_LINES)) } else { cells })
    }
}

fn shown(table: &Table, form: Form<'_>) -> Vec<Shown> {
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(index, column)| {
            let digits = digits_of_time(table, index);
            let cells = table.rows.iter().map(|row| row.get(index).unwrap_or(&Cell::Null));
            let is_folded = |cell: &Cell| matches!(cell, Cell::Text(text) if text.contains(' '));
            Shown {
                heading: headings(column),
                has_blanks: cells.clone().any(is_folded),
                cells: cells.map(|cell| form.cell(column, cell, digits)).collect(),
            }
        })
        .collect()
}

/// Writes each row as a block of lines, one for each cell, long texts folded at `fold`.
fn write_blocks(columns: &[Shown], rows: usize, fold: usize, output: &mut dyn Write) -> io::Result<()> {
    let heading = |column: &Shown| column.heading.join(" ").replace("- ", "");
    let width = columns.iter().map(|column| heading(column).chars().count()).max().unwrap_or(0);
    for row in 0..rows {
        if row > 0 {
            writeln!(output)?;
        }
        for column in columns {
            let cell = column.cells.get(row).map_or("-", String::as_str);
            let mut label = heading(column);
            for line in folded(cell, fold.saturating_sub(width + 2)) {
                writeln!(output, "{label:width$}  {line}")?;
                label.clear();
            }
        }
    }
    Ok(())
}

/// Writes each row as a block: `first` cells on a line, then every other one on lines that its heading begins.
fn write_headed_blocks(
    table: &Table,
    first: usize,
    form: Form<'_>,
    fold: usize,
    output: &mut dyn Write,
) -> io::Result<()> {
    const INDENT: usize = 2;
    let columns = shown(table, form);
    let headings: Vec<String> = columns.iter().map(|column| column.heading.join(" ")).collect();
    let width = headings.iter().skip(first).map(|heading| heading.chars().count()).max().unwrap_or(0);
    let margin = INDENT + width + INDENT;
    for (row, cells) in table.rows.iter().enumerate() {
        if row > 0 {
            writeln!(output)?;
        }
        let given = |index: usize| cells.get(index).is_some_and(|cell| *cell != Cell::Null);
        let text =
            |index: usize| columns.get(index).and_then(|column| column.cells.get(row)).map_or("-", String::as_str);
        let line: Vec<&str> = (0..first).filter(|index| given(*index)).map(text).collect();
        for (at, line) in folded(&line.join("  "), fold).iter().enumerate() {
            writeln!(output, "{:indent$}{}", "", line.trim_end(), indent = if at == 0 { 0 } else { INDENT })?;
        }
        for (index, heading) in headings.iter().enumerate().skip(first).filter(|(index, _)| given(*index)) {
            let mut label = heading.as_str();
            for line in folded(text(index), fold.saturating_sub(margin)) {
                writeln!(output, "{:INDENT$}{label:width$}{:INDENT$}{line}", "", "")?;
                label = "";
            }
        }
    }
    Ok(())
}

/// Digits after the point that a column of times needs: 9, or 6 where no cell has a part of a microsecond.
fn digits_of_time(table: &Table, column: usize) -> usize {
    let whole = |cell: &Cell| !matches!(cell, Cell::Span(span) if span.nanoseconds() % 1000 != 0);
    if table.rows.iter().filter_map(|row| row.get(column)).all(whole) { 6 } else { 9 }
}

/// Numbers stand to the right; a column without any value stands to the left.
pub(super) fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Null).peekable();
    cells.peek().is_some() && cells.all(|cell| !matches!(cell, Cell::Text(_) | Cell::Boolean(_)))
}

/// A cell as people see it; `digits` are those of times after the point.
pub(super) fn text(cell: &Cell, human: bool, digits: usize) -> String {
    match cell {
        Cell::Null => "-".to_string(),
        // An empty text would look like a cell that was left out.
        Cell::Text(text) if text.is_empty() => "\"\"".to_string(),
        Cell::Text(text) => escape(text).into_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Bytes(bytes) if human => units::bytes(*bytes),
        Cell::Bytes(bytes) => bytes.to_string(),
        Cell::Span(span) if human => units::span(*span),
        Cell::Span(span) => {
            let mut text = time_text::seconds(*span);
            text.truncate(text.len().saturating_sub(9 - digits.min(9)));
            text
        }
        Cell::BytesPerSecond(rate) if human => units::bit_rate(*rate),
        Cell::BytesPerSecond(rate) if rate.is_finite() => format!("{rate:.0} B/s"),
        Cell::BytesPerSecond(_) => "-".to_string(),
        Cell::Share(share) => units::percentage(*share),
        Cell::Number(number) => number.to_string(),
        Cell::Boolean(true) => "yes".to_string(),
        Cell::Boolean(false) => "no".to_string(),
    }
}
