//! `history [TEXT]`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};
use serde::Serialize;
use serde_json::json;

use super::shared::task::Task;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::{Error, Result};
use crate::output::Report;
use crate::whole_file::{self, Force};
use mptcp_trace::units::counted;

/// The lines typed before.
#[derive(Debug, Clone, Copy)]
pub struct History;

#[derive(Clone, Serialize)]
struct Record<'a> {
    number: usize,
    line: &'a str,
}

impl Described for History {
    fn name(&self) -> &'static str {
        "history"
    }

    fn summary(&self) -> &'static str {
        "List, search or rerun earlier lines"
    }

    fn details(&self) -> &'static str {
        "Lines of earlier sessions come first. Ctrl-R searches as you type; the arrow keys recall line by line. `!!` \
         at the start of a line stands for the last line: `!! | less`. Rerun other lines by number (`history --run \
         12`), because `!` before a word runs a program. A rerun line is shown and becomes the newest in the history. \
         Lines that begin with a space are not saved; `history_size` in the configuration limits the number of lines."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let lines = || value_parser!(u32).range(1..);
        command
            .arg(Arg::new("text").value_name("TEXT").help("Only lines with this text, ignoring case"))
            .arg(
                Arg::new("last")
                    .short('n')
                    .long("last")
                    .value_name("LINES")
                    .value_parser(lines())
                    .help("Only the last N lines"),
            )
            .arg(
                Arg::new("run")
                    .short('r')
                    .long("run")
                    .value_name("NUMBER")
                    .num_args(0..=1)
                    .value_parser(lines())
                    .conflicts_with_all(["text", "last"])
                    .help("Rerun the line with this number; without one, the last"),
            )
            .arg(
                Arg::new("save")
                    .long("save")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .value_hint(ValueHint::AnyPath)
                    .conflicts_with("run")
                    .help("Save the lines to FILE as a script"),
            )
            .arg(arguments::force().help("Allow --save or --output to replace a capture"))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "history", purpose: "all lines, numbered" },
            Example { line: "history summary -n 5", purpose: "the last five that contain `summary`" },
            Example { line: "history --save session.mptcp", purpose: "the lines as a script" },
        ]
    }
}

impl Command for History {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        if arguments.contains_id("run") {
            return again(arguments.get_one::<u32>("run").copied(), &session.history);
        }
        let mut records = chosen(arguments, &session.history);
        if let Some(path) = arguments.get_one::<PathBuf>("save") {
            // A script that overwrites itself, or runs its own lines by number, is not what anyone wants.
            records.retain(|record| !is_own(record.line));
            save(path, arguments::forced(arguments), &records)?;
            return Ok(Outcome::Done(vec![format!("wrote {} to {}", counted(records.len(), "line"), path.display())]));
        }
        let note = session.history.is_empty().then(|| "no history: lines are saved only at the prompt".to_string());
        Ok(Outcome::Report(
            Report::listing(&json!(records), &[("number", ""), ("line", "")]).with_notes(note.into_iter().collect()),
        ))
    }
}

fn chosen<'a>(arguments: &ArgMatches, history: &'a [String]) -> Vec<Record<'a>> {
    let wanted = arguments.get_one::<String>("text").map(|text| text.to_lowercase());
    let has = |line: &str| wanted.as_ref().is_none_or(|wanted| line.to_lowercase().contains(wanted));
    let lines = history.iter().zip(1..).map(|(line, number)| Record { number, line });
    let mut records: Vec<Record<'a>> = lines.filter(|record| has(record.line)).collect();
    if let Some(last) = arguments.get_one::<u32>("last") {
        records.drain(..records.len().saturating_sub(*last as usize));
    }
    records
}

/// Whether a line is a use of this command.
fn is_own(line: &str) -> bool {
    line.split_whitespace().next() == Some("history")
}

/// The line of that number, or the last that is no `history` itself.
fn again(number: Option<u32>, history: &[String]) -> Result<Outcome> {
    let line = match number {
        Some(number) => usize::try_from(number).ok().and_then(|number| history.get(number.checked_sub(1)?)),
        None => history.iter().rev().find(|line| !is_own(line)),
    };
    match line {
        Some(line) => Ok(Outcome::Task(Task::Lines(line.clone()))),
        None => Err(Error::NotFound("no such line; `history` lists them with their numbers".to_string())),
    }
}

fn save(path: &PathBuf, force: Force, records: &[Record<'_>]) -> Result<()> {
    whole_file::write(path, force, |output| {
        let write = |record: &Record<'_>| writeln!(output, "{}", record.line);
        records.iter().try_for_each(write).map_err(|source| Error::file("write", path, source))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::grammar;
    use crate::config::Config;

    fn run(words: &[&str]) -> Result<Outcome> {
        let mut session = Session::new(Config::default(), None);
        session.history = ["lc", "mptcp_summary 0", "Summary x", "history"].map(String::from).to_vec();
        let matches = grammar::definition(&History).try_get_matches_from(words).unwrap();
        History.run(&matches, &mut session)
    }

    fn listed(words: &[&str]) -> serde_json::Value {
        match run(words).unwrap() {
            Outcome::Report(report) => report.data.value().unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn lines_are_listed_by_number_text_and_end() {
        let line = |number: usize, line: &str| serde_json::json!({ "number": number, "line": line });
        assert_eq!(listed(&["summary"]), serde_json::json!([line(2, "mptcp_summary 0"), line(3, "Summary x")]));
        assert_eq!(listed(&["summary", "-n", "1"]), serde_json::json!([line(3, "Summary x")]));
        assert_eq!(listed(&["-n", "9"]).as_array().unwrap().len(), 4);
    }

    #[test]
    fn a_line_runs_again() {
        let again = |words: &[&str]| match run(words) {
            Ok(Outcome::Task(Task::Lines(line))) => line,
            other => panic!("{other:?}"),
        };
        assert_eq!(again(&["-r", "2"]), "mptcp_summary 0");
        assert_eq!(again(&["--run"]), "Summary x");
        assert!(matches!(run(&["-r", "9"]), Err(Error::NotFound(_))));
    }
}
