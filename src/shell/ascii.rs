//! Output for a terminal whose locale is not UTF-8.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

use crate::locale;

/// Text with the signs that this program draws in place of characters that look like them: lines, dots, arrows. Names
/// from captures and files stay as they are, because only the person knows what their terminal makes of them.
#[must_use]
pub fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match sign(character) {
            Some(sign) => plain.push_str(sign),
            None => plain.push(character),
        }
    }
    Cow::Owned(plain)
}

/// Replacement of a sign of ours.
fn sign(character: char) -> Option<&'static str> {
    Some(match character {
        '─' | '━' | '–' | '—' | '−' => "-",
        '│' | '┃' => "|",
        '┊' => ":",
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' => "+",
        '→' | '▶' => ">",
        '←' | '◀' => "<",
        '↔' => "=",
        // As wide as what it stands for, because it often ends a line that is full.
        '…' => "~",
        '·' => ".",
        '•' | '◆' => "*",
        '≤' => "<=",
        '≥' => ">=",
        '×' => "x",
        'µ' | 'μ' => "u",
        '±' => "+-",
        '█' => "#",
        '⠀'..='⣿' => braille(character),
        _ => return None,
    })
}

/// Dots by where they are: above, below or in both halves of the character.
fn braille(character: char) -> &'static str {
    const UPPER: u32 = 0x01 | 0x02 | 0x08 | 0x10;
    let dots = u32::from(character) & 0xff;
    match (dots & UPPER != 0, dots & !UPPER != 0, dots.count_ones()) {
        (false, false, _) => " ",
        (true, false, _) => "'",
        (false, true, _) => ".",
        (true, true, ..5) => ":",
        (true, true, _) => "#",
    }
}

/// A stream of this process: where it is a terminal, without signs that this one may not show.
pub fn for_terminal(stream: impl Write + IsTerminal + 'static) -> Box<dyn Write> {
    if stream.is_terminal() && !locale::has_utf8() { Box::new(Ascii::new(stream)) } else { Box::new(stream) }
}

/// A writer that hands on text as [`ascii`] has it.
#[derive(Debug)]
pub struct Ascii<W> {
    inner: W,
    /// The start of a character whose other bytes come with the next write.
    pending: Vec<u8>,
}

impl<W: Write> Ascii<W> {
    /// Hands on to `inner`.
    pub fn new(inner: W) -> Self {
        Ascii { inner, pending: Vec::new() }
    }
}

impl<W: Write> Write for Ascii<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = std::mem::take(&mut self.pending);
        text.extend_from_slice(bytes);
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let (valid, after, length) = match std::str::from_utf8(rest) {
                Ok(valid) => (valid, &[][..], Some(0)),
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    (std::str::from_utf8(valid).unwrap_or_default(), after, error.error_len())
                }
            };
            self.inner.write_all(ascii(valid).as_bytes())?;
            let Some(length) = length else {
                self.pending = after.to_vec();
                break;
            };
            // Bytes that are not text pass.
            let (wrong, next) = after.split_at(length.min(after.len()));
            self.inner.write_all(wrong)?;
            rest = next;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_ours_have_a_likeness() {
        assert_eq!(ascii("0 ┤⠁⡀⡇⣿⠀│ … 3 µs ± 1"), "0 +'.:# | ~ 3 us +- 1");
        assert_eq!(ascii("größe 日本"), "größe 日本");
        assert_eq!(ascii("plain"), "plain");
    }

    #[test]
    fn characters_may_come_in_parts() {
        let mut written = Vec::new();
        let mut output = Ascii::new(&mut written);
        for byte in "a→b…é\n".as_bytes() {
            output.write_all(&[*byte]).unwrap();
        }
        output.write_all(b"\xff\xe2x").unwrap();
        drop(output);
        assert_eq!(written, [b"a>b~".as_slice(), "é\n".as_bytes(), b"\xff\xe2x"].concat());
    }
}
