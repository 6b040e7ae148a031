//! From a dataset and the arguments `--where`, `--by` and `--distinct-content` to the members of a study.

use std::collections::{HashMap, HashSet};

use polars::prelude::*;

use super::computed::captures_with;
use super::member::Member;
use super::population::{Key, Keys, Population, frame, textual};
use super::registry::Study;
use crate::analysis::sql::{Limits, Named, query};
use crate::dataset::layout::{Layout, files};
use crate::dataset::read;
use crate::dataset::tables::{self, CAPTURES, LABEL, Table, Written};
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use mptcp_trace::memory;
use mptcp_trace::units::{counted, grouped};

/// Groups that a figure can tell apart; of more, those with most members are shown.
const MOST_GROUPS: usize = 24;

/// Columns of `captures` that copies of one file have in common, and no others: two recordings do not agree in all of these.
const CONTENT: [&str; 6] = ["size_bytes", "frames", "tcp_packets", "tcp_streams", "first_time", "last_time"];

/// What the line selects.
#[derive(Debug, Clone, Default)]
pub struct Selection<'a> {
    /// A condition in SQL on the columns of the subject.
    pub condition: Option<&'a str>,
    /// A label or a column whose values are the groups.
    pub by: Option<&'a str>,
    /// Whether captures of equal content count once.
    pub distinct_content: bool,
}

impl<'a> Population<'a> {
    /// The members that `study` counts.
    ///
    /// # Errors
    /// When the dataset lacks a table or column, and for a condition or label that it has not.
    pub fn select(dataset: &'a Layout, study: &dyn Study, wanted: &Selection<'_>) -> Result<Self> {
        check_tables(dataset, study)?;
        study.needs().iter().try_for_each(|(table, columns)| check_columns(dataset, table, columns))?;
        let subject = study.subject();
        let (computed, mut notes) = captures_with(dataset, study)?;
        let (captures, copies) = captures(dataset, wanted.distinct_content, &computed)?;
        notes.extend(copies);
        let allowed = wanted.condition.map(|condition| matching(dataset, subject, condition)).transpose()?;
        let by = wanted.by.map(|by| column_of(dataset, subject, by)).transpose()?;
        let frame = with_labels(dataset, subject, |name| Some(name) == by.as_deref())?;
        let keys = Keys::of(&frame, subject.key())?;
        let values = by.map(|by| textual(&frame, &by)).transpose()?;
        let mut members: Vec<(Key, String)> = Vec::new();
        for place in 0..frame.height() {
            let Some(key) = keys.get(place).filter(|key| captures.contains(&key.0)) else { continue };
            if allowed.as_ref().is_some_and(|allowed| !allowed.contains(&key)) {
                continue;
            }
            let group = match &values {
                Some(values) => values.get(place).filter(|value| !value.is_empty()).unwrap_or("(none)").to_string(),
                None => String::new(),
            };
            members.push((key, group));
        }
        let population =
            Population { dataset, subject, members: HashMap::new(), group_of: Vec::new(), groups: Vec::new(), notes };
        Ok(population.with_members(members))
    }

    /// Gives each member its place, and leaves the smallest groups out if there are too many.
    fn with_members(mut self, members: Vec<(Key, String)>) -> Self {
        let mut sizes: HashMap<&str, usize> = HashMap::new();
        for (_, group) in &members {
            let size = sizes.entry(group).or_default();
            *size = size.saturating_add(1);
        }
        let mut groups: Vec<(&str, usize)> = sizes.into_iter().collect();
        groups.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
        let left_out: Vec<usize> = groups.iter().skip(MOST_GROUPS).map(|(_, size)| *size).collect();
        groups.truncate(MOST_GROUPS);
        let mut names: Vec<String> = groups.into_iter().map(|(name, _)| name.to_string()).collect();
        names.sort_by(|one, other| match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(one), Ok(other)) => one.total_cmp(&other),
            _ => one.cmp(other),
        });
        if !left_out.is_empty() {
            self.notes.push(format!(
                "Left out: {} of {} groups, the smallest, with {} {}; --where selects others.",
                grouped(left_out.len() as u64),
                grouped(left_out.len().saturating_add(names.len()) as u64),
                grouped(left_out.iter().sum::<usize>() as u64),
                self.subject.name()
            ));
        }
        let places: HashMap<&str, usize> =
            names.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
        for (key, group) in &members {
            let Some(group) = places.get(group.as_str()) else { continue };
            // One key is one member, whatever a damaged table says.
            let next = self.group_of.len();
            if *self.members.entry(*key).or_insert(next) == next {
                self.group_of.push(*group);
            }
        }
        self.groups = if names.is_empty() { vec![String::new()] } else { names };
        self
    }
}

