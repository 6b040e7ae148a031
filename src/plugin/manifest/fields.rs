//! Reading TOML with the lines of what is wrong in it.

use std::path::Path;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::ManifestError;
use crate::analysis::selection::nearest;
use crate::terminal_text::is_unsafe;

/// A manifest's text and how it is called in sentences.
pub(super) struct Source<'t> {
    pub path: &'t Path,
    pub text: &'t str,
}

impl Source<'_> {
    /// What is wrong in the line at octet `offset`.
    pub fn wrong(&self, offset: usize, what: impl Into<String>) -> ManifestError {
        let line = self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count().saturating_add(1);
        ManifestError::Wrong { path: self.path.to_path_buf(), line, what: what.into() }
    }
}

/// One table of a manifest, whose keys are taken out one by one.
pub(super) struct Fields<'t> {
    source: &'t Source<'t>,
    /// Where the table begins.
    pub offset: usize,
    entries: Vec<(String, usize, Spanned<DeValue<'t>>)>,
}

impl<'t> Fields<'t> {
    /// The whole of a manifest. A key that is not in `known` is an error.
    pub fn of(source: &'t Source<'t>, known: &[&str]) -> Result<Self, ManifestError> {
        let table = DeTable::parse(source.text).map_err(|error| {
            let reason = error.message().lines().collect::<Vec<_>>().join(", ");
            source.wrong(error.span().map_or(0, |span| span.start), format!("not valid TOML: {reason}"))
        })?;
        Fields::of_table(source, table.into_inner(), 0, known)
    }

    fn of_table(
        source: &'t Source<'t>,
        table: DeTable<'t>,
        offset: usize,
        known: &[&str],
    ) -> Result<Self, ManifestError> {
        let entries = table.into_iter().map(|(name, value)| {
            let offset = name.span().start;
            (name.into_inner().into_owned(), offset, value)
        });
        let mut entries: Vec<_> = entries.collect();
        // In the order of the file, so that the first mistake is the one reported.
        entries.sort_by_key(|(_, offset, _)| *offset);
        if let Some((name, offset, _)) = entries.iter().find(|(name, ..)| !known.contains(&name.as_str())) {
            let advice = match nearest(name, known.iter().copied()) {
                Some(guess) => format!("did you mean `{guess}`?"),
                None => format!("the keys here are {}", known.join(", ")),
            };
            return Err(source.wrong(*offset, format!("unknown key `{name}`; {advice}")));
        }
        Ok(Fields { source, offset, entries })
    }

    /// What is wrong with this table.
    pub fn wrong(&self, what: impl Into<String>) -> ManifestError {
        self.source.wrong(self.offset, what)
    }

    fn remove(&mut self, key: &str) -> Option<(usize, Spanned<DeValue<'t>>)> {
        let place = self.entries.iter().position(|(name, ..)| name == key)?;
        let (_, offset, value) = self.entries.remove(place);
        Some((offset, value))
    }

    /// The value of `key`, which `fits` must hold for; `takes` says in words what that is.
    pub fn take<T: DeserializeOwned>(
        &mut self,
        key: &str,
        takes: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<Option<T>, ManifestError> {
        let Some((offset, value)) = self.remove(key) else { return Ok(None) };
        match T::deserialize(ValueDeserializer::from(value)).ok().filter(fits) {
            Some(value) => Ok(Some(value)),
            None => Err(self.source.wrong(offset, format!("`{key}` takes {takes}"))),
        }
    }

    /// The same for a key that must be there.
    pub fn need<T: DeserializeOwned>(
        &mut self,
        key: &str,
        takes: &str,
        fits: impl FnOnce(&T) -> bool,
    ) -> Result<T, ManifestError> {
        let missing = self.wrong(format!("`{key}` is missing: it takes {takes}"));
        self.take(key, takes, fits)?.ok_or(missing)
    }

    /// A text for people on one line.
    pub fn line(&mut self, key: &str, takes: &str) -> Result<Option<String>, ManifestError> {
        self.take(key, takes, |text: &String| !text.is_empty() && !text.chars().any(is_unsafe))
    }

    /// A text for people that may have several lines.
    pub fn paragraphs(&mut self, key: &str) -> Result<Option<String>, ManifestError> {
        let harmless = |text: &String| !text.chars().any(|character| character != '\n' && is_unsafe(character));
        self.take(key, "text without control characters, in quotes", harmless)
    }

    /// The tables of a list: `[[key]]`.
    pub fn tables(&mut self, key: &str, known: &[&str]) -> Result<Vec<Fields<'t>>, ManifestError> {
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
    pub fn table(&mut self, key: &str, known: &[&str]) -> Result<Option<Fields<'t>>, ManifestError> {
        let Some((offset, value)) = self.remove(key) else { return Ok(None) };
        match value.into_inner() {
            DeValue::Table(table) => Fields::of_table(self.source, table, offset, known).map(Some),
            _ => Err(self.source.wrong(offset, format!("`{key}` takes a table: `{key} = {{ … }}`"))),
        }
    }
}
