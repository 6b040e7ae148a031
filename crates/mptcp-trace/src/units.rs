//! Numbers with their units as people read them.
//!
//! Sizes use SI prefixes (1 MB is 1,000,000 bytes). Rates are bits per second, as links are named, and say so
//! (`5.2 Mbit/s`). Times choose among s, ms, µs and ns. Machines never get any of these.

use crate::Span;

/// A count with a comma at every thousand: `90,716`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes as lower-case hexadecimal digits, two each.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len().saturating_mul(2)), |mut text, byte| {
        for half in [byte >> 4, byte & 15] {
            text.extend(char::from_digit(u32::from(half), 16));
        }
        text
    })
}

/// A count with its noun, for a sentence: `1 packet`, `2 packets`. Not grouped, so that the number can be searched for.
#[must_use]
pub fn counted<N: std::fmt::Display + PartialEq + From<u8>>(number: N, noun: &str) -> String {
    let ending = if number == N::from(1) { "" } else { "s" };
    format!("{number} {noun}{ending}")
}

/// Numbers in ascending order, for a sentence: each of up to ten; of more, the first stretches and how many they are.
#[must_use]
pub fn several(numbers: &[u64]) -> String {
    const NAMED: usize = 10;
    const STRETCHES: usize = 5;
    if numbers.len() <= NAMED {
        return numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    }
    let stretches = numbers.chunk_by(|one, next| one.checked_add(1) == Some(*next));
    let mut named: Vec<String> = stretches
        .filter_map(|stretch| match (stretch.first()?, stretch.last()?) {
            (first, last) if first == last => Some(first.to_string()),
            (first, last) => Some(format!("{first}-{last}")),
        })
        .take(STRETCHES + 1)
        .collect();
    if let Some(beyond) = named.get_mut(STRETCHES) {
        *beyond = "…".to_string();
    }
    format!("{} ({} in all)", named.join(", "), grouped(u64::try_from(numbers.len()).unwrap_or(u64::MAX)))
}

/// An amount of bytes: `999 B`, `1.9 MB`.
#[must_use]
pub fn bytes(bytes: u64) -> String {
    const PREFIXED: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    scaled(u128::from(bytes), "B", &PREFIXED)
}

/// A rate given in bytes per second, in bits per second: `5.2 Mbit/s`. `-` when it is not a finite number.
#[must_use]
pub fn bit_rate(bytes_per_second: f64) -> String {
    const PREFIXED: [&str; 6] = ["kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"];
    let bits = bytes_per_second * 8.0;
    if !bits.is_finite() {
        return "-".to_string();
    }
    // `as` saturates, and a rate is never negative.
    scaled(bits.round() as u128, "bit/s", &PREFIXED)
}

/// The rate of a text such as `20M`, `1.5 Gbit/s` or `800000`, bytes per second: without a prefix the number is bit/s.
/// `None` for what is not a rate, is not above zero or is beyond 10^15 bit/s.
#[must_use]
pub fn parsed_bit_rate(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches("bit/s").trim_end();
    let (digits, factor) = match text.char_indices().next_back()? {
        (at, 'k' | 'K') => (text.get(..at)?, 1e3),
        (at, 'M') => (text.get(..at)?, 1e6),
        (at, 'G') => (text.get(..at)?, 1e9),
        _ => (text, 1.0),
    };
    let bits = digits.trim_end().parse::<f64>().ok()? * factor;
    (bits > 0.0 && bits <= 1e15).then_some(bits / 8.0)
}

