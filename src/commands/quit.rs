//! `quit`: leaves the prompt or ends the script.

use clap::ArgMatches;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;

/// Leaves the program.
#[derive(Debug, Clone, Copy)]
pub struct Quit;

impl Described for Quit {
    fn name(&self) -> &'static str {
        "quit"
    }
    fn aliases(&self) -> &'static [&'static str] {
        &["exit", "q"]
    }
    fn summary(&self) -> &'static str {
        "Leave the program"
    }
    fn details(&self) -> &'static str {
        "Ctrl-D at an empty prompt does the same. In a script, the lines after it do not run."
    }
    fn examples(&self) -> &'static [Example] {
        &[Example { line: "quit", purpose: "leave the program" }]
    }
}

impl Command for Quit {
    fn category(&self) -> Category {
        Category::Shell
    }
    fn reports(&self) -> bool {
        false
    }
    fn run(&self, _: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        Ok(Outcome::Quit)
    }
}
