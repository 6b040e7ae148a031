//! The other end's capture begun late and ended early: what was lost is what the emulated path dropped while both ran.

use mptcpanalyzer::packets::LoadedCapture;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use mptcp_trace::analysis::loss::losses;
use mptcp_trace::analysis::merge::{Fate, Merged, Passage, Which, merge};
use mptcp_trace::tracking::Capture;
use serde_json::Value;

use crate::analysis::merge::{DROPS, Frame, both_ends, by_endpoints, end_of, frames_of};
use crate::support::rewritten::rewrite;
use crate::support::scenarios;

/// No packet of these scenarios takes longer: 30 ms of delay, 64 KB of queue at 6 Mbit/s, and what holds packets back.
const LONGEST: f64 = 0.15;

/// What was sent that long before the end of a capture has arrived, whatever the capture shows of delays.
const SURE: f64 = 0.22;

/// A capture without the frames whose number is not in `kept`.
pub fn cut(source: &Path, directory: &Path, kept: std::ops::Range<u64>) -> Arc<LoadedCapture> {
    let target = directory.join(source.file_name().unwrap());
    rewrite(source, &target, |number, _| kept.contains(&number));
    scenarios::load(&target).unwrap()
}

/// When the path dropped TCP frames, by what they are known by; seconds since 1970.
fn drops(scenario: &Path) -> BTreeMap<Frame, Vec<f64>> {
    let text = std::fs::read_to_string(scenario.join("relay_events.jsonl")).unwrap();
    let mut found: BTreeMap<Frame, Vec<f64>> = BTreeMap::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        if event["ev"].as_str().is_some_and(|kind| DROPS.contains(&kind)) && event.get("seq").is_some() {
            found.entry(crate::analysis::merge::frame(&event)).or_default().push(event["t"].as_f64().unwrap());
        }
    }
    found
}

fn recorded(capture: &Capture) -> (f64, f64) {
    #[allow(clippy::cast_precision_loss)]
    let times = || capture.segments.iter().map(|segment| segment.abstime.nanoseconds() as f64 / 1e9);
    (times().fold(f64::MAX, f64::min), times().fold(f64::MIN, f64::max))
}

/// Packets of `fate` that the capture `from` sent, with when they were sent.
fn of_fate(merged: &Merged, captures: (&Capture, &Capture), from: Which, fate: Fate) -> BTreeMap<Frame, Vec<f64>> {
    let mut found: BTreeMap<Frame, Vec<f64>> = BTreeMap::new();
    for flow in merged.flows.iter().filter(|flow| flow.sender == from) {
        let of_flow = Merged { flows: vec![flow.clone()], ..merged.clone() };
        let passages = flow.passages.iter().filter(|passage| passage.fate == fate);
        #[allow(clippy::cast_precision_loss)]
        let times = passages.map(|passage| passage.sent.unwrap().nanoseconds() as f64 / 1e9);
        let frames = frames_of(&of_flow, captures, move |passage| passage.fate == fate);
        for (frame, time) in frames.zip(times) {
            found.entry(frame).or_default().push(time);
        }
    }
    found
}

fn number(of: &BTreeMap<Frame, Vec<f64>>) -> usize {
    of.values().map(Vec::len).sum()
}

