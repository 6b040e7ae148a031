//! Which captures have what a study reads: in a dataset of several runs, some may have been analyzed without one of the
//! tables, or by an older program without one of the columns. That is not the same as having nothing to tell.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::population::Keys;
use super::registry::Study;
use crate::dataset::layout::{Layout, files};
use crate::dataset::marks::{self, Marks};
use crate::dataset::parts::Parts;
use crate::dataset::read;
use crate::dataset::tables::{self, CAPTURES, Table};
use crate::error::Result;
use mptcp_trace::interrupt;
use mptcp_trace::units::counted;

/// The captures that have what `study` reads, and what to say of the others.
///
/// # Errors
/// When a file cannot be read, and on Ctrl-C.
pub fn captures_with(dataset: &Layout, study: &dyn Study) -> Result<(HashSet<u64>, Vec<String>)> {
    let marks = marks::of_dataset(dataset)?;
    let mut captures: HashSet<u64> = marks.all().filter_map(|(capture, _)| number(capture)).collect();
    let mut needed: BTreeMap<&str, &[&str]> = study.needs().iter().copied().collect();
    needed.entry(study.subject().name()).or_default();
    needed.remove(CAPTURES);
    let tables: Vec<&str> = needed.keys().copied().collect();
    let mut notes = Vec::new();
    let mut note = |before: usize, captures: &HashSet<u64>, why: &str| {
        let left_out = before.saturating_sub(captures.len()) as u64;
        if left_out > 0 {
            notes.push(format!("Left out: {}{why}", counted(left_out, "capture")));
        }
    };

    let before = captures.len();
    let lacking = without_tables(&marks, &tables, &mut captures);
    let (noun, names) = (if lacking.len() == 1 { "table" } else { "tables" }, lacking.join("`, `"));
    note(before, &captures, &format!(", analyzed without the {noun} `{names}`; `analyze … --tables all` writes all."));

    let before = captures.len();
    let parts = Parts::of(dataset)?;
    for (capture, mark) in marks.all() {
        if let Some(key) = number(capture)
            && !tables.iter().all(|table| parts.has(table, capture, mark))
        {
            captures.remove(&key);
        }
    }
    note(before, &captures, " whose files are missing; `dataset verify` names them.");

    let before = captures.len();
    for (name, columns) in needed {
        let Some(table) = tables::find(name) else { continue };
        without_columns(dataset, table, columns, &mut captures)?;
    }
    note(
        before,
        &captures,
        ", analyzed by an older program without what this study reads; `analyze … --force` analyzes them again.",
    );
    Ok((captures, notes))
}

/// The key of a capture as a number.
fn number(capture: &str) -> Option<u64> {
    u64::from_str_radix(capture, 16).ok()
}

/// Takes out the captures that were analyzed without one of the tables; returns these tables.
fn without_tables<'a>(marks: &Marks, tables: &[&'a str], captures: &mut HashSet<u64>) -> Vec<&'a str> {
    let mut lacking: BTreeSet<&str> = BTreeSet::new();
    for (capture, mark) in marks.all() {
        let (Some(rows), Some(key)) = (mark.rows(), number(capture)) else { continue };
        let missing: Vec<&str> = tables.iter().copied().filter(|table| !rows.contains_key(*table)).collect();
        if !missing.is_empty() && captures.remove(&key) {
            lacking.extend(missing);
        }
    }
    lacking.into_iter().collect()
}

/// Takes out the captures of files that lack one of the columns.
fn without_columns(dataset: &Layout, table: &Table, columns: &[&str], captures: &mut HashSet<u64>) -> Result<()> {
    for file in files(&dataset.table(table.name))? {
        interrupt::check()?;
        let there = read::columns(&file)?;
        if columns.iter().all(|column| there.iter().any(|name| name == column)) {
            continue;
        }
        let frame = read::file(&file, |name| name == "capture")?;
        let keys = Keys::of(&frame, None)?;
        for (capture, _) in (0..frame.height()).filter_map(|place| keys.get(place)) {
            captures.remove(&capture);
        }
    }
    Ok(())
}
