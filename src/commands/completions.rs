//! `completions bash|zsh|fish`

use clap::builder::StyledStr;
use clap::{Arg, ArgMatches, value_parser};
use clap_complete::aot::{Shell, generate};

use super::grammar::program;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::{Error, Result};

/// Prints completion scripts.
#[derive(Debug, Clone, Copy)]
pub struct Completions;

impl Described for Completions {
    fn name(&self) -> &'static str {
        "completions"
    }

    fn summary(&self) -> &'static str {
        "Print a completion script for bash, zsh or fish"
    }

    fn details(&self) -> &'static str {
        "For bash: `mptcpanalyzer completions bash > ~/.local/share/bash-completion/completions/mptcpanalyzer`. For \
         zsh: a file `_mptcpanalyzer` in a directory of $fpath. For fish: \
         `~/.config/fish/completions/mptcpanalyzer.fish`. The program's own prompt completes without it."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("Shell to complete in"),
        )
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "completions bash > mptcpanalyzer.bash", purpose: "a script for bash to source" }]
    }
}

impl Command for Completions {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let shell = arguments.get_one::<Shell>("shell").copied();
        let shell = shell.ok_or_else(|| Error::Usage("name a shell: bash, zsh or fish".to_string()))?;
        let mut script = Vec::new();
        generate(shell, &mut program::definition(), "mptcpanalyzer", &mut script);
        let script = String::from_utf8_lossy(&script).into_owned();
        Ok(Outcome::Text(StyledStr::from(script)))
    }
}
