//! Small recordings kept with the project, against what the application, both kernels and the emulated path said of
//! each. `tests/captures/README.md` tells how they were made.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::program::Home;

/// Recorded before and behind an address translator; live counts both sides, so that they lie in a folder of their own.
const TRANSLATED: &str = "container_host";

/// The recordings whose names begin so.
pub fn recordings(prefix: &str) -> Vec<PathBuf> {
    let folder = if prefix == TRANSLATED { "translated" } else { "recorded" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(folder);
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the recordings are there")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix)))
        .collect();
    found.sort();
    found
}

/// What is known of a recording.
pub fn truth(recording: &Path) -> Value {
    let text = fs::read_to_string(recording.join("truth.json")).expect("each recording has its truth");
    serde_json::from_str(&text).expect("the truth is JSON")
}

/// What one command of the program says of a capture, as JSON.
pub fn said(capture: &Path, command: &[&str]) -> Value {
    let file = capture.to_string_lossy();
    let mut arguments = vec!["-l", &file];
    arguments.extend(command);
    arguments.extend(["--format", "json"]);
    let finished = Home::new().run(&arguments, "");
    assert_eq!(finished.code, Some(0), "{file} {command:?}: {}", finished.messages);
    serde_json::from_str(&finished.results).unwrap_or_else(|error| panic!("{file} {command:?}: {error}"))
}

/// The number of the connection whose client has this key.
fn connection_of(capture: &Path, client_key: &Value) -> Option<u64> {
    let listed = said(capture, &["list_mptcp_connections"]);
    let listed = listed.as_array().expect("a list");
    // Truth has the digits alone.
    let key = format!("0x{}", client_key.as_str()?);
    listed.iter().find(|connection| connection["client_key"] == key)?["mptcpstream"].as_u64()
}

/// One direction of a summary.
pub fn towards<'a>(summary: &'a Value, role: &str) -> &'a Value {
    let directions = summary["directions"].as_array().expect("directions");
    directions.iter().find(|direction| direction["towards"] == role).expect("both directions are listed")
}

/// Everything that is wrong about the goodput of the recordings whose names begin so, and how many numbers were compared.
fn compare_goodput(prefix: &str) -> (Vec<String>, usize) {
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for recording in recordings(prefix) {
        let truth = truth(&recording);
        for (file, connections) in truth["answers"].as_object().expect("answers a file") {
            let capture = recording.join(file);
            for answer in connections.as_array().expect("a list") {
                let Some(number) = connection_of(&capture, &answer["client_key"]) else {
                    wrong.push(format!("{}: no connection of {}", capture.display(), answer["client_key"]));
                    continue;
                };
                let summary = said(&capture, &["mptcp_summary", &number.to_string()]);
                for role in ["server", "client"] {
                    let found = &towards(&summary, role)["goodput_bytes"];
                    let right = &answer["goodput"][role];
                    compared += 1;
                    if found != right {
                        wrong.push(format!(
                            "{} connection {number} towards the {role}: {found}, not {right}",
                            capture.display()
                        ));
                    }
                }
            }
        }
    }
    (wrong, compared)
}

