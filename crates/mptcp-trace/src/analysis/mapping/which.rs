//! First or second.

use serde::Serialize;

/// One of two captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Which {
    /// The one named first.
    First,
    /// The one named second.
    Second,
}

impl Which {
    /// Both, in order.
    pub const BOTH: [Which; 2] = [Which::First, Which::Second];

    /// The other one.
    #[must_use]
    pub fn other(self) -> Which {
        match self {
            Which::First => Which::Second,
            Which::Second => Which::First,
        }
    }

    /// `first` or `second`, whichever this is.
    pub fn of<T>(self, first: T, second: T) -> T {
        match self {
            Which::First => first,
            Which::Second => second,
        }
    }
}
