//! An IPv4 or IPv6 packet.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mptcpanalyzer_fuzz::{RAW_IP, check_frame};

fuzz_target!(|input: (u8, &[u8])| {
    let (recorded, packet) = input;
    check_frame(RAW_IP, packet, recorded.into());
});
