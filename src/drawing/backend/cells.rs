//! Character cells of two by four braille dots, for terminals. A pixel is a dot.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

use super::super::figure::Series;
use super::super::geometry::PixelPoint;
use super::super::style::{Colour, Symbol};
use super::super::text::Text;
use super::{Stroke, Surface, pixels, units};

/// Dots of a cell from left to right.
pub const ACROSS: f64 = 2.0;
/// Dots of a cell from top to bottom.
pub const DOWN: f64 = 4.0;

/// The cell along x and y of shares of the width and height of `columns` and `rows`, as charts place them: from the
/// middle of the first dot to that of the last.
#[must_use]
pub fn cell((x, y): (f64, f64), columns: usize, rows: usize) -> (usize, usize) {
    let place = (x * (columns as f64 * ACROSS - 1.0) + 0.5, y * (rows as f64 * DOWN - 1.0) + 0.5);
    // Rounded as plotters rounds, so that an axis and its data agree. `as` saturates.
    let (x, y) = pixels(units(place));
    ((x / ACROSS) as usize, (y / DOWN) as usize)
}

/// Look of a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ink {
    /// Its sign, where signs and not dots are drawn.
    pub sign: Option<char>,
    /// Number of its colour in the terminal's palette; the terminal's own where there is none.
    pub colour: Option<u8>,
}

/// A line of text in colours.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Row {
    characters: Vec<(char, Option<u8>)>,
}

impl Row {
    /// A line without colours.
    #[must_use]
    pub fn of(text: &str) -> Row {
        let mut row = Row::default();
        row.push(text, None);
        row
    }

    /// Adds a text at the end.
    pub fn push(&mut self, text: &str, colour: Option<u8>) {
        self.characters.extend(text.chars().map(|character| (character, colour)));
    }

    /// Adds another line at the end.
    pub fn append(&mut self, more: Row) {
        self.characters.extend(more.characters);
    }

    /// Cells taken.
    pub fn width(&self) -> usize {
        self.characters.iter().map(|(character, _)| cell_width(*character)).sum()
    }

    /// Fills up with blanks.
    pub fn pad(&mut self, width: usize) {
        let missing = width.saturating_sub(self.width());
        self.characters.extend(std::iter::repeat_n((' ', None), missing));
    }

    /// Cuts off what is beyond `width` cells.
    pub fn cut(&mut self, width: usize) {
        while self.width() > width {
            self.characters.pop();
        }
    }

    /// Writes the line without the blanks at its end.
    pub fn write(&self, colours: bool, text: &mut String) {
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

/// Cells between the axes of a panel.
pub struct Cells<'a> {
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
    /// The look of each series.
    inks: &'a dyn Fn(&Series) -> Ink,
    /// The colour of texts that are in the terminal's own.
    plain: Colour,
    /// The look of what is drawn now.
    ink: Ink,
}

impl<'a> Cells<'a> {
    /// Cells with nothing in them.
    pub fn new((columns, rows): (usize, usize), plain: Colour, inks: &'a dyn Fn(&Series) -> Ink) -> Self {
        let cells = vec![Cell::default(); columns.saturating_mul(rows)];
        Cells { columns, rows, cells, inks, plain, ink: Ink::default() }
    }

    /// Dots from left to right and from top to bottom.
    #[must_use]
    pub fn size(&self) -> (u32, u32) {
        // A terminal has at most some thousand cells.
        (self.width() as u32, self.height() as u32)
    }

    /// Dots from left to right.
    fn width(&self) -> f64 {
        self.columns as f64 * ACROSS
    }

    /// Dots from top to bottom.
    fn height(&self) -> f64 {
        self.rows as f64 * DOWN
    }

    fn cell(&mut self, column: usize, row: usize) -> Option<&mut Cell> {
        if column >= self.columns {
            return None;
        }
        self.cells.get_mut(row.saturating_mul(self.columns).saturating_add(column))
    }

    /// Draws one dot; outside of the cells nothing happens.
    fn dot(&mut self, x: f64, y: f64) {
        /// Bits of the dots of a braille character: rows from the top, left and right.
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        if x < 0.0 || y < 0.0 || x >= self.width() || y >= self.height() {
            return;
        }
        // Inside of the canvas: small and not negative.
        let (x, y) = (x as usize, y as usize);
        let ink = self.ink;
        let bit = BITS.get(y % 4).and_then(|row| row.get(x % 2)).copied().unwrap_or(0);
        if let Some(cell) = self.cell(x / 2, y / 4) {
            cell.dots |= bit;
            cell.ink = ink;
        }
    }

