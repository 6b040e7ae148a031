//! A long capture is dissected by several threads at once, a pipe in order by one: what they find is the same, and is what
//! was written.

use std::io::{Cursor, Write};
use std::path::Path;

use mptcp_trace::PacketRow;
use mptcp_trace::packets::Dissection;
use mptcp_trace::packets::native::{DissectOptions, dissect, dissect_from};

/// More than a thread is started for, in bytes.
const LONG: usize = 32 << 20;

/// Where the captures have what is odd about them: between that of others.
const MIDDLE: usize = 24 << 20;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// A frame with a TCP packet between two of some hundred ends, with a payload of that length.
fn frame(numbers: &mut Numbers, payload: &[u8]) -> Vec<u8> {
    let mut frame = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0].to_vec();
    let length = u16::try_from(40 + 12 + payload.len()).unwrap_or(0);
    let client = numbers.below(200) as u8;
    let (source, destination) =
        if numbers.below(3) > 0 { ([10, 0, 0, client], [10, 0, 1, 1]) } else { ([10, 0, 1, 1], [10, 0, 0, client]) };
    frame.extend([0x45, 0]);
    frame.extend(length.to_be_bytes());
    frame.extend([numbers.below(256) as u8, 1, 0, 0, 60 + numbers.below(4) as u8, 6, 0, 0]);
    frame.extend(source);
    frame.extend(destination);
    frame.extend([0x30, 0x39, 0x13, 0x89]);
    frame.extend((numbers.below(1 << 32) as u32).to_be_bytes());
    frame.extend((numbers.below(1 << 32) as u32).to_be_bytes());
    frame.extend([0x80, 0x10, 1, 0, 0, 0, 0, 0]);
    // DSS with a DATA_ACK (RFC 8684 §3.3), and padding.
    frame.extend([30, 8, 0x20, 0x01, 0, 0, 0, client, 1, 1, 1, 1]);
    frame.extend(payload);
    frame
}

/// Frames of many sizes; some have parts of the capture so far as their payload, and some are no TCP at all.
struct Frames {
    numbers: Numbers,
    tcp: usize,
    all: usize,
}

impl Frames {
    fn next(&mut self, so_far: &[u8]) -> Vec<u8> {
        self.all += 1;
        let kind = self.numbers.below(100);
        if kind == 0 {
            return vec![0xff; 60];
        }
        self.tcp += 1;
        let length = match kind {
            1 => 65_000,
            4..40 => 0,
            _ => 100 + self.numbers.below(1350) as usize,
        };
        let payload = if kind < 4 {
            let begin = so_far.len().saturating_sub(length + 1000);
            so_far.get(begin..).and_then(|rest| rest.get(..length)).unwrap_or(&[]).to_vec()
        } else {
            let bytes = self.numbers.below(1 << 30).to_le_bytes();
            bytes.iter().copied().cycle().take(length).collect()
        };
        frame(&mut self.numbers, &payload)
    }
}

#[derive(Clone, Copy)]
struct Form {
    big_endian: bool,
    nanoseconds: bool,
    blocks: bool,
}

struct Capture {
    form: Form,
    bytes: Vec<u8>,
    frames: Frames,
    seconds: u32,
}

