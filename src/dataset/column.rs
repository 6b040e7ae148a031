//! A column, declared once: its name, type, unit and meaning, and where its value comes from. The tables and
//! docs/dataset.md are made from it.

use polars::prelude::*;
use serde::Serialize;

/// The types of columns: those that DuckDB, polars, pandas and Spark all read. Nothing is unsigned, no instant has
/// nanoseconds, and no span is a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Counts, sizes and numbers of streams.
    Int64,
    /// Seconds, rates and shares.
    Float64,
    /// Names, addresses, and identifiers of more than 53 bits.
    String,
    /// True or false.
    Bool,
    /// Microseconds since 1970, UTC.
    Timestamp,
}

impl Kind {
    /// As in docs/dataset.md.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Kind::Int64 => "int64",
            Kind::Float64 => "float64",
            Kind::String => "string",
            Kind::Bool => "bool",
            Kind::Timestamp => "timestamp",
        }
    }

    /// The same as polars has it.
    #[must_use]
    pub fn dtype(self) -> DataType {
        match self {
            Kind::Int64 => DataType::Int64,
            Kind::Float64 => DataType::Float64,
            Kind::String => DataType::String,
            Kind::Bool => DataType::Boolean,
            Kind::Timestamp => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
        }
    }
}

/// What is declared of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Its unit; empty for none.
    pub unit: &'static str,
    /// Its meaning, a sentence without full stop.
    pub meaning: &'static str,
}

/// Where a value comes from.
enum Value<R> {
    Whole(fn(&R) -> Option<u64>),
    Fraction(fn(&R) -> Option<f64>),
    Text(fn(&R) -> Option<String>),
    Truth(fn(&R) -> Option<bool>),
    Time(fn(&R) -> Option<i64>),
}

/// A column of rows `R`.
pub struct Column<R> {
    /// Its declaration.
    pub spec: Spec,
    value: Value<R>,
}

impl<R> Column<R> {
    const fn new(name: &'static str, kind: Kind, unit: &'static str, meaning: &'static str, value: Value<R>) -> Self {
        Column { spec: Spec { name, kind, unit, meaning }, value }
    }

    /// The values of these rows.
    pub fn of(&self, rows: &[R]) -> polars::prelude::Column {
        let name = PlSmallStr::from_static(self.spec.name);
        match self.value {
            // Numbers of a capture are far from where the sign begins.
            Value::Whole(value) => {
                let signed = |row: &R| value(row).and_then(|number| i64::try_from(number).ok());
                Int64Chunked::from_iter_options(name, rows.iter().map(signed)).into_column()
            }
            Value::Fraction(value) => Float64Chunked::from_iter_options(name, rows.iter().map(value)).into_column(),
            Value::Text(value) => StringChunked::from_iter_options(name, rows.iter().map(value)).into_column(),
            Value::Truth(value) => BooleanChunked::from_iter_options(name, rows.iter().map(value)).into_column(),
            Value::Time(value) => {
                let times = Int64Chunked::from_iter_options(name, rows.iter().map(value));
                times.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_column()
            }
        }
    }
}

/// Whole numbers.
pub fn whole<R>(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    value: fn(&R) -> Option<u64>,
) -> Column<R> {
    Column::new(name, Kind::Int64, unit, meaning, Value::Whole(value))
}

/// Numbers with a fraction.
pub fn fraction<R>(
    name: &'static str,
    unit: &'static str,
    meaning: &'static str,
    value: fn(&R) -> Option<f64>,
) -> Column<R> {
    Column::new(name, Kind::Float64, unit, meaning, Value::Fraction(value))
}

/// Texts.
pub fn text<R>(name: &'static str, meaning: &'static str, value: fn(&R) -> Option<String>) -> Column<R> {
    Column::new(name, Kind::String, "", meaning, Value::Text(value))
}

/// True or false.
pub fn truth<R>(name: &'static str, meaning: &'static str, value: fn(&R) -> Option<bool>) -> Column<R> {
    Column::new(name, Kind::Bool, "", meaning, Value::Truth(value))
}

/// Points in time, in microseconds since 1970.
pub fn time<R>(name: &'static str, meaning: &'static str, value: fn(&R) -> Option<i64>) -> Column<R> {
    Column::new(name, Kind::Timestamp, "UTC", meaning, Value::Time(value))
}

/// The name that JSON has for a value of an enumeration.
pub fn named(value: &impl Serialize) -> Option<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Some(name),
        _ => None,
    }
}

/// The columns of a distribution: `$prefix_samples`, `$prefix_min_s` and so on. `$of` is a function from a row to it.
macro_rules! distribution {
    ($prefix:literal, $what:literal, $of:path) => {
        [
            $crate::dataset::column::whole(
                concat!($prefix, "_samples"),
                "",
                concat!("Number of ", $what),
                |row| $of(row).map(|found| found.samples),
            ),
            $crate::dataset::column::distribution!(@ $prefix, "min", $what, "Shortest of ", $of, min),
            $crate::dataset::column::distribution!(@ $prefix, "p25", $what, "25th percentile of ", $of, p25),
            $crate::dataset::column::distribution!(@ $prefix, "median", $what, "Median of ", $of, median),
            $crate::dataset::column::distribution!(@ $prefix, "mean", $what, "Mean of ", $of, mean),
            $crate::dataset::column::distribution!(@ $prefix, "stdev", $what, "Standard deviation of ", $of, stdev),
            $crate::dataset::column::distribution!(@ $prefix, "p75", $what, "75th percentile of ", $of, p75),
            $crate::dataset::column::distribution!(@ $prefix, "p90", $what, "90th percentile of ", $of, p90),
            $crate::dataset::column::distribution!(@ $prefix, "p95", $what, "95th percentile of ", $of, p95),
            $crate::dataset::column::distribution!(@ $prefix, "p97", $what, "97th percentile of ", $of, p97),
            $crate::dataset::column::distribution!(@ $prefix, "p98", $what, "98th percentile of ", $of, p98),
            $crate::dataset::column::distribution!(@ $prefix, "p99", $what, "99th percentile of ", $of, p99),
            $crate::dataset::column::distribution!(@ $prefix, "max", $what, "Longest of ", $of, max),
        ]
    };
    (@ $prefix:literal, $name:literal, $what:literal, $which:literal, $of:path, $field:ident) => {
        $crate::dataset::column::fraction(
            concat!($prefix, "_", $name, "_s"),
            "s",
            concat!($which, $what),
            |row| $of(row).and_then(|found| found.$field),
        )
    };
}
pub(crate) use distribution;
