//! Classes of sizes and durations, as the analysis scripts had them.

/// A class of values: from one limit to below the other.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeClass {
    /// As printed.
    pub name: &'static str,
    /// The least value.
    pub from: f64,
    /// Less than this.
    pub below: f64,
}

const fn class(name: &'static str, from: f64, below: f64) -> SizeClass {
    SizeClass { name, from, below }
}

/// Classes of sizes, in bytes. A kilobyte has 1,000.
pub const SIZES: [SizeClass; 4] = [
    class("< 10 kB", 0.0, 10e3),
    class("10 to 100 kB", 10e3, 100e3),
    class("100 kB to 1 MB", 100e3, 1e6),
    class(">= 1 MB", 1e6, f64::INFINITY),
];

/// Classes of durations, in seconds.
pub const DURATIONS: [SizeClass; 4] = [
    class("< 1 s", 0.0, 1.0),
    class("1 to 10 s", 1.0, 10.0),
    class("10 to 100 s", 10.0, 100.0),
    class(">= 100 s", 100.0, f64::INFINITY),
];

/// The class that a value is in.
#[must_use]
pub fn class_of(classes: &[SizeClass], value: f64) -> Option<usize> {
    classes.iter().position(|class| class.from <= value && value < class.below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_belongs_to_the_class_that_begins_there() {
        let found = [0.0, 9999.0, 10_000.0, 1e6, f64::NAN].map(|value| class_of(&SIZES, value));
        assert_eq!(found, [Some(0), Some(0), Some(1), Some(3), None]);
    }
}
