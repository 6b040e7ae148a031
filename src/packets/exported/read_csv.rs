//! Reading an exported CSV table: the header names the columns, the schema gives their types.

use std::io::Read;

use polars::prelude::{
    BooleanChunked, ChunkedArray, Column, DataFrame, DataType, IntoColumn, IntoSeries, ListBuilderTrait,
    ListPrimitiveChunkedBuilder, NewChunkedArray, PolarsNumericType, StringChunked, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};

use crate::delimiter::Delimiter;
use crate::packets::cells::hexadecimal_digits;
use crate::packets::schema::{self, ColumnType, Origin};
use crate::spreadsheet;
use crate::terminal_text::escape;
use crate::time_text;
use mptcp_trace::units::counted;
use mptcp_trace::{Instant, Span};

/// The first line of a table with every column is shorter than this; what is longer is not a table of ours.
const LONGEST_HEADER: usize = 1 << 16;

/// Reads a table, or says why it is none.
pub(super) fn read(mut input: impl Read) -> Result<DataFrame, String> {
    let mut start = Vec::new();
    input.by_ref().take(LONGEST_HEADER as u64).read_to_end(&mut start).map_err(|error| error.to_string())?;
    let Some(delimiter) = delimiter(&start) else {
        return Err("its first line does not name columns".to_string());
    };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter.byte()).from_reader(start.chain(input));
    let names = reader.headers().map_err(problem)?.clone();
    let mut builders = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        if names.iter().take(index).any(|earlier| earlier == name) {
            return Err(format!("it has two columns `{}`", escape(name)));
        }
        builders.push(Builder::new(name));
    }
    // Said before the rows of what is not a packet table are complained about.
    if let Some(absent) = schema::packet_columns().find(|spec| !names.iter().any(|name| name == spec.name)) {
        return Err(super::read::absent(absent.name));
    }
    let mut record = csv::StringRecord::new();
    let mut height = 0_usize;
    while reader.read_record(&mut record).map_err(problem)? {
        for (builder, field) in builders.iter_mut().zip(&record) {
            if builder.push(field).is_none() {
                let line = record.position().map_or(0, csv::Position::line);
                return Err(format!(
                    "`{}` in column `{}`, line {line}, is not a {}",
                    escape(&shortened(field)),
                    escape(&builder.name),
                    builder.kind.name()
                ));
            }
        }
        height += 1;
    }
    let columns = builders.into_iter().filter_map(Builder::finish).collect();
    DataFrame::new(height, columns).map_err(|_| "its columns differ in length".to_string())
}

/// Whether the first line has the name of a column of the packet table.
pub(super) fn names_columns(start: &[u8]) -> bool {
    let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let Some(delimiter) = delimiter(start) else { return false };
    line.split(|byte| *byte == delimiter.byte()).any(|name| {
        let name = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name);
        std::str::from_utf8(name).is_ok_and(|name| schema::find(name).is_some())
    })
}

/// The character after the first name of the header; any that names cannot have will do.
fn delimiter(start: &[u8]) -> Option<Delimiter> {
    let start = start.strip_prefix(b"\"").unwrap_or(start);
    let end = start.iter().position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.')))?;
    let rest = start.get(end..)?;
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let found = *rest.first()?;
    let first_is_ours = end > 0 && std::str::from_utf8(start.get(..end)?).is_ok();
    match found {
        // A single column: whatever the delimiter is, there is none to see.
        b'\n' | b'\r' => Some(Delimiter::COMMA),
        _ => Delimiter::new(char::from(found)).filter(|_| first_is_ours),
    }
}

fn problem(error: csv::Error) -> String {
    let line = error.position().map_or(String::new(), |position| format!(" at line {}", position.line()));
    match error.kind() {
        csv::ErrorKind::Io(error) => error.to_string(),
        csv::ErrorKind::Utf8 { .. } => format!("it is not UTF-8 text{line}"),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("it has {}{line}, but the header has {expected_len}; it may be cut short", counted(*len, "field"))
        }
        _ => format!("it is not CSV{line}"),
    }
}

/// The cells of one column so far.
struct Builder {
    name: String,
    kind: ColumnType,
    cells: Cells,
}

enum Cells {
    /// A tracked column, which is computed again.
    Dropped,
    U8(Vec<Option<u8>>),
    U16(Vec<Option<u16>>),
    U32(Vec<Option<u32>>),
    U64(Vec<Option<u64>>),
    /// Keys, tokens and raw data sequence numbers, 32 bits or 64.
    Hexadecimal32(Vec<Option<u32>>),
    Hexadecimal64(Vec<Option<u64>>),
    Boolean(Vec<Option<bool>>),
    Text(Vec<Option<String>>),
    Instant(Vec<Option<i64>>),
    Span(Vec<Option<i64>>),
    ListU8(ListPrimitiveChunkedBuilder<UInt8Type>),
    ListU32(ListPrimitiveChunkedBuilder<UInt32Type>),
    ListU64(ListPrimitiveChunkedBuilder<UInt64Type>),
}

