//! File formats: pcap and pcapng in every order of bytes, with every kind of block.

use super::build::{BEGIN, Frame, Pcap, Pcapng, cut, ethernet, ipv4, plain, tcp};
use super::{agree_on_file, dissect, packet_ids};
use crate::support::columns_of::Columns;
use mptcp_trace::packets::Dissection;

pub const ETHERNET: u16 = 1;
const RAW: u16 = 101;

/// Microseconds since 1970, the unit of an interface that does not say.
pub const MICROSECONDS: u64 = BEGIN as u64 * 1_000_000 + 123_456;

/// When each packet was recorded, nanoseconds since 1970.
pub fn times(dissection: &Dissection) -> Vec<i64> {
    dissection.cells("abstime").datetime().unwrap().physical().iter().flatten().collect()
}

pub fn agree(file: &[u8]) -> Dissection {
    agree_on_file(file, |_| "", &[])
}

#[test]
fn pcap_in_both_orders_and_units() {
    let frames = [plain(&[], b"one").into(), plain(&[], b"two").into(), cut(plain(&[], &[7; 400]), 96)];
    for big_endian in [false, true] {
        for (nanoseconds, fraction) in [(false, 333_333_000), (true, 333_333_333)] {
            let found = agree(&Pcap { big_endian, nanoseconds, link: 1 }.file(&frames));
            let expected: Vec<i64> = (0..3).map(|at| (i64::from(BEGIN) + at) * 1_000_000_000 + fraction).collect();
            assert_eq!(times(&found), expected, "big endian {big_endian}, nanoseconds {nanoseconds}");
        }
    }
}

/// The upper bits of the link type tell that each frame ends with a checksum, here of two 16-bit words.
#[test]
fn pcap_with_frame_checksums() {
    let whole = [plain(&[], b"data"), vec![1, 2, 3, 4]].concat();
    let found = agree(&Pcap { big_endian: false, nanoseconds: false, link: 1 | 0x2400_0000 }.file(&[whole.into()]));
    let lengths: Vec<Option<u32>> = found.cells("tcplen").u32().unwrap().iter().collect();
    assert_eq!(lengths, [Some(4)]);
}

#[test]
fn pcap_with_odd_times_and_lengths() {
    let file = Pcap { big_endian: false, nanoseconds: false, link: 1 };
    let mut odd = file.file(&[plain(&[], b"one").into(), plain(&[], b"two").into(), plain(&[], b"three").into()]);
    let record = 16 + plain(&[], b"one").len();
    // More than a million microseconds, and a time before 1970 by 32 bits.
    odd[28..32].copy_from_slice(&2_500_000_u32.to_le_bytes());
    odd[24 + record..28 + record].copy_from_slice(&u32::MAX.to_le_bytes());
    // Shorter on the wire than what was recorded.
    odd[24 + 2 * record + 12..24 + 2 * record + 16].copy_from_slice(&10_u32.to_le_bytes());
    agree(&odd);
}

/// Simple packets have no time: that of the packet before is taken, and said.
#[test]
fn simple_packets() {
    for big_endian in [false, true] {
        let long = cut(plain(&[], &[7; 300]), 100);
        let file = Pcapng::new(big_endian)
            .interface(ETHERNET, 100, &[])
            .enhanced(0, MICROSECONDS, plain(&[], b"first"))
            .simple(plain(&[], b"simple"))
            .simple(long)
            .enhanced(0, MICROSECONDS + 5, plain(&[], b"last"));
        let found = dissect(&file.bytes);
        assert_eq!(packet_ids(&found), [1, 2, 3, 4]);
        let first = MICROSECONDS as i64 * 1000;
        assert_eq!(times(&found), [first, first, first, first + 5000]);
        let numbers = |name| -> Vec<Option<u32>> { found.cells(name).u32().unwrap().iter().collect() };
        assert_eq!(numbers("tcplen"), [Some(5), Some(6), Some(300), Some(4)]);
        assert_eq!(numbers("caplen"), [Some(59), Some(60), Some(100), Some(58)]);
        let said = "2 packets without a time (simple packets of pcapng): the previous packet's time is used";
        assert_eq!(found.facts.warnings, [said]);
    }
}

