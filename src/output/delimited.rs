//! CSV: a header of machine names, then plain values that lose nothing.

use std::borrow::Cow;
use std::io::{self, Write};

use super::in_parts::in_parts;
use super::result_columns::{self, Declared};
use super::{Cell, Report, Table, complete};
use crate::delimiter::Delimiter;
use crate::spreadsheet;
use crate::terminal_text;
use crate::time_text;

/// Writes the frame, the text, the records or the first table of `report`. With `for_terminal`, text is escaped.
pub(super) fn write(
    report: &Report,
    delimiter: Delimiter,
    for_terminal: bool,
    output: &mut dyn Write,
) -> io::Result<()> {
    let shown = |text: String| if for_terminal { terminal_text::escape(&text).into_owned() } else { text };
    if let Some(frame) = &report.frame {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter.byte()).from_writer(&mut *output);
        write_header(frame.names(), shown, &mut writer)?;
        writer.flush()?;
        drop(writer);
        return in_parts(frame.height(), output, |rows| {
            let mut writer = csv::WriterBuilder::new().delimiter(delimiter.byte()).from_writer(Vec::new());
            let mut text = String::new();
            for row in frame.part(rows) {
                for value in row.values() {
                    text.clear();
                    value.put_machine_text(&mut text);
                    let shown = if for_terminal { terminal_text::escape(&text) } else { Cow::Borrowed(text.as_str()) };
                    writer.write_field(shown.as_bytes()).map_err(io_error)?;
                }
                writer.write_record(None::<&[u8]>).map_err(io_error)?;
            }
            writer.into_inner().map_err(|error| io::Error::other(error.to_string()))
        });
    }
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter.byte()).from_writer(output);
    if let Some(text) = &report.text {
        write_header(std::iter::once("text"), shown, &mut writer)?;
        for line in text.lines() {
            writer.write_record([shown(spreadsheet::inert(line).into_owned())]).map_err(io_error)?;
        }
    } else if let Some(records) = records(report)? {
        write_header(names(&records), shown, &mut writer)?;
        write_rows(&records, shown, &mut writer)?;
    }
    writer.flush()
}

/// The rows that programs get of a report that is neither a frame nor a text: its records or first table, with what its
/// data has beyond them.
pub(super) fn records(report: &Report) -> io::Result<Option<Cow<'_, Table>>> {
    let named = report.rows.is_some_and(|rows| !rows.columns.is_empty());
    let made = report.records.as_ref().or(if named { None } else { report.tables.first() });
    let found = match (report.rows, made) {
        (Some(rows), table) => Some(Cow::Owned(complete::complete(table, &report.data.value()?, rows))),
        (None, table) => table.map(Cow::Borrowed),
    };
    let declared = declared(report);
    Ok(found.map(|table| match declared.is_empty() {
        true => table,
        false => Cow::Owned(result_columns::conform(&table, &declared)),
    }))
}

/// The columns that a report has whatever its rows are.
pub(super) fn declared(report: &Report) -> Vec<Declared> {
    result_columns::with_paths(report.declared.map(result_columns::of).unwrap_or_default(), report.has_paths)
}

/// Writes the records of one report of several; only the first is `headed`.
pub(super) fn part(
    report: &Report,
    delimiter: Delimiter,
    for_terminal: bool,
    headed: bool,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter.byte()).from_writer(output);
    let shown = |text: String| if for_terminal { terminal_text::escape(&text).into_owned() } else { text };
    let Some(table) = report.records.as_ref().or(report.tables.first()) else { return Ok(()) };
    if headed {
        write_header(names(table), shown, &mut writer)?;
    }
    write_rows(table, shown, &mut writer)?;
    writer.flush()
}

fn names(table: &Table) -> impl Iterator<Item = &str> {
    table.columns.iter().map(|column| column.name.as_str())
}

/// Queries and plugins name columns as they like, so a name is written with the care of a text.
fn write_header<'a>(
    names: impl Iterator<Item = &'a str>,
    shown: impl Fn(String) -> String,
    writer: &mut csv::Writer<impl Write>,
) -> io::Result<()> {
    writer.write_record(names.map(|name| shown(spreadsheet::inert(name).into_owned()))).map_err(io_error)
}

fn write_rows(
    table: &Table,
    shown: impl Fn(String) -> String,
    writer: &mut csv::Writer<&mut dyn Write>,
) -> io::Result<()> {
    for row in &table.rows {
        let cells = (0..table.columns.len()).map(|column| row.get(column).map_or_else(String::new, machine_text));
        writer.write_record(cells.map(&shown)).map_err(io_error)?;
    }
    Ok(())
}

fn io_error(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// A cell without units, as programs read it.
pub(super) fn machine_text(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Text(text) => spreadsheet::inert(text).into_owned(),
        Cell::Integer(number) => number.to_string(),
        Cell::Bytes(bytes) => bytes.to_string(),
        Cell::Span(span) => time_text::seconds(*span),
        Cell::BytesPerSecond(number) | Cell::Share(number) if number.is_finite() => number.to_string(),
        Cell::BytesPerSecond(_) | Cell::Share(_) => String::new(),
        Cell::Number(number) => number.to_string(),
        Cell::Boolean(truth) => truth.to_string(),
    }
}
