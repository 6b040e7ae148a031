//! `sql "SELECT …"`

use crate::packets::LoadedCapture;
use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};
use serde_json::json;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::analysis::sql::{Limits, Named, Names, Relation, query};
use crate::dataset::layout::Layout;
use crate::dataset::{read, tables};
use crate::error::{Error, Result};
use crate::output::Report;
use mptcp_trace::memory;

/// Answers a query.
#[derive(Debug)]
pub struct Sql;

impl Described for Sql {
    fn name(&self) -> &'static str {
        "sql"
    }

    fn summary(&self) -> &'static str {
        "Query the capture in SQL"
    }

    fn details(&self) -> &'static str {
        "The loaded capture has the tables packets, connections, subflows and reinjections; a named capture has \
         NAME_packets and so on. Without a query, tables and columns are listed.\n\n\
         `columns` describes the columns of packets. In SQL, whole numbers are signed so that they can be subtracted, \
         time spans are seconds, and keys, tokens and raw data sequence numbers are text as printed elsewhere. \
         ARRAY_CONTAINS(subtype, 1) searches a list. The other tables hold the values of `lc`, `ls`, `lr` and \
         `mptcp_summary`. The language is polars' SQL: SELECT, WITH and VALUES, joins, GROUP BY, window functions. \
         `set sql_limit` limits the rows of an answer, `--memory-limit` the memory of a query."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let dataset = Arg::new("dataset")
            .long("dataset")
            .value_name("DATASET")
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::DirPath)
            .help("Query the tables of this dataset instead of a capture; docs/dataset.md describes them");
        command
            .arg(dataset)
            .arg(Arg::new("query").value_name("QUERY").num_args(0..).help("SQL query, in quotes because of * < >"))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "sql", purpose: "tables and their columns" },
            Example {
                line: "sql \"SELECT tcpstream, COUNT(*) AS packets, SUM(tcplen) AS bytes FROM packets GROUP BY tcpstream \
                       ORDER BY tcpstream\"",
                purpose: "packets and payload of each stream",
            },
            Example {
                line: "sql \"SELECT tcpstream, state, goodput_bytes_to_server FROM subflows WHERE kind = 'join'\"",
                purpose: "data carried by joined subflows",
            },
            Example {
                line: "sql \"SELECT MAX(age) AS oldest, SUM(length) AS bytes FROM reinjections\" --format json",
                purpose: "greatest age of reinjected data",
            },
        ]
    }
}

impl Command for Sql {
    fn category(&self) -> Category {
        Category::Packets
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let words: Vec<&str> =
            arguments.get_many::<String>("query").into_iter().flatten().map(String::as_str).collect();
        let text = words.join(" ");
        let dataset = arguments.get_one::<PathBuf>("dataset").map(|folder| Layout::open(folder)).transpose()?;
        // While it is read, it is not compacted.
        let _together = dataset.as_ref().map(Layout::together).transpose()?;
        if let Some(dataset) = &dataset
            && text.trim().is_empty()
        {
            return Ok(Outcome::Report(tables_of(dataset)?));
        }
        if text.trim().is_empty() {
            return Ok(Outcome::Report(tables(session.capture()?)?));
        }
        let limits = Limits { rows: session.settings.sql_limit, memory: memory::limit() };
        let of_capture = |name: &str| match find(session, name)? {
            Some((capture, relation)) => Ok(Named::Table(relation.of(&capture, &text)?)),
            None => Ok(Named::Unknown),
        };
        let of_dataset = |dataset: &Layout, name: &str| match tables::find(name) {
            Some(table) => Ok(Named::Table(super::dataset::for_query(dataset, table, &text)?)),
            None => Ok(Named::Unknown),
        };
        let answer = match &dataset {
            Some(dataset) => query(&text, limits, &read::names(dataset), |name| of_dataset(dataset, name)),
            None => query(&text, limits, &Names::of_captures(), of_capture),
        };
        match answer {
            // A `*` of its own stands for files by now.
            Err(Error::Usage(sentence)) if words.len() > 1 => {
                Err(Error::Usage(format!("{sentence}; quote the query, because of * < >")))
            }
            answer => Ok(Outcome::Report(Report::of_frame(answer?)?.foreign())),
        }
    }
}

/// The table of that name: of the loaded capture, or of one that has a name.
fn find(session: &Session, name: &str) -> Result<Option<(std::sync::Arc<LoadedCapture>, Relation)>> {
    let relation = |name: &str| Relation::ALL.into_iter().find(|relation| relation.name() == name);
    if let Some(relation) = relation(name) {
        return Ok(Some((session.capture()?.clone(), relation)));
    }
    let named = name.rsplit_once('_').and_then(|(capture, table)| Some((capture, relation(table)?)));
    Ok(named.and_then(|(wanted, relation)| {
        let (_, held) = session.named().find(|(name, _)| *name == wanted)?;
        Some((held.capture.clone(), relation))
    }))
}

/// The tables and their columns.
fn tables(capture: &LoadedCapture) -> Result<Report> {
    let mut columns = Vec::new();
    for relation in Relation::ALL {
        for column in relation.of(capture, "*")?.columns() {
            let kind = column.dtype().to_string();
            columns.push(json!({ "table": relation.name(), "column": column.name().as_str(), "type": kind }));
        }
    }
    Ok(Report::listing(&columns, &[("table", ""), ("column", ""), ("type", "")]))
}

/// The tables of a dataset and their columns, labels among them.
fn tables_of(dataset: &Layout) -> Result<Report> {
    let mut columns = Vec::new();
    for table in tables::TABLES {
        for column in read::table(dataset, table, |_| true)?.columns() {
            let kind = column.dtype().to_string();
            columns.push(json!({ "table": table.name, "column": column.name().as_str(), "type": kind }));
        }
    }
    Ok(Report::listing(&columns, &[("table", ""), ("column", ""), ("type", "")]))
}
