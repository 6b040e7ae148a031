//! Reports that come one after the other and belong together: people see lines whose columns stay where they are,
//! programs one document, or one record per line.

use std::collections::HashMap;
use std::io::{self, Write};

use super::render::RenderOptions;
use super::{Cell, Format, Report, Table, delimited, json, text_table};
use crate::terminal_text::{escape, folded};

/// Writes reports as the parts of one.
#[derive(Debug)]
pub struct Rolling {
    options: RenderOptions,
    /// Records were written.
    begun: bool,
    /// Columns of the table that the last line was of.
    last: Vec<String>,
    /// Widths of columns so far, by the table's columns.
    widths: HashMap<Vec<String>, Vec<usize>>,
}

impl Rolling {
    /// Nothing written yet.
    #[must_use]
    pub fn new(options: RenderOptions) -> Self {
        Rolling { options, begun: false, last: Vec::new(), widths: HashMap::new() }
    }

    /// Writes the next part.
    ///
    /// # Errors
    /// When `output` cannot be written.
    pub fn part(&mut self, report: &Report, output: &mut dyn Write) -> io::Result<()> {
        match self.options.format {
            Format::Table => report.tables.iter().try_for_each(|table| self.lines(table, output))?,
            Format::Json => self.elements(report, output)?,
            Format::Ndjson => json::lines(report, output)?,
            Format::Csv => {
                let headed = !std::mem::replace(&mut self.begun, true);
                delimited::part(report, self.options.delimiter, self.options.width.is_some(), headed, output)?;
            }
            // Their end says what is in them, so they cannot grow.
            Format::Parquet | Format::Arrow => {
                return Err(io::Error::from(io::ErrorKind::Unsupported));
            }
        }
        output.flush()
    }

    /// Writes what ends them all.
    ///
    /// # Errors
    /// When `output` cannot be written.
    pub fn end(&mut self, output: &mut dyn Write) -> io::Result<()> {
        match (self.options.format, self.begun) {
            (Format::Json, true) => writeln!(output, "\n]")?,
            (Format::Json, false) => writeln!(output, "[]")?,
            _ => {}
        }
        output.flush()
    }

    /// One array of all records, one per line.
    fn elements(&mut self, report: &Report, output: &mut dyn Write) -> io::Result<()> {
        let mut text = Vec::new();
        json::lines(report, &mut text)?;
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let before: &[u8] = if std::mem::replace(&mut self.begun, true) { b",\n  " } else { b"[\n  " };
            output.write_all(before)?;
            output.write_all(line)?;
        }
        Ok(())
    }

    /// The rows of a table, under a heading where the lines before were of another.
    fn lines(&mut self, table: &Table, output: &mut dyn Write) -> io::Result<()> {
        if table.rows.is_empty() {
            return Ok(());
        }
        let human = self.options.human_readable;
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let headings: Vec<String> = table
            .columns
            .iter()
            .map(|column| escape(column.heading.as_deref().unwrap_or(&column.name)).replace('\n', " "))
            .collect();
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| text_table::text(cell, human, SUBSECOND_DIGITS)).collect())
            .collect();
        let widths = self.widths.entry(names.clone()).or_insert_with(|| vec![0; names.len()]);
        for (index, width) in widths.iter_mut().enumerate() {
            let cells = rows.iter().filter_map(|row| row.get(index)).map(|cell| cell.chars().count());
            let kinds = table.rows.iter().filter_map(|row| row.get(index)).map(usual_width);
            let heading = headings.get(index).map_or(0, |heading| heading.chars().count());
            *width = cells.chain(kinds).chain([heading, *width]).max().unwrap_or(0);
        }
        let right: Vec<bool> = (0..names.len()).map(|index| text_table::is_numeric(table, index)).collect();
        let layout = Layout { widths, right: &right, fold: self.options.width };
        if self.last != names {
            if !self.last.is_empty() {
                writeln!(output)?;
            }
            layout.line(&headings, output)?;
            self.last = names;
        }
        rows.iter().try_for_each(|row| layout.line(row, output))
    }
}

/// Digits of times after the point.
const SUBSECOND_DIGITS: usize = 6;

