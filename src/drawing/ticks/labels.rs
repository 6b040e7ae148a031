//! Numbers at ticks as text, and the unit prefix that suits an axis.

use super::super::figure::Unit;

/// What the labels of one axis are multiplied by, and what that unit is called.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Prefix {
    pub(super) factor: f64,
    pub(super) name: &'static str,
    /// Fractions have no meaning: half a byte, half a packet.
    pub(super) whole: bool,
}

/// Names of one, a thousand, a million, …
const BYTES: [&str; 7] = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
const BIT_RATES: [&str; 7] = ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s", "Pbit/s", "Ebit/s"];
const COUNTS: [&str; 5] = ["", "thousands", "millions", "billions", "trillions"];
const SECONDS: [&str; 4] = ["s", "ms", "µs", "ns"];

impl Prefix {
    /// The prefix for an axis whose greatest value is `greatest`.
    pub(super) fn of(unit: Unit, greatest: f64) -> Prefix {
        match unit {
            Unit::Seconds => {
                let steps = steps_of_thousand(1.0 / greatest, SECONDS.len(), 1.0);
                Prefix { factor: power_of_thousand(steps), name: name(&SECONDS, steps), whole: false }
            }
            Unit::Bytes => larger(greatest, 1.0, &BYTES, true),
            Unit::BytesPerSecond => larger(greatest, 8.0, &BIT_RATES, false),
            // Up to a hundred thousand the number itself is as short as any.
            Unit::Count if greatest < 1e5 => Prefix { factor: 1.0, name: "", whole: true },
            Unit::Count => larger(greatest, 1.0, &COUNTS, true),
            Unit::Share => Prefix { factor: 100.0, name: "%", whole: false },
            Unit::Plain if greatest < 1e5 => Prefix { factor: 1.0, name: "", whole: false },
            Unit::Plain => larger(greatest, 1.0, &COUNTS, false),
        }
    }
}

fn larger(greatest: f64, factor: f64, names: &[&'static str], whole: bool) -> Prefix {
    let steps = steps_of_thousand(greatest * factor, names.len(), 0.0);
    Prefix { factor: factor / power_of_thousand(steps), name: name(names, steps), whole: whole && steps == 0 }
}

fn name(names: &[&'static str], steps: usize) -> &'static str {
    names.get(steps).copied().unwrap_or_default()
}

/// How often `value` can be divided by a thousand before it is below a thousand; with `above` 1, before it is at most 1.
fn steps_of_thousand(value: f64, names: usize, above: f64) -> usize {
    let reached = |steps: &usize| {
        let left = value / power_of_thousand(*steps);
        if above > 0.0 { left > above } else { left >= 1000.0 }
    };
    let last = names.saturating_sub(1);
    (0..last).find(|steps| !reached(steps)).unwrap_or(last)
}

fn power_of_thousand(steps: usize) -> f64 {
    1000_f64.powi(i32::try_from(steps).unwrap_or(0))
}

/// A number with that many digits after the point, and commas at the thousands of long ones.
pub(super) fn number(value: f64, decimals: usize) -> String {
    // Beyond these sizes the digits would not end.
    if value != 0.0 && (value.abs() >= 1e15 || decimals > 12) {
        return powers(value);
    }
    let text = format!("{value:.decimals$}");
    // Rounded to nothing: no sign.
    let text = match text.strip_prefix('-') {
        Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => digits.to_string(),
        _ => text,
    };
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::from(sign);
    for (position, digit) in digits.chars().enumerate() {
        let left = digits.len().saturating_sub(position);
        if position > 0 && left.is_multiple_of(3) && digits.len() > 4 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    match fraction {
        Some(fraction) => format!("{grouped}.{fraction}"),
        None => grouped,
    }
}

/// `2×10²⁰`.
fn powers(value: f64) -> String {
    let text = format!("{value:.3e}");
    let (digits, power) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits };
    let raised = power.chars().map(|character| match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070_u32.saturating_add(digit))).unwrap_or(digit),
    });
    format!("{digits}×10{}", raised.collect::<String>())
}

/// One value with the unit prefix that suits it: `200 ms`. Rates are given in bits per second.
pub(super) fn with_unit(value: f64, unit: Unit) -> String {
    let prefix = match unit {
        Unit::BytesPerSecond => larger(value, 1.0, &BIT_RATES, false),
        Unit::Count | Unit::Plain if !(1e-3..1e5).contains(&value) => return powers(value),
        _ => Prefix::of(unit, value),
    };
    let shown = value * prefix.factor;
    // Four digits: less than a decade of even steps needs no more.
    let decimals = (3.0 - shown.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    let text = number(shown, decimals);
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text.as_str() };
    match prefix.name {
        "" => text.to_string(),
        name => format!("{text} {name}"),
    }
}
