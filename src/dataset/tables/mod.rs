//! THE list of tables: the writer, the reader and docs/dataset.md all come from it.

mod ack_sizes;
mod addresses;
mod bursts;
mod captures;
mod connections;
mod directions;
mod events;
mod findings;
mod handovers;
mod handshakes;
mod reinjection_pairs;
mod reinjections;
mod retransmissions;
mod rtt_samples;
mod subflow_directions;
mod subflows;

use polars::prelude::*;

use super::analyzed::Analyzed;
use super::column::{self, Spec};

/// Every table, those that hold the others together first. A new table is one line here.
pub static TABLES: &[Table] = &[
    captures::TABLE,
    handshakes::TABLE,
    connections::TABLE,
    directions::TABLE,
    subflows::TABLE,
    subflow_directions::TABLE,
    reinjection_pairs::TABLE,
    handovers::TABLE,
    addresses::TABLE,
    events::TABLE,
    findings::TABLE,
    bursts::TABLE,
    reinjections::TABLE,
    retransmissions::TABLE,
    ack_sizes::TABLE,
    rtt_samples::TABLE,
];

/// Name of the table whose part is written last: a capture is in the dataset when it has a row there.
pub const CAPTURES: &str = "captures";

/// When a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// If nothing else is asked for.
    Always,
    /// It has many rows: if all tables are asked for, or this one.
    WithAll,
    /// It has a row for nearly every packet: only if it is named.
    Named,
}

/// One table.
pub struct Table {
    /// Its name, and that of its folder.
    pub name: &'static str,
    /// What one row is, a noun phrase.
    pub row: &'static str,
    /// Whether its rows have the label columns.
    pub labelled: bool,
    /// When it is written.
    pub written: Written,
    columns: fn() -> Vec<Spec>,
    frame: fn(&Analyzed<'_>) -> Vec<polars::prelude::Column>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

/// The column that every table begins with.
const KEY: Spec = Spec {
    name: "capture",
    kind: column::Kind::String,
    unit: "",
    meaning: "Key of the capture: 16 hexadecimal digits of XXH3-64 of its name",
};

/// Begins the names of label columns.
pub const LABEL: &str = "label_";

impl Table {
    /// Its columns, without those of labels.
    #[must_use]
    pub fn columns(&self) -> Vec<Spec> {
        std::iter::once(KEY).chain((self.columns)()).collect()
    }

    /// Its rows of one capture, with these labels: name and, where the capture has it, value.
    ///
    /// # Errors
    /// When polars refuses the columns.
    pub fn rows(&self, analyzed: &Analyzed<'_>, labels: &[(String, Option<String>)]) -> PolarsResult<DataFrame> {
        let columns = (self.frame)(analyzed);
        let height = columns.first().map_or(0, polars::prelude::Column::len);
        let mut all = vec![repeated(KEY.name, Some(&analyzed.task.capture), height)];
        all.extend(columns);
        if self.labelled {
            all.extend(
                labels.iter().map(|(name, value)| repeated(&format!("{LABEL}{name}"), value.as_deref(), height)),
            );
        }
        DataFrame::new(height, all)
    }

    /// The same without rows.
    ///
    /// # Errors
    /// When polars refuses the columns.
    pub fn empty(&self, labels: &[String]) -> PolarsResult<DataFrame> {
        let columns = self.columns();
        let own = columns.iter().map(|spec| (spec.name.to_string(), spec.kind.dtype()));
        let labels = labels.iter().filter(|_| self.labelled).map(|name| (format!("{LABEL}{name}"), DataType::String));
        let made = own.chain(labels).map(|(name, kind)| Column::new_empty(name.into(), &kind));
        DataFrame::new(0, made.collect())
    }
}

fn repeated(name: &str, value: Option<&str>, height: usize) -> polars::prelude::Column {
    StringChunked::from_iter_options(name.into(), std::iter::repeat_n(value, height)).into_column()
}

/// The table of captures.
#[must_use]
pub fn captures() -> &'static Table {
    static CAPTURES_TABLE: Table = captures::TABLE;
    &CAPTURES_TABLE
}

/// The table of that name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// The declarations of `columns`.
fn specs<R>(columns: Vec<column::Column<R>>) -> Vec<Spec> {
    columns.into_iter().map(|column| column.spec).collect()
}

/// The values of `columns` in these rows.
fn values<R>(columns: &[column::Column<R>], rows: &[R]) -> Vec<polars::prelude::Column> {
    columns.iter().map(|column| column.of(rows)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_every_column_says_what_it_means() {
        let mut tables = HashSet::new();
        for table in TABLES {
            assert!(tables.insert(table.name), "{} is there twice", table.name);
            let mut names = HashSet::new();
            for spec in table.columns() {
                assert!(names.insert(spec.name), "{}.{} is there twice", table.name, spec.name);
                assert!(!spec.meaning.is_empty() && !spec.meaning.ends_with('.'), "{}.{}", table.name, spec.name);
                assert_eq!(spec.name.ends_with("_s"), spec.unit == "s", "{}.{}", table.name, spec.name);
            }
        }
        assert_eq!(TABLES[0].name, CAPTURES);
    }
}
