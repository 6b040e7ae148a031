//! Which captures are in a dataset, and as what: the table `captures`.

use std::collections::{BTreeMap, HashMap, HashSet};

use polars::prelude::*;

use super::layout::Layout;
use super::tables::CAPTURES;
use super::task::{Status, Task};
use super::{compact, read, table_rows};
use crate::error::Result;
use mptcp_trace::interrupt;

/// What the dataset says of a capture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// How it ended.
    pub status: Status,
    /// Its name in the dataset.
    pub name: String,
    /// Number of files that it was recorded into.
    pub files: u64,
    /// Why there is nothing, or not all.
    pub error: Option<String>,
    path: String,
    size: Option<i64>,
    mtime: Option<i64>,
    version: String,
    options: String,
    compacted: bool,
    rows: Option<BTreeMap<String, u64>>,
}

impl Mark {
    /// The rows of each other table that was asked for; `None` where an older program did not say.
    #[must_use]
    pub fn rows(&self) -> Option<&BTreeMap<String, u64>> {
        self.rows.as_ref()
    }

    /// The path of the capture when it was analyzed.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether its rows are in files with those of others.
    #[must_use]
    pub fn is_compacted(&self) -> bool {
        self.compacted
    }

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

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Mark)> {
        self.0.iter().map(|(capture, mark)| (capture.as_str(), mark))
    }

    /// Those whose rows are in files with those of others.
    #[must_use]
    pub fn compacted(&self) -> HashSet<String> {
        self.0.iter().filter(|(_, mark)| mark.compacted).map(|(capture, _)| capture.clone()).collect()
    }
}

/// The columns that a mark is made of.
const COLUMNS: [&str; 11] = [
    "capture",
    "name",
    "path",
    "files",
    "size_bytes",
    "mtime",
    "status",
    "error",
    "tool_version",
    "options",
    "table_rows",
];

/// Reads the table `captures`. A file that cannot be read is left out: its captures are analyzed again.
///
/// # Errors
/// When the folder cannot be listed, and on Ctrl-C.
pub fn of_dataset(dataset: &Layout) -> Result<Marks> {
    let mut marks = Marks::default();
    for file in super::layout::files(&dataset.table(CAPTURES))? {
        interrupt::check()?;
        let Ok(frame) = read::file(&file, |name| COLUMNS.contains(&name)) else { continue };
        take(&frame, compact::is_compacted(&file), &mut marks.0);
    }
    Ok(marks)
}

fn take(frame: &DataFrame, compacted: bool, marks: &mut HashMap<String, Mark>) -> Option<()> {
    let text = |name: &str| frame.column(name).ok()?.str().ok();
    let mtime = frame.column("mtime").ok()?.datetime().ok()?.physical().clone();
    let (capture, path, status) = (text("capture")?, text("path")?, text("status")?);
    let (version, options) = (text("tool_version")?, text("options")?);
    let size = frame.column("size_bytes").ok()?.i64().ok()?;
    // Older programs did not write it.
    let rows = text("table_rows");
    let (name, error) = (text("name"), text("error"));
    let files = frame.column("files").ok().and_then(|column| column.i64().ok());
    for row in 0..frame.height() {
        let (Some(capture), Some(status)) = (capture.get(row), status.get(row).and_then(Status::find)) else {
            continue;
        };
        let owned = |value: Option<&str>| value.unwrap_or_default().to_string();
        let mark = Mark {
            status,
            name: owned(name.and_then(|name| name.get(row))),
            files: files.and_then(|files| files.get(row)).and_then(|files| u64::try_from(files).ok()).unwrap_or(1),
            error: error.and_then(|error| error.get(row)).map(str::to_string),
            path: owned(path.get(row)),
            size: size.get(row),
            mtime: mtime.get(row),
            version: owned(version.get(row)),
            options: owned(options.get(row)),
            compacted,
            rows: rows.and_then(|rows| rows.get(row)).map(table_rows::read),
        };
        marks.insert(capture.to_string(), mark);
    }
    Some(())
}
