//! Texts among character cells: placed in rows where no other text is, or left out.

use unicode_width::UnicodeWidthStr;

use super::super::backend::cells::{ACROSS, DOWN};
use super::super::geometry::PixelPoint;
use super::super::style::Colour;
use super::super::text::{Anchor, Text};
use super::super::wrapping::shorten;
use super::labels::Labelling;

/// The cells that texts have taken.
pub(super) struct CellLabels {
    columns: usize,
    taken: Vec<bool>,
    refused: bool,
}

impl CellLabels {
    /// Cells of a canvas whose size is given in dots.
    pub(super) fn new((width, height): (u32, u32)) -> Self {
        // Small and not negative.
        let (columns, rows) = ((f64::from(width) / ACROSS) as usize, (f64::from(height) / DOWN) as usize);
        CellLabels { columns, taken: vec![false; columns.saturating_mul(rows)], refused: false }
    }

    fn is_taken(&self, column: usize, row: usize) -> bool {
        // Outside there is no room.
        self.taken.get(row.saturating_mul(self.columns).saturating_add(column)).is_none_or(|taken| *taken)
    }

    /// Takes the cells of a text, whatever is in them.
    fn put(&mut self, text: &str, column: usize, row: usize, colour: Colour) -> Text {
        let last = column.saturating_add(text.width()).min(self.columns);
        for column in column..last {
            let at = row.saturating_mul(self.columns).saturating_add(column);
            if let Some(taken) = self.taken.get_mut(at) {
                *taken = true;
            }
        }
        // The middle of the first dot of the cell.
        let place = (column as f64 * ACROSS + 0.5, row as f64 * DOWN + 0.5);
        Text::new(text, place, DOWN, Anchor::Start, colour)
    }

    /// Takes the cells of a text unless others are in its way or it does not fit.
    fn put_where_free(&mut self, text: &str, column: usize, row: usize, colour: Colour) -> Option<Text> {
        let end = column.saturating_add(text.width());
        // A blank on both sides parts it from its neighbours.
        let (first, last) = (column.saturating_sub(1), end.min(self.columns.saturating_sub(1)));
        if end > self.columns || (first..=last).any(|column| self.is_taken(column, row)) {
            return None;
        }
        Some(self.put(text, column, row, colour))
    }

    /// Nothing but a refusal comes of it.
    fn refuse(&mut self) -> Option<Text> {
        self.refused = true;
        None
    }
}

fn cells(text: &str) -> f64 {
    text.width() as f64
}

/// The cell that a place is in.
fn cell((x, y): PixelPoint) -> (usize, usize) {
    // Inside of the canvas: not negative.
    ((x / ACROSS) as usize, (y / DOWN) as usize)
}

/// The cell of an arrow's head: before the lifeline that it points to.
fn head_column(from: PixelPoint, to: PixelPoint) -> usize {
    let (column, _) = cell(to);
    if to.0 >= from.0 { column.saturating_sub(1) } else { column.saturating_add(1) }
}

impl Labelling for CellLabels {
    fn head(&mut self, from: PixelPoint, to: PixelPoint, colour: Colour) -> Option<Text> {
        let head = if to.0 >= from.0 { ">" } else { "<" };
        Some(self.put(head, head_column(from, to), cell(to).1, colour))
    }

    fn along_line(&mut self, text: &str, from: PixelPoint, to: PixelPoint, colour: Colour) -> Option<Text> {
        let room = (to.0 - from.0).abs() / ACROSS - 4.0;
        let ((left, row), (right, other_row)) = (cell((from.0.min(to.0), from.1)), cell((from.0.max(to.0), to.1)));
        if cells(text) > room && row == other_row {
            // A level line leaves room beyond its ends.
            let beyond = [right.checked_add(2), left.checked_sub(text.width().saturating_add(2))];
            if let Some(placed) = beyond.into_iter().flatten().find_map(|at| self.put_where_free(text, at, row, colour))
            {
                return Some(placed);
            }
        }
        let shown = shorten(text, room, cells);
        // A letter and an ellipsis say nothing.
        if shown.chars().count() < text.chars().count().min(4) {
            return self.refuse();
        }
        let middle = (f64::midpoint(from.0, to.0) / ACROSS - cells(&shown) / 2.0).max(0.0) as usize;
        // A blank parts it from a head on its left, or it would go to another arrow's row.
        let middle = if to.0 < from.0 { middle.max(head_column(from, to).saturating_add(2)) } else { middle };
        let (_, row) = cell((0.0, f64::midpoint(from.1, to.1)));
        let rows = [Some(row), row.checked_sub(1), row.checked_add(1)];
        match rows.into_iter().flatten().find_map(|row| self.put_where_free(&shown, middle, row, colour)) {
            None => self.refuse(),
            placed => placed,
        }
    }

    fn sign(&mut self, place: PixelPoint, colour: Colour) -> Option<Text> {
        let (column, row) = cell(place);
        Some(self.put("◆", column, row, colour))
    }

    fn around(&mut self, text: &str, place: PixelPoint, colour: Colour) -> Option<Text> {
        let (column, row) = cell(place);
        let shown = shorten(text, self.columns as f64 * 0.6, cells);
        let columns = [column.checked_add(2), column.checked_sub(shown.width().saturating_add(2))];
        match columns.into_iter().flatten().find_map(|column| self.put_where_free(&shown, column, row, colour)) {
            None => self.refuse(),
            placed => placed,
        }
    }

    fn refused(&self) -> bool {
        self.refused
    }
}
