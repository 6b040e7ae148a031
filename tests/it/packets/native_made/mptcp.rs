//! MPTCP's options, versions 0 and 1: every subtype in every length.

use super::build::{ethernet, ipv4, tcp_with};
use super::{Case, Fault, agree, case, found_in_all_but_not};

const SYN: u8 = 0x02;
const SYN_ACK: u8 = 0x12;
const ACK: u8 = 0x10;
const RESET: u8 = 0x14;

/// An option of this subtype and length, beginning with these bytes after the kind and the length.
fn option(length: u8, start: &[u8]) -> Vec<u8> {
    let mut bytes = vec![30, length];
    bytes.extend(start);
    bytes.extend((0..40).map(|at| 0x40 + at));
    bytes.truncate(usize::from(length));
    bytes
}

fn packet(flags: u8, options: &[u8]) -> Vec<u8> {
    // Filled up in front: tshark leaves out what comes after an option that is shorter than what it should hold.
    let filled = [&vec![1; options.len().next_multiple_of(4) - options.len()][..], options].concat();
    ethernet(0x0800, &ipv4(6, &tcp_with(flags, &filled, b"data")))
}

/// Each case is a stream of its own, because tshark reads some options otherwise by what it knows of the stream.
fn check(mut cases: Vec<Case>, faults: &[Fault<'_>]) {
    for (port, (_, frame)) in (10_000_u16..).zip(&mut cases) {
        frame.bytes[34..36].copy_from_slice(&port.to_be_bytes());
    }
    found_in_all_but_not(&cases, &agree(1, &cases, faults));
}

#[test]
fn capable() {
    let mut cases = Vec::new();
    for version in 0..3 {
        for length in 2..=40 {
            for (name, flags) in [("SYN", SYN), ("SYN/ACK", SYN_ACK), ("ACK", ACK)] {
                let option = option(length, &[version, 0x81]);
                cases.push(case(format!("version {version}, length {length}, {name}"), packet(flags, &option)));
            }
        }
    }
    check(cases, &[]);
}

#[test]
fn join() {
    let mut cases = Vec::new();
    for length in 2..=40 {
        for (name, flags) in
            [("SYN", SYN), ("SYN/ACK", SYN_ACK), ("ACK", ACK), ("RST", RESET), ("none", 0), ("FIN", 0x11)]
        {
            for backup in 0..2 {
                let option = option(length, &[0x10 | backup, 7]);
                cases.push(case(format!("length {length}, {name}, backup {backup}"), packet(flags, &option)));
            }
        }
    }
    check(cases, &[]);
}

#[test]
fn data_sequence_signal() {
    let mut cases = Vec::new();
    for flags in 0..32 {
        for length in 2..=40 {
            cases
                .push(case(format!("flags {flags:#x}, length {length}"), packet(ACK, &option(length, &[0x20, flags]))));
        }
    }
    check(cases, &[]);
}

#[test]
fn add_address() {
    let mut cases = Vec::new();
    // Version 1 has the echo flag where version 0 has the IP version.
    for low in [0, 1, 4, 6, 15] {
        for length in 2..=40 {
            let option = option(length, &[0x30 | low, 9]);
            cases.push(case(format!("low {low}, length {length}"), packet(ACK, &option)));
        }
    }
    check(cases, &[]);
}

#[test]
fn the_other_subtypes() {
    let mut cases = Vec::new();
    for subtype in 4..16 {
        for length in 2..=40 {
            for low in [0, 1] {
                let option = option(length, &[subtype << 4 | low, 3]);
                cases.push(case(format!("subtype {subtype}, length {length}, low {low}"), packet(ACK, &option)));
            }
        }
    }
    check(cases, &[]);
}

#[test]
fn several_in_a_packet() {
    let kinds: Vec<(&str, Vec<u8>)> = vec![
        ("acknowledgement", option(8, &[0x20, 1])),
        ("mapping", option(18, &[0x20, 5])),
        ("mapping with a checksum", option(20, &[0x20, 5])),
        ("long mapping", option(22, &[0x20, 0x0c])),
        ("add", option(8, &[0x30, 9])),
        ("add with a port", option(10, &[0x30, 9])),
        ("echo", option(8, &[0x31, 9])),
        ("add IPv6", option(20, &[0x30, 9])),
        ("remove", option(4, &[0x40])),
        ("remove three", option(6, &[0x40])),
        ("priority", option(3, &[0x51])),
        ("priority with an id", option(4, &[0x50, 3])),
        ("fail", option(12, &[0x60, 0])),
        ("fast close", option(12, &[0x70, 0])),
        ("reset", option(4, &[0x81, 2])),
        ("experimental", option(8, &[0xf0, 2])),
        ("capable", option(20, &[0x00, 0x81])),
        ("join", option(24, &[0x10, 0])),
    ];
    let mut cases = Vec::new();
    for (one, first) in &kinds {
        for (other, second) in &kinds {
            let options = [&first[..], second].concat();
            if options.len() <= 40 && *other != "capable" {
                cases.push(case(format!("{one}, then {other}"), packet(ACK, &options)));
            }
        }
    }
    check(cases, &[]);
}

#[test]
fn keys_after_other_options() {
    let capable = option(20, &[0x00, 0x81]);
    let cases = vec![
        case("acknowledgement", packet(ACK, &[option(8, &[0x20, 1]), capable.clone()].concat())),
        case("removal", packet(ACK, &[option(4, &[0x40]), capable.clone()].concat())),
        case("reset", packet(RESET, &[option(4, &[0x80, 2]), capable].concat())),
    ];
    let lacks = "tshark gives the second key up when an option of MPTCP stands before MP_CAPABLE";
    check(cases, &[("", "recvkey", lacks)]);
}
