//! What the rows of the tables with single packets must be.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::Rows;
use super::numbers::{fields, list, number, same, with};

/// Those of `list_reinjections`.
pub fn reinjections(said: &Value) -> Rows {
    let row = |one: &Value| {
        let mut row = same(one, &["packetid", "tcpstream", "towards", "dsn", "length", "seen_from", "needed"]);
        row.extend(fields(
            one,
            &[
                ("reltime_s", "reltime"),
                ("age_s", "age"),
                ("since_last_s", "since_last"),
                ("since_activity_s", "since_activity"),
            ],
        ));
        let first = |key: &str| one["of"][0][key].clone();
        row.insert("of_packetid".to_string(), first("packetid"));
        row.insert("of_tcpstream".to_string(), first("tcpstream"));
        row.insert("of_packets".to_string(), json!(list(&one["of"]).len()));
        row
    };
    list(said).iter().map(row).collect()
}

/// Those of `handovers`.
pub fn handovers(said: &Value) -> Rows {
    let streams = [("from_tcpstream", "from"), ("to_tcpstream", "to")];
    let row = |one: &Value| {
        let times = ["stopped", "last_data", "resumed", "gap", "returned"];
        let times = times.map(|name| (format!("{name}_s"), one[name].clone()));
        let row = with(same(one, &["towards", "cause", "packetid", "carried_before"]), times);
        with(row, fields(one, &streams))
    };
    list(said).iter().map(row).collect()
}

/// Those of `retransmissions`.
pub fn retransmissions(said: &Value) -> Rows {
    let row = |one: &Value| {
        let times = ["reltime", "since_first", "since_last", "since_activity"];
        let times = times.map(|name| (format!("{name}_s"), one[name].clone()));
        with(same(one, &["tcpstream", "towards", "packetid", "bytes", "count", "class"]), times)
    };
    list(said).iter().map(row).collect()
}

/// Those of `rtt --samples`.
pub fn samples(said: &Value) -> Rows {
    let times = [("reltime_s", "reltime"), ("rtt_s", "rtt")];
    let row = |one: &Value| with(same(one, &["tcpstream", "towards", "level", "packetid"]), fields(one, &times));
    list(said).iter().map(row).collect()
}

/// Those of the points of `plot acksize`.
pub fn ack_sizes(points: &Value) -> Rows {
    let mut counts: BTreeMap<(bool, u64), u64> = BTreeMap::new();
    for point in list(points) {
        let to_client = point["panel_title"].as_str().is_some_and(|title| title.contains("client"));
        *counts.entry((to_client, number(&point["y"]))).or_default() += 1;
    }
    let row = |((to_client, bytes), count): ((bool, u64), u64)| {
        let towards = if to_client { "client" } else { "server" };
        json!({ "tcpstream": null, "towards": towards, "bytes": bytes, "count": count }).as_object().cloned().unwrap()
    };
    counts.into_iter().map(row).collect()
}

/// Looks at what the retransmitted packets of each subflow and direction add up to; returns how many sums.
pub fn sums(capture: &Path, found: &BTreeMap<&str, Rows>, key: &str, problems: &mut Vec<String>) -> usize {
    let of_capture =
        |table: &str| -> Vec<&Map<String, Value>> { found[table].iter().filter(|row| row["capture"] == key).collect() };
    let single = of_capture("retransmissions");
    let rows = of_capture("subflow_directions");
    for row in &rows {
        let own = single.iter().filter(|one| one["tcpstream"] == row["tcpstream"] && one["towards"] == row["towards"]);
        let (packets, bytes) = own.fold((0, 0), |(packets, bytes), one| (packets + 1, bytes + number(&one["bytes"])));
        if [&row["retransmitted_packets"], &row["retransmitted_bytes"]] != [&json!(packets), &json!(bytes)] {
            problems.push(format!("{}: {packets} packets and {bytes} bytes add up to {row:?}", capture.display()));
        }
    }
    rows.len()
}
