//! The packet table as a query sees it.

use mptcp_trace::interrupt::{self, interruptible};
use polars::prelude::*;

use crate::error::Result;
use crate::packets::cells::hexadecimal;
use crate::packets::{LoadedCapture, schema};

/// The columns as values that SQL can compare and subtract: whole numbers with a sign, spans as seconds, and keys,
/// tokens and raw data sequence numbers as the text that all other commands print. Those that `query` cannot mean are
/// left out.
///
/// # Errors
/// As [`LoadedCapture::table`].
pub fn table(capture: &LoadedCapture, query: &str) -> Result<PolarsResult<DataFrame>> {
    // The star of COUNT(*) means no columns, only that of SELECT does.
    let without_count = query.to_lowercase().replace("(*)", "");
    let all = without_count.contains('*');
    // Rows are counted by some column.
    let table = capture.columns(|name| all || name == "packetid" || without_count.contains(name))?;
    let mut columns = Vec::new();
    for column in table.columns() {
        interrupt::check()?;
        match comparable(column) {
            Ok(column) => columns.push(column),
            Err(error) => return Ok(Err(error)),
        }
    }
    interrupt::check()?;
    Ok(DataFrame::new(table.height(), columns))
}

fn comparable(column: &Column) -> PolarsResult<Column> {
    let printed_in_hexadecimal = schema::find(column.name()).is_some_and(|spec| spec.hexadecimal);
    match column.dtype() {
        kind if kind.is_unsigned_integer() && printed_in_hexadecimal => {
            let digits = if *kind == DataType::UInt64 { 16 } else { 8 };
            let numbers = column.cast(&DataType::UInt64)?;
            let texts: StringChunked = interruptible(numbers.u64()?.iter())
                .map(|number| number.map(|number| hexadecimal(number, digits)))
                .collect();
            Ok(texts.with_name(column.name().clone()).into_column())
        }
        kind if kind.is_unsigned_integer() => column.cast(&DataType::Int64),
        DataType::List(inner) if inner.is_unsigned_integer() => column.cast(&DataType::List(Box::new(DataType::Int64))),
        DataType::Duration(unit) => {
            let in_a_second = match unit {
                TimeUnit::Nanoseconds => 1e9,
                TimeUnit::Microseconds => 1e6,
                TimeUnit::Milliseconds => 1e3,
            };
            #[allow(clippy::cast_precision_loss)] // Spans of captures are far from where a float loses nanoseconds.
            let seconds: Float64Chunked = column
                .to_physical_repr()
                .i64()?
                .iter()
                .map(|span| span.map(|span| span as f64 / in_a_second))
                .collect();
            Ok(seconds.with_name(column.name().clone()).into_column())
        }
        _ => Ok(column.clone()),
    }
}
