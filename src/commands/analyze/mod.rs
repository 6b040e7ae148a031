//! `analyze INPUT… --out DATASET`

mod progress;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, ValueEnum, ValueHint, value_parser};
use glob::Pattern;

use super::grammar;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments::duration;
use crate::dataset::input::{self, Wanted};
use crate::dataset::labels::Labels;
use crate::dataset::layout::Layout;
use crate::dataset::run::{self, Options, Run};
use crate::dataset::tables::{TABLES, Table, Written};
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::output::Format;
use mptcp_trace::AddressLabels;
use mptcp_trace::memory;
use progress::Progress;

/// Analyses many captures into one dataset.
#[derive(Debug)]
pub struct Analyze;

impl Described for Analyze {
    fn name(&self) -> &'static str {
        "analyze"
    }

    fn summary(&self) -> &'static str {
        "Analyze many captures into a dataset of Parquet tables"
    }

    fn details(&self) -> &'static str {
        "Each INPUT is a capture, or a folder whose captures are analyzed (files with the endings pcap, pcapng and cap, \
         compressed or not; --include names others). The tables have one row per capture, handshake, connection, direction, \
         subflow, event, finding and so on: docs/dataset.md describes every column. Their numbers are those of the commands \
         for one capture. DuckDB, polars, pandas and Spark read the files DATASET/TABLE/*.parquet.\n\n\
         Every capture has one row in `captures`. Its status is ok, partial (cut or damaged: read up to there), error, \
         timeout, memory or crashed. Processes of their own analyze them, so a bad one does not affect the others. Another run \
         skips captures that are already in the dataset and unchanged (path, size, modification time), unless the \
         program's version, the tables or the labels have changed, or files of theirs are missing. --force analyzes them \
         again, --retry-errors those that failed. Any number of runs may share a dataset, even from several machines.\n\n\
         A capture's name is its absolute path, or with --root its path below that folder: give --root if the captures may \
         move, or are seen under different paths. Its key in all tables is a hash of the name; --shard splits the captures \
         by it.\n\n\
         Files that were rotated while recording (tcpdump -C, -G) are analyzed one by one, and a connection that spans two of \
         them is in both. With --joined, those of one folder whose names fit GLOB are one capture, in the order of their \
         first packets. Its name is the folder with GLOB, and it is analyzed again when one of its files has changed. \
         Meanwhile it takes as much disk space in the dataset's folder as its files do, uncompressed.\n\n\
         Labels become columns of captures, connections and subflows: label_KEY. --labels reads CSV that begins with \
         `name,KEY…` (patterns of names, values) or with `prefix,label` (addresses: columns path_client and path_server of \
         subflows).\n\n\
         The exit code is 3 if captures failed, in this run or in the one that they are skipped for, 1 if the dataset \
         cannot be written. The table lists only captures that failed or are partial; other formats have one record per \
         capture. If the reader of these goes away (`| head`), the run stops with exit code 1."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let flag =
            |name: &'static str, about: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue).help(about);
        let several = |name: &'static str, value: &'static str, about: &'static str| {
            Arg::new(name).long(name).value_name(value).action(ArgAction::Append).help(about)
        };
        let path = |name: &'static str, value: &'static str, hint: ValueHint, about: &'static str| {
            let parser = value_parser!(PathBuf);
            Arg::new(name).long(name).value_name(value).value_parser(parser).value_hint(hint).help(about)
        };
        command
            .arg(
                Arg::new("input")
                    .value_name("INPUT")
                    .num_args(0..)
                    .value_parser(value_parser!(PathBuf))
                    .value_hint(ValueHint::AnyPath)
                    .help("Captures, or folders with captures"),
            )
            .arg(path("out", "DATASET", ValueHint::DirPath, "Folder of the dataset").required(true))
            .arg(
                Arg::new("jobs")
                    .long("jobs")
                    .short('j')
                    .value_name("N")
                    .value_parser(value_parser!(u32).range(1..=1024))
                    .help("Captures analyzed at the same time [default: number of processors]"),
            )
            .arg(
                Arg::new("tables")
                    .long("tables")
                    .value_name("LIST")
                    .default_value("base")
                    .help("`base`; `all`: with those of many rows, but not rtt_samples; or names, separated by commas"),
            )
            .arg(several("include", "GLOB", "Analyze these files in folders: by name, or by path if GLOB has a `/`"))
            .arg(several("exclude", "GLOB", "Skip these files in folders: by name, or by path if GLOB has a `/`"))
            .arg(several("joined", "GLOB", "These files of a folder are one capture, rotated while it was recorded"))
            .arg(path(
                "files-from",
                "FILE",
                ValueHint::FilePath,
                "Read further INPUTs from FILE, one per line; `-`: standard input",
            ))
            .arg(path("root", "DIR", ValueHint::DirPath, "Name captures by their path below DIR"))
            .arg(
                Arg::new("shard")
                    .long("shard")
                    .value_name("I/N")
                    .value_parser(shard)
                    .help("Only share I of N, counted from 1; a capture is always in the same share"),
            )
            .arg(several("label", "KEY=VALUE", "Label of all captures"))
            .arg(
                path("labels", "FILE", ValueHint::FilePath, "Labels of captures or addresses, as CSV")
                    .action(ArgAction::Append),
            )
            .arg(
                Arg::new("label-from-path")
                    .long("label-from-path")
                    .value_name("REGEX")
                    .help("Labels from the captures' names: named groups of REGEX, such as (?P<app>[a-z]+)_"),
            )
            .arg(
                Arg::new("timeout")
                    .long("timeout")
                    .value_name("SECONDS")
                    .value_parser(duration::parse)
                    .help("Time limit for each capture"),
            )
            .arg(
                Arg::new("memory")
                    .long("memory")
                    .value_name("SIZE")
                    .value_parser(memory::parse)
                    .help("Memory limit for each capture, such as 2GiB [default: the program's --memory-limit]"),
            )
            .arg(flag("retry-errors", "Analyze captures again that failed before"))
            .arg(flag("force", "Analyze captures again that are in the dataset"))
            .arg(
                Arg::new(grammar::FORMAT)
                    .long("format")
                    .visible_alias("report")
                    .value_name("FORMAT")
                    .value_parser(PossibleValuesParser::new(
                        Format::value_variants().iter().filter_map(ValueEnum::to_possible_value),
                    ))
                    .help("Output format; ndjson: one JSON object as each capture is done"),
            )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "analyze ./examples --out ./study", purpose: "all captures in a folder" },
            Example {
                line: "analyze ./examples --out ./study --label place=lab --root ./examples",
                purpose: "with a label, under names that do not depend on where the folder is",
            },
            Example {
                line: "analyze ./examples --out ./study --shard 1/2 --format ndjson",
                purpose: "half of the captures, one JSON object each",
            },
        ]
    }
}

