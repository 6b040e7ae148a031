//! Captures put together byte by byte: files, and the packets in them, from the inside out.

use std::io::Write;

/// Where a packet begins in time: 2025-01-01 00:00:00 UTC, seconds.
pub const BEGIN: u32 = 1_735_689_600;

/// A frame: what was recorded, and how long it was on the wire.
#[derive(Debug, Clone)]
pub struct Frame {
    pub bytes: Vec<u8>,
    pub wire_length: usize,
}

impl From<Vec<u8>> for Frame {
    fn from(bytes: Vec<u8>) -> Self {
        Frame { wire_length: bytes.len(), bytes }
    }
}

/// The first `length` bytes of a frame that was longer.
pub fn cut(mut bytes: Vec<u8>, length: usize) -> Frame {
    let wire_length = bytes.len();
    bytes.truncate(length);
    Frame { bytes, wire_length }
}

/// A TCP packet from port 40001 to port 50002 with ACK; `options` must be a multiple of four bytes.
pub fn tcp(options: &[u8], payload: &[u8]) -> Vec<u8> {
    tcp_with(0x10, options, payload)
}

/// The same with other flags.
pub fn tcp_with(flags: u8, options: &[u8], payload: &[u8]) -> Vec<u8> {
    assert!(options.len().is_multiple_of(4) && options.len() <= 40, "{} bytes of options", options.len());
    let offset = u8::try_from((20 + options.len()) / 4 * 16).unwrap();
    let mut packet = vec![0x9c, 0x41, 0xc3, 0x52, 0, 0, 0x10, 0, 0, 0, 0x20, 0, offset, flags, 0x7f, 0xff, 0, 0, 0, 0];
    packet.extend(options);
    packet.extend(payload);
    packet
}

/// Options filled up with no-operations.
pub fn padded(options: &[u8]) -> Vec<u8> {
    let mut options = options.to_vec();
    options.resize(options.len().next_multiple_of(4), 1);
    options
}

/// An IPv4 packet from 192.0.2.1 to 192.0.2.2.
pub fn ipv4(protocol: u8, content: &[u8]) -> Vec<u8> {
    ipv4_with(&[], 0x4000, protocol, content)
}

/// The same with options, which must be a multiple of four bytes, and with flags and fragment offset.
pub fn ipv4_with(options: &[u8], fragment: u16, protocol: u8, content: &[u8]) -> Vec<u8> {
    let [f0, f1] = fragment.to_be_bytes();
    let [l0, l1] = u16::try_from(20 + options.len() + content.len()).unwrap_or(0).to_be_bytes();
    let first = 0x45 + u8::try_from(options.len() / 4).unwrap();
    let mut packet = vec![first, 0, l0, l1, 0x12, 0x34, f0, f1, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    packet.extend(options);
    packet.extend(content);
    packet
}

/// An IPv6 packet from 2001:db8::1 to 2001:db8::2.
pub fn ipv6(next: u8, content: &[u8]) -> Vec<u8> {
    let [l0, l1] = u16::try_from(content.len()).unwrap_or(0).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, l0, l1, next, 63];
    for last in [1, 2] {
        packet.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(content);
    packet
}

/// An Ethernet frame with that type.
pub fn ethernet(kind: u16, content: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
    frame.extend(kind.to_be_bytes());
    frame.extend(content);
    frame
}

/// TCP over IPv4 over Ethernet.
pub fn plain(options: &[u8], payload: &[u8]) -> Vec<u8> {
    ethernet(0x0800, &ipv4(6, &tcp(options, payload)))
}

/// A UDP datagram.
pub fn udp(source: u16, destination: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len() + 8).unwrap();
    let mut packet: Vec<u8> = [source, destination, length, 0].iter().flat_map(|half| half.to_be_bytes()).collect();
    packet.extend(content);
    packet
}

/// A pcap file.
#[derive(Debug, Clone, Copy)]
pub struct Pcap {
    pub big_endian: bool,
    pub nanoseconds: bool,
    /// Link type, with what stands in its upper bits.
    pub link: u32,
}

impl Pcap {
    fn word(self, number: u32) -> [u8; 4] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    /// The file: packets are one second apart and a third of a second after the full one.
    pub fn file(self, frames: &[Frame]) -> Vec<u8> {
        let magic = if self.nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
        let version = if self.big_endian { 0x0002_0004 } else { 0x0004_0002 };
        let mut file: Vec<u8> =
            [magic, version, 0, 0, 262_144, self.link].into_iter().flat_map(|n| self.word(n)).collect();
        let fraction = if self.nanoseconds { 333_333_333 } else { 333_333 };
        for (at, frame) in (0_u32..).zip(frames) {
            let lengths = [frame.bytes.len(), frame.wire_length].map(|length| u32::try_from(length).unwrap());
            for number in [BEGIN + at, fraction, lengths[0], lengths[1]] {
                file.extend(self.word(number));
            }
            file.extend(&frame.bytes);
        }
        file
    }
}

