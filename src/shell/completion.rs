//! Tab completion: a function of the line, the cursor and what is loaded; it needs no terminal.

mod hint;
mod numbers;
mod snapshot;

use std::ffi::OsStr;
use std::path::Path;

use clap::Arg;
use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
    complete as complete_words,
};
use unicode_width::UnicodeWidthStr;

use super::line::{self, CursorPlace};
use super::panics;
use crate::commands::{Command, grammar, registry};
use crate::terminal_text::escape;
pub use hint::usage;
use numbers::Numbers;
pub use snapshot::Snapshot;
use snapshot::{Described, commands};

/// More candidates than a person can read are not offered.
const MOST: usize = 2000;

/// Endings of packet captures, and of what compresses them.
const CAPTURES: [&str; 6] = ["pcap", "pcapng", "cap", "gz", "zst", "lz4"];

impl Snapshot {
    /// The argument with what the session knows of its values.
    fn informed(&self, argument: Arg, numbers: &Numbers) -> Arg {
        let id = argument.get_id().as_str();
        // Plugins may have several arguments of a kind: `column`, `column:second`.
        match id.split_once(':').map_or(id, |(kind, _)| kind) {
            // Of these the session knows the names, and the rest are files.
            "capture" | "first" | "second" => {
                let names = self.captures.clone();
                argument.add(ArgValueCompleter::new(move |current: &OsStr| {
                    captures_and_files(&names, Path::new("."), current)
                }))
            }
            // There may be very many streams, and few begin with what was typed.
            id @ ("tcpstream" | "mptcpstream" | "stream" | "mapped") => match numbers.of(id, self) {
                Some(values) => argument.add(ArgValueCompleter::new(move |current: &OsStr| {
                    beginning(&values, current).take(MOST).collect::<Vec<_>>()
                })),
                None => argument,
            },
            id => match self.values_of(id) {
                Some(values) => {
                    argument.add(ArgValueCandidates::new(move || values.iter().map(described).collect::<Vec<_>>()))
                }
                None => argument,
            },
        }
    }
}

fn described((value, about): &(String, String)) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(about.clone().into()))
}

fn beginning<'v>(values: &'v Described, current: &OsStr) -> impl Iterator<Item = CompletionCandidate> + use<'v> {
    let typed = current.to_string_lossy().into_owned();
    values.iter().filter(move |(value, _)| value.starts_with(&typed)).map(described)
}

/// Names of captures, then files: captures first, then directories, then others.
fn captures_and_files(names: &Described, directory: &Path, current: &OsStr) -> Vec<CompletionCandidate> {
    let mut files = PathCompleter::file().current_dir(directory).complete(current);
    files.sort_by_key(|file| {
        let name = file.get_value().to_string_lossy();
        let ending = Path::new(name.as_ref()).extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending {
            _ if name.ends_with('/') => 1,
            Some(ending) if CAPTURES.contains(&ending.as_str()) => 0,
            _ => 2,
        }
    });
    beginning(names, current).chain(files).collect()
}

/// Files of any kind.
fn files(current: &str) -> Vec<Value> {
    let found = PathCompleter::any().current_dir(Path::new(".")).complete(OsStr::new(current));
    found.iter().filter_map(value_of).collect()
}

/// A word that may come next, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    text: String,
    about: String,
}

fn value_of(candidate: &CompletionCandidate) -> Option<Value> {
    let about = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    let about = about.lines().next().unwrap_or_default().to_string();
    Some(Value { text: candidate.get_value().to_str()?.to_string(), about })
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// As listed: the word and what it is.
    pub display: String,
    /// As put into the line, quoted.
    pub replacement: String,
}