impl Capture {
    fn new(form: Form) -> Self {
        let frames = Frames { numbers: Numbers(7), tcp: 0, all: 0 };
        let mut capture = Capture { form, bytes: Vec::new(), frames, seconds: 1_800_000_000 };
        if form.blocks {
            capture.section();
        } else {
            capture.word(if form.nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
            capture.words(&[if form.big_endian { 0x0002_0004 } else { 0x0004_0002 }, 0, 0, 262_144, 1]);
        }
        capture
    }

    fn word(&mut self, word: u32) {
        self.bytes.extend(if self.form.big_endian { word.to_be_bytes() } else { word.to_le_bytes() });
    }

    fn words(&mut self, words: &[u32]) {
        words.iter().for_each(|word| self.word(*word));
    }

    fn section(&mut self) {
        let version = if self.form.big_endian { 0x0001_0000 } else { 1 };
        self.words(&[0x0a0d_0d0a, 28, 0x1a2b_3c4d, version, u32::MAX, u32::MAX, 28]);
        self.interface();
    }

    /// An interface with Ethernet, whose times are in microseconds.
    fn interface(&mut self) {
        let link = if self.form.big_endian { 0x0001_0000 } else { 1 };
        self.words(&[1, 20, link, 0, 20]);
    }

    fn packet(&mut self) {
        let frame = self.frames.next(&self.bytes);
        let length = u32::try_from(frame.len()).unwrap();
        let fraction = u32::try_from(self.frames.numbers.below(1_000_000)).unwrap();
        // Now and then a clock goes back.
        let all = self.frames.all;
        self.seconds += u32::from(all.is_multiple_of(97));
        self.seconds -= 3 * u32::from(all.is_multiple_of(9700));
        if self.form.blocks {
            let time = u64::from(self.seconds) * 1_000_000 + u64::from(fraction);
            let padded = frame.len().next_multiple_of(4);
            let whole = u32::try_from(padded + 32).unwrap();
            self.words(&[6, whole, 0, (time >> 32) as u32, time as u32, length, length]);
            self.bytes.extend(&frame);
            self.bytes.resize(self.bytes.len() + padded - frame.len(), 0);
            self.word(whole);
        } else {
            self.words(&[self.seconds, fraction, length, length]);
            self.bytes.extend(frame);
        }
    }

    /// A packet that does not say when it was recorded.
    fn simple_packet(&mut self) {
        let frame = self.frames.next(&[]);
        let padded = frame.len().next_multiple_of(4);
        let whole = u32::try_from(padded + 16).unwrap();
        self.words(&[3, whole, u32::try_from(frame.len()).unwrap()]);
        self.bytes.extend(&frame);
        self.bytes.resize(self.bytes.len() + padded - frame.len(), 0);
        self.word(whole);
    }

    /// Packets until there are so many bytes.
    fn fill(mut self, bytes: usize) -> Self {
        while self.bytes.len() < bytes {
            self.packet();
        }
        self
    }
}

/// The same by several threads and by one, as far as a reader of the packets can see.
fn both_ways(bytes: &[u8], what: &str) -> Dissection {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let request = DissectOptions { partial: true };
    let at_once = dissect(file.path(), request).unwrap();
    let in_order = dissect_from(Box::new(Cursor::new(bytes.to_vec())), Path::new("pipe"), request).unwrap();
    assert_eq!(at_once.facts, in_order.facts, "{what}");
    assert_eq!(
        (at_once.packets.origin, at_once.packets.earliest),
        (in_order.packets.origin, in_order.packets.earliest)
    );
    assert!(at_once.packets.segments == in_order.packets.segments, "{what}: the packets differ");
    for row in 0..in_order.packets.height() {
        assert_eq!(at_once.packets.frames.get(row), in_order.packets.frames.get(row), "{what}: row {row}");
    }
    let last = u32::try_from(in_order.packets.height()).unwrap() - 1;
    assert!(at_once.packets.frames.ttl(PacketRow(last)).is_some_and(|ttl| ttl >= 60), "{what}");
    at_once
}

#[test]
fn spans_are_dissected_as_the_whole() {
    for (big_endian, nanoseconds, blocks) in
        [(false, false, false), (true, true, false), (false, false, true), (true, false, true)]
    {
        let capture = Capture::new(Form { big_endian, nanoseconds, blocks }).fill(LONG);
        let found = both_ways(&capture.bytes, "plain");
        assert_eq!(found.packets.height(), capture.frames.tcp);
        assert_eq!(found.facts.frames, capture.frames.all as u64);
        assert!(found.facts.warnings.is_empty(), "{:?}", found.facts.warnings);
        // The last packet is cut, and one in the middle is damaged.
        let cut = both_ways(&capture.bytes[..capture.bytes.len() - 5], "cut");
        assert_eq!(cut.facts.frames, capture.frames.all as u64 - 1);
        assert!(cut.facts.truncated_at.is_some());
        let mut damaged = capture.bytes.clone();
        damaged[MIDDLE..MIDDLE + 3000].fill(0xff);
        both_ways(&damaged, "damaged");
    }
}

/// Puts something into a capture.
type Put = fn(&mut Capture);

#[test]
fn what_only_the_packets_before_can_tell_is_told() {
    let odd: [(&str, Put); 4] = [
        ("a packet without a time", Capture::simple_packet),
        ("another section", Capture::section),
        ("another interface", Capture::interface),
        ("a long pause", |capture| capture.seconds += 500 * 86_400),
    ];
    for (what, put) in odd {
        let mut capture = Capture::new(Form { big_endian: false, nanoseconds: false, blocks: true }).fill(MIDDLE);
        put(&mut capture);
        let capture = capture.fill(LONG);
        let found = both_ways(&capture.bytes, what);
        assert_eq!(found.packets.height(), capture.frames.tcp, "{what}");
    }
    let mut capture = Capture::new(Form { big_endian: false, nanoseconds: false, blocks: false }).fill(MIDDLE);
    capture.seconds += 500 * 86_400;
    let capture = capture.fill(LONG);
    assert_eq!(both_ways(&capture.bytes, "a long pause").packets.height(), capture.frames.tcp);
}
