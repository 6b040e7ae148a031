//! Two captures put together, against what the emulated path wrote down of every frame.

use std::collections::BTreeMap;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use mptcpanalyzer::analysis::mapping::StreamPair;
use mptcpanalyzer::analysis::merge::{Fate, Flow, Merged, Passage, merge};
use mptcpanalyzer::tracking::{Capture, Role};
use serde_json::Value;

use crate::scenarios;

/// What a frame is known by: source and its port, destination and its port, sequence and acknowledgement number,
/// flags, payload.
type Frame = (IpAddr, u16, IpAddr, u16, u32, u32, u16, u32);

pub fn both_ends(scenario: &Path) -> Option<(Arc<Capture>, Arc<Capture>)> {
    let end = |name: &str| {
        ["pcapng", "pcap"].iter().map(|ending| scenario.join(format!("{name}.{ending}"))).find(|path| path.is_file())
    };
    Some((scenarios::load(&end("client")?)?, scenarios::load(&end("server")?)?))
}

/// Streams with the same endpoints, first with first, second with second: right where no address is translated.
pub fn by_endpoints(first: &Capture, second: &Capture) -> Vec<StreamPair> {
    let mut left: BTreeMap<_, Vec<u32>> = BTreeMap::new();
    for stream in second.tracking.streams.iter().rev() {
        left.entry((stream.client, stream.server)).or_default().push(stream.id);
    }
    let pairs = first.tracking.streams.iter().filter_map(|stream| {
        let second = left.get_mut(&(stream.client, stream.server))?.pop()?;
        Some(StreamPair { first: stream.id, second, flipped: false })
    });
    pairs.collect()
}

fn frames_of<'a>(
    merged: &'a Merged,
    captures: (&'a Capture, &'a Capture),
    wanted: impl Fn(&Passage) -> bool + 'a,
) -> impl Iterator<Item = Frame> + 'a {
    let of_flow = move |flow: &'a Flow| {
        let capture = flow.sender.of(captures.0, captures.1);
        let passages = flow.passages.iter().filter(|passage| wanted(passage)).copied().collect::<Vec<_>>();
        passages.into_iter().map(move |passage| {
            let segment = &capture.segments[passage.sender.expect("the sender has it") as usize];
            (
                segment.source,
                segment.source_port,
                segment.destination,
                segment.destination_port,
                segment.sequence,
                if segment.flags & 0x10 == 0 { 0 } else { segment.acknowledgement },
                segment.flags & 0xff,
                passage.length,
            )
        })
    };
    merged.flows.iter().flat_map(of_flow)
}

/// The TCP frames that the path treated so.
fn relayed(scenario: &Path, kinds: &[&str]) -> Vec<Frame> {
    let text = fs::read_to_string(scenario.join("relay_events.jsonl")).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wanted = events.filter(|event| event["ev"].as_str().is_some_and(|kind| kinds.contains(&kind)));
    let frames = wanted.filter(|event| event.get("seq").is_some()).map(|event| {
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
    });
    let mut frames: Vec<Frame> = frames.collect();
    frames.sort_unstable();
    frames
}

const DROPS: [&str; 6] = ["drop_queue", "drop_loss", "drop_blackhole", "drop_syn", "drop_join_syn", "drop_nth"];

fn sorted(frames: impl Iterator<Item = Frame>) -> Vec<Frame> {
    let mut frames: Vec<Frame> = frames.collect();
    frames.sort_unstable();
    frames
}

#[test]
fn lost_packets_are_those_that_the_path_dropped() {
    let Some(folder) = scenarios::folder() else { return };
    for (name, dropped) in
        [("01_basic", 73), ("06_lossy", 207), ("06b_reorder_dup", 520), ("06c_lossy_blackouts", 921)]
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
            let unseen = |passage: &&Passage| {
                matches!(passage.fate, Fate::NotCapturedAtReceiver | Fate::NotCapturedAtSender)
            };
            let passages = || merged.flows.iter().flat_map(|flow| &flow.passages);
            assert_eq!(passages().find(unseen), None, "{name}");
            // Every packet of either capture is there, and no octet of its payload twice.
            let rows = |row: fn(&Passage) -> Option<u32>| {
                let mut rows: Vec<u32> = passages().filter_map(row).collect();
                rows.sort_unstable();
                rows.dedup();
                rows.len()
            };
            assert_eq!(
                rows(|passage| passage.sender) + rows(|passage| passage.receiver),
                merged.flows.iter().map(|flow| rows_of(flow, first, second)).sum::<usize>(),
                "{name}"
            );
        }
    }
}
