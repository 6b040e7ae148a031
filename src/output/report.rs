//! The result of a command, ready for printing: the value for programs and the tables for people.

use polars::frame::DataFrame;
use serde::Serialize;

use super::{Data, FrameRows, Rows, complete};
use crate::error::{Error, Result};
use mptcp_trace::Span;

/// The forms in which facts leave the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum, serde::Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Aligned columns for people.
    #[default]
    Table,
    /// One JSON document whose keys are the names of columns.
    Json,
    /// One JSON object per line.
    Ndjson,
    /// Comma-separated values with a header line.
    Csv,
    /// Apache Parquet: the rows of CSV in typed columns.
    Parquet,
    /// Apache Arrow IPC file, also known as Feather: the same.
    Arrow,
}

impl Format {
    /// Whether it is for files and programs alone.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Format::Parquet | Format::Arrow)
    }
}

/// A typed cell: machines get the plain value, people get it with its unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Does not apply or was not captured: an empty CSV field, `-` in a table.
    Null,
    /// Text. Text from a capture is escaped when rendered.
    Text(String),
    /// A count or an identifier.
    Integer(i128),
    /// An amount of bytes.
    Bytes(u64),
    /// An amount of time; seconds with nine digits for machines.
    Span(Span),
    /// Bytes per second.
    BytesPerSecond(f64),
    /// A share of one; printed as a percentage for people.
    Share(f64),
    /// A number without a unit; may be infinite.
    Number(f64),
    /// Yes or no.
    Boolean(bool),
}

impl Cell {
    /// A time span given in seconds, to the microsecond: for tables that only people read.
    #[must_use]
    pub fn microseconds(seconds: f64) -> Self {
        #[allow(clippy::cast_possible_truncation)]
        Cell::Span(Span::from_microseconds((seconds * 1e6).round() as i64))
    }

    /// The name that JSON has for a value of an enumeration; nothing for `None`.
    #[must_use]
    pub fn name(value: &impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(serde_json::Value::String(name)) => Cell::Text(name),
            _ => Cell::Null,
        }
    }

    /// A time span given in seconds, to the nanosecond.
    #[must_use]
    pub fn seconds(seconds: f64) -> Self {
        Cell::Span(Span::rounded(seconds))
    }
}

/// One column of a [`Table`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The machine name: the JSON key and the CSV header.
    pub name: String,
    /// The heading for people, which may have several lines; the name itself when none is given.
    pub heading: Option<String>,
}

impl Column {
    /// A column with a heading of its own for people; `\n` in it starts a new line.
    #[must_use]
    pub fn headed(name: &str, heading: &str) -> Self {
        Column { name: name.to_string(), heading: Some(heading.to_string()) }
    }
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Column { name: name.to_string(), heading: None }
    }
}

/// Rows of typed cells. Every row has as many cells as there are columns.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// A line above the table, for people only.
    pub title: Option<String>,
    /// The columns, left to right.
    pub columns: Vec<Column>,
    /// The rows, top to bottom.
    pub rows: Vec<Vec<Cell>>,
    /// For rows with long texts: people get each as a block, this many cells on its first line and every other cell on
    /// labelled lines of its own.
    pub blocks: Option<usize>,
    /// A line below the rows, for people only: how many there are that are not among them.
    pub more: Option<String>,
}

impl Table {
    /// An empty table with these column names.
    #[must_use]
    pub fn new(columns: &[&str]) -> Self {
        Table { columns: columns.iter().map(|name| Column::from(*name)).collect(), ..Table::default() }
    }

    /// An empty table with these columns: name and heading for people; an empty heading is the name itself.
    #[must_use]
    pub fn headed(columns: &[(&str, &str)]) -> Self {
        let columns = columns.iter().map(|(name, heading)| match *heading {
            "" => Column::from(*name),
            heading => Column::headed(name, heading),
        });
        Table { columns: columns.collect(), ..Table::default() }
    }

    /// The same table under a title.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same table without the columns of these names in which nothing but zeros and empty cells stand.
    #[must_use]
    pub fn without_zeros_in(mut self, names: &[&str]) -> Self {
        for name in names {
            let Some(place) = self.columns.iter().position(|column| column.name == *name) else { continue };
            let zero = |cell: &Cell| matches!(cell, Cell::Null | Cell::Integer(0) | Cell::Bytes(0));
            if self.rows.iter().all(|row| row.get(place).is_none_or(zero)) {
                self.columns.remove(place);
                self.rows.iter_mut().filter(|row| place < row.len()).for_each(|row| drop(row.remove(place)));
            }
        }
        self
    }