/// Room that cells of a kind usually take, so that the first rows stand where later ones will.
fn usual_width(cell: &Cell) -> usize {
    match cell {
        Cell::BytesPerSecond(_) => "12500000 B/s".len(),
        Cell::Span(_) => "1000.000000".len(),
        Cell::Text(_) | Cell::Null | Cell::Boolean(_) | Cell::Share(_) => 0,
        Cell::Integer(_) | Cell::Number(_) => 4,
        Cell::Bytes(_) => 9,
    }
}

/// Where columns stand.
struct Layout<'a> {
    widths: &'a [usize],
    right: &'a [bool],
    /// Columns of the terminal.
    fold: Option<u16>,
}

impl Layout<'_> {
    /// One line; where it is too long for the terminal, the last cell goes on below itself.
    fn line(&self, cells: &[String], output: &mut dyn Write) -> io::Result<()> {
        let Some((last, others)) = cells.split_last() else { return Ok(()) };
        let mut line = String::new();
        for (index, cell) in others.iter().enumerate() {
            let width = self.widths.get(index).copied().unwrap_or(0);
            if self.right.get(index) == Some(&true) {
                line.push_str(&format!("{cell:>width$}  "));
            } else {
                line.push_str(&format!("{cell:<width$}  "));
            }
        }
        let place = line.chars().count();
        let width = self.widths.last().copied().unwrap_or(0);
        if self.right.last() == Some(&true) {
            return writeln!(output, "{line}{last:>width$}");
        }
        let room = self.fold.map_or(usize::MAX, |fold| usize::from(fold).saturating_sub(place)).max(LEAST_ROOM);
        for part in folded(last, room) {
            line.push_str(&part);
            writeln!(output, "{}", line.trim_end())?;
            line = " ".repeat(place);
        }
        Ok(())
    }
}

/// A cell is not folded to less, whatever the terminal's width.
const LEAST_ROOM: usize = 20;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reports() -> Vec<Report> {
        let one = |name: &str, number: i128, detail: &str| {
            let mut table = Table::new(&[name, "detail"]);
            table.rows.push(vec![Cell::Integer(number), Cell::Text(detail.into())]);
            let mut records = Table::new(&["number", "detail"]);
            records.rows.push(vec![Cell::Integer(number), Cell::Text(detail.into())]);
            let data = json!([{"number": i64::try_from(number).unwrap(), "detail": detail}]);
            Report::new(&data, vec![table]).with_records(records)
        };
        vec![
            one("id", 1, "the first"),
            one("id", 123_456, "second\x1b"),
            one("other", 7, "one two three four five six"),
            one("id", 2, "x"),
        ]
    }

    fn rolled(format: Format, width: Option<u16>, parts: &[Report]) -> String {
        let mut rolling = Rolling::new(RenderOptions {
            format,
            human_readable: false,
            delimiter: crate::delimiter::Delimiter::COMMA,
            width,
        });
        let mut output = Vec::new();
        for part in parts {
            rolling.part(part, &mut output).unwrap();
        }
        rolling.end(&mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn lines_keep_their_columns_and_a_heading_comes_where_they_change() {
        let expected = "  id  detail\n   1  the first\n123456  second\\u{1b}\n\nother  detail\n    7  one two three four\n       \
                        five six\n\n    id  detail\n     2  x\n";
        assert_eq!(rolled(Format::Table, Some(27), &reports()), expected);
        assert_eq!(rolled(Format::Table, None, &[]), "");
    }

    #[test]
    fn programs_get_one_document() {
        let all: serde_json::Value = serde_json::from_str(&rolled(Format::Json, None, &reports())).unwrap();
        assert_eq!(all.as_array().unwrap().len(), 4);
        assert_eq!(all[1]["detail"], "second\x1b");
        assert_eq!(rolled(Format::Json, None, &[]), "[]\n");
        assert_eq!(rolled(Format::Ndjson, None, &reports()[..1]), "{\"number\":1,\"detail\":\"the first\"}\n");
        let rows = rolled(Format::Csv, None, &reports()[2..]);
        assert_eq!(rows, "number,detail\n7,one two three four five six\n2,x\n");
    }
}
