//! `macro [create|list|delete]`

use clap::ArgMatches;

use super::session::shortcuts::ShortcutKind;
use super::shared::shortcut;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;

/// Names for lines with places for arguments.
#[derive(Debug, Clone, Copy)]
pub struct Macro;

impl Described for Macro {
    fn name(&self) -> &'static str {
        "macro"
    }

    fn summary(&self) -> &'static str {
        "Define short names for commands with arguments"
    }

    fn details(&self) -> &'static str {
        "`{1}` in the text stands for the first word after the name, `{2}` for the second; further words are \
         appended. `{{1}}` stands for a literal `{1}`. Otherwise like `alias`."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        shortcut::arguments(ShortcutKind::Macro, command)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "macro create sent 'tcp_summary {1} --towards {2}'",
                purpose: "then `sent 0 server` for one stream and direction",
            },
            Example { line: "macro list", purpose: "all of them" },
        ]
    }
}

impl Command for Macro {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        shortcut::run(ShortcutKind::Macro, arguments, session)
    }
}
