//! The one font of all plots, part of the program: no font is ever looked for on the machine.

use std::sync::LazyLock;

use ab_glyph::{Font as _, FontRef, GlyphId};
use unicode_width::UnicodeWidthChar;

/// What SVG viewers should use. Without DejaVu Sans, Verdana has almost its widths, and nearly all others are narrower.
pub const FAMILY: &str = "DejaVu Sans, Verdana, sans-serif";

static FONT: LazyLock<Option<FontRef<'static>>> = LazyLock::new(|| {
    // A test loads it.
    FontRef::try_from_slice(include_bytes!("../../assets/fonts/DejaVuSans-subset.ttf")).ok()
});

/// Height of a line of text from one baseline to the next, in multiples of the size.
pub const LINE: f64 = 1.3;
/// How far letters reach above the baseline, in multiples of the size.
pub const ASCENT: f64 = 0.76;
/// How far letters reach below the baseline, in multiples of the size.
pub const DESCENT: f64 = 0.24;

/// The font, for drawing its outlines.
pub(super) fn font() -> Option<&'static FontRef<'static>> {
    FONT.as_ref()
}

/// How wide `text` is in a size, both in pixels.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(advance).sum::<f64>() * size
}

/// From one character to the next, in multiples of the size.
#[must_use]
pub fn advance(character: char) -> f64 {
    let known = FONT.as_ref().and_then(|font| {
        let glyph = font.glyph_id(character);
        let units = font.units_per_em().filter(|units| *units > 0.0)?;
        (glyph != GlyphId(0)).then(|| f64::from(font.h_advance_unscaled(glyph) / units))
    });
    // Another font will show it in SVG; East Asian characters are square.
    known.unwrap_or(if character.width() == Some(2) { 1.0 } else { 0.65 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_is_there_with_its_widths() {
        assert!(font().is_some());
        // From the font's hmtx table: 2048 units an em, "i" 569, "m" 1995, the figures 1303 each.
        assert!((advance('i') - 569.0 / 2048.0).abs() < 1e-6);
        assert!((advance('m') - 1995.0 / 2048.0).abs() < 1e-6);
        assert!((width("2026", 12.0) - 4.0 * 12.0 * 1303.0 / 2048.0).abs() < 1e-4);
        assert!((width("日本", 10.0) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn what_plots_write_has_glyphs() {
        for character in "µ×…→←↔−–—éßαΔ⁻⁰¹²³⁴⁹≥≤∞•".chars() {
            assert!(FONT.as_ref().is_some_and(|font| font.glyph_id(character) != GlyphId(0)), "{character}");
        }
    }
}
