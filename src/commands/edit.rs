//! `edit [FILE]`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};

use super::task::Task;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;

/// Edits commands and runs them.
#[derive(Debug, Clone, Copy)]
pub struct Edit;

impl Described for Edit {
    fn name(&self) -> &'static str {
        "edit"
    }

    fn summary(&self) -> &'static str {
        "Edit commands in an editor, then run them"
    }

    fn details(&self) -> &'static str {
        "The editor is $VISUAL, $EDITOR or vi. Without FILE it gets the last line of the history. What it saves runs as \
         a script; nothing runs when the editor ends with an exit code other than 0 (`:cq` in vi) or leaves nothing."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let file = Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf));
        command.arg(file.value_hint(ValueHint::FilePath).help("The script to edit; created if it is not there"))
    }

    fn examples(&self) -> &'static [Example] {
        // The tests that run examples have an editor that leaves the file alone.
        &[Example { line: "edit examples/tour.mptcp", purpose: "change the tour and take it again" }]
    }
}

impl Command for Edit {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        Ok(Outcome::Task(Task::Edit(arguments.get_one::<PathBuf>("file").cloned())))
    }
}
