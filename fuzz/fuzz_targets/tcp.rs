//! A TCP packet in IPv4.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mptcpanalyzer_fuzz::{RAW_IP, check_frame, ipv4};

fuzz_target!(|input: (u8, &[u8])| {
    let (recorded, packet) = input;
    check_frame(RAW_IP, &ipv4(6, packet), 20 + usize::from(recorded));
});