impl Command for Analyze {
    fn category(&self) -> Category {
        Category::Captures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let wanted = wanted(arguments)?;
        if wanted.inputs.is_empty() && wanted.files_from.is_none() {
            return Err(Error::Usage("no captures named; add files or folders, or --files-from FILE".to_string()));
        }
        let labels = labels(arguments, &session.config.interfaces)?;
        let out = arguments.get_one::<PathBuf>("out").cloned().unwrap_or_default();
        let options = options(arguments, session, &labels, out)?;
        if wanted.files_from.as_deref() == Some(std::path::Path::new("-")) {
            session.take_standard_input()?;
        }
        let mut found = input::find(&wanted)?;
        for task in &mut found.tasks {
            task.labels = labels.of(&task.name);
        }
        if found.others > 0 && found.tasks.is_empty() && found.elsewhere == 0 {
            session.warn("no file has the ending of a capture; name files with --include GLOB");
        }
        let dataset = Layout::create(&options.dataset)?;
        let plan = run::plan(found.tasks, &dataset, &options)?;
        let all = grammar::chosen_format(arguments).unwrap_or(session.format) != Format::Table;
        let bytes = plan.tasks.iter().filter_map(|task| task.size).sum();
        let progress = Progress::new(&plan, bytes, &options, all);
        let skipped = plan.skipped.clone();
        let run = Run::begin(plan, dataset, options)?;
        Ok(Outcome::Feed(Box::new(progress.of(run, skipped))))
    }
}

