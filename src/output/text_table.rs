//! Aligned columns for people.

use std::io::{self, Write};

use comfy_table::{CellAlignment, ContentArrangement, TableComponent};

use super::{Cell, Report, Table};
use crate::terminal_text::escape;
use crate::{time_text, units};

/// Writes the tables one below the other, then the notes. `width` is where lines fold, on a terminal.
pub(super) fn write(report: &Report, human: bool, width: Option<u16>, output: &mut dyn Write) -> io::Result<()> {
    let of_frame = report.frame.as_ref().map(|frame| frame.table());
    let tables = of_frame.iter().chain(&report.tables);
    let mut anything = false;
    for table in tables {
        if anything {
            writeln!(output)?;
        }
        anything = true;
        write_table(table, human, width, output)?;
    }
    if anything && !report.notes.is_empty() {
        writeln!(output)?;
    }
    report.notes.iter().try_for_each(|note| writeln!(output, "{}", escape(note)))
}

fn write_table(table: &Table, human: bool, width: Option<u16>, output: &mut dyn Write) -> io::Result<()> {
    if let Some(title) = &table.title {
        writeln!(output, "{}", escape(title))?;
    }
    let mut drawn = comfy_table::Table::new();
    drawn.load_preset(comfy_table::presets::NOTHING).set_style(TableComponent::HeaderLines, '-');
    if let Some(width) = width {
        drawn.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    drawn.set_header(
        table.columns.iter().map(|column| escape(column.heading.as_deref().unwrap_or(&column.name)).into_owned()),
    );
    for row in &table.rows {
        drawn.add_row(
            (0..table.columns.len()).map(|column| row.get(column).map_or("-".into(), |cell| text(cell, human))),
        );
    }
    let last = table.columns.len().saturating_sub(1);
    for (index, column) in drawn.column_iter_mut().enumerate() {
        // Two blanks between columns and none around the table.
        column.set_padding((0, if index == last { 0 } else { 2 }));
        if is_numeric(table, index) {
            column.set_cell_alignment(CellAlignment::Right);
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

/// Numbers stand to the right; a column without any value stands to the left.
fn is_numeric(table: &Table, column: usize) -> bool {
    let mut cells = table.rows.iter().filter_map(|row| row.get(column)).filter(|cell| **cell != Cell::Null).peekable();
    cells.peek().is_some() && cells.all(|cell| !matches!(cell, Cell::Text(_) | Cell::Boolean(_)))
}

fn text(cell: &Cell, human: bool) -> String {
    match cell {
        Cell::Null => "-".to_string(),
        // An empty text would look like a cell that was left out.
        Cell::Text(text) if text.is_empty() => "\"\"".to_string(),
        Cell::Text(text) => escape(text).into_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Bytes(octets) if human => units::bytes(*octets),
        Cell::Bytes(octets) => octets.to_string(),
        Cell::Nanoseconds(nanoseconds) if human => units::span(*nanoseconds),
        Cell::Nanoseconds(nanoseconds) => time_text::seconds(*nanoseconds),
        Cell::BytesPerSecond(rate) if human => units::bit_rate(*rate),
        Cell::BytesPerSecond(rate) if rate.is_finite() => format!("{rate:.0} B/s"),
        Cell::BytesPerSecond(_) => "-".to_string(),
        Cell::Share(share) => units::percentage(*share),
        Cell::Boolean(true) => "yes".to_string(),
        Cell::Boolean(false) => "no".to_string(),
    }
}
