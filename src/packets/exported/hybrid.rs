//! Small numbers as Parquet has them: runs of one number, and groups of eight packed bit by bit (RLE / Bit-Packing Hybrid,
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE>).

/// Numbers that are packed together.
const GROUP: usize = 8;

/// Bytes that a run of one number has to save, because it takes two and those before it get an end.
const WORTH: usize = 4;

/// Appends levels of so many bits as the pages of columns have them: behind how many bytes they take.
pub fn append_levels(levels: &[u8], bits: u8, out: &mut Vec<u8>) {
    let mut encoded = Vec::new();
    append(levels, bits, &mut encoded);
    out.extend(u32::try_from(encoded.len()).unwrap_or(u32::MAX).to_le_bytes());
    out.append(&mut encoded);
}

/// Appends numbers of so many bits, eight at most.
pub fn append(numbers: &[u8], bits: u8, out: &mut Vec<u8>) {
    if bits == 0 {
        return length(numbers.len() << 1, out);
    }
    let (groups, rest) = numbers.as_chunks::<GROUP>();
    let groups = || groups.iter().map(|group| u64::from_le_bytes(*group));
    let width = usize::from(bits);
    // Groups that wait to be packed.
    let mut packed: Vec<u8> = Vec::with_capacity(numbers.len() / GROUP * width + GROUP);
    let mut left = groups().peekable();
    while let Some(group) = left.next() {
        if group == (group & 0xff).wrapping_mul(0x0101_0101_0101_0101) {
            let mut equal = 1;
            while left.next_if_eq(&group).is_some() {
                equal += 1;
            }
            if equal * width >= WORTH {
                flush(&mut packed, width, out);
                length((equal * GROUP) << 1, out);
                out.push(group.to_le_bytes()[0]);
                continue;
            }
            (0..equal).for_each(|_| pack(group, bits, &mut packed));
        } else {
            pack(group, bits, &mut packed);
        }
    }
    if !rest.is_empty() {
        let mut last = [0; GROUP];
        last.iter_mut().zip(rest).for_each(|(place, number)| *place = *number);
        pack(u64::from_le_bytes(last), bits, &mut packed);
    }
    flush(&mut packed, width, out);
}

/// Appends numbers of so many bits, 16 at most, all of them packed.
pub fn append_wide(numbers: &[u16], bits: u8, out: &mut Vec<u8>) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(GROUP);
    length(groups << 1 | 1, out);
    let end = out.len().saturating_add(groups.saturating_mul(usize::from(bits)));
    // Of which so many bits are not yet written.
    let (mut waiting, mut count) = (0_u64, 0_u32);
    for number in numbers {
        waiting |= u64::from(*number) << count;
        count += u32::from(bits);
        while count >= u8::BITS {
            out.push(waiting.to_le_bytes()[0]);
            waiting >>= u8::BITS;
            count -= u8::BITS;
        }
    }
    if count > 0 {
        out.push(waiting.to_le_bytes()[0]);
    }
    out.resize(end, 0);
}

/// Appends the lowest bits of each of a group's bytes, the first number's first.
fn pack(group: u64, bits: u8, packed: &mut Vec<u8>) {
    let mask = 0xff >> (8 - u32::from(bits));
    let number = |index: u32| ((group >> (8 * index)) & mask) << (u32::from(bits) * index);
    let together = (0..8).fold(0, |together, index| together | number(index));
    packed.extend(together.to_le_bytes().iter().take(usize::from(bits)));
}

/// Appends the packed groups, and begins the next ones.
fn flush(packed: &mut Vec<u8>, width: usize, out: &mut Vec<u8>) {
    if !packed.is_empty() {
        length((packed.len() / width) << 1 | 1, out);
        out.append(packed);
    }
}

fn length(number: usize, out: &mut Vec<u8>) {
    varint(number as u64, out);
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow (ULEB128).
pub fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars_parquet::parquet::encoding::hybrid_rle::HybridRleDecoder;

    /// polars reads them as they were.
    fn comes_back(numbers: &[u8], bits: u8) -> usize {
        let mut bytes = Vec::new();
        append(numbers, bits, &mut bytes);
        let read = HybridRleDecoder::new(&bytes, u32::from(bits), numbers.len()).collect().unwrap();
        assert!(read.into_iter().eq(numbers.iter().map(|number| u32::from(*number))), "{numbers:?}");
        bytes.len()
    }

    #[test]
    fn runs_and_groups_come_back() {
        assert_eq!(comes_back(&[0; 1_000], 0), 2);
        assert_eq!(comes_back(&[3; 1_000], 2), 3);
        for bits in 1..=8 {
            for length in [0, 1, 7, 8, 9, 63, 64, 65, 1_000] {
                let numbers: Vec<u8> = (0..length).map(|at: u32| (at * 7 % (1 << bits)).to_le_bytes()[0]).collect();
                comes_back(&numbers, bits);
                // Runs of all lengths between others.
                let runs: Vec<u8> = (0..length).map(|at| u8::from(at % 97 > 2 && at < 600) << (bits - 1)).collect();
                comes_back(&runs, bits);
            }
        }
    }

    #[test]
    fn wide_numbers_come_back() {
        for bits in 9..=16 {
            for length in [0, 1, 7, 8, 9, 64, 1_000] {
                let numbers: Vec<u16> = (0..length).map(|at: u32| (at * 7_919 % (1 << bits)) as u16).collect();
                let mut bytes = Vec::new();
                append_wide(&numbers, bits, &mut bytes);
                let read = HybridRleDecoder::new(&bytes, u32::from(bits), numbers.len()).collect().unwrap();
                assert!(read.into_iter().eq(numbers.iter().map(|number| u32::from(*number))), "{bits} {numbers:?}");
            }
        }
    }

    /// The example of the specification: 0 to 7 in three bits.
    #[test]
    fn bits_are_where_the_specification_has_them() {
        let mut bytes = Vec::new();
        append(&[0, 1, 2, 3, 4, 5, 6, 7], 3, &mut bytes);
        assert_eq!(bytes, [0b11, 0b1000_1000, 0b1100_0110, 0b1111_1010]);
    }
}
