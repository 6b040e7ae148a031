//! `~` and globs in words.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use regex::bytes::Regex;

use super::Word;
use mptcp_trace::interrupt;

/// More names than a command line can take are not looked for.
const MOST: usize = 100_000;

/// The word with an unquoted `~` or `~/` at its start put out as the home directory.
pub fn home(word: &Word) -> OsString {
    let text = word.text();
    let at_start = matches!(word.bytes.as_slice(), [(b'~', false)] | [(b'~', false), (b'/', _), ..]);
    let Some(rest) = Path::new(&text).strip_prefix("~").ok().filter(|_| at_start) else { return text };
    match std::env::home_dir() {
        Some(home) if rest.as_os_str().is_empty() => home.into_os_string(),
        Some(home) => home.join(rest).into_os_string(),
        None => text,
    }
}

/// The names of the files that the word matches, by name; the word itself where it is not a pattern or nothing matches.
/// Names are bytes here: they need not be UTF-8.
pub fn names(word: &Word) -> Vec<OsString> {
    let word_itself = home(word);
    if !word.bytes.iter().any(|(byte, quoted)| !quoted && b"*?[".contains(byte)) {
        return vec![word_itself];
    }
    let mut bytes = word.bytes.clone();
    if word_itself != word.text() {
        let home = std::env::home_dir().unwrap_or_default();
        bytes.splice(..1, home.as_os_str().as_bytes().iter().map(|byte| (*byte, true)));
    }
    let mut found = vec![Vec::new()];
    let components: Vec<&[(u8, bool)]> = bytes.split(|(byte, _)| *byte == b'/').collect();
    for (index, component) in components.iter().enumerate() {
        let last = index + 1 == components.len();
        found = found.iter().flat_map(|before| below(before, component, last)).take(MOST).collect();
        if interrupt::requested() {
            break;
        }
    }
    if found.is_empty() { vec![word_itself] } else { found.into_iter().map(OsString::from_vec).collect() }
}

/// The paths that `component` leads to from the path `before`, each with a slash behind it unless it is the last.
fn below(before: &[u8], component: &[(u8, bool)], last: bool) -> Vec<Vec<u8>> {
    let path = |name: &[u8]| {
        let slash: &[u8] = if last { b"" } else { b"/" };
        [before, name, slash].concat()
    };
    let exists = |path: &[u8]| fs::symlink_metadata(OsStr::from_bytes(path)).is_ok();
    let Some(pattern) = pattern(component) else {
        let path = path(&super::plain(component));
        // The empty start of an absolute path is there, and so is what ends in a slash when it is a directory.
        return if path.is_empty() || exists(&path) { vec![path] } else { Vec::new() };
    };
    let directory = if before.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(before)) };
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    // As shells match: a leading dot only by itself.
    let hidden = component.first().is_some_and(|(byte, _)| *byte == b'.');
    let mut names: Vec<Vec<u8>> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name().into_vec()))
        .filter(|name| (hidden || !name.starts_with(b".")) && pattern.is_match(name))
        .collect();
    names.sort_unstable();
    names.iter().map(|name| path(name)).filter(|path| last || exists(path)).collect()
}

/// The expression that a component of a path means; `None` where nothing in it is to be matched.
fn pattern(component: &[(u8, bool)]) -> Option<Regex> {
    // One character, or one byte of what is not UTF-8.
    const ANY: &str = r"(?:[\x00-\x7f]|[\xc2-\xf4][\x80-\xbf]{1,3}|[\x80-\xff])";
    let mut expression = "(?s-u)\\A".to_string();
    let mut matches = false;
    let mut rest = component;
    while let Some((&(byte, quoted), behind)) = rest.split_first() {
        rest = behind;
        match (byte, quoted) {
            (b'*', false) => expression.push_str(".*"),
            (b'?', false) => expression.push_str(ANY),
            (b'[', false) if set(behind).is_some() => {
                let Some((members, after)) = set(behind) else { continue };
                expression.push_str(&members);
                rest = after;
            }
            _ => {
                expression.push_str(&format!("\\x{byte:02x}"));
                continue;
            }
        }
        matches = true;
    }
    expression.push_str("\\z");
    if matches { Regex::new(&expression).ok() } else { None }
}