    /// The same table printed as blocks, so many cells on the first line of each.
    #[must_use]
    pub fn as_blocks(mut self, first: usize) -> Self {
        self.blocks = Some(first);
        self
    }
}

/// The result of a command, ready for every [`Format`].
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// Value for `json` and `ndjson`: an array of records, or one object.
    pub data: Data,
    /// Tables for `table`, one below the other.
    pub tables: Vec<Table>,
    /// Table for `csv`; the first of `tables` if `None`.
    pub records: Option<Table>,
    /// Which parts of the data these are: what the data has beyond them follows in further columns.
    pub rows: Option<&'static Rows>,
    /// The name under which `result_columns.txt` has the columns that CSV, Parquet and Arrow always have.
    pub declared: Option<&'static str>,
    /// Whether paths have names, which stand behind the numbers of their streams.
    pub has_paths: bool,
    /// Whether someone else named the columns: a query, a plugin. Their names say nothing of units then.
    pub foreign: bool,
    /// Rows of a data frame, which stand for `data`, the first table and the records; see [`Report::of_frame`].
    pub frame: Option<Box<FrameRows>>,
    /// Lines in place of tables, for people; in CSV each is a record of the column `text`. One text, because each line
    /// for itself takes many times the memory.
    pub text: Option<String>,
    /// Sentences under the tables, for people only: what is missing from the capture, what was assumed.
    pub notes: Vec<String>,
    /// What was left out of the data for being too much: a note under tables; with every other format, where notes are
    /// not shown, a warning on standard error.
    pub left_out: Option<String>,
}

impl Report {
    /// A report of a copy of `data`, shown to people as `tables`.
    #[must_use]
    pub fn new<T>(data: &T, tables: Vec<Table>) -> Self
    where
        T: Serialize + ToOwned + ?Sized,
        T::Owned: Send + Sync + 'static,
    {
        Report::of(Data::of(data), tables)
    }

    /// A report of data that is kept, shown to people as `tables`.
    #[must_use]
    pub fn of(data: Data, tables: Vec<Table>) -> Self {
        Report {
            data,
            tables,
            records: None,
            rows: None,
            declared: None,
            has_paths: false,
            foreign: false,
            frame: None,
            text: None,
            notes: Vec::new(),
            left_out: None,
        }
    }

    /// A report of records that people see field by field, as these columns: key, and heading as for [`Table::headed`].
    #[must_use]
    pub fn listing<T>(records: &T, columns: &[(&str, &str)]) -> Self
    where
        T: Serialize + ToOwned + ?Sized,
        T::Owned: Send + Sync + 'static,
    {
        let mut report = Report::new(records, vec![Table::headed(columns)]);
        // What does not serialise is refused when it is printed.
        let value = report.data.value().unwrap_or_default();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        report.tables.iter_mut().for_each(|table| table.rows = complete::listed(&value, &names));
        report
    }

    /// A report of the rows of `frame`, printed one by one in every format, so that a long one needs no second copy.
    ///
    /// # Errors
    /// When polars cannot convert a column.
    pub fn of_frame(frame: DataFrame) -> Result<Self> {
        let rows =
            FrameRows::new(frame).map_err(|source| Error::Table { action: "read the columns of the table", source })?;
        let report = Report::of(Data::of(&serde_json::Value::Null), Vec::new());
        Ok(Report { frame: Some(Box::new(rows)), ..report })
    }

    /// The same report with sentences under it.
    #[must_use]
    pub fn with_notes(mut self, notes: Vec<String>) -> Self {
        self.notes.extend(notes);
        self
    }

    /// The same report, of which `sentence` says what was left out.
    #[must_use]
    pub fn with_left_out(mut self, sentence: Option<String>) -> Self {
        self.left_out = sentence;
        self
    }

    /// The same report, whose CSV has everything that its data has, as `rows` says.
    #[must_use]
    pub fn complete(mut self, rows: &'static Rows) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The same report, whose columns are those declared under that name.
    #[must_use]
    pub fn declared(mut self, result: &'static str) -> Self {
        self.declared = Some(result);
        self
    }

    /// The same report, whose columns someone else named.
    #[must_use]
    pub fn foreign(mut self) -> Self {
        self.foreign = true;
        self
    }

    /// The same report with its own flat rows for CSV.
    #[must_use]
    pub fn with_records(mut self, records: Table) -> Self {
        self.records = Some(records);
        self
    }
}
