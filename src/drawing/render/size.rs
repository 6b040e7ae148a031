//! Sizes of pictures, as people give them.

use super::USUAL_DPI;

/// From left to right and from top to bottom: in pixels of 96 per inch, or in characters for text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// Units of a length, with the pixels of each.
const UNITS: [(&str, f64); 5] =
    [("px", 1.0), ("in", USUAL_DPI), ("cm", USUAL_DPI / 2.54), ("mm", USUAL_DPI / 25.4), ("pt", USUAL_DPI / 72.0)];

impl Size {
    /// Reads `900x600`, `3.5inx2.5in` or `8.8cmx6cm`; lengths are rounded to pixels.
    #[must_use]
    pub fn parse(text: &str) -> Option<Size> {
        let (width, height) =
            text.split_once(['x', 'X', '×']).filter(|(width, _)| !width.ends_with('p')).or_else(|| {
                // The x of `px` parts nothing.
                let at = text.find("px")?.checked_add(2)?;
                let (width, rest) = text.split_at_checked(at)?;
                Some((width, rest.trim_start().strip_prefix(['x', 'X', '×'])?))
            })?;
        Some(Size { width: length(width)?, height: length(height)? })
    }

    /// Whether a size is given with a unit, and so is not one in characters.
    #[must_use]
    pub fn has_unit(text: &str) -> bool {
        UNITS.iter().any(|(unit, _)| text.contains(unit))
    }

    /// Characters in this many pixels: one is 8 wide and 16 high.
    #[must_use]
    pub fn in_characters(self) -> Size {
        Size { width: self.width / 8, height: self.height / 16 }
    }

    /// Pixels at that many dots per inch: a started one is not counted.
    #[must_use]
    pub fn at(self, dpi: f64) -> (u32, u32) {
        // `as` saturates; a hair more than the whole number keeps that number.
        let pixels = |length: u32| (f64::from(length) * dpi / USUAL_DPI + 1e-6).floor() as u32;
        (pixels(self.width), pixels(self.height))
    }
}

fn length(text: &str) -> Option<u32> {
    let text = text.trim();
    if let Ok(pixels) = text.parse() {
        return Some(pixels);
    }
    let found = UNITS.iter().find_map(|(unit, pixels)| Some((text.strip_suffix(unit)?, pixels)));
    let (number, pixels) = found?;
    let length = number.trim().parse::<f64>().ok().filter(|length| length.is_finite() && *length >= 0.0)? * pixels;
    // `as` saturates.
    Some(length.round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(u32, u32)> {
        Size::parse(text).map(|size| (size.width, size.height))
    }

    #[test]
    fn sizes_are_pixels_inches_or_centimetres() {
        assert_eq!(read("900x600"), Some((900, 600)));
        assert_eq!(read("900px x 600px"), Some((900, 600)));
        assert_eq!(read("3.5inx2.5in"), Some((336, 240)));
        // 2.54 cm are an inch, 72 pt as well.
        assert_eq!(read("25.4mm×2.54cm"), Some((96, 96)));
        assert_eq!(read("252ptx180pt"), Some((336, 240)));
        for wrong in ["900", "x", "-1x5", "-1inx2in", "3.5x2.5", "1inx", "1mx1m", "nanin x1in"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lengths_are_turned_into_characters() {
        assert!(["3.5inx2.5in", "900pxx600px", "9cmx6cm"].into_iter().all(Size::has_unit) && !Size::has_unit("80x24"));
        assert_eq!(Size { width: 640, height: 384 }.in_characters(), Size { width: 80, height: 24 });
    }

    #[test]
    fn dots_per_inch_multiply_pixels() {
        assert_eq!(Size { width: 900, height: 600 }.at(300.0), (2812, 1875));
        assert_eq!(Size { width: 336, height: 240 }.at(300.0), (1050, 750));
        assert_eq!(Size { width: 900, height: 600 }.at(96.0), (900, 600));
    }
}
