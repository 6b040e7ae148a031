//! The whole program as clap sees it, with its commands: what completion scripts, the manual page and the handbook are
//! made from.

use clap::CommandFactory;

use super::super::registry;
use crate::cli::Cli;

/// Columns that generated text is folded at.
const WIDTH: usize = 100;

/// The program's flags and its commands.
#[must_use]
pub fn definition() -> clap::Command {
    let flags = Cli::command();
    let mut program = clap::Command::new("mptcpanalyzer")
        .version(env!("CARGO_PKG_VERSION"))
        .disable_help_subcommand(true)
        .term_width(WIDTH);
    if let Some(about) = flags.get_about() {
        program = program.about(about.clone());
    }
    if let Some(after) = flags.get_after_help() {
        program = program.after_help(after.clone());
    }
    let flags = flags.get_arguments().filter(|argument| argument.get_id() != "words").cloned().collect::<Vec<_>>();
    program.args(flags).subcommands(registry::COMMANDS.own().filter(|command| is_word(command.name())).map(|command| {
        // Signs such as `!` are for lines, and no completion script could have them as names.
        let aliases = command.aliases().iter().copied().filter(|alias| is_word(alias));
        named(super::definition(command), command.name()).visible_aliases(aliases)
    }))
}

/// The definition as that of a word of the system's shell.
fn named(definition: clap::Command, name: &'static str) -> clap::Command {
    let mut command = clap::Command::new(name).disable_help_flag(true).disable_help_subcommand(true).term_width(WIDTH);
    if let Some(about) = definition.get_about() {
        command = command.about(about.clone());
    }
    if let Some(after) = definition.get_after_help() {
        command = command.after_help(after.clone());
    }
    let subcommands = definition.get_subcommands().cloned().collect::<Vec<_>>();
    command.args(definition.get_arguments().cloned().collect::<Vec<_>>()).subcommands(subcommands)
}

fn is_word(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
}

/// The handbook: every command with its arguments and examples, in Markdown.
#[must_use]
pub fn handbook() -> String {
    let mut text = String::from(
        "# Commands\n\n\
         Generated from the program: `help COMMAND` prints the same. `UPDATE_DOCS=1 cargo test handbook` updates this \
         page.\n",
    );
    let mut categories: Vec<_> = registry::COMMANDS.own().map(|command| command.category()).collect();
    categories.sort_unstable();
    categories.dedup();
    for category in categories {
        text.push_str(&format!("\n## {}\n", category.title()));
        for command in registry::COMMANDS.own().filter(|command| command.category() == category) {
            let mut page = super::definition(command).term_width(WIDTH);
            page.build();
            add_page(&mut text, command.name(), page.clone());
            for part in page.get_subcommands() {
                add_page(&mut text, &format!("{} {}", command.name(), part.get_name()), part.clone());
            }
        }
    }
    text
}

/// Adds the page of one command, plot or action.
fn add_page(text: &mut String, name: &str, mut command: clap::Command) {
    let page = command.render_help().to_string();
    let page: Vec<&str> = page.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n### {name}\n\n```text\n{}\n```\n", page.join("\n").trim_end()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_definition_is_sound() {
        definition().debug_assert();
        assert!(definition().find_subcommand("list_subflows").is_some());
        assert!(definition().get_arguments().any(|argument| argument.get_long() == Some("load")));
    }
}
