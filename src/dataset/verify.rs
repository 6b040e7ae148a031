//! Whether a dataset is whole.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Serialize;

use super::layout::{self, Layout};
use super::tables::{CAPTURES, LABEL, TABLES, Table};
use super::task::Status;
use super::{marks, read};
use crate::error::Result;
use mptcp_trace::interrupt;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The table.
    pub table: &'static str,
    /// The file, by its path within the dataset.
    pub file: String,
    /// What is wrong, a sentence without full stop.
    pub problem: String,
}

/// What was looked at, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Files that were read.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

/// Reads every file of a dataset.
///
/// # Errors
/// When a folder cannot be listed, and on Ctrl-C.
pub fn verify(dataset: &Layout) -> Result<Verified> {
    let mut verified = Verified::default();
    let marks = marks::of_dataset(dataset)?;
    for table in TABLES {
        // A capture's rows are in one file of each table.
        let mut places: HashMap<String, String> = HashMap::new();
        for path in layout::files(&dataset.table(table.name))? {
            interrupt::check()?;
            let file = path.strip_prefix(dataset.root()).unwrap_or(&path).display().to_string();
            for problem in look(table, &path, &file, &marks, &mut places, &mut verified) {
                verified.problems.push(Problem { table: table.name, file: file.clone(), problem });
            }
        }
    }
    Ok(verified)
}

fn look(
    table: &Table,
    path: &Path,
    file: &str,
    marks: &marks::Marks,
    places: &mut HashMap<String, String>,
    verified: &mut Verified,
) -> Vec<String> {
    let Ok(frame) = read::file(path, |_| true) else {
        return vec!["it cannot be read; remove it, and analyze the capture again".to_string()];
    };
    verified.files += 1;
    verified.rows += frame.height() as u64;
    let mut problems = Vec::new();
    for spec in table.columns() {
        match frame.column(spec.name) {
            Err(_) => problems.push(format!("the column `{}` is missing; analyze again with --force", spec.name)),
            Ok(column) if *column.dtype() != spec.kind.dtype() => {
                problems.push(format!("`{}` is {} instead of {}", spec.name, column.dtype(), spec.kind.name()));
            }
            Ok(_) => {}
        }
    }
    let declared = table.columns();
    for column in frame.columns() {
        let name = column.name().as_str();
        if !name.starts_with(LABEL) && !declared.iter().any(|spec| spec.name == name) {
            problems.push(format!("the column `{name}` is not one of the table"));
        }
    }
    let Ok(keys) = frame.column("capture").and_then(|column| column.str().cloned()) else { return problems };
    let keys: HashSet<&str> = keys.iter().flatten().collect();
    for key in keys {
        let status = marks.of(key).map(|mark| mark.status);
        if table.name != CAPTURES && !status.is_some_and(Status::has_rows) {
            problems.push(format!("rows of capture {key}, which is not in `captures`; analyze it again"));
        }
        if let Some(other) = places.insert(key.to_string(), file.to_string()) {
            problems.push(format!("rows of capture {key} are in {other} as well; remove one of the files"));
        }
    }
    problems
}
