//! Writing Parquet files, whole or not at all.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use polars::prelude::*;
use polars_io::parquet::write::{ParquetCompression, ParquetWriter};

use super::plain_parquet::Form;
use super::tables::Table;
use crate::column_facts;
use crate::error::{Error, Result};

/// Rows of this size in memory are written plainly, in bytes.
const SMALL: usize = 32 << 10;

/// Rows of tables as Parquet: the same bytes wherever that is done.
#[derive(Debug, Default)]
pub struct Encoder {
    /// What small files of a table have in common, and the columns that it is of.
    forms: HashMap<&'static str, (SchemaRef, Form)>,
}

impl Encoder {
    /// Rows of `table` as Parquet.
    ///
    /// # Errors
    /// When polars refuses them.
    pub fn encode(&mut self, table: &Table, mut frame: DataFrame) -> Result<Vec<u8>> {
        let encoded = if frame.estimated_size() < SMALL { self.small(table, &frame) } else { large(table, &mut frame) };
        encoded.map_err(|source| Error::Table { action: "write a table", source })
    }

    fn small(&mut self, table: &Table, frame: &DataFrame) -> PolarsResult<Vec<u8>> {
        if let Some((schema, form)) = self.forms.get(table.name)
            && schema == frame.schema()
        {
            return form.file(frame);
        }
        let form = Form::of(frame, &column_facts::arrow_schema(frame, units(table)))?;
        let file = form.file(frame);
        self.forms.insert(table.name, (Arc::clone(frame.schema()), form));
        file
    }
}

fn large(table: &Table, frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    let writer = ParquetWriter::new(&mut bytes).with_compression(ParquetCompression::Zstd(None)).set_parallel(false);
    writer.with_key_value_metadata(Some(column_facts::of(frame, units(table)))).finish(frame)?;
    Ok(bytes)
}

/// The units of columns that have one.
fn units(table: &Table) -> impl Fn(&str) -> Option<&'static str> {
    let columns = table.columns();
    move |name| {
        let unit = columns.iter().find(|spec| spec.name == name).map(|spec| spec.unit);
        unit.filter(|unit| ["B", "s", "B/s"].contains(unit))
    }
}

/// Writes `bytes` into the folder `work` and then gives the file the name `target`, on the same file system: a reader sees
/// all of it or nothing.
///
/// # Errors
/// When the system refuses.
pub fn write_bytes(bytes: &[u8], work: &Path, target: &Path) -> Result<()> {
    let mut files = Files::begin(work);
    files.add(bytes, target.to_path_buf())?;
    files.finish()
}

/// Files under way, which get their names together.
#[derive(Debug)]
pub struct Files<'a> {
    work: &'a Path,
    written: Vec<Written>,
}

#[derive(Debug)]
struct Written {
    file: File,
    under_way: PathBuf,
    target: PathBuf,
}

impl<'a> Files<'a> {
    /// In the folder `work`.
    #[must_use]
    pub fn begin(work: &'a Path) -> Self {
        Files { work, written: Vec::new() }
    }

    /// Writes what will be the file `target`, on the same file system as the folder.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn add(&mut self, bytes: &[u8], target: PathBuf) -> Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let under_way = self.work.join(format!("{}-{number}", std::process::id()));
        let written = File::create(&under_way).and_then(|mut file| file.write_all(bytes).map(|()| file));
        let file = written.map_err(|source| Error::file("write", &target, source))?;
        self.written.push(Written { file, under_way, target });
        Ok(())
    }

    /// Gives all of them their names, in the order in which they were added.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(self) -> Result<()> {
        // After a power failure no name must stand for an empty file.
        for Written { file, target, .. } in &self.written {
            file.sync_data().map_err(|source| Error::file("write", target, source))?;
        }
        for Written { under_way, target, .. } in &self.written {
            fs::rename(under_way, target).map_err(|source| Error::file("write", target, source))?;
        }
        Ok(())
    }
}
