//! The arguments that a command or plot of a plugin takes.

use clap::ValueEnum;
use serde::Deserialize;

use super::fields::Fields;
use super::{A_NAME, is_name};
use crate::arguments::stream_number;
use crate::terminal_text::is_unsafe;
use crate::toml_file::Mistake;

/// The keys of `[[command.argument]]` and `[[plot.argument]]`.
pub(super) const KEYS: &[&str] = &["name", "kind", "required", "help", "default", "choices"];

/// Type of an argument's values: decides what is accepted, completed and given to the plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub enum ArgumentType {
    /// Any text.
    String,
    /// A number, with or without a fraction.
    Number,
    /// A whole number of 64 bits.
    Integer,
    /// Number of a TCP stream of the capture.
    TcpStream,
    /// Number of an MPTCP connection of the capture.
    MptcpStream,
    /// A column of the packet table.
    Column,
    /// A loaded capture or a capture file; the plugin gets what it gets of the current capture.
    Capture,
    /// A file; the plugin gets its absolute path.
    File,
    /// Given or not.
    Flag,
    /// One of `choices`.
    Choice,
}

impl ArgumentType {
    /// Whether values are whole numbers, which filters may take in.
    #[must_use]
    pub fn is_whole(self) -> bool {
        matches!(self, ArgumentType::Integer | ArgumentType::TcpStream | ArgumentType::MptcpStream)
    }

    /// Whether `text` is a value of this kind.
    fn accepts(self, text: &str, choices: &[String]) -> bool {
        match self {
            ArgumentType::String | ArgumentType::Column => true,
            ArgumentType::Number => text.parse::<f64>().is_ok_and(f64::is_finite),
            ArgumentType::Integer => text.parse::<i64>().is_ok(),
            ArgumentType::TcpStream | ArgumentType::MptcpStream => stream_number(text).is_ok(),
            ArgumentType::Choice => choices.iter().any(|choice| choice == text),
            // What a file is relative to when nobody typed it is not to be guessed.
            ArgumentType::Capture | ArgumentType::File | ArgumentType::Flag => false,
        }
    }
}

/// One argument. A required one stands in its place on the line; others are options, `--name VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Its name, under which the plugin gets it.
    pub name: String,
    /// Type of its values.
    pub kind: ArgumentType,
    /// Whether the line must have it.
    pub required: bool,
    /// One line for the help page.
    pub help: String,
    /// The value when the line has none, as it would be typed.
    pub default: Option<String>,
    /// The values of [`ArgumentType::Choice`].
    pub choices: Vec<String>,
}

/// A default as TOML has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Default {
    Text(String),
    Integer(i64),
    Number(f64),
}

pub(super) fn read(mut fields: Fields<'_>, taken: &[&str]) -> Result<Argument, Mistake> {
    let kinds = "one of \"string\", \"number\", \"integer\", \"tcpstream\", \"mptcpstream\", \"column\", \"capture\", \
                 \"file\", \"flag\", \"choice\"";
    let typeable = |text: &String| !text.is_empty() && !text.starts_with('-') && !text.chars().any(is_unsafe);
    let argument = Argument {
        name: fields.need("name", A_NAME, |name: &String| is_name(name))?,
        kind: fields.take("kind", kinds, |_: &ArgumentType| true)?.unwrap_or(ArgumentType::String),
        required: fields.take("required", "true or false", |_: &bool| true)?.unwrap_or(false),
        help: fields.line("help", "one line of text, in quotes")?.unwrap_or_default(),
        default: fields.take("default", "a text or a number", |_: &Default| true)?.map(|default| match default {
            Default::Text(text) => text,
            Default::Integer(number) => number.to_string(),
            Default::Number(number) => number.to_string(),
        }),
        choices: fields
            .take("choices", "a list of texts that do not begin with `-`", |choices: &Vec<String>| {
                choices.iter().all(typeable)
            })?
            .unwrap_or_default(),
    };
    let name = &argument.name;
    if taken.contains(&name.as_str()) {
        return Err(fields.wrong(format!("the argument name `{name}` is reserved; choose another name")));
    }
    if (argument.kind == ArgumentType::Choice) == argument.choices.is_empty() {
        return Err(fields.wrong(format!("`{name}`: `kind = \"choice\"` and `choices` belong together")));
    }
    if argument.required && (argument.default.is_some() || argument.kind == ArgumentType::Flag) {
        return Err(fields.wrong(format!("`{name}` cannot be required, because it is a flag or has a default")));
    }
    if let Some(default) = &argument.default
        && (!argument.kind.accepts(default, &argument.choices) || default.chars().any(is_unsafe))
    {
        return Err(fields.wrong(format!("the default of `{name}` does not match its kind; correct or remove it")));
    }
    Ok(argument)
}
