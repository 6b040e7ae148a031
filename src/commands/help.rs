//! `help`: the list of commands, or one command's page.

use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Arg, ArgMatches};

use super::{Category, Command, Example, Outcome, Session, grammar, registry};
use crate::error::Result;

/// Explains the commands.
#[derive(Debug, Clone, Copy)]
pub struct Help;

impl Command for Help {
    fn name(&self) -> &'static str {
        "help"
    }
    fn aliases(&self) -> &'static [&'static str] {
        &["?"]
    }
    fn category(&self) -> Category {
        Category::Shell
    }
    fn summary(&self) -> &'static str {
        "List the commands, or explain one"
    }
    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(Arg::new("command").value_name("COMMAND").help("The command to explain"))
    }
    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "help", purpose: "all commands, by what they are about" },
            Example { line: "help quit", purpose: "one command with its arguments and examples" },
        ]
    }
    fn reports(&self) -> bool {
        false
    }
    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let Some(name) = arguments.get_one::<String>("command") else {
            return Ok(Outcome::Text(overview()));
        };
        let command = registry::find(name).ok_or_else(|| registry::unknown(name))?;
        Ok(Outcome::Text(grammar::definition(command).render_help()))
    }
}

/// The commands under the headings of their categories.
fn overview() -> StyledStr {
    let labelled: Vec<(Category, String, &str)> = registry::all()
        .map(|command| {
            let names: Vec<&str> = std::iter::once(command.name()).chain(command.aliases().iter().copied()).collect();
            (command.category(), names.join(", "), command.summary())
        })
        .collect();
    let width = labelled.iter().map(|(_, names, _)| names.chars().count()).max().unwrap_or(0);
    let mut categories: Vec<Category> = labelled.iter().map(|(category, ..)| *category).collect();
    categories.sort_unstable();
    categories.dedup();

    let bold = clap::builder::styling::Style::new().bold();
    let mut text = StyledStr::new();
    for category in categories {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{bold}{}{bold:#}", category.title());
        for (_, names, summary) in labelled.iter().filter(|(other, ..)| *other == category) {
            let _ = writeln!(text, "  {names:width$}  {summary}");
        }
        let _ = writeln!(text);
    }
    let _ = writeln!(text, "`help COMMAND` explains one of them.");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::error::Error;

    fn help(words: &[&str]) -> Result<Outcome> {
        let matches = grammar::definition(&Help).try_get_matches_from(words).unwrap();
        Help.run(&matches, &mut Session::new(Config::default(), None))
    }

    #[test]
    fn overview_groups_every_command() {
        let Outcome::Text(text) = help(&[]).unwrap() else { panic!("help prints text") };
        let text = text.to_string();
        assert!(text.contains("Shell\n"), "{text}");
        for command in registry::COMMANDS {
            assert!(text.contains(&format!("  {}", command.name())), "{} is not in {text}", command.name());
            assert!(text.contains(command.summary()), "{} is not in {text}", command.summary());
        }
    }

    #[test]
    fn a_page_is_found_by_alias() {
        let Outcome::Text(text) = help(&["exit"]).unwrap() else { panic!("help prints text") };
        assert!(text.to_string().contains("Usage: quit"), "{text}");
    }

    #[test]
    fn an_unknown_command_is_a_usage_error() {
        let error = help(&["qiut"]).unwrap_err();
        assert!(matches!(error, Error::Usage(_)));
        assert_eq!(error.to_string(), "unknown command `qiut`; did you mean `quit`?");
    }
}
