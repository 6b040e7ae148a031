//! The arguments of plugins: from the manifest to clap, and from what was typed to JSON.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};
use serde_json::Value;

use super::manifest::{Argument, ArgumentType, Entry};
use crate::arguments::stream_number;
use crate::error::{Error, Result};
use crate::terminal_text::escape;

/// Value of an argument on the line.
#[derive(Debug, Clone, PartialEq)]
pub enum Given {
    /// A value as the plugin gets it; null for nothing.
    Value(Value),
    /// The name or path of a capture.
    Capture(PathBuf),
}

/// Adds the arguments of `entry` to `command`.
#[must_use]
pub fn define(entry: &Entry, command: clap::Command) -> clap::Command {
    let arguments = entry.arguments.iter().enumerate();
    command.args(arguments.map(|(index, argument)| defined(argument, id(entry, index))))
}

/// What `matches` have for each argument of `entry`, in its order.
///
/// # Errors
/// [`Error::Usage`] for a number that is none, or a path that is not text.
pub fn given<'a>(entry: &'a Entry, matches: &ArgMatches) -> Result<Vec<(&'a Argument, Given)>> {
    let arguments = entry.arguments.iter().enumerate();
    arguments.map(|(index, argument)| Ok((argument, value(argument, &id(entry, index), matches)?))).collect()
}

/// The id that completion knows an argument by: its kind, and for a second one of the kind its name as well.
fn id(entry: &Entry, index: usize) -> String {
    let Some(argument) = entry.arguments.get(index) else { return String::new() };
    let kind = match argument.kind {
        ArgumentType::TcpStream => "tcpstream",
        ArgumentType::MptcpStream => "mptcpstream",
        ArgumentType::Column => "column",
        ArgumentType::Capture => "capture",
        _ => return format!("plugin:{}", argument.name),
    };
    let again = entry.arguments.iter().take(index).any(|other| other.kind == argument.kind);
    if again { format!("{kind}:{}", argument.name) } else { kind.to_string() }
}

fn defined(argument: &Argument, id: String) -> Arg {
    let defined = Arg::new(id).help(argument.help.clone());
    let defined = match argument.required {
        true => defined.required(true),
        false => defined.long(argument.name.replace('_', "-")),
    };
    if argument.kind == ArgumentType::Flag {
        return defined.action(ArgAction::SetTrue);
    }
    let defined = defined.value_name(argument.name.to_uppercase());
    let defined = match argument.kind {
        ArgumentType::Number => defined.value_parser(number).allow_negative_numbers(true),
        ArgumentType::Integer => defined.value_parser(value_parser!(i64)).allow_negative_numbers(true),
        ArgumentType::TcpStream | ArgumentType::MptcpStream => defined.value_parser(stream_number),
        ArgumentType::Capture | ArgumentType::File => {
            defined.value_parser(value_parser!(PathBuf)).value_hint(ValueHint::FilePath)
        }
        ArgumentType::Choice => defined.value_parser(PossibleValuesParser::new(argument.choices.clone())),
        ArgumentType::String | ArgumentType::Column | ArgumentType::Flag => defined,
    };
    match &argument.default {
        Some(default) => defined.default_value(default.clone()),
        None => defined,
    }
}

fn number(text: &str) -> std::result::Result<f64, &'static str> {
    text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or("a number was expected")
}

fn value(argument: &Argument, id: &str, matches: &ArgMatches) -> Result<Given> {
    let value = match argument.kind {
        ArgumentType::Flag => Some(matches.get_flag(id).into()),
        ArgumentType::Number => matches.get_one::<f64>(id).map(|number| (*number).into()),
        ArgumentType::Integer => matches.get_one::<i64>(id).map(|number| (*number).into()),
        ArgumentType::TcpStream | ArgumentType::MptcpStream => {
            matches.get_one::<u32>(id).map(|number| (*number).into())
        }
        ArgumentType::String | ArgumentType::Column | ArgumentType::Choice => {
            matches.get_one::<String>(id).map(|text| text.as_str().into())
        }
        ArgumentType::File => matches.get_one::<PathBuf>(id).map(absolute).transpose()?.map(Into::into),
        ArgumentType::Capture => match matches.get_one::<PathBuf>(id) {
            Some(path) => return Ok(Given::Capture(path.clone())),
            None => None,
        },
    };
    Ok(Given::Value(value.unwrap_or(Value::Null)))
}

/// A path as text that does not depend on the current directory, which is another one for the plugin.
fn absolute(path: &PathBuf) -> Result<String> {
    let absolute = std::path::absolute(path).map_err(|error| Error::file("find", path, error))?;
    let shown = || escape(&path.to_string_lossy()).into_owned();
    absolute
        .into_os_string()
        .into_string()
        .map_err(|_| Error::Usage(format!("the name of {} is not UTF-8, which JSON needs; rename the file", shown())))
}
