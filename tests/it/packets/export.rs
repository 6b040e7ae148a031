//! A packet table leaves as a file and is loaded again.

use mptcpanalyzer::delimiter::Delimiter;
use mptcpanalyzer::whole_file::Force;

use mptcpanalyzer::packets::exported::{TableForm, read, write};

use polars::prelude::SerReader;
use polars_io::ipc::IpcReader;
use polars_io::parquet::read::ParquetReader;

use crate::packets::cache::dissection;

const ROWS: usize = 90_000;

#[test]
fn a_long_table_comes_back_from_csv_and_other_programs_read_the_rest() {
    let table = dissection(ROWS).raw().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let written = |form, name| {
        let path = directory.path().join(name);
        write(&table, &path, form, Delimiter::COMMA, Force::NotGiven).unwrap();
        path
    };
    let back = read(&written(TableForm::Csv, "t.csv")).unwrap();
    assert!(back.raw().unwrap().equals_missing(&table));
    let file = std::fs::File::open(written(TableForm::Parquet, "t.parquet")).unwrap();
    assert!(ParquetReader::new(file).finish().unwrap().equals_missing(&table));
    let file = std::fs::File::open(written(TableForm::Arrow, "t.arrow")).unwrap();
    assert!(IpcReader::new(file).finish().unwrap().equals_missing(&table));
}
