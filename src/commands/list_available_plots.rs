//! `list_available_plots`

use clap::ArgMatches;
use serde::Serialize;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::{Cell, Report, Table};
use crate::plots::registry::PLOTS;

/// Lists the plots.
pub struct ListAvailablePlots;

#[derive(Clone, Serialize)]
struct Record {
    plot: &'static str,
    aliases: &'static [&'static str],
    shows: &'static str,
}

impl Described for ListAvailablePlots {
    fn name(&self) -> &'static str {
        "list_available_plots"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["plots"]
    }

    fn summary(&self) -> &'static str {
        "List the available plots"
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "list_available_plots", purpose: "all plots" }]
    }
}

impl Command for ListAvailablePlots {
    fn category(&self) -> Category {
        Category::Plots
    }

    fn run(&self, _: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let records =
            PLOTS.all().map(|plot| Record { plot: plot.name(), aliases: plot.aliases(), shows: plot.summary() });
        let records: Vec<Record> = records.collect();
        let mut table = Table::new(&["plot", "aliases", "shows"]);
        for record in &records {
            let text = |text: &str| Cell::Text(text.to_string());
            let aliases = if record.aliases.is_empty() { Cell::Null } else { text(&record.aliases.join(" ")) };
            table.rows.push(vec![text(record.plot), aliases, text(record.shows)]);
        }
        let notes = vec!["`plot NAME --help` explains one".to_string()];
        Ok(Outcome::Report(Report::new(&records, vec![table]).with_notes(notes)))
    }
}
