//! Streams and connections of two captures are found in each other.

use std::collections::HashMap;

use mptcp_trace::analysis::mapping::{Evidence, Mapper, MptcpMatch};
use mptcp_trace::tracking::Capture;
use mptcp_trace::{ConnectionId, StreamId};
use serde_json::Value;

use crate::analysis::mapping_truth::{Ends, Late, Streams, all_ends, same_connections};
use crate::support::program::{Home, examples};
use crate::support::scenarios;

/// What did not fit the truth, and how much was compared.
#[derive(Default)]
struct Checked {
    wrong: Vec<String>,
    streams: usize,
    connections: usize,
    subflows: usize,
}

impl Checked {
    /// Every stream's best candidate is a true counterpart, and there is none where there is no counterpart.
    fn streams(&mut self, label: &str, mapper: &Mapper<'_>, truth: [&Streams; 2]) {
        for stream in truth[0].ids() {
            self.streams += 1;
            let expected = truth[0].counterparts(stream, truth[1]);
            let found = mapper.tcp(stream);
            let best = found.first().map(|best| best.mapped);
            if !best.map_or(expected.is_empty(), |best| expected.contains(&best)) {
                self.wrong.push(format!("{label}: stream {stream} is {best:?}, not {expected:?}: {found:#?}"));
            }
            if mapper.the_tcp(stream).is_ok() == expected.is_empty() {
                self.wrong.push(format!("{label}: stream {stream}: {:?}", mapper.the_tcp(stream)));
            }
        }
    }

    /// Every subflow listed is mapped to a true counterpart, and none is without one that has one.
    fn subflows(&mut self, label: &str, found: &MptcpMatch, truth: [&Streams; 2]) {
        let mapped: Vec<StreamId> = found.subflows.iter().filter_map(|subflow| subflow.mapped).collect();
        for subflow in &found.subflows {
            self.subflows += 1;
            let right = match (subflow.tcpstream, subflow.mapped) {
                (Some(one), Some(other)) => truth[0].counterparts(one, truth[1]).contains(&other),
                // Where one end counts one stream as two, one of the two is left.
                (Some(one), None) => truth[0].counterparts(one, truth[1]).iter().all(|other| mapped.contains(other)),
                (None, Some(other)) => {
                    let expected = truth[1].counterparts(other, truth[0]);
                    let listed = |one: &StreamId| found.subflows.iter().any(|subflow| subflow.tcpstream == Some(*one));
                    expected.iter().all(listed)
                }
                (None, None) => false,
            };
            if !right {
                let (one, other) = (subflow.tcpstream, subflow.mapped);
                self.wrong.push(format!("{label}: connection {}: {one:?} is not {other:?}", found.stream));
            }
        }
    }

    /// Every connection that both ends know by its tokens is found with certainty, with all its subflows.
    fn connections_with_tokens(&mut self, ends: &Ends, [first, second]: [&Capture; 2], truth: [&Streams; 2]) {
        let label = ends.label();
        let mapper = Mapper::new(first, second).unwrap();
        for (one, other) in same_connections(ends) {
            self.connections += 1;
            let connection = first.tracking.subflow(one).unwrap().connection;
            let expected = second.tracking.subflow(other).unwrap().connection;
            match mapper.the_mptcp(connection) {
                Ok(best) if best.mapped == expected && best.certain && !best.flipped => {
                    assert!(best.score.is_infinite());
                    self.subflows(&label, &best, truth);
                }
                found => self.wrong.push(format!("{label}: connection {connection} is {found:?}, not {expected}")),
            }
        }
    }

