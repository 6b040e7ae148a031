//! Reading a data frame cell by cell, with what [`super::schema`] knows of its columns.
//!
//! polars keeps a column in one of many types; those who print, export or compare cells need only the few in
//! [`Value`].

use std::borrow::Cow;
use std::fmt::Write;

use polars::prelude::*;

use super::schema;
use crate::spreadsheet;
use crate::time_text;
use mptcp_trace::{Instant, Span};

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// Does not apply, or was not captured.
    Null,
    /// A whole number.
    Unsigned(u64),
    /// A key, a token or a raw data sequence number, and the digits that its type has room for.
    Hexadecimal(u64, usize),
    /// A whole number that may be negative; only in tables that an analysis made.
    Signed(i64),
    /// Only in tables that an analysis made.
    Float(f64),
    /// Yes or no.
    Boolean(bool),
    /// Text as captured, not escaped.
    Text(Cow<'a, str>),
    /// A point in time.
    Instant(Instant),
    /// An amount of time.
    Span(Span),
    /// Whole numbers.
    List(Vec<u64>),
}

impl Value<'_> {
    /// The exact text that CSV carries: text that a spreadsheet would run is made inert ([`spreadsheet::inert`]), null is empty, times have nine digits after the point, the items of a list
    /// are joined by `;` and an empty list is `[]`.
    #[must_use]
    pub fn machine_text(&self) -> String {
        let mut text = String::new();
        self.put_machine_text(&mut text);
        text
    }

    /// Adds the same to a text.
    pub fn put_machine_text(&self, text: &mut String) {
        // Writing to a text does not fail.
        let _ = match self {
            Value::List(items) if items.is_empty() => text.write_str("[]"),
            Value::List(items) => text.write_str(&join(items, ";")),
            Value::Null => Ok(()),
            Value::Unsigned(number) => write!(text, "{number}"),
            Value::Hexadecimal(number, digits) => text.write_str(&hexadecimal(*number, *digits)),
            Value::Signed(number) => write!(text, "{number}"),
            Value::Float(number) => write!(text, "{number}"),
            Value::Boolean(truth) => write!(text, "{truth}"),
            Value::Text(own) => text.write_str(&spreadsheet::inert(own)),
            Value::Instant(instant) => text.write_str(&time_text::rfc3339(*instant)),
            Value::Span(span) => text.write_str(&time_text::seconds(*span)),
        };
    }
}

/// Whole numbers joined by `separator`.
#[must_use]
pub fn join(items: &[u64], separator: &str) -> String {
    let items: Vec<String> = items.iter().map(u64::to_string).collect();
    items.join(separator)
}

/// Lower-case hexadecimal with `0x` and leading zeros, as keys, tokens and raw data sequence numbers are printed: the token
/// `091e2980` would be read as a number, and `e9` as a word.
#[must_use]
pub fn hexadecimal(number: u64, digits: usize) -> String {
    format!("0x{number:0digits$x}")
}

/// The digits of a hexadecimal text, which may begin with `0x`.
#[must_use]
pub fn hexadecimal_digits(text: &str) -> &str {
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text)
}

/// Content of a column, as far as comparing and printing are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// [`Value::Unsigned`] or [`Value::Signed`].
    Whole,
    /// [`Value::Hexadecimal`].
    Hexadecimal,
    /// [`Value::Float`].
    Float,
    /// [`Value::Boolean`].
    Boolean,
    /// [`Value::Text`].
    Text,
    /// [`Value::Instant`].
    Instant,
    /// [`Value::Span`].
    Span,
    /// [`Value::List`].
    List,
}

impl Class {
    /// Content of the column, for messages: "`tcplen` holds whole numbers".
    #[must_use]
    pub fn contents(self) -> &'static str {
        match self {
            Class::Whole | Class::Hexadecimal => "whole numbers",
            Class::Float => "numbers",
            Class::Boolean => "true or false",
            Class::Text => "text",
            Class::Instant => "instants",
            Class::Span => "seconds",
            Class::List => "lists of numbers",
        }
    }
}

/// One column, ready for reading row by row.
#[derive(Debug, Clone)]
pub struct Cells {
    name: String,
    class: Class,
    /// Digits of a hexadecimal number.
    digits: usize,
    height: usize,
    typed: Typed,
}

#[derive(Debug, Clone)]
enum Typed {
    Unsigned(UInt64Chunked),
    Signed(Int64Chunked),
    Float(Float64Chunked),
    Boolean(BooleanChunked),
    Text(StringChunked),
    List(ListChunked),
}

