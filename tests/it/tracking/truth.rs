//! Connections, subflows, tokens and volumes against what an independent reader and the kernel say.

use std::collections::BTreeMap;
use std::path::Path;

use mptcp_trace::analysis::mptcp_connections::{MptcpConnection, mptcp_connections};
use mptcp_trace::analysis::mptcp_summary::{MptcpSummary, mptcp_summary};
use mptcp_trace::tracking::{Capture, Role};
use serde_json::Value;

use crate::support::scenarios;

fn hexadecimal(token: Option<u32>) -> Value {
    token.map_or(Value::Null, |token| Value::from(format!("{token:08x}")))
}

fn endpoints(subflow: &Value) -> (u64, String, String) {
    let text = |key: &str| subflow[key].as_str().expect("an endpoint").to_string();
    (subflow["tcpstream"].as_u64().expect("a number"), text("client"), text("server"))
}

fn endpoint(ip: std::net::IpAddr, port: u16) -> String {
    format!("{ip}:{port}")
}

/// The connections whose server's key was captured, which are the ones that the independent reader lists.
fn with_keys(capture: &Capture) -> Vec<MptcpConnection> {
    mptcp_connections(capture).into_iter().filter(|c| c.server_key.is_some()).collect()
}

fn each_capture(mut check: impl FnMut(&str, &Capture, &Value) -> Vec<String>) {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for path in scenarios::captures() {
        let Some(expected) = scenarios::json(&path, "expected.json") else { continue };
        let expected = &expected[path.file_name().unwrap_or_default().to_string_lossy().as_ref()];
        let Some(capture) = scenarios::load(&path) else { continue };
        if expected.is_null() {
            continue;
        }
        let label = scenarios::label(&path);
        wrong.extend(check(&label, &capture, expected).into_iter().map(|what| format!("{label}: {what}")));
        checked += 1;
    }
    assert!(wrong.is_empty(), "{} differences in {checked} captures:\n{}", wrong.len(), wrong.join("\n"));
    assert!(checked > 90 || scenarios::folder().is_none(), "only {checked} captures were checked");
}

#[test]
fn streams_connections_tokens_and_subflows_are_the_expected_ones() {
    each_capture(|_, capture, expected| {
        let mut wrong = Vec::new();
        if capture.tracking.streams.len() as u64 != expected["tcp_streams"].as_u64().unwrap_or(0) {
            wrong.push(format!("{} TCP streams, not {}", capture.tracking.streams.len(), expected["tcp_streams"]));
        }
        let found = with_keys(capture);
        let connections = expected["mptcp_connections"].as_array().cloned().unwrap_or_default();
        if found.len() != connections.len() {
            wrong.push(format!("{} connections, not {}", found.len(), connections.len()));
        }
        for (found, expected) in found.iter().zip(&connections) {
            let tokens = [hexadecimal(found.client_token), hexadecimal(found.server_token)];
            let wanted = [expected["client_token"].clone(), expected["server_token"].clone()];
            if tokens != wanted {
                wrong.push(format!("tokens {tokens:?}, not {wanted:?}"));
            }
            let subflows: Vec<_> = found
                .subflows
                .iter()
                .map(|s| {
                    let id = u64::from(s.tcpstream);
                    (id, endpoint(s.client_ip, s.client_port), endpoint(s.server_ip, s.server_port))
                })
                .collect();
            let wanted: Vec<_> = expected["subflows"].as_array().into_iter().flatten().map(endpoints).collect();
            if subflows != wanted {
                wrong.push(format!("subflows {subflows:?}, not {wanted:?}"));
            }
        }
        wrong
    });
}

fn by_direction(value: &Value) -> [u64; 2] {
    [value["towards_server"].as_u64().unwrap_or(0), value["towards_client"].as_u64().unwrap_or(0)]
}

fn volumes(summary: &MptcpSummary, part: fn(&mptcp_trace::analysis::mptcp_summary::MptcpDirection) -> u64) -> [u64; 2] {
    let of = |role: Role| summary.directions.iter().find(|d| d.towards == role).map_or(0, part);
    [of(Role::Server), of(Role::Client)]
}

