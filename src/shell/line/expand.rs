//! `~` and globs in words.

use std::ffi::OsString;
use std::path::Path;

use glob::{MatchOptions, Pattern};

use super::Word;

/// As shells match: a leading dot and a slash only by themselves.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// More names than a command line can take are not looked for.
const MOST: usize = 100_000;

/// The word with an unquoted `~` or `~/` at its start put out as the home directory.
pub fn home(word: &Word) -> OsString {
    let text = word.text();
    let at_start = matches!(word.octets.as_slice(), [(b'~', false)] | [(b'~', false), (b'/', _), ..]);
    let Some(rest) = Path::new(&text).strip_prefix("~").ok().filter(|_| at_start) else { return text };
    match std::env::home_dir() {
        Some(home) if rest.as_os_str().is_empty() => home.into_os_string(),
        Some(home) => home.join(rest).into_os_string(),
        None => text,
    }
}

/// The names of the files that the word matches, by name; the word itself where it is no pattern or nothing matches.
pub fn names(word: &Word) -> Vec<OsString> {
    let word_itself = home(word);
    let Some(pattern) = pattern(word, &word_itself) else { return vec![word_itself] };
    let Ok(paths) = glob::glob_with(&pattern, MATCHING) else { return vec![word_itself] };
    // The library leaves a leading `./` away, which tells a file from a capture of the same name.
    let here = pattern.starts_with("./");
    let found: Vec<OsString> = paths
        .take(MOST)
        .filter_map(Result::ok)
        .map(
            |path| if here && path.is_relative() && !path.starts_with(".") { Path::new("./").join(path) } else { path },
        )
        .map(Into::into)
        .collect();
    if found.is_empty() { vec![word_itself] } else { found }
}

/// The word as a pattern, what was quoted standing for itself; `None` where nothing in it is to be matched.
fn pattern(word: &Word, expanded: &OsString) -> Option<String> {
    if !word.octets.iter().any(|(octet, quoted)| !quoted && b"*?[".contains(octet)) {
        return None;
    }
    let mut pattern = String::new();
    let mut octets = word.octets.as_slice();
    if *expanded != word.text() {
        pattern.push_str(&Pattern::escape(std::env::home_dir()?.to_str()?));
        octets = octets.get(1..)?;
    }
    let text = std::str::from_utf8(&super::plain(octets)).ok()?.to_string();
    let mut previous = None;
    for (index, character) in text.char_indices() {
        let quoted = octets.get(index).is_some_and(|(_, quoted)| *quoted);
        match (quoted, character) {
            (true, _) => pattern.push_str(&Pattern::escape(character.encode_utf8(&mut [0; 4]))),
            // Two stars would walk through all directories below, which no POSIX shell does.
            (false, '*') if previous == Some('*') => {}
            _ => pattern.push(character),
        }
        previous = (!quoted).then_some(character);
    }
    Some(pattern)
}