/// A little-endian pcap file in microseconds with frames of that link type.
pub fn pcap(link: u32, frames: &[Frame]) -> Vec<u8> {
    Pcap { big_endian: false, nanoseconds: false, link }.file(frames)
}

/// A pcapng file, block after block.
#[derive(Debug, Clone, Default)]
pub struct Pcapng {
    big_endian: bool,
    pub bytes: Vec<u8>,
}

impl Pcapng {
    /// A file of one section.
    pub fn new(big_endian: bool) -> Self {
        Pcapng::default().section(big_endian)
    }

    fn half(&self, number: u16) -> [u8; 2] {
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn word(&self, number: usize) -> [u8; 4] {
        let number = u32::try_from(number).unwrap();
        if self.big_endian { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn wide(&self, number: u64) -> [u8; 8] {
        // Timestamps stand with their upper half first, whatever the order of bytes.
        let (high, low) = ((number >> 32) as usize, (number & 0xffff_ffff) as usize);
        [self.word(high), self.word(low)].concat().try_into().unwrap()
    }

    /// A block of any kind.
    pub fn block(mut self, kind: u32, body: &[u8]) -> Self {
        let padded = body.len().next_multiple_of(4);
        let length = self.word(padded + 12);
        let kind = self.word(kind as usize);
        self.bytes.extend([kind, length].concat());
        self.bytes.extend(body);
        self.bytes.resize(self.bytes.len() + padded - body.len(), 0);
        self.bytes.extend(length);
        self
    }

    /// A new section in that order of bytes.
    pub fn section(mut self, big_endian: bool) -> Self {
        self.big_endian = big_endian;
        let mut body = self.word(0x1a2b_3c4d).to_vec();
        body.extend([self.half(1), self.half(0)].concat());
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    /// Options with these codes, without the end of options.
    pub fn options(&self, options: &[(u16, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (code, value) in options {
            bytes.extend([self.half(*code), self.half(u16::try_from(value.len()).unwrap())].concat());
            bytes.extend(*value);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
        }
        bytes
    }

    /// An interface, its options ended as they should be.
    pub fn interface(self, link: u16, snap_length: usize, options: &[(u16, &[u8])]) -> Self {
        let mut all = self.options(options);
        if !all.is_empty() {
            all.extend([0; 4]);
        }
        self.bare_interface(link, snap_length, &all)
    }

    /// An interface with these bytes for options.
    pub fn bare_interface(self, link: u16, snap_length: usize, options: &[u8]) -> Self {
        let mut body = [self.half(link), self.half(0)].concat();
        body.extend(self.word(snap_length));
        body.extend(options);
        self.block(1, &body)
    }

    /// An enhanced packet.
    pub fn enhanced(self, interface: usize, time: u64, frame: impl Into<Frame>) -> Self {
        self.enhanced_with(interface, time, frame, &[])
    }

    /// The same with these bytes for options.
    pub fn enhanced_with(self, interface: usize, time: u64, frame: impl Into<Frame>, options: &[u8]) -> Self {
        let mut body = self.word(interface).to_vec();
        self.packet(&mut body, time, &frame.into());
        body.extend(options);
        self.block(6, &body)
    }

    /// A packet block of the first drafts, with a count of drops.
    pub fn obsolete(self, interface: u16, time: u64, frame: impl Into<Frame>) -> Self {
        let mut body = [self.half(interface), self.half(7)].concat();
        self.packet(&mut body, time, &frame.into());
        self.block(2, &body)
    }

    fn packet(&self, body: &mut Vec<u8>, time: u64, frame: &Frame) {
        body.extend(self.wide(time));
        body.extend([self.word(frame.bytes.len()), self.word(frame.wire_length)].concat());
        body.extend(&frame.bytes);
        body.resize(body.len().next_multiple_of(4), 0);
    }

    /// A simple packet: no interface, no time, and no length of what was recorded.
    pub fn simple(self, frame: impl Into<Frame>) -> Self {
        let frame = frame.into();
        let mut body = self.word(frame.wire_length).to_vec();
        body.extend(&frame.bytes);
        self.block(3, &body)
    }
}

/// gzip.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// Zstandard.
pub fn zstd(content: &[u8]) -> Vec<u8> {
    zstd::encode_all(content, 1).unwrap()
}

/// One LZ4 frame.
pub fn lz4(content: &[u8]) -> Vec<u8> {
    let mut encoder = lz4::EncoderBuilder::new().build(Vec::new()).unwrap();
    encoder.write_all(content).unwrap();
    let (compressed, ended) = encoder.finish();
    ended.unwrap();
    compressed
}
