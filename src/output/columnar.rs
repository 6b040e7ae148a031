//! Parquet and Arrow: the rows that CSV has, in typed columns.
//!
//! A column has one type, which `result_columns.txt` declares. Times are seconds as in JSON, so Float64. What is missing is
//! null. Where no type is declared, whole numbers are Int64, or UInt64 where one is too large for that, and a column without
//! any value has the type that its unit says, and is text where it has none.
//!
//! Keys and tokens are text, see [`crate::packets::portable`]; columns say their unit, see [`crate::column_facts`].

use std::io::{self, Write};

use mptcp_trace::interrupt::interruptible;
use polars::prelude::{Column, DataFrame, DataType, PolarsError, PolarsResult};
use polars_io::parquet::write::ParquetWriter;

use super::column_units::{self, Numbers};
use super::{Cell, Report, Table, delimited};
use crate::column_facts::{self, ArrowFile};
use crate::packets::{portable, schema};

/// Writes the rows of `report` as one Parquet file.
pub(super) fn parquet(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    let mut frame = frame(report)?;
    let metadata = column_facts::of(&frame, |name| unit(report, name));
    // Into memory first: the writer wants an output of its own type, and reports are small.
    let mut encoded = Vec::new();
    ParquetWriter::new(&mut encoded).with_key_value_metadata(Some(metadata)).finish(&mut frame).map_err(failed)?;
    output.write_all(&encoded)
}

/// Writes the rows of `report` as one Arrow IPC file.
pub(super) fn arrow(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    let mut frame = frame(report)?;
    frame.align_chunks();
    let mut file = ArrowFile::begin(&frame, |name| unit(report, name), output).map_err(failed)?;
    file.write(&frame).and_then(|()| file.finish()).map_err(failed)
}

fn failed(error: PolarsError) -> io::Error {
    io::Error::other(error.to_string())
}

/// The unit of a column: that of its cells, which are values for machines, or what its name says.
fn unit(report: &Report, name: &str) -> Option<&'static str> {
    if report.frame.is_some() {
        return unit_in_frame(report, name);
    }
    let of_cells = || {
        let table = report.records.as_ref().or(report.tables.first())?;
        let place = table.columns.iter().position(|column| column.name == name)?;
        table.rows.iter().find_map(|row| match row.get(place)? {
            Cell::Bytes(_) => Some("B"),
            Cell::Span(_) => Some("s"),
            Cell::BytesPerSecond(_) => Some("B/s"),
            _ => None,
        })
    };
    of_cells().or_else(|| schema::unit(name)).or_else(|| named(report, name).map(|(unit, _)| unit))
}

/// The unit of a column of a frame: that of the packet table, also with an end behind its name, as in two captures.
fn unit_in_frame(report: &Report, name: &str) -> Option<&'static str> {
    let end = name.strip_suffix("_sender").or_else(|| name.strip_suffix("_receiver"));
    schema::unit(end.unwrap_or(name)).or_else(|| match name {
        // Of a packet's payload.
        "offset" if !report.foreign => Some("B"),
        _ => named(report, name).map(|(unit, _)| unit),
    })
}

/// What the name of a column says, where the program gave it.
fn named(report: &Report, name: &str) -> Option<(&'static str, Numbers)> {
    if report.foreign { None } else { column_units::of(name) }
}

/// The rows as a data frame.
fn frame(report: &Report) -> io::Result<DataFrame> {
    if let Some(rows) = &report.frame {
        return portable::portable(rows.frame()).map_err(failed);
    }
    if let Some(text) = &report.text {
        let lines: Vec<&str> = text.lines().collect();
        return DataFrame::new(lines.len(), vec![Column::new("text".into(), lines)]).map_err(failed);
    }
    let Some(table) = delimited::records(report)? else { return Ok(DataFrame::empty()) };
    let declared = delimited::declared(report);
    let kind = |name: &str| declared.iter().find(|(column, _)| *column == name).map(|(_, kind)| kind.clone());
    let usual = |name: &str| match named(report, name)?.1 {
        Numbers::Whole => Some(DataType::Int64),
        Numbers::Real => Some(DataType::Float64),
    };
    of_table(&table, |name| kind(name).or_else(|| usual(name)))
        .and_then(|frame| portable::portable(&frame))
        .map_err(failed)
}

