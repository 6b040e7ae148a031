//! A capture while a shape fills it: packets of an MPTCP connection, or of many, as raw IP.

use mptcp_trace::tracking::derive;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;
/// An address and a port.
pub type End = ([u8; 4], u16);
pub const CLIENT: End = ([10, 0, 0, 1], 40_000);
pub const SERVER: End = ([10, 0, 0, 2], 80);
pub const KEYS: [u64; 2] = [0x1111_1111_1111_1111, 0x2222_2222_2222_2222];
/// The most that an IPv4 header can claim.
pub const MOST: usize = 60_000;

/// A pcapng capture of raw IP packets, a microsecond apart.
pub struct Capture {
    bytes: Vec<u8>,
    /// When the last packet was recorded, microseconds since 1970.
    pub time: u64,
}

/// A packet; none of its payload was recorded.
#[derive(Clone, Copy)]
pub struct Packet<'a> {
    pub from: End,
    pub to: End,
    pub sequence: usize,
    pub acknowledgement: usize,
    pub flags: u8,
    pub window: u16,
    pub ttl: u8,
    pub options: &'a [u8],
    /// Bytes of payload that it claims.
    pub claim: usize,
}

impl Packet<'_> {
    /// An ACK of the client, before any data.
    pub fn up() -> Self {
        let (from, to) = (CLIENT, SERVER);
        let (flags, window, ttl) = (ACK, u16::MAX, 64);
        Packet { from, to, sequence: 1001, acknowledgement: 5001, flags, window, ttl, options: &[], claim: 0 }
    }

    /// One of the server.
    pub fn down() -> Self {
        Packet { from: SERVER, to: CLIENT, sequence: 5001, acknowledgement: 1001, ..Packet::up() }
    }
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

    /// Adds a packet.
    pub fn add(&mut self, packet: Packet<'_>) {
        let mut options = packet.options.to_vec();
        options.resize(options.len().next_multiple_of(4), 1);
        let header = 20 + options.len();
        let total = u16::try_from((20 + header + packet.claim).min(65_535)).expect("it is at most that");
        let mut frame = vec![0x45, 0];
        frame.extend(total.to_be_bytes());
        frame.extend([0, 0, 0x40, 0, packet.ttl, 6, 0, 0]);
        frame.extend(packet.from.0);
        frame.extend(packet.to.0);
        frame.extend(packet.from.1.to_be_bytes());
        frame.extend(packet.to.1.to_be_bytes());
        frame.extend((packet.sequence as u32).to_be_bytes());
        frame.extend((packet.acknowledgement as u32).to_be_bytes());
        frame.extend([u8::try_from(header / 4).expect("options are short") << 4, packet.flags]);
        frame.extend(packet.window.to_be_bytes());
        frame.extend([0, 0, 0, 0]);
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

    /// Data from the client over the first subflow: `length` bytes at `ssn`, mapped to `dsn`, of which the packet carries
    /// `claim`.
    pub fn data(&mut self, ssn: usize, dsn: usize, length: usize, claim: usize) {
        self.add(Packet { sequence: 1000 + ssn, options: &dss(dsn, ssn, length), claim, ..Packet::up() });
    }

    /// An acknowledgement of so many bytes of the client's data, by TCP and by MPTCP.
    pub fn acknowledge(&mut self, bytes: usize) {
        self.add(Packet { acknowledgement: 1001 + bytes, options: &data_ack(bytes + 1), ..Packet::down() });
    }

    /// Bytes of data, one packet each.
    pub fn single_bytes(&mut self, count: usize) {
        (1..=count).for_each(|at| self.data(at, at, 1, 1));
    }

    /// The handshake of the connection.
    pub fn handshake(&mut self) {
        self.opens(CLIENT, KEYS);
    }

    /// The handshake of a connection from this end, with these keys.
    pub fn opens(&mut self, from: End, keys: [u64; 2]) {
        self.add(Packet {
            from,
            flags: SYN,
            acknowledgement: 0,
            sequence: 1000,
            options: &capable(&[]),
            ..Packet::up()
        });
        let options = &capable(&keys[1..]);
        self.add(Packet { to: from, flags: SYN | ACK, sequence: 5000, options, ..Packet::down() });
        self.add(Packet { from, options: &capable(&keys), ..Packet::up() });
    }

    /// The handshake of a subflow, which is not authenticated: a join all the same.
    pub fn joins(&mut self, from: End, backup: bool) {
        let backup = u8::from(backup);
        self.add(Packet { options: &join_syn(token(KEYS[1]), backup), ..syn(from) });
        let answer = option(&[&[0x10 | backup, 1][..], &[7; 8], &[0, 0, 0, 2]].concat());
        self.add(Packet { to: from, flags: SYN | ACK, sequence: 5000, options: &answer, ..Packet::down() });
        self.add(Packet { from, options: &option(&[&[0x10, 0][..], &[7; 20]].concat()), ..Packet::up() });
    }
}