    /// Every connection, also one of which less is known, is found where the counterparts of its subflows are.
    fn all_connections(&mut self, label: &str, [first, second]: [&Capture; 2], truth: [&Streams; 2]) {
        let mapper = Mapper::new(first, second).unwrap();
        for connection in &first.tracking.connections {
            let counterparts = connection.subflows.iter().flat_map(|stream| truth[0].counterparts(*stream, truth[1]));
            let expected: Vec<ConnectionId> =
                counterparts.filter_map(|stream| Some(second.tracking.subflow(stream)?.connection)).collect();
            let found = mapper.mptcp(connection.id);
            let Some(best) = found.first() else {
                if !expected.is_empty() {
                    self.wrong.push(format!("{label}: connection {} is nowhere, not {expected:?}", connection.id));
                }
                continue;
            };
            if !expected.contains(&best.mapped) {
                self.wrong.push(format!("{label}: connection {} is {best:#?}, not {expected:?}", connection.id));
            }
            self.subflows(label, best, truth);
        }
    }

    fn report(&self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        println!("{} streams, {} connections, {} subflows", self.streams, self.connections, self.subflows);
    }
}

#[test]
fn every_stream_and_connection_is_found_at_the_other_end() {
    let mut checked = Checked::default();
    for ends in all_ends() {
        let (Some(first), Some(second)) = (scenarios::load(&ends.first), scenarios::load(&ends.second)) else {
            continue;
        };
        let truth = [&Streams::of(&ends.first), &Streams::of(&ends.second)];
        checked.streams(&ends.label(), &Mapper::new(&first, &second).unwrap(), truth);
        checked.all_connections(&ends.label(), [&first, &second], truth);
        checked.connections_with_tokens(&ends, [&first, &second], truth);
    }
    checked.report();
    // Twice 200 + 120 connections of two subflows in the scenarios of many, and all the others.
    let enough = checked.streams > 1500 && checked.connections > 700 && checked.subflows > 1400;
    assert!(enough || scenarios::folder().is_none());
}

/// One of the captures began in the middle: handshakes, keys and tokens are in the other one only.
#[test]
fn streams_are_found_in_a_capture_begun_late() {
    let mut checked = Checked::default();
    for scenario in ["02_fullmesh", "06_lossy", "11_nat", "11b_nat_initial", "12b_port_reuse", "16c_gso_gro"] {
        let Some(ends) = Ends::of(scenario) else { return };
        let late = Late::new(&ends.second, 50);
        let (whole, part) = (scenarios::load(&ends.first).unwrap(), scenarios::load(&late.path).unwrap());
        let streams = Streams::of(&ends.first);
        for (captures, truth) in
            [([&whole, &part], [&streams, &late.streams]), ([&part, &whole], [&late.streams, &streams])]
        {
            let label = format!("{scenario}, {} first", captures[0].name());
            let [first, second] = captures;
            checked.streams(&label, &Mapper::new(first, second).unwrap(), truth);
            checked.all_connections(&label, [first, second], truth);
        }
    }
    checked.report();
}

/// Transfers between the same hosts on other days.
#[test]
fn unrelated_captures_have_nothing_in_common() {
    let names = ["01_basic", "02_fullmesh", "06_lossy", "11_nat", "12_many_short", "12b_port_reuse", "15_bulk", "v0"];
    let found: Vec<Ends> = names.iter().filter_map(|scenario| Ends::of(scenario)).collect();
    for (one, other) in found.iter().zip(found.iter().skip(1)) {
        let (first, second) = (scenarios::load(&one.first).unwrap(), scenarios::load(&other.second).unwrap());
        let mapper = Mapper::new(&first, &second).unwrap();
        for stream in &first.tracking.streams {
            assert_eq!(mapper.tcp(stream.id), [], "{} and {}", one.label(), other.label());
        }
        for connection in &first.tracking.connections {
            assert_eq!(mapper.mptcp(connection.id), [], "{} and {}", one.label(), other.label());
        }
    }
}

