//! Times as text and back, to the nanosecond and without a floating-point number in between.

use crate::decimal;
use mptcp_trace::{Instant, Span};

const NANOSECONDS: i64 = 1_000_000_000;
const SECONDS_A_DAY: i64 = 86_400;

/// Seconds with nine digits after the point: `-0.000000001`.
#[must_use]
pub fn seconds(span: Span) -> String {
    let mut text = Vec::with_capacity(24);
    write_seconds(span, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Appends what [`seconds`] gives.
pub fn write_seconds(span: Span, text: &mut Vec<u8>) {
    let nanoseconds = span.nanoseconds();
    if nanoseconds < 0 {
        text.push(b'-');
    }
    let amount = nanoseconds.unsigned_abs();
    decimal::write(amount / 1_000_000_000, text);
    write_fraction(amount % 1_000_000_000, text);
}

/// Appends a point and nine digits.
fn write_fraction(nanoseconds: u64, text: &mut Vec<u8>) {
    text.push(b'.');
    decimal::write_nine(nanoseconds, text);
}

/// Reads what [`seconds`] wrote; fewer digits after the point are fine, more than nine are not.
#[must_use]
pub fn parse_seconds(text: &str) -> Option<Span> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let whole: i128 = number(whole)?.into();
    let amount = whole * i128::from(NANOSECONDS) + i128::from(fraction_of_second(fraction)?);
    i64::try_from(if negative { -amount } else { amount }).ok().map(Span::from_nanoseconds)
}

/// An instant as RFC 3339 in UTC with nanoseconds: `2026-11-21T10:00:00.000000001Z`.
#[must_use]
pub fn rfc3339(instant: Instant) -> String {
    let mut text = Vec::with_capacity(32);
    Clock::default().write(instant, &mut text);
    String::from_utf8(text).unwrap_or_default()
}

/// Writes many instants, of which most are within the second of the one before.
#[derive(Debug, Default)]
pub struct Clock {
    second: Option<i64>,
    /// Date and time of that second.
    text: String,
}

impl Clock {
    /// Appends what [`rfc3339`] gives.
    pub fn write(&mut self, instant: Instant, text: &mut Vec<u8>) {
        let nanoseconds = instant.nanoseconds();
        let second = nanoseconds.div_euclid(NANOSECONDS);
        if self.second != Some(second) {
            self.second = Some(second);
            self.text = date_and_time(second);
        }
        text.extend_from_slice(self.text.as_bytes());
        write_fraction(nanoseconds.rem_euclid(NANOSECONDS).unsigned_abs(), text);
        text.push(b'Z');
    }
}

/// A number of seconds since 1970 up to the seconds.
fn date_and_time(seconds: i64) -> String {
    let (year, month, day) = date_of(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Reads an RFC 3339 instant; a blank may stand for the `T`, the fraction may be absent or short.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<Instant> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || month.len() != 2 || day.len() != 2 {
        return None;
    }
    let (year, month, day) = (number(year)?, number(month)?, number(day)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let (clock, offset) = split_offset(time)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_before(year, month, day)? * SECONDS_A_DAY + hour * 3600 + minute * 60 + second - offset;
    let nanoseconds = i128::from(seconds) * i128::from(NANOSECONDS) + i128::from(fraction_of_second(fraction)?);
    i64::try_from(nanoseconds).ok().map(Instant::from_nanoseconds)
}

/// Parts the clock from its offset, which is returned in seconds east of UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let at = time.rfind(['+', '-'])?;
    let (clock, offset) = (time.get(..at)?, time.get(at..)?);
    let east = offset.starts_with('+');
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = hours * 3600 + minutes * 60;
    Some((clock, if east { seconds } else { -seconds }))
}

/// Only digits, and few enough that sums of the results never overflow.
fn number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// Nanoseconds that the digits after the point stand for.
fn fraction_of_second(digits: &str) -> Option<i64> {
    let missing = 9usize.checked_sub(digits.len())?;
    Some(number(digits)? * 10i64.pow(u32::try_from(missing).ok()?))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days before 1 January of `year`, counted from 1970-01-01.
fn days_before_year(year: i64) -> i64 {
    let passed = year - 1;
    // 719,162 days lie between 0001-01-01 and 1970-01-01.
    passed * 365 + passed.div_euclid(4) - passed.div_euclid(100) + passed.div_euclid(400) - 719_162
}

fn days_before(year: i64, month: i64, day: i64) -> Option<i64> {
    let months: i64 = (1..month).map(|earlier| days_in(year, earlier)).sum();
    Some(days_before_year(year) + months + day.checked_sub(1)?)
}

/// Year, month and day of a number of days since 1970-01-01.
fn date_of(days: i64) -> (i64, i64, i64) {
    // 146,097 days are 400 years: never more than a year off, in either direction.
    let mut year = 1970 + days * 400 / 146_097;
    while days_before_year(year) > days {
        year -= 1;
    }
    while days_before_year(year + 1) <= days {
        year += 1;
    }
    let mut left = days - days_before_year(year);
    let mut month = 1;
    while left >= days_in(year, month) {
        left -= days_in(year, month);
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ns(nanoseconds: i64) -> Span {
        Span::from_nanoseconds(nanoseconds)
    }

    #[test]
    fn seconds_are_exact() {
        assert_eq!(seconds(ns(0)), "0.000000000");
        assert_eq!(seconds(ns(-1)), "-0.000000001");
        assert_eq!(seconds(ns(1_500_000_000)), "1.500000000");
        assert_eq!(seconds(ns(i64::MIN)), "-9223372036.854775808");
        for value in [0, -1, 1_500_000_000, i64::MIN, i64::MAX].map(ns) {
            assert_eq!(parse_seconds(&seconds(value)), Some(value));
        }
        assert_eq!(parse_seconds("0.25"), Some(ns(250_000_000)));
        assert_eq!(parse_seconds("3"), Some(ns(3_000_000_000)));
        for wrong in ["", "-", ".", "1.", ".5", "1.0000000001", "1e3", "+1", "99999999999999999999", "9223372037"] {
            assert_eq!(parse_seconds(wrong), None, "{wrong}");
        }
    }

    // Seconds of these dates from `date -u -d DATE +%s`.
    #[test]
    fn instants_agree_with_date() {
        let known = [
            ("1970-01-01T00:00:00.000000000Z", 0),
            ("2000-02-29T12:34:56.000000000Z", 951_827_696),
            ("2026-11-21T10:00:00.000000000Z", 1_795_255_200),
            ("1969-12-31T23:59:59.000000000Z", -1),
            ("1900-03-01T00:00:00.000000000Z", -2_203_891_200),
            ("2261-12-31T23:59:59.000000000Z", 9_214_646_399),
        ];
        for (text, seconds) in known {
            let instant = Instant::EPOCH + Span::from_seconds(seconds);
            assert_eq!(rfc3339(instant), text);
            assert_eq!(parse_rfc3339(text), Some(instant));
        }
        assert_eq!(rfc3339(Instant::from_nanoseconds(-1)), "1969-12-31T23:59:59.999999999Z");
        for extreme in [Instant::MIN, Instant::MAX] {
            assert_eq!(parse_rfc3339(&rfc3339(extreme)), Some(extreme));
        }
    }

    #[test]
    fn other_spellings_of_an_instant() {
        assert_eq!(parse_rfc3339("1970-01-01 01:00:00.5+01:00"), Some(Instant::from_nanoseconds(500_000_000)));
        assert_eq!(parse_rfc3339("1969-12-31T23:30:00-00:30"), Some(Instant::EPOCH));
        for wrong in [
            "",
            "1970-01-01",
            "1970-13-01T00:00:00Z",
            "1970-02-29T00:00:00Z",
            "1970-01-01T24:00:00Z",
            "1970-01-01T00:00:00",
            "1970-01-01T00:00Z",
            "3000-01-01T00:00:00Z",
            "é970-01-01T00:00:00Z",
        ] {
            assert_eq!(parse_rfc3339(wrong), None, "{wrong}");
        }
    }
}
