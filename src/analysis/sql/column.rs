//! Columns of one value per row.

use mptcp_trace::Instant;
use polars::prelude::*;
use serde::Serialize;

/// Whole numbers.
pub fn whole<R>(name: &str, rows: &[R], value: impl Fn(&R) -> Option<u64>) -> Column {
    // Counts of a capture are far from where the sign begins.
    let numbers = rows.iter().map(|row| value(row).and_then(|number| i64::try_from(number).ok()));
    Column::new(name.into(), numbers.collect::<Vec<_>>())
}

/// Numbers with a fraction.
pub fn fraction<R>(name: &str, rows: &[R], value: impl Fn(&R) -> Option<f64>) -> Column {
    Column::new(name.into(), rows.iter().map(value).collect::<Vec<_>>())
}

/// True or false.
pub fn truth<R>(name: &str, rows: &[R], value: impl Fn(&R) -> Option<bool>) -> Column {
    Column::new(name.into(), rows.iter().map(value).collect::<Vec<_>>())
}

/// Texts.
pub fn text<R>(name: &str, rows: &[R], value: impl Fn(&R) -> Option<String>) -> Column {
    Column::new(name.into(), rows.iter().map(value).collect::<Vec<_>>())
}

/// The names that JSON has for values of an enumeration.
pub fn name<R, V: Serialize>(name: &str, rows: &[R], value: impl Fn(&R) -> V) -> Column {
    text(name, rows, |row| match serde_json::to_value(value(row)) {
        Ok(serde_json::Value::String(name)) => Some(name),
        _ => None,
    })
}

/// Instants.
pub fn instant<R>(name: &str, rows: &[R], value: impl Fn(&R) -> Option<Instant>) -> Column {
    let nanoseconds = rows.iter().map(|row| value(row).map(Instant::nanoseconds));
    let instants = Int64Chunked::from_iter_options(name.into(), nanoseconds);
    instants.into_datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)).into_column()
}
