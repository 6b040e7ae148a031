//! 64-bit data sequence numbers of one direction, from the 32 or 64 bits that were sent.

use crate::tracking::Connection;
use crate::tracking::role::ByRole;

/// Between the numbers that are sent, the working numbers that ranges are compared by, and the real 64-bit ones.
///
/// A working number differs from the real one by a constant, chosen so that the IDSN (or the first number seen) lies
/// in the middle of the number space, which ranges then do not leave by wrapping. Of a number sent with 32 bits the
/// one nearest to the highest seen is taken (RFC 8684 §3.3.1). Without a key and before the first number of 64 bits
/// the high half is not known; working numbers fit together all the same, and become real ones once it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Numbers {
    /// Highest working number so far.
    latest: Option<u64>,
    /// Added to working numbers, makes real ones.
    offset: Option<u64>,
    /// Whether the IDSN is the middle.
    from_idsn: bool,
}

/// Where the IDSN is put among working numbers; its low 32 bits are zero.
const MIDDLE: u64 = 1 << 62;

impl Numbers {
    /// The working number of the first byte of data where the IDSN is known, and what stands in for it where no number
    /// is.
    pub const FIRST: u64 = MIDDLE + 1;

    /// Starts from the IDSN, where the key is known.
    #[must_use]
    pub fn new(idsn: Option<u64>) -> Self {
        Numbers {
            latest: idsn.map(|_| MIDDLE),
            offset: idsn.map(|idsn| idsn.wrapping_sub(MIDDLE)),
            from_idsn: idsn.is_some(),
        }
    }

    /// Those of both directions before the first packet: data towards the server is numbered from the client's IDSN.
    #[must_use]
    pub fn of(connection: &Connection) -> ByRole<Self> {
        let hosts = &connection.hosts;
        ByRole { server: Numbers::new(hosts.client.idsn), client: Numbers::new(hosts.server.idsn) }
    }

    /// The working number of a number as sent; `wide` says that all 64 bits were.
    #[inline]
    pub fn working(&mut self, sent: u64, wide: bool) -> u64 {
        let number = match (self.offset, wide) {
            (Some(offset), true) => sent.wrapping_sub(offset),
            (offset, false) => self.nearest(sent, offset.unwrap_or(0)),
            (None, true) => {
                let number = self.nearest(sent, 0);
                self.offset = Some(sent.wrapping_sub(number));
                number
            }
        };
        self.latest = Some(self.latest.map_or(number, |latest| later(latest, number)));
        number
    }

    /// The working number nearest to the latest whose real one has the low half of `sent`.
    #[inline]
    fn nearest(&self, sent: u64, offset: u64) -> u64 {
        #[allow(clippy::cast_possible_truncation)]
        let low = sent as u32;
        let Some(latest) = self.latest else { return MIDDLE | u64::from(low) };
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        let distance = low.wrapping_sub(latest.wrapping_add(offset) as u32) as i32;
        latest.wrapping_add_signed(i64::from(distance))
    }

    /// The working number of the first byte of data, where the IDSN is known.
    #[must_use]
    pub fn first(&self) -> Option<u64> {
        self.from_idsn.then_some(Numbers::FIRST)
    }

    /// The real 64-bit number; `None` where the high half is not known.
    #[inline]
    #[must_use]
    pub fn real(&self, working: u64) -> Option<u64> {
        self.offset.map(|offset| working.wrapping_add(offset))
    }

    /// What a working number of these is among those of `other`: the numbers of the same direction in another capture,
    /// which may have begun elsewhere or lack the key.
    #[must_use]
    pub fn translate(&self, other: &Numbers, working: u64) -> u64 {
        let real = working.wrapping_add(self.offset.unwrap_or(0));
        match (self.offset, other.offset) {
            (Some(_), Some(offset)) => real.wrapping_sub(offset),
            // The high half is known to one or none: the nearest number with the same low half.
            _ => other.nearest(real, other.offset.unwrap_or(0)),
        }
    }

    /// The number relative to the IDSN, the first byte of data being 1; `None` without the sender's key.
    #[must_use]
    pub fn relative(&self, working: u64) -> Option<u64> {
        if self.from_idsn { working.checked_sub(MIDDLE) } else { None }
    }
}

/// The later of two numbers, by the arithmetic of a number space that wraps.
#[inline]
fn later(latest: u64, number: u64) -> u64 {
    #[allow(clippy::cast_possible_wrap)]
    let ahead = number.wrapping_sub(latest) as i64 > 0;
    if ahead { number } else { latest }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_numbers_are_the_nearest_to_what_is_known() {
        let mut numbers = Numbers::new(Some(0x0000_0001_ffff_ff00));
        let before = numbers.working(0xffff_ff01, false);
        assert_eq!(numbers.real(before), Some(0x0000_0001_ffff_ff01));
        assert_eq!(numbers.relative(before), Some(1));
        let after = numbers.working(0x10, false);
        assert_eq!(numbers.real(after), Some(0x0000_0002_0000_0010));
        assert_eq!(numbers.relative(after), Some(0x110));
        let again = numbers.working(0xffff_ff01, false);
        assert_eq!(again, before);
    }

    #[test]
    fn the_number_space_wraps_at_64_bits() {
        let mut numbers = Numbers::new(Some(u64::MAX - 5));
        let before = numbers.working(u64::MAX, true);
        assert_eq!(numbers.relative(before), Some(5));
        let after = numbers.working(2, false);
        assert_eq!(after - before, 3);
        assert_eq!(numbers.real(after), Some(2));
        assert_eq!(numbers.relative(after), Some(8));
    }

    #[test]
    fn numbers_of_two_captures_translate() {
        let mut whole = Numbers::new(Some(0xaaaa_0000_ffff_ff00));
        let number = whole.working(0xaaaa_0001_0000_0010, true);
        // This one began later, without keys, and saw one long number; that one saw none.
        let mut late = Numbers::new(None);
        let same = late.working(0xaaaa_0001_0000_0010, true);
        assert_eq!(whole.translate(&late, number), same);
        assert_eq!(late.translate(&whole, same), number);
        let mut short = Numbers::new(None);
        let low = short.working(0x10, false);
        assert_eq!(whole.translate(&short, number), low);
        assert_eq!(whole.translate(&short, number - 0x20), low - 0x20);
        assert_eq!(short.translate(&whole, low), number);
    }

    #[test]
    fn a_late_wide_number_makes_earlier_short_ones_real() {
        let mut numbers = Numbers::new(None);
        let first = numbers.working(100, false);
        assert_eq!(numbers.real(first), None);
        let second = numbers.working(0xaaaa_0000_0000_0100, true);
        assert_eq!(second - first, 0x100 - 100);
        assert_eq!(numbers.real(first), Some(0xaaaa_0000_0000_0064));
        assert_eq!(numbers.relative(first), None, "no key, no beginning");
    }
}
