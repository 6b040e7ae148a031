//! Which streams and connections of two captures are the same, from outside: endpoints and sequence numbers of SYNs as
//! tshark prints them, tokens as the independent reader has them, and what the lab's translators are told to rewrite.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::scenarios;

/// What tshark shows of one stream.
#[derive(Default)]
struct Shown {
    /// Both endpoints, as the client's end sees them.
    endpoints: BTreeSet<String>,
    /// Sequence numbers of SYNs without ACK, as the client sent them.
    syns: BTreeSet<u32>,
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
    Translation { scenario: "11_nat", inside: "10.0.2.1", outside: "192.0.2.77", port: 11000, isn: 305_419_896 },
    Translation { scenario: "11b_nat_initial", inside: "10.0.1.1", outside: "192.0.2.77", port: 7000, isn: 0 },
];

/// The two ends of one transfer.
pub struct Ends {
    pub first: PathBuf,
    pub second: PathBuf,
}

impl Ends {
    pub fn label(&self) -> String {
        format!("{} -> {}", scenarios::label(&self.first), scenarios::label(&self.second))
    }
}

/// Every pair of ends, each in both orders.
pub fn all_ends() -> Vec<Ends> {
    let captures = scenarios::captures();
    let mut pairs = Vec::new();
    for first in &captures {
        for second in &captures {
            let end =
                |path: &Path| path.file_stem().unwrap().to_string_lossy().split(['_', '.']).next().unwrap().to_string();
            let same_transfer = first.parent() == second.parent() && ends_match(first, second);
            if same_transfer && end(first) != end(second) {
                pairs.push(Ends { first: first.clone(), second: second.clone() });
            }
        }
    }
    pairs
}

/// Not the PPP recording among those of version 0.
fn ends_match(first: &Path, second: &Path) -> bool {
    [first, second].iter().all(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("client") || name.starts_with("server")
    })
}

/// The true counterparts.
pub struct Truth {
    first: Vec<Shown>,
    second: Vec<Shown>,
    /// Streams of each connection with a token that the independent reader found, by tokens.
    connections: [BTreeMap<String, Vec<u32>>; 2],
}

impl Truth {
    pub fn of(ends: &Ends) -> Self {
        Truth {
            first: shown(&ends.first),
            second: shown(&ends.second),
            connections: [connections(&ends.first), connections(&ends.second)],
        }
    }

    /// The streams of the second capture that are this one of the first: several where one end saw a SYN, or a whole
    /// handshake, that the other did not, and so counts one stream where the other counts two.
    pub fn counterparts(&self, stream: u32) -> Vec<u32> {
        let one = &self.first[stream as usize];
        let same = |other: &&Shown| {
            one.endpoints == other.endpoints
                && (one.syns.is_empty() || other.syns.is_empty() || !one.syns.is_disjoint(&other.syns))
        };
        (0..).zip(&self.second).filter(|(_, other)| same(other)).map(|(number, _)| number).collect()
    }

    pub fn streams(&self) -> u32 {
        u32::try_from(self.first.len()).unwrap()
    }

    /// A stream of each connection with the same token in both captures.
    pub fn same_connections(&self) -> Vec<(u32, u32)> {
        let [first, second] = &self.connections;
        let streams = first.iter().filter_map(|(token, streams)| Some((streams[0], second.get(token)?[0])));
        streams.collect()
    }
}

fn shown(path: &Path) -> Vec<Shown> {
    let scenario = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    let translation = TRANSLATIONS.iter().find(|translation| translation.scenario == scenario);
    let fields = [
        "tcp.stream",
        "ip.src",
        "ipv6.src",
        "tcp.srcport",
        "ip.dst",
        "ipv6.dst",
        "tcp.dstport",
        "tcp.flags",
        "tcp.seq_raw",
    ];
    let mut streams: Vec<Shown> = Vec::new();
    for line in scenarios::tshark(path, &fields) {
        let fields: Vec<&str> = line.split('\t').collect();
        let Ok(stream) = fields[0].parse::<usize>() else { continue };
        if streams.len() <= stream {
            streams.resize_with(stream + 1, Shown::default);
        }
        let address = |v4: &str, v6: &str| if v4.is_empty() { v6.to_string() } else { v4.to_string() };
        let (source, destination) = (address(fields[1], fields[2]), address(fields[4], fields[5]));
        let port = |text: &str| text.parse::<u32>().unwrap();
        let flags = u32::from_str_radix(fields[7].trim_start_matches("0x"), 16).unwrap();
        let mut sequence: u32 = fields[8].parse().unwrap();
        let mut inside = |address: String, port: u32, sends: bool| match translation {
            Some(translation) if translation.outside == address => {
                if sends {
                    sequence = sequence.wrapping_sub(translation.isn);
                }
                format!("{}:{}", translation.inside, port - translation.port)
            }
            _ => format!("{address}:{port}"),
        };
        let endpoints = [inside(source, port(fields[3]), true), inside(destination, port(fields[6]), false)];
        let shown = &mut streams[stream];
        shown.endpoints.extend(endpoints);
        if flags & 0x12 == 0x02 {
            shown.syns.insert(sequence);
        }
    }
    streams
}

fn connections(path: &Path) -> BTreeMap<String, Vec<u32>> {
    let mut found = BTreeMap::new();
    let Some(expected) = scenarios::json(path, "expected.json") else { return found };
    let expected = &expected[path.file_name().unwrap().to_string_lossy().as_ref()];
    for connection in expected["mptcp_connections"].as_array().into_iter().flatten() {
        let subflows = connection["subflows"].as_array().into_iter().flatten();
        let streams = subflows.map(|subflow| u32::try_from(subflow["tcpstream"].as_u64().unwrap()).unwrap());
        let streams: Vec<u32> = streams.collect();
        for token in ["client_token", "server_token"] {
            if let Value::String(token) = &connection[token] {
                found.insert(token.clone(), streams.clone());
            }
        }
    }
    found
}
