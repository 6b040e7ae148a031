//! Columns in the types that every reader of Parquet and Arrow takes alike.
//!
//! - Identifiers (keys, tokens, random numbers, HMACs) are the text that JSON and CSV have, so that tables join.
//! - Spans are seconds: Parquet has no type for them, and DuckDB would take the nanoseconds of one for a number.
//! - Data sequence numbers are numbers of 64 bits, also where a text has them with `0x`.

use mptcp_trace::interrupt::interruptible;
use polars::prelude::*;

use super::cells::{hexadecimal, hexadecimal_digits};
use super::schema;

/// The frame in such types; after Ctrl-C its columns differ in length, which is an error.
///
/// # Errors
/// When polars refuses a column.
pub fn portable(frame: &DataFrame) -> PolarsResult<DataFrame> {
    let columns = frame.columns().iter().map(column).collect::<PolarsResult<Vec<_>>>()?;
    DataFrame::new(frame.height(), columns)
}

fn column(column: &Column) -> PolarsResult<Column> {
    let spec = schema::find(column.name());
    match column.dtype() {
        DataType::UInt32 | DataType::UInt64 if spec.is_some_and(|spec| spec.identifier) => identifiers(column),
        DataType::String if spec.is_some_and(|spec| spec.hexadecimal && !spec.identifier) => {
            Ok(sequence_numbers(column.str()?).unwrap_or_else(|| column.clone()))
        }
        DataType::Duration(_) => seconds(column),
        _ => Ok(column.clone()),
    }
}

/// Keys and tokens as the text that all commands print.
///
/// # Errors
/// When the column has no whole numbers.
pub fn identifiers(column: &Column) -> PolarsResult<Column> {
    let digits = if *column.dtype() == DataType::UInt64 { 16 } else { 8 };
    if column.is_full_null() {
        return Ok(Column::full_null(column.name().clone(), column.len(), &DataType::String));
    }
    let numbers = column.cast(&DataType::UInt64)?;
    let texts: StringChunked =
        interruptible(numbers.u64()?.iter()).map(|number| number.map(|number| hexadecimal(number, digits))).collect();
    Ok(texts.with_name(column.name().clone()).into_column())
}

/// Spans as seconds.
///
/// # Errors
/// When the column has none.
pub fn seconds(column: &Column) -> PolarsResult<Column> {
    let in_a_second = match column.dtype() {
        DataType::Duration(TimeUnit::Nanoseconds) => 1e9,
        DataType::Duration(TimeUnit::Microseconds) => 1e6,
        _ => 1e3,
    };
    let spans = column.to_physical_repr();
    #[allow(clippy::cast_precision_loss)] // Spans of captures are far from where a float loses nanoseconds.
    let seconds: Float64Chunked = spans.i64()?.iter().map(|span| span.map(|span| span as f64 / in_a_second)).collect();
    Ok(seconds.with_name(column.name().clone()).into_column())
}

/// The numbers of texts that all are such; nothing where one is not.
fn sequence_numbers(texts: &StringChunked) -> Option<Column> {
    let number = |text: &str| u64::from_str_radix(hexadecimal_digits(text), 16).ok();
    let numbers: Option<Vec<Option<u64>>> =
        interruptible(texts.iter()).map(|text| text.map_or(Some(None), |text| number(text).map(Some))).collect();
    Some(Column::new(texts.name().clone(), numbers?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_text_numbers_are_numbers_and_spans_seconds() {
        let spans = Column::new("reltime".into(), [Some(1_000_000_001_i64), None]);
        let frame = DataFrame::new(
            2,
            vec![
                Column::new("recvtok".into(), [Some(0x091e_2980_u32), None]),
                Column::new("sendkey".into(), [None, Some(u64::MAX)]),
                Column::new("dss_dsn".into(), [Some(u64::MAX), None]),
                Column::new("dsnraw64".into(), [Some("0xffffffffffffffff"), None]),
                spans.cast(&schema::ColumnType::Span.data_type()).unwrap(),
                Column::new("ipsrc".into(), ["10.0.1.1", "0x1"]),
            ],
        )
        .unwrap();
        let expected = DataFrame::new(
            2,
            vec![
                Column::new("recvtok".into(), [Some("0x091e2980"), None]),
                Column::new("sendkey".into(), [None, Some("0xffffffffffffffff")]),
                Column::new("dss_dsn".into(), [Some(u64::MAX), None]),
                Column::new("dsnraw64".into(), [Some(u64::MAX), None]),
                Column::new("reltime".into(), [Some(1.000_000_001), None]),
                Column::new("ipsrc".into(), ["10.0.1.1", "0x1"]),
            ],
        )
        .unwrap();
        assert!(portable(&frame).unwrap().equals_missing(&expected), "{frame:?}");
    }
}
