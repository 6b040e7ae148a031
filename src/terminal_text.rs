//! Text from captures, files and arguments, made harmless for a terminal.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// Shows characters that would steer a terminal, or make text read differently from what it is, as `\u{…}`:
/// control characters (so also the escape that starts every ANSI sequence, line feeds and tabs), marks that turn the
/// direction of writing, characters that take no room or show
/// nothing, and those of private use.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    let Some((safe, rest)) = first_unsafe(text).and_then(|(at, _)| text.split_at_checked(at)) else {
        return Cow::Borrowed(text);
    };
    let mut safe = safe.to_string();
    for character in rest.chars() {
        if is_unsafe(character) {
            safe.extend(character.escape_unicode());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// The first character that [`escape`] does not let through, and its place.
#[must_use]
pub fn first_unsafe(text: &str) -> Option<(usize, char)> {
    // Most text is letters, digits and signs of ASCII alone.
    let beyond = text.bytes().position(|byte| !(b' '..=b'~').contains(&byte))?;
    let mut rest = text.get(beyond..)?.char_indices();
    rest.find(|(_, character)| is_unsafe(*character)).map(|(at, character)| (beyond.saturating_add(at), character))
}

/// True for a character that [`escape`] does not let through.
#[must_use]
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00ad}' // soft hyphen
            | '\u{034f}' // combining grapheme joiner
            | '\u{061c}' // Arabic letter mark
            | '\u{115f}'..='\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{17b4}'..='\u{17b5}' // Khmer vowels without a sign
            | '\u{180b}'..='\u{180f}' // Mongolian variation selectors
            | '\u{200b}'..='\u{200f}' // zero width, left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}' // line and paragraph separators, embeddings, overrides
            | '\u{2060}'..='\u{206f}' // invisible operators, isolates
            | '\u{2800}' // Braille without dots
            | '\u{e000}'..='\u{f8ff}' // private use
            | '\u{fe00}'..='\u{fe0f}' // variation selectors
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' // shorthand format controls
            | '\u{1d173}'..='\u{1d17a}' // musical format controls
            | '\u{e0000}'..='\u{e0fff}' // tags, further variation selectors
            | '\u{f0000}'..='\u{10ffff}') // private use
}

/// The lines of `text`, broken at blanks before they grow beyond `width` columns. Words are never broken: a longer one
/// has a line of its own.
#[must_use]
pub fn folded(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    // Of the last line: a list of thousands of numbers may be one.
    let mut taken = 0_usize;
    for word in text.split(' ') {
        let with_word = taken.saturating_add(1).saturating_add(word.width());
        match lines.last_mut() {
            Some(line) if line.is_empty() => {
                line.push_str(word);
                taken = word.width();
            }
            Some(line) if with_word <= width => {
                line.push(' ');
                line.push_str(word);
                taken = with_word;
            }
            _ => {
                lines.push(word.to_string());
                taken = word.width();
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{escape, folded};

    #[test]
    fn lines_break_at_blanks() {
        assert_eq!(folded("one two three", 7), ["one two", "three"]);
        assert_eq!(folded("日本 日本", 7), ["日本", "日本"]);
        assert_eq!(folded("unbreakable a", 4), ["unbreakable", "a"]);
        assert_eq!(folded("", 4), [""]);
    }

    #[test]
    fn ordinary_text_is_left_alone() {
        assert_eq!(escape("fe80::1%eth0 – größe 日本"), "fe80::1%eth0 – größe 日本");
    }

    #[test]
    fn what_steers_a_terminal_is_shown() {
        assert_eq!(escape("a\x1b[31mred\n\t\x7f"), "a\\u{1b}[31mred\\u{a}\\u{9}\\u{7f}");
        assert_eq!(escape("\u{9b}2J"), "\\u{9b}2J");
        assert_eq!(escape("abc\u{202e}gpj.exe"), "abc\\u{202e}gpj.exe");
        for unseen in ['\u{3164}', '\u{115f}', '\u{fe0f}', '\u{e0100}', '\u{e000}', '\u{10fffd}', '\u{2800}'] {
            assert_eq!(escape(&unseen.to_string()), unseen.escape_unicode().to_string());
        }
    }
}
