//! Labels: columns that a person adds to captures, and to the addresses of subflows.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use glob::{MatchOptions, Pattern};
use mptcp_trace::AddressLabels;
use regex::Regex;

use crate::error::{Error, Result};

/// Labels of captures, from all sources.
#[derive(Debug, Default)]
pub struct Labels {
    fixed: BTreeMap<String, String>,
    from_name: Option<Regex>,
    /// By pattern of the name, in the order of the file; the last one that fits counts.
    listed: Vec<(Pattern, Vec<(String, String)>)>,
    /// Labels of addresses.
    pub paths: AddressLabels,
}

/// Wildcards in patterns of names: `*` also spans folders.
pub const WILDCARDS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: false, require_literal_leading_dot: false };

/// Names of labels become names of columns.
fn check_name(name: &str) -> Result<()> {
    let plain = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    if name.starts_with(|first: char| first.is_ascii_lowercase()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(Error::Usage(format!("`{name}` is not a name for a label; use lower-case letters, digits and `_`")))
}

impl Labels {
    /// Adds a label that all captures have, as `KEY=VALUE`.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn fix(&mut self, text: &str) -> Result<()> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Error::Usage(format!("`{text}` is not a label; write KEY=VALUE")));
        };
        check_name(key)?;
        match self.fixed.insert(key.to_string(), value.to_string()) {
            Some(other) if other != value => {
                let sentence = format!("the label `{key}` is given twice, as {other} and as {value}; give it once");
                Err(Error::Usage(sentence))
            }
            _ => Ok(()),
        }
    }

    /// Takes labels from the names of captures: those of the named groups of a regular expression.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn take_from_names(&mut self, expression: &str) -> Result<()> {
        let found = Regex::new(expression).map_err(|error| {
            let reason = error.to_string();
            let last = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_string();
            Error::Usage(format!("`{expression}` is not a regular expression: {last}"))
        })?;
        let names: Vec<&str> = found.capture_names().flatten().collect();
        if names.is_empty() {
            let sentence = "the regular expression has no named group; write one as in `(?P<app>[a-z]+)`";
            return Err(Error::Usage(sentence.to_string()));
        }
        names.into_iter().try_for_each(check_name)?;
        self.from_name = Some(found);
        Ok(())
    }

    /// Reads a CSV file: with a first column `name`, labels of the captures whose names fit its patterns; with the columns
    /// `prefix` and `label`, labels of addresses.
    ///
    /// # Errors
    /// [`Error::Usage`] with the line; when it cannot be read.
    pub fn read(&mut self, path: &Path) -> Result<()> {
        let shown = path.display();
        let bad = |error: csv::Error| Error::Usage(format!("cannot read the labels in {shown}: {error}"));
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_path(path).map_err(bad)?;
        let header: Vec<String> = reader.headers().map_err(bad)?.iter().map(str::to_string).collect();
        let of_prefixes = header.iter().map(String::as_str).eq(["prefix", "label"]);
        let names = match header.split_first() {
            Some((first, names)) if first == "name" && !names.is_empty() => names,
            _ if of_prefixes => &[],
            _ => {
                return Err(Error::Usage(format!(
                    "{shown} has no labels; begin it with the line `name,LABEL…`, or `prefix,label` for addresses"
                )));
            }
        };
        names.iter().try_for_each(|name| check_name(name))?;
        let mut seen = HashSet::new();
        if let Some(name) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(Error::Usage(format!("{shown} has two columns `{name}`; give each label one")));
        }
        for record in reader.records() {
            let record = record.map_err(bad)?;
            let line = record.position().map_or(0, csv::Position::line);
            let first = record.get(0).unwrap_or_default();
            if of_prefixes {
                let added = self.paths.add(first, record.get(1).unwrap_or_default());
                let wrong = || Error::Usage(format!("{shown}, line {line}: `{first}` is not an address or prefix"));
                added.ok_or_else(wrong)?;
                continue;
            }
            let wrong = |error| Error::Usage(format!("{shown}, line {line}: `{first}` is not a pattern: {error}"));
            let pattern = Pattern::new(first).map_err(wrong)?;
            let values = names.iter().zip(record.iter().skip(1)).filter(|(_, value)| !value.is_empty());
            self.listed.push((pattern, values.map(|(name, value)| (name.clone(), value.to_string())).collect()));
        }
        Ok(())
    }

    /// The names of all labels that a capture may have, in order.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = self.fixed.keys().cloned().collect();
        names.extend(self.from_name.iter().flat_map(|from| from.capture_names().flatten().map(str::to_string)));
        names.extend(self.listed.iter().flat_map(|(_, values)| values.iter().map(|(name, _)| name.clone())));
        names.into_iter().collect()
    }

    /// The labels of the capture of that name: those given for all, then those of the file, then those of its name.
    #[must_use]
    pub fn of(&self, name: &str) -> Vec<(String, Option<String>)> {
        let mut found: BTreeMap<String, String> = BTreeMap::new();
        if let Some(from) = &self.from_name
            && let Some(groups) = from.captures(name)
        {
            for key in from.capture_names().flatten() {
                if let Some(value) = groups.name(key) {
                    found.insert(key.to_string(), value.as_str().to_string());
                }
            }
        }
        for (pattern, values) in &self.listed {
            if pattern.matches_with(name, WILDCARDS) {
                found.extend(values.iter().cloned());
            }
        }
        found.extend(self.fixed.iter().map(|(key, value)| (key.clone(), value.clone())));
        self.names().into_iter().map(|key| (key.clone(), found.get(&key).cloned())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(labels: &Labels, name: &str) -> Vec<(String, String)> {
        labels.of(name).into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
    }

    #[test]
    fn labels_come_from_names_a_file_and_the_command_line_in_this_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("labels.csv");
        std::fs::write(&path, "name,app,place\n*,?,lab\n*wget*,wget,\n").unwrap();
        let mut labels = Labels::default();
        labels.take_from_names(r"(?P<app>[a-z]+)_(?P<day>\d+)").unwrap();
        assert_eq!(of(&labels, "curl_20"), pairs(&[("app", "curl"), ("day", "20")]));
        assert_eq!(of(&labels, "20"), []);
        labels.read(&path).unwrap();
        assert_eq!(of(&labels, "curl_20"), pairs(&[("app", "?"), ("day", "20"), ("place", "lab")]));
        assert_eq!(of(&labels, "a/wget_3"), pairs(&[("app", "wget"), ("day", "3"), ("place", "lab")]));
        labels.fix("place=field").unwrap();
        labels.fix("note=a=b").unwrap();
        assert_eq!(of(&labels, "x"), pairs(&[("app", "?"), ("note", "a=b"), ("place", "field")]));
        assert_eq!(labels.names(), ["app", "day", "note", "place"]);
    }

    #[test]
    fn a_file_of_prefixes_labels_addresses() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("paths.csv");
        std::fs::write(&path, "prefix,label\n10.0.0.0/8,cellular\n").unwrap();
        let mut labels = Labels::default();
        labels.read(&path).unwrap();
        let of = |address: &str| labels.paths.of(address.parse().unwrap()).map(str::to_string);
        assert_eq!((of("10.9.9.9").as_deref(), of("192.0.2.1")), (Some("cellular"), None));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let mut labels = Labels::default();
        for text in ["x", "X=1", "=1", "a b=1"] {
            assert!(labels.fix(text).is_err(), "{text}");
        }
        assert!(labels.take_from_names("(").is_err());
        assert!(labels.take_from_names("abc").is_err());
        let directory = tempfile::tempdir().unwrap();
        for text in ["", "a,b\n", "name\n", "prefix,label\nx,y\n", "prefix,label\n10.0.0.0/33,y\n", "name,A\n"] {
            let path = directory.path().join("labels.csv");
            std::fs::write(&path, text).unwrap();
            assert!(labels.read(&path).is_err(), "{text}");
        }
    }
}
