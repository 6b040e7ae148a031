//! `list_studies`

use clap::ArgMatches;
use serde::Serialize;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::{Cell, Report, Table};
use crate::studies::STUDIES;

/// Lists the studies.
pub struct ListStudies;

#[derive(Clone, Serialize)]
struct Record {
    study: &'static str,
    aliases: &'static [&'static str],
    shows: &'static str,
}

impl Described for ListStudies {
    fn name(&self) -> &'static str {
        "list_studies"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["studies"]
    }

    fn summary(&self) -> &'static str {
        "List the studies of a dataset"
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "list_studies", purpose: "all studies" }]
    }
}

impl Command for ListStudies {
    fn category(&self) -> Category {
        Category::Studies
    }

    fn run(&self, _: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let records =
            STUDIES.all().map(|study| Record { study: study.name(), aliases: study.aliases(), shows: study.summary() });
        let records: Vec<Record> = records.collect();
        let mut table = Table::new(&["study", "aliases", "shows"]);
        for record in &records {
            let text = |text: &str| Cell::Text(text.to_string());
            let aliases = if record.aliases.is_empty() { Cell::Null } else { text(&record.aliases.join(" ")) };
            table.rows.push(vec![text(record.study), aliases, text(record.shows)]);
        }
        let notes = vec!["`study NAME --help` explains one".to_string()];
        Ok(Outcome::Report(Report::new(&records, vec![table]).with_notes(notes)))
    }
}
