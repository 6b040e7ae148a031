//! A packet table leaves as a file and is loaded again.

use mptcpanalyzer::delimiter::Delimiter;
use mptcpanalyzer::whole_file::Force;
use std::time::Instant;

use mptcpanalyzer::packets::exported::{Form, read, write};

use crate::cache::dissection;

const ROWS: usize = 90_000;

#[test]
fn a_long_table_survives_every_form() {
    let table = dissection(ROWS).raw().unwrap();
    let directory = tempfile::tempdir().unwrap();
    for (form, name) in [(Form::Csv, "t.csv"), (Form::Parquet, "t.parquet"), (Form::Arrow, "t.arrow")] {
        let path = directory.path().join(name);
        let start = Instant::now();
        write(&table, &path, form, Delimiter::COMMA, Force::NotGiven).unwrap();
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