/// The set of characters that begins behind a `[`, as an expression, and what follows it; `None` where it has no end or
/// is not text: then the `[` stands for itself.
fn set(behind: &[(u8, bool)]) -> Option<(String, &[(u8, bool)])> {
    let negated = matches!(behind.first(), Some((b'!' | b'^', false)));
    let members = behind.get(usize::from(negated)..)?;
    // A `]` in the first place is a member.
    let length = members.iter().skip(1).position(|(byte, quoted)| *byte == b']' && !quoted)? + 1;
    let text = String::from_utf8(super::plain(members.get(..length)?)).ok()?;
    let mut expression = if negated { "(?u:[^".to_string() } else { "(?u:[".to_string() };
    let mut characters = text.chars().peekable();
    while let Some(first) = characters.next() {
        expression.push_str(&format!("\\x{{{:x}}}", u32::from(first)));
        let mut ahead = characters.clone();
        if ahead.next() == Some('-')
            && let Some(end) = ahead.next().filter(|end| *end >= first)
        {
            expression.push_str(&format!("-\\x{{{:x}}}", u32::from(end)));
            characters = ahead;
        }
    }
    expression.push_str("])");
    Some((expression, members.get(length + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in a directory with odd ones that `text` matches, without the directory.
    fn matched(text: &str) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        for name in [&b"a.pcap"[..], b"b.pcap", b".hidden", b"x\xff.pcap", "é.pcap".as_bytes(), b"[z].txt"] {
            fs::write(directory.path().join(OsStr::from_bytes(name)), "").unwrap();
        }
        fs::create_dir(directory.path().join("sub")).unwrap();
        fs::write(directory.path().join("sub/c.pcap"), "").unwrap();
        let line = format!("x {}/{text}", directory.path().display());
        let statements = super::super::statements(line.as_bytes()).unwrap();
        let prefix = format!("{}/", directory.path().display());
        let arguments = statements[0].arguments();
        let shorten = |name: &OsString| name.to_string_lossy().strip_prefix(&prefix).unwrap_or("?").to_string();
        arguments[1..].iter().map(shorten).collect()
    }

    #[test]
    fn names_need_not_be_utf_8() {
        assert_eq!(matched("*.pcap"), ["a.pcap", "b.pcap", "x\u{fffd}.pcap", "é.pcap"]);
        assert_eq!(matched("x?.pcap"), ["x\u{fffd}.pcap"]);
        assert_eq!(matched("?.pcap"), ["a.pcap", "b.pcap", "é.pcap"]);
    }

    #[test]
    fn sets_and_hidden_names_are_as_in_a_shell() {
        assert_eq!(matched("[ab].pcap"), ["a.pcap", "b.pcap"]);
        assert_eq!(matched("[!a].pcap"), ["b.pcap", "é.pcap"]);
        assert_eq!(matched("[a-z].pcap"), ["a.pcap", "b.pcap"]);
        assert_eq!(matched("[é].pcap"), ["é.pcap"]);
        assert_eq!(matched(".h*"), [".hidden"]);
        assert_eq!(matched("s*/c*"), ["sub/c.pcap"]);
        assert_eq!(matched("*/c.pcap"), ["sub/c.pcap"]);
        assert_eq!(matched("'['*"), ["[z].txt"]);
        assert_eq!(matched("[*"), ["[z].txt"]);
    }

    #[test]
    fn what_matches_nothing_stays_and_quotes_keep_a_star() {
        assert_eq!(matched("*.nothing"), ["*.nothing"]);
        assert_eq!(matched("'*'.pcap"), ["*.pcap"]);
    }
}
