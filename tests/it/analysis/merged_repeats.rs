//! A capture may repeat more small pieces than are told apart: then the outputs that list or sum repeats say so.

use serde_json::Value;

use crate::support::program::Home;
use crate::support::shapes::{Capture, SHAPES};

const NOTE: &str = "more pieces of earlier data than can be told apart";

/// A capture of this shape in `home`.
fn made(home: &Home, name: &str, packets: usize) -> String {
    let shape = SHAPES.iter().find(|shape| shape.name == name).unwrap();
    let mut capture = Capture::new("eth0");
    (shape.fill)(&mut capture, packets);
    home.write("a.pcapng", capture.finish()).display().to_string()
}

fn json(home: &Home, file: &str, words: &[&str]) -> Value {
    let done = home.run(&[&["--load", file, "--format", "json"], words].concat(), "");
    serde_json::from_str(&done.results).unwrap_or_else(|_| panic!("{done:?}"))
}

#[test]
fn what_is_not_told_apart_is_said() {
    let home = Home::new();
    // 2000 packets of a byte each, then 500 subflows that each send all of the 2000 bytes again.
    let file = made(&home, "subflows that reinject all", 4000);
    for words in [&["lr", "0"][..], &["lr", "0", "--summary"], &["mptcp_summary", "0"], &["mptcp_summary"]] {
        let done = home.run(&[&["--load", &file], words].concat(), "");
        let said = done.results.replace('\n', " ") + &done.messages;
        assert_eq!(said.matches(NOTE).count(), 1, "{words:?}: {said}");
    }
    let rows = json(&home, &file, &["lr", "0"]);
    let rows = rows.as_array().unwrap();
    // Nothing of what was sent again is left out, however it is told.
    assert_eq!(rows.len(), 500);
    assert!(rows.iter().all(|row| row["length"] == 2000), "{rows:?}");
    let merged = rows.iter().filter(|row| row["merged"] == true).count();
    // The first ones name each of the 2000 packets; of the merged ones only the first is named.
    assert!((1..500).contains(&merged), "{merged}");
    for row in rows {
        let named = row["of"].as_array().unwrap().len();
        assert_eq!(named, if row["merged"] == true { 1 } else { 2000 }, "{row}");
    }
    let summary = json(&home, &file, &["mptcp_summary", "0"]);
    let up = summary["directions"].as_array().unwrap().iter().find(|one| one["towards"] == "server").unwrap();
    assert_eq!((&up["merged_repeats"], &up["reinjected_bytes"]), (&Value::from(merged), &Value::from(1_000_000)));
    let totals = json(&home, &file, &["lr", "0", "--summary"]);
    assert!(totals["directions"].as_array().unwrap().iter().any(|one| one["merged_repeats"] == merged), "{totals}");
}

#[test]
fn where_all_is_told_apart_nothing_is_said() {
    let home = Home::new();
    // Two subflows, each of which sends 10 bytes again that were 10 packets.
    let file = made(&home, "subflows that reinject all", 20);
    for words in [&["lr", "0"][..], &["mptcp_summary", "0"], &["mptcp_summary"]] {
        let done = home.run(&[&["--load", &file], words].concat(), "");
        assert!(!(done.results.replace('\n', " ") + &done.messages).contains(NOTE), "{done:?}");
    }
    let rows = json(&home, &file, &["lr", "0"]);
    assert!(rows.as_array().unwrap().iter().all(|row| row["merged"] == false && row["length"] == 10), "{rows}");
}

#[test]
fn columns_of_the_summary_have_the_values_of_their_names() {
    let home = Home::new();
    let file = made(&home, "subflows that reinject all", 20);
    let csv = home.run(&["--load", &file, "mptcp_summary", "0", "--format", "csv"], "").results;
    let mut lines = csv.lines();
    let names: Vec<&str> = lines.next().unwrap().split(',').collect();
    let column = |name: &str| names.iter().position(|other| *other == name).unwrap();
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let of =
        |stream: &str| rows.iter().find(|row| row[column("tcpstream")] == stream && row[column("towards")] == "server");
    let (first, second) = (of("0").unwrap(), of("1").unwrap());
    assert_eq!((first[column("reinjected_bytes")], second[column("reinjected_bytes")]), ("0", "10"), "{csv}");
    assert_eq!((second[column("keepalives")], second[column("window_probes")]), ("0", "0"), "{csv}");
}
