//! What was sent again, and on which side of the place of capture it was lost, against the kernels' counters and the log
//! of the path that dropped packets.

use std::collections::HashMap;
use std::ops::Range;

use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::retransmissions::{SentAgain, sent_again};
use mptcp_trace::tracking::{Capture, Role, Stream, Tracking};
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, Severity, diagnose_connection};
use serde_json::Value;

use crate::analysis::recorded::recordings;
use crate::support::made_mptcp::{ACK, Packet, Path, Wire};
use crate::support::scenarios;

/// Where the packets of a direction go: `10.0.1.1:1>10.0.1.2:2`.
fn flow(stream: &Stream, to_server: bool) -> String {
    let [client, server] = [stream.client, stream.server].map(|end| format!("{}:{}", end.address, end.port));
    if to_server { format!("{client}>{server}") } else { format!("{server}>{client}") }
}

/// Each direction of each subflow: where it goes, the end that sends, and what it sent again.
fn directions(capture: &Capture) -> Vec<(String, Role, SentAgain)> {
    let mut found = Vec::new();
    for connection in &capture.tracking.connections {
        for (index, id) in connection.subflows.iter().enumerate() {
            let (stream, subflow) = (capture.tracking.stream(*id).unwrap(), capture.tracking.subflow(*id).unwrap());
            let sent = sent_again(capture, connection, index);
            for to in Role::BOTH {
                let towards = Tracking::mptcp_towards(subflow, to);
                found.push((flow(stream, to == Role::Server), towards.other(), sent.get(towards).clone()));
            }
        }
    }
    found
}

fn end_of(label: &str) -> Option<Role> {
    [("/client.pcap", Role::Client), ("/server.pcap", Role::Server)]
        .into_iter()
        .find_map(|(name, role)| label.contains(name).then_some(role))
}

#[test]
fn the_sender_s_capture_has_what_its_kernel_counted() {
    let mut compared = 0;
    for path in captures() {
        let label = scenarios::label(&path);
        let (Some(truth), Some(end)) = (scenarios::json(&path, "truth.json"), end_of(&label)) else { continue };
        // Cut short, begun late, or with several connections of one address.
        if label.starts_with("13") || label.starts_with("12") {
            continue;
        }
        let Some(capture) = scenarios::load(&path) else { continue };
        let application = &truth[format!("app_{}", end.name())]["connections"];
        for (flow, sender, sent) in directions(&capture) {
            let counters = application.as_array().into_iter().flatten().find_map(|connection| {
                ["subflows_last_seen", "tcp_info"]
                    .iter()
                    .find_map(|name| connection[*name].get(&flow))
                    .filter(|_| sender == end)
            });
            let Some(counters) = counters else { continue };
            let (Some(bytes), Some(again)) = (counters["bytes_sent"].as_u64(), counters["bytes_retrans"].as_u64())
            else {
                continue;
            };
            // The kernel's numbers are up to 50 ms older than the end of the capture; with GSO the capture has what the kernel
            // handed over, of which the interface makes packets.
            if bytes != sent.throughput {
                continue;
            }
            assert_eq!(sent.captured_before, again, "{label}: {flow}");
            compared += 1;
        }
    }
    println!("{compared} directions are those of the kernels");
    assert!(compared > 80 || scenarios::folder().is_none(), "only {compared} directions compared");
}

/// What the path did to packets: a file beside the capture, or part of its truth.
fn log_of_the_path(path: &std::path::Path) -> Option<Vec<Value>> {
    if let Ok(log) = std::fs::read_to_string(path.parent()?.join("relay_events.jsonl")) {
        return Some(log.lines().map(|line| serde_json::from_str(line).unwrap()).collect());
    }
    scenarios::json(path, "truth.json")?["relay_events"].as_array().cloned()
}

/// The scenarios' captures and those that the project keeps.
fn captures() -> Vec<std::path::PathBuf> {
    let kept = recordings("").into_iter().flat_map(|folder| ["client.pcap", "server.pcap"].map(|end| folder.join(end)));
    scenarios::captures().into_iter().chain(kept.filter(|path| path.is_file())).collect()
}

