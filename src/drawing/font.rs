//! The one font of all plots, part of the program: no font is ever looked for on the machine.

mod truetype;

use std::sync::LazyLock;

use unicode_width::UnicodeWidthChar;

use truetype::TrueType;
pub(super) use truetype::{Curve, Point};

/// What SVG viewers should use. Without DejaVu Sans, Verdana has almost its widths, and nearly all others are narrower.
pub const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

/// Name of the font in files that carry it: six letters of a subset's name, then the font's own.
pub(super) const NAME: &str = "SUBSET+DejaVuSans";

/// The font's file.
pub(super) static FILE: &[u8] = include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf");

// A test loads it.
static FONT: LazyLock<Option<TrueType>> = LazyLock::new(|| TrueType::read(FILE));

/// Height of a line of text from one baseline to the next, in multiples of the size.
pub const LINE: f64 = 1.3;
/// Height of letters above the baseline, in multiples of the size.
pub const ASCENT: f64 = 0.76;
/// Depth of letters below the baseline, in multiples of the size.
pub const DESCENT: f64 = 0.24;

/// The outline of a character, in multiples of the size, upwards from the baseline. One that the font has not is shown by
/// its sign for that.
#[must_use]
pub(super) fn outline(character: char) -> Option<Vec<Curve>> {
    let font = FONT.as_ref()?;
    let outline = font.outline(font.glyph(character).unwrap_or(0))?;
    let size = f64::from(font.units_per_em);
    Some(outline.into_iter().map(|curve| curve.map(|(x, y)| (x / size, y / size))).collect())
}

/// The number of the glyph that shows a character.
#[must_use]
pub(super) fn glyph(character: char) -> Option<u16> {
    FONT.as_ref()?.glyph(character)
}

/// From one glyph to the next, in multiples of the size.
#[must_use]
pub(super) fn glyph_advance(glyph: u16) -> f64 {
    let units = FONT.as_ref().and_then(|font| Some(font.advance(glyph)? / f64::from(font.units_per_em)));
    units.unwrap_or(0.6)
}

/// Width of `text` in a size, both in pixels.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// From one character to the next, in multiples of the size.
#[must_use]
pub fn advance(character: char) -> f64 {
    let known = FONT.as_ref().and_then(|font| {
        let units = font.advance(font.glyph(character)?)?;
        Some(units / f64::from(font.units_per_em)).filter(|width| width.is_finite())
    });
    // Another font will show it in SVG; East Asian characters are square.
    known.unwrap_or(if character.width() == Some(2) { 1.0 } else { 0.65 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_there_with_its_widths() {
        assert!(FONT.is_some());
        // From the font's hmtx table: 2048 units an em, "i" 569, "m" 1995, the figures 1303 each.
        assert!((advance('i') - 569.0 / 2048.0).abs() < 1e-6);
        assert!((advance('m') - 1995.0 / 2048.0).abs() < 1e-6);
        assert!((width("2026", 12.0) - 4.0 * 12.0 * 1303.0 / 2048.0).abs() < 1e-4);
        assert!((width("日本", 10.0) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn what_plots_write_has_glyphs() {
        for character in "µ×…→←↔−–—éßαΔ⁻⁰¹²³⁴⁹≥≤∞•".chars() {
            assert!(FONT.as_ref().is_some_and(|font| font.glyph(character).is_some()), "{character}");
        }
    }
}
