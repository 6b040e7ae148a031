//! Words in another order than a command takes them: what is meant by a line that was refused, where only one thing can be.
//!
//! Other programs name a capture on each line, put both captures before both numbers, take no number where there is one
//! connection, and `--dest` without an end where both are meant. What is accepted by a command is never looked at here.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, ValueHint};

use crate::arguments::choice::ROLE;
use crate::commands::Session;
use crate::commands::grammar::OUTPUT;
use crate::whole_file;
use mptcp_trace::analysis::mptcp_connections::listed;

/// A line that a command takes, and the capture to load before it runs.
pub struct Rearranged {
    /// Its arguments.
    pub matches: ArgMatches,
    /// A capture that the line names and that takes the place of the loaded one.
    pub load: Option<PathBuf>,
}

/// The capture that `words`, which `definition` refused, name and that is not there: the fault that a person is to mend
/// first, wherever the command expects a file.
#[must_use]
pub fn missing_capture(definition: &clap::Command, words: &[OsString], session: &Session) -> Option<PathBuf> {
    let part = words.first().and_then(|word| definition.find_subcommand(word));
    let command = part.unwrap_or(definition);
    let typed = words.get(usize::from(part.is_some())..).unwrap_or_default();
    // What a command writes need not be there; it stands behind what it reads.
    let writes = command.get_positionals().any(|argument| argument.get_value_hint() == ValueHint::AnyPath);
    let sorted = Sorted::of(command, typed, session);
    let looked_at = if writes { 1 } else { typed.len() };
    let not_options = typed.iter().filter(|word| !sorted.others.contains(word)).take(looked_at);
    not_options
        .map(Path::new)
        .find(|path| names_a_capture(path) && !path.exists() && !is_capture(path.as_os_str(), session))
        .map(Path::to_path_buf)
}

/// Whether a name is one that captures have, compressed or not.
fn names_a_capture(path: &Path) -> bool {
    let ending = |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let is_capture = |ending: &String| matches!(ending.as_str(), "pcap" | "pcapng" | "cap" | "dmp" | "ntar");
    let is_compressed = |ending: &String| matches!(ending.as_str(), "gz" | "zst" | "lz4");
    match ending(path) {
        Some(last) if is_compressed(&last) => {
            path.file_stem().is_some_and(|stem| ending(Path::new(stem)).as_ref().is_some_and(is_capture))
        }
        last => last.as_ref().is_some_and(is_capture),
    }
}

/// What is meant by `words`, which `definition` refused with `refusal`; nothing where that is not clear.
///
/// # Errors
/// Why the definition does not take what is meant either: that is what is wrong with the words.
#[must_use]
pub fn rearranged(
    definition: &clap::Command,
    words: &[OsString],
    refusal: &clap::Error,
    session: &Session,
) -> Option<Result<Rearranged, clap::Error>> {
    let part = words.first().and_then(|word| definition.find_subcommand(word));
    let command = part.unwrap_or(definition);
    let (head, typed) = words.split_at(usize::from(part.is_some()));
    let rest = &csv_as_output(command, &without_empty_dest(command, typed));
    let wanted: Vec<&Arg> = command.get_positionals().collect();
    let sorted = Sorted::of(command, rest, session);
    let takes = |id: &str| wanted.iter().any(|argument| argument.get_id() == id);

    let mut guessed = false;
    let (positional, load) = if takes("first") && takes("second") {
        if let ([_, _], [], 0) = (sorted.files.as_slice(), sorted.numbers.as_slice(), sorted.rest)
            && wanted.iter().any(|argument| argument.get_id() == "stream" && argument.is_required_set())
        {
            let missing = "the number of the stream in the first capture is missing; write it behind that capture";
            return Some(Err(clap::Error::raw(ErrorKind::MissingRequiredArgument, missing)));
        }
        (of_two_captures(&wanted, &sorted)?, None)
    } else {
        // A file where the loaded capture is meant.
        let load = match sorted.files.as_slice() {
            [] => None,
            [file] => Some(PathBuf::from(file)),
            _ => return None,
        };
        let stays = |word: &&OsString| !sorted.others.contains(word) && !sorted.files.contains(word);
        let positional: Vec<OsString> = rest.iter().filter(stays).cloned().collect();
        let number = match &load {
            None if takes("mptcpstream") && sorted.numbers.is_empty() => only_connection(session),
            _ => None,
        };
        if load.is_none() && number.is_none() && rest == typed {
            return None;
        }
        guessed = number.is_some();
        (number.into_iter().chain(positional).collect(), load)
    };
    let line: Vec<OsString> = head.iter().chain(&positional).chain(&sorted.others).cloned().collect();
    let read = definition.clone().try_get_matches_from(line);
    // Of a line with a number that nobody typed, what was typed says more; and so it does where every word had its place
    // and one is missing.
    let refused = read.is_err() && (guessed || load.is_some() && refusal.kind() == ErrorKind::MissingRequiredArgument);
    (!refused).then(|| read.map(|matches| Rearranged { matches, load }))
}

