//! Captures that mean harm, one shape each, of about as many packets as are asked for.

use mptcpanalyzer::tracking::token::derive;

const SYN: u8 = 2;
const ACK: u8 = 16;
const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
const KEYS: [u64; 2] = [0x1111_1111_1111_1111, 0x2222_2222_2222_2222];
/// The most that an IPv4 header can claim.
const MOST: usize = 60_000;

/// A shape: its name, what it is, and how a capture of it is filled.
pub struct Shape {
    /// In the table.
    pub name: &'static str,
    /// Puts about so many packets into a capture.
    pub fill: fn(&mut Capture, usize),
}

/// All of them.
pub const SHAPES: &[Shape] = &[
    Shape { name: "mappings that overlap", fill: |capture, n| overlapping(capture, n, false) },
    Shape { name: "mappings that reach back", fill: |capture, n| overlapping(capture, n, true) },
    Shape { name: "alternating holes, filled again", fill: holes },
    Shape { name: "each re-sends all before", fill: amplify },
    Shape { name: "subflows that reinject all", fill: reinject },
    Shape { name: "thousands of subflows", fill: subflows },
    Shape { name: "tokens by the thousand", fill: tokens },
    Shape { name: "ACKs that go back", fill: acknowledgements },
    Shape { name: "interface name of 64 KiB", fill: long_name },
];

/// A pcapng capture of raw IP packets, a microsecond apart.
pub struct Capture {
    bytes: Vec<u8>,
    time: u64,
}

impl Capture {
    /// An empty one; its interface has this name.
    pub fn new(name: &str) -> Self {
        let mut capture = Capture { bytes: Vec::new(), time: 1_600_000_000_000_000 };
        capture.block(0x0a0d_0d0a, &[&0x1a2b_3c4d_u32.to_le_bytes()[..], &[1, 0, 0, 0], &[0xff; 8]].concat());
        let mut body = vec![101, 0, 0, 0, 0, 0, 0, 0, 2, 0];
        body.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
        body.extend(name.as_bytes());
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend([0; 4]);
        capture.block(1, &body);
        capture
    }

    /// What it is as a file.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn block(&mut self, kind: u32, body: &[u8]) {
        let length = u32::try_from(body.len().next_multiple_of(4) + 12).expect("blocks are short").to_le_bytes();
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(length);
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
        self.bytes.extend(length);
    }

    /// Adds a packet that claims `claim` bytes of payload, of which none was recorded.
    fn packet(&mut self, packet: &Packet<'_>, claim: usize) {
        let mut options = packet.options.to_vec();
        options.resize(options.len().next_multiple_of(4), 1);
        let header = 20 + options.len();
        let total = u16::try_from((20 + header + claim).min(65_535)).expect("it is at most that");
        let mut frame = vec![0x45, 0];
        frame.extend(total.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0]);
        frame.extend(packet.from.0);
        frame.extend(packet.to.0);
        frame.extend(packet.from.1.to_be_bytes());
        frame.extend(packet.to.1.to_be_bytes());
        frame.extend(packet.sequence.to_be_bytes());
        frame.extend(packet.acknowledgement.to_be_bytes());
        frame.extend([u8::try_from(header / 4).expect("options are short") << 4, packet.flags, 0xff, 0xff, 0, 0, 0, 0]);
        frame.extend(options);
        self.time += 1;
        let mut body = vec![0; 4];
        body.extend(u32::try_from(self.time >> 32).expect("times fit").to_le_bytes());
        body.extend((self.time as u32).to_le_bytes());
        body.extend(u32::try_from(frame.len()).expect("frames are short").to_le_bytes());
        body.extend(u32::from(total).to_le_bytes());
        body.extend(frame);
        self.block(6, &body);
    }

    /// A packet of data from the client over the first subflow: `length` bytes at `ssn`, mapped to `dsn`.
    fn data(&mut self, ssn: usize, dsn: usize, length: usize, claim: usize) {
        let packet = Packet {
            sequence: 1000_u32.wrapping_add(ssn as u32),
            options: &dss(dsn as u64, ssn as u32, length as u16),
            ..Packet::from_client()
        };
        self.packet(&packet, claim);
    }

    fn handshake(&mut self) {
        let opened =
            Packet { flags: SYN, acknowledgement: 0, sequence: 1000, options: &capable(&[]), ..Packet::from_client() };
        self.packet(&opened, 0);
        let answered = Packet {
            from: (SERVER, 80),
            to: (CLIENT, 40_000),
            sequence: 5000,
            acknowledgement: 1001,
            flags: SYN | ACK,
            options: &capable(&KEYS[1..]),
        };
        self.packet(&answered, 0);
        self.packet(&Packet { options: &capable(&KEYS), ..Packet::from_client() }, 0);
    }

    /// A subflow whose handshake is not authenticated, and data on it: a join all the same.
    fn subflow(&mut self, number: usize, dsn: u64, length: u16, claim: usize) {
        let from = ([10, 1, (number >> 8) as u8, number as u8], 1024 + (number % 60_000) as u16);
        let join = |body: &[u8]| [&[30, body.len() as u8 + 2], body].concat();
        let token = derive(1, KEYS[1]).expect("version 1 has tokens").token.to_be_bytes();
        let syn = join(&[&[0x10, 1], &token[..], &[0, 0, 0, 1]].concat());
        let packet = Packet { from, ..Packet::from_client() };
        self.packet(&Packet { flags: SYN, acknowledgement: 0, sequence: 1000, options: &syn, ..packet }, 0);
        let answer = join(&[&[0x10, 1], &[7; 8][..], &[0, 0, 0, 2]].concat());
        let back = Packet {
            from: (SERVER, 80),
            to: from,
            sequence: 5000,
            acknowledgement: 1001,
            flags: SYN | ACK,
            options: &answer,
        };
        self.packet(&back, 0);
        self.packet(&Packet { options: &join(&[&[0x10, 0], &[7; 20][..]].concat()), ..packet }, 0);
        self.packet(&Packet { options: &dss(dsn, 1, length), ..packet }, claim);
    }
}

