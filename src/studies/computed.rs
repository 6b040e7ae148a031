//! Which captures have what a study reads: in a dataset of several runs, some may have been analyzed without one of the
//! tables, or by an older program without one of the columns. That is not the same as having nothing to tell.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use super::population::Keys;
use super::registry::Study;
use crate::dataset::layout::{Layout, files};
use crate::dataset::tables::{self, CAPTURES, Table};
use crate::dataset::{marks, read};
use crate::error::Result;
use mptcp_trace::interrupt;
use mptcp_trace::units::counted;

/// The captures that have what `study` reads, and what to say of the others.
///
/// # Errors
/// When a file cannot be read, and on Ctrl-C.
pub fn captures_with(dataset: &Layout, study: &dyn Study) -> Result<(HashSet<u64>, Vec<String>)> {
    let marks = marks::of_dataset(dataset)?;
    let mut captures: HashSet<u64> = marks.all().filter_map(|(key, _)| u64::from_str_radix(key, 16).ok()).collect();
    let mut needed: BTreeMap<&str, &[&str]> = study.needs().iter().copied().collect();
    needed.entry(study.subject().name()).or_default();
    needed.remove(CAPTURES);
    let before = captures.len();
    let mut lacking: Vec<&str> = Vec::new();
    for (capture, mark) in marks.all() {
        let (Some(rows), Ok(key)) = (mark.rows(), u64::from_str_radix(capture, 16)) else { continue };
        let missing: Vec<&str> = needed.keys().copied().filter(|table| !rows.contains_key(*table)).collect();
        if !missing.is_empty() && captures.remove(&key) {
            lacking.extend(missing.into_iter().filter(|table| !lacking.contains(table)).collect::<Vec<_>>());
        }
    }
    lacking.sort_unstable();
    let mut notes = Vec::new();
    if captures.len() < before {
        let left_out = counted(before.saturating_sub(captures.len()) as u64, "capture");
        let (noun, names) = (if lacking.len() == 1 { "table" } else { "tables" }, lacking.join("`, `"));
        notes.push(format!(
            "Left out: {left_out}, analyzed without the {noun} `{names}`; `analyze … --tables all` writes all."
        ));
    }
    let before = captures.len();
    for name in needed.keys() {
        let parts: HashSet<PathBuf> = files(&dataset.table(name))?.into_iter().collect();
        let lost = marks.all().filter(|(capture, mark)| {
            let rows = mark.rows().and_then(|rows| rows.get(*name)).copied().unwrap_or(0);
            rows > 0 && !mark.is_compacted() && !parts.contains(&dataset.part(name, capture))
        });
        for key in lost.filter_map(|(capture, _)| u64::from_str_radix(capture, 16).ok()) {
            captures.remove(&key);
        }
    }
    if captures.len() < before {
        let left_out = counted(before.saturating_sub(captures.len()) as u64, "capture");
        notes.push(format!("Left out: {left_out} whose files are missing; `dataset verify` names them."));
    }
    let before = captures.len();
    for (name, columns) in needed {
        let Some(table) = tables::find(name) else { continue };
        without_columns(dataset, table, columns, &mut captures)?;
    }
    if captures.len() < before {
        let left_out = counted(before.saturating_sub(captures.len()) as u64, "capture");
        notes.push(format!(
            "Left out: {left_out}, analyzed by an older program without what this study reads; `analyze … --force` \
             analyzes them again."
        ));
    }
    Ok((captures, notes))
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
