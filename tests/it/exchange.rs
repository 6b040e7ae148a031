//! Exchanges between hosts made by hand, packet by packet, as a capture: what is said of them, and that a capture which
//! grows is told the same.

use std::collections::BTreeSet;

use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, Severity, diagnose_capture, diagnose_connection};
use mptcpanalyzer::analysis::events::{Event, Kind, events};
use mptcpanalyzer::analysis::live::{Live, News};
use mptcpanalyzer::packets::native;
use mptcpanalyzer::tracking::Capture;

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
        assert!(options.len() <= 40, "{} octets of options", options.len());
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

    /// The last packet once more, as a capture on two interfaces has it.
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
        let dissection = native::dissect(&path, native::Request::default()).expect("the capture is dissected");
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
    pub events: Vec<(u32, Event)>,
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
        let name = |(connection, event): &(u32, Event)| {
            // The particulars of a standstill depend on what comes after it.
            let detail = if event.event == Kind::SubflowStale { "" } else { &event.detail };
            (*connection, event.packetid, event.tcpstream, format!("{:?} {detail}", event.event))
        };
        let whole: BTreeSet<_> = told.iter().map(name).collect();
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
fn watched(capture: &Capture) -> Vec<(u32, Event)> {
    let mut live = Live::new(1_000_000_000);
    for segment in &capture.segments {
        live.push(segment, capture.origin());
    }
    live.finish();
    let news = live.take_news().into_iter();
    news.filter_map(|news| match news {
        News::Happening(happening) => Some((happening.mptcpstream, happening.event)),
        News::Rates(_) => None,
    })
    .collect()
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
