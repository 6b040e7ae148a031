//! TCP's options: all kinds, all lengths, cut and malformed.

use super::build::{Frame, cut, ethernet, ipv4, padded, plain, tcp_with};
use super::{Case, agree, case, found_in_all_but_not};
use crate::support::columns_of::Columns;

/// An option of this kind and length, its content in numbers that tell bytes apart.
fn option(kind: u8, length: u8) -> Vec<u8> {
    let mut bytes = vec![kind, length];
    bytes.extend((2..length).map(|at| 0x10 + at));
    bytes
}

/// Options filled up in front: tshark leaves out what comes after an option that is shorter than what it should hold.
fn filled(options: &[u8]) -> Vec<u8> {
    [&vec![1; options.len().next_multiple_of(4) - options.len()][..], options].concat()
}

#[test]
fn every_kind_in_several_lengths() {
    let mut cases = Vec::new();
    for kind in 2..=255 {
        for length in [2, 3, 4, 6, 10, 18, 40] {
            cases.push(case(format!("kind {kind}, length {length}"), plain(&filled(&option(kind, length)), b"x")));
        }
    }
    // 30 is MPTCP, which has a test of its own.
    cases.retain(|(name, _)| !name.starts_with("kind 30,"));
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn the_options_that_have_columns_in_every_length() {
    let mut cases = Vec::new();
    for kind in [2, 3, 4, 5, 8] {
        for length in 2..=40 {
            let content = filled(&option(kind, length));
            cases.push(case(format!("kind {kind}, length {length}"), plain(&content, b"x")));
            // The same in a SYN: some options stand only there.
            let syn = tcp_with(0x02, &content, b"");
            cases.push(case(format!("kind {kind}, length {length}, SYN"), ethernet(0x0800, &ipv4(6, &syn))));
        }
    }
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

/// An option that is shorter than what it should hold ends tshark's list; its length tells where the next one begins.
#[test]
fn what_comes_after_an_option_that_is_too_short() {
    let timestamps = [8, 10, 0, 0, 0, 1, 0, 0, 0, 2];
    let after = |short: &[u8]| plain(&padded(&[short, &timestamps].concat()), b"x");
    let cases = [
        case("SACK of a byte", after(&[5, 3, 1])),
        case("DSS without its mapping", after(&[30, 4, 0x20, 4])),
        case("MPTCP without a subtype", after(&[30, 2])),
        case("selective negative acknowledgement", after(&[21, 4, 1, 2])),
    ];
    let left_out = "tshark's list ends with the short option";
    let columns = ["tcpoptions", "tcptsval", "tcptsecr"];
    let faults: Vec<_> = columns.map(|column| ("", column, left_out)).to_vec();
    let found = agree(1, &cases, &faults);
    found_in_all_but_not(&cases, &found);
    let values: Vec<Option<u32>> = found.cells("tcptsval").u32().unwrap().iter().collect();
    assert_eq!(values, [Some(1); 4]);
}

#[test]
fn options_that_are_malformed() {
    let timestamps = option(8, 10);
    let with = |before: &[u8], after: &[u8]| plain(&padded(&[before, after].concat()), b"data");
    let cases = [
        case("length 0", with(&[8, 0], &timestamps)),
        case("length 1", with(&[8, 1], &timestamps)),
        case("length 0 of an unknown kind", with(&[200, 0], &timestamps)),
        case("length 1 of MPTCP", with(&[30, 1], &timestamps)),
        case("behind the end", with(&[8, 255], &timestamps)),
        case("a little behind the end", with(&timestamps, &[8, 10])),
        case("a kind without a length", with(&[1, 1, 1], &[8])),
        case("the end, then an option", with(&[0], &timestamps)),
        case("the end, then no operation", with(&[0], &[1, 0, 0])),
        case("the end, then zeros", with(&timestamps, &[0, 0])),
        case("the end, then zeros and more", with(&timestamps, &[0, 0, 0, 0, 0, 7])),
        case("only no operations", with(&[1; 40], &[])),
        case("only ends", with(&[0; 40], &[])),
        case("timestamps twice", with(&timestamps, &[8, 10, 1, 2, 3, 4, 5, 6, 7, 8])),
        case("segment size twice", with(&[2, 4, 5, 0xb4], &[2, 4, 2, 0])),
        case("scale twice", with(&[3, 3, 7], &[3, 3, 9])),
        case("a scale that is too large", with(&[3, 3, 15], &[3, 3, 255])),
        case("SACK twice", with(&option(5, 10), &option(5, 18))),
        case("SACK four times", with(&option(5, 34), &[])),
        case("SACK with a half block", with(&option(5, 16), &[])),
        case("SACK in three options", with(&[option(5, 10), option(5, 10), option(5, 10)].concat(), &[])),
        case("timestamps short, then right", with(&[8, 6, 1, 2, 3, 4], &timestamps)),
        case("timestamps right, then short", with(&timestamps, &[8, 6, 1, 2, 3, 4])),
        case("segment size short, then right", with(&[2, 3, 1], &[2, 4, 2, 0])),
    ];
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

/// Fast open, signatures and the options of accelerators; with a cookie request, in experiments as well.
#[test]
fn options_of_other_documents() {
    let mut cases = Vec::new();
    for (name, bytes) in [
        ("fast open request", vec![34, 2]),
        ("fast open cookie", option(34, 10)),
        ("fast open cookie of 16", option(34, 18)),
        ("fast open in an experiment", vec![254, 12, 0xf9, 0x89, 1, 2, 3, 4, 5, 6, 7, 8]),
        ("fast open request in an experiment", vec![254, 4, 0xf9, 0x89]),
        ("another experiment", vec![253, 8, 0xe2, 0xd4, 1, 2, 3, 4]),
        ("a cut experiment", vec![253, 3, 0xf9]),
        ("MD5", option(19, 18)),
        ("authentication", option(29, 16)),
        ("user timeout", option(28, 4)),
        ("echo", option(6, 6)),
        ("echo reply", option(7, 6)),
        ("partial order", option(9, 2)),
        ("transactions", [option(11, 6), option(12, 6), option(13, 6)].concat()),
        ("alternate checksum", option(14, 3)),
        ("space communications", [option(20, 4), option(22, 2), option(23, 3), option(21, 6)].concat()),
        ("record boundary and corruption", [option(24, 3), option(25, 2), option(26, 4)].concat()),
        ("quick start", option(27, 8)),
        ("encryption negotiation", option(69, 12)),
        ("accurate ECN", [option(172, 11), option(174, 8)].concat()),
        ("Riverbed probe", vec![76, 10, 0x01, 0x0f, 192, 0, 2, 9, 0x1e, 0x78]),
        ("Riverbed transparency", option(78, 16)),
        ("Riverbed SCPS", option(70, 4)),
    ] {
        for (kind, flags) in [("SYN", 0x02), ("SYN/ACK", 0x12), ("ACK", 0x10)] {
            let frame = ethernet(0x0800, &ipv4(6, &tcp_with(flags, &filled(&bytes), b"")));
            cases.push(case(format!("{name}, {kind}"), frame));
        }
    }
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn header_lengths() {
    let with = |options: &[u8], words: u8, bytes: usize| {
        let mut frame = plain(options, b"payload");
        frame[14 + 20 + 12] = words << 4;
        frame.truncate(14 + 20 + bytes);
        let [high, low] = u16::try_from(20 + bytes).unwrap().to_be_bytes();
        (frame[16], frame[17]) = (high, low);
        frame
    };
    let mut cases: Vec<Case> = Vec::new();
    for words in 0..16 {
        for bytes in [19, 20, 24, 31, 40, 59, 60, 67] {
            let not = if words < 5 { "not " } else { "" };
            cases.push(case(format!("{not}{words} words of {bytes} bytes"), with(&[1; 40], words, bytes)));
            let options = [option(8, 10), option(8, 10), option(30, 10), option(8, 10)].concat();
            cases.push(case(format!("{not}{words} words of {bytes} bytes, full"), with(&options, words, bytes)));
        }
    }
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

#[test]
fn flags() {
    let mut cases = Vec::new();
    for flags in 0..=255 {
        let mut frame = ethernet(0x0800, &ipv4(6, &tcp_with(flags, &[], b"x")));
        if flags % 3 == 0 {
            // The nonce's bit and the reserved ones.
            frame[14 + 20 + 12] |= flags & 0x0f;
        }
        cases.push(case(format!("flags {flags:#04x}"), frame));
    }
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}

/// Cut by the snap length at each byte of the headers.
#[test]
fn cut_at_each_byte() {
    let timestamps = option(8, 10);
    let capable = [30, 22, 1, 0x81, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18, 0, 100];
    let dss = [30, 26, 0x20, 0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1, 0, 100];
    let address = [30, 16, 0x30, 5, 192, 0, 2, 9, 1, 2, 3, 4, 5, 6, 7, 8];
    let lists = [
        ("sizes", [&[2, 4, 5, 0xb4, 4, 2][..], &timestamps, &[1, 3, 3, 7]].concat()),
        ("capable", [&[1, 1][..], &timestamps, &capable].concat()),
        ("mapping", [&[1, 1][..], &timestamps, &dss].concat()),
        ("address", [&[1, 1][..], &timestamps, &address].concat()),
        ("SACK", [&[1, 1][..], &timestamps, &option(5, 26)].concat()),
        ("ended", [&timestamps[..], &[0; 10]].concat()),
    ];
    let mut cases: Vec<(String, Frame)> = Vec::new();
    for (name, options) in lists {
        let whole = plain(&padded(&options), &[7; 40]);
        for length in 34..whole.len() {
            // Ports, numbers, flags and the window must be there.
            let not = if length < 34 + 16 { "not " } else { "" };
            cases.push(case(format!("{not}{name}, {length}"), cut(whole.clone(), length)));
        }
    }
    found_in_all_but_not(&cases, &agree(1, &cases, &[]));
}
