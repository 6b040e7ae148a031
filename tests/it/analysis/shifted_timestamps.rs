//! Captures of both ends with a box between them that shifts, rewrites or removes TCP timestamps: what is found is what
//! is found without it, and what the emulated path wrote down.

use mptcpanalyzer::packets::LoadedCapture;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mptcp_trace::StreamId;
use mptcp_trace::analysis::connection_pair::{AtOneEnd, ConnectionPair};
use mptcp_trace::analysis::loss::losses;
use mptcp_trace::analysis::mapping::{Mapper, SubflowMatch};
use mptcp_trace::analysis::merge::{Fate, Merged, Passage, merge};
use mptcp_trace::analysis::qualify_reinjections::qualify_reinjections;
use mptcp_trace::tracking::{Capture, Role};
use serde_json::{Value, json};

use crate::analysis::merge::{DROPS, Frame, both_ends, end_of, frames_of, relayed, sorted};
use crate::support::rewritten::{rewrite, timestamps_option};
use crate::support::scenarios;

/// What is done to the timestamps of a packet of this TCP stream that travels towards this end; `None` makes NOPs of them.
type Shifting = dyn Fn(StreamId, Role, (u32, u32)) -> Option<(u32, u32)>;

/// The server's capture of a scenario as it would be behind such a box.
fn behind(scenario: &Path, directory: &Path, shifting: &Shifting) -> Arc<LoadedCapture> {
    let source = end_of(scenario, "server").unwrap();
    let capture = scenarios::load(&source).unwrap();
    let target = directory.join(source.file_name().unwrap());
    let mut rows = capture.segments.iter().zip(&capture.tracking.packets).peekable();
    let mut altered = 0;
    rewrite(&source, &target, |number, bytes| {
        let Some((segment, packet)) = rows.next_if(|(segment, _)| segment.packetid() == number) else { return true };
        let Some(timestamps) = segment.timestamps() else { return true };
        let towards = capture.tracking.stream(packet.stream).unwrap().towards(packet);
        let at = timestamps_option(bytes, timestamps).expect("the option is in the frame");
        match shifting(packet.stream, towards, timestamps) {
            None => bytes[at..at + 10].fill(1),
            Some((value, echo)) => {
                bytes[at + 2..at + 6].copy_from_slice(&value.to_be_bytes());
                bytes[at + 6..at + 10].copy_from_slice(&echo.to_be_bytes());
            }
        }
        altered += 1;
        true
    });
    assert!(altered > 0);
    scenarios::load(&target).unwrap()
}

/// What such a box adds to the clock of an end, another number for each stream; some make it wrap at once.
fn added(stream: StreamId, sender: Role) -> u32 {
    let number =
        stream.0.wrapping_mul(0x9e37_79b1).wrapping_add(if sender == Role::Client { 77_777 } else { 0x7fff_ffff });
    if stream.0 % 2 == 1 { number | 0xf000_0000 } else { number }
}

/// As pf does it: an echo of 0 stays.
fn shifted(stream: StreamId, towards: Role, (value, echo): (u32, u32)) -> Option<(u32, u32)> {
    let echo = if echo == 0 { 0 } else { echo.wrapping_add(added(stream, towards)) };
    Some((value.wrapping_add(added(stream, towards.other())), echo))
}

/// The same to an echo of 0 as well.
fn shifted_throughout(stream: StreamId, towards: Role, (value, echo): (u32, u32)) -> Option<(u32, u32)> {
    Some((value.wrapping_add(added(stream, towards.other())), echo.wrapping_add(added(stream, towards))))
}

/// Scenarios with loss, reordering, copies, reinjections, address translation, offloads, IPv6, reused ports.
const SCENARIOS: [&str; 10] = [
    "02_fullmesh",
    "06_lossy",
    "06b_reorder_dup",
    "06c_lossy_blackouts",
    "10_ipv6_mixed",
    "11_nat",
    "12b_port_reuse",
    "14b_skew200ppm",
    "16b_gso",
    "17_halfclose_server_first",
];

