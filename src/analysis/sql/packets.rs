//! The packet table as a query sees it.

use std::collections::HashSet;

use mptcp_trace::interrupt;
use polars::prelude::*;

use crate::error::Result;
use crate::packets::{LoadedCapture, portable, schema};

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
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let words: HashSet<&str> = without_count.split(|character| !is_part(character)).collect();
    // Wireshark's names have dots.
    let named =
        |name: &str| if name.chars().all(is_part) { words.contains(name) } else { without_count.contains(name) };
    // Rows are counted by some column.
    let table = capture.columns(|name| all || name == "packetid" || named(name))?;
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
        kind if kind.is_unsigned_integer() && printed_in_hexadecimal => portable::identifiers(column),
        kind if kind.is_unsigned_integer() => column.cast(&DataType::Int64),
        DataType::List(inner) if inner.is_unsigned_integer() => column.cast(&DataType::List(Box::new(DataType::Int64))),
        DataType::Duration(_) => portable::seconds(column),
        _ => Ok(column.clone()),
    }
}
