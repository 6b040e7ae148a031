//! Words as they are typed.

use std::ffi::OsString;

/// `word` as it is typed to be one word of a line.
#[must_use]
pub fn quote(word: &str) -> String {
    if word.is_empty() {
        return "''".to_string();
    }
    if word.contains('\n') {
        // A backslash would take the end of the line away.
        return format!("'{}'", word.replace('\'', "'\\''"));
    }
    let mut quoted = String::with_capacity(word.len());
    for (index, character) in word.chars().enumerate() {
        let plain = character.is_alphanumeric()
            || matches!(character, '_' | '-' | '.' | '/' | ':' | '=' | '%' | '+' | ',' | '^' | '{' | '}')
            || (character == '@' && index > 0)
            || (character == '~' && index == 0);
        if !plain {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// Words as one line that is read back as the same words.
#[must_use]
pub fn join(words: &[OsString]) -> String {
    words.iter().map(|word| quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}
