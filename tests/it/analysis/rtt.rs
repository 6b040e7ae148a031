//! Round trips against the configured delay of the paths, the kernel's own measurement and Wireshark's.

use mptcpanalyzer::packets::LoadedCapture;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::analysis::rtt::{RttLevel, Series, rtt};
use mptcp_trace::tracking::{Capture, Role};
use mptcp_trace::{ConnectionId, Span, StreamId};
use serde_json::Value;

use crate::support::program::{Home, examples};
use crate::support::scenarios;

/// Both ends' captures of the scenarios whose paths keep their delay.
const STEADY: [&str; 5] = ["01_basic", "02_fullmesh", "05_backup_failover", "06_lossy", "11_nat"];

fn capture(scenario: &str, end: &str) -> Option<(PathBuf, Arc<LoadedCapture>)> {
    let folder = scenarios::folder()?.join(scenario);
    let path = ["pcap", "pcapng"].iter().map(|ending| folder.join(format!("{end}.{ending}"))).find(|p| p.is_file())?;
    let capture = scenarios::load(&path)?;
    Some((path, capture))
}

fn series(capture: &Capture) -> Vec<Series> {
    rtt(capture, capture.mptcp_connection(ConnectionId(0)).unwrap()).series
}

/// Smallest sample of these levels, seconds.
fn smallest(series: &[Series], stream: StreamId, towards: Role, levels: &[RttLevel]) -> Option<f64> {
    let wanted =
        series.iter().filter(|s| s.tcpstream == Some(stream) && s.towards == towards && levels.contains(&s.level));
    wanted.filter_map(|series| series.record().distribution.min).min_by(f64::total_cmp)
}

/// What the truth says of the client's subflow in this stream: its path's delay there and back, seconds; the kernel's
/// smallest round trip, seconds.
fn truth(path: &Path, capture: &Capture, stream: StreamId) -> (f64, Option<f64>) {
    let truth = scenarios::json(path, "truth.json").unwrap();
    let client = capture.tracking.stream(stream).unwrap().client;
    // The third byte of the client's address is the number of the path.
    let name = client.to_string().split('.').nth(2).unwrap().to_string();
    let delay = truth["paths"][&name]["delay_us"].as_f64().unwrap() * 2e-6;
    let subflows = &truth["app_client"]["connections"][0]["info_before_shutdown"]["subflows"];
    let own = subflows.as_array().unwrap().iter().find(|s| s["local"] == client.to_string());
    (delay, own.and_then(|subflow| subflow["min_rtt_us"].as_f64()).map(|microseconds| microseconds * 1e-6))
}

#[test]
fn the_clients_smallest_round_trips_are_the_paths_and_the_kernels() {
    for scenario in STEADY {
        let Some((path, capture)) = capture(scenario, "client") else { return };
        let series = series(&capture);
        let mut handshakes = 0;
        for stream in &capture.mptcp_connection(ConnectionId(0)).unwrap().subflows {
            let (delay, kernel) = truth(&path, &capture, *stream);
            if let Some(found) = smallest(&series, *stream, Role::Server, &[RttLevel::Handshake]) {
                // A SYN and its answer take 40 µs each at 20 Mbit/s, twice that on the slower path.
                assert!(
                    (delay..delay + 0.000_5 + 0.000_16).contains(&found),
                    "{scenario} {stream}: {found}, not {delay}"
                );
                handshakes += 1;
            }
            // The kernel's clock ticks in milliseconds where it measures by timestamps, which makes less of it; and its
            // measure includes what its own queues and the socket's lock add, which the capture does not see.
            let levels = [RttLevel::Handshake, RttLevel::Tcp];
            let smallest = smallest(&series, *stream, Role::Server, &levels).expect("a subflow with samples");
            let kernel = kernel.expect("a subflow that the kernel lists");
            assert!(
                (-0.001..0.001_5).contains(&(kernel - smallest)),
                "{scenario} {stream}: {smallest}, the kernel has {kernel}"
            );
            println!("{scenario} {stream}: smallest {smallest}, the kernel has {kernel}");
            let stamps = smallest_of(&series, *stream, RttLevel::Timestamp);
            assert!(stamps > delay && stamps < delay + 0.002, "{scenario} {stream}: {stamps} by timestamps");
        }
        assert!(handshakes >= 2 || scenario == "06_lossy", "{scenario}: only {handshakes} handshakes");
    }
}

