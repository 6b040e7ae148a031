//! MPTCP version 1 connections made by hand, packet by packet, and recorded anywhere between their ends.

use mptcpanalyzer::packets::LoadedCapture;
use std::path::PathBuf;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::support::scenarios;

pub const SYN: u8 = 0x02;
pub const SYN_ACK: u8 = 0x12;
pub const ACK: u8 = 0x10;
pub const RST: u8 = 0x04;
pub const RST_ACK: u8 = 0x14;

/// Keys of the client and the server.
pub const KEYS: [u64; 2] = [0x1111_2222_3333_4444, 0x5555_6666_7777_8888];
/// Random numbers of a join's client and server.
pub const NONCES: [u32; 2] = [0x0a0b_0c0d, 0x1a1b_1c1d];

/// Token and IDSN of a key (RFC 8684 §3.1).
pub fn token_and_idsn(key: u64) -> (u32, u64) {
    let digest = Sha256::digest(key.to_be_bytes());
    (u32::from_be_bytes(digest[..4].try_into().unwrap()), u64::from_be_bytes(digest[24..].try_into().unwrap()))
}

/// The HMAC of a join: the sender's key and random number come first (RFC 8684 §3.2).
pub fn hmac(keys: [u64; 2], nonces: [u32; 2]) -> Vec<u8> {
    authenticated(keys, &nonces.iter().flat_map(|nonce| nonce.to_be_bytes()).collect::<Vec<u8>>())
}

fn authenticated(keys: [u64; 2], message: &[u8]) -> Vec<u8> {
    let key: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
    Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(message).finalize().into_bytes().to_vec()
}

/// A TCP stream: the last bytes of both addresses 10.0.0.x, the server's port, and how long a packet travels, seconds.
#[derive(Debug, Clone, Copy)]
pub struct Path {
    pub client: u8,
    pub server: u8,
    pub port: u16,
    pub delay: f64,
}

/// The client's port of every stream.
const CLIENT_PORT: u16 = 40_000;
/// Initial sequence numbers of client and server.
const ISN: [u32; 2] = [1000, 5000];

/// Packets as they are captured.
pub struct Wire {
    /// Where it is recorded: 0 at the client, 1 at the server.
    pub place: f64,
    /// Time to live of the packets from now on.
    pub ttl: u8,
    packets: Vec<(f64, Vec<u8>)>,
}

/// One packet: numbers are relative, those of SYNs 0.
#[derive(Debug, Clone, Default)]
pub struct Packet<'a> {
    pub flags: u8,
    pub seq: u32,
    pub ack: u32,
    pub options: &'a [u8],
    pub payload: usize,
    /// The window field; 65,535 when left out.
    pub window: Option<u16>,
}

impl Wire {
    pub fn at(place: f64) -> Self {
        Wire { place, ttl: 64, packets: Vec::new() }
    }

    /// The client of `path` sends a packet at `time`; returns when it arrives.
    pub fn up(&mut self, time: f64, path: &Path, packet: &Packet<'_>) -> f64 {
        self.push(time + self.place * path.delay, path, true, packet);
        time + path.delay
    }

    /// The server does.
    pub fn down(&mut self, time: f64, path: &Path, packet: &Packet<'_>) -> f64 {
        self.push(time + (1.0 - self.place) * path.delay, path, false, packet);
        time + path.delay
    }

