//! Two captures put together, against what the emulated path wrote down of every frame.

use mptcpanalyzer::packets::LoadedCapture;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use mptcp_trace::StreamId;
use mptcp_trace::analysis::mapping::StreamPair;
use mptcp_trace::analysis::merge::{Fate, Merged, Passage, SideEvidence, StreamPassages, merge};
use mptcp_trace::tracking::{Capture, Role};
use serde_json::Value;

use crate::support::scenarios;

/// What a frame is known by: source and its port, destination and its port, sequence and acknowledgement number,
/// flags, payload.
pub type Frame = (IpAddr, u16, IpAddr, u16, u32, u32, u16, u32);

pub fn both_ends(scenario: &Path) -> Option<(Arc<LoadedCapture>, Arc<LoadedCapture>)> {
    Some((scenarios::load(&end_of(scenario, "client")?)?, scenarios::load(&end_of(scenario, "server")?)?))
}

/// The capture of one end of a scenario.
pub fn end_of(scenario: &Path, end: &str) -> Option<PathBuf> {
    ["pcapng", "pcap"].iter().map(|ending| scenario.join(format!("{end}.{ending}"))).find(|path| path.is_file())
}

/// Streams with the same endpoints, first with first, second with second: right where no address is translated.
pub fn by_endpoints(first: &Capture, second: &Capture) -> Vec<StreamPair> {
    let mut left: BTreeMap<_, Vec<StreamId>> = BTreeMap::new();
    for stream in second.tracking.streams.iter().rev() {
        left.entry((stream.client, stream.server)).or_default().push(stream.id);
    }
    let pairs = first.tracking.streams.iter().filter_map(|stream| {
        let second = left.get_mut(&(stream.client, stream.server))?.pop()?;
        Some(StreamPair { first: stream.id, second, flipped: false })
    });
    pairs.collect()
}

pub fn frames_of<'a>(
    merged: &'a Merged,
    captures: (&'a Capture, &'a Capture),
    wanted: impl Fn(&Passage) -> bool + 'a,
) -> impl Iterator<Item = Frame> + 'a {
    let of_flow = move |flow: &'a StreamPassages| {
        let capture = flow.sender.of(captures.0, captures.1);
        let passages = flow.passages.iter().filter(|passage| wanted(passage)).copied().collect::<Vec<_>>();
        passages.into_iter().map(move |passage| {
            let segment = &capture.segments[passage.sender.expect("the sender has it").index()];
            let ends = capture.segments.ends(segment);
            (
                ends.source.address,
                ends.source.port,
                ends.destination.address,
                ends.destination.port,
                segment.sequence,
                if segment.flags() & 0x10 == 0 { 0 } else { segment.acknowledgement },
                segment.flags() & 0xff,
                passage.length,
            )
        })
    };
    merged.flows.iter().flat_map(of_flow)
}

/// What an event of the path is about.
pub fn frame(event: &Value) -> Frame {
    let number = |key: &str| u32::try_from(event[key].as_u64().unwrap()).unwrap();
    let flags = u16::try_from(number("flags")).unwrap();
    (
        event["src"].as_str().unwrap().parse().unwrap(),
        u16::try_from(number("sport")).unwrap(),
        event["dst"].as_str().unwrap().parse().unwrap(),
        u16::try_from(number("dport")).unwrap(),
        number("seq"),
        if flags & 0x10 == 0 { 0 } else { number("ack") },
        flags,
        number("plen"),
    )
}

