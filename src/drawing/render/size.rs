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

/// Unit of a length.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LengthUnit {
    name: &'static str,
    /// Pixels of 96 per inch, from left to right and from top to bottom.
    pixels: (f64, f64),
    /// Parts of it that are told.
    parts: f64,
}

impl LengthUnit {
    /// Pixels of 96 per inch.
    pub const PIXELS: LengthUnit = LengthUnit { name: "", pixels: (1.0, 1.0), parts: 1.0 };
    /// Characters of a terminal: one is 8 wide and 16 high.
    pub const CHARACTERS: LengthUnit = LengthUnit { name: "", pixels: (8.0, 16.0), parts: 1.0 };

    const fn new(name: &'static str, pixels: f64, parts: f64) -> Self {
        LengthUnit { name, pixels: (pixels, pixels), parts }
    }

    /// The unit that a size is given in, if it names one: then it is not one in characters.
    #[must_use]
    pub fn of(text: &str) -> Option<LengthUnit> {
        UNITS.into_iter().find(|unit| text.contains(unit.name))
    }
}

/// Units that a length may name.
const UNITS: [LengthUnit; 5] = [
    LengthUnit::new("px", 1.0, 1.0),
    LengthUnit::new("in", USUAL_DPI, 100.0),
    LengthUnit::new("cm", USUAL_DPI / 2.54, 10.0),
    LengthUnit::new("mm", USUAL_DPI / 25.4, 1.0),
    LengthUnit::new("pt", USUAL_DPI / 72.0, 1.0),
];

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

    /// The size, given in `from`, as a text in `to`, such as `3.5inx2.5in`. What is between two values of the last decimal is
    /// rounded as `rounded` does.
    #[must_use]
    pub fn told(self, from: LengthUnit, to: LengthUnit, rounded: fn(f64) -> f64) -> String {
        let length = |length: u32, from: f64, to_pixels: f64| {
            let exact = f64::from(length) * from / to_pixels * to.parts;
            // A hair beside a whole number is that number.
            let whole = if (exact - exact.round()).abs() < 1e-6 { exact.round() } else { rounded(exact) };
            format!("{}{}", whole / to.parts, to.name)
        };
        let width = length(self.width, from.pixels.0, to.pixels.0);
        format!("{width}x{}", length(self.height, from.pixels.1, to.pixels.1))
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
    let found = UNITS.iter().find_map(|unit| Some((text.strip_suffix(unit.name)?, unit.pixels.0)));
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
        let has_unit = |text| LengthUnit::of(text).is_some();
        assert!(["3.5inx2.5in", "900pxx600px", "9cmx6cm"].into_iter().all(has_unit) && !has_unit("80x24"));
        assert_eq!(Size { width: 640, height: 384 }.in_characters(), Size { width: 80, height: 24 });
    }

    #[test]
    fn sizes_are_told_in_the_unit_they_were_given_in() {
        let told = |text: &str, rounded: fn(f64) -> f64| {
            let unit = LengthUnit::of(text).unwrap_or(LengthUnit::PIXELS);
            Size::parse(text).unwrap().told(LengthUnit::PIXELS, unit, rounded)
        };
        for text in ["900x600", "900pxx600px", "3.5inx2.5in", "8.8cmx6cm", "88mmx60mm", "252ptx180pt"] {
            assert_eq!(told(text, f64::round), text);
        }
        // 8.8 cm are 332.6 pixels, of which 333 are drawn: a tenth of a centimetre is 3.8.
        assert_eq!(
            (told("8.8cmx6cm", f64::ceil), told("8.8cmx6cm", f64::floor)),
            ("8.9cmx6.1cm".into(), "8.8cmx6cm".into())
        );
        let page = Size { width: 80, height: 24 };
        assert_eq!(page.told(LengthUnit::CHARACTERS, LengthUnit::CHARACTERS, f64::round), "80x24");
        let inches = LengthUnit::of("1inx1in").unwrap();
        assert_eq!(page.told(LengthUnit::CHARACTERS, inches, f64::ceil), "6.67inx4in");
    }

    #[test]
    fn dots_per_inch_multiply_pixels() {
        assert_eq!(Size { width: 900, height: 600 }.at(300.0), (2812, 1875));
        assert_eq!(Size { width: 336, height: 240 }.at(300.0), (1050, 750));
        assert_eq!(Size { width: 900, height: 600 }.at(96.0), (900, 600));
    }
}
