//! A packet table leaves as a file and is loaded again.

use mptcpanalyzer::whole_file::Force;
use std::time::Instant;

use mptcpanalyzer::packets::exported::{Form, read, write};
use mptcpanalyzer::packets::schema::{self, Kind};
use polars::prelude::{Column, DataFrame, IntoColumn, NamedFrom, PlSmallStr, Series};

const ROWS: usize = 90_000;

/// A value in every column of every row, each row another.
fn column(name: &str, kind: Kind) -> Column {
    let name: PlSmallStr = name.into();
    let ids = 1..=ROWS as u64;
    match kind {
        Kind::U8 => Column::new(name, ids.map(|id| id as u8).collect::<Vec<_>>()),
        Kind::U16 => Column::new(name, ids.map(|id| id as u16).collect::<Vec<_>>()),
        Kind::U32 => Column::new(name, ids.map(|id| id as u32).collect::<Vec<_>>()),
        Kind::U64 if name == "packetid" => Column::new(name, ids.collect::<Vec<_>>()),
        Kind::U64 => Column::new(name, ids.map(|id| u64::MAX - id).collect::<Vec<_>>()),
        Kind::Bool => Column::new(name, ids.map(|id| id % 2 == 0).collect::<Vec<_>>()),
        Kind::Text => Column::new(name, ids.map(|id| format!("10.0.0.{}", id % 256)).collect::<Vec<_>>()),
        Kind::Instant | Kind::Span => {
            Column::new(name, ids.map(|id| id as i64).collect::<Vec<_>>()).cast(&kind.data_type()).unwrap()
        }
        Kind::ListU8 | Kind::ListU32 | Kind::ListU64 => {
            let items = Series::new("".into(), [2_u64, 3]);
            let list = Series::new(name, vec![items; ROWS]).into_column();
            list.cast(&kind.data_type()).unwrap()
        }
    }
}

#[test]
fn a_long_table_survives_every_form() {
    let columns: Vec<Column> = schema::packet_columns().map(|spec| column(spec.name, spec.kind)).collect();
    let table = DataFrame::new(ROWS, columns).unwrap();
    let directory = tempfile::tempdir().unwrap();
    for (form, name) in [(Form::Csv, "t.csv"), (Form::Parquet, "t.parquet"), (Form::Arrow, "t.arrow")] {
        let path = directory.path().join(name);
        let start = Instant::now();
        write(&table, &path, form, b',', Force::NotGiven).unwrap();
        let written = start.elapsed();
        let back = read(&path).unwrap();
        println!(
            "{form:?}: {ROWS} rows, {} bytes, written in {written:?}, read in {:?}",
            std::fs::metadata(&path).unwrap().len(),
            start.elapsed() - written
        );
        assert!(back.raw().unwrap().equals_missing(&table), "{form:?}");
    }
}
