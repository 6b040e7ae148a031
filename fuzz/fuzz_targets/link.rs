//! A frame of any link type that is understood.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mptcpanalyzer_fuzz::check_frame;

/// Loopback, Ethernet, PPP, raw IP, PPPoE, HDLC, Linux cooked.
const LINK_TYPES: [u32; 14] = [1, 0, 108, 9, 50, 51, 104, 12, 101, 228, 229, 113, 276, 147];

fuzz_target!(|input: (u8, u8, &[u8])| {
    let (link, recorded, frame) = input;
    check_frame(LINK_TYPES[usize::from(link) % LINK_TYPES.len()], frame, recorded.into());
});
