//! A data frame as the body of a report, written row by row so that a long one is never held twice.

use std::ops::Range;

use polars::prelude::{DataFrame, PolarsResult};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::{Cell, Column, Table};
use crate::packets::cells::{Cells, Value, hexadecimal, join};
use crate::time_text;

/// The rows of a data frame: in JSON an array of objects whose keys are the column names.
#[derive(Debug, Clone)]
pub struct FrameRows {
    frame: DataFrame,
    columns: Vec<Cells>,
}

impl FrameRows {
    /// Makes a frame printable.
    ///
    /// # Errors
    /// When polars cannot convert a column.
    pub fn new(frame: DataFrame) -> PolarsResult<Self> {
        let columns = Cells::of_frame(&frame)?;
        Ok(FrameRows { frame, columns })
    }

    /// The frame itself.
    #[must_use]
    pub fn frame(&self) -> &DataFrame {
        &self.frame
    }

    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.frame.height()
    }

    /// The column names, left to right.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(Cells::name)
    }

    /// The rows, top to bottom.
    pub fn rows(&self) -> impl Iterator<Item = FrameRow<'_>> {
        self.part(0..self.height())
    }

    /// Some of them.
    pub fn part(&self, rows: Range<usize>) -> impl Iterator<Item = FrameRow<'_>> {
        rows.map(|row| FrameRow { columns: &self.columns, row })
    }

    /// The same rows as cells for people.
    #[must_use]
    pub fn table(&self) -> Table {
        Table {
            columns: self.names().map(Column::from).collect(),
            rows: self.rows().map(|row| row.values().map(cell).collect()).collect(),
            ..Table::default()
        }
    }
}

impl PartialEq for FrameRows {
    fn eq(&self, other: &Self) -> bool {
        self.frame.equals_missing(&other.frame)
    }
}

/// One row of [`FrameRows`].
#[derive(Debug, Clone, Copy)]
pub struct FrameRow<'a> {
    columns: &'a [Cells],
    row: usize,
}

impl<'a> FrameRow<'a> {
    /// The cells, left to right.
    pub fn values(self) -> impl Iterator<Item = Value<'a>> {
        self.columns.iter().map(move |column| column.value(self.row))
    }
}

fn cell(value: Value<'_>) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Unsigned(number) => Cell::Integer(number.into()),
        Value::Hexadecimal(number, digits) => Cell::Text(hexadecimal(number, digits)),
        Value::Signed(number) => Cell::Integer(number.into()),
        Value::Float(number) => Cell::Text(number.to_string()),
        Value::Boolean(truth) => Cell::Boolean(truth),
        Value::Text(text) => Cell::Text(text.into_owned()),
        Value::Instant(instant) => Cell::Text(time_text::rfc3339(instant)),
        Value::Span(span) => Cell::Span(span),
        Value::List(items) => Cell::Text(join(&items, ",")),
    }
}

impl Serialize for FrameRows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.height()))?;
        for row in self.rows() {
            sequence.serialize_element(&row)?;
        }
        sequence.end()
    }
}

impl Serialize for FrameRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.columns.len()))?;
        for column in self.columns {
            map.serialize_entry(column.name(), &Json(column.value(self.row)))?;
        }
        map.end()
    }
}

/// The JSON form of a cell: seconds are numbers, instants and keys are strings.
struct Json<'a>(Value<'a>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Unsigned(number) => serializer.serialize_u64(*number),
            Value::Signed(number) => serializer.serialize_i64(*number),
            Value::Float(number) => serializer.serialize_f64(*number),
            Value::Boolean(truth) => serializer.serialize_bool(*truth),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Hexadecimal(number, digits) => serializer.serialize_str(&hexadecimal(*number, *digits)),
            Value::Instant(instant) => serializer.serialize_str(&time_text::rfc3339(*instant)),
            // The nearest double of a span below 104 days still prints with the nanoseconds it had.
            Value::Span(span) => span.serialize(serializer),
            Value::List(items) => items.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use polars::prelude::{Column, NamedFrom, Series};

    use super::*;
    use crate::packets::schema::ColumnType;
    use mptcp_trace::Span;

    fn frame() -> FrameRows {
        let columns = vec![
            Column::new("packetid".into(), [1_u64, u64::MAX]),
            Column::new("reltime".into(), [Some(123_456_789_012_345_i64), None])
                .cast(&ColumnType::Span.data_type())
                .unwrap(),
            Column::new("sendkey".into(), [Some(0xcfe2_ec98_u64), None]),
            Series::new("subtype".into(), [Some(Series::new("".into(), [2_u8, 3])), None]).into(),
            Column::new("backup".into(), [Some(true), None]),
            Column::new("ipsrc".into(), [Some("10.0.1.1"), Some("\u{1b}")]),
        ];
        FrameRows::new(DataFrame::new_infer_height(columns).unwrap()).unwrap()
    }

    #[test]
    fn json_keeps_every_digit() {
        let expected = concat!(
            r#"[{"packetid":1,"reltime":123456.789012345,"sendkey":"0x00000000cfe2ec98","subtype":[2,3],"#,
            r#""backup":true,"ipsrc":"10.0.1.1"},"#,
            r#"{"packetid":18446744073709551615,"reltime":null,"sendkey":null,"subtype":null,"#,
            r#""backup":null,"ipsrc":"\u001b"}]"#,
        );
        assert_eq!(serde_json::to_string(&frame()).unwrap(), expected);
    }

    #[test]
    fn tables_get_typed_cells() {
        let table = frame().table();
        assert_eq!(table.rows.len(), 2);
        assert_eq!(
            table.rows[0],
            [
                Cell::Integer(1),
                Cell::Span(Span::from_nanoseconds(123_456_789_012_345)),
                Cell::Text("0x00000000cfe2ec98".into()),
                Cell::Text("2,3".into()),
                Cell::Boolean(true),
                Cell::Text("10.0.1.1".into())
            ]
        );
        assert_eq!(table.rows[1][0], Cell::Integer(u64::MAX.into()));
        assert_eq!(table.rows[1][1], Cell::Null);
    }
}
