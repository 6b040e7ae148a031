//! Clocks and one-way delays, against the delays that the emulated paths had and the errors that were put in.
//!
//! The paths add 0.03 to 0.1 ms of their own to what they were told, so offsets are right to 0.1 ms, and a skew to what
//! 0.1 ms make over the length of the capture.

use std::collections::BTreeMap;
use std::net::IpAddr;

use mptcp_trace::analysis::clock::{Clock, Correction, clock};
use mptcp_trace::analysis::mapping::{Mapper, StreamPair};
use mptcp_trace::analysis::merge::{Fate, Merged, Which, merge};
use mptcp_trace::analysis::mptcp_connections::is_stray;
use mptcp_trace::tracking::{Capture, Role};
use serde_json::Value;

use crate::analysis::merge::{both_ends, by_endpoints};
use crate::support::scenarios;

/// Shortest delay by the client's address, which is what tells the paths apart, and direction; seconds.
fn minima(first: &Capture, merged: &Merged, found: &Clock, correction: Correction) -> BTreeMap<(IpAddr, Role), f64> {
    let mut minima = BTreeMap::new();
    for flow in &merged.flows {
        let client = first.tracking.stream(flow.pair.first).unwrap().client.address;
        let received = flow.passages.iter().filter(|passage| passage.fate == Fate::Received);
        for delay in received.filter_map(|passage| found.delay(correction, flow.sender, passage)) {
            let shortest = minima.entry((client, flow.towards())).or_insert(f64::MAX);
            *shortest = f64::min(*shortest, delay.seconds());
        }
    }
    minima
}

/// The delay of a path plus the time that the smallest packet takes onto its link. Client's addresses are
/// 10.0.PATH.1.
fn configured(truth: &Value, client: IpAddr) -> f64 {
    const SMALLEST: f64 = 66.0 * 8.0;
    let path = client.to_string().split('.').nth(2).unwrap().to_string();
    let path = &truth["paths"][&path];
    let rate = path["rate_bps"].as_f64().filter(|rate| *rate > 0.0);
    path["delay_us"].as_f64().unwrap() / 1e6 + rate.map_or(0.0, |rate| SMALLEST / rate)
}

fn assert_minima(name: &str, truth: &Value, found: &BTreeMap<(IpAddr, Role), f64>) {
    assert!(found.len() >= 2, "{name}");
    for ((client, towards), shortest) in found {
        let expected = configured(truth, *client);
        assert!((shortest - expected).abs() < 0.0003, "{name} {client} {towards:?}: {shortest}, configured {expected}");
    }
}

#[test]
fn shortest_delays_are_those_of_the_paths() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["01_basic", "02_fullmesh", "05_backup_failover", "06_lossy", "06b_reorder_dup", "12_many_short"] {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let truth = scenarios::json(&scenario.join("client"), "truth.json").unwrap();
        for (first, second, nearer) in [(&client, &server, Which::First), (&server, &client, Which::Second)] {
            let merged = merge(first, second, &by_endpoints(first, second)).unwrap();
            assert_eq!(merged.client, nearer, "{name}");
            let found = clock(first, &merged);
            // Both ends of these were recorded by one clock.
            assert_eq!(found.needed(&merged), Correction::None, "{name}");
            let offset = found.offset.unwrap();
            assert!(offset.offset.abs() < 0.0001, "{name}: {offset:?}");
            assert!(!found.skew_is_seen(), "{name}: {found:?}");
            for correction in [Correction::None, Correction::Offset, Correction::Skew] {
                assert_minima(name, &truth, &minima(first, &merged, &found, correction));
            }
        }
    }
}