/// The columns of `table`; `wanted` says which types they have where their values fit, also where no row has one.
fn of_table(table: &Table, wanted: impl Fn(&str) -> Option<DataType>) -> PolarsResult<DataFrame> {
    let columns = interruptible(&table.columns).enumerate().map(|(place, column)| {
        let cells = || table.rows.iter().map(move |row| row.get(place).unwrap_or(&Cell::Null));
        typed(&column.name, &cells, wanted(&column.name))
    });
    DataFrame::new(table.rows.len(), columns.collect())
}

/// What the cells of a column have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Nothing,
    Boolean,
    Whole,
    Real,
    Text,
}

impl Type {
    fn of(cell: &Cell) -> Type {
        match cell {
            Cell::Null => Type::Nothing,
            Cell::Boolean(_) => Type::Boolean,
            Cell::Integer(_) | Cell::Bytes(_) => Type::Whole,
            Cell::Span(_) | Cell::BytesPerSecond(_) | Cell::Share(_) | Cell::Number(_) => Type::Real,
            Cell::Text(_) => Type::Text,
        }
    }

    /// The narrowest type that holds both.
    fn with(self, other: Type) -> Type {
        match (self, other) {
            (one, other) if one == other => one,
            (Type::Nothing, other) | (other, Type::Nothing) => other,
            (Type::Whole, Type::Real) | (Type::Real, Type::Whole) => Type::Real,
            _ => Type::Text,
        }
    }
}

fn typed<'c, I: Iterator<Item = &'c Cell>>(name: &str, cells: &impl Fn() -> I, wanted: Option<DataType>) -> Column {
    let name = name.into();
    let found = cells().map(Type::of).fold(Type::Nothing, Type::with);
    // A value that does not fit its column's type is worth more than the type.
    let kind = match (found, &wanted) {
        (Type::Nothing, Some(DataType::Boolean)) => Type::Boolean,
        (Type::Nothing, Some(DataType::Int64 | DataType::UInt64)) => Type::Whole,
        (Type::Nothing | Type::Whole, Some(DataType::Float64)) => Type::Real,
        (_, Some(DataType::String)) => Type::Text,
        (kind, _) => kind,
    };
    match kind {
        Type::Boolean => {
            let truth = |cell: &Cell| if let Cell::Boolean(truth) = cell { Some(*truth) } else { None };
            Column::new(name, cells().map(truth).collect::<Vec<_>>())
        }
        Type::Whole => whole_numbers(name, cells, wanted == Some(DataType::UInt64)),
        Type::Real => Column::new(name, cells().map(real).collect::<Vec<_>>()),
        Type::Nothing | Type::Text => {
            let text = |cell: &Cell| match cell {
                Cell::Null => None,
                Cell::Text(text) => Some(text.clone()),
                other => Some(delimited::machine_text(other)),
            };
            Column::new(name, cells().map(text).collect::<Vec<_>>())
        }
    }
}

/// A column of whole numbers in the first type that holds them all; of numbers beyond both, text. Of `unsigned` ones Int64
/// is not looked at first.
fn whole_numbers<'c, I: Iterator<Item = &'c Cell>>(
    name: polars::prelude::PlSmallStr,
    cells: &impl Fn() -> I,
    unsigned: bool,
) -> Column {
    let number = |cell: &Cell| match cell {
        Cell::Integer(number) => Some(*number),
        Cell::Bytes(amount) => Some(i128::from(*amount)),
        _ => None,
    };
    let numbers = || cells().map(number);
    let signed = || all_fit::<i64>(numbers()).map(|fitting| Column::new(name.clone(), fitting));
    let positive = || all_fit::<u64>(numbers()).map(|fitting| Column::new(name.clone(), fitting));
    match if unsigned { positive().or_else(signed) } else { signed().or_else(positive) } {
        Some(column) => column,
        None => Column::new(name, numbers().map(|number| number.map(|number| number.to_string())).collect::<Vec<_>>()),
    }
}