fn wanted(arguments: &ArgMatches) -> Result<Wanted> {
    let patterns = |name: &str| -> Result<Vec<Pattern>> {
        let texts = arguments.get_many::<String>(name).into_iter().flatten();
        let wrong = |text: &str, error: glob::PatternError| {
            Error::Usage(format!("`{text}` is not a pattern of names: {error}"))
        };
        texts.map(|text| Pattern::new(text).map_err(|error| wrong(text, error))).collect()
    };
    Ok(Wanted {
        inputs: arguments.get_many::<PathBuf>("input").into_iter().flatten().cloned().collect(),
        files_from: arguments.get_one::<PathBuf>("files-from").cloned(),
        include: patterns("include")?,
        exclude: patterns("exclude")?,
        joined: patterns("joined")?,
        root: arguments.get_one::<PathBuf>("root").cloned(),
        shard: arguments.get_one::<(u64, u64)>("shard").copied(),
    })
}

fn labels(arguments: &ArgMatches, interfaces: &AddressLabels) -> Result<Labels> {
    // What the file says of an address counts before what the configuration says.
    let mut labels = Labels::default();
    labels.paths = interfaces.clone();
    if let Some(expression) = arguments.get_one::<String>("label-from-path") {
        labels.take_from_names(expression)?;
    }
    for path in arguments.get_many::<PathBuf>("labels").into_iter().flatten() {
        labels.read(path)?;
    }
    for text in arguments.get_many::<String>("label").into_iter().flatten() {
        labels.fix(text)?;
    }
    Ok(labels)
}

fn options(arguments: &ArgMatches, session: &Session, labels: &Labels, dataset: PathBuf) -> Result<Options> {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = arguments.get_one::<u32>("jobs").and_then(|jobs| usize::try_from(*jobs).ok());
    let limit = memory::limit();
    Ok(Options {
        dataset,
        jobs: jobs.unwrap_or_else(processors),
        tables: tables(arguments.get_one::<String>("tables").map_or("base", String::as_str))?,
        labels: labels.names(),
        paths: labels.paths.clone(),
        dissector: session.config.dissector,
        tshark: session.config.tshark.clone(),
        timeout: arguments.get_one::<Duration>("timeout").copied(),
        memory: arguments.get_one::<u64>("memory").copied().unwrap_or(limit),
        memory_of_all: limit,
        force: arguments.get_flag("force"),
        retry_errors: arguments.get_flag("retry-errors"),
    })
}

/// The tables of a list; `captures` is always among them.
fn tables(list: &str) -> Result<Vec<&'static Table>> {
    let mut wanted = Vec::new();
    for name in list.split(',').map(str::trim) {
        let known = wanted.len();
        wanted.extend(TABLES.iter().filter(|table| match name {
            "base" => table.written == Written::Always,
            "all" => table.written != Written::Named,
            _ => table.name == name,
        }));
        if wanted.len() == known {
            let names = TABLES.iter().map(|table| table.name);
            let advice = did_you_mean(name, names).unwrap_or_else(|| "docs/dataset.md lists them".to_string());
            return Err(Error::Usage(format!("unknown table `{name}`; {advice}")));
        }
    }
    let is_wanted = |table: &&Table| {
        table.name == crate::dataset::tables::CAPTURES || wanted.iter().any(|other| other.name == table.name)
    };
    Ok(TABLES.iter().filter(is_wanted).collect())
}

/// A share as typed: `I/N`, from 1.
fn shard(text: &str) -> std::result::Result<(u64, u64), &'static str> {
    let wrong = "not a share; write I/N, such as 1/4";
    let (own, of) = text.split_once('/').ok_or(wrong)?;
    let (own, of): (u64, u64) = (own.parse().map_err(|_| wrong)?, of.parse().map_err(|_| wrong)?);
    if (1..=of).contains(&own) { Ok((own - 1, of)) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_count_from_one() {
        assert_eq!((shard("1/4"), shard("4/4")), (Ok((0, 4)), Ok((3, 4))));
        for wrong in ["0/4", "5/4", "1", "a/b", "1/0", "-1/2"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tables_are_named_or_all() {
        let names = |list: &str| tables(list).unwrap().iter().map(|table| table.name).collect::<Vec<_>>();
        assert!(names("base").len() < TABLES.len() && !names("base").contains(&"bursts"));
        assert!(names("all").len() < TABLES.len() && names("all").contains(&"bursts"));
        assert_eq!(names("rtt_samples"), ["captures", "rtt_samples"]);
        assert_eq!(names("base,bursts").len(), names("base").len() + 1);
        assert_eq!(names("subflows, connections"), ["captures", "connections", "subflows"]);
        let error = tables("subflow").unwrap_err().to_string();
        assert_eq!(error, "unknown table `subflow`; did you mean `subflows`?");
    }
}
