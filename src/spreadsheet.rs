//! Text that a spreadsheet would take for a formula and run, when it opens a CSV file.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether formulas are written as they are.
static KEPT: AtomicBool = AtomicBool::new(false);

/// Has [`inert`] leave formulas as they are, or not.
pub fn keep_formulas(keep: bool) {
    KEPT.store(keep, Ordering::Relaxed);
}

/// Whether [`inert`] leaves formulas as they are.
#[must_use]
pub fn formulas_are_kept() -> bool {
    KEPT.load(Ordering::Relaxed)
}

/// The text, with an apostrophe in front where a spreadsheet would run it: then it shows the text as it is.
#[must_use]
pub fn inert(text: &str) -> Cow<'_, str> {
    if is_formula(text) && !formulas_are_kept() { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text that [`inert`] was given.
#[must_use]
pub fn restored(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

/// Whether a text begins like a formula; one that only stands behind apostrophes counts, so that they can be told apart.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(['=', '+', '-', '@', '\t', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_shown_and_come_back() {
        for text in ["=1+1", "+1", "-x", "@sum", "\t=1", "'=1", "''=1", "eth0", "", "'quoted'", "a=b"] {
            assert_eq!(restored(&inert(text)), text);
        }
        assert_eq!(inert("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(inert("10.0.0.1"), "10.0.0.1");
    }
}
