//! `help`: the list of commands, or one command's page.

use std::fmt::Write;

use clap::builder::StyledStr;
use clap::{Arg, ArgMatches};

use unicode_width::UnicodeWidthStr;

use super::{Category, Command, Described, Example, Outcome, Session, grammar, plot, registry};
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::plots::registry::PLOTS;
use crate::terminal_text::folded;

/// The width of the list of all commands.
const COLUMNS: usize = 80;

/// Explains the commands.
#[derive(Debug, Clone, Copy)]
pub struct Help;

impl Described for Help {
    fn name(&self) -> &'static str {
        "help"
    }
    fn aliases(&self) -> &'static [&'static str] {
        &["?"]
    }
    fn summary(&self) -> &'static str {
        "List the commands, or explain one"
    }
    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(Arg::new("command").value_name("COMMAND").help("Command to explain"))
            .arg(Arg::new("part").value_name("NAME").help("One of its plots or actions"))
    }
    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "help", purpose: "all commands by topic" },
            Example { line: "help quit", purpose: "arguments and examples of one command" },
            Example { line: "help plot dsn", purpose: "one plot, what its marks mean" },
        ]
    }
}

impl Command for Help {
    fn category(&self) -> Category {
        Category::Shell
    }
    fn reports(&self) -> bool {
        false
    }
    fn run(&self, arguments: &ArgMatches, _: &mut Session) -> Result<Outcome> {
        let Some(name) = arguments.get_one::<String>("command") else {
            return Ok(Outcome::Text(overview()));
        };
        let Some(command) = registry::command(name) else { return of_a_plot(name) };
        let mut page = grammar::definition(command);
        // Its parts then know that they are used behind it.
        page.build();
        if let Some(part) = arguments.get_one::<String>("part") {
            let parts: Vec<_> = page.get_subcommands().map(clap::Command::get_name).collect();
            let Some(found) = page.find_subcommand(part) else {
                let advice = did_you_mean(part, parts).unwrap_or_else(|| format!("type `help {name}`"));
                return Err(Error::Usage(format!("`{name}` has no `{part}`; {advice}")));
            };
            page = found.clone();
        }
        Ok(Outcome::Text(page.render_help()))
    }
}

/// The page of a plot that is named without `plot`.
fn of_a_plot(name: &str) -> Result<Outcome> {
    let plot = PLOTS.find(name).ok_or_else(|| registry::unknown(name))?;
    let mut page = plot::definition(plot).bin_name(format!("plot {}", plot.name()));
    Ok(Outcome::Text(page.render_help()))
}

/// The commands under the headings of their categories, other names of theirs in brackets.
fn overview() -> StyledStr {
    let width = registry::COMMANDS.all().map(|command| command.name().width()).max().unwrap_or(0);
    let room = COLUMNS.saturating_sub(width).saturating_sub(4);
    let mut categories: Vec<Category> = registry::COMMANDS.all().map(|command| command.category()).collect();
    categories.sort_unstable();
    categories.dedup();

    let bold = clap::builder::styling::Style::new().bold();
    let mut text = StyledStr::new();
    for category in categories {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{bold}{}{bold:#}", category.title());
        for command in registry::COMMANDS.all().filter(|command| command.category() == category) {
            let summary = match command.aliases() {
                [] => command.summary().to_string(),
                aliases => format!("{} ({})", command.summary(), aliases.join(", ")),
            };
            let mut name = command.name();
            for line in folded(&summary, room) {
                let _ = writeln!(text, "  {name:width$}  {line}");
                name = "";
            }
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

    fn help(words: &[&str]) -> Result<Outcome> {
        let matches = grammar::definition(&Help).try_get_matches_from(words).unwrap();
        Help.run(&matches, &mut Session::new(Config::default(), None))
    }

    #[test]
    fn overview_groups_every_command() {
        let Outcome::Text(text) = help(&[]).unwrap() else { panic!("help prints text") };
        let text = text.to_string();
        assert!(text.contains("Shell\n"), "{text}");
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for command in registry::COMMANDS.own() {
            assert!(text.contains(&format!("  {}", command.name())), "{} is not in {text}", command.name());
            assert!(joined.contains(command.summary()), "{} is not in {text}", command.summary());
            assert!(command.aliases().iter().all(|alias| joined.contains(alias)), "{}", command.name());
        }
        for line in text.lines() {
            assert!(line.width() <= 80, "{line}");
        }
    }

    #[test]
    fn a_page_is_found_by_alias() {
        let Outcome::Text(text) = help(&["exit"]).unwrap() else { panic!("help prints text") };
        assert!(text.to_string().contains("Usage: quit"), "{text}");
    }

    #[test]
    fn a_plot_has_a_page() {
        let Outcome::Text(text) = help(&["plot", "dsn"]).unwrap() else { panic!("help prints text") };
        let text = text.to_string();
        assert!(text.contains("Examples:\n  plot dsn 0\n      connection 0"), "{text}");
        let error = help(&["plot", "dsm"]).unwrap_err();
        assert_eq!(error.to_string(), "`plot` has no `dsm`; did you mean `dsn`?");
        assert!(text.contains("Usage: plot dsn "), "{text}");
        let Outcome::Text(alone) = help(&["dsn"]).unwrap() else { panic!("help prints text") };
        assert_eq!(alone.to_string(), text, "without `plot` it is the same page");
    }

    #[test]
    fn an_unknown_command_is_a_usage_error() {
        let error = help(&["qiut"]).unwrap_err();
        assert!(matches!(error, Error::Usage(_)));
        assert_eq!(error.to_string(), "unknown command `qiut`; did you mean `quit`?");
    }
}
