//! The members of a study: the connections (or subflows, …) that it counts, the group of each, and their rows in the
//! tables of the dataset.

use std::collections::HashMap;

use polars::prelude::*;

use super::member::Member;
use crate::dataset::layout::Layout;
use crate::dataset::{read, tables};
use crate::drawing::distributions::Values;
use crate::error::{Error, Result};
use mptcp_trace::interrupt::interruptible;

/// What tells members apart: the capture's key as a number, and the number of the connection or stream in it.
pub(super) type Key = (u64, i64);

/// The members of a study.
#[derive(Debug)]
pub struct Population<'a> {
    pub(super) dataset: &'a Layout,
    pub(super) subject: Member,
    /// The members by their keys; each has its place.
    pub(super) members: HashMap<Key, usize>,
    /// The group of each member.
    pub(super) group_of: Vec<usize>,
    /// The names of groups; one without a name where there are none.
    pub(super) groups: Vec<String>,
    /// What to say of the selection.
    pub(super) notes: Vec<String>,
}

impl Population<'_> {
    /// How many members there are. Each is a number below this.
    #[must_use]
    pub fn len(&self) -> usize {
        self.group_of.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.group_of.is_empty()
    }

    /// The names of the groups; a single one without a name where the study has no groups.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// The group of a member.
    #[must_use]
    pub fn group(&self, member: usize) -> usize {
        self.group_of.get(member).copied().unwrap_or_default()
    }

    /// How many members each group has.
    #[must_use]
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0_usize; self.groups.len()];
        for group in &self.group_of {
            if let Some(size) = sizes.get_mut(*group) {
                *size = size.saturating_add(1);
            }
        }
        sizes
    }

    /// How many members of a group each capture has, where it has any; with one of them.
    #[must_use]
    pub fn members_per_capture(&self) -> Vec<(usize, usize)> {
        let mut counts: HashMap<(u64, usize), (usize, usize)> = HashMap::new();
        for ((capture, _), member) in &self.members {
            let (_, count) = counts.entry((*capture, self.group(*member))).or_insert((*member, 0));
            *count = count.saturating_add(1);
        }
        counts.into_values().collect()
    }

    /// What to say of the selection: groups that were left out, captures that are there twice.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names and places for values by group.
    #[must_use]
    pub fn grouped(&self) -> Grouped<'_> {
        self.grouped_by(&[""])
    }

    /// Names and places for values by group and by a class that the study adds.
    #[must_use]
    pub fn grouped_by(&self, classes: &[&str]) -> Grouped<'_> {
        let name = |group: &str, class: &str| match (group, class) {
            (group, "") => group.to_string(),
            ("", class) => class.to_string(),
            (group, class) => format!("{group}, {class}"),
        };
        let names = self.groups.iter().flat_map(|group| classes.iter().map(move |class| name(group, class)));
        Grouped { groups: names.map(|name| Values::new(name, Vec::new())).collect(), classes: classes.len(), of: self }
    }

    /// The sum of a column of a table for each member; 0 where it has no value there.
    ///
    /// # Errors
    /// As [`Population::each`].
    pub fn sums(&self, table: &str, column: &str) -> Result<Vec<f64>> {
        let mut sums = vec![0.0_f64; self.len()];
        self.each(table, [column], [], |member, [value], []| {
            sums.get_mut(member).into_iter().for_each(|sum| *sum += value.unwrap_or_default());
        })?;
        Ok(sums)
    }

    /// Calls `row` for each row of a table that belongs to a member: with the member, the values of the columns `numbers`,
    /// and those of `texts`. Truths are 0 and 1, instants microseconds.
    ///
    /// # Errors
    /// When a file cannot be read, and on Ctrl-C.
    pub fn each<const N: usize, const T: usize>(
        &self,
        table: &str,
        numbers: [&str; N],
        texts: [&str; T],
        mut row: impl FnMut(usize, [Option<f64>; N], [Option<&str>; T]),
    ) -> Result<()> {
        let key = self.subject.key();
        let wanted =
            |name: &str| name == "capture" || Some(name) == key || numbers.contains(&name) || texts.contains(&name);
        let frame = frame(self.dataset, table, wanted)?;
        let keys = Keys::of(&frame, key)?;
        let numbers: Vec<Float64Chunked> = numbers.iter().map(|name| numeric(&frame, name)).collect::<Result<_>>()?;
        let texts: Vec<StringChunked> = texts.iter().map(|name| textual(&frame, name)).collect::<Result<_>>()?;
        for place in interruptible(0..frame.height()) {
            let Some(member) = keys.get(place).and_then(|key| self.members.get(&key)) else { continue };
            let mut values = [None; N];
            values.iter_mut().zip(&numbers).for_each(|(value, column)| *value = column.get(place));
            let mut words = [None; T];
            words.iter_mut().zip(&texts).for_each(|(word, column)| *word = column.get(place));
            row(*member, values, words);
        }
        mptcp_trace::interrupt::check()?;
        Ok(())
    }
}