#[derive(Clone, Copy)]
struct Packet<'a> {
    from: ([u8; 4], u16),
    to: ([u8; 4], u16),
    sequence: u32,
    acknowledgement: u32,
    flags: u8,
    options: &'a [u8],
}

impl Packet<'_> {
    fn from_client() -> Self {
        let (from, to) = ((CLIENT, 40_000), (SERVER, 80));
        Packet { from, to, sequence: 1001, acknowledgement: 5001, flags: ACK, options: &[] }
    }
}

fn capable(keys: &[u64]) -> Vec<u8> {
    let keys: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
    [&[30, 4 + keys.len() as u8, 1, 1], keys.as_slice()].concat()
}

/// A mapping, `dsn` counted from the first byte of data; the DATA_ACK says that nothing came.
fn dss(dsn: u64, ssn: u32, length: u16) -> Vec<u8> {
    let idsn = |key| derive(1, key).expect("version 1 has one").idsn;
    let mut option = vec![30, 26, 0x20, 1 | 2 | 4 | 8];
    option.extend(idsn(KEYS[1]).wrapping_add(1).to_be_bytes());
    option.extend(idsn(KEYS[0]).wrapping_add(dsn).to_be_bytes());
    option.extend(ssn.to_be_bytes());
    option.extend(length.to_be_bytes());
    option
}

fn overlapping(capture: &mut Capture, n: usize, backwards: bool) {
    capture.handshake();
    for number in 0..n {
        let at = 1 + if backwards { n - number } else { number };
        capture.data(at, at, 65_535, MOST);
    }
}

fn holes(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 2).for_each(|number| capture.data(1 + 2 * number, 1 + 2 * number, 1, 1));
    let all = n.min(MOST);
    (0..n / 2).for_each(|_| capture.packet(&Packet { sequence: 1001, ..Packet::from_client() }, all));
}

fn amplify(capture: &mut Capture, n: usize) {
    capture.handshake();
    let half = n / 2;
    (0..half).for_each(|number| capture.data(1 + number, 1 + number, 1, 1));
    let all = half.min(MOST);
    (0..half).for_each(|number| capture.data(1 + half + number * all, 1, all, all));
}

fn reinject(capture: &mut Capture, n: usize) {
    capture.handshake();
    let half = n / 2;
    (0..half).for_each(|number| capture.data(1 + number, 1 + number, 1, 1));
    let all = half.min(MOST);
    (0..half / 4).for_each(|number| capture.subflow(number, 1, all as u16, all));
}

fn subflows(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 4).for_each(|number| capture.subflow(number, 1 + number as u64 * 10, 10, 10));
}

fn tokens(capture: &mut Capture, n: usize) {
    for number in 0..n as u32 {
        let [_, a, b, c] = number.to_be_bytes();
        let option = [&[30, 12, 0x10, 1], &number.to_be_bytes()[..], &[0, 0, 0, 1]].concat();
        let from = ([10, a, b, c], 1024 + (number % 60_000) as u16);
        let packet =
            Packet { from, sequence: 1000, acknowledgement: 0, flags: SYN, options: &option, ..Packet::from_client() };
        capture.packet(&packet, 0);
    }
}

fn acknowledgements(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 2).for_each(|number| capture.data(1 + number * 1000, 1 + number * 1000, 1000, 1000));
    for number in (0..n / 2).rev() {
        let from = Packet { from: (SERVER, 80), to: (CLIENT, 40_000), sequence: 5001, ..Packet::from_client() };
        capture.packet(&Packet { acknowledgement: 1001_u32.wrapping_add(number as u32 * 1000), ..from }, 0);
    }
}

fn long_name(capture: &mut Capture, n: usize) {
    *capture = Capture::new(&"n".repeat(65_000));
    capture.handshake();
    (0..n).for_each(|number| capture.data(1 + number * 1000, 1 + number * 1000, 1000, 1000));
}
