//! RSTs and FINs that end a subflow, and those that their receiver does not act on (RFC 9293 §3.10.7, RFC 5961).

use std::path::PathBuf;

use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::loss::losses;
use mptcp_trace::analysis::mapping::{Mapper, StreamPair};
use mptcp_trace::analysis::merge::merge;
use mptcp_trace::analysis::subflows::{SubflowState, subflows};
use mptcp_trace::tracking::Capture;
use serde_json::Value;

use crate::analysis::recorded::said;
use crate::support::scenarios;

/// A capture of `tests/captures/field`.
fn field(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/captures/field").join(format!("{name}.pcap"))
}

/// Packet and kind of the events of connection 0 that are about RSTs.
fn resets(capture: &std::path::Path) -> Vec<(u64, String)> {
    let events = said(capture, &["events", "0"]);
    let of = |event: &Value| Some((event["packetid"].as_u64()?, event["event"].as_str()?.to_string()));
    let told = events.as_array().expect("a list").iter().filter_map(of);
    told.filter(|(_, kind)| kind.contains("reset") || kind == "challenge_ack").collect()
}

#[test]
fn a_reset_out_of_the_window_ends_nothing() {
    let capture = field("08_rst_out_of_window");
    let listed = said(&capture, &["list_mptcp_connections"]);
    assert_eq!((&listed[0]["state"], &listed[0]["subflows"][0]["state"]), (&"open".into(), &"established".into()));
    let expected = [(6, "reset_ignored".to_string()), (7, "challenge_ack".to_string())];
    assert_eq!(resets(&capture), expected);
    let findings = said(&capture, &["diagnose"]);
    assert!(!findings.as_array().unwrap().iter().any(|finding| finding["finding"] == "subflow_reset"), "{findings}");
}

#[test]
fn a_reset_of_another_reason_is_an_event_too() {
    let capture = field("08c_two_rst_reasons");
    assert_eq!(resets(&capture), [6, 7].map(|packet| (packet, "reset".to_string())));
}

/// 07d to 07g: the join was refused in its handshake, at the step that the scenario names.
#[test]
fn a_join_refused_in_its_handshake_is_refused() {
    let mut seen = 0;
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        if !["07d", "07e", "07f"].iter().any(|scenario| label.starts_with(scenario)) {
            continue;
        }
        let capture = scenarios::load(&path).expect("it has packets");
        let found = subflows(&capture, capture.mptcp_connection(ConnectionId(0)).unwrap());
        assert_eq!(found[1].state, SubflowState::Refused, "{label}");
        seen += 1;
    }
    assert!(seen == 6 || scenarios::folder().is_none(), "{seen}");
}

/// The emulated path of `12b_port_reuse` dropped nothing (its log has no drop): what comes late, when the ports are in use
/// again, is not lost, and refuses nothing.
#[test]
fn late_resets_are_not_lost() {
    let Some(folder) = scenarios::folder() else { return };
    let folder = folder.join("12b_port_reuse");
    let log = std::fs::read_to_string(folder.join("relay_events.jsonl")).unwrap();
    assert!(!log.contains("drop"), "the path dropped something");
    let [client, server] = ["client.pcap", "server.pcap"].map(|name| scenarios::load(&folder.join(name)).unwrap());
    let (client, server): (&Capture, &Capture) = (&client, &server);
    let mapper = Mapper::new(client, server).unwrap();
    let late: usize = client.tracking.streams.iter().map(|stream| stream.late.len()).sum();
    assert!(late > 20, "{late}");
    let mut sent = 0;
    for connection in &client.tracking.connections {
        let found = mapper.the_mptcp(connection.id).expect("each connection is in both files");
        let pairs: Vec<StreamPair> = found.subflows.iter().filter_map(|subflow| subflow.pair).collect();
        for loss in losses(&merge(client, server, &pairs).unwrap()) {
            assert_eq!(loss.lost_packets, 0, "stream {} towards the {:?}", loss.tcpstream, loss.towards);
            sent += loss.sent_packets;
        }
    }
    assert!(sent > 3000, "{sent}");
}