impl Cells {
    /// Makes a column readable. A type that [`Value`] has no case for is turned into text.
    ///
    /// # Errors
    /// When polars cannot convert the column.
    pub fn of(column: &Column) -> PolarsResult<Self> {
        let name = column.name().to_string();
        // One chunk: reading a row is then one look-up.
        let series = column.as_materialized_series().rechunk();
        let printed_in_hexadecimal = schema::find(&name).is_some_and(|spec| spec.hexadecimal);
        let (class, digits, typed) = match series.dtype() {
            kind if kind.is_unsigned_integer() => {
                let digits = match kind {
                    DataType::UInt8 => 2,
                    DataType::UInt16 => 4,
                    DataType::UInt32 => 8,
                    _ => 16,
                };
                let class = if printed_in_hexadecimal { Class::Hexadecimal } else { Class::Whole };
                (class, digits, Typed::Unsigned(series.cast(&DataType::UInt64)?.u64()?.clone()))
            }
            kind if kind.is_signed_integer() => {
                (Class::Whole, 0, Typed::Signed(series.cast(&DataType::Int64)?.i64()?.clone()))
            }
            kind if kind.is_float() => (Class::Float, 0, Typed::Float(series.cast(&DataType::Float64)?.f64()?.clone())),
            DataType::Boolean => (Class::Boolean, 0, Typed::Boolean(series.bool()?.clone())),
            DataType::String => (Class::Text, 0, Typed::Text(series.str()?.clone())),
            DataType::Datetime(_, zone) => {
                let nanoseconds = series.cast(&DataType::Datetime(TimeUnit::Nanoseconds, zone.clone()))?;
                (Class::Instant, 0, Typed::Signed(nanoseconds.to_physical_repr().i64()?.clone()))
            }
            DataType::Duration(_) => {
                let nanoseconds = series.cast(&DataType::Duration(TimeUnit::Nanoseconds))?;
                (Class::Span, 0, Typed::Signed(nanoseconds.to_physical_repr().i64()?.clone()))
            }
            DataType::List(inner) if inner.is_integer() => {
                let wide = series.cast(&DataType::List(Box::new(DataType::UInt64)))?;
                (Class::List, 0, Typed::List(wide.list()?.clone()))
            }
            _ => {
                let text: StringChunked = series
                    .iter()
                    .map(|value| if value.is_null() { None } else { Some(value.to_string()) })
                    .collect_ca(series.name().clone());
                (Class::Text, 0, Typed::Text(text))
            }
        };
        Ok(Cells { name, class, digits, height: column.len(), typed })
    }

    /// Every column of a frame.
    ///
    /// # Errors
    /// When polars cannot convert a column.
    pub fn of_frame(frame: &DataFrame) -> PolarsResult<Vec<Self>> {
        frame.columns().iter().map(Cells::of).collect()
    }

    /// The column's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Content.
    #[must_use]
    pub fn class(&self) -> Class {
        self.class
    }

    /// The cell of a row; null beyond the last one.
    #[must_use]
    pub fn value(&self, row: usize) -> Value<'_> {
        // polars panics beyond the end.
        if row < self.height { self.present(row).unwrap_or(Value::Null) } else { Value::Null }
    }

    fn present(&self, row: usize) -> Option<Value<'_>> {
        Some(match &self.typed {
            Typed::Unsigned(cells) => match self.class {
                Class::Hexadecimal => Value::Hexadecimal(cells.get(row)?, self.digits),
                _ => Value::Unsigned(cells.get(row)?),
            },
            Typed::Signed(cells) => match self.class {
                Class::Instant => Value::Instant(Instant::from_nanoseconds(cells.get(row)?)),
                Class::Span => Value::Span(Span::from_nanoseconds(cells.get(row)?)),
                _ => Value::Signed(cells.get(row)?),
            },
            Typed::Float(cells) => Value::Float(cells.get(row)?),
            Typed::Boolean(cells) => Value::Boolean(cells.get(row)?),
            Typed::Text(cells) => Value::Text(Cow::Borrowed(cells.get(row)?)),
            Typed::List(cells) => {
                let items = cells.get_as_series(row)?;
                Value::List(items.u64().ok()?.iter().flatten().collect())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(series: Series) -> Cells {
        Cells::of(&series.into()).unwrap()
    }

    #[test]
    fn hexadecimal_columns_fill_the_width_of_their_type() {
        let key = only(Series::new("sendkey".into(), [Some(0xab_u64), None, Some(u64::MAX)]));
        assert_eq!(key.value(0).machine_text(), "0x00000000000000ab");
        assert_eq!(key.value(1), Value::Null);
        assert_eq!(key.value(2).machine_text(), "0xffffffffffffffff");
        let token = only(Series::new("recvtok".into(), [0xab_u32]));
        assert_eq!(token.value(0).machine_text(), "0x000000ab");
        assert_eq!(token.value(1), Value::Null, "beyond the last row");
    }

    #[test]
    fn whole_numbers_of_any_width_are_read_alike() {
        assert_eq!(only(Series::new("ttl".into(), [64_u8])).value(0), Value::Unsigned(64));
        assert_eq!(only(Series::new("dss_length".into(), [1400_u16])).value(0), Value::Unsigned(1400));
        assert_eq!(only(Series::new("packetid".into(), [u64::MAX])).value(0), Value::Unsigned(u64::MAX));
    }

    #[test]
    fn times_keep_their_nanoseconds() {
        let span = Series::new("reltime".into(), [1_000_000_001_i64])
            .cast(&DataType::Duration(TimeUnit::Nanoseconds))
            .unwrap();
        assert_eq!(only(span).value(0).machine_text(), "1.000000001");
        let instant = Series::new("abstime".into(), [1_i64]).cast(&schema::ColumnType::Instant.data_type()).unwrap();
        assert_eq!(only(instant).value(0).machine_text(), "1970-01-01T00:00:00.000000001Z");
    }

    #[test]
    fn lists_know_empty_from_null() {
        let items =
            [Some(Series::new("".into(), [0_u8, 255])), None, Some(Series::new_empty("".into(), &DataType::UInt8))];
        let list = only(Series::new("subtype".into(), items));
        assert_eq!(list.value(0), Value::List(vec![0, 255]));
        assert_eq!(list.value(0).machine_text(), "0;255");
        assert_eq!(list.value(1).machine_text(), "");
        assert_eq!(list.value(2).machine_text(), "[]");
    }
}
