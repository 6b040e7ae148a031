//! `edit [FILE]`

use std::path::PathBuf;

use clap::{Arg, ArgMatches, ValueHint, value_parser};

use super::shared::task::Task;
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
        "Edit commands in a text editor, then run them"
    }

    fn details(&self) -> &'static str {
        "The editor is $VISUAL, $EDITOR or vi. Without FILE it opens the last line of the history. The saved text \
         runs as a script, unless it is empty or the editor's exit code is not 0 (`:cq` in vi)."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let file = Arg::new("file").value_name("FILE").value_parser(value_parser!(PathBuf));
        command.arg(file.value_hint(ValueHint::FilePath).help("Script to edit; created if missing"))
    }

    fn examples(&self) -> &'static [Example] {
        // The tests that run examples have an editor that leaves the file alone.
        &[Example { line: "edit examples/tour.mptcp", purpose: "edit the tour and run it again" }]
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
