//! Whether more lines belong to the one that was typed.

/// Open quote or escape at the end of the lines so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Openness {
    quote: Option<u8>,
    backslash: bool,
}

impl Openness {
    /// Goes on with the next part of a line. A comment ends with its line and opens nothing.
    pub fn read(&mut self, text: &[u8]) {
        // A backslash at the end of what was read before has quoted the line end that follows.
        let mut escaped = std::mem::take(&mut self.backslash);
        let mut between_words = self.quote.is_none() && !escaped;
        let mut comment = false;
        for byte in text {
            if std::mem::take(&mut escaped) {
                between_words = *byte == b'\n' && between_words;
                continue;
            }
            match (self.quote, byte) {
                _ if comment => comment = *byte != b'\n',
                (None, b'#') if between_words => comment = true,
                (None | Some(b'"'), b'\\') => escaped = true,
                (None, b'\'' | b'"') => self.quote = Some(*byte),
                (Some(open), _) if open == *byte => self.quote = None,
                _ => {}
            }
            between_words = self.quote.is_none() && b" \t\r\n;|>".contains(byte);
        }
        self.backslash = escaped;
    }

    /// True while a quote is open or the last byte is a backslash that quotes.
    #[must_use]
    pub fn is_open(self) -> bool {
        self.quote.is_some() || self.backslash
    }

    /// Whether `text`, all of it, is left open.
    #[must_use]
    pub fn of(text: &[u8]) -> bool {
        let mut state = Openness::default();
        state.read(text);
        state.is_open()
    }
}

#[cfg(test)]
mod tests {
    use super::Openness;

    #[test]
    fn quotes_and_final_backslashes_ask_for_more() {
        for open in ["x 'a", "x \"a", "x \"a'", "x a\\", "x 'a\nb", "x \\\\\\"] {
            assert!(Openness::of(open.as_bytes()), "{open}");
        }
        for closed in ["", "x", "x 'a\nb'", "x a\\\\", "x \\'", "# it's", "x # it's \\", "x \"it's\"", "x 'a\\'"] {
            assert!(!Openness::of(closed.as_bytes()), "{closed}");
        }
        assert!(Openness::of(b"x a#'b"), "no comment within a word");
        assert!(Openness::of(b"# it's\nx 'y"));
    }

    #[test]
    fn lines_may_come_one_by_one() {
        let mut state = Openness::default();
        state.read(b"echo 'a\n");
        assert!(state.is_open());
        state.read(b"# no comment in here\n");
        assert!(state.is_open());
        state.read(b"b' \\");
        assert!(state.is_open());
        state.read(b"\nc\n");
        assert!(!state.is_open());
    }
}
