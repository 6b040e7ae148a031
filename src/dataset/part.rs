//! Writing Parquet files, whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use polars::prelude::*;
use polars_io::parquet::write::{ParquetCompression, ParquetWriter};

use super::tables::Table;
use crate::column_facts;
use crate::error::{Error, Result};

/// Rows of this size in memory are not compressed, in bytes.
const SMALL: usize = 32 << 10;

/// Rows of `table` as Parquet: the same bytes wherever that is done.
///
/// # Errors
/// When polars refuses them.
pub fn encode(table: &Table, mut frame: DataFrame) -> Result<Vec<u8>> {
    let columns = table.columns();
    let unit = |name: &str| columns.iter().find(|spec| spec.name == name).map(|spec| spec.unit);
    let facts = column_facts::of(&frame, |name| unit(name).filter(|unit| ["B", "s", "B/s"].contains(unit)));
    let mut bytes = Vec::new();
    // A part is rarely larger than a block of the file system; making ready to compress takes longer than writing it.
    let small = frame.estimated_size() < SMALL;
    let compression = if small { ParquetCompression::Uncompressed } else { ParquetCompression::Zstd(None) };
    let writer = ParquetWriter::new(&mut bytes).with_compression(compression).set_parallel(false);
    let writer = writer.with_key_value_metadata(Some(facts));
    writer.finish(&mut frame).map_err(|source| Error::Table { action: "write a table", source })?;
    Ok(bytes)
}

/// Writes `bytes` into the folder `work` and then gives the file the name `target`, on the same file system: a reader sees
/// all of it or nothing.
///
/// # Errors
/// When the system refuses.
pub fn write_bytes(bytes: &[u8], work: &Path, target: &Path) -> Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let under_way = work.join(format!("{}-{number}", std::process::id()));
    let written = File::create(&under_way).and_then(|mut file| {
        file.write_all(bytes)?;
        // After a power failure the name must not stand for an empty file.
        file.sync_data()
    });
    written.and_then(|()| fs::rename(&under_way, target)).map_err(|source| Error::file("write", target, source))
}
