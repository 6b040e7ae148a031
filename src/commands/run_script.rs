//! `run_script FILE`, `@FILE`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};

use super::shared::task::Task;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;

/// Runs the commands in a file.
#[derive(Debug, Clone, Copy)]
pub struct RunScript;

impl Described for RunScript {
    fn name(&self) -> &'static str {
        "run_script"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["@"]
    }

    fn summary(&self) -> &'static str {
        "Run the commands in a file"
    }

    fn details(&self) -> &'static str {
        "One command per line; `#` starts a comment; `@FILE` is short for `run_script FILE`. Stops at the first \
         command that fails. Captures stay loaded, and settings stay in force until the session ends; they are not \
         saved for later ones."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let file = Arg::new("file").value_name("FILE").required(true).value_parser(value_parser!(PathBuf));
        command.arg(file.value_hint(ValueHint::FilePath).help("The script"))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "run_script examples/tour.mptcp", purpose: "run the tour" },
            Example { line: "@examples/tour.mptcp > tour.txt", purpose: "the same, into a file" },
        ]
    }
}

impl Command for RunScript {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        Ok(Outcome::Task(Task::Script(arguments::path(arguments, "file")?.to_path_buf())))
    }
}