#[test]
fn volumes_are_the_expected_ones() {
    each_capture(|_, capture, expected| {
        let mut wrong = Vec::new();
        for (found, expected) in
            with_keys(capture).iter().zip(expected["mptcp_connections"].as_array().into_iter().flatten())
        {
            let connection = capture.mptcp_connection(found.mptcpstream).expect("it is listed");
            let summary = mptcp_summary(capture, connection);
            let mut compare = |what: &str, found: [u64; 2], wanted: [u64; 2]| {
                if found != wanted {
                    wrong.push(format!("connection {} {what}: {found:?}, not {wanted:?}", connection.id));
                }
            };
            // What went on as plain TCP is not the independent reader's data: tests/it/tracking/kernel.rs has the application's.
            compare("data", volumes(&summary, |d| d.mapped_bytes), by_direction(&expected["data_bytes"]));
            compare(
                "reinjected",
                volumes(&summary, |d| d.reinjected_bytes),
                by_direction(&expected["reinjected_bytes"]),
            );
            compare(
                "re-sent on the same subflow",
                volumes(&summary, |d| d.resent_same_subflow_bytes),
                by_direction(&expected["resent_same_subflow_bytes"]),
            );
            let mut throughput = BTreeMap::new();
            for direction in &summary.directions {
                for subflow in &direction.subflows {
                    let entry: &mut [u64; 2] = throughput.entry(u64::from(subflow.tcpstream)).or_default();
                    entry[usize::from(direction.towards == Role::Client)] = subflow.throughput_bytes;
                }
            }
            for subflow in expected["subflows"].as_array().into_iter().flatten() {
                let id = subflow["tcpstream"].as_u64().unwrap_or(u64::MAX);
                let found = throughput.get(&id).copied().unwrap_or_default();
                compare(&format!("throughput of stream {id}"), found, by_direction(&subflow["throughput_bytes"]));
            }
        }
        wrong
    });
}

/// Tokens as the client's kernel reports them, in the order in which its program opened the connections.
#[test]
fn tokens_are_the_kernels() {
    let mut checked = 0;
    for path in scenarios::captures() {
        let Some(truth) = scenarios::json(&path, "truth.json") else { continue };
        let client = path.file_stem().is_some_and(|stem| stem == "client");
        let opened = truth["app_client"]["connections"].as_array().cloned().unwrap_or_default();
        let kernel: Vec<String> = opened
            .iter()
            .filter(|c| c["fell_back_to_tcp_inferred"] == Value::Bool(false))
            .filter_map(|c| c["mptcp_last"]["token_hex"].as_str().map(str::to_string))
            // What the kernel answers once the socket is closed.
            .filter(|token| token != "00000000")
            .collect();
        if !client || kernel.is_empty() {
            continue;
        }
        let Some(capture) = scenarios::load(Path::new(&path)) else { continue };
        let found: Vec<String> =
            with_keys(&capture).iter().filter_map(|c| c.client_token).map(|token| format!("{token:08x}")).collect();
        for token in &kernel {
            assert!(found.contains(token), "{}: no connection has the client token {token}", scenarios::label(&path));
            checked += 1;
        }
    }
    assert!(checked > 300 || scenarios::folder().is_none(), "only {checked} tokens were checked");
}

/// The two ends of the same transfers of version 0: four connections of four subflows. The server's capture also holds
/// packets of a join whose SYN was lost before it, which belong to no connection.
#[test]
fn version_0_has_four_connections_at_both_ends() {
    let Some(folder) = scenarios::folder() else { return };
    let tokens = ["client_2.pcap", "server_2.pcap"].map(|name| {
        let capture = scenarios::load(&folder.join("v0").join(name)).expect("it is not empty");
        let found = mptcp_connections(&capture);
        assert_eq!(found.len(), 4, "{name}");
        assert!(found.iter().all(|connection| connection.version == Some(0)), "{name}");
        found.iter().map(|connection| (connection.client_token, connection.server_token)).collect::<Vec<_>>()
    });
    assert_eq!(tokens[0], tokens[1], "both ends saw the same connections");
}