/// The numbers in a type; nothing where one does not fit.
fn all_fit<T: TryFrom<i128>>(numbers: impl Iterator<Item = Option<i128>>) -> Option<Vec<Option<T>>> {
    numbers
        .map(|number| number.map(|number| T::try_from(number).ok()).map_or(Some(None), |fit| fit.map(Some)))
        .collect()
}

/// The number that JSON has for a cell. What is not finite there is null.
fn real(cell: &Cell) -> Option<f64> {
    #[allow(clippy::cast_precision_loss)] // As in JSON, where a column has fractions beside whole numbers.
    let number = match cell {
        Cell::Span(span) => span.seconds(),
        Cell::BytesPerSecond(number) | Cell::Share(number) | Cell::Number(number) => *number,
        Cell::Integer(number) => *number as f64,
        Cell::Bytes(amount) => *amount as f64,
        Cell::Null | Cell::Text(_) | Cell::Boolean(_) => return None,
    };
    Some(number).filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mptcp_trace::Span;

    fn column(cells: Vec<Cell>) -> Column {
        let mut table = Table::new(&["column"]);
        table.rows = cells.into_iter().map(|cell| vec![cell]).collect();
        of_table(&table, |_| None).unwrap().column("column").unwrap().clone()
    }

    #[test]
    fn a_column_has_the_narrowest_type_that_holds_all() {
        let largest = Cell::Integer(u64::MAX.into());
        let types = [
            (vec![Cell::Integer(1), Cell::Null], DataType::Int64),
            (vec![Cell::Bytes(1), largest.clone()], DataType::UInt64),
            (vec![Cell::Integer(-1), largest], DataType::String),
            (vec![Cell::Integer(1), Cell::Number(0.5)], DataType::Float64),
            (vec![Cell::Span(Span::from_milliseconds(1500))], DataType::Float64),
            (vec![Cell::Boolean(true), Cell::Null], DataType::Boolean),
            (vec![Cell::Integer(1), Cell::Text("a".into())], DataType::String),
            (vec![Cell::Null], DataType::String),
        ];
        for (cells, expected) in types {
            let column = column(cells.clone());
            assert_eq!((column.dtype(), column.len()), (&expected, cells.len()), "{cells:?}");
            assert_eq!(column.null_count(), cells.iter().filter(|cell| **cell == Cell::Null).count());
        }
    }

    #[test]
    fn a_column_without_values_has_the_type_that_is_wanted() {
        let mut table = Table::new(&["rtt", "bytes", "dsn", "backup", "kind"]);
        table.rows = vec![vec![Cell::Null; 5]];
        let wanted = [
            ("rtt", DataType::Float64),
            ("bytes", DataType::Int64),
            ("dsn", DataType::UInt64),
            ("backup", DataType::Boolean),
        ];
        let wanted = |name: &str| wanted.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind.clone());
        let frame = of_table(&table, wanted).unwrap();
        let types: Vec<&DataType> = frame.columns().iter().map(Column::dtype).collect();
        assert_eq!(
            types,
            [&DataType::Float64, &DataType::Int64, &DataType::UInt64, &DataType::Boolean, &DataType::String]
        );
        table.rows =
            vec![vec![Cell::Integer(1), Cell::Text("a".into()), Cell::Integer(1), Cell::Null, Cell::Integer(1)]];
        let frame = of_table(&table, wanted).unwrap();
        let types: Vec<&DataType> = frame.columns().iter().map(Column::dtype).collect();
        assert_eq!(
            types,
            [&DataType::Float64, &DataType::String, &DataType::UInt64, &DataType::Boolean, &DataType::Int64]
        );
    }

    #[test]
    fn times_are_seconds_and_what_is_not_finite_is_missing() {
        let column = column(vec![Cell::Span(Span::from_milliseconds(1500)), Cell::Number(f64::INFINITY)]);
        let values: Vec<Option<f64>> = column.f64().unwrap().iter().collect();
        assert_eq!(values, [Some(1.5), None]);
    }
}