#[test]
fn packet_blocks_of_the_first_drafts() {
    for big_endian in [false, true] {
        let file = Pcapng::new(big_endian)
            .interface(ETHERNET, 0, &[(2, b"first")])
            .interface(RAW, 0, &[(2, b"second")])
            .obsolete(0, MICROSECONDS, plain(&[], b"one"))
            .obsolete(1, MICROSECONDS + 1, ipv4(6, &tcp(&[], b"raw")))
            .obsolete(0, MICROSECONDS + 2, cut(plain(&[], &[7; 300]), 80));
        assert_eq!(packet_ids(&agree(&file.bytes)), [1, 2, 3]);
    }
}

/// Each section has its own interfaces, link types and order of bytes; frames are numbered through.
#[test]
fn several_sections() {
    let raw = || ipv4(6, &tcp(&[], b"raw"));
    let file = Pcapng::new(false)
        .interface(ETHERNET, 0, &[(2, b"lan")])
        .interface(RAW, 0, &[(2, b"tun")])
        .enhanced(1, MICROSECONDS, raw())
        .enhanced(0, MICROSECONDS + 1, plain(&[], b"x"))
        .section(true)
        .interface(RAW, 0, &[(9, &[9])])
        .interface(ETHERNET, 0, &[(3, b"described only")])
        .enhanced(0, MICROSECONDS * 1000 + 2500, raw())
        .enhanced(1, MICROSECONDS + 3, plain(&[], b"x"))
        .section(true)
        .section(false)
        .interface(ETHERNET, 0, &[(2, b"lan")])
        .enhanced(0, MICROSECONDS + 4, plain(&[], b"x"));
    let first = "tshark looks the interfaces of later sections up among those of the first";
    let faults = [("third", "interface", first), ("fourth", "interface", first), ("", "interfaces", first)];
    let names = ["first", "second", "third", "fourth", "fifth"];
    let found = agree_on_file(&file.bytes, |packet| names[packet as usize - 1], &faults);
    let base = MICROSECONDS as i64 * 1000;
    assert_eq!(times(&found), [base, base + 1000, base + 2500, base + 3000, base + 4000]);
    let cells = found.cells("interface");
    let names: Vec<Option<&str>> = cells.str().unwrap().iter().collect();
    assert_eq!(names, ["tun", "lan", "unknown", "described only", "lan"].map(Some));
}

/// What has a packet's number and what has not; options of all kinds are passed over.
#[test]
fn other_blocks_between_packets() {
    for big_endian in [false, true] {
        let file = Pcapng::new(big_endian);
        let options = file.options(&[(1, b"a remark"), (2, &[0, 0, 0, 1]), (0x8001, b"unknown"), (0, &[])]);
        let file = file
            .interface(ETHERNET, 65535, &[(2, b"eth0"), (3, b"a card"), (8, &[0; 8]), (12, b"Linux"), (99, b"odd")])
            // Names, statistics, decryption secrets, and a kind that nobody knows.
            .block(4, &[0; 4])
            .block(5, &[0; 12])
            .enhanced_with(0, MICROSECONDS, plain(&[], b"one"), &options)
            .block(10, &[0; 8])
            .block(0x0bad_cafe, &[7; 40])
            .enhanced(0, MICROSECONDS + 1, plain(&[], b"two"))
            .block(0x0000_000c, &[1; 4])
            .enhanced(0, MICROSECONDS + 2, plain(&[], b"three"))
            .interface(ETHERNET, 0, &[])
            .enhanced(1, MICROSECONDS + 3, plain(&[], b"four"));
        assert_eq!(packet_ids(&agree(&file.bytes)), [1, 2, 3, 4]);
    }
}

/// Custom blocks have a number in Wireshark, and no packet.
#[test]
fn custom_blocks() {
    for kind in [0x0000_0bad, 0x4000_0bad] {
        let file = Pcapng::new(false)
            .interface(ETHERNET, 0, &[])
            .enhanced(0, MICROSECONDS, plain(&[], b"one"))
            // The number of nobody (RFC 5612).
            .block(kind, &[&32_473_u32.to_le_bytes()[..], b"whatever"].concat())
            .enhanced(0, MICROSECONDS + 1, plain(&[], b"two"));
        let found = dissect(&file.bytes);
        assert_eq!((packet_ids(&found), found.facts.frames), (vec![1, 3], 3), "{kind:#x}");
    }
}

