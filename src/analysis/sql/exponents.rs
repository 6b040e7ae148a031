//! Numbers with an exponent, which polars' SQL does not read: `1e6` is written out as `1000000`.

use std::borrow::Cow;

/// A number that would be longer than this many digits stays as it is, and is refused by polars.
const DIGITS: i32 = 60;

/// The query with its numbers written out. What stands between quotes stays as it is.
pub(super) fn written_out(query: &str) -> Cow<'_, str> {
    let mut text = String::new();
    let mut kept = 0;
    let mut quote = None;
    let mut before = ' ';
    let mut skip_to = 0;
    for (place, character) in query.char_indices() {
        if place < skip_to {
            continue;
        }
        match quote {
            Some(open) => quote = (character != open).then_some(open),
            None if character == '\'' || character == '"' || character == '`' => quote = Some(character),
            None if character.is_ascii_digit() && !(before.is_alphanumeric() || before == '_' || before == '.') => {
                let rest = query.get(place..).unwrap_or_default();
                let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
                if let Some((number, taken)) = with_exponent(rest, length) {
                    text.push_str(query.get(kept..place).unwrap_or_default());
                    text.push_str(&number);
                    kept = place + taken;
                }
                skip_to = kept.max(place + length);
            }
            None => {}
        }
        before = character;
    }
    if kept == 0 {
        return Cow::Borrowed(query);
    }
    text.push_str(query.get(kept..).unwrap_or_default());
    Cow::Owned(text)
}

/// The number at the start of `rest`, whose first `length` bytes are digits and points, written out, and its length; nothing
/// where it has no exponent.
fn with_exponent(rest: &str, length: usize) -> Option<(String, usize)> {
    let (mantissa, behind) = rest.split_at_checked(length)?;
    let behind = behind.strip_prefix(['e', 'E'])?;
    let signed = behind.strip_prefix(['+', '-']).unwrap_or(behind);
    let digits = signed.find(|c: char| !c.is_ascii_digit()).unwrap_or(signed.len());
    // `1e` and `1e6x` are no numbers.
    if digits == 0 || signed.get(digits..)?.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let written = behind.len() - signed.len() + digits;
    let exponent: i32 = behind.get(..written)?.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if !(-DIGITS..=DIGITS).contains(&exponent)
        || mantissa.len() > usize::try_from(DIGITS).ok()?
        || fraction.contains('.')
    {
        return None;
    }
    let all = format!("{whole}{fraction}");
    let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
    let number = match usize::try_from(point) {
        Ok(point) if point >= all.len() => format!("{all}{}", "0".repeat(point - all.len())),
        Ok(point) if point > 0 => format!("{}.{}", all.get(..point)?, all.get(point..)?),
        _ => format!("0.{}{all}", "0".repeat(usize::try_from(-point).ok()?)),
    };
    Some((number, length + 1 + written))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_out_and_nothing_else_changes() {
        for (query, expected) in [
            ("SELECT 1e6", "SELECT 1000000"),
            ("SELECT a FROM b WHERE c>1E3 AND d<2.5e-3", "SELECT a FROM b WHERE c>1000 AND d<0.0025"),
            ("SELECT 1.25e1, 1.5e+0, 12e-1", "SELECT 12.5, 1.5, 1.2"),
            ("SELECT '1e6', \"2e6\", x1e6, 1.x, 3e6", "SELECT '1e6', \"2e6\", x1e6, 1.x, 3000000"),
            ("SELECT 1e, 1e6x, 1.2.3e4, 1e999, 0x1e6", "SELECT 1e, 1e6x, 1.2.3e4, 1e999, 0x1e6"),
            ("é 1e2 ü", "é 100 ü"),
            ("1e2", "100"),
        ] {
            assert_eq!(written_out(query), expected);
        }
    }
}
