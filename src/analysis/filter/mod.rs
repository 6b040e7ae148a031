//! The language of `--where`: conditions over the columns of the packet table.
//!
//! ```text
//! tcplen > 0 and tcpstream == 2
//! (sport in (80, 443) or dport == 0x1f90) and not options_cut
//! sendkey is not null and ipsrc == "10.0.1.1"
//! subtype contains 1 and reltime < 0.25
//! ```
//!
//! - comparisons: `=` or `==`, `!=`, `<`, `<=`, `>`, `>=`, between a column and a value or another column;
//!   `COLUMN in (VALUE, …)`, `COLUMN not in (…)`, `COLUMN is null`, `COLUMN is not null`; `COLUMN contains VALUE` for
//!   lists (an item) and text (a part of it); a column of true and false stands for itself
//! - `COLUMN & BITS` in place of a column: some of its bits, as in `tcpflags & 0x12 == 0x02`; alone, whether any is set
//! - in place of a column, Wireshark's name of the field: `frame.number`, `tcp.len`; `tcp.port` and `ip.addr` are either
//!   end's, `tcp.flags.syn` and others are bits of `tcpflags`
//! - joined by `and` or `&&`, `or` or `||`, `not` or `!`, parentheses
//! - values: `12`, `0x1f`, `0.25` (seconds, for time spans), `"text"` or `'text'`, `true`, `false`; instants are text
//!   as in `abstime >= "2026-11-21T10:00:00Z"`; keys and tokens may be written as they are printed, `0xcfe2ec98`, and
//!   without the `0x` in quotes.
//!   Addresses need no quotes, and neither do words that name no column, as in `interface == eth0`
//!
//! A null compares to nothing: neither the comparison nor its `not` keeps the row. Whole numbers are compared exactly
//! over all 64 bits.

mod evaluate;
mod lexer;
mod names;
mod parser;

use polars::prelude::{BooleanChunked, DataFrame};

use crate::error::{Error, Result};

/// A parsed condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    condition: parser::Condition,
}

impl Filter {
    /// Reads a condition.
    ///
    /// # Errors
    /// [`Error::Usage`] that says what was met where, and what was expected.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Filter { condition: parser::parse(text)? })
    }

    /// The columns that it asks, as they are named; some more than once.
    #[must_use]
    pub fn columns(&self) -> Vec<&str> {
        let mut names = Vec::new();
        self.condition.name_columns(&mut names);
        names
    }

    /// True for every row of `frame` that the condition keeps; never null.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a column that `frame` does not have, [`Error::Usage`] for a comparison that its type
    /// does not allow.
    pub fn mask(&self, frame: &DataFrame) -> Result<BooleanChunked> {
        evaluate::mask(&self.condition, frame)
    }

    /// The rows that the condition keeps.
    ///
    /// # Errors
    /// As [`Filter::mask`].
    pub fn apply(&self, frame: &DataFrame) -> Result<DataFrame> {
        let mask = self.mask(frame)?;
        frame.filter(&mask).map_err(|source| Error::Table { action: "filter the packet table", source })
    }
}