/// Names of interfaces as Wireshark shows them.
#[test]
fn names_of_interfaces() {
    let names: [&[(u16, &[u8])]; 8] = [
        &[(2, b"eth0")],
        &[(3, b"a description")],
        &[(3, b"a description"), (2, b"the name")],
        &[(2, b"first"), (2, b"second")],
        &[(2, b"with zero\0 in it")],
        &[(2, "größe λ".as_bytes())],
        &[(1, b"a remark")],
        &[],
    ];
    let mut file = Pcapng::new(false);
    for options in names {
        file = file.interface(ETHERNET, 0, options);
    }
    for interface in 0..names.len() {
        file = file.enhanced(interface, MICROSECONDS, plain(&[], b"x"));
    }
    agree(&file.bytes);
    // An empty name is none.
    let options: &[(u16, &[u8])] = &[(2, b""), (3, b"a description")];
    let file = Pcapng::new(false).interface(ETHERNET, 0, options).enhanced(0, MICROSECONDS, plain(&[], b"x"));
    assert_eq!(dissect(&file.bytes).facts.interfaces[0].name.as_deref(), Some("a description"));
}

/// Options of an interface that end without their end, or in the middle.
#[test]
fn interfaces_with_odd_options() {
    let start = Pcapng::new(false);
    let good = start.options(&[(2, b"good")]);
    for options in [
        good.clone(),
        start.options(&[(2, b"good"), (9, &[9, 9])]),
        start.options(&[(14, &[1, 2, 3, 4]), (2, b"good")]),
        start.options(&[(0, &[]), (2, b"behind the end")]),
    ] {
        let file = start.clone().bare_interface(ETHERNET, 0, &options).enhanced(0, MICROSECONDS, plain(&[], b"x"));
        agree(&file.bytes);
    }
}

/// A packet of an interface that was not described ends the file.
#[test]
fn packets_of_unknown_interfaces() {
    let file = Pcapng::new(false).interface(ETHERNET, 0, &[]).enhanced(0, MICROSECONDS, plain(&[], b"one"));
    let at = file.bytes.len();
    let file = file.enhanced(7, MICROSECONDS, plain(&[], b"two")).enhanced(0, MICROSECONDS, plain(&[], b"three"));
    let found = dissect(&file.bytes);
    assert_eq!((packet_ids(&found), found.facts.frames), (vec![1], 1));
    let said = format!("the file is damaged from byte {at} on: 1 whole packet read up to there");
    assert_eq!(found.facts.warnings, [said]);
}

/// Link types are those of each interface; what is not understood is counted, and the rest read.
#[test]
fn interfaces_of_several_link_types() {
    let file = Pcapng::new(false)
        .interface(ETHERNET, 0, &[])
        .interface(105, 0, &[])
        .interface(RAW, 0, &[])
        .interface(276, 0, &[])
        .enhanced(0, MICROSECONDS, plain(&[], b"x"))
        .enhanced(1, MICROSECONDS, vec![0; 30])
        .enhanced(2, MICROSECONDS, ipv4(6, &tcp(&[], b"raw")))
        .enhanced(
            3,
            MICROSECONDS,
            [&[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &ipv4(6, &tcp(&[], b""))].concat(),
        );
    let found = agree(&file.bytes);
    assert_eq!(packet_ids(&found), [1, 3, 4]);
    let said = "1 packet skipped: link type 105 is not supported";
    assert_eq!(found.facts.warnings, [said]);
}

/// A jumbo record is longer than a read; padding to four bytes of blocks of every length.
#[test]
fn records_of_every_length() {
    let mut file = Pcapng::new(true).interface(ETHERNET, 0, &[]);
    let mut frames: Vec<Frame> = Vec::new();
    for length in [0, 1, 2, 3, 4, 5, 100, 1459, 9000, 65_000] {
        let frame = ethernet(0x0800, &ipv4(6, &tcp(&[], &vec![7; length])));
        file = file.enhanced(0, MICROSECONDS, frame.clone());
        frames.push(frame.into());
    }
    agree(&file.bytes);
    agree(&Pcap { big_endian: true, nanoseconds: true, link: 1 }.file(&frames));
}
