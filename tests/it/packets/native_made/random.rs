//! Frames changed at random, against tshark: a tool for finding differences, not a test.
//!
//! `RANDOM_SEED=7 cargo test --test it native_made::random -- --ignored --nocapture`

use super::build::{Frame, ethernet, ipv4, ipv6, padded, plain, tcp, udp};
use super::{build, written};
use crate::packets::damaged::Random;
use crate::packets::native::{by_tshark, differences, natively};
use crate::support::columns_of::Columns;

/// Frames to begin with, for a link type.
fn frames(link: u32) -> Vec<Vec<u8>> {
    let lists: [&[u8]; 6] = [
        &[2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7, 30, 4, 1, 1],
        &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 30, 12, 0x10, 2, 1, 2, 3, 4, 5, 6, 7, 8],
        &[
            1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 30, 26, 0x20, 0x0f, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0,
            0, 0, 1, 0, 100,
        ],
        &[1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 30, 16, 0x30, 5, 192, 0, 2, 9, 1, 2, 3, 4, 5, 6, 7, 8],
        &[1, 1, 5, 18, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4],
        &[30, 12, 0x70, 0, 1, 2, 3, 4, 5, 6, 7, 8, 30, 4, 0x80, 2],
    ];
    let packets: Vec<Vec<u8>> = lists.iter().map(|list| tcp(&padded(list), b"data")).collect();
    let mut ip: Vec<Vec<u8>> = packets.iter().map(|packet| ipv4(6, packet)).collect();
    ip.push(ipv6(6, &packets[0]));
    ip.push(ipv6(0, &[&[6, 0, 1, 4, 0, 0, 0, 0][..], &packets[1]].concat()));
    ip.push(ipv4(4, &ip[2]));
    ip.push(ipv4(47, &[&[0x20, 0, 8, 0, 0, 0, 0, 7][..], &ip[0]].concat()));
    ip.push(ipv4(17, &udp(49_152, 4789, &[&[8, 0, 0, 0, 0, 0, 42, 0][..], &plain(&[], b"inner")].concat())));
    let header: &[u8] = match link {
        0 => &[2, 0, 0, 0],
        9 => &[0xff, 3, 0, 0x21],
        113 => &[0, 4, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0],
        276 => &[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 4, 6, 2, 0, 0, 0, 0, 1, 0, 0],
        101 => &[],
        _ => {
            let mut frames: Vec<Vec<u8>> = ip.iter().map(|packet| ethernet(0x0800, packet)).collect();
            frames.push([&frames[0][..12], &[0x81, 0, 0, 5], &frames[0][12..]].concat());
            frames.push(ethernet(0x8847, &[&[0, 6, 0x41, 64][..], &ip[0]].concat()));
            frames.push(ethernet(0x8864, &[&[0x11, 0, 0, 1, 0, 90, 0, 0x21][..], &ip[0]].concat()));
            return frames;
        }
    };
    ip.iter().map(|packet| [header, packet].concat()).collect()
}

#[test]
#[ignore = "a tool, not a test"]
fn find_differences() {
    let seed = std::env::var("RANDOM_SEED").map_or(1, |seed| seed.parse().unwrap());
    for link in [1, 0, 9, 101, 113, 276] {
        let mut random = Random(seed);
        let start = frames(link);
        let changed: Vec<Frame> = (0..4000)
            .map(|_| {
                let mut bytes = start[random.below(start.len())].clone();
                for _ in 0..=random.below(3) {
                    let at = random.below(bytes.len());
                    bytes[at] = match random.below(3) {
                        0 => random.next() as u8,
                        1 => bytes[at] ^ 1 << random.below(8),
                        _ => random.below(40) as u8,
                    };
                }
                let kept = if random.below(4) == 0 { random.below(bytes.len()) } else { bytes.len() };
                build::cut(bytes, kept)
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path(), "made.pcap", &build::pcap(link, &changed));
        let (native, tshark) = (natively(&path), by_tshark(&path));
        let found = differences(&native, &tshark);
        // Its list of options ends with one that is too short for its content, which is known.
        let given_up: Vec<u64> =
            found.iter().filter(|(_, column, _)| *column == "tcpoptions").map(|(packet, ..)| *packet).collect();
        let found: Vec<_> = found.into_iter().filter(|(packet, ..)| !given_up.contains(packet)).collect();
        let shown = std::env::var("RANDOM_SHOWN").map_or(12, |count| count.parse().unwrap());
        println!("link type {link}: {} rows, {} cells differ", native.height(), found.len());
        for (packet, column, what) in found.iter().take(shown) {
            let frame = &changed[*packet as usize - 1];
            let bytes: String = frame.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("  {packet} {column}: {what} {bytes} of {}", frame.wire_length);
        }
    }
}