impl Builder {
    fn new(name: &str) -> Self {
        let Some(spec) = schema::find(name) else {
            return Builder { name: name.to_string(), kind: ColumnType::Text, cells: Cells::Text(Vec::new()) };
        };
        let cells = match spec.kind {
            _ if spec.origin == Origin::Tracking => Cells::Dropped,
            ColumnType::U8 => Cells::U8(Vec::new()),
            ColumnType::U16 => Cells::U16(Vec::new()),
            ColumnType::U32 if spec.hexadecimal => Cells::Hexadecimal32(Vec::new()),
            ColumnType::U32 => Cells::U32(Vec::new()),
            ColumnType::U64 if spec.hexadecimal => Cells::Hexadecimal64(Vec::new()),
            ColumnType::U64 => Cells::U64(Vec::new()),
            ColumnType::Bool => Cells::Boolean(Vec::new()),
            ColumnType::Text => Cells::Text(Vec::new()),
            ColumnType::Instant => Cells::Instant(Vec::new()),
            ColumnType::Span => Cells::Span(Vec::new()),
            ColumnType::ListU8 => Cells::ListU8(list_builder(name, DataType::UInt8)),
            ColumnType::ListU32 => Cells::ListU32(list_builder(name, DataType::UInt32)),
            ColumnType::ListU64 => Cells::ListU64(list_builder(name, DataType::UInt64)),
        };
        Builder { name: name.to_string(), kind: spec.kind, cells }
    }

    /// Adds a field; `None` when it is none of the column's kind.
    fn push(&mut self, field: &str) -> Option<()> {
        match &mut self.cells {
            Cells::Dropped => {}
            Cells::U8(cells) => cells.push(optional(field, decimal)?),
            Cells::U16(cells) => cells.push(optional(field, decimal)?),
            Cells::U32(cells) => cells.push(optional(field, decimal)?),
            Cells::U64(cells) => cells.push(optional(field, decimal)?),
            Cells::Hexadecimal32(cells) => cells.push(optional(field, |field| hexadecimal(field)?.try_into().ok())?),
            Cells::Hexadecimal64(cells) => cells.push(optional(field, hexadecimal)?),
            Cells::Boolean(cells) => cells.push(optional(field, |field| field.parse().ok())?),
            Cells::Text(cells) => cells.push(optional(field, |field| Some(spreadsheet::restored(field).to_string()))?),
            Cells::Instant(cells) => {
                cells.push(optional(field, |field| time_text::parse_rfc3339(field).map(Instant::nanoseconds))?)
            }
            Cells::Span(cells) => {
                cells.push(optional(field, |field| time_text::parse_seconds(field).map(Span::nanoseconds))?)
            }
            Cells::ListU8(cells) => push_list(cells, field)?,
            Cells::ListU32(cells) => push_list(cells, field)?,
            Cells::ListU64(cells) => push_list(cells, field)?,
        }
        Some(())
    }

    fn finish(self) -> Option<Column> {
        let name = self.name.as_str();
        let column = match self.cells {
            Cells::Dropped => return None,
            Cells::U8(cells) => numbers::<UInt8Type>(name, cells),
            Cells::U16(cells) => numbers::<UInt16Type>(name, cells),
            Cells::U32(cells) | Cells::Hexadecimal32(cells) => numbers::<UInt32Type>(name, cells),
            Cells::U64(cells) | Cells::Hexadecimal64(cells) => numbers::<UInt64Type>(name, cells),
            Cells::Boolean(cells) => BooleanChunked::from_iter_options(name.into(), cells.into_iter()).into_column(),
            Cells::Text(cells) => StringChunked::from_iter_options(name.into(), cells.into_iter()).into_column(),
            Cells::Instant(cells) | Cells::Span(cells) => {
                numbers::<polars::prelude::Int64Type>(name, cells).cast(&self.kind.data_type()).ok()?
            }
            Cells::ListU8(mut cells) => cells.finish().into_series().into_column(),
            Cells::ListU32(mut cells) => cells.finish().into_series().into_column(),
            Cells::ListU64(mut cells) => cells.finish().into_series().into_column(),
        };
        Some(column)
    }
}

fn numbers<T: PolarsNumericType>(name: &str, cells: Vec<Option<T::Native>>) -> Column
where
    ChunkedArray<T>: NewChunkedArray<T, T::Native> + IntoSeries,
{
    ChunkedArray::<T>::from_iter_options(name.into(), cells.into_iter()).into_series().into_column()
}

fn list_builder<T: PolarsNumericType>(name: &str, inner: DataType) -> ListPrimitiveChunkedBuilder<T> {
    ListPrimitiveChunkedBuilder::new(name.into(), 0, 0, inner)
}

/// An empty field is null.
fn optional<T>(field: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if field.is_empty() { Some(None) } else { read(field).map(Some) }
}

/// Only digits: `parse` alone would also take a sign.
fn decimal<T: std::str::FromStr>(field: &str) -> Option<T> {
    if field.bytes().all(|byte| byte.is_ascii_digit()) { field.parse().ok() } else { None }
}

fn hexadecimal(field: &str) -> Option<u64> {
    let field = hexadecimal_digits(field);
    if field.bytes().all(|byte| byte.is_ascii_hexdigit()) { u64::from_str_radix(field, 16).ok() } else { None }
}

fn push_list<T: PolarsNumericType>(cells: &mut ListPrimitiveChunkedBuilder<T>, field: &str) -> Option<()>
where
    T::Native: std::str::FromStr,
{
    match field {
        "" => cells.append_null(),
        "[]" => cells.append_slice(&[]),
        items => cells.append_slice(&items.split(';').map(decimal).collect::<Option<Vec<T::Native>>>()?),
    }
    Some(())
}

fn shortened(field: &str) -> String {
    field.chars().take(40).collect()
}
