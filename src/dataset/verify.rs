//! Whether a dataset is whole.

use std::collections::HashMap;
use std::path::Path;

use serde::Serialize;

use super::layout::{self, Layout};
use super::marks::{self, Marks};
use super::tables::{CAPTURES, LABEL, TABLES, Table};
use super::task::Status;
use super::{compact, read};
use crate::error::Result;
use mptcp_trace::interrupt;
use mptcp_trace::units::counted;

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
        let mut places: HashMap<String, Place> = HashMap::new();
        for path in layout::files(&dataset.table(table.name))? {
            interrupt::check()?;
            let file = path.strip_prefix(dataset.root()).unwrap_or(&path).display().to_string();
            for problem in look(table, &path, &file, &marks, &mut places, &mut verified) {
                verified.problems.push(Problem { table: table.name, file: file.clone(), problem });
            }
        }
        verified.problems.extend(missing(dataset, table, &marks, &places));
    }
    Ok(verified)
}

/// Where the rows of a capture are, and how many.
struct Place {
    file: String,
    rows: u64,
}

/// Rows that `captures` tells of and that are not there.
fn missing(dataset: &Layout, table: &Table, marks: &Marks, places: &HashMap<String, Place>) -> Vec<Problem> {
    let mut problems: Vec<Problem> = interrupt::interruptible(marks.all())
        .filter_map(|(capture, mark)| {
            let wanted = *mark.rows()?.get(table.name)?;
            let place = places.get(capture);
            let found = place.map_or(0, |place| place.rows);
            if found == wanted {
                return None;
            }
            let again =
                if mark.is_compacted() || found > 0 { "analyze it again with --force" } else { "analyze it again" };
            let part = dataset.part(table.name, capture);
            let part = part.strip_prefix(dataset.root()).unwrap_or(&part).display().to_string();
            let problem = format!(
                "{} of capture {capture} ({}) should be there, {} are; {again}",
                counted(wanted, "row"),
                mark.path(),
                counted(found, "row"),
            );
            Some(Problem { table: table.name, file: place.map_or(part, |place| place.file.clone()), problem })
        })
        .collect();
    problems.sort_by(|one, other| one.file.cmp(&other.file));
    problems
}

fn look(
    table: &Table,
    path: &Path,
    file: &str,
    marks: &Marks,
    places: &mut HashMap<String, Place>,
    verified: &mut Verified,
) -> Vec<String> {
    let Ok(frame) = read::file(path, |_| true) else {
        let whose = if compact::is_compacted(path) { "its captures again with --force" } else { "the capture again" };
        return vec![format!("it cannot be read; remove it, and analyze {whose}")];
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
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for key in interrupt::interruptible(keys.iter().flatten()) {
        let count = counts.entry(key).or_default();
        *count = count.saturating_add(1);
    }
    for (key, rows) in counts {
        let status = marks.of(key).map(|mark| mark.status);
        if table.name != CAPTURES && !status.is_some_and(Status::has_rows) {
            problems.push(format!("rows of capture {key}, which is not in `captures`; analyze it again"));
        }
        if let Some(other) = places.insert(key.to_string(), Place { file: file.to_string(), rows }) {
            let other = other.file;
            problems.push(format!("rows of capture {key} are in {other} as well; remove one of the files"));
        }
    }
    problems
}