/// The words without a `--dest` that names neither end: it means both, as no `--dest` does.
fn without_empty_dest(command: &clap::Command, words: &[OsString]) -> Vec<OsString> {
    let is_end = |word: &OsString| ROLE.named(&word.to_string_lossy().to_ascii_lowercase()).is_some();
    let is_empty = |(place, word): &(usize, &OsString)| {
        let typed = matches!(&*word.to_string_lossy(), "--dest" | "--destination");
        typed && takes_value(command, &word.to_string_lossy()) && !words.get(place + 1).is_some_and(is_end)
    };
    words.iter().enumerate().filter(|word| !is_empty(word)).map(|(_, word)| word.clone()).collect()
}

/// The words with `-o FILE` in place of `--csv FILE`.
fn csv_as_output(command: &clap::Command, words: &[OsString]) -> Vec<OsString> {
    let takes_file = command.get_arguments().any(|argument| argument.get_id() == OUTPUT)
        && command.get_arguments().any(|argument| argument.get_long() == Some("csv"));
    let is_file =
        |word: &OsString| Path::new(word).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("csv"));
    let named = |(place, word): (usize, &OsString)| {
        let names_file = takes_file && word == "--csv" && words.get(place.saturating_add(1)).is_some_and(is_file);
        if names_file { OsString::from("--output") } else { word.clone() }
    };
    words.iter().enumerate().map(named).collect()
}

/// Words by what they can only be.
struct Sorted {
    /// Captures: files that are there, and names of loaded ones.
    files: Vec<OsString>,
    /// Numbers of streams.
    numbers: Vec<OsString>,
    /// `tcp` or `mptcp`.
    level: Option<OsString>,
    /// Options with their values.
    others: Vec<OsString>,
    /// Anything else.
    rest: usize,
}

impl Sorted {
    fn of(command: &clap::Command, words: &[OsString], session: &Session) -> Sorted {
        let mut sorted = Sorted { files: Vec::new(), numbers: Vec::new(), level: None, others: Vec::new(), rest: 0 };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let text = word.to_string_lossy();
            if text.starts_with('-') && text.len() > 1 {
                sorted.others.push(word.clone());
                if takes_value(command, &text) {
                    sorted.others.extend(words.next().cloned());
                }
            } else if text.parse::<u32>().is_ok() {
                sorted.numbers.push(word.clone());
            } else if matches!(&*text, "tcp" | "mptcp") {
                sorted.level = Some(word.clone());
            } else if is_capture(word, session) {
                sorted.files.push(word.clone());
            } else {
                sorted.rest = sorted.rest.saturating_add(1);
            }
        }
        sorted
    }
}

fn is_capture(word: &OsStr, session: &Session) -> bool {
    whole_file::is_capture(Path::new(word)) || session.named().any(|(name, _)| word == name)
}

/// Whether the next word belongs to an option as it is typed.
fn takes_value(command: &clap::Command, typed: &str) -> bool {
    let long = typed.strip_prefix("--");
    let short = typed.strip_prefix('-').and_then(|letters| letters.chars().next());
    let found = command.get_arguments().find(|argument| match long {
        Some(long) => {
            argument.get_long() == Some(long) || argument.get_all_aliases().is_some_and(|names| names.contains(&long))
        }
        None => argument.get_short().is_some() && argument.get_short() == short && typed.len() == 2,
    });
    found.is_some_and(|argument| argument.get_action().takes_values())
}

/// The words of a command over two captures in its order. Without `tcp` or `mptcp`, streams of TCP are meant.
fn of_two_captures(wanted: &[&Arg], sorted: &Sorted) -> Option<Vec<OsString>> {
    let ([first, second], [_, _] | [_]) = (sorted.files.as_slice(), sorted.numbers.as_slice()) else { return None };
    let mut numbers = sorted.numbers.iter();
    let mut line = Vec::new();
    for argument in wanted {
        match argument.get_id().as_str() {
            "level" => line.push(sorted.level.clone().unwrap_or_else(|| "tcp".into())),
            "first" => line.push(first.clone()),
            "second" => line.push(second.clone()),
            _ => line.extend(numbers.next().cloned()),
        }
    }
    (numbers.next().is_none() && sorted.rest == 0).then_some(line)
}

/// The number of the connection, where the loaded capture has one.
fn only_connection(session: &Session) -> Option<OsString> {
    let capture = session.loaded()?;
    let mut connections = listed(capture);
    let only = connections.next()?;
    connections.next().is_none().then(|| only.id.to_string().into())
}