/// Values by group and class.
#[derive(Debug)]
pub struct Grouped<'a> {
    groups: Vec<Values>,
    classes: usize,
    of: &'a Population<'a>,
}

impl Grouped<'_> {
    /// Adds a value of a member.
    pub fn push(&mut self, member: usize, value: f64) {
        self.push_in(member, 0, value);
    }

    /// Adds a value of a member in a class.
    pub fn push_in(&mut self, member: usize, class: usize, value: f64) {
        let place = self.of.group(member).saturating_mul(self.classes).saturating_add(class);
        if let Some(group) = self.groups.get_mut(place) {
            group.values.push(value);
        }
    }

    /// The values.
    #[must_use]
    pub fn values(self) -> Vec<Values> {
        self.groups
    }
}

/// The keys of rows.
pub(super) struct Keys {
    captures: StringChunked,
    numbers: Option<Int64Chunked>,
}

impl Keys {
    /// Those of a frame; `key` is the column that tells rows of a capture apart.
    pub(super) fn of(frame: &DataFrame, key: Option<&str>) -> Result<Self> {
        let captures = textual(frame, "capture")?;
        let numbers = key.map(|key| frame.column(key).and_then(|column| column.i64().cloned()));
        Ok(Keys { captures, numbers: numbers.transpose().map_err(failed)? })
    }

    /// The key of a row; `None` where it has none.
    pub(super) fn get(&self, place: usize) -> Option<Key> {
        let capture = u64::from_str_radix(self.captures.get(place)?, 16).ok()?;
        match &self.numbers {
            Some(numbers) => Some((capture, numbers.get(place)?)),
            None => Some((capture, 0)),
        }
    }
}

/// The wanted columns of a table.
pub(super) fn frame(dataset: &Layout, table: &str, wanted: impl Fn(&str) -> bool) -> Result<DataFrame> {
    let table = tables::find(table).ok_or_else(|| Error::Failed(format!("unknown table `{table}`")))?;
    read::table(dataset, table, wanted)
}

fn failed(source: PolarsError) -> Error {
    Error::Table { action: "read a column of the dataset", source }
}

/// A column of numbers, instants or truths.
fn numeric(frame: &DataFrame, name: &str) -> Result<Float64Chunked> {
    let column = frame.column(name).map_err(failed)?;
    let column = match column.dtype() {
        DataType::Datetime(..) => &column.cast(&DataType::Int64).map_err(failed)?,
        _ => column,
    };
    column.cast(&DataType::Float64).and_then(|column| column.f64().cloned()).map_err(failed)
}

/// A column of texts; of other types as text.
pub(super) fn textual(frame: &DataFrame, name: &str) -> Result<StringChunked> {
    let column = frame.column(name).map_err(failed)?;
    column.cast(&DataType::String).and_then(|column| column.str().cloned()).map_err(failed)
}
