//! Rows of characters with colours, and a canvas of dots.

use std::fmt::Write as _;

use super::cell_width;

/// Look of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Ink {
    /// Its sign, where signs and not dots are drawn.
    pub(super) sign: Option<char>,
    /// Number of its colour in the terminal's palette; the terminal's own where there is none.
    pub(super) colour: Option<u8>,
}

/// A line of text in colours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Row {
    characters: Vec<(char, Option<u8>)>,
}

impl Row {
    pub(super) fn of(text: &str) -> Row {
        let mut row = Row::default();
        row.push(text, None);
        row
    }

    pub(super) fn push(&mut self, text: &str, colour: Option<u8>) {
        self.characters.extend(text.chars().map(|character| (character, colour)));
    }

    pub(super) fn append(&mut self, more: Row) {
        self.characters.extend(more.characters);
    }

    /// Cells taken.
    pub(super) fn width(&self) -> usize {
        self.characters.iter().map(|(character, _)| cell_width(*character)).sum()
    }

    /// Fills up with blanks.
    pub(super) fn pad(&mut self, width: usize) {
        let missing = width.saturating_sub(self.width());
        self.characters.extend(std::iter::repeat_n((' ', None), missing));
    }

    /// Cuts off what is beyond `width` cells.
    pub(super) fn cut(&mut self, width: usize) {
        while self.width() > width {
            self.characters.pop();
        }
    }

    /// Writes the line without the blanks at its end.
    pub(super) fn write(&self, colours: bool, text: &mut String) {
        let used = self.characters.iter().rposition(|(character, _)| ![' ', BLANK].contains(character));
        let mut current = None;
        for (character, colour) in self.characters.iter().take(used.map_or(0, |last| last.saturating_add(1))) {
            if colours && *colour != current {
                // Writing to a string never fails.
                let _ = match colour {
                    Some(number) => write!(text, "\x1b[38;5;{number}m"),
                    None => write!(text, "\x1b[39m"),
                };
                current = *colour;
            }
            text.push(if *character == BLANK { ' ' } else { *character });
        }
        if current.is_some() {
            text.push_str("\x1b[39m");
        }
    }
}

/// A braille character without dots.
const BLANK: char = '\u{2800}';

#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    /// The dots of a braille character, as in its code point.
    dots: u8,
    /// A character in place of dots.
    character: Option<char>,
    ink: Ink,
    /// Text shown if nothing is drawn.
    ground: Option<char>,
}

/// Cells of two by four dots.
pub(super) struct Canvas {
    pub(super) columns: usize,
    pub(super) rows: usize,
    cells: Vec<Cell>,
    /// A text had no room.
    pub(super) refused: bool,
}

impl Canvas {
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        Canvas { columns, rows, cells: vec![Cell::default(); columns.saturating_mul(rows)], refused: false }
    }

    /// Dots from left to right.
    pub(super) fn width(&self) -> f64 {
        (self.columns * 2) as f64
    }

    /// Dots from top to bottom.
    pub(super) fn height(&self) -> f64 {
        (self.rows * 4) as f64
    }

    fn cell(&mut self, column: usize, row: usize) -> Option<&mut Cell> {
        if column >= self.columns {
            return None;
        }
        self.cells.get_mut(row.saturating_mul(self.columns).saturating_add(column))
    }

    /// Draws one dot; outside of the canvas nothing happens.
    pub(super) fn dot(&mut self, x: f64, y: f64, ink: Ink) {
        /// Bits of the dots of a braille character: rows from the top, left and right.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if x < 0.0 || y < 0.0 || x >= self.width() || y >= self.height() {
            return;
        }
        // Inside of the canvas: small and not negative.
        let (x, y) = (x as usize, y as usize);
        let bit = BITS.get(y % 4).and_then(|row| row.get(x % 2)).copied().unwrap_or(0);
        if let Some(cell) = self.cell(x / 2, y / 4) {
            cell.dots |= bit;
            cell.ink = ink;
        }
    }

    /// Draws a straight line of dots between two places inside of the canvas.
    pub(super) fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).ceil().clamp(1.0, self.width() + self.height());
        // At most some thousand steps.
        for step in 0..=(steps as u32) {
            let share = f64::from(step) / steps;
            self.dot(from.0 + dx * share, from.1 + dy * share, ink);
        }
    }

    /// Puts a character where nothing is drawn.
    pub(super) fn ground(&mut self, column: usize, row: usize, character: char) {
        if let Some(cell) = self.cell(column, row) {
            cell.ground = Some(character);
        }
    }

    /// Puts a character in place of dots.
    pub(super) fn put(&mut self, column: usize, row: usize, character: char, ink: Ink) {
        if let Some(cell) = self.cell(column, row) {
            cell.character = Some(character);
            cell.ink = ink;
        }
    }

    /// Writes a text over what is drawn, unless another text is in its way or it does not fit.
    pub(super) fn text(&mut self, column: usize, row: usize, text: &str) -> bool {
        let width: usize = text.chars().map(cell_width).sum();
        let taken = |cell: Option<&mut Cell>| cell.is_none_or(|cell| cell.character.is_some());
        // A blank on both sides parts it from its neighbours.
        let (first, last) =
            (column.saturating_sub(1), column.saturating_add(width).min(self.columns.saturating_sub(1)));
        if column.saturating_add(width) > self.columns || (first..=last).any(|column| taken(self.cell(column, row))) {
            return false;
        }
        let mut at = column;
        for character in text.chars() {
            self.put(at, row, character, Ink::default());
            // The second half of a wide character.
            for offset in 1..cell_width(character) {
                self.put(at.saturating_add(offset), row, '\0', Ink::default());
            }
            at = at.saturating_add(cell_width(character));
        }
        true
    }

    /// The characters of a row.
    pub(super) fn row(&self, row: usize) -> Row {
        let start = row.saturating_mul(self.columns);
        let cells = self.cells.iter().skip(start).take(self.columns);
        let character = |cell: &Cell| match (cell.character, cell.dots, cell.ink.sign) {
            (Some(character), ..) => (character, cell.ink.colour),
            (None, 0, _) => (cell.ground.unwrap_or(BLANK), None),
            (None, _, Some(sign)) => (sign, cell.ink.colour),
            (None, dots, None) => {
                (char::from_u32(u32::from(BLANK).saturating_add(u32::from(dots))).unwrap_or(BLANK), cell.ink.colour)
            }
        };
        Row { characters: cells.map(character).filter(|(character, _)| *character != '\0').collect() }
    }
}
