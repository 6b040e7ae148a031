//! `man`

use std::fmt::Write as _;
use std::io;

use clap::ArgMatches;
use clap::builder::StyledStr;
use clap_mangen::Man;

use super::grammar::program;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::{Error, Result};

/// Prints the manual page.
#[derive(Debug, Clone, Copy)]
pub struct ManualPage;

impl Described for ManualPage {
    fn name(&self) -> &'static str {
        "man"
    }

    fn summary(&self) -> &'static str {
        "Print the manual page"
    }

    fn details(&self) -> &'static str {
        "One page covers all commands. To install it: `mptcpanalyzer man > ~/.local/share/man/man1/mptcpanalyzer.1`."
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "man > mptcpanalyzer.1", purpose: "then read it with `man ./mptcpanalyzer.1`" }]
    }
}

impl Command for ManualPage {
    fn category(&self) -> Category {
        Category::Shell
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, _: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let page = page().map_err(|error| Error::Failed(format!("cannot write the manual page: {error}")))?;
        Ok(Outcome::Text(StyledStr::from(page)))
    }
}

/// The page of the program, then what each command says of itself.
fn page() -> io::Result<String> {
    let mut page = Vec::new();
    let mut program = program::definition();
    program.build();
    let overview = Man::new(program.clone());
    overview.render_title(&mut page)?;
    overview.render_name_section(&mut page)?;
    overview.render_synopsis_section(&mut page)?;
    overview.render_description_section(&mut page)?;
    overview.render_options_section(&mut page)?;
    let mut page = String::from_utf8_lossy(&page).into_owned();
    // Writing to a string cannot fail.
    let _ = writeln!(page, ".SH COMMANDS");
    for command in program.get_subcommands_mut() {
        let _ = writeln!(page, ".SS {}\n.nf", command.get_name());
        for line in command.render_help().to_string().lines() {
            let _ = writeln!(page, "{}", escaped(line.trim_end()));
        }
        let _ = writeln!(page, ".fi");
    }
    Ok(page)
}

/// A line of text that roff takes for nothing else.
fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
}
