//! Packets that the path doubled: the path's own log says which.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::analysis::recorded::{said, towards};
use crate::support::scenarios;

/// Frames by raw sequence number, flags and payload length, and how often.
type Frames = BTreeMap<(u64, u64, u64), usize>;

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a number"))
}

#[test]
fn each_frame_that_the_path_doubled_is_found_and_no_other() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("06b_reorder_dup");
    let log = fs::read_to_string(scenario.join("relay_events.jsonl")).unwrap();
    let log: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (role, end, direction) in [("server", "server.pcapng", "c2s"), ("client", "client.pcapng", "s2c")] {
        let capture = scenario.join(end);
        let doubled = log.iter().filter(|event| event["ev"] == "dup" && event["dir"] == direction);
        let mut right = Frames::new();
        for frame in doubled.clone() {
            *right.entry((number(&frame["seq"]), number(&frame["flags"]), number(&frame["plen"]))).or_default() += 1;
        }
        let columns = ["packetid", "duplicate_of", "tcpseq_raw", "tcpflags", "tcplen", "retransmission", "tcpdest"];
        let dump = [&["dump"][..], &columns, &["--where", "duplicate_of is not null", "-n", "0"]].concat();
        let rows = said(&capture, &dump);
        let mut found = Frames::new();
        for row in rows.as_array().unwrap() {
            *found
                .entry((number(&row["tcpseq_raw"]), number(&row["tcpflags"]), number(&row["tcplen"])))
                .or_default() += 1;
            assert!(number(&row["duplicate_of"]) < number(&row["packetid"]), "{row}");
            assert_ne!(row["retransmission"], true, "{row}");
            assert_eq!(row["tcpdest"], role, "the path doubles what comes in: {row}");
        }
        assert_eq!(found, right, "towards the {role}");
        // What the kernel of the sender sent again is what is left.
        let summary = said(&capture, &["mptcp_summary", "0"]);
        let summary = towards(&summary, role);
        let bytes: u64 = doubled.clone().map(|frame| number(&frame["plen"])).sum();
        assert_eq!(number(&summary["duplicated_bytes"]), bytes);
        assert_eq!(number(&summary["duplicated_packets"]), doubled.count() as u64);
        let expected = scenarios::json(&capture, "expected.json").unwrap();
        let connection = &expected[end]["mptcp_connections"][0];
        let throughput = connection["subflows"].as_array().unwrap().iter();
        let throughput: u64 =
            throughput.map(|subflow| number(&subflow["throughput_bytes"][format!("towards_{role}")])).sum();
        assert_eq!(number(&summary["throughput_bytes"]), throughput, "copies are part of the throughput");
        let goodput = number(&connection["data_bytes"][format!("towards_{role}")]);
        assert_eq!(number(&summary["retransmitted_bytes"]), throughput - goodput - bytes);
        let events = said(&capture, &["events", "0"]);
        let told = events.as_array().unwrap().iter().filter(|event| event["event"] == "duplicate");
        assert_eq!(told.clone().count(), 2, "once a subflow");
        assert!(told.clone().all(|event| event["towards"] == role));
    }
}

/// The other recordings have no path that doubles packets.
#[test]
fn nothing_is_doubled_elsewhere() {
    let mut compared = 0;
    for path in [scenarios::captures(), scenarios::recorded()].concat() {
        let Some(capture) = scenarios::load(&path) else { continue };
        let label = scenarios::label(&path);
        if !label.contains("reorder_dup") {
            assert_eq!(capture.duplicates.rows, [], "{label}");
            compared += 1;
        }
    }
    assert!(compared > 20 || scenarios::folder().is_none(), "only {compared} captures were looked at");
}
