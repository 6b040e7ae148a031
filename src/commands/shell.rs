//! `shell COMMAND…`, `!COMMAND`

use std::ffi::OsString;

use clap::{Arg, ArgMatches, value_parser};

use super::shared::task::Task;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;

/// Runs programs.
#[derive(Debug, Clone, Copy)]
pub struct Shell;

impl Described for Shell {
    fn name(&self) -> &'static str {
        "shell"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["!"]
    }

    fn summary(&self) -> &'static str {
        "Run a command in the system shell"
    }

    fn details(&self) -> &'static str {
        "The rest of the line goes to `sh` unchanged, including `;`, `|` and `>`. `!ls` is short for `shell ls`, \
         while `!!` reruns the last line. Programs get the terminal. The command fails if the exit code is not 0."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(
            Arg::new("words")
                .value_name("COMMAND")
                .required(true)
                .num_args(1..)
                .trailing_var_arg(true)
                .value_parser(value_parser!(OsString))
                .help("Command line for sh"),
        )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "shell ls -l examples | head -n 3", purpose: "look around" },
            Example { line: "!date", purpose: "the short form" },
        ]
    }
}

impl Command for Shell {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let words = arguments.get_many::<OsString>("words").into_iter().flatten().cloned().collect();
        Ok(Outcome::Task(Task::Program(words)))
    }
}