fn smallest_of(series: &[Series], stream: StreamId, level: RttLevel) -> f64 {
    smallest(series, stream, Role::Server, &[level]).expect("samples")
}

#[test]
fn the_place_of_capture_is_found() {
    for scenario in STEADY {
        for (end, place) in [("client", SeenFrom::Sender), ("server", SeenFrom::Receiver)] {
            let Some((_, capture)) = capture(scenario, end) else { return };
            for series in series(&capture).iter().filter(|series| series.towards == Role::Server) {
                assert_eq!(series.capture_point, Some(place), "{scenario}/{end} stream {:?}", series.tcpstream);
            }
        }
    }
}

/// Each of our samples is Wireshark's for that packet. Wireshark has more: of bytes that were sent twice (no Karn's
/// rule) and of those that SACK had reported before.
#[test]
fn acknowledgements_agree_with_wireshark() {
    for scenario in ["01_basic", "02_fullmesh"] {
        let Some((path, capture)) = capture(scenario, "client") else { return };
        let lines = scenarios::tshark(&path, &["frame.number", "tcp.analysis.ack_rtt"]);
        let wireshark: HashMap<u64, Span> = lines
            .iter()
            .filter_map(|line| line.split_once('\t'))
            .filter_map(|(frame, span)| Some((frame.parse().ok()?, Span::rounded(span.parse().ok()?))))
            .collect();
        let (mut same, mut other, mut lacking) = (0, Vec::new(), 0);
        for series in series(&capture).iter().filter(|s| matches!(s.level, RttLevel::Handshake | RttLevel::Tcp)) {
            for sample in &series.samples {
                let frame = capture.segments[sample.row.index()].packetid();
                match wireshark.get(&frame) {
                    Some(span) if *span == sample.span => same += 1,
                    Some(span) => other.push((frame, *span, sample.span)),
                    None => lacking += 1,
                }
            }
        }
        println!("{scenario}: {same} same, {other:?} differ, {lacking} only here, {} of Wireshark", wireshark.len());
        assert!(other.is_empty(), "{scenario}: {other:?}");
        assert!(same > 500 && same * 2 > wireshark.len(), "{scenario}: only {same} of {} in common", wireshark.len());
        assert!(lacking * 50 < same, "{scenario}: {lacking} are not Wireshark's");
    }
}

#[test]
fn the_command_prints_the_documented_shape() {
    let Some(examples) = examples() else { return };
    let home = Home::new();
    let file = examples.join("client.pcapng");
    let file = file.to_str().unwrap();
    let done = home.run(&["--load", file, "rtt", "0", "--format", "json"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    let rows: Vec<Value> = serde_json::from_str(&done.results).unwrap();
    let whole: Vec<&Value> = rows.iter().filter(|row| row["tcpstream"].is_null()).collect();
    assert_eq!(whole.len(), 2, "the connection once a direction");
    for row in &rows {
        let spread: Vec<f64> =
            ["min", "p25", "median", "p75", "p99", "max"].iter().filter_map(|key| row[key].as_f64()).collect();
        assert!(spread.is_sorted(), "{row}");
        assert_eq!(spread.len(), if row["samples"] == 0 { 0 } else { 6 }, "{row}");
        assert!(["handshake", "tcp", "timestamp", "data"].contains(&row["level"].as_str().unwrap()), "{row}");
    }
    let table = home.run(&["--load", file, "rtt", "0", "--towards", "server"], "");
    assert_eq!(table.code, Some(0), "{table:?}");
    let rows = table.results.lines().take_while(|line| !line.is_empty());
    assert!(rows.clone().count() > 3 && rows.clone().all(|line| line.chars().count() <= 80), "{}", table.results);
    assert!(table.results.contains("full round trips"), "{}", table.results);
}