#[test]
fn errors_of_clocks_are_recovered() {
    let Some(folder) = scenarios::folder() else { return };
    for (name, base) in [
        ("14a_offset_02", "02_fullmesh"),
        ("14a_offset_06", "06_lossy"),
        ("14b_skew200ppm", "02_fullmesh"),
        ("14c_skew_minus5000ppm", "02_fullmesh"),
    ] {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let error = scenarios::json(&scenario.join("client"), "truth.json").unwrap();
        let truth = scenarios::json(&folder.join(base).join("client"), "truth.json").unwrap();
        let skew = error["server_skew_ppm"].as_f64().unwrap_or(0.0) / 1e6;
        let merged = merge(&client, &server, &by_endpoints(&client, &server)).unwrap();
        let found = clock(&client, &merged);
        let wrong = found.skew.unwrap() - skew;
        let uncertainty = found.skew_uncertainty.unwrap();
        assert!(wrong.abs() < uncertainty && uncertainty < 80e-6, "{name}: {found:?}");
        // The error was put in from the client's first frame on.
        let since = (found.reference - client.origin()).seconds();
        let expected = error["server_clock_offset_s"].as_f64().unwrap() + skew * since;
        let offset = found.offset_at_reference.unwrap();
        assert!((offset.offset - expected).abs() < 0.0001, "{name}: {offset:?}, put in {expected}");
        let needed = if skew == 0.0 { Correction::Offset } else { Correction::Skew };
        assert_eq!(found.needed(&merged), needed, "{name}");
        assert_minima(name, &truth, &minima(&client, &merged, &found, needed));
        // With the server's capture first, its clock counts, and errors turn over.
        let merged = merge(&server, &client, &by_endpoints(&server, &client)).unwrap();
        let found = clock(&server, &merged);
        assert_eq!(merged.client, Which::Second, "{name}");
        assert!((found.skew.unwrap() - (1.0 / (1.0 + skew) - 1.0)).abs() < uncertainty, "{name}: {found:?}");
        assert_minima(name, &truth, &minima(&server, &merged, &found, needed));
    }
}

/// Addresses, ports and sequence numbers of the joined path (11) or of the initial one (11b) are translated on the way.
#[test]
fn translated_addresses_change_no_delay() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["11_nat", "11b_nat_initial"] {
        let scenario = folder.join(name);
        let (client, server) = both_ends(&scenario).unwrap();
        let truth = scenarios::json(&scenario.join("client"), "truth.json").unwrap();
        let mapper = Mapper::new(&client, &server).unwrap();
        let mut pairs: Vec<StreamPair> = Vec::new();
        for id in client.mptcp_stream_ids() {
            pairs.extend(mapper.the_mptcp(id).unwrap().subflows.iter().filter_map(|subflow| subflow.pair));
        }
        assert_eq!(pairs.len(), client.tracking.streams.len(), "{name}");
        let merged = merge(&client, &server, &pairs).unwrap();
        assert_eq!(merged.client, Which::First, "{name}");
        let found = clock(&client, &merged);
        let minima = minima(&client, &merged, &found, found.needed(&merged));
        assert_eq!(minima.len(), 4, "{name}: two paths, two directions");
        assert_minima(name, &truth, &minima);
        let passages = merged.flows.iter().flat_map(|flow| &flow.passages);
        let unknown = passages.filter(|passage| passage.fate == Fate::NotCapturedAtSender).count();
        assert_eq!(unknown, 0, "{name}");
    }
}

/// Four connections of four subflows; of one subflow the server saw nothing, of others less than the client. Both ends
/// were recorded by one clock.
#[test]
fn captures_of_version_0_merge() {
    let Some(folder) = scenarios::folder() else { return };
    let end = |name: &str| scenarios::load(&folder.join(format!("v0/{name}.pcap"))).unwrap();
    let (client, server) = (end("client_2"), end("server_2"));
    for (first, second, nearer) in [(&client, &server, Which::First), (&server, &client, Which::Second)] {
        let mapper = Mapper::new(first, second).unwrap();
        let mut subflows = Vec::new();
        // Wireshark counts a fifth connection at the server: answers to a join whose SYN was lost.
        let connections = first.tracking.connections.iter().filter(|connection| !is_stray(first, connection));
        for id in connections.map(|connection| connection.id) {
            let connection = mapper.the_mptcp(id).unwrap();
            let pairs: Vec<StreamPair> = connection.subflows.iter().filter_map(|subflow| subflow.pair).collect();
            let merged = merge(first, second, &pairs).unwrap();
            assert_eq!(merged.client, nearer, "connection {id}");
            let offset = clock(first, &merged).offset.unwrap();
            assert!(offset.offset.abs() <= offset.uncertainty, "connection {id}: {offset:?}");
            let passages = || merged.flows.iter().flat_map(|flow| &flow.passages);
            let received = passages().filter(|passage| passage.fate == Fate::Received).count();
            assert!(received * 100 >= passages().count() * 85, "connection {id}: {received}");
            subflows.push(pairs.len());
        }
        subflows.sort_unstable();
        assert_eq!(subflows, [3, 4, 4, 4]);
    }
}
