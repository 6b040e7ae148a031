//! Which captures are in a dataset, and as what: the table `captures`.

use std::collections::HashMap;
use std::fs::File;

use polars::prelude::*;
use polars_io::SerReader;
use polars_io::parquet::read::{ParallelStrategy, ParquetReader};

use super::layout::Layout;
use super::tables::CAPTURES;
use super::task::{Status, Task};
use crate::error::{Error, Result};
use crate::packets::exported::contain;
use mptcp_trace::interrupt;

/// What the dataset says of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// How it ended.
    pub status: Status,
    path: String,
    size: Option<i64>,
    mtime: Option<i64>,
    version: String,
    options: String,
}

impl Mark {
    /// Whether it is of this very file, and made by this version of the program with the same options.
    #[must_use]
    pub fn is_of(&self, task: &Task, version: &str) -> bool {
        self.path == task.path_text()
            && self.size == task.size.and_then(|size| i64::try_from(size).ok())
            && self.mtime == task.mtime
            && self.version == version
            && self.options == task.options
    }
}

/// The captures of a dataset, by key.
#[derive(Debug, Default)]
pub struct Marks(HashMap<String, Mark>);

impl Marks {
    /// What the dataset says of the capture with this key.
    #[must_use]
    pub fn of(&self, capture: &str) -> Option<&Mark> {
        self.0.get(capture)
    }
}

/// Reads the table `captures`. A file that cannot be read is left out: its captures are analysed again.
///
/// # Errors
/// When the folder cannot be listed, and on Ctrl-C.
pub fn read(dataset: &Layout) -> Result<Marks> {
    let mut marks = Marks::default();
    for file in super::layout::files(&dataset.table(CAPTURES))? {
        interrupt::check()?;
        let Some(frame) = contain(|| read_file(&file)).and_then(Result::ok) else { continue };
        take(&frame, &mut marks.0);
    }
    Ok(marks)
}

fn read_file(path: &std::path::Path) -> Result<DataFrame> {
    const COLUMNS: [&str; 7] = ["capture", "path", "size_bytes", "mtime", "status", "tool_version", "options"];
    let file = File::open(path).map_err(|source| Error::file("read", path, source))?;
    let reader = ParquetReader::new(file).read_parallel(ParallelStrategy::None);
    let reader = reader.with_columns(Some(COLUMNS.map(str::to_string).to_vec()));
    reader.finish().map_err(|source| Error::Table { action: "read the captures", source })
}

fn take(frame: &DataFrame, marks: &mut HashMap<String, Mark>) -> Option<()> {
    let text = |name: &str| frame.column(name).ok()?.str().ok();
    let mtime = frame.column("mtime").ok()?.datetime().ok()?.physical().clone();
    let (capture, path, status) = (text("capture")?, text("path")?, text("status")?);
    let (version, options) = (text("tool_version")?, text("options")?);
    let size = frame.column("size_bytes").ok()?.i64().ok()?;
    for row in 0..frame.height() {
        let (Some(capture), Some(status)) = (capture.get(row), status.get(row).and_then(Status::find)) else {
            continue;
        };
        let owned = |value: Option<&str>| value.unwrap_or_default().to_string();
        let mark = Mark {
            status,
            path: owned(path.get(row)),
            size: size.get(row),
            mtime: mtime.get(row),
            version: owned(version.get(row)),
            options: owned(options.get(row)),
        };
        marks.insert(capture.to_string(), mark);
    }
    Some(())
}
