//! A line that is still being typed.

/// Kind of the word at the cursor.
#[derive(Debug, PartialEq, Eq, Default, Clone, Copy)]
pub enum CursorPlace {
    /// A command's name or one of its arguments.
    #[default]
    Command,
    /// The file behind `>` or `>>`, or the script behind `@`.
    File,
    /// In a comment, or in what is left to `sh`: nothing is known of it.
    Elsewhere,
}

/// The last statement of a line up to the cursor, for completion.
#[derive(Debug, PartialEq, Eq, Default)]
pub struct Partial {
    /// The words before the one that the cursor is in, quotes resolved.
    pub words: Vec<String>,
    /// The word that the cursor is in, quotes resolved; empty after a blank.
    pub current: String,
    /// Where that word starts in the line, in bytes.
    pub start: usize,
    /// Kind of the word.
    pub place: CursorPlace,
}

/// Reads a line whose last word is still being typed.
#[must_use]
pub fn partial(line: &str) -> Partial {
    let mut partial = Partial { start: line.len(), ..Partial::default() };
    let mut quote = None;
    let mut in_word = false;
    let mut characters = line.char_indices();
    while let Some((position, character)) = characters.next() {
        if quote.is_none() && matches!(character, ' ' | '\t' | '\n' | '\r' | ';' | '|' | '>') {
            partial.end_word(in_word);
            in_word = false;
            match character {
                ';' | '\n' => partial = Partial::default(),
                '|' => partial.place = CursorPlace::Elsewhere,
                '>' => partial.place = CursorPlace::File,
                _ => {}
            }
            partial.start = line.len();
            if partial.place == CursorPlace::Elsewhere {
                return partial;
            }
            continue;
        }
        if !in_word {
            let first = partial.words.is_empty();
            match character {
                '#' => partial.place = CursorPlace::Elsewhere,
                '!' if first => partial.place = CursorPlace::Elsewhere,
                _ => {}
            }
            if partial.place == CursorPlace::Elsewhere {
                return partial;
            }
            in_word = true;
            partial.start = position;
            if first && matches!(character, '@' | '?') {
                partial.words.push(character.to_string());
                partial.start = position.saturating_add(1);
                continue;
            }
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

impl Partial {
    /// Puts the word that was being read to those before it.
    fn end_word(&mut self, in_word: bool) {
        if !in_word {
            return;
        }
        let word = std::mem::take(&mut self.current);
        match self.place {
            // The file behind `>` is not an argument, and arguments may follow it.
            CursorPlace::File => self.place = CursorPlace::Command,
            // `@` and `?` may stand alone.
            _ if word.is_empty() && matches!(self.words.as_slice(), [sign] if sign == "@" || sign == "?") => {}
            _ => self.words.push(word),
        }
        if self.words.len() == 1 && self.words.first().is_some_and(|name| name == "shell") {
            self.place = CursorPlace::Elsewhere;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Vec<String>, String, usize) {
        let partial = partial(line);
        (partial.words, partial.current, partial.start)
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_unfinished_word_is_found() {
        assert_eq!(read(""), (words(&[]), String::new(), 0));
        assert_eq!(read("he"), (words(&[]), "he".into(), 0));
        assert_eq!(read("help "), (words(&["help"]), String::new(), 5));
        assert_eq!(read("load 'my fi"), (words(&["load"]), "my fi".into(), 5));
        assert_eq!(read(r"load my\ fi"), (words(&["load"]), "my fi".into(), 5));
        assert_eq!(read(r#"x "a\"b" c"#), (words(&["x", "a\"b"]), "c".into(), 9));
        assert_eq!(read("x a\\"), (words(&["x"]), "a".into(), 2));
        assert_eq!(partial("help # lo").place, CursorPlace::Elsewhere);
        assert_eq!(partial("help a#lo").place, CursorPlace::Command);
    }

    #[test]
    fn only_the_last_statement_counts() {
        assert_eq!(read("help x; lo"), (words(&[]), "lo".into(), 8));
        assert_eq!(read("help 'x; lo"), (words(&["help"]), "x; lo".into(), 5));
        assert_eq!(read("help > f "), (words(&["help"]), String::new(), 9));
        assert_eq!(read("@x"), (words(&["@"]), "x".into(), 1));
        assert_eq!(read("@ x"), (words(&["@"]), "x".into(), 2));
        for (line, place) in [
            ("help > f", CursorPlace::File),
            ("help >>", CursorPlace::File),
            ("help > f ", CursorPlace::Command),
            ("help | gr", CursorPlace::Elsewhere),
            ("!ls", CursorPlace::Elsewhere),
            ("shell l", CursorPlace::Elsewhere),
            ("help; !l", CursorPlace::Elsewhere),
            ("help !l", CursorPlace::Command),
        ] {
            assert_eq!(partial(line).place, place, "{line}");
        }
    }
}
