//! Numbers of one direction that lie near each other, and how likely that is by chance.

/// Numbers of 64 bits less than this apart lie in one stretch.
pub const NEAR: u64 = 1 << 31;
/// Numbers of 32 bits that are farther apart are not looked at.
const NEAR_SHORT: u64 = 1 << 24;

/// Numbers of one direction, all near each other.
#[derive(Debug, Clone, Copy)]
pub struct Extent {
    /// Number of bits.
    bits: u32,
    /// The lowest, as sent.
    pub low: u64,
    /// How far the highest lies above it.
    length: u64,
}

impl Extent {
    pub fn new(number: u64, bits: u32) -> Self {
        Extent { bits, low: number, length: 0 }
    }

    /// How far `number` lies above the lowest, by the arithmetic of a number space that wraps.
    fn above(&self, number: u64) -> u64 {
        let distance = number.wrapping_sub(self.low);
        if self.bits == 32 { distance & u64::from(u32::MAX) } else { distance }
    }

    /// How far `number` lies below the lowest.
    fn below(&self, number: u64) -> u64 {
        let distance = self.low.wrapping_sub(number);
        if self.bits == 32 { distance & u64::from(u32::MAX) } else { distance }
    }

    /// Takes in a number, unless it is far from all others.
    pub fn note(&mut self, number: u64) {
        let (above, below) = (self.above(number), self.below(number));
        if above <= self.length {
        } else if above - self.length < NEAR {
            self.length = above;
        } else if below < NEAR {
            self.low = number;
            self.length = self.length.saturating_add(below);
        }
    }

    /// Distance between two; 0 if they meet.
    pub fn gap(&self, other: &Extent) -> u64 {
        let (first, second) = (self.above(other.low), other.above(self.low));
        if first <= self.length || second <= other.length {
            return 0;
        }
        (first - self.length).min(second - other.length)
    }

    /// Whether both lie in one stretch.
    pub fn is_near(&self, other: &Extent) -> bool {
        self.gap(other) < if self.bits == 64 { NEAR } else { NEAR_SHORT }
    }

    /// The low halves of the numbers.
    fn shortened(&self) -> Extent {
        Extent { bits: 32, low: self.low & u64::from(u32::MAX), length: self.length }
    }

    /// The binary logarithm of the chance that two strangers are as near to each other.
    pub fn chance(&self, other: &Extent) -> f64 {
        let reach = self.length.saturating_add(other.length).saturating_add(self.gap(other).saturating_mul(2));
        #[allow(clippy::cast_precision_loss)]
        let reach = reach.saturating_add(1) as f64;
        (reach.log2() - f64::from(self.bits)).min(0.0)
    }
}

/// The numbers of one direction of a connection: data sent, and its DATA_ACKs.
#[derive(Debug, Clone, Copy, Default)]
pub struct Space {
    pub wide: Option<Extent>,
    short: Option<Extent>,
}

impl Space {
    pub fn note(&mut self, number: u64, wide: bool) {
        // A random number has a high half; without one it tells no more than 32 bits do.
        let wide = wide && number >> 32 != 0;
        let (extent, bits) = if wide { (&mut self.wide, 64) } else { (&mut self.short, 32) };
        let number = if wide { number } else { number & u64::from(u32::MAX) };
        extent.get_or_insert_with(|| Extent::new(number, bits)).note(number);
    }

    /// The numbers by so many of their bits.
    pub fn of(&self, bits: u32) -> Option<Extent> {
        if bits == 64 { self.wide } else { self.wide.map(|wide| wide.shortened()).or(self.short) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(bits: u32, numbers: &[u64]) -> Extent {
        let mut extent = Extent::new(numbers[0], bits);
        numbers.iter().for_each(|number| extent.note(*number));
        extent
    }

    #[test]
    fn an_extent_grows_both_ways_and_through_the_wrap() {
        let wide = extent(64, &[5, u64::MAX - 4, 15]);
        assert_eq!((wide.low, wide.length), (u64::MAX - 4, 20));
        let short = extent(32, &[0xffff_fff0, 0x10]);
        assert_eq!((short.low, short.length), (0xffff_fff0, 0x20));
        assert_eq!(short.gap(&extent(32, &[0x20])), 0x10);
        assert_eq!(extent(32, &[0x20]).gap(&short), 0x10);
        assert_eq!(extent(64, &[7, 1 << 60]).length, 0, "a number far away is another's");
    }

    #[test]
    fn chance_is_what_the_lengths_say() {
        // 2^16 numbers here, 2^16 there, of 2^32: they meet once in 2^15 cases.
        let chance = extent(32, &[0, 0xffff]).chance(&extent(32, &[0x8000, 0x1_7fff]));
        assert!((chance + 15.0).abs() < 0.01, "{chance}");
        // Less than 2^31 apart either way, of 2^64: once in 2^32.
        let chance = extent(64, &[0]).chance(&extent(64, &[NEAR - 1]));
        assert!((chance + 32.0).abs() < 0.01, "{chance}");
    }
}
