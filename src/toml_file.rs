//! Reading TOML key by key, with the file and the line of what is wrong in it.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use crate::nearest::did_you_mean;
use crate::terminal_text::escape;

/// A value that knows its place.
pub type Value<'t> = Spanned<DeValue<'t>>;

/// Problem in a file: one sentence, escaped for a terminal, that names the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}:{line}: {what}")]
pub struct Mistake {
    path: String,
    line: usize,
    what: String,
}

/// The text of a file and how the file is called in sentences.
#[derive(Debug)]
pub struct Source<'t> {
    path: String,
    text: &'t str,
}

/// A key with its place, counted in bytes, and its value.
#[derive(Debug)]
pub struct Entry<'t> {
    /// The key.
    pub name: String,
    /// Where it begins.
    pub at: usize,
    /// Current value.
    pub value: Value<'t>,
}

/// A key that a file may have, and how it changes `T`.
pub struct TomlKey<T> {
    /// The key.
    pub name: &'static str,
    /// Accepted values, a phrase.
    pub takes: &'static str,
    /// Puts the value in its place; `None` when it does not fit.
    pub set: fn(&mut T, Value<'_>) -> Option<()>,
}

impl<'t> Source<'t> {
    /// The `text` of the file called `path`.
    #[must_use]
    pub fn new(path: &str, text: &'t str) -> Self {
        // Editors on Windows put a byte-order mark in front; it is not part of the first key.
        Source { path: escape(path).into_owned(), text: text.strip_prefix('\u{feff}').unwrap_or(text) }
    }

    /// The whole file.
    ///
    /// # Errors
    /// When it is not TOML.
    pub fn entries(&self) -> Result<Vec<Entry<'t>>, Mistake> {
        let table = DeTable::parse(self.text).map_err(|error| self.refused("not valid TOML: ", &error))?;
        Ok(in_order(table.into_inner()))
    }

    /// The whole file as a value that reads itself.
    ///
    /// # Errors
    /// When it is not TOML, or not what `T` reads.
    pub fn whole<T: DeserializeOwned>(&self) -> Result<T, Mistake> {
        toml::from_str(self.text).map_err(|error| self.refused("", &error))
    }

    fn refused(&self, what: &str, error: &toml::de::Error) -> Mistake {
        // The parser's message can have several lines; a sentence has one.
        let reason = error.message().lines().collect::<Vec<_>>().join(", ");
        self.wrong(error.span().map_or(0, |span| span.start), format!("{what}{reason}; correct that line"))
    }

    /// Problem in the line of this byte.
    pub fn wrong(&self, at: usize, what: impl Display) -> Mistake {
        let line = self.text.bytes().take(at).filter(|byte| *byte == b'\n').count().saturating_add(1);
        Mistake { path: self.path.clone(), line, what: escape(&what.to_string()).into_owned() }
    }

    /// That a key is not among those that are `known` in its place.
    #[must_use]
    pub fn unknown(&self, name: &str, at: usize, known: &[&str]) -> Mistake {
        self.wrong(at, format!("unknown key `{name}`; {}", advice(name, "keys", known)))
    }

    /// That the value of a key does not fit.
    #[must_use]
    pub fn bad_value(&self, at: usize, key: &str, takes: &str) -> Mistake {
        self.wrong(at, format!("`{key}` takes {takes}; correct the value or delete the line"))
    }

    /// Finds the entry's key and sets it in `target`. Where there is none, `known` are the names to choose from.
    ///
    /// # Errors
    /// For an unknown key, and for a value that does not fit.
    pub fn set<T>(&self, target: &mut T, keys: &[TomlKey<T>], known: &[&str], entry: Entry<'_>) -> Result<(), Mistake> {
        let Some(key) = keys.iter().find(|key| key.name == entry.name) else {
            return Err(self.unknown(&entry.name, entry.at, known));
        };
        (key.set)(target, entry.value).ok_or_else(|| self.bad_value(entry.at, key.name, key.takes))
    }
}

/// The nearest of `names`, or when none is near all of them.
#[must_use]
pub fn advice(typed: &str, what: &str, names: &[&str]) -> String {
    did_you_mean(typed, names.iter().copied()).unwrap_or_else(|| format!("the {what} are {}", names.join(", ")))
}

/// The entries of a table in the order of the file, so that the first mistake is the one reported.
#[must_use]
pub fn in_order(table: DeTable<'_>) -> Vec<Entry<'_>> {
    let entries = table.into_iter().map(|(name, value)| {
        let at = name.span().start;
        Entry { name: name.into_inner().into_owned(), at, value }
    });
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|entry| entry.at);
    entries
}

/// The value as a `T`; `None` when it is something else.
#[must_use]
pub fn read<T: DeserializeOwned>(value: Value<'_>) -> Option<T> {
    T::deserialize(ValueDeserializer::from(value)).ok()
}
