//! `dataset status|errors|verify|compact DATASET`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};
use serde::Serialize;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::dataset::layout::{self, Layout};
use crate::dataset::tables::{CAPTURES, TABLES, Table, Written, captures};
use crate::dataset::task::Status;
use crate::dataset::{compact, read, verify};
use crate::error::{Error, Result};
use crate::output::Report;
use mptcp_trace::units::counted;

/// Looks after datasets.
#[derive(Debug)]
pub struct Dataset;

impl Described for Dataset {
    fn name(&self) -> &'static str {
        "dataset"
    }

    fn summary(&self) -> &'static str {
        "Show, check and compact a dataset that `analyze` made"
    }

    fn details(&self) -> &'static str {
        "`dataset status` counts the captures by status, and the rows and files of each table. `dataset errors` lists the \
         captures that failed or were read in part, with the reason. `dataset verify` reads every file and lists damaged \
         files, missing files, rows and columns, and rows of captures that are not in the table `captures`. `analyze` \
         analyzes captures again whose files are missing.\n\n\
         `dataset compact` puts the small files of each table together into a few large ones: of 10,000 captures, DuckDB \
         and Spark read those many times faster. It needs the dataset for itself. If it is killed, nothing has changed, or \
         the next command finishes it; programs that read the files meanwhile may miss rows. `analyze` skips compacted \
         captures as before, and takes those that changed out of the large files."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let action = |name: &'static str, about: &'static str| {
            clap::Command::new(name).about(about).arg(
                Arg::new("dataset")
                    .value_name("DATASET")
                    .required(true)
                    .value_parser(value_parser!(PathBuf))
                    .value_hint(ValueHint::DirPath)
                    .help("Folder of the dataset"),
            )
        };
        command
            .subcommand_required(true)
            .subcommand_value_name("ACTION")
            .subcommand_help_heading("Actions")
            .disable_help_subcommand(true)
            .subcommand(action("status", "Count captures by status, rows and files by table"))
            .subcommand(action("errors", "List captures that failed or were read in part"))
            .subcommand(action("verify", "Read every file and report what is wrong"))
            .subcommand(action("compact", "Put small files together into large ones"))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "analyze ./examples --out ./study; dataset status ./study",
                purpose: "what a dataset has in it",
            },
            Example {
                line: "analyze ./examples --out ./study; dataset compact ./study",
                purpose: "few large files instead of many small ones",
            },
        ]
    }
}

impl Command for Dataset {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let Some((action, arguments)) = arguments.subcommand() else {
            return Err(Error::Usage("no action given; use status, errors, verify or compact".to_string()));
        };
        let folder = arguments.get_one::<PathBuf>("dataset").cloned().unwrap_or_default();
        let dataset = Layout::open(&folder)?;
        match action {
            "status" => status(&dataset),
            "errors" => errors(&dataset),
            "verify" => verified(&dataset),
            _ => compacted(&dataset),
        }
    }
}

/// One table, or the captures of one status.
#[derive(Debug, Clone, Serialize)]
struct Counted {
    table: &'static str,
    status: Option<&'static str>,
    rows: u64,
    files: Option<u64>,
    bytes: Option<u64>,
}

fn status(dataset: &Layout) -> Result<Outcome> {
    let _together = dataset.together()?;
    let mut counted = Vec::new();
    let states = column(dataset, "status")?;
    for status in Status::ALL {
        let rows = states.iter().filter(|state| state.as_deref() == Some(status.name())).count() as u64;
        if rows > 0 || status == Status::Ok {
            let status = Some(status.name());
            counted.push(Counted { table: CAPTURES, status, rows, files: None, bytes: None });
        }
    }
    let files = compact::files(dataset)?;
    for table in TABLES {
        let rows = read::table(dataset, table, |name| name == "capture")?.height() as u64;
        let bytes = crate::dataset::layout::files(&dataset.table(table.name))?;
        let bytes = bytes.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|file| file.len()).sum();
        let files = files.get(table.name).copied();
        counted.push(Counted { table: table.name, status: None, rows, files, bytes: Some(bytes) });
    }
    let columns = [("table", ""), ("status", ""), ("rows", ""), ("files", ""), ("bytes", "")];
    Ok(Outcome::Report(Report::listing(&counted, &columns)))
}

/// The texts of a column of `captures`.
fn column(dataset: &Layout, name: &str) -> Result<Vec<Option<String>>> {
    let frame = read::table(dataset, captures(), |other| other == name)?;
    if frame.width() == 0 {
        return Ok(Vec::new());
    }
    let failed = |source| Error::Table { action: "read the captures", source };
    let column = frame.column(name).and_then(|column| column.str().cloned()).map_err(failed)?;
    Ok(column.iter().map(|text| text.map(str::to_string)).collect())
}

/// A capture of which something is missing.
#[derive(Debug, Clone, Serialize)]
struct Failed {
    capture: Option<String>,
    status: Option<String>,
    name: Option<String>,
    error: Option<String>,
}

fn errors(dataset: &Layout) -> Result<Outcome> {
    let _together = dataset.together()?;
    let [captures, states, names, errors] = ["capture", "status", "name", "error"].map(|name| column(dataset, name));
    let rows = captures?.into_iter().zip(states?).zip(names?).zip(errors?);
    let failed: Vec<Failed> = rows
        .map(|(((capture, status), name), error)| Failed { capture, status, name, error })
        .filter(|row| row.status.as_deref() != Some(Status::Ok.name()))
        .collect();
    let none = failed.is_empty().then(|| "all captures were read whole".to_string());
    let columns = [("capture", ""), ("status", ""), ("name", ""), ("error", "")];
    Ok(Outcome::Report(Report::listing(&failed, &columns).with_notes(none.into_iter().collect())))
}

fn verified(dataset: &Layout) -> Result<Outcome> {
    let _together = dataset.together()?;
    let verified = verify::verify(dataset)?;
    let report = Report::listing(&verified.problems, &[("table", ""), ("file", ""), ("problem", "")]);
    let read = format!("{} with {} read", counted(verified.files, "file"), counted(verified.rows, "row"));
    match verified.problems.len() {
        0 => Ok(Outcome::Report(report.with_notes(vec![format!("{read}: nothing is wrong")]))),
        problems => Ok(Outcome::Failed {
            report: report.with_notes(vec![read]),
            sentence: format!("{} found; see the list", counted(problems, "problem")),
        }),
    }
}

fn compacted(dataset: &Layout) -> Result<Outcome> {
    let done = compact::compact(dataset, &dataset.alone()?)?;
    let columns = [("table", ""), ("files_before", "files\nbefore"), ("files", ""), ("rows", "")];
    Ok(Outcome::Report(Report::listing(&done, &columns)))
}

/// The rows of a table that a query means.
///
/// # Errors
/// When they cannot be read, or the table was never written.
pub fn for_query(dataset: &Layout, table: &Table, query: &str) -> Result<polars::prelude::DataFrame> {
    if layout::files(&dataset.table(table.name))?.is_empty() {
        let (name, shown) = (table.name, dataset.root().display());
        let wanted = match table.written {
            Written::Always => "base",
            Written::WithAll => "all",
            Written::Named => name,
        };
        return Err(Error::NotFound(format!(
            "{shown} does not have the table `{name}`; run `analyze … --out {shown} --tables {wanted}`"
        )));
    }
    // The star of COUNT(*) means no columns, only that of SELECT does.
    let query = query.to_lowercase().replace("(*)", "");
    let all = query.contains('*');
    read::table(dataset, table, |name| all || name == "capture" || query.contains(name))
}
