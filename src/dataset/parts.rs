//! Which files of a dataset are there.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;

use super::layout::{self, Layout};
use super::marks::Mark;
use super::tables::{TABLES, Table};
use crate::error::Result;

/// Names of the files of each table.
pub struct Parts(HashMap<&'static str, HashSet<OsString>>);

impl Parts {
    /// Those of a dataset.
    ///
    /// # Errors
    /// When a folder cannot be listed.
    pub fn of(dataset: &Layout) -> Result<Self> {
        let names = |table: &'static Table| {
            let files = layout::files(&dataset.table(table.name))?;
            Ok((table.name, files.iter().filter_map(|path| path.file_name().map(OsString::from)).collect()))
        };
        TABLES.iter().map(names).collect::<Result<_>>().map(Parts)
    }

    /// Whether there is a part of each table that has rows of a capture.
    #[must_use]
    pub fn has_all(&self, capture: &str, mark: &Mark) -> bool {
        mark.rows().into_iter().flatten().all(|(table, _)| self.has(table, capture, mark))
    }

    /// Whether there is a part of this table, if it has rows of a capture. A file with the rows of several captures is
    /// not looked for.
    #[must_use]
    pub fn has(&self, table: &str, capture: &str, mark: &Mark) -> bool {
        let rows = mark.rows().and_then(|rows| rows.get(table)).copied().unwrap_or(0);
        rows == 0
            || mark.is_compacted()
            || self.0.get(table).is_none_or(|names| names.contains(&OsString::from(layout::part_name(capture))))
    }
}