/// Bytes of each direction that the path dropped, each once, by where they go.
fn dropped(path: &std::path::Path) -> Option<HashMap<String, u64>> {
    let log = log_of_the_path(path)?;
    let mut ranges: HashMap<String, Vec<(u64, u64)>> = HashMap::new();
    let mut first: HashMap<String, u64> = HashMap::new();
    for event in log {
        if !event["ev"].as_str().is_some_and(|kind| kind.starts_with("drop")) {
            continue;
        }
        let (Some(length), Some(seq)) = (event["plen"].as_u64(), event["seq"].as_u64()) else { continue };
        let text = |name: &str| event[name].as_str().unwrap_or("").to_string();
        let flow = format!("{}:{}>{}:{}", text("src"), event["sport"], text("dst"), event["dport"]);
        // Far from the wrap of the numbers.
        let base = *first.entry(flow.clone()).or_insert(seq);
        let start = (seq + (1 << 32) + (1 << 31) - base) % (1 << 32);
        ranges.entry(flow).or_default().push((start, start + length));
    }
    let union = |mut ranges: Vec<(u64, u64)>| {
        ranges.sort_unstable();
        let (mut total, mut reached) = (0, 0);
        for (start, end) in ranges {
            total += end.saturating_sub(start.max(reached));
            reached = reached.max(end);
        }
        total
    };
    Some(ranges.into_iter().map(|(flow, ranges)| (flow, union(ranges))).collect())
}

#[test]
fn what_the_path_dropped_comes_late_into_holes_at_the_receiver() {
    let (mut exact, mut late, mut lost) = (0, 0, 0);
    for path in captures() {
        let label = scenarios::label(&path);
        // Not those made of others, whose packets are not the relay's.
        let Some(end) = end_of(&label).filter(|_| !label.starts_with("13") && !label.starts_with("14")) else {
            continue;
        };
        let (Some(dropped), Some(capture)) = (dropped(&path), scenarios::load(&path)) else { continue };
        for (flow, sender, sent) in directions(&capture) {
            let bytes = dropped.get(&flow).copied().unwrap_or(0);
            if sender == end {
                // What it sent it captured in order.
                assert_eq!(sent.into_holes, 0, "{label}: {flow}");
                continue;
            }
            // Reordering, in 06b, is not loss. What was last before a pause opens no hole.
            assert!(sent.into_holes <= bytes, "{label}: {flow}: {} of {bytes}", sent.into_holes);
            exact += usize::from(bytes > 0 && sent.into_holes == bytes);
            late += sent.into_holes;
            lost += bytes;
        }
    }
    println!("{exact} directions to the byte; {late} of {lost} bytes dropped came late into holes");
    assert!((exact > 40 && late * 100 > lost * 97) || scenarios::folder().is_none());
}

const PATH: Path = Path { client: 1, server: 101, port: 5001, delay: 0.010 };

/// The server sends 100 packets of 1000 bytes, some of them again 100 ms later; `lost`: their first copy is not captured.
fn download(place: f64, again: Range<u32>, lost: bool) -> Option<Finding> {
    let mut wire = Wire::at(place);
    wire.connect(&PATH, false);
    let mut send = |time: f64, number: u32| {
        wire.data(time + f64::from(number) * 0.001, &PATH, number * 1000 + 1, 1000);
    };
    for number in (0..100).filter(|number| !(lost && again.contains(number))) {
        send(0.2, number);
    }
    for number in again {
        send(0.35, number);
    }
    wire.up(0.6, &PATH, &Packet { flags: ACK, seq: 101, ack: 100_001, ..Packet::default() });
    let capture = wire.capture();
    let findings = diagnose_connection(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), None);
    findings.into_iter().find(|finding| finding.finding == FindingKind::Retransmissions)
}

#[test]
fn one_percent_is_a_notice_and_five_are_a_problem() {
    assert_eq!(download(1.0, 10..11, false), None, "1 of 101 packets");
    let notice = download(1.0, 10..12, false).unwrap();
    assert_eq!((notice.severity, notice.packet_count), (Severity::Notice, 2));
    assert!(notice.detail.starts_with("towards the client, 2000 of 102000 bytes sent were retransmitted (2.0 %)"));
    assert_eq!(download(1.0, 10..15, false).unwrap().severity, Severity::Notice, "5 of 105 packets");
    assert_eq!(download(1.0, 10..16, false).unwrap().severity, Severity::Problem, "6 of 106 packets");
}

#[test]
fn where_it_was_lost_depends_on_the_place_of_capture() {
    let meaning = |place, lost| {
        let finding = download(place, 10..16, lost).unwrap();
        assert!(finding.detail.contains("6000 of 106000 bytes"), "{}", finding.detail);
        finding.meaning.to_string()
    };
    assert_eq!(meaning(1.0, false), "the path or the receiving host lost the packets");
    assert_eq!(meaning(0.0, true), "the path lost the packets");
    assert!(meaning(0.0, false).starts_with("the first copies had reached the receiver"));
    assert!(meaning(1.0, true).starts_with("the packets were lost at the sender, before the place of capture"));
    assert_eq!(meaning(0.5, true), "the packets were lost between the sender and the place of capture");
    assert_eq!(meaning(0.5, false), "the packets were lost between the place of capture and the receiver");
}
