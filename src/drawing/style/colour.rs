//! Colours as red, green and blue.

/// A colour without transparency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Colour {
    /// 0 to 255.
    pub red: u8,
    /// 0 to 255.
    pub green: u8,
    /// 0 to 255.
    pub blue: u8,
}

impl Colour {
    /// Reads `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Colour> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let [_, red, green, blue] = u32::from_str_radix(digits, 16).ok()?.to_be_bytes();
        Some(Colour { red, green, blue })
    }

    /// `#rrggbb`.
    #[must_use]
    pub fn hexadecimal(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }

    /// Brightness, 0 to 1 (relative luminance of sRGB, without the gamma curve).
    #[must_use]
    pub fn brightness(self) -> f64 {
        (0.2126 * f64::from(self.red) + 0.7152 * f64::from(self.green) + 0.0722 * f64::from(self.blue)) / 255.0
    }

    /// This colour laid over `below`, `share` of it: 0 shows `below`, 1 hides it.
    #[must_use]
    pub fn over(self, below: Colour, share: f64) -> Colour {
        let share = share.clamp(0.0, 1.0);
        // Between 0 and 255, so the conversion cuts nothing off.
        let mix = |above: u8, below: u8| (f64::from(above) * share + f64::from(below) * (1.0 - share)).round() as u8;
        Colour { red: mix(self.red, below.red), green: mix(self.green, below.green), blue: mix(self.blue, below.blue) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_and_written() {
        let blue = Colour { red: 0, green: 0x72, blue: 0xb2 };
        assert_eq!(Colour::parse("#0072B2"), Some(blue));
        assert_eq!(blue.hexadecimal(), "#0072b2");
        for wrong in ["", "0072b2", "#0072b", "#0072b22", "#+072b2", "#é72b2", "blue"] {
            assert_eq!(Colour::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_colour_laid_over_another_mixes() {
        let (white, black) = (Colour { red: 255, green: 255, blue: 255 }, Colour::default());
        assert_eq!(black.over(white, 0.0), white);
        assert_eq!(black.over(white, 1.0), black);
        assert_eq!(black.over(white, 0.2), Colour { red: 204, green: 204, blue: 204 });
        assert!((white.brightness() - 1.0).abs() < 1e-12 && black.brightness() == 0.0);
    }
}
