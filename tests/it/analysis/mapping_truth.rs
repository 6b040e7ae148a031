//! Which streams and connections of two captures are the same, from outside: endpoints and sequence numbers of SYNs as
//! tshark prints them, tokens as the independent reader has them, and what the lab's translators were told to rewrite.

use mptcp_trace::StreamId;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::scenarios;

/// What tshark shows of one stream.
#[derive(Default, Clone)]
struct Shown {
    /// Both endpoints, as they are at the client's end.
    endpoints: BTreeSet<String>,
    /// Sequence numbers of SYNs without ACK, as the client sent them.
    syns: BTreeSet<u32>,
}

impl Shown {
    fn is(&self, other: &Shown) -> bool {
        self.endpoints == other.endpoints
            && (self.syns.is_empty() || other.syns.is_empty() || !self.syns.is_disjoint(&other.syns))
    }
}

/// What the lab's translator does to packets towards the server: `relay nat` in `lab/run.py`.
struct Translation {
    scenario: &'static str,
    inside: &'static str,
    outside: &'static str,
    port: u32,
    isn: u32,
}

const TRANSLATIONS: [Translation; 2] = [
    Translation { scenario: "11_nat", inside: "10.0.2.1", outside: "192.0.2.77", port: 11000, isn: 0x1234_5678 },
    Translation { scenario: "11b_nat_initial", inside: "10.0.1.1", outside: "192.0.2.77", port: 7000, isn: 0 },
];

/// The captures of the two ends of one transfer, in either order.
pub struct Ends {
    pub first: PathBuf,
    pub second: PathBuf,
}

impl Ends {
    pub fn label(&self) -> String {
        format!("{} -> {}", scenarios::label(&self.first), scenarios::label(&self.second))
    }

    /// Those of one scenario, the client's first.
    pub fn of(scenario: &str) -> Option<Ends> {
        all_ends().into_iter().find(|ends| ends.first.parent().is_some_and(|folder| folder.ends_with(scenario)))
    }
}

/// Every two ends, each in both orders.
pub fn all_ends() -> Vec<Ends> {
    let captures = scenarios::captures();
    let end = |path: &Path, end: &str| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(end));
    let mut pairs = Vec::new();
    for client in captures.iter().filter(|path| end(path, "client")) {
        for server in captures.iter().filter(|path| end(path, "server") && path.parent() == client.parent()) {
            pairs.push(Ends { first: client.clone(), second: server.clone() });
            pairs.push(Ends { first: server.clone(), second: client.clone() });
        }
    }
    pairs
}

/// The streams of one capture.
#[derive(Clone)]
pub struct Streams(Vec<Shown>);

impl Streams {
    /// As tshark shows them.
    pub fn of(path: &Path) -> Self {
        let scenario = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let translation = TRANSLATIONS.iter().find(|translation| translation.scenario == scenario);
        let fields = ["ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport"];
        let fields = [&["tcp.stream", "tcp.flags", "tcp.seq_raw"], &fields[..]].concat();
        let mut streams = Vec::new();
        for line in scenarios::tshark(path, &fields) {
            let fields: Vec<&str> = line.split('\t').collect();
            if let Ok(stream) = fields[0].parse::<usize>() {
                if streams.len() <= stream {
                    streams.resize_with(stream + 1, Shown::default);
                }
                streams[stream].note(&fields, translation);
            }
        }
        Streams(streams)
    }

    /// The same streams as they are numbered in a file that lacks the first `missing` frames.
    fn without(&self, whole: &Path, missing: u64) -> Self {
        let mut renumbered: BTreeMap<String, usize> = BTreeMap::new();
        let mut kept = Vec::new();
        for line in scenarios::tshark(whole, &["frame.number", "tcp.stream"]) {
            let (frame, stream) = line.split_once('\t').unwrap();
            if frame.parse::<u64>().unwrap() > missing && !stream.is_empty() && !renumbered.contains_key(stream) {
                renumbered.insert(stream.to_string(), kept.len());
                kept.push(self.0[stream.parse::<usize>().unwrap()].clone());
            }
        }
        Streams(kept)
    }

    pub fn ids(&self) -> impl Iterator<Item = StreamId> + use<> {
        (0..u32::try_from(self.0.len()).unwrap()).map(StreamId)
    }

    /// The streams of the other capture that are this one: several where one end saw a SYN, or a whole handshake, that
    /// the other did not, and so counts one stream where the other counts two.
    pub fn counterparts(&self, stream: StreamId, other: &Streams) -> Vec<StreamId> {
        let one = &self.0[stream.index()];
        (0..).zip(&other.0).filter(|(_, other)| one.is(other)).map(|(number, _)| StreamId(number)).collect()
    }
}

impl Shown {
    /// Takes in a packet: stream, flags, sequence number, then addresses and port of source and destination.
    fn note(&mut self, fields: &[&str], translation: Option<&Translation>) {
        let flags = u32::from_str_radix(fields[1].trim_start_matches("0x"), 16).unwrap();
        let sequence: u32 = fields[2].parse().unwrap();
        let mut shift = 0;
        for (place, sends) in [(3, true), (6, false)] {
            let address = [fields[place], fields[place + 1]].concat();
            let port: u32 = fields[place + 2].parse().unwrap();
            let outside = translation.filter(|translation| translation.outside == address);
            self.endpoints.insert(match outside {
                // Ports beyond the last go on from the first.
                Some(translation) => {
                    format!("{}:{}", translation.inside, (port + 65_536 - translation.port) % 65_536)
                }
                None => format!("{address}:{port}"),
            });
            if let Some(translation) = outside.filter(|_| sends) {
                shift = translation.isn;
            }
        }
        if flags & 0x12 == 0x02 {
            self.syns.insert(sequence.wrapping_sub(shift));
        }
    }
}

/// A stream of each connection that the independent reader found in both captures, by tokens.
pub fn same_connections(ends: &Ends) -> Vec<(StreamId, StreamId)> {
    let (first, second) = (connections(&ends.first), connections(&ends.second));
    first.iter().filter_map(|(token, stream)| Some((*stream, *second.get(token)?))).collect()
}

/// The first stream of each connection, by the tokens of both hosts.
fn connections(path: &Path) -> BTreeMap<String, StreamId> {
    let Some(expected) = scenarios::json(path, "expected.json") else { return BTreeMap::new() };
    let expected = &expected[path.file_name().unwrap().to_string_lossy().as_ref()];
    let mut found = BTreeMap::new();
    for connection in expected["mptcp_connections"].as_array().into_iter().flatten() {
        let stream = connection["subflows"][0]["tcpstream"].as_u64().unwrap();
        for token in ["client_token", "server_token"] {
            if let Value::String(token) = &connection[token] {
                found.insert(token.clone(), StreamId(u32::try_from(stream).unwrap()));
            }
        }
    }
    found
}

/// A capture that lost its beginning, and its streams.
pub struct Late {
    pub path: PathBuf,
    pub streams: Streams,
    _folder: tempfile::TempDir,
}

impl Late {
    /// The capture without `percent` of its frames at the beginning.
    pub fn new(whole: &Path, percent: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("late.pcapng");
        let missing = scenarios::counted_by_capinfos(whole) * percent / 100;
        let mut editcap = Command::new("editcap");
        editcap.args(["-F", "pcapng"]).arg(whole).arg(&path).arg(format!("1-{missing}"));
        assert!(editcap.status().unwrap().success(), "editcap comes with tshark");
        let streams = Streams::of(whole).without(whole, missing);
        Late { path, streams, _folder: folder }
    }
}
