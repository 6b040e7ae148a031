//! Captures with frames altered or left out, as a box on the path or another point in time would have made them.

use std::fs;
use std::path::Path;

/// Copies a capture, pcap or pcapng, in little-endian order as the lab records it. `edit` is given each frame with its
/// number in the source and may alter its bytes; it returns whether the frame is kept.
pub fn rewrite(source: &Path, target: &Path, mut edit: impl FnMut(u64, &mut [u8]) -> bool) {
    let file = fs::read(source).unwrap();
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut written = Vec::with_capacity(file.len());
    let mut frame = 0;
    let mut at = 0;
    let block_type = number(0);
    if block_type != 0x0a0d_0d0a {
        assert!([0xa1b2_c3d4, 0xa1b2_3c4d].contains(&block_type), "{}", source.display());
        written.extend(&file[..24]);
        at = 24;
    }
    while at < file.len() {
        // What a record's header takes, where its frame ends, and where the record does.
        let (head, length, end) = if block_type != 0x0a0d_0d0a {
            let length = number(at + 8) as usize;
            (16, length, at + 16 + length)
        } else {
            let end = at + number(at + 4) as usize;
            if number(at) != 6 {
                written.extend(&file[at..end]);
                at = end;
                continue;
            }
            (28, number(at + 20) as usize, end)
        };
        frame += 1;
        let mut record = file[at..end].to_vec();
        if edit(frame, &mut record[head..head + length]) {
            written.extend(record);
        }
        at = end;
    }
    fs::write(target, written).unwrap();
}

/// Where the TCP option with these timestamps is in a frame.
pub fn timestamps_option(bytes: &[u8], (value, echo): (u32, u32)) -> Option<usize> {
    let wanted = [&[8, 10][..], &value.to_be_bytes(), &echo.to_be_bytes()].concat();
    bytes.windows(wanted.len()).position(|window| window == wanted)
}
