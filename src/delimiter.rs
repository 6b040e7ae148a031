//! The character that parts the fields of CSV.

use serde::Deserialize;

/// One ASCII character that neither the text of a value nor the name of a column needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "char")]
pub struct Delimiter(u8);

impl Delimiter {
    /// The usual one.
    pub const COMMA: Delimiter = Delimiter(b',');

    /// The requirement of [`Delimiter::new`], in words.
    pub const TAKES: &'static str = "one ASCII punctuation mark in quotes that is not a quote, minus, dot or underscore, or \" \", or \"\\t\" for a tab";

    /// `None` when `character` cannot part fields.
    #[must_use]
    pub fn new(character: char) -> Option<Delimiter> {
        let byte = u8::try_from(character).ok()?;
        // Numbers, times and names of columns have '-', '.' and '_'; '"' quotes fields.
        let fits = matches!(byte, b'\t' | b' ') || byte.is_ascii_punctuation() && !b"\"-._".contains(&byte);
        fits.then_some(Delimiter(byte))
    }

    /// The character as a byte of the file.
    #[must_use]
    pub fn byte(self) -> u8 {
        self.0
    }
}

impl TryFrom<char> for Delimiter {
    type Error = String;

    fn try_from(character: char) -> Result<Self, String> {
        Delimiter::new(character).ok_or_else(|| format!("{character:?} is not {}", Delimiter::TAKES))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_names_keep_their_characters() {
        for character in "\t ;,|:/!#$%&'()*+<=>?@[]^`{}~\\".chars() {
            assert_eq!(Delimiter::new(character).map(Delimiter::byte), u8::try_from(character).ok(), "{character:?}");
        }
        for character in "\"-._aZ7\n\r\0\u{b}é→".chars() {
            assert_eq!(Delimiter::new(character), None, "{character:?}");
        }
    }
}
