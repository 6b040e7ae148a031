//! Reading the tables of a dataset, as parts or compacted.

use std::fs::File;
use std::path::Path;

use polars::prelude::*;
use polars_io::SerReader;
use polars_io::parquet::read::{ParallelStrategy, ParquetReader};

use super::layout::{self, Layout};
use super::tables::{TABLES, Table};
use crate::analysis::sql::Names;
use crate::error::{Error, Result};
use crate::packets::exported::contain;
use mptcp_trace::interrupt;

/// The rows of one file, with the wanted ones of its columns.
///
/// # Errors
/// When it cannot be read, or is not Parquet.
pub fn file(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<DataFrame> {
    let opened = File::open(path).map_err(|source| Error::file("read", path, source))?;
    let read = contain(|| {
        let mut reader = ParquetReader::new(opened).read_parallel(ParallelStrategy::None);
        let names = reader.schema()?.iter_names().map(ToString::to_string).filter(|name| wanted(name)).collect();
        reader.with_columns(Some(names)).finish()
    });
    read.and_then(PolarsResult::ok).ok_or_else(|| damaged(path))
}

/// The names of the columns of one file.
///
/// # Errors
/// As [`file`].
pub fn columns(path: &Path) -> Result<Vec<String>> {
    let opened = File::open(path).map_err(|source| Error::file("read", path, source))?;
    let names = contain(|| {
        let mut reader = ParquetReader::new(opened);
        reader.schema().map(|schema| schema.iter_names().map(ToString::to_string).collect())
    });
    names.and_then(PolarsResult::ok).ok_or_else(|| damaged(path))
}

fn damaged(path: &Path) -> Error {
    Error::Failed(format!("{} is damaged; see `dataset verify`", path.display()))
}

/// All rows of a table, in order of its files, with the wanted ones of its columns. Where a file lacks a column, its rows
/// have nothing there.
///
/// # Errors
/// When a file cannot be read, and on Ctrl-C.
pub fn table(dataset: &Layout, table: &Table, wanted: impl Fn(&str) -> bool) -> Result<DataFrame> {
    let mut frames = Vec::new();
    for path in layout::files(&dataset.table(table.name))? {
        interrupt::check()?;
        frames.push(file(&path, &wanted)?);
    }
    together(frames)
}

/// The names that a query over a dataset may mean.
#[must_use]
pub fn names(dataset: &Layout) -> Names {
    let tables = TABLES.iter().map(|table| table.name).collect();
    let columns = TABLES.iter().flat_map(|table| table.columns()).map(|spec| spec.name).collect();
    Names { tables, columns, listed_by: format!("sql --dataset {}", dataset.root().display()) }
}

/// The rows of frames, one after the other, with the columns of all.
///
/// # Errors
/// When columns of one name have several types.
pub fn together(frames: Vec<DataFrame>) -> Result<DataFrame> {
    let failed = |source| Error::Table { action: "put rows of a dataset together", source };
    let mut columns: Vec<(PlSmallStr, DataType)> = Vec::new();
    for frame in &frames {
        for column in frame.columns() {
            if !columns.iter().any(|(name, _)| name == column.name()) {
                columns.push((column.name().clone(), column.dtype().clone()));
            }
        }
    }
    let mut whole: Option<DataFrame> = None;
    for frame in frames {
        let height = frame.height();
        let filled = columns.iter().map(|(name, kind)| match frame.column(name) {
            Ok(column) => column.clone(),
            Err(_) => Column::full_null(name.clone(), height, kind),
        });
        let frame = DataFrame::new(height, filled.collect()).map_err(failed)?;
        match &mut whole {
            None => whole = Some(frame),
            Some(whole) => {
                whole.vstack_mut(&frame).map_err(failed)?;
            }
        }
    }
    let mut whole = whole.unwrap_or_default();
    whole.rechunk_mut();
    Ok(whole)
}