/// A SYN from this end.
pub fn syn(from: End) -> Packet<'static> {
    Packet { from, flags: SYN, acknowledgement: 0, sequence: 1000, ..Packet::up() }
}

/// An end of its own for each number.
pub fn end(number: usize) -> End {
    ([10, (number >> 16) as u8 + 1, (number >> 8) as u8, number as u8], 1024 + (number % 60_000) as u16)
}

/// An MPTCP option: kind and length before its content.
pub fn option(content: &[u8]) -> Vec<u8> {
    [&[30, content.len() as u8 + 2], content].concat()
}

/// MP_CAPABLE of version 1.
pub fn capable(keys: &[u64]) -> Vec<u8> {
    option(&[&[1, 1][..], &keys.iter().flat_map(|key| key.to_be_bytes()).collect::<Vec<u8>>()].concat())
}

/// MP_CAPABLE of version 0 in a SYN, which has the key.
pub fn capable_0(key: u64) -> Vec<u8> {
    option(&[&[0, 1][..], &key.to_be_bytes()].concat())
}

/// MP_JOIN in a SYN.
pub fn join_syn(token: u32, backup: u8) -> Vec<u8> {
    option(&[&[0x10 | backup, 1][..], &token.to_be_bytes(), &[0, 0, 0, 1]].concat())
}

/// The token of a key.
pub fn token(key: u64) -> u32 {
    derive(1, key).expect("version 1 has one").token
}

/// The initial data sequence number of a key.
pub fn idsn(key: u64) -> u64 {
    derive(1, key).expect("version 1 has one").idsn
}

/// A mapping, `dsn` counted from the first byte of data; the DATA_ACK says that nothing came.
pub fn dss(dsn: usize, ssn: usize, length: usize) -> Vec<u8> {
    mapping(idsn(KEYS[0]).wrapping_add(dsn as u64), ssn, length, 0)
}

/// A mapping with a raw number and further flags.
pub fn mapping(dsn: u64, ssn: usize, length: usize, flags: u8) -> Vec<u8> {
    let first = idsn(KEYS[1]).wrapping_add(1).to_be_bytes();
    let place = [&dsn.to_be_bytes()[..], &(ssn as u32).to_be_bytes(), &(length as u16).to_be_bytes()].concat();
    option(&[&[0x20, 15 | flags][..], &first, &place].concat())
}

/// A DATA_ACK of the client's data.
pub fn data_ack(dsn: usize) -> Vec<u8> {
    option(&[&[0x20, 3][..], &idsn(KEYS[0]).wrapping_add(dsn as u64).to_be_bytes()].concat())
}

/// TCP's timestamps.
pub fn timestamps(value: usize, echo: usize) -> Vec<u8> {
    [&[1, 1, 8, 10][..], &(value as u32).to_be_bytes(), &(echo as u32).to_be_bytes()].concat()
}
