//! Axes that many studies have.

use crate::drawing::figure::{Axis, Unit};

/// Shares of `what`, from none to all.
#[must_use]
pub fn share_of(what: &str) -> Axis {
    Axis::new(format!("share of {what}"), Unit::Share).with_range(0.0, 1.02)
}

/// Times, by their logarithm.
#[must_use]
pub fn seconds(label: &str) -> Axis {
    Axis::new(label, Unit::Seconds).logarithmic()
}

/// Bytes, by their logarithm.
#[must_use]
pub fn bytes(label: &str) -> Axis {
    Axis::new(label, Unit::Bytes).logarithmic()
}
