//! Reading TOML with the lines of what is wrong in it.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use toml::de::{DeTable, DeValue};

use crate::terminal_text::is_unsafe;
use crate::toml_file::{Entry, Mistake, Source, Value, in_order, read};

/// One table of a manifest, whose keys are taken out one by one.
pub(super) struct Fields<'t> {
    source: &'t Source<'t>,
    /// Where the table begins.
    pub offset: usize,
    entries: Vec<Entry<'t>>,
}

impl<'t> Fields<'t> {
    /// The whole of a manifest. A key that is not in `known` is an error.
    pub fn of(source: &'t Source<'t>, known: &[&str]) -> Result<Self, Mistake> {
        Fields::of_entries(source, source.entries()?, 0, known)
    }

    fn of_table(source: &'t Source<'t>, table: DeTable<'t>, offset: usize, known: &[&str]) -> Result<Self, Mistake> {
        Fields::of_entries(source, in_order(table), offset, known)
    }

    fn of_entries(
        source: &'t Source<'t>,
        entries: Vec<Entry<'t>>,
        offset: usize,
        known: &[&str],
    ) -> Result<Self, Mistake> {
        match entries.iter().find(|entry| !known.contains(&entry.name.as_str())) {
            Some(entry) => Err(source.unknown(&entry.name, entry.at, known)),
            None => Ok(Fields { source, offset, entries }),
        }
    }

    /// Problem of this table.
    pub fn wrong(&self, what: impl Display) -> Mistake {
        self.source.wrong(self.offset, what)
    }

    fn remove(&mut self, key: &str) -> Option<(usize, Value<'t>)> {
        let place = self.entries.iter().position(|entry| entry.name == key)?;
        let entry = self.entries.remove(place);
        Some((entry.at, entry.value))
    }

    /// The value of `key`, which `fits` must hold for; `takes` says in words what that is.
    pub fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
        takes: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<Option<T>, Mistake> {
        let Some((offset, value)) = self.remove(key) else { return Ok(None) };
        match read(value).filter(fits) {
            Some(value) => Ok(Some(value)),
            None => Err(self.source.bad_value(offset, key, takes)),
        }
    }

    /// The same for a key that must be there.
    pub fn need<T: DeserializeOwned>(
        &mut self,
        key: &str,
        takes: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<T, Mistake> {
        let missing = self.wrong(format!("`{key}` is missing: it takes {takes}"));
        self.take(key, takes, fits)?.ok_or(missing)
    }

    /// A text for people on one line.
    pub fn line(&mut self, key: &str, takes: &str) -> Result<Option<String>, Mistake> {
        self.take(key, takes, |text: &String| !text.is_empty() && !text.chars().any(is_unsafe))
    }

    /// A text for people that may have several lines.
    pub fn paragraphs(&mut self, key: &str) -> Result<Option<String>, Mistake> {
        let harmless = |text: &String| !text.chars().any(|character| character != '\n' && is_unsafe(character));
        self.take(key, "text without control characters, in quotes", harmless)
    }

    /// The tables of a list: `[[key]]`.
    pub fn tables(&mut self, key: &str, known: &[&str]) -> Result<Vec<Fields<'t>>, Mistake> {
        let Some((offset, value)) = self.remove(key) else { return Ok(Vec::new()) };
        let not_tables = || self.source.wrong(offset, format!("`{key}` takes tables: write `[[{key}]]`"));
        let DeValue::Array(items) = value.into_inner() else { return Err(not_tables()) };
        let mut tables = Vec::new();
        for item in items {
            let start = item.span().start;
            let DeValue::Table(table) = item.into_inner() else { return Err(not_tables()) };
            tables.push(Fields::of_table(self.source, table, start, known)?);
        }
        Ok(tables)
    }

    /// A table: `key = { … }`.
    pub fn table(&mut self, key: &str, known: &[&str]) -> Result<Option<Fields<'t>>, Mistake> {
        let Some((offset, value)) = self.remove(key) else { return Ok(None) };
        match value.into_inner() {
            DeValue::Table(table) => Fields::of_table(self.source, table, offset, known).map(Some),
            _ => Err(self.source.wrong(offset, format!("`{key}` takes a table: `{key} = {{ … }}`"))),
        }
    }
}