/// Four connections of four subflows each of MPTCP version 0. What is true was read from tshark's list of SYNs. The join
/// from 11.0.0.1:60453 lost its first SYN on the way, so what followed it, two empty segments answered with RST, is a
/// stream of its own at the server, 2, and the server counts a connection of its own for it, 1. The SYN from
/// 11.0.0.1:40191, the client's stream 7, never arrived.
#[test]
fn version_0_connections_have_their_subflows_at_both_ends() {
    const TRUE_SUBFLOWS: [&[(Option<u32>, Option<u32>)]; 4] = [
        &[(Some(0), Some(0)), (Some(1), Some(5)), (Some(2), Some(1)), (Some(6), Some(7))],
        &[(Some(3), Some(3)), (Some(4), Some(4)), (Some(5), Some(6)), (Some(7), None)],
        &[(Some(8), Some(8)), (Some(9), Some(10)), (Some(10), Some(9)), (Some(11), Some(11))],
        &[(Some(12), Some(12)), (Some(13), Some(14)), (Some(14), Some(13)), (Some(15), Some(15))],
    ];
    let Some(ends) = Ends::of("v0") else { return };
    let (client, server) = (scenarios::load(&ends.first).unwrap(), scenarios::load(&ends.second).unwrap());
    let (there, back) = (Mapper::new(&client, &server).unwrap(), Mapper::new(&server, &client).unwrap());
    let subflows = |found: &MptcpMatch| -> Vec<_> {
        found.subflows.iter().map(|s| (s.tcpstream.map(|id| id.0), s.mapped.map(|id| id.0))).collect()
    };
    for (one, other, expected) in [(0, 0, 0), (1, 2, 1), (2, 3, 2), (3, 4, 3)].map(|(a, b, c)| (a, b, TRUE_SUBFLOWS[c]))
    {
        let found = there.the_mptcp(ConnectionId(one)).unwrap();
        assert_eq!((found.mapped, found.certain), (ConnectionId(other), true));
        assert_eq!(subflows(&found), expected);
        let found = back.the_mptcp(ConnectionId(other)).unwrap();
        assert_eq!((found.mapped, found.certain), (ConnectionId(one), true));
        let mut turned: Vec<_> = expected.iter().map(|(one, other)| (*other, *one)).collect();
        turned.sort_by_key(|(own, _)| own.unwrap_or(u32::MAX));
        assert_eq!(subflows(&found), turned);
    }
    // The two segments without a handshake are the client's stream 1 as well.
    assert_eq!(back.tcp(StreamId(2)).first().map(|found| found.mapped), Some(StreamId(1)));
    assert_eq!(there.tcp(StreamId(7)), []);
}

/// Both ends' endpoints of the subflow behind the translator, which also changes the client's sequence numbers.
#[test]
fn a_translated_subflow_says_what_was_rewritten() {
    let Some(ends) = Ends::of("11_nat") else { return };
    let (client, server) = (scenarios::load(&ends.first).unwrap(), scenarios::load(&ends.second).unwrap());
    let found = Mapper::new(&client, &server).unwrap().the_tcp(StreamId(1)).unwrap();
    let detail = |evidence: Evidence| {
        let reason = found.reasons.iter().find(|reason| reason.evidence == evidence).unwrap();
        (reason.bits, reason.detail.as_str())
    };
    assert_eq!(detail(Evidence::ClientEndpoint), (0.0, "10.0.2.1:42707 here, 192.0.2.77:53707 there"));
    // 4255218220 + 0x12345678 in 32 bits.
    assert_eq!(detail(Evidence::ClientIsn), (0.0, "4255218220 here, 265670820 there: rewritten on the way"));
    assert_eq!(detail(Evidence::ServerIsn).0, 32.0);
}

/// The rows that a command prints for all streams or connections of the first capture.
fn rows(home: &Home, command: &str, ends: &Ends) -> Vec<(u32, Option<u32>)> {
    let [first, second] = [&ends.first, &ends.second].map(|path| path.display().to_string());
    let done = home.run(&[command, &first, &second, "--format", "json"], "");
    assert_eq!(done.code, Some(0), "{}: {done:?}", ends.label());
    let rows: Vec<Value> = serde_json::from_str(&done.results).unwrap();
    let number = |value: &Value| value.as_u64().map(|number| u32::try_from(number).unwrap());
    rows.iter().map(|row| (number(&row["stream"]).unwrap(), number(&row["mapped"]))).collect()
}