fn goodput_is_what_the_application_wrote(prefix: &str, at_least: usize) {
    let (wrong, compared) = compare_goodput(prefix);
    assert!(wrong.is_empty(), "{} of {compared} numbers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= at_least, "only {compared} numbers were compared");
}

/// What went over plain TCP because MPTCP did not come about.
fn compare_plain_tcp(prefix: &str) -> usize {
    let mut compared = 0;
    for recording in recordings(prefix) {
        let truth = truth(&recording);
        for (file, streams) in truth["plain_tcp"].as_object().expect("streams a file") {
            let capture = recording.join(file);
            let listed = said(&capture, &["list_tcp_connections"]);
            for answer in streams.as_array().expect("a list") {
                let mut streams = listed.as_array().expect("a list").iter();
                let stream = streams.rfind(|stream| stream["client_port"] == answer["client_port"]);
                let number =
                    stream.unwrap_or_else(|| panic!("{answer} is in {}", capture.display()))["tcpstream"].to_string();
                let summary = said(&capture, &["tcp_summary", &number]);
                for role in ["server", "client"] {
                    let found = &towards(&summary, role)["goodput_bytes"];
                    assert_eq!(
                        found,
                        &answer["goodput"][role],
                        "{} stream {number} towards the {role}",
                        capture.display()
                    );
                    compared += 1;
                }
            }
        }
    }
    compared
}

#[test]
fn plain_tcp_where_mptcp_did_not_come_about() {
    assert!(compare_plain_tcp("server_without_mptcp") + compare_plain_tcp("mptcp_syns_dropped") >= 16);
    assert!(compare_plain_tcp("refused") >= 4);
}

#[test]
fn no_connection_is_granted_where_mptcp_did_not_come_about() {
    for prefix in ["server_without_mptcp", "mptcp_syns_dropped", "all_syns_dropped", "refused"] {
        for recording in recordings(prefix) {
            for file in truth(&recording)["answers"].as_object().expect("answers a file").keys() {
                let listed = said(&recording.join(file), &["list_mptcp_connections"]);
                let granted = listed.as_array().expect("a list").iter().find(|listed| !listed["server_key"].is_null());
                assert_eq!(granted, None, "{}/{file}", recording.display());
            }
        }
    }
}

#[test]
fn goodput_of_a_receiver_that_stops_reading() {
    goodput_is_what_the_application_wrote("reader_stops", 16);
}

#[test]
fn goodput_with_losses_and_blackouts_and_of_what_one_interface_saw() {
    goodput_is_what_the_application_wrote("lossy", 12);
    goodput_is_what_the_application_wrote("blackout", 8);
    goodput_is_what_the_application_wrote("late_originals", 4);
    goodput_is_what_the_application_wrote("writer_pauses", 4);
    goodput_is_what_the_application_wrote("primary_never_stale", 4);
}

#[test]
fn goodput_on_a_router_and_a_bridge() {
    goodput_is_what_the_application_wrote("router", 24);
    goodput_is_what_the_application_wrote("bridge", 6);
    goodput_is_what_the_application_wrote(TRANSLATED, 2);
}

#[test]
fn goodput_where_the_first_write_is_larger_than_a_segment() {
    goodput_is_what_the_application_wrote("first_write", 24);
}

#[test]
fn goodput_with_data_in_the_syn() {
    goodput_is_what_the_application_wrote("tfo", 32);
}

/// Everything that is wrong about numbers of a direction: for each file and connection, `right` gives names and values.
fn compare_directions(
    prefix: &str,
    right: impl Fn(&Value, &str, &Value, &str) -> Vec<(&'static str, u64)>,
) -> (Vec<String>, usize) {
    let (mut wrong, mut compared) = (Vec::new(), 0);
    for recording in recordings(prefix) {
        let truth = truth(&recording);
        for (file, connections) in truth["answers"].as_object().expect("answers a file") {
            let capture = recording.join(file);
            for answer in connections.as_array().expect("a list") {
                let number = connection_of(&capture, &answer["client_key"]).expect("the connection is listed");
                let summary = said(&capture, &["mptcp_summary", &number.to_string()]);
                for role in ["server", "client"] {
                    for (name, value) in right(&truth, file, answer, role) {
                        let found = &towards(&summary, role)[name];
                        compared += 1;
                        if found.as_u64() != Some(value) {
                            wrong.push(format!(
                                "{} connection {number} towards the {role}, {name}: {found}, not {value}",
                                capture.display()
                            ));
                        }
                    }
                }
            }
        }
    }
    (wrong, compared)
}

/// Payload bytes that came to the router in this direction, by the counters of the path between client and router. The
/// path between router and server loses nothing.
fn payload_at_router(truth: &Value, role: &str) -> u64 {
    let direction = if role == "server" { "c2s" } else { "s2c" };
    let counters = truth["relay"].as_object().expect("counters a path");
    let counters = counters.iter().filter(|(path, _)| path.ends_with(direction));
    let sent: u64 = counters.map(|(_, counters)| counters["in_tcp_payload_bytes"].as_u64().unwrap_or(0)).sum();
    let dropped =
        truth["relay_events"].as_array().expect("a list").iter().filter(|event| {
            event["dir"] == direction && event["ev"].as_str().is_some_and(|kind| kind.starts_with("drop"))
        });
    let dropped: u64 = dropped.map(|event| event["plen"].as_u64().unwrap_or(0)).sum();
    // What the client sends comes to the router behind the path, what the server sends comes before it.
    if role == "server" { sent - dropped } else { sent }
}

/// The counters of the kernel that sends towards this role: bytes that TCP sent again, bytes that MPTCP sent again.
fn sent_again_by_kernel(truth: &Value, towards: &str) -> (u64, u64) {
    let end = if towards == "server" { "app_client" } else { "app_server" };
    let connection = &truth[end]["connections"][0];
    let subflows = connection["tcp_info"].as_object().expect("subflows").values();
    let by_tcp = subflows.map(|subflow| subflow["bytes_retrans"].as_u64().expect("a number")).sum();
    let info = if connection["mptcp_info"].is_object() { "mptcp_info" } else { "mptcp_last" };
    (by_tcp, connection[info]["bytes_retrans"].as_u64().expect("a number"))
}

#[test]
fn bytes_sent_again_are_those_of_the_kernels() {
    let mut compared = 0;
    for prefix in ["lossy", "blackout", "late_originals"] {
        for recording in recordings(prefix) {
            let truth = truth(&recording);
            for (file, role) in [("client.pcap", "server"), ("server.pcap", "client")] {
                let summary = said(&recording.join(file), &["mptcp_summary", "0"]);
                let found = towards(&summary, role);
                let number = |name: &str| found[name].as_u64().expect("a number");
                let (by_tcp, by_mptcp) = sent_again_by_kernel(&truth, role);
                let label = format!("{}/{file}", recording.display());
                assert_eq!(number("reinjected_bytes") + number("resent_same_subflow_bytes"), by_mptcp, "{label}");
                // In the others tcp_info was read before TCP had sent for the last time.
                if prefix == "lossy" {
                    assert_eq!(number("retransmitted_bytes"), by_tcp, "{label}");
                }
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 12);
}

#[test]
fn lost_packets_are_those_that_the_path_dropped() {
    let mut compared = 0;
    for prefix in ["lossy", "blackout", "late_originals", "router_any_losses"] {
        for recording in recordings(prefix) {
            let truth = truth(&recording);
            let dropped = truth["relay_events"].as_array().expect("a list").iter();
            let dropped = dropped.filter(|event| event["seq"].is_number() && event["ev"] != "reorder");
            let dropped: Vec<&Value> = dropped.collect();
            let (client, server) = (recording.join("client.pcap"), recording.join("server.pcap"));
            let command = ["loss", "mptcp", &client.to_string_lossy(), "0", &server.to_string_lossy()];
            let lost = said(&client, &command);
            for (role, direction) in [("server", "c2s"), ("client", "s2c")] {
                let subflows = lost.as_array().expect("a list").iter().filter(|subflow| subflow["towards"] == role);
                let sum = |name: &str| subflows.clone().map(|subflow| subflow[name].as_u64().expect("a number")).sum();
                let found: (u64, u64) = (sum("lost_packets"), sum("lost_bytes"));
                let dropped = dropped.iter().filter(|event| event["dir"] == direction);
                let bytes = dropped.clone().map(|event| event["plen"].as_u64().expect("a number")).sum();
                assert_eq!(found, (dropped.count() as u64, bytes), "{} towards the {role}", recording.display());
                compared += 1;
            }
        }
    }
    assert_eq!(compared, 14);
}

#[test]
fn each_packet_counts_once_on_a_router_a_bridge_and_a_host_of_containers() {
    for prefix in ["router", "bridge", TRANSLATED] {
        let (wrong, compared) = compare_directions(prefix, |truth, file, _, role| {
            if file != "router.pcap" {
                return Vec::new();
            }
            vec![("throughput_bytes", payload_at_router(truth, role))]
        });
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(compared >= 2);
    }
}

#[test]
fn zero_window_probes_are_not_data_sent_again() {
    // The kernels: bytes_retrans is 0 in MPTCP_INFO and in tcp_info of each subflow.
    let (wrong, compared) = compare_directions("reader_stops", |truth, _, _, _| {
        for end in ["app_client", "app_server"] {
            let connection = &truth[end]["connections"][0];
            let subflows = connection["tcp_info"].as_object().expect("subflows").values();
            assert!(subflows.clone().all(|subflow| subflow["bytes_retrans"] == 0), "the kernel sent something again");
        }
        vec![("reinjected_bytes", 0), ("resent_same_subflow_bytes", 0), ("retransmitted_bytes", 0)]
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared >= 48);
}

#[test]
fn unseen_bytes_of_a_capture_on_one_interface() {
    for prefix in ["lossy", "blackout"] {
        let (wrong, compared) = compare_directions(prefix, |_, _, answer, role| {
            vec![("unseen_bytes", answer["unseen"][role].as_u64().expect("a number"))]
        });
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(compared >= 10);
    }
}

#[test]
fn subflows_behind_an_address_translator_are_those_before_it() {
    for recording in recordings(TRANSLATED) {
        // The client opened one subflow on each path, and MPTCP sent nothing again.
        let client = &truth(&recording)["app_client"]["connections"][0];
        let opened = client["tcp_info"].as_object().expect("subflows").len();
        assert_eq!(client["mptcp_info"]["bytes_retrans"], 0);
        let capture = recording.join("router.pcap");
        let subflows = said(&capture, &["list_subflows", "0"]);
        let subflows = subflows.as_array().expect("a list");
        assert_eq!(subflows.len(), opened);
        assert!(subflows.iter().all(|subflow| subflow["client_ip"].as_str().is_some_and(|ip| ip.starts_with("10.0."))));
        let summary = said(&capture, &["mptcp_summary", "0"]);
        assert!(["server", "client"].iter().all(|role| towards(&summary, role)["reinjected_bytes"] == 0));
        let findings = said(&capture, &["diagnose"]);
        let twice = findings.as_array().expect("a list").iter().filter(|it| it["finding"] == "packets_captured_twice");
        assert!(twice.clone().any(|it| it["meaning"].as_str().is_some_and(|text| text.contains("address translator"))));
    }
}

#[test]
fn a_fallback_after_refused_data_in_the_syn_is_named() {
    for recording in recordings("tfo_syn_data_refused") {
        let counters = &truth(&recording)["nstat"];
        assert_eq!(counters["client"]["TcpExt"]["TCPFastOpenActiveFail"], 1);
        assert_eq!(counters["server"]["MPTcpExt"]["MPCapableFallbackACK"], 1);
        for file in ["client.pcap", "server.pcap"] {
            let listed = said(&recording.join(file), &["list_mptcp_connections"]);
            let listed = listed.as_array().expect("a list").iter();
            let reasons: Vec<&Value> = listed.map(|connection| &connection["fallback"]["reason"]).collect();
            assert_eq!(reasons, [&Value::Null, &Value::from("syn_data_refused")], "{file}");
        }
    }
}
