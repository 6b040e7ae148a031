//! Exchanges between hosts made by hand, packet by packet, as a capture: what is said of them, and that a capture which
//! grows is told the same.

use std::collections::BTreeSet;

use hmac::{Hmac, KeyInit, Mac};

use mptcp_trace::analysis::events::{Event, EventKind, events};
use mptcp_trace::analysis::live::{Live, News};
use mptcp_trace::packets::native;
use mptcp_trace::tracking::{Capture, Role};
use mptcp_trace::{ConnectionId, Span};
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, Severity, diagnose_capture, diagnose_connection};
use sha1::Sha1;
use sha2::{Digest, Sha256};

pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// An address and port: the last number of 192.0.2.0/24 or 2001:db8::/64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At(pub u8, pub u16);

/// A packet to be.
#[derive(Debug, Clone)]
pub struct Packet {
    pub from: At,
    pub to: At,
    pub flags: u8,
    pub sequence: u32,
    pub acknowledgement: u32,
    pub options: Vec<u8>,
    pub payload: usize,
    /// Time to live, or hop limit.
    pub ttl: u8,
}

impl Packet {
    pub fn new(from: At, to: At, flags: u8, sequence: u32, acknowledgement: u32) -> Self {
        Packet { from, to, flags, sequence, acknowledgement, options: Vec::new(), payload: 0, ttl: 64 }
    }

    pub fn with(mut self, options: &[u8]) -> Self {
        self.options.extend(options);
        self
    }

    pub fn carrying(mut self, payload: usize) -> Self {
        self.payload = payload;
        self
    }

    pub fn ttl(mut self, ttl: u8) -> Self {
        self.ttl = ttl;
        self
    }
}

/// Packets of a capture, each with its time in milliseconds.
#[derive(Debug, Clone)]
pub struct Exchange {
    v6: bool,
    frames: Vec<(u64, Vec<u8>)>,
}

impl Exchange {
    /// Over IPv4, or over IPv6.
    pub fn new(v6: bool) -> Self {
        Exchange { v6, frames: Vec::new() }
    }