/// Refuses a dataset without some of the tables that a study needs.
fn check_tables(dataset: &Layout, study: &dyn Study) -> Result<()> {
    let needed = std::iter::once(study.subject().name()).chain(study.needs().iter().map(|(table, _)| *table));
    let mut missing: Vec<&Table> = Vec::new();
    for table in needed.filter_map(tables::find) {
        let known = missing.iter().any(|other| other.name == table.name);
        if !known && files(&dataset.table(table.name))?.is_empty() {
            missing.push(table);
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    let shown = dataset.root().display();
    let names: Vec<&str> = missing.iter().map(|table| table.name).collect();
    let wanted = if missing.iter().any(|table| table.written != Written::Always) { "all" } else { "base" };
    let (noun, names) = (if names.len() == 1 { "table" } else { "tables" }, names.join("`, `"));
    Err(Error::NotFound(format!(
        "the study needs the {noun} `{names}`, which {shown} does not have; run `analyze … --out {shown} --tables {wanted}`"
    )))
}

/// Refuses a dataset whose table lacks a column.
fn check_columns(dataset: &Layout, table: &str, columns: &[&str]) -> Result<()> {
    // The file without rows has the columns of the newest run.
    let (schema, there) = (dataset.schema(table), files(&dataset.table(table))?);
    let Some(file) = Some(&schema).filter(|schema| schema.is_file()).or_else(|| there.first()) else { return Ok(()) };
    let frame = crate::dataset::read::file(file, |_| true)?;
    match columns.iter().find(|column| frame.column(column).is_err()) {
        Some(column) => Err(Error::NotFound(format!(
            "the study needs the column `{column}` of {table}, which an older program did not write; analyze again with \
             `analyze … --out {} --force`",
            dataset.root().display()
        ))),
        None => Ok(()),
    }
}

/// The keys of captures that count, of those `among`, and what to say of copies.
fn captures(dataset: &Layout, distinct: bool, among: &HashSet<u64>) -> Result<(HashSet<u64>, Option<String>)> {
    let wanted = |name: &str| name == "capture" || name == "name" || CONTENT.contains(&name);
    let frame = frame(dataset, CAPTURES, wanted)?;
    let keys = Keys::of(&frame, None)?;
    let columns = CONTENT.iter().map(|name| textual(&frame, name)).collect::<Result<Vec<_>>>()?;
    let mut places: Vec<usize> = (0..frame.height()).collect();
    // The first by name counts, whatever the order of files.
    let names = textual(&frame, "name")?;
    places.sort_by(|one, other| names.get(*one).cmp(&names.get(*other)));
    let (mut all, mut seen, mut copies) = (HashSet::new(), HashSet::new(), 0_usize);
    for place in places {
        let Some((key, _)) = keys.get(place).filter(|(key, _)| among.contains(key)) else { continue };
        let content: Option<Vec<String>> = columns.iter().map(|column| column.get(place).map(str::to_string)).collect();
        // Where something is not known, nothing says that it is a copy.
        let copy = content.is_some_and(|content| !seen.insert(content));
        copies = copies.saturating_add(usize::from(copy));
        if !(copy && distinct) {
            all.insert(key);
        }
    }
    let note = (copies > 0).then(|| {
        let copies = counted(copies as u64, "capture");
        match distinct {
            true => format!("Left out: {copies} with the same content as another."),
            false => format!("{copies} with the same content as another; --distinct-content counts each content once."),
        }
    });
    Ok((all, note))
}

/// The keys of the rows that a condition in SQL holds for.
fn matching(dataset: &Layout, subject: Member, condition: &str) -> Result<HashSet<Key>> {
    let limits = Limits { rows: u64::from(u32::MAX).saturating_sub(1), memory: memory::limit() };
    let (name, key) = (subject.name(), subject.key());
    let columns = key.map_or_else(|| "capture".to_string(), |key| format!("capture, {key}"));
    let words = condition.to_lowercase();
    let text = format!("SELECT {columns} FROM {name} WHERE ({condition})");
    let answer = query(&text, limits, &read::names(dataset), |table| {
        if table != name {
            return Ok(Named::Unknown);
        }
        Ok(Named::Table(with_labels(dataset, subject, |column| words.contains(&column.to_lowercase()))?))
    });
    let answer = answer.map_err(|error| match error {
        Error::Usage(said) => Error::Usage(of_where(&said)),
        Error::NotFound(said) => Error::NotFound(of_where(&said)),
        Error::Failed(said) => Error::Failed(of_where(&said)),
        other => other,
    })?;
    let keys = Keys::of(&answer, key)?;
    Ok((0..answer.height()).filter_map(|place| keys.get(place)).collect())
}

/// What SQL says of a condition.
fn of_where(said: &str) -> String {
    format!("--where: {said}")
}

/// The column that `--by` means: a label, with or without `label_`, or a column of the subject.
fn column_of(dataset: &Layout, subject: Member, by: &str) -> Result<String> {
    let all = with_labels(dataset, subject, |_| true)?;
    let names: Vec<&str> = all.columns().iter().map(|column| column.name().as_str()).collect();
    let label = format!("{LABEL}{by}");
    if let Some(found) = [label.as_str(), by].into_iter().find(|name| names.contains(name)) {
        return Ok(found.to_string());
    }
    let labels: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(LABEL)).collect();
    let advice = did_you_mean(by, labels.iter().chain(&names).copied()).unwrap_or_else(|| match labels.as_slice() {
        [] => format!("the dataset has no labels; a column of {} is possible, too", subject.name()),
        labels => format!("the labels are {}", labels.join(", ")),
    });
    Err(Error::Usage(format!("unknown label `{by}`; {advice}")))
}

/// The wanted columns of the subject's table with its keys. Where the table has no labels, those of the captures.
fn with_labels(dataset: &Layout, subject: Member, wanted: impl Fn(&str) -> bool) -> Result<DataFrame> {
    let own = |name: &str| name == "capture" || Some(name) == subject.key();
    let mut all = frame(dataset, subject.name(), |name| own(name) || wanted(name))?;
    if subject.table().is_some_and(|table| table.labelled) {
        return Ok(all);
    }
    let labels = frame(dataset, CAPTURES, |name| name == "capture" || (name.starts_with(LABEL) && wanted(name)))?;
    let keys = Keys::of(&labels, None)?;
    let places: HashMap<u64, usize> =
        (0..labels.height()).filter_map(|place| Some((keys.get(place)?.0, place))).collect();
    let own = Keys::of(&all, None)?;
    for column in labels.columns().iter().filter(|column| column.name().starts_with(LABEL)) {
        let texts = textual(&labels, column.name())?;
        let value = |place: usize| texts.get(*places.get(&own.get(place)?.0)?);
        let filled = StringChunked::from_iter_options(column.name().clone(), (0..all.height()).map(value));
        let added = all.with_column(filled.into_column()).map(drop);
        added.map_err(|source| Error::Table { action: "add labels to a table", source })?;
    }
    Ok(all)
}
