//! Answers of plugins, as results of the program.

use std::fs::File;
use std::path::Path;

use polars::prelude::{DataFrame, SerReader};
use polars_io::ipc::IpcReader;
use serde_json::{Map, Value};

use super::executable::inside;
use super::protocol::{Answer, TableAnswer, TableColumn};
use crate::drawing::figure::{Figure, Unit};
use crate::error::{Error, Result};
use crate::output::{Cell, Column, Report, Table};
use crate::packets::exported::contain;
use crate::terminal_text::escape;
use mptcp_trace::units::counted;

/// Largest Arrow file, in bytes.
const LONGEST_FILE: u64 = 1 << 30;

/// Longest name of a column, in bytes: JSON has it in every row.
const LONGEST_NAME: usize = 1000;

/// An answer that can be shown.
#[derive(Debug)]
pub enum Shown {
    /// Text or a table.
    Report(Box<Report>),
    /// A figure.
    Figure(Box<Figure>),
}

impl Shown {
    /// Description, a phrase.
    #[must_use]
    pub fn in_words(&self) -> String {
        match self {
            Shown::Figure(figure) => format!("a figure of {}", counted(figure.panels.len(), "panel")),
            Shown::Report(report) => match (&report.frame, report.tables.first()) {
                (Some(frame), _) => format!("a table of {}", counted(frame.height(), "row")),
                (None, Some(table)) => format!("a table of {}", counted(table.rows.len(), "row")),
                (None, None) => {
                    let lines = report.text.as_deref().unwrap_or_default().lines().count();
                    format!("{} of text", counted(lines, "line"))
                }
            },
        }
    }
}

/// Makes the answer of the plugin `name` one that can be shown; its files are in `directory`.
///
/// # Errors
/// One sentence that names the plugin.
pub fn shown(name: &str, answer: Answer, directory: &Path) -> Result<Shown> {
    let wrong = |what: String| Error::Failed(format!("plugin `{name}` answered with {what}"));
    match answer {
        Answer::Text(text) => Ok(Shown::Report(Box::new(text_report(text)))),
        Answer::Table(table) => table_report(table).map(|report| Shown::Report(Box::new(report))).map_err(wrong),
        Answer::Arrow(file) => {
            let frame = arrow(&file, directory).map_err(wrong)?;
            Ok(Shown::Report(Box::new(Report::of_frame(frame)?.foreign())))
        }
        Answer::Figure(figure) => match figure.validate() {
            Ok(()) => Ok(Shown::Figure(Box::new(figure))),
            Err(error) => Err(wrong(format!("a figure that cannot be drawn: {error}"))),
        },
        Answer::Error(sentence) => Err(Error::Failed(format!("{name}: {}", escape(&sentence)))),
    }
}

/// Text is printed line by line; as JSON it is the value of `text`.
fn text_report(text: String) -> Report {
    let report = Report::new(&serde_json::json!({ "text": text }), Vec::new());
    Report { text: Some(text), ..report }
}

fn table_report(answer: TableAnswer) -> std::result::Result<Report, String> {
    if answer.columns.is_empty() {
        return Err("a table without columns".to_string());
    }
    let described: Vec<(String, Option<String>, Option<Unit>)> = answer.columns.into_iter().map(parts).collect();
    named_briefly(described.iter().map(|(name, ..)| name.as_str()))?;
    for (index, (name, ..)) in described.iter().enumerate() {
        if described.iter().take(index).any(|(other, ..)| other == name) {
            return Err(format!("a table with two columns `{}`; rename one", escape(name)));
        }
    }
    let mut table = Table {
        title: answer.title,
        columns: described
            .iter()
            .map(|(name, heading, _)| Column { name: name.clone(), heading: heading.clone() })
            .collect(),
        rows: Vec::with_capacity(answer.rows.len()),
        ..Table::default()
    };
    let mut data = Vec::with_capacity(answer.rows.len());
    for (number, row) in answer.rows.into_iter().enumerate() {
        if row.len() != described.len() {
            return Err(format!(
                "a table whose row {} has {} values for {} columns",
                number.saturating_add(1),
                row.len(),
                described.len()
            ));
        }
        table.rows.push(row.iter().zip(&described).map(|(value, (.., unit))| cell(value, *unit)).collect());
        let record: Map<String, Value> = described.iter().map(|(name, ..)| name.clone()).zip(row).collect();
        data.push(Value::Object(record));
    }
    // Not by way of `Report::new`, which would hold a second copy of what may be large.
    Ok(Report::new(&Value::Array(data), vec![table]).foreign().with_notes(answer.notes))
}

/// Whether the names of columns are such that rows may repeat them.
fn named_briefly<'a>(mut names: impl Iterator<Item = &'a str>) -> std::result::Result<(), String> {
    if names.any(|name| name.len() > LONGEST_NAME) {
        return Err(format!("a table with a column whose name is longer than {LONGEST_NAME} bytes; shorten it"));
    }
    Ok(())
}

fn parts(column: TableColumn) -> (String, Option<String>, Option<Unit>) {
    match column {
        TableColumn::Name(name) => (name, None, None),
        TableColumn::Described(column) => (column.name, column.heading, column.unit),
    }
}

fn cell(value: &Value, unit: Option<Unit>) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(truth) => Cell::Boolean(*truth),
        Value::String(text) => Cell::Text(text.clone()),
        Value::Number(number) => match (unit, number.as_f64()) {
            (Some(Unit::Seconds), Some(seconds)) => Cell::seconds(seconds),
            (Some(Unit::BytesPerSecond), Some(rate)) => Cell::BytesPerSecond(rate),
            (Some(Unit::Share), Some(share)) => Cell::Share(share),
            _ => match (unit, number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(Unit::Bytes), Some(bytes), ..) => Cell::Bytes(bytes),
                (_, Some(whole), ..) => Cell::Integer(whole.into()),
                (_, _, Some(whole), _) => Cell::Integer(whole.into()),
                (.., number) => number.map_or(Cell::Null, Cell::Number),
            },
        },
        // The protocol does not let them in.
        Value::Array(_) | Value::Object(_) => Cell::Null,
    }
}

/// The table in an Arrow file of the directory.
fn arrow(name: &str, directory: &Path) -> std::result::Result<DataFrame, String> {
    let path = inside(directory, name).map_err(|_| {
        format!("the Arrow file `{}`, which is not a file in the directory of the request", escape(name))
    })?;
    let file = File::open(&path).map_err(|error| format!("an Arrow file that cannot be read ({error})"))?;
    // Its length is looked at first: a file without content may claim any, and reading it would take that memory.
    if !file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.len() <= LONGEST_FILE) {
        return Err("an Arrow file of more than 1 GiB".to_string());
    }
    // Only its last part, which lists the others, and those: one without content is refused by its end.
    match contain(|| IpcReader::new(file).finish()) {
        Some(Ok(frame)) if frame.width() > 0 => {
            named_briefly(frame.get_column_names().into_iter().map(|name| name.as_str()))?;
            Ok(frame)
        }
        _ => Err(format!("the file `{}`, which is not an Arrow IPC file with columns", escape(name))),
    }
}