    /// Draws a straight line of dots between two places inside of the cells.
    fn line(&mut self, from: PixelPoint, to: PixelPoint) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let steps = dx.abs().max(dy.abs()).ceil().clamp(1.0, self.width() + self.height());
        // At most some thousand steps.
        for step in 0..=(steps as u32) {
            let share = f64::from(step) / steps;
            self.dot(from.0 + dx * share, from.1 + dy * share);
        }
    }

    /// Puts a character where nothing is drawn.
    pub fn ground(&mut self, column: usize, row: usize, character: char) {
        if let Some(cell) = self.cell(column, row) {
            cell.ground = Some(character);
        }
    }

    /// Writes a text in place of dots, in the terminal's own colour.
    pub fn write(&mut self, column: usize, row: usize, text: &str) {
        let mut column = column;
        for character in text.chars() {
            self.put_wide(column, row, character, Ink::default());
            column = column.saturating_add(cell_width(character));
        }
    }

    fn put_wide(&mut self, column: usize, row: usize, character: char, ink: Ink) {
        self.put(column, row, character, ink);
        // The second half of a wide character.
        for offset in 1..cell_width(character) {
            self.put(column.saturating_add(offset), row, '\0', ink);
        }
    }

    /// Puts a character in place of dots.
    fn put(&mut self, column: usize, row: usize, character: char, ink: Ink) {
        if let Some(cell) = self.cell(column, row) {
            cell.character = Some(character);
            cell.ink = ink;
        }
    }

    /// Fills a rectangle with dots.
    fn fill(&mut self, corners: &[PixelPoint]) {
        let least = |pick: fn(&PixelPoint) -> f64| corners.iter().map(pick).fold(f64::INFINITY, f64::min).max(0.0);
        let most = |pick: fn(&PixelPoint) -> f64| corners.iter().map(pick).fold(f64::NEG_INFINITY, f64::max);
        let (left, right) = (least(|corner| corner.0), most(|corner| corner.0).min(self.width() - 1.0));
        let (top, bottom) = (least(|corner| corner.1), most(|corner| corner.1).min(self.height() - 1.0));
        if left > right || top > bottom {
            return;
        }
        // A blank dot parts it from its neighbour where there is room.
        let last = if right - left > 3.0 { right - 1.0 } else { right };
        // Inside of the cells: at most some thousand columns.
        for column in (left.floor() as u32)..=(last.floor() as u32) {
            self.line((f64::from(column), top), (f64::from(column), bottom));
        }
    }

    /// The characters of a row.
    pub fn row(&self, row: usize) -> Row {
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

impl Surface for Cells<'_> {
    /// Outlines and marks would hide what they belong to.
    const COARSE: bool = true;

    fn begin(&mut self, series: Option<&Series>) {
        self.ink = series.map_or_else(Ink::default, self.inks);
    }

    fn end(&mut self) {
        self.ink = Ink::default();
    }

    fn lines(&mut self, paths: &[Vec<PixelPoint>], _: &Stroke) {
        for pair in paths.iter().flat_map(|path| path.windows(2)) {
            if let [from, to] = pair {
                self.line(*from, *to);
            }
        }
    }

    fn areas(&mut self, polygons: &[Vec<PixelPoint>], _: Colour, _: f64) {
        polygons.iter().for_each(|corners| self.fill(corners));
    }

    fn marks(&mut self, _: Symbol, _: f64, places: &[PixelPoint], _: Colour) {
        places.iter().for_each(|(x, y)| self.dot(*x, *y));
    }

    /// One character after the other, from the cell that the text's place is in.
    fn text(&mut self, text: &Text) {
        // Not negative: texts are placed in cells.
        let (mut column, row) = ((text.x / ACROSS) as usize, (text.y / DOWN) as usize);
        let ink = if text.colour == self.plain { Ink::default() } else { self.ink };
        for character in text.content.chars() {
            self.put_wide(column, row, character, ink);
            column = column.saturating_add(cell_width(character));
        }
    }
}

/// Number of cells that a character takes.
pub fn cell_width(character: char) -> usize {
    character.width().unwrap_or(0)
}
