//! `plugin list` and `plugin path`.

use serde::Serialize;

use super::install::{install_found, places};
use crate::commands::{Outcome, Session};
use crate::error::{Error, Result};
use crate::output::{Cell, Report, Table};
use crate::plugin::Plugin;
use crate::plugin::manifest::Role;

#[derive(Clone, Serialize)]
struct Record {
    plugin: String,
    version: String,
    commands: Vec<String>,
    plots: Vec<String>,
    summary: String,
    folder: String,
}

pub(super) fn list(session: &Session) -> Result<Outcome> {
    let (plugins, warnings) = install_found(session);
    warnings.into_iter().for_each(|warning| session.warn(warning));
    let records: Vec<Record> = plugins.iter().map(record).collect();
    let mut table = Table::new(&["plugin", "version", "commands", "plots", "folder"]);
    for record in &records {
        let names = |names: &[String]| if names.is_empty() { Cell::Null } else { Cell::Text(names.join(" ")) };
        table.rows.push(vec![
            Cell::Text(record.plugin.clone()),
            Cell::Text(record.version.clone()),
            names(&record.commands),
            names(&record.plots),
            Cell::Text(record.folder.clone()),
        ]);
    }
    let mut notes = Vec::new();
    if records.is_empty() {
        notes.push("no plugin installed; `plugin new NAME` creates one".to_string());
    }
    Ok(Outcome::Report(Report::new(&records, vec![table]).with_notes(notes)))
}

fn record(plugin: &Plugin) -> Record {
    let names = |role: Role| {
        let entries = plugin.manifest.entries.iter().filter(|entry| entry.role == role);
        entries.map(|entry| entry.name.clone()).collect()
    };
    Record {
        plugin: plugin.manifest.name.clone(),
        version: plugin.manifest.version.clone(),
        commands: names(Role::Command),
        plots: names(Role::Plot),
        summary: plugin.manifest.summary.clone(),
        folder: plugin.folder.to_string_lossy().into_owned(),
    }
}

pub(super) fn path(session: &Session) -> Result<Outcome> {
    let Some(own) = places(session).own else {
        return Err(Error::Failed("there is no home directory: set HOME or XDG_DATA_HOME".to_string()));
    };
    let own = own.to_string_lossy().into_owned();
    let mut table = Table::new(&["path"]);
    table.rows.push(vec![Cell::Text(own.clone())]);
    let report = Report::new(&serde_json::json!({ "path": own }), Vec::new());
    // One line, for `cd "$(mptcpanalyzer plugin path)"`.
    Ok(Outcome::Report(report.with_notes(vec![own]).with_records(table)))
}

/// The person's own place, for a sentence.
pub(super) fn own(session: &Session) -> String {
    places(session).own.map_or_else(|| "`plugin_dirs`".to_string(), |own| own.to_string_lossy().into_owned())
}