/// Everything that two-capture commands say of the connections, as JSON, and the scores of streams.
fn said(first: &Capture, second: &Capture) -> (Vec<Value>, Vec<f64>) {
    let mapper = Mapper::new(first, second).unwrap();
    let (mut said, mut scores) = (Vec::new(), Vec::new());
    for one in first.tcp_stream_ids().into_iter().flat_map(|stream| mapper.tcp(stream)) {
        said.push(json!([one.stream, one.mapped, one.certain, one.flipped]));
        scores.push(one.bits);
    }
    for one in first.mptcp_stream_ids().into_iter().flat_map(|connection| mapper.mptcp(connection)) {
        let subflow =
            |subflow: &SubflowMatch| json!([subflow.tcpstream, subflow.mapped, subflow.certain, subflow.remark]);
        let subflows: Vec<Value> = one.subflows.iter().map(subflow).collect();
        said.push(json!([one.stream, one.mapped, one.certain, one.flipped, subflows]));
    }
    for connection in first.mptcp_stream_ids() {
        let Ok(best) = mapper.the_mptcp(connection) else { continue };
        let pairs: Vec<_> = best.subflows.iter().filter_map(|subflow| subflow.pair).collect();
        let merged = merge(first, second, &pairs).unwrap();
        said.push(serde_json::to_value(losses(&merged)).unwrap());
        said.push(passages(&merged).into());
        let end =
            |capture, number| AtOneEnd { capture, connection: Capture::mptcp_connection(capture, number).unwrap() };
        let (one, other) = (end(first, connection), end(second, best.mapped));
        let pair = ConnectionPair::new(one, other, pairs, best.flipped).unwrap();
        said.push(serde_json::to_value(qualify_reinjections(&pair, &merged, None)).unwrap());
    }
    (said, scores)
}

/// Every packet's fate and times: what `merge`, `owd` and `clock` are made of.
fn passages(merged: &Merged) -> String {
    let text = |passage: &Passage| format!("{passage:?}\n");
    merged.flows.iter().flat_map(|flow| &flow.passages).map(text).collect()
}

#[test]
fn a_shift_of_timestamps_changes_nothing() {
    let Some(folder) = scenarios::folder() else { return };
    for name in SCENARIOS {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let expected = [said(&client, &server), said(&server, &client)];
        for shifting in [shifted as fn(StreamId, Role, (u32, u32)) -> _, shifted_throughout] {
            let directory = tempfile::tempdir().unwrap();
            let shifted = behind(&scenario, directory.path(), &shifting);
            for (got, expected) in [said(&client, &shifted), said(&shifted, &client)].iter().zip(&expected) {
                let different = got.0.iter().zip(&expected.0).find(|(got, expected)| got != expected);
                assert_eq!(different, None, "{name}");
                assert_eq!(got.0.len(), expected.0.len(), "{name}");
                // Of a handful of packets a few bits tell the shift, and other packets are sampled.
                let scores = || got.1.iter().zip(&expected.1);
                assert!(scores().all(|(got, expected)| (got - expected).abs() <= 16.0), "{name}");
            }
        }
    }
}

/// Boxes whose timestamps nothing fits, and such that remove them.
fn unfit() -> Vec<(&'static str, Box<Shifting>)> {
    let random = |value: u32, echo: u32| value.rotate_left(echo % 31).wrapping_mul(0x85eb_ca6b) | 1;
    vec![
        ("rewritten packet by packet", Box::new(move |_, _, (v, e)| Some((random(v, e), random(e, v))))),
        ("removed", Box::new(|_, _, _| None)),
        ("removed towards the client", Box::new(|_, to, both| (to == Role::Server).then_some(both))),
        (
            "rewritten towards the server",
            Box::new(move |_, to, (v, e)| Some(if to == Role::Server { (random(v, e), e) } else { (v, e) })),
        ),
        ("shifted from the middle on", Box::new(|_, _, (v, e)| Some((v + (v & 0x400) * 9, e)))),
    ]
}

