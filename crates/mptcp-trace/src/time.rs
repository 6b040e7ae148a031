//! [`Instant`], when something was, and [`Span`], how long something took. Both count nanoseconds in 64 bits, and
//! saturate, because times come from a file.
//!
//! Two instants have a difference and no sum:
//!
//! ```compile_fail,E0369
//! use mptcp_trace::Instant;
//!
//! fn sum(one: Instant, other: Instant) -> Instant {
//!     one + other // expects a `Span`
//! }
//! ```

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};

use serde::{Serialize, Serializer};

/// A point in time, in nanoseconds since 1970-01-01 UTC: Wireshark's `frame.time_epoch`. It serialises as that number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(transparent)]
#[repr(transparent)]
pub struct Instant(i64);

/// A signed amount of time, in nanoseconds. It serialises as seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Span(i64);

impl Instant {
    /// 1970-01-01 UTC.
    pub const EPOCH: Instant = Instant(0);
    /// No instant is before it.
    pub const MIN: Instant = Instant(i64::MIN);
    /// No instant is after it.
    pub const MAX: Instant = Instant(i64::MAX);

    /// So many nanoseconds after [`Instant::EPOCH`].
    #[inline]
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Instant(nanoseconds)
    }

    /// Nanoseconds since [`Instant::EPOCH`].
    #[inline]
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// The time since `earlier`; `None` where a [`Span`] cannot express it.
    #[inline]
    #[must_use]
    pub fn checked_since(self, earlier: Instant) -> Option<Span> {
        self.0.checked_sub(earlier.0).map(Span)
    }

    /// The instant a span later; `None` where that is beyond [`Instant::MAX`] or [`Instant::MIN`].
    #[inline]
    #[must_use]
    pub fn checked_add(self, span: Span) -> Option<Instant> {
        self.0.checked_add(span.0).map(Instant)
    }
}

impl Span {
    /// No time.
    pub const ZERO: Span = Span(0);
    /// No span is shorter, or farther back.
    pub const MIN: Span = Span(i64::MIN);
    /// No span is longer.
    pub const MAX: Span = Span(i64::MAX);

    /// So many nanoseconds.
    #[inline]
    #[must_use]
    pub const fn from_nanoseconds(nanoseconds: i64) -> Self {
        Span(nanoseconds)
    }

    /// So many microseconds.
    #[inline]
    #[must_use]
    pub const fn from_microseconds(microseconds: i64) -> Self {
        Span(microseconds.saturating_mul(1000))
    }

    /// So many milliseconds.
    #[inline]
    #[must_use]
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Span(milliseconds.saturating_mul(1_000_000))
    }

    /// So many whole seconds.
    #[inline]
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Span(seconds.saturating_mul(1_000_000_000))
    }

    /// So many seconds, rounded to the nanosecond; [`Span::ZERO`] where that is not a number.
    #[inline]
    #[must_use]
    pub fn rounded(seconds: f64) -> Self {
        // `as` saturates.
        Span((seconds * 1e9).round() as i64)
    }

    /// Nanoseconds.
    #[inline]
    #[must_use]
    pub const fn nanoseconds(self) -> i64 {
        self.0
    }

    /// How often `part` fits into it, rounded down; 0 of no part.
    #[inline]
    #[must_use]
    pub fn holds(self, part: Span) -> i64 {
        self.0.checked_div_euclid(part.0).unwrap_or(0)
    }

    /// Seconds, for machines and arithmetic: the one place where nanoseconds become seconds. A span of less than 104
    /// days keeps its nanoseconds, which then fit the 53 bits of a float.
    #[inline]
    #[must_use]
    pub fn seconds(self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let nanoseconds = self.0 as f64;
        nanoseconds / 1e9
    }
}

impl Sub for Instant {
    type Output = Span;

    #[inline]
    fn sub(self, earlier: Instant) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Span> for Instant {
    type Output = Instant;

    #[inline]
    fn add(self, span: Span) -> Instant {
        Instant(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Instant {
    type Output = Instant;

    #[inline]
    fn sub(self, span: Span) -> Instant {
        Instant(self.0.saturating_sub(span.0))
    }
}

impl AddAssign<Span> for Instant {
    #[inline]
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Span;

    #[inline]
    fn add(self, other: Span) -> Span {
        Span(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Span;

    #[inline]
    fn sub(self, other: Span) -> Span {
        Span(self.0.saturating_sub(other.0))
    }
}

impl AddAssign for Span {
    #[inline]
    fn add_assign(&mut self, other: Span) {
        *self = *self + other;
    }
}

impl SubAssign for Span {
    #[inline]
    fn sub_assign(&mut self, other: Span) {
        *self = *self - other;
    }
}

impl Neg for Span {
    type Output = Span;

    #[inline]
    fn neg(self) -> Span {
        Span(self.0.saturating_neg())
    }
}

impl Mul<i64> for Span {
    type Output = Span;

    #[inline]
    fn mul(self, times: i64) -> Span {
        Span(self.0.saturating_mul(times))
    }
}

/// A part, rounded towards zero; the whole where the divisor is 0.
impl Div<i64> for Span {
    type Output = Span;

    #[inline]
    fn div(self, parts: i64) -> Span {
        match parts {
            0 => self,
            parts => Span(self.0.saturating_div(parts)),
        }
    }
}

impl Sum for Span {
    fn sum<I: Iterator<Item = Span>>(spans: I) -> Span {
        spans.fold(Span::ZERO, Add::add)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.seconds())
    }
}

/// Short forms for tests.
#[cfg(test)]
pub(crate) mod short {
    use super::{Instant, Span};

    /// So many nanoseconds after 1970 began.
    pub fn at(nanoseconds: i64) -> Instant {
        Instant::from_nanoseconds(nanoseconds)
    }

    /// So many milliseconds after 1970 began.
    pub fn at_ms(milliseconds: i64) -> Instant {
        Instant::EPOCH + ms(milliseconds)
    }

    /// So many nanoseconds.
    pub fn ns(nanoseconds: i64) -> Span {
        Span::from_nanoseconds(nanoseconds)
    }

    /// So many milliseconds.
    pub fn ms(milliseconds: i64) -> Span {
        Span::from_milliseconds(milliseconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_saturate() {
        assert_eq!(Instant::MAX - Instant::MIN, Span::MAX);
        assert_eq!(Instant::MIN - Span::from_seconds(1), Instant::MIN);
        assert_eq!(Span::MAX + Span::from_nanoseconds(1), Span::MAX);
        assert_eq!(-Span::MIN, Span::MAX);
        assert_eq!(Span::MIN / -1, Span::MAX);
        assert_eq!(Span::from_seconds(i64::MAX), Span::MAX);
        assert_eq!(Instant::MAX.checked_since(Instant::MIN), None);
        assert_eq!((Span::rounded(f64::INFINITY), Span::rounded(f64::NAN)), (Span::MAX, Span::ZERO));
    }

    #[test]
    fn a_span_is_seconds_to_machines() {
        let span = Instant::EPOCH + Span::from_milliseconds(1_500) - Instant::from_nanoseconds(1);
        assert_eq!(span.nanoseconds(), 1_499_999_999);
        assert_eq!(serde_json::to_string(&[span, -span]).unwrap(), "[1.499999999,-1.499999999]");
        assert_eq!(Span::rounded(span.seconds()), span);
    }
}