/// One digit after the point, rounded half up, with the largest prefix that leaves at least one before it.
fn scaled(value: u128, plain: &str, prefixed: &[&str]) -> String {
    if value < 1000 {
        return format!("{value} {plain}");
    }
    let mut unit: u128 = 1000;
    for (index, name) in prefixed.iter().enumerate() {
        let tenths = value.saturating_mul(10).saturating_add(unit / 2) / unit;
        if tenths < 10_000 || index + 1 == prefixed.len() {
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
        unit = unit.saturating_mul(1000);
    }
    format!("{value} {plain}")
}

/// A time span: `1.234 s`, `12.3 ms`, `45.6 µs`, `789 ns`.
#[must_use]
pub fn span(span: Span) -> String {
    let nanoseconds = span.nanoseconds();
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let amount = u128::from(nanoseconds.unsigned_abs());
    let rounded = |unit: u128, steps: u128| (amount * steps + unit / 2) / unit;
    if amount == 0 {
        return "0 s".to_string();
    }
    if amount < 1000 {
        return format!("{sign}{amount} ns");
    }
    for (unit, name) in [(1_000, "µs"), (1_000_000, "ms")] {
        let tenths = rounded(unit, 10);
        if tenths < 10_000 {
            return format!("{sign}{}.{} {name}", tenths / 10, tenths % 10);
        }
    }
    let thousandths = rounded(1_000_000_000, 1000);
    format!("{sign}{}.{:03} s", thousandths / 1000, thousandths % 1000)
}

/// A share of one as a percentage: `12.3 %`. `-` when it is not a finite number.
#[must_use]
pub fn percentage(share: f64) -> String {
    let percent = share * 100.0;
    if percent.is_finite() { format!("{percent:.1} %") } else { "-".to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::ns;

    #[test]
    fn counts_are_grouped() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(90_716), "90,716");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn bytes_are_two_digits_each() {
        assert_eq!(hexadecimal(&[0, 9, 0x0a, 0xf0, 255]), "00090af0ff");
        assert_eq!(hexadecimal(&[]), "");
    }

    #[test]
    fn one_is_singular() {
        assert_eq!(counted(0_u64, "packet"), "0 packets");
        assert_eq!(counted(1_usize, "MPTCP connection"), "1 MPTCP connection");
        assert_eq!(counted(5445_u32, "TCP packet"), "5445 TCP packets");
    }

    #[test]
    fn many_numbers_are_stretches() {
        assert_eq!(several(&[]), "");
        assert_eq!(several(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
        assert_eq!(several(&(0..9295).collect::<Vec<u64>>()), "0-9294 (9,295 in all)");
        assert_eq!(
            several(&(0..6).flat_map(|at| [at * 4, at * 4 + 1]).collect::<Vec<u64>>()),
            "0-1, 4-5, 8-9, 12-13, 16-17, … (12 in all)"
        );
        assert_eq!(several(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 11, u64::MAX]), "1-9, 11, 18446744073709551615 (11 in all)");
    }

    #[test]
    fn sizes_roll_over_to_the_next_prefix() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(1000), "1.0 kB");
        assert_eq!(bytes(1_949_999), "1.9 MB");
        assert_eq!(bytes(999_949), "999.9 kB");
        assert_eq!(bytes(999_950), "1.0 MB");
        assert_eq!(bytes(u64::MAX), "18.4 EB");
    }

    #[test]
    fn rates_are_in_bits() {
        assert_eq!(bit_rate(650_000.0), "5.2 Mbit/s");
        assert_eq!(bit_rate(0.0), "0 bit/s");
        assert_eq!(bit_rate(f64::NAN), "-");
        assert_eq!(bit_rate(1e18), "8.0 Ebit/s");
    }

    #[test]
    fn spans_choose_their_unit() {
        assert_eq!(span(ns(0)), "0 s");
        assert_eq!(span(ns(789)), "789 ns");
        assert_eq!(span(ns(45_600)), "45.6 µs");
        assert_eq!(span(ns(12_345_678)), "12.3 ms");
        assert_eq!(span(ns(999_960_000)), "1.000 s");
        assert_eq!(span(ns(-1_234_000_000)), "-1.234 s");
        assert_eq!(span(ns(i64::MIN)), "-9223372036.855 s");
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(percentage(0.1234), "12.3 %");
        assert_eq!(percentage(f64::INFINITY), "-");
    }
}
