//! Many captures as one dataset.

mod bad_files;
mod compacted;
mod dask;
mod details;
mod documented;
mod joined;
mod kills;
mod missing;
mod numbers;
mod raw_fields;
mod readers;
mod runs;
mod spark;
mod studies;
mod studies_gallery;
mod sums;
mod traps;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use mptcpanalyzer::dataset::tables::Written;
use polars::prelude::{AnyValue, DataFrame, SerReader, TimeUnit};
use polars_io::parquet::read::ParquetReader;
use serde_json::{Map, Value};

use crate::support::program::{Finished, Home};
use crate::support::scenarios;

/// Rows of one table, each as JSON has it; instants in microseconds.
pub type Rows = Vec<Map<String, Value>>;

/// The names of the tables.
pub fn tables() -> Vec<&'static str> {
    mptcpanalyzer::dataset::tables::TABLES.iter().map(|table| table.name).collect()
}

/// The names of those that are always written.
pub fn base() -> Vec<&'static str> {
    let always = |table: &&mptcpanalyzer::dataset::tables::Table| table.written == Written::Always;
    mptcpanalyzer::dataset::tables::TABLES.iter().filter(always).map(|table| table.name).collect()
}

/// All rows of a table, in order of capture.
pub fn rows(dataset: &Path, table: &str) -> Rows {
    let mut rows = Vec::new();
    for file in parts(dataset, table) {
        let frame = ParquetReader::new(File::open(&file).unwrap()).finish().unwrap();
        rows.extend(rows_of(&frame));
    }
    rows.sort_by_key(|row| row["capture"].to_string());
    rows
}

/// The Parquet files of a table.
pub fn parts(dataset: &Path, table: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(dataset.join(table))
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    files.sort();
    files
}

fn rows_of(frame: &DataFrame) -> Rows {
    (0..frame.height())
        .map(|row| {
            let cells =
                frame.columns().iter().map(|column| (column.name().to_string(), value(&column.get(row).unwrap())));
            cells.collect()
        })
        .collect()
}

fn value(cell: &AnyValue<'_>) -> Value {
    match cell {
        AnyValue::Null => Value::Null,
        AnyValue::Boolean(truth) => Value::from(*truth),
        AnyValue::String(text) => Value::from(*text),
        AnyValue::StringOwned(text) => Value::from(text.as_str()),
        AnyValue::Int64(number) => Value::from(*number),
        AnyValue::Float64(number) => Value::from(*number),
        AnyValue::Datetime(time, TimeUnit::Microseconds, _)
        | AnyValue::DatetimeOwned(time, TimeUnit::Microseconds, _) => Value::from(*time),
        other => panic!("a type that not all readers know: {other:?}"),
    }
}

/// Analyses captures into `out`.
pub fn analyze(home: &Home, inputs: &[&Path], out: &Path, options: &[&str]) -> Finished {
    let mut words = vec!["analyze"];
    words.extend(inputs.iter().map(|input| input.to_str().unwrap()));
    words.extend(["--out", out.to_str().unwrap()]);
    words.extend(options);
    home.run(&words, "")
}

/// A folder with a copy of each of the [`small`] captures.
pub fn folder_of_small(home: &Home) -> PathBuf {
    let folder = home.path("captures");
    fs::create_dir(&folder).unwrap();
    for (number, path) in small().iter().enumerate() {
        fs::copy(path, folder.join(format!("{number}.pcap"))).unwrap();
    }
    folder
}

/// A folder with forty captures, some of which are copies of others.
pub fn folder_of_forty(home: &Home) -> PathBuf {
    let folder = home.path("captures");
    fs::create_dir(&folder).unwrap();
    for number in 0..40 {
        fs::copy(&small()[number % 12], folder.join(format!("{number}.pcap"))).unwrap();
    }
    folder
}

/// The content of a dataset: each file with its bytes.
pub fn content(dataset: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = crate::docs::documents::files_below(dataset).into_iter();
    files.map(|path| (path.strip_prefix(dataset).unwrap().display().to_string(), fs::read(&path).unwrap())).collect()
}

/// Where two contents differ: names of files.
pub fn differing(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
    let names = one.keys().chain(other.keys()).collect::<std::collections::BTreeSet<_>>();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

/// Small captures that the project has: each end of a few recordings.
pub fn small() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = scenarios::recorded();
    found.sort_by_key(|path| fs::metadata(path).unwrap().len());
    // Refused handshakes are the smallest; one and two subflows, IPv4 and IPv6 follow.
    found.into_iter().take(26).step_by(2).collect()
}
