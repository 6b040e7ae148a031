//! MPTCP's options: the input is cut into options, which fill a TCP header.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mptcpanalyzer_fuzz::{MPTCP, RAW_IP, check_frame, ipv4};

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (recorded, flags, mut contents) = input;
    let mut options = Vec::new();
    // Of each option the first byte tells how long it is; it may lie a little.
    while let Some((length, rest)) = contents.split_first() {
        let (length, lie) = (usize::from(length % 32), length >> 7);
        let (content, after) = rest.split_at(length.min(rest.len()));
        options.extend([MPTCP, u8::try_from(content.len() + 2).unwrap_or(u8::MAX) + lie]);
        options.extend(content);
        contents = after;
    }
    options.resize(options.len().next_multiple_of(4).min(40), 1);
    let words = u8::try_from(5 + options.len() / 4).unwrap_or(15);
    let mut packet = vec![0x9c, 0x41, 0, 80, 0, 0, 0, 1, 0, 0, 0, 1, words << 4, flags, 0xff, 0xff, 0, 0, 0, 0];
    packet.extend(options);
    check_frame(RAW_IP, &ipv4(6, &packet), 40 + usize::from(recorded));
});