    fn push(&mut self, time: f64, path: &Path, up: bool, packet: &Packet<'_>) {
        let mut options = packet.options.to_vec();
        options.resize(options.len().next_multiple_of(4), 1);
        let ends = [(path.client, CLIENT_PORT, ISN[0]), (path.server, path.port, ISN[1])];
        let [from, to] = if up { ends } else { [ends[1], ends[0]] };
        let mut tcp: Vec<u8> = [from.1, to.1].iter().flat_map(|port| port.to_be_bytes()).collect();
        tcp.extend(from.2.wrapping_add(packet.seq).to_be_bytes());
        tcp.extend(if packet.flags & ACK == 0 { 0 } else { to.2.wrapping_add(packet.ack) }.to_be_bytes());
        tcp.extend([u8::try_from((20 + options.len()) / 4 * 16).unwrap(), packet.flags]);
        tcp.extend(packet.window.unwrap_or(0xffff).to_be_bytes());
        tcp.extend([0, 0, 0, 0]);
        tcp.extend(&options);
        tcp.resize(tcp.len() + packet.payload, 0x55);
        let length = u16::try_from(tcp.len() + 20).unwrap().to_be_bytes();
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0];
        frame.extend([
            0x45, 0, length[0], length[1], 0, 0, 0x40, 0, self.ttl, 6, 0, 0, 10, 0, 0, from.0, 10, 0, 0, to.0,
        ]);
        frame.extend(tcp);
        self.packets.push((time, frame));
    }

    /// The pcap file of what was sent, in the order of time.
    pub fn file(mut self) -> Vec<u8> {
        self.packets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut file = vec![0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 1];
        for (time, frame) in self.packets {
            let microseconds = (time * 1e6).round() as u64 + 1_000_000;
            let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
            for word in [microseconds / 1_000_000, microseconds % 1_000_000] {
                file.extend(u32::try_from(word).unwrap().to_be_bytes());
            }
            file.extend([length, length].concat());
            file.extend(frame);
        }
        file
    }

    /// The capture, dissected and tracked.
    pub fn capture(self) -> std::sync::Arc<LoadedCapture> {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("made.pcap");
        std::fs::write(&path, self.file()).unwrap();
        scenarios::load(&path).unwrap()
    }

    /// The handshake of the connection on `path`, begun by the client at 0, and 100 bytes from the client with the
    /// server's DATA_ACK. `flag_c`: the server's MP_CAPABLE says not to join its address. Returns when it is over.
    pub fn connect(&mut self, path: &Path, flag_c: bool) -> f64 {
        let keys = KEYS.map(u64::to_be_bytes);
        let flags = if flag_c { 0x21 } else { 0x01 };
        let syn = self.up(0.0, path, &Packet { flags: SYN, options: &[30, 4, 1, 1], ..Packet::default() });
        let option = [&[30, 12, 1, flags][..], &keys[1]].concat();
        let answer = self.down(syn, path, &Packet { flags: SYN_ACK, ack: 1, options: &option, ..Packet::default() });
        let option = [&[30, 20, 1, 1][..], &keys[0], &keys[1]].concat();
        self.up(answer, path, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, ..Packet::default() });
        let option = [&[30, 22, 1, 1][..], &keys[0], &keys[1], &[0, 100]].concat();
        let data = Packet { flags: ACK, seq: 1, ack: 1, options: &option, payload: 100, window: None };
        let arrived = self.up(answer + 0.001, path, &data);
        let dss = data_ack(token_and_idsn(KEYS[0]).1.wrapping_add(101));
        self.down(arrived, path, &Packet { flags: ACK, seq: 1, ack: 101, options: &dss, ..Packet::default() })
    }

    /// A DATA_FIN on `path`, which carried what [`Wire::connect`] sends; returns when it arrives.
    pub fn data_fin(&mut self, time: f64, path: &Path, from_client: bool) -> f64 {
        let [client, server] = KEYS.map(|key| token_and_idsn(key).1);
        let (dsn, acknowledged) = if from_client {
            (client.wrapping_add(101), server.wrapping_add(1))
        } else {
            (server.wrapping_add(1), client.wrapping_add(101))
        };
        let mut dss = vec![30, 26, 0x20, 0x1f];
        dss.extend(acknowledged.to_be_bytes());
        dss.extend(dsn.to_be_bytes());
        dss.extend([0, 0, 0, 0, 0, 1]);
        if from_client {
            self.up(time, path, &Packet { flags: ACK, seq: 101, ack: 1, options: &dss, ..Packet::default() })
        } else {
            self.down(time, path, &Packet { flags: ACK, seq: 1, ack: 101, options: &dss, ..Packet::default() })
        }
    }

    /// The server's 64-bit mapping of `length` bytes from relative data and subflow number `from` on.
    pub fn data(&mut self, time: f64, path: &Path, from: u32, length: u16) -> f64 {
        let [client, server] = KEYS.map(|key| token_and_idsn(key).1);
        let mut dss = vec![30, 26, 0x20, 0x0f];
        dss.extend(client.wrapping_add(101).to_be_bytes());
        dss.extend(server.wrapping_add(from.into()).to_be_bytes());
        dss.extend(from.to_be_bytes());
        dss.extend(length.to_be_bytes());
        let packet = Packet { flags: ACK, seq: from, ack: 101, options: &dss, payload: length.into(), window: None };
        self.down(time, path, &packet)
    }
}

/// The server's ADD_ADDR of 10.0.0.`last` (RFC 8684 §3.4.1: the HMAC is the rightmost 64 bits).
pub fn add_addr(id: u8, last: u8) -> Vec<u8> {
    let address = [10, 0, 0, last];
    let message = [&[id][..], &address, &[0, 0]].concat();
    [&[30, 16, 0x30, id][..], &address, &authenticated([KEYS[1], KEYS[0]], &message)[24..]].concat()
}

/// A DSS with a 64-bit DATA_ACK.
pub fn data_ack(number: u64) -> Vec<u8> {
    [&[30, 12, 0x20, 0x03][..], &number.to_be_bytes()].concat()
}

/// MP_JOIN in a SYN.
pub fn join_syn(token: u32) -> Vec<u8> {
    [&[30, 12, 0x10, 2][..], &token.to_be_bytes(), &NONCES[0].to_be_bytes()].concat()
}

/// MP_JOIN in a SYN/ACK; `altered` makes its HMAC another one.
pub fn join_syn_ack(altered: bool) -> Vec<u8> {
    let mut hmac = hmac([KEYS[1], KEYS[0]], [NONCES[1], NONCES[0]]);
    hmac[0] ^= u8::from(altered);
    [&[30, 16, 0x10, 0][..], &hmac[..8], &NONCES[1].to_be_bytes()].concat()
}

/// MP_JOIN in an ACK.
pub fn join_ack(altered: bool) -> Vec<u8> {
    let mut hmac = hmac(KEYS, NONCES);
    hmac[0] ^= u8::from(altered);
    [&[30, 24, 0x10, 0][..], &hmac[..20]].concat()
}

/// MP_TCPRST with this reason.
pub fn reset(reason: Option<u8>) -> Vec<u8> {
    reason.map_or_else(Vec::new, |reason| vec![30, 4, 0x80, reason])
}