/// The TCP frames that the path treated so.
pub fn relayed(scenario: &Path, kinds: &[&str]) -> Vec<Frame> {
    let text = fs::read_to_string(scenario.join("relay_events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wanted = events.filter(|event| event["ev"].as_str().is_some_and(|kind| kinds.contains(&kind)));
    let frames = wanted.filter(|event| event.get("seq").is_some()).map(|event| frame(&event));
    let mut frames: Vec<Frame> = frames.collect();
    frames.sort_unstable();
    frames
}

/// What the path calls a frame that it dropped.
pub const DROPS: [&str; 6] = ["drop_queue", "drop_loss", "drop_blackhole", "drop_syn", "drop_join_syn", "drop_nth"];

pub fn sorted(frames: impl Iterator<Item = Frame>) -> Vec<Frame> {
    let mut frames: Vec<Frame> = frames.collect();
    frames.sort_unstable();
    frames
}

#[test]
fn lost_packets_are_those_that_the_path_dropped() {
    let Some(folder) = scenarios::folder() else { return };
    for (name, dropped) in [("01_basic", 73), ("06_lossy", 207), ("06b_reorder_dup", 520), ("06c_lossy_blackouts", 921)]
    {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        for (first, second) in [(&client, &server), (&server, &client)] {
            let merged = merge(first, second, &by_endpoints(first, second)).unwrap();
            assert_eq!(merged.evidence, SideEvidence::RoundTrips);
            let by_fate = |fate| sorted(frames_of(&merged, (first, second), move |passage| passage.fate == fate));
            let expected = relayed(&scenario, &DROPS);
            assert_eq!(expected.len(), dropped, "{name}");
            assert_eq!(by_fate(Fate::Lost), expected, "{name}");
            assert_eq!(by_fate(Fate::Duplicate), relayed(&scenario, &["dup"]), "{name}");
            // Both captures dropped nothing.
            let unseen = |passage: &&Passage| passage.fate.name().starts_with("not_captured");
            let passages = || merged.flows.iter().flat_map(|flow| &flow.passages);
            assert_eq!(passages().find(unseen), None, "{name}");
        }
    }
}

#[test]
fn reordered_packets_are_those_that_the_path_held_back() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("06b_reorder_dup");
    let (client, server) = both_ends(&scenario).unwrap();
    let merged = merge(&client, &server, &by_endpoints(&client, &server)).unwrap();
    let found = sorted(frames_of(&merged, (&client, &server), |passage| passage.reordered));
    let held_back = relayed(&scenario, &["reorder"]);
    assert_eq!(held_back.len(), 128);
    // Linux numbers a connection's packets one by one: an arrival is late when a higher number came before it. Of those
    // held back one was overtaken by nothing but its own copy, and one by nothing at all.
    let overtaken: Vec<Frame> = [(&server, "client"), (&client, "server")]
        .into_iter()
        .flat_map(|(capture, sender)| overtaken(capture, sender))
        .filter(|frame| held_back.contains(frame))
        .collect();
    assert_eq!(found, sorted(overtaken.into_iter()));
    assert_eq!(found.len(), 126);
}

/// Packets from `sender` that arrived first behind one with a higher IPv4 identification of the same stream.
fn overtaken(capture: &Capture, sender: &str) -> Vec<Frame> {
    let mut late = Vec::new();
    for stream in &capture.tracking.streams {
        let mut highest: Option<u16> = None;
        let mut seen = HashSet::new();
        for row in &stream.packets {
            let segment = &capture.segments[row.index()];
            let ends = capture.segments.ends(segment);
            let from_client = ends.source == stream.client;
            if from_client != (sender == "client") || segment.has(0x02) {
                continue;
            }
            let identification = capture.frames.ip_id(*row).unwrap();
            if !seen.insert(identification) {
                continue;
            }
            let ahead = highest.is_none_or(|highest| identification.wrapping_sub(highest).cast_signed() >= 0);
            if ahead {
                highest = Some(identification);
            } else {
                late.push((
                    ends.source.address,
                    ends.source.port,
                    ends.destination.address,
                    ends.destination.port,
                    segment.sequence,
                    segment.acknowledgement,
                    segment.flags() & 0xff,
                    segment.payload().unwrap(),
                ));
            }
        }
    }
    late
}

/// With segmentation offload one frame at one end is several at the other; every byte has one fate all the same.
#[test]
fn every_byte_of_both_captures_has_one_fate() {
    let Some(folder) = scenarios::folder() else { return };
    let mut compared = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let scenario = entry.unwrap().path();
        let Some((client, server)) = both_ends(&scenario) else { continue };
        let pairs = by_endpoints(&client, &server);
        let merged = merge(&client, &server, &pairs).unwrap();
        for flow in &merged.flows {
            let (sender, receiver) = flow.sender.of((&client, &server), (&server, &client));
            let bytes = |fates: &[Fate]| -> u64 {
                let passages = flow.passages.iter().filter(|passage| fates.contains(&passage.fate));
                passages.map(|passage| u64::from(passage.length)).sum()
            };
            let at_sender = bytes(&[Fate::Received, Fate::Lost, Fate::OutsideCapture, Fate::NotCapturedAtReceiver]);
            let at_receiver = bytes(&[Fate::Received, Fate::Duplicate, Fate::NotCapturedAtSender]);
            let label = format!("{} {:?} {:?}", scenario.display(), flow.pair, flow.tcp_towards);
            let (sent_by, received_by) =
                flow.sender.of((flow.pair.first, flow.pair.second), (flow.pair.second, flow.pair.first));
            assert_eq!(at_sender, payload(sender, sent_by, flow.tcp_towards), "{label}");
            assert_eq!(at_receiver, payload(receiver, received_by, flow.tcp_towards), "{label}");
            compared += 1;
        }
    }
    assert!(compared > 700, "{compared}");
}

