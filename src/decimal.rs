//! Numbers in decimal digits: eight of them at once, as bytes of one number.

/// One more than the greatest number of eight digits.
const EIGHT: u64 = 100_000_000;

/// Appends a number.
#[inline]
pub fn write(number: u64, text: &mut Vec<u8>) {
    match number {
        0..10 => text.push(b'0' | number.to_le_bytes()[0]),
        10..EIGHT => short(number, text),
        _ => long(number, text),
    }
}

/// Appends nine digits, zeros in front included, of a number that has no more.
#[inline]
pub fn write_nine(number: u64, text: &mut Vec<u8>) {
    text.extend_from_slice(&eight(number / 10 % EIGHT).to_le_bytes());
    text.push(b'0' | (number % 10).to_le_bytes()[0]);
}

/// Appends the first of these bytes, which takes no longer than all of them.
#[inline]
pub fn append_first<const N: usize>(count: usize, bytes: &[u8; N], text: &mut Vec<u8>) {
    let end = text.len().saturating_add(count);
    text.extend_from_slice(bytes);
    text.truncate(end);
}

/// A number of one to eight digits.
#[inline]
fn short(number: u64, text: &mut Vec<u8>) {
    let digits = eight(number);
    let zeros = ((digits ^ ZEROS).trailing_zeros() / 8).min(7);
    append_first(8_usize.saturating_sub(zeros as usize), &(digits >> (8 * zeros)).to_le_bytes(), text);
}

fn long(number: u64, text: &mut Vec<u8>) {
    write(number / EIGHT, text);
    text.extend_from_slice(&eight(number % EIGHT).to_le_bytes());
}

/// Eight digits zero.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number, the first one in the lowest byte: divided into halves, quarters and single digits, all
/// parts of a size at once. A division is a multiplication, and what it leaves of higher parts is masked out. Nothing of it
/// overflows.
#[inline]
fn eight(number: u64) -> u64 {
    let (upper, lower) = (number / 10_000, number % 10_000);
    let halves = upper | lower << 32;
    let hundreds = halves.wrapping_mul(5_243) >> 19 & 0x0000_007f_0000_007f;
    let quarters = hundreds | halves.wrapping_sub(hundreds.wrapping_mul(100)) << 16;
    let tens = quarters.wrapping_mul(103) >> 10 & 0x000f_000f_000f_000f;
    (tens | quarters.wrapping_sub(tens.wrapping_mul(10)) << 8).wrapping_add(ZEROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut text = b"x".to_vec();
        write(&mut text);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn digits_are_those_of_the_standard_library() {
        let powers = (0..20).map(|power| 10_u64.pow(power));
        let near = powers.flat_map(|power| [power - 1, power, power + 1, power.wrapping_mul(7) / 3]);
        let spread = (0..20_000).map(|step: u64| step.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (step % 64));
        for number in near.chain(spread).chain(0..30_000).chain([u64::MAX, u64::MAX - 1]) {
            assert_eq!(written(|text| super::write(number, text)), format!("x{number}"));
            let nine = number % 1_000_000_000;
            assert_eq!(written(|text| write_nine(nine, text)), format!("x{nine:09}"));
        }
    }

    #[test]
    fn all_groups_of_four_digits_are_right() {
        for four in 0..10_000 {
            assert_eq!(eight(four).to_le_bytes(), format!("{four:08}").as_bytes());
            assert_eq!(eight(four * 10_000).to_le_bytes(), format!("{:08}", four * 10_000).as_bytes());
        }
    }
}
