//! `alias [create|list|delete]`

use clap::ArgMatches;

use super::session::shortcuts::ShortcutKind;
use super::shared::shortcut;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;

/// Names for the beginnings of lines.
#[derive(Debug, Clone, Copy)]
pub struct Alias;

impl Described for Alias {
    fn name(&self) -> &'static str {
        "alias"
    }

    fn summary(&self) -> &'static str {
        "Define short names for commands"
    }

    fn details(&self) -> &'static str {
        "The text replaces the name; words after the name are appended. Quote a text that has several commands, a \
         pipe or a redirection. Names defined at the prompt are saved in shell.toml beside the configuration; those \
         defined in a script last until the program ends."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        shortcut::arguments(ShortcutKind::Alias, command)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "alias create up 'list_subflows 0; mptcp_summary'", purpose: "`up 0` runs both" },
            Example { line: "alias list", purpose: "all of them" },
        ]
    }
}

impl Command for Alias {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        shortcut::run(ShortcutKind::Alias, arguments, session)
    }
}
