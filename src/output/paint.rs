//! Colours in tables for people: how grave something is, states, and each subflow as in its plots.
//!
//! A cell that has a colour begins and ends with characters that take no room, so that columns line up as without. No text
//! of a capture has them ([`crate::terminal_text::escape`]). On the way out they become what a terminal understands.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Cell;

/// Colours for the tables of a report.
pub struct Paint<'a> {
    /// The colour of a TCP stream, one of the 256 that terminals have; `None` for one that is not a subflow.
    pub subflow: &'a dyn Fn(u32) -> Option<u8>,
}

/// What begins a title, and the cells of each kind.
const TITLE: char = '\u{e0020}';
const BAD: char = '\u{e0021}';
const DOUBTFUL: char = '\u{e0022}';
const GOOD: char = '\u{e0023}';
/// What ends them.
const END: char = '\u{e0024}';
/// The first of 240 characters, each for a colour.
const FIRST_COLOUR: u32 = 0xe0100;
const COLOURS: u32 = 240;

/// Columns whose texts are judged.
const JUDGED: [&str; 4] = ["severity", "state", "outcome", "hmac"];

const WRONG: [&str; 9] =
    ["problem", "reset", "fast_closed", "invalid", "refused", "unanswered", "blackholed", "failed", "error"];
const TO_BE_LOOKED_AT: [&str; 7] =
    ["notice", "half_closed", "declined", "mirrored", "warning", "skipped", "not_established"];
const AS_IT_SHOULD_BE: [&str; 5] = ["ok", "established", "granted", "valid", "closed"];

impl Paint<'_> {
    /// The text of a cell in its colour, where it has one. What may be folded has none, because a colour would go on in the
    /// next column.
    pub(super) fn cell(&self, column: &str, cell: &Cell, text: String) -> String {
        if text.contains(' ') {
            return text;
        }
        let begin = match (column, cell) {
            ("tcpstream", Cell::Integer(number)) => {
                u32::try_from(*number).ok().and_then(|number| self.of_subflow(number))
            }
            ("tcpstream", Cell::Text(number)) => number.parse().ok().and_then(|number| self.of_subflow(number)),
            (column, Cell::Text(word)) if JUDGED.contains(&column) => judged(word),
            _ => None,
        };
        begin.map_or(text.clone(), |begin| format!("{begin}{text}{END}"))
    }

    fn of_subflow(&self, stream: u32) -> Option<char> {
        let colour = u32::from((self.subflow)(stream)?);
        char::from_u32(FIRST_COLOUR.saturating_add(colour)).filter(|_| colour < COLOURS)
    }
}

/// The title of a table.
pub(super) fn title(line: &str) -> String {
    format!("{TITLE}{line}{END}")
}

fn judged(word: &str) -> Option<char> {
    let is_in = |words: &[&str]| words.contains(&word);
    match () {
        () if is_in(&WRONG) => Some(BAD),
        () if is_in(&TO_BE_LOOKED_AT) => Some(DOUBTFUL),
        () if is_in(&AS_IT_SHOULD_BE) => Some(GOOD),
        () => None,
    }
}

/// An output that a terminal shows in colour. It is given whole characters.
pub(super) struct Painted<W>(pub W);

impl<W: Write> Write for Painted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // All of the characters above begin so in UTF-8.
        match std::str::from_utf8(bytes) {
            Ok(text) if bytes.contains(&0xf3) => self.0.write_all(with_escapes(text).as_bytes())?,
            _ => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn with_escapes(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        let colour = u32::from(character).checked_sub(FIRST_COLOUR).filter(|colour| *colour < COLOURS);
        match (character, colour) {
            (TITLE, _) => escaped.push_str("\x1b[1m"),
            (BAD, _) => escaped.push_str("\x1b[31m"),
            (DOUBTFUL, _) => escaped.push_str("\x1b[33m"),
            (GOOD, _) => escaped.push_str("\x1b[32m"),
            (END, _) => escaped.push_str("\x1b[0m"),
            (_, Some(colour)) => {
                let _ = write!(escaped, "\x1b[38;5;{colour}m");
            }
            (other, None) => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delimiter::Delimiter;
    use crate::output::render::render_painted;
    use crate::output::{Format, RenderOptions, Report, Table};

    fn report() -> Report {
        let mut table = Table::new(&["tcpstream", "state", "detail"]).titled("Subflows of connection 0");
        let cell = |text: &str| Cell::Text(text.to_string());
        table.rows.push(vec![Cell::Integer(0), cell("reset"), cell("a\u{e0021} long text to be folded somewhere")]);
        table.rows.push(vec![Cell::Integer(1), cell("closed"), cell("reset")]);
        Report::new(&(), vec![table])
    }

    fn rendered(width: Option<u16>, paint: Option<&Paint<'_>>) -> String {
        let options =
            RenderOptions { format: Format::Table, human_readable: false, delimiter: Delimiter::COMMA, width };
        let mut output = Vec::new();
        render_painted(&report(), &options, paint, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    /// A terminal's view: what an escape sequence says is not text.
    fn plain(text: &str) -> String {
        let mut parts = text.split("\x1b[");
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |text, part| text + part.split_once('m').unwrap().1)
    }

    #[test]
    fn colours_move_nothing() {
        let subflow = |stream: u32| (stream == 1).then_some(178);
        let paint = Paint { subflow: &subflow };
        for width in [None, Some(80), Some(40), Some(20), Some(5)] {
            let painted = rendered(width, Some(&paint));
            assert_eq!(plain(&painted), rendered(width, None), "{width:?}");
            for expected in ["\x1b[31mreset\x1b[0m", "\x1b[32mclosed\x1b[0m", "\x1b[38;5;178m1\x1b[0m"] {
                assert!(painted.contains(expected), "{width:?}: {painted:?}");
            }
            // A word in another column is not a state, and text has no colours of its own.
            assert_eq!(painted.matches("\x1b[31m").count(), 1, "{painted:?}");
        }
    }
}
