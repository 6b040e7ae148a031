//! Delays in tables for people: milliseconds to the microsecond, narrow enough for a line of 80 columns to hold a
//! distribution.

use crate::output::{Cell, Column};

/// Room for delays up to 9999.999.
const WIDTH: usize = 8;

/// A column of delays; its heading stands over the digits.
pub fn column(name: &str) -> Column {
    Column { name: name.to_string(), heading: Some(format!("{name:>WIDTH$}")) }
}

/// A delay given in seconds.
pub fn cell(seconds: Option<f64>) -> Cell {
    Cell::Text(match seconds {
        Some(seconds) => format!("{:>WIDTH$.3}", seconds * 1e3),
        None => format!("{:>WIDTH$}", "-"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_line_up() {
        assert_eq!(cell(Some(0.0202454)), Cell::Text("  20.245".to_string()));
        assert_eq!(cell(None), Cell::Text("       -".to_string()));
        assert_eq!(column("min").heading.as_deref(), Some("     min"));
    }
}