fn payload(capture: &Capture, stream: StreamId, towards: Role) -> u64 {
    let stream = capture.tracking.stream(stream).unwrap();
    let packets = stream
        .packets
        .iter()
        .filter(|row| stream.towards(&capture.tracking.packets.as_slice()[row.index()]) == towards);
    packets.filter_map(|row| capture.segments[row.index()].payload()).map(u64::from).sum()
}

/// Frames taken out of the receiver's capture are not lost ones: the receiver acknowledged what they brought.
#[test]
fn what_a_capture_lacks_is_not_lost() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("06_lossy");
    let (client, server) = both_ends(&scenario).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let thinned = directory.path().join("server.pcapng");
    // Data towards the server, each the only copy that arrived: 100 of them, from the middle.
    let merged = merge(&client, &server, &by_endpoints(&client, &server)).unwrap();
    let flow = &merged.flows[0];
    assert_eq!(flow.towards(), Role::Server);
    let mut times_sent: BTreeMap<u32, u32> = BTreeMap::new();
    for passage in &flow.passages {
        *times_sent.entry(client.segments[passage.sender.unwrap().index()].sequence).or_default() += 1;
    }
    let once = |passage: &&Passage| {
        let sequence = client.segments[passage.sender.unwrap().index()].sequence;
        passage.fate == Fate::Received && passage.length == 1420 && times_sent[&sequence] == 1
    };
    let gone: Vec<Passage> = flow.passages.iter().filter(once).skip(300).step_by(5).take(100).copied().collect();
    assert_eq!(gone.len(), 100);
    let frames = gone.iter().map(|passage| server.segments[passage.receiver.unwrap().index()].packetid().to_string());
    let source = scenario.join("server.pcapng");
    let status = Command::new("editcap").arg(&source).arg(&thinned).args(frames).status().unwrap();
    assert!(status.success());
    let server = scenarios::load(&thinned).unwrap();
    for (first, second) in [(&client, &server), (&server, &client)] {
        let merged = merge(first, second, &by_endpoints(first, second)).unwrap();
        let unseen = merged.flows.iter().flat_map(|flow| &flow.passages);
        let unseen = unseen.filter(|passage| passage.fate == Fate::NotCapturedAtReceiver).map(|passage| passage.sender);
        assert_eq!(unseen.collect::<Vec<_>>(), gone.iter().map(|passage| passage.sender).collect::<Vec<_>>());
        let lost = sorted(frames_of(&merged, (first, second), |passage| passage.fate == Fate::Lost));
        assert_eq!(lost, relayed(&scenario, &DROPS));
    }
}
