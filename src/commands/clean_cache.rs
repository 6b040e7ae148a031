//! `clean_cache`: empties the cache of dissected captures.

use clap::ArgMatches;
use serde_json::json;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::{Error, Result};
use crate::output::{Cell, Report, Table};

/// Empties the cache.
pub struct CleanCache;

impl Described for CleanCache {
    fn name(&self) -> &'static str {
        "clean_cache"
    }

    fn summary(&self) -> &'static str {
        "Delete all dissected captures from the cache"
    }

    fn details(&self) -> &'static str {
        "The captures themselves are kept: the next load dissects them again."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "clean_cache", purpose: "free the disk space of all dissected captures" }]
    }
}

impl Command for CleanCache {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn run(&self, _: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let Some(cache) = &session.cache else {
            let nothing = report(0, 0, None);
            return Ok(Outcome::Report(nothing.with_notes(vec!["no cache is in use".to_string()])));
        };
        let removed = cache.clean().map_err(|error| Error::Failed(format!("cannot empty the cache: {error}")))?;
        let directory = cache.directory.to_string_lossy().into_owned();
        Ok(Outcome::Report(report(removed.entries, removed.bytes, Some(directory))))
    }
}

fn report(entries: u64, bytes: u64, directory: Option<String>) -> Report {
    let mut table = Table::new(&["entries", "bytes", "directory"]);
    let place = directory.clone().map_or(Cell::Null, Cell::Text);
    table.rows.push(vec![Cell::Integer(entries.into()), Cell::Bytes(bytes), place]);
    Report::new(&json!({ "entries": entries, "bytes": bytes, "directory": directory }), vec![table])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::packets::cache::Cache;

    fn run(session: &mut Session) -> Report {
        let matches = clap::Command::new("clean_cache").get_matches_from(["clean_cache"]);
        match CleanCache.run(&matches, session).unwrap() {
            Outcome::Report(report) => report,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_says_what_it_removed() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(Some(folder.path().to_path_buf()), 1).0;
        std::fs::write(folder.path().join("00.mptcpcache"), "12345").unwrap();
        let report = run(&mut Session::new(Config::default(), cache));
        assert_eq!(
            (&report.data.value().unwrap()["entries"], &report.data.value().unwrap()["bytes"]),
            (&json!(1), &json!(5))
        );
        assert!(!folder.path().join("00.mptcpcache").exists());
    }

    #[test]
    fn without_a_cache_there_is_nothing_to_remove() {
        let report = run(&mut Session::new(Config::default(), None));
        assert_eq!(
            (&report.data.value().unwrap()["entries"], &report.notes[0]),
            (&json!(0), &"no cache is in use".to_string())
        );
    }
}