#[test]
fn without_timestamps_that_fit_lost_is_what_the_path_dropped() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["01_basic", "06_lossy", "06c_lossy_blackouts", "17_halfclose_server_first", "16b_gso"] {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let pairs = crate::analysis::merge::by_endpoints(&client, &server);
        for (what, shifting) in unfit() {
            let directory = tempfile::tempdir().unwrap();
            let server = behind(&scenario, directory.path(), &*shifting);
            let merged = merge(&client, &server, &pairs).unwrap();
            let lost = sorted(frames_of(&merged, (&client, &server), |passage| passage.fate == Fate::Lost));
            let dropped = relayed(&scenario, &DROPS);
            let different: Vec<_> = lost.iter().filter(|frame| !dropped.contains(frame)).collect();
            assert_eq!(different, Vec::<&Frame>::new(), "{name}, {what}");
            let different: Vec<_> = dropped.iter().filter(|frame| !lost.contains(frame)).collect();
            assert_eq!(different, Vec::<&Frame>::new(), "{name}, {what}");
            assert_eq!(lost, dropped, "{name}, {what}");
            let mapper = Mapper::new(&client, &server).unwrap();
            for pair in &pairs {
                assert_eq!(mapper.the_tcp(pair.first).unwrap().pair, *pair, "{name}, {what}");
            }
        }
    }
}

/// A plain TCP stream behind a firewall that shifts sequence numbers and timestamps: nothing but lengths is left.
#[test]
fn sequence_numbers_and_timestamps_may_both_be_shifted() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("09c_fb_plain_server");
    let (client, server) = both_ends(&scenario).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let target: PathBuf = directory.path().join("server.pcap");
    let source = end_of(&scenario, "server").unwrap();
    let mut rows = server.segments.iter().zip(&server.tracking.packets).peekable();
    rewrite(&source, &target, |number, bytes| {
        let Some((segment, packet)) = rows.next_if(|(segment, _)| segment.packetid() == number) else { return true };
        let towards = server.tracking.stream(packet.stream).unwrap().towards(packet);
        let numbers = [segment.sequence.to_be_bytes(), segment.acknowledgement.to_be_bytes()].concat();
        let ends = server.segments.ends(segment);
        let ports = [ends.source.port.to_be_bytes(), ends.destination.port.to_be_bytes()].concat();
        let wanted = [ports, numbers].concat();
        let at = bytes.windows(12).position(|window| window == wanted).unwrap();
        let (own, peer) = if towards == Role::Server { (1_000_000, 0) } else { (0, 1_000_000) };
        bytes[at + 4..at + 8].copy_from_slice(&segment.sequence.wrapping_add(own).to_be_bytes());
        if segment.has(0x10) {
            bytes[at + 8..at + 12].copy_from_slice(&segment.acknowledgement.wrapping_add(peer).to_be_bytes());
        }
        if let Some(timestamps) = segment.timestamps() {
            let at = timestamps_option(bytes, timestamps).unwrap();
            let (value, echo) = shifted(packet.stream, towards, timestamps).unwrap();
            bytes[at + 2..at + 6].copy_from_slice(&value.to_be_bytes());
            bytes[at + 6..at + 10].copy_from_slice(&echo.to_be_bytes());
        }
        true
    });
    let shifted = scenarios::load(&target).unwrap();
    let mapper = Mapper::new(&client, &shifted).unwrap();
    for pair in crate::analysis::merge::by_endpoints(&client, &server) {
        assert_eq!(mapper.the_tcp(pair.first).unwrap().pair, pair);
        let expected = passages(&merge(&client, &server, &[pair]).unwrap());
        assert_eq!(passages(&merge(&client, &shifted, &[pair]).unwrap()), expected);
    }
}