/// Both ends in turn are cut at both sides, at several places.
#[test]
fn lost_is_what_the_path_dropped_while_both_captures_ran() {
    let Some(folder) = scenarios::folder() else { return };
    let (mut exact, mut compared) = (0, 0);
    for name in ["01_basic", "06_lossy", "06b_reorder_dup", "06c_lossy_blackouts"] {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let dropped = drops(&scenario);
        for (end, whole, other) in [("server", &client, &server), ("client", &server, &client)] {
            let packets = other.segments.last().unwrap().packetid();
            for (from, until) in [(10, 90), (20, 55), (37, 71), (45, 60)] {
                let directory = tempfile::tempdir().unwrap();
                let kept = packets * from / 100..packets * until / 100;
                let part = cut(&end_of(&scenario, end).unwrap(), directory.path(), kept);
                let (begin, finish) = recorded(&part);
                let pairs = by_endpoints(whole, &part);
                let merged = merge(whole, &part, &pairs).unwrap();
                let label = format!("{name} {end} {from} to {until}");
                let of = |fate| of_fate(&merged, (whole, &part), Which::First, fate);
                let (lost, outside) = (of(Fate::Lost), of(Fate::OutsideCapture));
                let from_whole = |frame: &&Frame| (frame.0.to_string() == "10.0.1.2") == (end == "client");
                let mut near = 0;
                for (frame, times) in dropped.iter().filter(|(frame, _)| from_whole(frame)) {
                    // A drop that would have arrived in time, whatever the delay; and those that may have.
                    let sure = times.iter().filter(|time| **time >= begin + 0.02 && **time + SURE <= finish).count();
                    let may_be = times.iter().filter(|time| **time + LONGEST >= begin && **time <= finish).count();
                    let lost = lost.get(frame).map_or(0, Vec::len);
                    assert!((sure..=may_be).contains(&lost), "{label}: {frame:?}: {lost} of {sure} to {may_be}");
                    near += may_be - sure;
                }
                let never_dropped: Vec<_> = lost.iter().filter(|(frame, _)| !dropped.contains_key(frame)).collect();
                assert_eq!(never_dropped, [], "{label}: {begin} to {finish}");
                exact += usize::from(near == 0 && number(&lost) > 0);
                // What arrived while the other capture did not run was not lost.
                let unseen = of(Fate::NotCapturedAtReceiver);
                assert_eq!(unseen, BTreeMap::new(), "{label} {begin} {finish}");
                let sent: Vec<f64> = outside.values().flatten().copied().collect();
                assert!(sent.iter().all(|time| *time <= begin || *time + SURE >= finish), "{label}");
                for loss in losses(&merged) {
                    let judged = loss.sent_packets - loss.outside_capture;
                    #[allow(clippy::cast_precision_loss)]
                    let share = (judged > 0).then(|| loss.lost_packets as f64 / judged as f64);
                    assert_eq!(loss.loss, share, "{label}");
                }
                compared += number(&lost);
            }
        }
    }
    println!("{compared} lost packets compared; {exact} cuts with none near their ends");
    assert!(compared > 1000, "{compared}");
    assert!(exact > 0);
}

/// Rows at the sender and the receiver, and what became of the packet.
type Told = (Option<u32>, Option<u32>, Fate);

/// The clock of the other end changes nothing, whatever it shows.
#[test]
fn the_clock_of_the_cut_capture_does_not_matter() {
    let Some(folder) = scenarios::folder() else { return };
    for (shifted, base) in [
        ("14a_offset_02", "02_fullmesh"),
        ("14a_offset_06", "06_lossy"),
        ("14b_skew200ppm", "02_fullmesh"),
        ("14c_skew_minus5000ppm", "02_fullmesh"),
    ] {
        let fates = |name: &str| -> Vec<Vec<Passage>> {
            let scenario = folder.join(name);
            let (client, server) = both_ends(&scenario).unwrap();
            let packets = server.segments.last().unwrap().packetid();
            let directory = tempfile::tempdir().unwrap();
            let part = cut(&end_of(&scenario, "server").unwrap(), directory.path(), packets / 4..packets * 2 / 3);
            let merged = merge(&client, &part, &by_endpoints(&client, &part)).unwrap();
            merged.flows.into_iter().map(|flow| flow.passages).collect()
        };
        let (found, expected) = (fates(shifted), fates(base));
        let told = |flows: &[Vec<Passage>]| -> Vec<Told> {
            flows
                .iter()
                .flatten()
                .map(|passage| (passage.sender.map(|row| row.0), passage.receiver.map(|row| row.0), passage.fate))
                .collect()
        };
        let (found, expected) = (told(&found), told(&expected));
        assert!(expected.iter().any(|(.., fate)| *fate == Fate::OutsideCapture), "{base}");
        assert_eq!(found.len(), expected.len(), "{shifted}");
        let different: Vec<_> = found.iter().zip(&expected).filter(|(one, other)| one != other).collect();
        // A clock that runs slow by 5 ms a second makes delays differ, so that fewer packets are sure to have arrived.
        let drifts = shifted == "14c_skew_minus5000ppm";
        let less_sure = |(one, other): &(&Told, &Told)| (one.2, other.2) == (Fate::OutsideCapture, Fate::Lost);
        assert!(different.iter().all(less_sure) && different.len() <= 2 * usize::from(drifts), "{different:?}");
    }
}
