//! Cells for the numbers that a stream has in two captures.

use crate::output::Cell;

/// A stream's numbers in both captures, for people.
pub fn streams(first: u32, second: u32) -> Cell {
    Cell::Text(format!("{first}:{second}"))
}

/// A number that may be missing.
pub fn optional(number: Option<u32>) -> Cell {
    number.map_or(Cell::Null, |number| Cell::Integer(number.into()))
}
