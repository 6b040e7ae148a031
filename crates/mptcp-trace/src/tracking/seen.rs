//! Whether something may have been there before, in two bytes for each: a Bloom filter that grows.

/// Things noted so far, by 64 bits that mix all that they are.
#[derive(Debug, Clone)]
pub struct Seen {
    /// Each larger than the one before. Only the last takes in more.
    levels: Vec<Level>,
}

/// Words, a power of two of them, and how many things there is still room for.
#[derive(Debug, Clone)]
struct Level {
    words: Vec<u64>,
    room: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Seen { levels: vec![Level::of(FIRST)] }
    }
}

/// Words of the first level: one page of memory.
const FIRST: usize = 512;
/// How many times as large the next level is.
const GROWTH: usize = 8;
/// Things to a word of 64 bits: of those not there, one in a hundred seems to be.
const TO_A_WORD: usize = 4;

impl Level {
    fn of(words: usize) -> Self {
        Level { words: vec![0; words], room: words.saturating_mul(TO_A_WORD) }
    }

    /// The word that `bits` belong to: told by the upper half, a mask by the lower.
    #[inline]
    fn place(&self, bits: u64) -> usize {
        (bits >> 32) as usize & self.words.len().wrapping_sub(1)
    }

    #[inline]
    fn has(&self, bits: u64) -> bool {
        self.words.get(self.place(bits)).is_some_and(|word| word & mask(bits) == mask(bits))
    }
}

/// Three bits of a word.
#[inline]
fn mask(bits: u64) -> u64 {
    let bit = |shift: u32| 1_u64 << ((bits >> shift) & 63);
    bit(0) | bit(6) | bit(12)
}

impl Seen {
    /// Notes something; whether it may have been noted before. What was noted before always seems so.
    #[inline]
    pub fn note(&mut self, bits: u64) -> bool {
        let Some((last, earlier)) = self.levels.split_last_mut() else { return true };
        if earlier.iter().any(|level| level.has(bits)) {
            return true;
        }
        let place = last.place(bits);
        let Some(word) = last.words.get_mut(place) else { return true };
        if *word & mask(bits) == mask(bits) {
            return true;
        }
        *word |= mask(bits);
        last.room = last.room.saturating_sub(1);
        if last.room == 0 {
            let words = last.words.len().saturating_mul(GROWTH);
            self.levels.push(Level::of(words));
        }
        false
    }

    /// Whether something may have been noted.
    #[inline]
    pub fn has(&self, bits: u64) -> bool {
        self.levels.iter().any(|level| level.has(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixed(number: u64) -> u64 {
        let product = u128::from(number ^ 0x243f_6a88_85a3_08d3) * 0x1319_8a2e_0370_7345_u128;
        (product as u64) ^ ((product >> 64) as u64)
    }

    #[test]
    fn what_was_there_always_seems_so_and_few_others_do() {
        let mut seen = Seen::default();
        let taken_for_known = (0..200_000).filter(|number| seen.note(mixed(*number))).count();
        assert!(taken_for_known < 4_000, "{taken_for_known}");
        assert!((0..200_000).all(|number| seen.has(mixed(number)) && seen.note(mixed(number))));
        let bytes: usize = seen.levels.iter().map(|level| level.words.len() * 8).sum();
        assert!(seen.levels.len() == 4 && bytes < 200_000 * 12, "{bytes}");
    }
}
