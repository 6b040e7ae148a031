//! Rows as CSV, written as bytes: as fast as their numbers can be told.

use std::io::Write;
use std::ops::Range;

use polars::prelude::*;
use polars_arrow::array::{Array, BooleanArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::bitmap::Bitmap;
use polars_arrow::types::NativeType;

use super::write::Encoding;
use crate::decimal;
use crate::delimiter::Delimiter;
use crate::packets::cells::{Cells, Class};
use crate::spreadsheet;
use crate::time_text::{Clock, write_seconds};
use mptcp_trace::{Instant, Span};

/// Rows that are turned into text together: as many as the processor's cache has room for.
const ROWS: usize = 1 << 13;

/// CSV with a line of names.
pub struct Csv {
    delimiter: u8,
    /// Bytes that put a field into quotes.
    special: [bool; 256],
    /// The delimiter may be in numbers and times.
    anywhere: bool,
}

impl Csv {
    /// With fields parted so.
    pub fn new(delimiter: Delimiter) -> Self {
        let delimiter = delimiter.byte();
        let mut special = [false; 256];
        for byte in [delimiter, b'"', b'\r', b'\n'] {
            if let Some(special) = special.get_mut(usize::from(byte)) {
                *special = true;
            }
        }
        let anywhere = b"0123456789abcdefghijklmnopqrstuvwxyzTZ.:;-[]+".contains(&delimiter);
        Csv { delimiter, special, anywhere }
    }

    fn names(&self, table: &DataFrame) -> Vec<u8> {
        let mut text = Vec::new();
        for (index, name) in table.get_column_names().into_iter().enumerate() {
            if index > 0 {
                text.push(self.delimiter);
            }
            let begin = text.len();
            text.extend_from_slice(name.as_bytes());
            self.quote(begin, &mut text);
        }
        end_line(0, &mut text);
        text
    }

    fn rows(&self, table: &DataFrame) -> PolarsResult<Vec<u8>> {
        let there = |column: &Column| (!column.is_full_null()).then(|| column.as_materialized_series().rechunk());
        let series: Vec<Option<Series>> = table.columns().iter().map(there).collect();
        let fields = series.iter().map(|series| series.as_ref().map_or(Ok(Field::Empty), Field::of));
        let fields = fields.collect::<PolarsResult<Vec<_>>>()?;
        // Most columns are about options that few packets have, so that some thousand rows have no cell of them.
        let mut written = Vec::with_capacity(fields.len());
        let mut last: usize = 0;
        for (index, field) in fields.iter().enumerate().filter(|(_, field)| !matches!(field, Field::Empty)) {
            written.push((index.saturating_sub(last), field));
            last = index;
        }
        let after = fields.len().saturating_sub(1).saturating_sub(last);
        let mut repeats = vec![Repeats::default(); written.len()];
        let mut clock = Clock::default();
        let mut text = Vec::with_capacity(table.height().saturating_mul(fields.len()).saturating_mul(8));
        for row in 0..table.height() {
            let line = text.len();
            for ((delimiters, field), repeats) in written.iter().zip(&mut repeats) {
                self.delimiters(*delimiters, &mut text);
                if let Field::Text(cells) = field {
                    self.text(cells, row, repeats, &mut text);
                    continue;
                }
                let begin = text.len();
                let is_text = field.write(row, &mut text, &mut clock);
                if is_text || self.anywhere {
                    self.quote(begin, &mut text);
                }
            }
            self.delimiters(after, &mut text);
            end_line(line, &mut text);
        }
        Ok(text)
    }

    #[inline]
    fn delimiters(&self, count: usize, text: &mut Vec<u8>) {
        match count {
            1 => text.push(self.delimiter),
            0..=16 => decimal::append_first(count, &[self.delimiter; 16], text),
            _ => text.resize(text.len().saturating_add(count), self.delimiter),
        }
    }

    /// Appends a text. Most are one of the two before in their column: what was written then is copied.
    fn text(&self, cells: &Utf8ViewArray, row: usize, repeats: &mut Repeats, text: &mut Vec<u8>) {
        let Some(view) = cells.views().get(row).filter(|_| cells.is_valid(row)) else { return };
        let view = view.as_u128();
        if repeats.last.0 != view {
            std::mem::swap(&mut repeats.last, &mut repeats.before);
        }
        if repeats.last.0 == view {
            return text.extend_from_within(repeats.last.1.clone());
        }
        let begin = text.len();
        text.extend_from_slice(spreadsheet::inert(cells.value(row)).as_bytes());
        self.quote(begin, text);
        repeats.last = (view, begin..text.len());
    }

    /// Puts the field that begins there into quotes, if it needs them.
    fn quote(&self, begin: usize, text: &mut Vec<u8>) {
        let special = |byte: &u8| self.special.get(usize::from(*byte)).copied().unwrap_or(true);
        let field = text.get(begin..).unwrap_or(&[]);
        if !field.iter().any(special) {
            return;
        }
        let field = field.to_vec();
        text.truncate(begin);
        text.push(b'"');
        for byte in field {
            if byte == b'"' {
                text.push(b'"');
            }
            text.push(byte);
        }
        text.push(b'"');
    }
}

/// Ends the line that began there. One that would be empty has an empty field in quotes.
fn end_line(begin: usize, text: &mut Vec<u8>) {
    let empty = text.len() == begin;
    text.extend_from_slice(if empty { b"\"\"\n" } else { b"\n" });
}

impl Encoding for Csv {
    const ROWS: usize = ROWS;
    type Part = Vec<u8>;
    type Writer<W: Write + Send> = W;

    fn begin<W: Write + Send>(&self, columns: &DataFrame, mut output: W) -> PolarsResult<W> {
        output.write_all(&self.names(columns))?;
        Ok(output)
    }

    fn encode(&self, rows: DataFrame) -> PolarsResult<Vec<u8>> {
        self.rows(&rows)
    }

    fn write<W: Write + Send>(&self, part: Vec<u8>, writer: &mut W) -> PolarsResult<()> {
        Ok(writer.write_all(&part)?)
    }

    fn end<W: Write + Send>(&self, mut writer: W) -> PolarsResult<()> {
        Ok(writer.flush()?)
    }
}

/// The cells of a column, by what their text is made of.
enum Field<'a> {
    /// No cell has a value.
    Empty,
    U8(Numbers<'a, u8>),
    U16(Numbers<'a, u16>),
    U32(Numbers<'a, u32>),
    U64(Numbers<'a, u64>),
    Hexadecimal32(Numbers<'a, u32>),
    Hexadecimal64(Numbers<'a, u64>),
    Instant(Numbers<'a, i64>),
    Span(Numbers<'a, i64>),
    Boolean(&'a BooleanArray),
    Text(&'a Utf8ViewArray),
    Lists8(Lists<'a, u8>),
    Lists32(Lists<'a, u32>),
    Lists64(Lists<'a, u64>),
    /// What no column of the packet table is.
    Other(Box<Cells>),
}

/// Numbers and which of them are there; all without the latter.
struct Numbers<'a, T> {
    values: &'a [T],
    present: Option<&'a Bitmap>,
}

impl<T: Copy> Numbers<'_, T> {
    fn get(&self, row: usize) -> Option<T> {
        let present = self.present.is_none_or(|present| present.get(row).unwrap_or(false));
        if present { self.values.get(row).copied() } else { None }
    }
}

/// The last two texts of a column that differ: what stands for each in the column, and where it was written.
#[derive(Clone, Default)]
struct Repeats {
    last: (u128, Range<usize>),
    before: (u128, Range<usize>),
}

struct Lists<'a, T> {
    /// Where each list begins, and the last one ends.
    offsets: &'a [i64],
    items: &'a [T],
    present: Option<&'a Bitmap>,
}

impl<T> Lists<'_, T> {
    fn get(&self, row: usize) -> Option<&[T]> {
        let present = self.present.is_none_or(|present| present.get(row).unwrap_or(false));
        let place = |index: usize| usize::try_from(*self.offsets.get(index)?).ok();
        if present { self.items.get(place(row)?..place(row.checked_add(1)?)?) } else { None }
    }
}

impl<'a> Field<'a> {
    fn of(series: &'a Series) -> PolarsResult<Self> {
        let cells = Cells::of(&series.clone().into_column())?;
        let hexadecimal = cells.class() == Class::Hexadecimal;
        let field = match (series.dtype(), hexadecimal) {
            (DataType::UInt8, false) => one(series.u8()?).map(Field::U8),
            (DataType::UInt16, false) => one(series.u16()?).map(Field::U16),
            (DataType::UInt32, false) => one(series.u32()?).map(Field::U32),
            (DataType::UInt64, false) => one(series.u64()?).map(Field::U64),
            (DataType::UInt32, true) => one(series.u32()?).map(Field::Hexadecimal32),
            (DataType::UInt64, true) => one(series.u64()?).map(Field::Hexadecimal64),
            (DataType::Boolean, _) => series.bool()?.downcast_iter().next().map(Field::Boolean),
            (DataType::String, _) => series.str()?.downcast_iter().next().map(Field::Text),
            (DataType::Datetime(TimeUnit::Nanoseconds, _), _) => one(series.datetime()?.physical()).map(Field::Instant),
            (DataType::Duration(TimeUnit::Nanoseconds), _) => one(series.duration()?.physical()).map(Field::Span),
            (DataType::List(inner), _) => match inner.as_ref() {
                DataType::UInt8 => lists(series)?.map(Field::Lists8),
                DataType::UInt32 => lists(series)?.map(Field::Lists32),
                DataType::UInt64 => lists(series)?.map(Field::Lists64),
                _ => None,
            },
            _ => None,
        };
        Ok(field.unwrap_or_else(|| Field::Other(Box::new(cells))))
    }

    /// Appends the text of a row's cell; true where that may have to be quoted.
    fn write(&self, row: usize, text: &mut Vec<u8>, clock: &mut Clock) -> bool {
        match self {
            Field::Empty => {}
            Field::U8(numbers) => decimal(numbers.get(row), text),
            Field::U16(numbers) => decimal(numbers.get(row), text),
            Field::U32(numbers) => decimal(numbers.get(row), text),
            Field::U64(numbers) => decimal(numbers.get(row), text),
            Field::Hexadecimal32(numbers) => hexadecimal::<8>(numbers.get(row).map(u64::from), text),
            Field::Hexadecimal64(numbers) => hexadecimal::<16>(numbers.get(row), text),
            Field::Instant(numbers) => {
                if let Some(instant) = numbers.get(row) {
                    clock.write(Instant::from_nanoseconds(instant), text);
                }
            }
            Field::Span(numbers) => {
                if let Some(span) = numbers.get(row) {
                    write_seconds(Span::from_nanoseconds(span), text);
                }
            }
            Field::Boolean(cells) => match cells.get(row) {
                Some(true) => text.extend_from_slice(b"true"),
                Some(false) => text.extend_from_slice(b"false"),
                None => {}
            },
            // Written with what was written before, see [`Csv::text`].
            Field::Text(_) => {}
            Field::Lists8(cells) => list(cells.get(row), text),
            Field::Lists32(cells) => list(cells.get(row), text),
            Field::Lists64(cells) => list(cells.get(row), text),
            Field::Other(cells) => {
                text.extend_from_slice(cells.value(row).machine_text().as_bytes());
                return true;
            }
        }
        false
    }
}

/// The only chunk of a column of numbers.
fn one<T: PolarsNumericType>(column: &ChunkedArray<T>) -> Option<Numbers<'_, T::Native>> {
    let array: &PrimitiveArray<T::Native> = column.downcast_iter().next()?;
    Some(Numbers { values: array.values(), present: array.validity() })
}

fn lists<T: NativeType>(series: &Series) -> PolarsResult<Option<Lists<'_, T>>> {
    let Some(array) = series.list()?.downcast_iter().next() else { return Ok(None) };
    let items = array.values().as_any().downcast_ref::<PrimitiveArray<T>>();
    // An item that is null has no text of its own.
    let items = items.filter(|items| items.null_count() == 0);
    Ok(items.map(|items| Lists {
        offsets: array.offsets().as_slice(),
        items: items.values(),
        present: array.validity(),
    }))
}

#[inline]
fn decimal<T: Into<u64>>(number: Option<T>, text: &mut Vec<u8>) {
    if let Some(number) = number {
        decimal::write(number.into(), text);
    }
}

fn hexadecimal<const DIGITS: usize>(number: Option<u64>, text: &mut Vec<u8>) {
    let Some(number) = number else { return };
    text.extend_from_slice(b"0x");
    if DIGITS > 8 {
        text.extend_from_slice(&digits(number >> 32));
    }
    text.extend_from_slice(&digits(number & 0xffff_ffff));
}

/// The eight hexadecimal digits of a number of 32 bits, all at once.
fn digits(number: u64) -> [u8; 8] {
    let quarters = (number | number << 16) & 0x0000_ffff_0000_ffff;
    let bytes = (quarters | quarters << 8) & 0x00ff_00ff_00ff_00ff;
    let values = (bytes | bytes << 4) & 0x0f0f_0f0f_0f0f_0f0f;
    // One where the value is above nine.
    let letters = (values + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    (values + 0x3030_3030_3030_3030 + letters * 39).to_be_bytes()
}

fn list<T: Into<u64> + Copy>(items: Option<&[T]>, text: &mut Vec<u8>) {
    match items {
        None => {}
        Some([]) => text.extend_from_slice(b"[]"),
        Some([first, others @ ..]) => {
            decimal(Some(*first), text);
            for item in others {
                text.push(b';');
                decimal(Some(*item), text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_those_of_the_standard_library() {
        for number in [0, 9, 10, 15, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, u64::MAX] {
            let mut text = Vec::new();
            hexadecimal::<16>(Some(number), &mut text);
            hexadecimal::<8>(Some(number & 0xffff_ffff), &mut text);
            assert_eq!(String::from_utf8(text).unwrap(), format!("0x{number:016x}0x{:08x}", number & 0xffff_ffff));
        }
    }
}
