//! Columns that count or sum up what a command lists, worked out from its JSON.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::numbers::{Said, fields, list, number, same};

/// The least and the greatest value of a key.
fn least_and_most(rows: &[&Value], key: &str) -> [Value; 2] {
    let values = || rows.iter().filter_map(|one| one[key].as_f64());
    [values().reduce(f64::min), values().reduce(f64::max)].map(|value| json!(value))
}

fn named<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
}

/// Those of a connection.
pub fn of_connection(id: u64, said: &Said) -> Map<String, Value> {
    let traffic: Vec<&Value> = list(&said.traffic[&id]).iter().collect();
    let subflows = list(&said.subflows[&id]);
    let end = |role: &str| -> usize {
        let address = |one: &Value| one[if one["mptcpdest"] == role { "server_ip" } else { "client_ip" }].to_string();
        subflows.iter().map(address).collect::<BTreeSet<String>>().len()
    };
    let sent = |sender: &str, action: &str| {
        let own = list(&said.addresses[&id]).iter();
        own.filter(|one| one["sender"] == sender && one["action"] == action).count()
    };
    let events = |kind: &str| list(&said.events[&id]).iter().filter(|one| one["event"] == kind).count();
    let fallback = list(&said.events[&id]).iter().find(|one| one["event"] == "fallback");
    let failed = subflows.iter().filter(|one| one["kind"] == "join");
    let failed = failed.filter(|one| one["state"] == "refused" || one["state"] == "syn_sent").count();
    let [first_data, _] = least_and_most(&traffic, "first_data");
    let [_, last_data] = least_and_most(&traffic, "last_data");
    named([
        ("open_at_end", json!(said.open(id))),
        ("fallback_s", fallback.map_or(Value::Null, |one| one["reltime"].clone())),
        ("first_data_s", first_data),
        ("last_data_s", last_data),
        ("handovers", json!(list(&said.handovers[&id]).len())),
        ("handover", json!(!list(&said.handovers[&id]).is_empty())),
        ("handover_at_s", said.handovers[&id][0]["stopped"].clone()),
        ("subflows_established", json!(subflows.iter().filter(|one| !one["established"].is_null()).count())),
        ("joins_failed", json!(failed)),
        ("client_addresses", json!(end("client"))),
        ("server_addresses", json!(end("server"))),
        ("add_addrs_client", json!(sent("client", "add"))),
        ("add_addrs_server", json!(sent("server", "add"))),
        ("remove_addrs_client", json!(sent("client", "remove"))),
        ("remove_addrs_server", json!(sent("server", "remove"))),
        ("mp_prios", json!(events("mp_prio"))),
        ("mp_fails", json!(events("mp_fail"))),
    ])
}

/// Those of a direction.
pub fn of_direction(traffic: &[Value], towards: &Value) -> Map<String, Value> {
    let own: Vec<&Value> = traffic.iter().filter(|one| one["towards"] == *towards).collect();
    let sum = |key: &str| -> Value {
        let values: Vec<&&Value> = own.iter().filter(|one| !one[key].is_null()).collect();
        if values.is_empty() { Value::Null } else { json!(values.iter().map(|one| number(&one[key])).sum::<u64>()) }
    };
    let [first_data, _] = least_and_most(&own, "first_data");
    let [_, last_data] = least_and_most(&own, "last_data");
    named([
        ("data_packets", sum("data_packets")),
        ("frame_bytes", sum("frame_bytes")),
        ("dss_packets", sum("dss_packets")),
        ("dss_bytes", sum("dss_bytes")),
        ("first_data_s", first_data),
        ("last_data_s", last_data),
    ])
}

/// Those of `list_subflows` beyond the list in `list_mptcp_connections`.
pub fn of_course(course: &Value) -> Map<String, Value> {
    let names = [
        "server_addrid",
        "established_after_last_data",
        "end_kind",
        "ended_by",
        "reset_reason",
        "wscale_client",
        "wscale_server",
        "mss_client",
        "mss_server",
        "sack",
        "timestamps",
    ];
    let mut row = same(course, &names);
    row.extend(fields(course, &[("established_s", "established"), ("end_s", "end")]));
    row
}