/// Without a number the commands find all at once: what the relay between the two ends let through under its own numbers.
#[test]
fn all_at_once_are_those_of_the_other_end() {
    let home = Home::new();
    let mut mapped = [0, 0];
    // The larger ones take an unoptimised program long.
    let short = |ends: &Ends| std::fs::metadata(&ends.first).is_ok_and(|file| file.len() < 1 << 20);
    for ends in all_ends().into_iter().filter(short) {
        let truth = [&Streams::of(&ends.first), &Streams::of(&ends.second)];
        let streams = rows(&home, "map_tcp_connection", &ends);
        assert_eq!(streams.len(), truth[0].ids().count(), "{}", ends.label());
        for (stream, found) in streams {
            let expected = truth[0].counterparts(StreamId(stream), truth[1]);
            match found {
                Some(found) => assert!(expected.contains(&StreamId(found)), "{}: {stream} {found}", ends.label()),
                None => assert!(expected.is_empty(), "{}: {stream} {expected:?}", ends.label()),
            }
            mapped[0] += usize::from(found.is_some());
        }
        let (Some(first), Some(second)) = (scenarios::load(&ends.first), scenarios::load(&ends.second)) else {
            continue;
        };
        let connections: HashMap<u32, Option<u32>> = rows(&home, "map_mptcp_connection", &ends).into_iter().collect();
        for (one, other) in same_connections(&ends) {
            let connection = first.tracking.subflow(one).unwrap().connection;
            let expected = second.tracking.subflow(other).unwrap().connection;
            assert_eq!(connections.get(&connection.0), Some(&Some(expected.0)), "{}", ends.label());
            mapped[1] += 1;
        }
    }
    assert!(scenarios::folder().is_none() || mapped[0] > 100 && mapped[1] > 50, "{mapped:?}");
}

/// What the commands print for programs, of the shipped example.
#[test]
fn the_commands_answer_in_json() {
    let Some(examples) = examples() else { return };
    let [client, server] = ["client.pcapng", "server.pcapng"].map(|name| examples.join(name).display().to_string());
    let home = Home::new();
    let json = |command: &str, number: &str| -> Value {
        let done = home.run(&[command, &client, &server, number, "--format", "json"], "");
        assert_eq!(done.code, Some(0), "{done:?}");
        serde_json::from_str(&done.results).unwrap()
    };
    let found = json("map_mptcp_connection", "0");
    assert_eq!(found[0]["stream"], 0);
    assert_eq!(found[0]["mapped"], 0);
    assert_eq!(found[0]["score"], Value::Null);
    assert_eq!(found[0]["certain"], true);
    let subflows = found[0]["subflows"].as_array().unwrap();
    assert_eq!(subflows.len(), 2);
    for (number, subflow) in subflows.iter().enumerate() {
        assert_eq!((&subflow["tcpstream"], &subflow["mapped"]), (&Value::from(number), &Value::from(number)));
    }
    let found = json("map_tcp_connection", "1");
    assert_eq!((&found[0]["stream"], &found[0]["mapped"]), (&Value::from(1), &Value::from(1)));
    let evidence: Vec<&str> =
        found[0]["reasons"].as_array().unwrap().iter().map(|reason| reason["evidence"].as_str().unwrap()).collect();
    assert!(evidence.contains(&"syn_ack_hmac") && evidence.contains(&"client_isn"), "{evidence:?}");
    let done = home.run(&["map_tcp_connection", &client, &server, "2"], "");
    assert_eq!((done.code, done.results.as_str()), (Some(1), ""));
}