/// The candidates for the word that ends at byte `position` of `text`, and where that word starts. What is listed is
/// for a terminal of this many `columns`.
#[must_use]
pub fn complete(snapshot: &Snapshot, text: &str, position: usize, columns: usize) -> (usize, Vec<Candidate>) {
    let before = text.get(..position).unwrap_or(text);
    let partial = line::partial(before);
    let mut values = match partial.words.split_first() {
        _ if partial.place == CursorPlace::Elsewhere => Vec::new(),
        _ if partial.place == CursorPlace::File => files(&partial.current),
        None => command_names(snapshot, &partial.current),
        Some((name, arguments)) => match registry::COMMANDS.find(name) {
            Some(command) => argument_values(snapshot, command, arguments, &partial.current),
            None => Vec::new(),
        },
    };
    // A control character in a file name would be typed into the terminal; such a file is named by hand.
    values.retain(|value| !value.text.chars().any(char::is_control));
    values.truncate(MOST);
    (partial.start, listed(values, columns))
}

/// The values with what they are in a column beside them, cut where the terminal ends.
fn listed(values: Vec<Value>, columns: usize) -> Vec<Candidate> {
    let width =
        values.iter().filter(|value| !value.about.is_empty()).map(|value| value.text.width()).max().unwrap_or(0);
    // The list keeps two columns between its entries.
    let room = columns.saturating_sub(3);
    let candidate = |value: Value| {
        let mut display = value.text.clone();
        if !value.about.is_empty() {
            display.push_str(&" ".repeat(width.saturating_sub(value.text.width()).saturating_add(2)));
            display.push_str(&escape(&value.about));
            if display.width() > room {
                display = cut(&display, room.max(value.text.width()));
            }
        }
        Candidate { replacement: replacement(&value.text), display }
    };
    values.into_iter().map(candidate).collect()
}

/// The start of `text` that fits into `room` columns, with an ellipsis.
fn cut(text: &str, room: usize) -> String {
    let mut kept = String::new();
    for character in text.chars() {
        if kept.width().saturating_add(2) > room {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

/// A value as it is typed: quoted, and followed by a blank unless more of the word is to come.
fn replacement(value: &str) -> String {
    let end = if value.ends_with(['/', '=']) { "" } else { " " };
    format!("{}{end}", line::quote(value))
}

/// Names that start like `typed`; aliases of commands only once something is typed, because the list of all is long enough.
fn command_names(snapshot: &Snapshot, typed: &str) -> Vec<Value> {
    let wanted = typed.replace('-', "_");
    let value = |(text, about): (String, String)| Value { text, about };
    let mut names: Vec<Value> = if wanted.is_empty() {
        let named = registry::COMMANDS.all().map(|command| (command.name().into(), command.summary().into()));
        named.map(value).collect()
    } else {
        commands().into_iter().filter(|(name, _)| name.starts_with(&wanted)).map(value).collect()
    };
    names.extend(snapshot.shortcuts.iter().filter(|(name, _)| name.starts_with(typed)).cloned().map(value));
    names.sort_by(|one, other| one.text.cmp(&other.text));
    names
}

/// What clap's engine offers for `current` after `arguments`, with the session's own values.
fn argument_values(snapshot: &Snapshot, command: &dyn Command, arguments: &[String], current: &str) -> Vec<Value> {
    let words: Vec<_> = arguments.iter().map(String::as_str).chain([current]).map(Into::into).collect();
    let here = Some(Path::new("."));
    // A completion that fails must not cost the line that is being typed.
    let offered = panics::guard(|| {
        let definition = grammar::definition(command);
        let numbers = Numbers::read(&definition, arguments);
        let mut definition = definition
            .mut_args(|argument| snapshot.informed(argument, &numbers))
            .mut_subcommands(|subcommand| subcommand.mut_args(|argument| snapshot.informed(argument, &numbers)));
        complete_words(&mut definition, words, arguments.len(), here)
    });
    let mut values: Vec<Value> =
        offered.ok().and_then(Result::ok).unwrap_or_default().iter().filter_map(value_of).collect();
    // Where nothing is typed yet and values are known, options would only stand in their way: `-` asks for them.
    if current.is_empty() && values.iter().any(|value| !value.text.starts_with('-')) {
        values.retain(|value| !value.text.starts_with('-'));
    }
    // Stream numbers count, they are not spelt: 2 before 10. Other values come after them in the engine's order.
    values.sort_by_key(|value| value.text.parse::<u32>().map_or((1, 0), |number| (0, number)));
    values
}

#[cfg(test)]
mod tests;
