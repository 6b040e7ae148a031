//! `mptcp_summary` and `tcp_summary` without a number: a row for each, with the volumes that others found.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::program::Home;
use crate::support::scenarios;

fn rows(path: &std::path::Path, words: &[&str]) -> Vec<Value> {
    let mut line = vec!["--load", path.to_str().expect("UTF-8"), "--format", "json"];
    line.extend(words);
    let done = Home::new().run(&line, "");
    assert_eq!(done.code, Some(0), "{}", done.messages);
    serde_json::from_str(&done.results).expect("an array")
}

/// Volumes towards the server and the client.
fn both(of: &Value, part: &str) -> [u64; 2] {
    ["server", "client"].map(|role| {
        let directions = of["directions"].as_array().expect("directions");
        directions.iter().find(|direction| direction["towards"] == role).map_or(0, |d| d[part].as_u64().expect("bytes"))
    })
}

#[test]
fn every_connection_has_the_expected_volumes() {
    let mut checked = 0;
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        if !["12_many_short", "12b"].iter().any(|kind| label.starts_with(kind)) {
            continue;
        }
        let Some(expected) = scenarios::json(&path, "expected.json") else { continue };
        let expected = &expected[path.file_name().unwrap_or_default().to_string_lossy().as_ref()];
        let expected = expected["mptcp_connections"].as_array().expect("connections");
        let found = rows(&path, &["mptcp_summary"]);
        assert_eq!(found.len(), expected.len(), "{label}");
        for (found, expected) in found.iter().zip(expected) {
            let wanted =
                ["towards_server", "towards_client"].map(|way| expected["data_bytes"][way].as_u64().expect("bytes"));
            assert_eq!(both(found, "goodput_bytes"), wanted, "{label} {}", found["mptcpstream"]);
        }
        let upload = rows(&path, &["mptcp_summary", "--towards", "server"]);
        assert!(upload.iter().all(|row| row["directions"].as_array().is_some_and(|ways| ways.len() == 1)), "{label}");
        checked += 1;
    }
    assert!(checked >= 4 || scenarios::folder().is_none(), "only {checked} captures");
}

#[test]
fn every_stream_has_tsharks_payload() {
    let mut checked = 0;
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        if !["12b", "09", "01"].iter().any(|kind| label.starts_with(kind)) {
            continue;
        }
        let mut wanted: BTreeMap<u64, [u64; 2]> = BTreeMap::new();
        for line in scenarios::tshark(&path, &["tcp.stream", "tcp.len"]) {
            let numbers: Vec<u64> = line.split('\t').filter_map(|field| field.parse().ok()).collect();
            if let [stream, length] = numbers[..] {
                let [packets, bytes] = wanted.entry(stream).or_default();
                (*packets, *bytes) = (*packets + 1, *bytes + length);
            }
        }
        let found: BTreeMap<u64, [u64; 2]> = rows(&path, &["tcp_summary"])
            .iter()
            .map(|row| {
                let sum = |part: &str| both(row, part).iter().sum();
                (row["tcpstream"].as_u64().expect("a number"), [sum("packets"), sum("throughput_bytes")])
            })
            .collect();
        assert_eq!(found, wanted, "{label}");
        checked += 1;
    }
    assert!(checked >= 4 || scenarios::folder().is_none(), "only {checked} captures");
}
