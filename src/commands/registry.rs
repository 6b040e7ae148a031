//! THE list of commands: help, completion and the tests of examples all come from it.

use super::Command;

/// Every command, in the order in which `help` lists them within a category. A new command is one line here.
pub static COMMANDS: &[&dyn Command] = &[&super::export::Export, &super::dump::Dump, &super::columns::Columns];

/// Looks up a command by its name or an alias; `-` counts as `_`.
#[must_use]
pub fn find(name: &str) -> Option<&'static dyn Command> {
    let wanted = name.replace('-', "_");
    COMMANDS.iter().copied().find(|command| command.name() == wanted || command.aliases().contains(&wanted.as_str()))
}
