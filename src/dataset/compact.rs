//! Few large files in place of very many small ones.
//!
//! What is to be done is written down first (`_compaction.json`): names of new files and of old ones. From then on it is
//! done to the end, by the next command if this one is killed, and before that nothing has changed. Nobody else writes or
//! reads meanwhile, see [`Layout::alone`].

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::layout::{self, Alone, Layout};
use super::tables::{TABLES, Table};
use super::{part, read};
use crate::error::{Error, Result};
use mptcp_trace::interrupt;

/// What is being done.
const INTENT: &str = "_compaction.json";
/// Where the new files are until it is begun.
const FOLDER: &str = "_compaction";
/// Beginning of the names of large files.
const PREFIX: &str = "compact-";
/// Size of the rows of a large file in memory, in bytes: some five times that of the file.
const LARGE: usize = 640 << 20;
/// A file of this size is large enough to stay, in bytes.
const LARGE_ENOUGH: u64 = 64 << 20;

/// Files to be given their places, and files to be removed, by their paths within the dataset.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Intent {
    new: Vec<String>,
    old: Vec<String>,
}

/// Result of a compaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// The table.
    pub table: &'static str,
    /// Files before.
    pub files_before: u64,
    /// Files after.
    pub files: u64,
    /// Rows.
    pub rows: u64,
}

/// Puts the parts of all tables together.
///
/// # Errors
/// When a file cannot be read or written, and on Ctrl-C: then nothing has changed.
pub fn compact(dataset: &Layout, alone: &Alone) -> Result<Vec<Compacted>> {
    rewrite(dataset, alone, &HashSet::new(), |path| {
        let small = fs::metadata(path).is_ok_and(|metadata| metadata.len() < LARGE_ENOUGH);
        small && path != dataset_schema(path)
    })
}

/// Takes captures out of large files, so that they can be analyzed again.
///
/// # Errors
/// As [`compact`].
pub fn forget(dataset: &Layout, alone: &Alone, captures: &HashSet<&str>) -> Result<()> {
    rewrite(dataset, alone, captures, is_compacted).map(|_| ())
}

/// Whether a file holds the rows of many captures.
#[must_use]
pub fn is_compacted(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX))
}

/// The large files of all tables.
///
/// # Errors
/// When a folder cannot be listed.
pub fn large_files(dataset: &Layout) -> Result<Vec<PathBuf>> {
    let mut large = Vec::new();
    for table in TABLES {
        large.extend(layout::files(&dataset.table(table.name))?.into_iter().filter(|path| is_compacted(path)));
    }
    Ok(large)
}

/// The captures with rows in some of `large` files, whatever the table `captures` says. A file that cannot be read has none.
///
/// # Errors
/// On Ctrl-C.
pub fn captures_in(large: &[PathBuf]) -> Result<HashSet<String>> {
    let mut captures = HashSet::new();
    for path in large {
        interrupt::check()?;
        let Ok(frame) = read::file(path, |name| name == "capture") else { continue };
        let Ok(keys) = frame.column("capture").and_then(|column| column.str().cloned()) else { continue };
        for key in keys.iter().flatten() {
            if !captures.contains(key) {
                captures.insert(key.to_string());
            }
        }
    }
    Ok(captures)
}

/// The file without rows beside `path`.
fn dataset_schema(path: &Path) -> PathBuf {
    path.with_file_name("schema.parquet")
}

fn rewrite(
    dataset: &Layout,
    _: &Alone,
    without: &HashSet<&str>,
    wanted: impl Fn(&Path) -> bool,
) -> Result<Vec<Compacted>> {
    let folder = dataset.root().join(FOLDER);
    let failed = |source| Error::file("create", &folder, source);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir(&folder).map_err(failed)?;
    let mut intent = Intent::default();
    let mut report = Vec::new();
    // Rows whose capture is not there are left of a killed run, or were never finished.
    let known = known(dataset)?;
    for table in TABLES {
        let files = layout::files(&dataset.table(table.name))?;
        let before = files.iter().filter(|path| **path != dataset_schema(path)).count() as u64;
        let chosen: Vec<PathBuf> = files.into_iter().filter(|path| wanted(path)).collect();
        let mut writer =
            Writer { table, folder: &folder, intent: &mut intent, frames: Vec::new(), size: 0, written: 0 };
        let mut rows = 0;
        for path in &chosen {
            interrupt::check()?;
            let frame =
                keep(read::file(path, |_| true)?, |capture| known.contains(capture) && !without.contains(capture))?;
            rows += frame.height() as u64;
            writer.push(frame)?;
        }
        writer.flush()?;
        let written = writer.written;
        let old = |path: &PathBuf| path.strip_prefix(dataset.root()).map(|path| path.display().to_string()).ok();
        intent.old.extend(chosen.iter().filter_map(old));
        let files = before.saturating_sub(chosen.len() as u64).saturating_add(written);
        report.push(Compacted { table: table.name, files_before: before, files, rows });
    }
    // The same content has the same name, and stays.
    let new: BTreeSet<String> = intent.new.iter().cloned().collect();
    intent.old.retain(|path| !new.contains(path));
    let text = serde_json::to_vec_pretty(&intent).unwrap_or_default();
    part::write_bytes(&text, &folder, &dataset.root().join(INTENT))?;
    finish(dataset)?;
    Ok(report)
}

