//! Shared by `alias` and `macro`: `create`, `list` and `delete`.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches};
use serde::Serialize;
use serde_json::json;

use super::super::session::is_name;
use super::super::session::shortcuts::{ShortcutKind, places};
use super::super::{Outcome, Session, registry};
use crate::error::{Error, Result};
use crate::output::Report;
use crate::quoting;

#[derive(Clone, Serialize)]
struct Record<'a> {
    name: &'a str,
    text: &'a str,
}

/// Adds the subcommands.
pub fn arguments(kind: ShortcutKind, command: clap::Command) -> clap::Command {
    let what = kind.name();
    let name = || Arg::new("shortcut").value_name("NAME");
    let text = Arg::new("text")
        .value_name("TEXT")
        .required(true)
        .num_args(1..)
        .trailing_var_arg(true)
        .allow_hyphen_values(true)
        .help("Text that the name stands for; quote `;`, `|` and `>`");
    let create = clap::Command::new("create").about(format!("Create or replace the {what} NAME"));
    let delete = clap::Command::new("delete").about("Delete some");
    let list = clap::Command::new("list").about("List all, or one");
    command.disable_help_subcommand(true).subcommands([
        create.arg(name().required(true).help("Name, of letters, digits, `_`, `-` and `.`")).arg(text),
        list.arg(name().help("Only this one")),
        delete.arg(name().required(true).num_args(1..).help("Which")),
    ])
}

/// Does what the line says; without a subcommand it lists.
pub fn run(kind: ShortcutKind, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
    match arguments.subcommand() {
        Some(("create", arguments)) => create(kind, arguments, session),
        Some(("delete", arguments)) => {
            for name in arguments.get_many::<String>("shortcut").into_iter().flatten() {
                known(kind, name, session)?;
                session.shortcuts.of_mut(kind).remove(name);
                session.keep_shortcut(kind, name, None);
            }
            Ok(Outcome::Done(Vec::new()))
        }
        Some((_, arguments)) => match arguments.get_one::<String>("shortcut") {
            Some(name) => {
                known(kind, name, session)?;
                list(session.shortcuts.of(kind).iter().filter(|(other, _)| *other == name))
            }
            None => list(session.shortcuts.of(kind).iter()),
        },
        None => list(session.shortcuts.of(kind).iter()),
    }
}

fn create(kind: ShortcutKind, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
    let name = arguments.get_one::<String>("shortcut").map(String::as_str).unwrap_or_default();
    let words: Vec<String> = arguments.get_many::<String>("text").into_iter().flatten().cloned().collect();
    let text = match words.as_slice() {
        [text] => text.clone(),
        words => words.iter().map(|word| quoting::quote(word)).collect::<Vec<_>>().join(" "),
    };
    let refuse = |sentence: String| Err(Error::Usage(sentence));
    if !is_name(name) {
        return refuse(format!("{name} is not a valid name; use letters, digits, `_`, `-` and `.`"));
    }
    if registry::COMMANDS.find(name).is_some() {
        return refuse(format!("{name} is a command; choose another name"));
    }
    match session.shortcuts.find(name) {
        Some((other, _)) if other != kind => {
            let other = other.name();
            return refuse(format!("{name} is already the name of the {other}; free it with `{other} delete {name}`"));
        }
        _ => {}
    }
    if kind == ShortcutKind::Macro {
        check_places(&text)?;
    }
    session.keep_shortcut(kind, name, Some(&text));
    let said = format!("{name} stands for: {text}");
    session.shortcuts.of_mut(kind).insert(name.to_string(), text);
    Ok(Outcome::Done(vec![said]))
}

/// A macro has places for its first argument up to some other, without a hole.
fn check_places(text: &str) -> Result<()> {
    let places = places(text);
    if places.is_empty() {
        return Err(Error::Usage("the text has no argument such as `{1}`; use `alias` instead".to_string()));
    }
    if places.iter().zip(1..).any(|(place, number)| *place != number) {
        return Err(Error::Usage("arguments must be numbered from {1} without gaps".to_string()));
    }
    Ok(())
}

fn known(kind: ShortcutKind, name: &str, session: &Session) -> Result<()> {
    let what = kind.name();
    match session.shortcuts.of(kind).contains_key(name) {
        true => Ok(()),
        false => Err(Error::NotFound(format!("no {what} is called {name}; `{what} list` shows all"))),
    }
}

fn list<'a>(shortcuts: impl Iterator<Item = <&'a BTreeMap<String, String> as IntoIterator>::Item>) -> Result<Outcome> {
    let records: Vec<Record<'a>> = shortcuts.map(|(name, text)| Record { name, text }).collect();
    Ok(Outcome::Report(Report::listing(&json!(records), &[("name", ""), ("text", "stands for")])))
}
