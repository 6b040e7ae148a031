//! What timestamps of pcapng count.

use super::agree_on_file;
use super::build::{BEGIN, Pcapng, plain};
use super::files::{ETHERNET, MICROSECONDS, agree, times};

/// Resolutions of timestamps, with the same moment in each; expected times worked out by hand.
#[test]
fn clocks_of_pcapng() {
    const SECOND: u64 = 1_000_000_000;
    let seconds = u64::from(BEGIN);
    let cases: [(&str, Option<u8>, u64, i64); 8] = [
        ("seconds", Some(0), seconds, 0),
        ("milliseconds", Some(3), seconds * 1000 + 125, 125_000_000),
        ("microseconds by default", None, seconds * 1_000_000 + 125_001, 125_001_000),
        ("microseconds", Some(6), seconds * 1_000_000 + 125_001, 125_001_000),
        ("nanoseconds", Some(9), seconds * SECOND + 125_000_001, 125_000_001),
        // 2^20 units in a second: 131073 of them are 125000.95 microseconds.
        ("binary", Some(0x80 | 20), (seconds << 20) + 131_073, 125_000_953),
        ("binary seconds", Some(0x80), seconds, 0),
        // 10^10 units in a second, so that a nanosecond is ten of them: 1735689600 s are just within 64 bits.
        ("a tenth of a nanosecond", Some(10), seconds * 10_000_000_000 + 1_250_000_019, 125_000_001),
    ];
    for big_endian in [false, true] {
        for (name, resolution, time, fraction) in cases {
            let resolution = resolution.map(|resolution| [resolution]);
            let options: Vec<(u16, &[u8])> = resolution.iter().map(|byte| (9, &byte[..])).collect();
            let file = Pcapng::new(big_endian).interface(ETHERNET, 0, &options).enhanced(0, time, plain(&[], b"x"));
            let found = agree(&file.bytes);
            assert_eq!(times(&found), [i64::from(BEGIN) * 1_000_000_000 + fraction], "{name}, {big_endian}");
        }
    }
}

/// Units so short that 64 bits hold only a moment after 1970.
#[test]
fn clocks_finer_than_nanoseconds() {
    let mut file = Pcapng::new(false);
    let resolutions = [12, 15, 18, 19, 20, 127, 0x80 | 40, 0x80 | 63, 0x80 | 64, 0xff];
    for resolution in resolutions {
        file = file.interface(ETHERNET, 0, &[(9, &[resolution])]);
    }
    for (interface, time) in
        [(0, 1_500_000_000_001), (1, 1_500_000_000_000_001), (2, u64::MAX), (3, u64::MAX), (6, 3 << 39), (7, u64::MAX)]
    {
        file = file.enhanced(interface, time, plain(&[], b"x"));
    }
    let product =
        "tshark multiplies by 10^9 in 64 bits, which is too much for clocks of more than 2^34 units in a second";
    let found = agree_on_file(&file.bytes, |_| "", &[("", "abstime", product), ("", "reltime", product)]);
    // Picoseconds, femtoseconds; 18.4467 s of attoseconds, 1.8 s of a tenth of that; 1.5 s, and just below two.
    let expected = [1_500_000_000, 1_500_000_000, 18_446_744_073, 1_844_674_407, 1_500_000_000, 1_999_999_999];
    assert_eq!(times(&found), expected);
}

/// Seconds to be added to the timestamps of an interface, also negative ones.
#[test]
fn offsets_of_clocks() {
    for big_endian in [false, true] {
        let bytes = |seconds: i64| if big_endian { seconds.to_be_bytes() } else { seconds.to_le_bytes() };
        let (later, earlier) = (bytes(3600), bytes(-3600));
        let file = Pcapng::new(big_endian)
            .interface(ETHERNET, 0, &[(14, &later)])
            .interface(ETHERNET, 0, &[(14, &earlier), (9, &[9])])
            .enhanced(0, MICROSECONDS, plain(&[], b"x"))
            .enhanced(1, MICROSECONDS * 1000, plain(&[], b"x"));
        let plain_time = MICROSECONDS as i64 * 1000;
        let hour = 3_600_000_000_000;
        assert_eq!(times(&agree(&file.bytes)), [plain_time + hour, plain_time - hour]);
    }
}