fn known(dataset: &Layout) -> Result<HashSet<String>> {
    let captures = read::table(dataset, super::tables::captures(), |name| name == "capture")?;
    let failed = |source| Error::Table { action: "read the captures", source };
    if captures.width() == 0 {
        return Ok(HashSet::new());
    }
    let keys = captures.column("capture").and_then(|column| column.str().cloned()).map_err(failed)?;
    Ok(keys.iter().flatten().map(str::to_string).collect())
}

fn keep(frame: DataFrame, wanted: impl Fn(&str) -> bool) -> Result<DataFrame> {
    let failed = |source| Error::Table { action: "select the rows of captures", source };
    let keys = frame.column("capture").and_then(|column| column.str().cloned()).map_err(failed)?;
    let kept: BooleanChunked = keys.iter().map(|key| Some(key.is_some_and(&wanted))).collect();
    if kept.all() {
        return Ok(frame);
    }
    frame.filter(&kept).map_err(failed)
}

/// Large files of one table under way.
struct Writer<'a> {
    table: &'static Table,
    folder: &'a Path,
    intent: &'a mut Intent,
    frames: Vec<DataFrame>,
    size: usize,
    written: u64,
}

impl Writer<'_> {
    fn push(&mut self, frame: DataFrame) -> Result<()> {
        if frame.height() == 0 {
            return Ok(());
        }
        self.size = self.size.saturating_add(frame.estimated_size());
        self.frames.push(frame);
        if self.size >= LARGE { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        if self.frames.is_empty() {
            return Ok(());
        }
        self.size = 0;
        let failed = |source| Error::Table { action: "sort the rows of captures", source };
        let rows = read::together(std::mem::take(&mut self.frames))?;
        // A stable order: rows of one capture stay as they are.
        let options = SortMultipleOptions::default().with_maintain_order(true).with_multithreaded(false);
        let rows = rows.sort(["capture"], options).map_err(failed)?;
        let bytes = part::Encoder::default().encode(self.table, rows)?;
        let mut hash = Xxh3::new();
        hash.update(&bytes);
        let name = format!("{PREFIX}{:016x}.parquet", hash.digest());
        let under_way = self.folder.join(self.table.name);
        fs::create_dir_all(&under_way).map_err(|source| Error::file("create", &under_way, source))?;
        part::write_bytes(&bytes, self.folder, &under_way.join(&name))?;
        self.intent.new.push(format!("{}/{name}", self.table.name));
        self.written += 1;
        Ok(())
    }
}

/// Does what was begun, to its end.
///
/// # Errors
/// When the system refuses.
pub fn finish(dataset: &Layout) -> Result<()> {
    let path = dataset.root().join(INTENT);
    let Ok(text) = fs::read(&path) else { return Ok(()) };
    let intent: Option<Intent> = serde_json::from_slice(&text).ok();
    let damaged = || Error::Failed(format!("{} is damaged; remove the dataset and make it again", path.display()));
    let intent = intent.ok_or_else(damaged)?;
    // Old files first: where this is stopped, rows are missing for a moment rather than twice there.
    for name in interrupt::interruptible(&intent.old) {
        layout::remove(&inside(dataset, name)?)?;
    }
    for name in &intent.new {
        let (from, to) = (dataset.root().join(FOLDER).join(name), inside(dataset, name)?);
        if from.exists() {
            fs::rename(&from, &to).map_err(|source| Error::file("write", &to, source))?;
        }
    }
    layout::remove(&path)?;
    let _ = fs::remove_dir_all(dataset.root().join(FOLDER));
    Ok(())
}

/// A file of a table; the list came from a file that anybody may have written.
fn inside(dataset: &Layout, name: &str) -> Result<PathBuf> {
    let parts: Vec<&str> = name.split('/').collect();
    match parts.as_slice() {
        [table, file] if super::tables::find(table).is_some() && !file.starts_with('.') => {
            Ok(dataset.table(table).join(file))
        }
        _ => Err(Error::Failed(format!("{name} is not a file of a table; remove {INTENT} of the dataset"))),
    }
}

/// Whether something was begun and not done.
#[must_use]
pub fn is_begun(dataset: &Layout) -> bool {
    dataset.root().join(INTENT).is_file()
}

/// Number of files of each table.
///
/// # Errors
/// When a folder cannot be listed.
pub fn files(dataset: &Layout) -> Result<BTreeMap<&'static str, u64>> {
    let count = |table: &'static Table| {
        let files = layout::files(&dataset.table(table.name))?;
        Ok((table.name, files.iter().filter(|path| **path != dataset_schema(path)).count() as u64))
    };
    TABLES.iter().map(count).collect()
}