    /// Adds a packet; options are filled up with no-operations.
    pub fn add(&mut self, milliseconds: u64, packet: &Packet) -> &mut Self {
        let mut options = packet.options.clone();
        options.resize(options.len().next_multiple_of(4), 1);
        assert!(options.len() <= 40, "{} bytes of options", options.len());
        let offset = u8::try_from((20 + options.len()) / 4 * 16).unwrap();
        let mut tcp = [packet.from.1.to_be_bytes(), packet.to.1.to_be_bytes()].concat();
        tcp.extend(packet.sequence.to_be_bytes());
        tcp.extend(packet.acknowledgement.to_be_bytes());
        tcp.extend([offset, packet.flags, 0x7f, 0xff, 0, 0, 0, 0]);
        tcp.extend(options);
        tcp.resize(tcp.len() + packet.payload, 0x55);
        let mut frame = vec![2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
        if self.v6 {
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
            frame.extend(u16::try_from(tcp.len()).unwrap().to_be_bytes());
            frame.extend([6, packet.ttl]);
            for last in [packet.from.0, packet.to.0] {
                frame.extend([0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
            }
        } else {
            frame.extend([8, 0, 0x45, 0]);
            frame.extend(u16::try_from(tcp.len() + 20).unwrap().to_be_bytes());
            let id = u16::try_from(self.frames.len()).unwrap().to_be_bytes();
            frame.extend([id[0], id[1], 0x40, 0, packet.ttl, 6, 0, 0]);
            frame.extend([192, 0, 2, packet.from.0, 192, 0, 2, packet.to.0]);
        }
        frame.extend(tcp);
        self.frames.push((milliseconds, frame));
        self
    }

    /// The last packet again, as a capture on two interfaces has it.
    pub fn copy_last(&mut self) -> &mut Self {
        let last = self.frames.last().cloned().unwrap();
        self.frames.push(last);
        self
    }

    /// The capture as a file of Ethernet frames.
    pub fn file(&self) -> Vec<u8> {
        let word = |number: u64| u32::try_from(number).unwrap().to_le_bytes();
        let mut file: Vec<u8> =
            [0xa1b2_c3d4, 0x0004_0002, 0, 0, 262_144, 1].into_iter().flat_map(u32::to_le_bytes).collect();
        for (milliseconds, frame) in &self.frames {
            let length = word(frame.len() as u64);
            file.extend([word(1_735_689_600 + milliseconds / 1000), word(milliseconds % 1000 * 1000)].concat());
            file.extend([length, length].concat());
            file.extend(frame);
        }
        file
    }

    /// The capture, loaded.
    pub fn capture(&self) -> Capture {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made.pcap");
        std::fs::write(&path, self.file()).unwrap();
        let dissection = native::dissect(&path, native::DissectOptions::default()).expect("the capture is dissected");
        Capture::new(path, dissection).expect("the capture is tracked")
    }

    /// What `diagnose` and `events` say.
    pub fn said(&self) -> Said {
        Said::of(&self.capture())
    }
}

/// What is said of a capture.
pub struct Said {
    pub findings: Vec<Finding>,
    /// With the connection of each.
    pub events: Vec<(ConnectionId, Event)>,
}

impl Said {
    /// What `diagnose` and `events` say, after a comparison with what is told of it while it grows.
    pub fn of(capture: &Capture) -> Said {
        let mut findings = diagnose_capture(capture);
        let mut told = Vec::new();
        for connection in &capture.tracking.connections {
            findings.extend(diagnose_connection(capture, connection, None));
            told.extend(events(capture, connection, None).into_iter().map(|event| (connection.id, event)));
        }
        let name = |(connection, event): &(ConnectionId, Event)| {
            // The particulars of a standstill depend on what comes after it.
            let detail = if event.event == EventKind::SubflowStale { "" } else { &event.detail };
            (*connection, event.packetid, event.tcpstream, format!("{:?} {detail}", event.event))
        };
        // Times to live are those of frames, which are not kept of a capture that grows.
        let seen = |(_, event): &&(ConnectionId, Event)| event.event != EventKind::ResetTtlDiffers;
        let whole: BTreeSet<_> = told.iter().filter(seen).map(name).collect();
        let live: BTreeSet<_> = watched(capture).iter().map(name).collect();
        let missing: Vec<_> = whole.difference(&live).collect();
        let more: Vec<_> = live.difference(&whole).collect();
        assert!(whole == live, "live lacks {missing:?}, and has {more:?}");
        Said { findings, events: told }
    }

    /// The kinds of its findings, each once.
    pub fn kinds(&self) -> Vec<FindingKind> {
        let kinds: BTreeSet<FindingKind> = self.findings.iter().map(|finding| finding.finding).collect();
        kinds.into_iter().collect()
    }

    /// The kinds of its problems, each once.
    pub fn problems(&self) -> Vec<FindingKind> {
        let problems = self.findings.iter().filter(|finding| finding.severity == Severity::Problem);
        let kinds: BTreeSet<FindingKind> = problems.map(|finding| finding.finding).collect();
        kinds.into_iter().collect()
    }

    /// The only finding of a kind.
    pub fn only(&self, kind: FindingKind) -> &Finding {
        let mut found = self.findings.iter().filter(|finding| finding.finding == kind);
        let first = found.next().unwrap_or_else(|| panic!("no {kind:?} among {:#?}", self.findings));
        assert!(found.next().is_none(), "several {kind:?}: {:#?}", self.findings);
        first
    }

    /// Packets and particulars of the events of a kind, by the name that JSON has for it.
    pub fn told(&self, kind: &str) -> Vec<(u64, &str)> {
        let of_kind = self.events.iter().filter(|(_, event)| serde_json::to_value(event.event).unwrap() == kind);
        of_kind.map(|(_, event)| (event.packetid, event.detail.as_str())).collect()
    }
}

/// What is told of a capture whose packets come one after the other.
fn watched(capture: &Capture) -> Vec<(ConnectionId, Event)> {
    let mut live = Live::new(Span::from_seconds(1));
    for segment in &capture.segments {
        live.push(segment, capture.segments.ends(segment), capture.origin());
    }
    live.finish();
    let news = live.take_news().into_iter();
    news.filter_map(|news| match news {
        News::Happening(happening) => Some((happening.mptcpstream, happening.event)),
        News::Rates(_) => None,
    })
    .collect()
}

/// Keys of client and server.
pub const KEYS: [u64; 2] = [0x1111_2222_3333_4444, 0x5555_6666_7777_8888];
/// Random numbers of a join's client and server.
const NONCES: [u32; 2] = [0x0a0b_0c0d, 0x1a1b_1c1d];
/// Initial sequence numbers of each stream's client and server.
const ISNS: [u32; 2] = [100, 500];

/// A TCP stream: its client's and server's addresses, and whether the connection's client opened it.
#[derive(Debug, Clone, Copy)]
pub struct Stream {
    pub client: At,
    pub server: At,
    by_client: bool,
}

/// The initial subflow.
pub const INITIAL: Stream = Stream { client: At(1, 40_000), server: At(2, 5001), by_client: true };
/// A subflow that the client opens.
pub const JOINED: Stream = Stream { client: At(3, 40_001), server: At(2, 5001), by_client: true };
/// A subflow that the server opens.
pub const JOINED_BACK: Stream = Stream { client: At(4, 40_002), server: At(1, 6001), by_client: false };

/// A connection being made: its version, and its packets so far. Numbers are relative, those of SYNs 0.
pub struct Talk {
    pub version: u8,
    pub exchange: Exchange,
    /// When the next packet is sent, milliseconds.
    pub now: u64,
    ttls: [u8; 2],
}

impl Talk {
    /// A connection of that version after its handshake, over IPv4 or IPv6; `checksums` are agreed or not.
    pub fn begun(version: u8, v6: bool, checksums: bool) -> Self {
        let mut talk = Talk { version, exchange: Exchange::new(v6), now: 0, ttls: [64, 64] };
        let flags = 0x01 | if checksums { 0x80 } else { 0 };
        let of_syn: &[u64] = if version == 0 { &KEYS[..1] } else { &[] };
        talk.say(&INITIAL, Role::Client, SYN, (0, 0), &option::capable(version, flags, of_syn, &[]), 0);
        talk.say(&INITIAL, Role::Server, SYN | ACK, (0, 1), &option::capable(version, flags, &KEYS[1..], &[]), 0);
        talk.say(&INITIAL, Role::Client, ACK, (1, 1), &option::capable(version, flags, &KEYS, &[]), 0);
        talk
    }

    /// Packets of client and server that follow have these times to live.
    pub fn set_ttls(&mut self, client: u8, server: u8) {
        self.ttls = [client, server];
    }

    /// Adds a packet of the stream that the end of the *connection* sends, with relative numbers, and lets 20 ms pass.
    /// Returns its packet id.
    pub fn say(
        &mut self,
        stream: &Stream,
        by: Role,
        flags: u8,
        (sequence, acknowledgement): (u32, u32),
        options: &[u8],
        payload: usize,
    ) -> u64 {
        let by_client = (by == Role::Client) == stream.by_client;
        let (ends, [own, peer]) = if by_client {
            ((stream.client, stream.server), ISNS)
        } else {
            ((stream.server, stream.client), [ISNS[1], ISNS[0]])
        };
        let acknowledged = if flags & ACK == 0 { 0 } else { peer.wrapping_add(acknowledgement) };
        let packet = Packet::new(ends.0, ends.1, flags, own.wrapping_add(sequence), acknowledged);
        let ttl = self.ttls[usize::from(by == Role::Server)];
        self.exchange.add(self.now, &packet.with(options).carrying(payload).ttl(ttl));
        self.now += 20;
        self.exchange.frames.len() as u64
    }

    /// The handshake of a subflow that is opened with this address id.
    pub fn join(&mut self, stream: &Stream, id: u8) {
        let opener = if stream.by_client { Role::Client } else { Role::Server };
        let keys = if stream.by_client { KEYS } else { [KEYS[1], KEYS[0]] };
        let (token, _) = self.token_and_idsn(keys[1]);
        let syn = [&[30, 12, 0x10, id][..], &token.to_be_bytes(), &NONCES[0].to_be_bytes()].concat();
        self.say(stream, opener, SYN, (0, 0), &syn, 0);
        let servers = self.hmac([keys[1], keys[0]], &numbers([NONCES[1], NONCES[0]]));
        let syn_ack = [&[30, 16, 0x10, 0][..], &servers[..8], &NONCES[1].to_be_bytes()].concat();
        self.say(stream, opener.other(), SYN | ACK, (0, 1), &syn_ack, 0);
        let clients = self.hmac(keys, &numbers(NONCES));
        self.say(stream, opener, ACK, (1, 1), &[&[30, 24, 0x10, 0][..], &clients[..20]].concat(), 0);
    }

    /// Token and IDSN of a key (RFC 8684 §3.1, RFC 6824 §3.1).
    pub fn token_and_idsn(&self, key: u64) -> (u32, u64) {
        let digest = match self.version {
            0 => Sha1::digest(key.to_be_bytes()).to_vec(),
            _ => Sha256::digest(key.to_be_bytes()).to_vec(),
        };
        let last = digest.last_chunk().unwrap();
        (u32::from_be_bytes(*digest.first_chunk().unwrap()), u64::from_be_bytes(*last))
    }

    /// The HMAC of a message with two keys, the sender's first.
    pub fn hmac(&self, keys: [u64; 2], message: &[u8]) -> Vec<u8> {
        let key: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
        match self.version {
            0 => Hmac::<Sha1>::new_from_slice(&key).unwrap().chain_update(message).finalize().into_bytes().to_vec(),
            _ => Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update(message).finalize().into_bytes().to_vec(),
        }
    }

    /// A DSS that `by` sends: it acknowledges `acknowledged` bytes of the other's data, and maps (relative data number,
    /// subflow number, length), with a checksum or without.
    pub fn dss(&self, by: Role, acknowledged: u64, mapping: Option<(u64, u32, u16)>, checksum: Option<u16>) -> Vec<u8> {
        let [client, server] = KEYS.map(|key| self.token_and_idsn(key).1);
        let (own, peer) = if by == Role::Client { (client, server) } else { (server, client) };
        let mut option = vec![30, 12, 0x20, 0x03];
        option.extend(peer.wrapping_add(1 + acknowledged).to_be_bytes());
        if let Some((dsn, ssn, length)) = mapping {
            option[3] |= 0x0c;
            option.extend(own.wrapping_add(dsn).to_be_bytes());
            option.extend(ssn.to_be_bytes());
            option.extend(length.to_be_bytes());
            option.extend(checksum.iter().flat_map(|sum| sum.to_be_bytes()));
        }
        option[1] = u8::try_from(option.len()).unwrap();
        option
    }

    /// ADD_ADDR that `by` sends, with the HMAC made from the whole one by `part`.
    pub fn add_addr(&self, by: Role, id: u8, last: u8, part: impl Fn(&[u8]) -> [u8; 8]) -> Vec<u8> {
        let address: Vec<u8> = if self.exchange.v6 {
            vec![0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
        } else {
            vec![192, 0, 2, last]
        };
        let low = match (self.version, self.exchange.v6) {
            (0, false) => 4,
            (0, true) => 6,
            _ => 0,
        };
        let mut option = vec![30, 0, 0x30 | low, id];
        option.extend(&address);
        if self.version == 1 {
            let keys = if by == Role::Client { KEYS } else { [KEYS[1], KEYS[0]] };
            let message = [&[id][..], &address, &[0, 0]].concat();
            option.extend(part(&self.hmac(keys, &message)));
        }
        option[1] = u8::try_from(option.len()).unwrap();
        option
    }
}

/// The rightmost 64 bits of an HMAC, which ADD_ADDR has (RFC 8684 §3.4.1).
pub fn rightmost(hmac: &[u8]) -> [u8; 8] {
    *hmac.last_chunk().unwrap()
}

fn numbers(numbers: [u32; 2]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

/// Options of MPTCP (RFC 8684, RFC 6824).
pub mod option {
    /// Timestamps, after two no-operations.
    pub fn timestamps(value: u32, echo: u32) -> Vec<u8> {
        [vec![1, 1, 8, 10], value.to_be_bytes().to_vec(), echo.to_be_bytes().to_vec()].concat()
    }

    /// MP_CAPABLE with these keys, and what follows them.
    pub fn capable(version: u8, flags: u8, keys: &[u64], rest: &[u8]) -> Vec<u8> {
        let content: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).chain(rest.iter().copied()).collect();
        let length = u8::try_from(4 + content.len()).unwrap();
        [vec![30, length, version, flags], content].concat()
    }
}
