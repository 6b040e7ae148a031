//! Command lines as words, quoted as in a POSIX shell.

use std::ffi::{OsStr, OsString};

use crate::error::{Error, Result};

/// Splits a line into words. Quotes and backslashes work as in a POSIX shell, `#` starts a comment, `~/` at the start
/// of a word is the home directory, and `?name` is `? name`.
///
/// # Errors
/// [`Error::Usage`] when a quote is not closed.
pub fn split(line: &[u8]) -> Result<Vec<OsString>> {
    let words = shlex::bytes::split(line).ok_or_else(|| {
        Error::Usage(
            "a quote or a final backslash is left open: close it, or put `\\` before a literal quote".to_string(),
        )
    })?;
    let mut words: Vec<OsString> = words.into_iter().map(|word| expand_home(from_octets(word))).collect();
    if let Some(first) = words.first_mut()
        && let Some(name) = first.to_str().and_then(|first| first.strip_prefix('?')).filter(|name| !name.is_empty())
    {
        let name = OsString::from(name);
        *first = OsString::from("?");
        words.insert(1, name);
    }
    Ok(words)
}

#[cfg(unix)]
fn from_octets(octets: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(octets)
}

#[cfg(not(unix))]
fn from_octets(octets: Vec<u8>) -> OsString {
    OsString::from(String::from_utf8_lossy(&octets).into_owned())
}

fn expand_home(word: OsString) -> OsString {
    let Ok(rest) = std::path::Path::new(&word).strip_prefix("~") else { return word };
    match std::env::home_dir() {
        Some(home) => home.join(rest).into_os_string(),
        None => word,
    }
}

/// A line up to the cursor, for completion.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Partial {
    /// The words before the one that the cursor is in, quotes resolved.
    pub words: Vec<String>,
    /// The word that the cursor is in, quotes resolved; empty after a blank.
    pub current: String,
    /// Where that word starts in the line, in octets.
    pub start: usize,
    /// The cursor is in a comment: there is nothing to complete.
    pub comment: bool,
}

/// Reads a line whose last word is still being typed.
#[must_use]
pub fn partial(line: &str) -> Partial {
    let mut partial = Partial { start: line.len(), ..Partial::default() };
    let mut quote = None;
    let mut in_word = false;
    let mut characters = line.char_indices();
    while let Some((position, character)) = characters.next() {
        match (quote, character) {
            (None, ' ' | '\t' | '\n') => {
                if in_word {
                    partial.words.push(std::mem::take(&mut partial.current));
                }
                in_word = false;
                partial.start = line.len();
                continue;
            }
            (None, '#') if !in_word => {
                partial.comment = true;
                return partial;
            }
            _ if !in_word => {
                in_word = true;
                partial.start = position;
            }
            _ => {}
        }
        match (quote, character) {
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, '\\') => partial.current.extend(characters.next().map(|(_, escaped)| escaped)),
            (Some('"'), '\\') => match characters.next() {
                Some((_, escaped @ ('"' | '\\' | '$' | '`'))) => partial.current.push(escaped),
                Some((_, other)) => partial.current.extend(['\\', other]),
                None => {}
            },
            _ => partial.current.push(character),
        }
    }
    partial
}

/// `word` as it is typed to be one word of a line.
#[must_use]
pub fn quote(word: &str) -> String {
    let mut quoted = String::with_capacity(word.len());
    for (index, character) in word.chars().enumerate() {
        let plain = character.is_alphanumeric()
            || matches!(character, '_' | '-' | '.' | '/' | ':' | '=' | '@' | '%' | '+' | ',' | '^' | '?')
            || (character == '~' && index == 0);
        if !plain {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// The words of a command line for a trace message, not escaped.
pub fn join(words: &[OsString]) -> String {
    words.iter().map(|word| quote(&OsStr::to_string_lossy(word))).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_rules_of_a_shell() {
        assert_eq!(split(b"dump 'a b' c\\ d \"e'f\" # g").unwrap(), ["dump", "a b", "c d", "e'f"]);
        assert!(split(b"  # only a comment").unwrap().is_empty());
        assert!(matches!(split(b"load_pcap 'x"), Err(Error::Usage(_))));
        assert_eq!(split(b"?quit").unwrap(), ["?", "quit"]);
        assert_eq!(split(b"?").unwrap(), ["?"]);
        assert_eq!(split(b"? quit").unwrap(), ["?", "quit"]);
    }

    #[test]
    #[cfg(unix)]
    fn words_need_not_be_text() {
        use std::os::unix::ffi::OsStrExt;
        let words = split(b"load_pcap \xff.pcap").unwrap();
        assert_eq!(words[1].as_bytes(), b"\xff.pcap");
    }

    #[test]
    fn home_is_expanded() {
        let Some(home) = std::env::home_dir() else { return };
        assert_eq!(split(b"load_pcap ~/x").unwrap()[1], home.join("x"));
        assert_eq!(split(b"load_pcap ~x").unwrap()[1], "~x");
    }

    #[test]
    fn the_unfinished_word_is_found() {
        let read = |line| {
            let partial = partial(line);
            (partial.words, partial.current, partial.start)
        };
        let words = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(read(""), (words(&[]), String::new(), 0));
        assert_eq!(read("he"), (words(&[]), "he".into(), 0));
        assert_eq!(read("help "), (words(&["help"]), String::new(), 5));
        assert_eq!(read("load 'my fi"), (words(&["load"]), "my fi".into(), 5));
        assert_eq!(read(r"load my\ fi"), (words(&["load"]), "my fi".into(), 5));
        assert_eq!(read(r#"x "a\"b" c"#), (words(&["x", "a\"b"]), "c".into(), 9));
        assert_eq!(read("x a\\"), (words(&["x"]), "a".into(), 2));
        assert!(partial("help # lo").comment);
        assert!(!partial("help a#lo").comment);
    }

    #[test]
    fn quoted_words_are_read_back() {
        for word in ["plain", "a b", "it's", "q\"uote", "back\\slash", "#x", "$HOME", "ünï", "a\tb"] {
            assert_eq!(split(quote(word).as_bytes()).unwrap(), [word], "{}", quote(word));
        }
        assert_eq!(quote("my file.pcapng"), "my\\ file.pcapng");
    }
}
