//! Captures made from the recorded scenarios as people come to have them: one subflow of several, both ends in one
//! file. The values are those of the applications, the kernels and the emulated path.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::analysis::recorded::{said, towards};
use crate::support::scenarios;

fn run(program: &str, arguments: &[&std::ffi::OsStr]) {
    let output = Command::new(program).args(arguments).output().expect("Wireshark's programs are installed");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The packets of one TCP stream.
fn one_stream(capture: &Path, stream: u32, directory: &TempDir) -> PathBuf {
    let target = directory.path().join(format!("stream{stream}.pcapng"));
    let filter = format!("tcp.stream=={stream}");
    run(
        "tshark",
        &[
            "-n".as_ref(),
            "-r".as_ref(),
            capture.as_ref(),
            "-Y".as_ref(),
            filter.as_ref(),
            "-w".as_ref(),
            target.as_ref(),
        ],
    );
    target
}

/// Both ends in one file, in order of time.
fn both_ends_in_one(scenario: &Path, ending: &str, directory: &TempDir) -> PathBuf {
    let target = directory.path().join("both.pcapng");
    let end = |name: &str| scenario.join(format!("{name}.{ending}"));
    run("mergecap", &["-w".as_ref(), target.as_ref(), end("client").as_ref(), end("server").as_ref()]);
    target
}

fn truth(scenario: &Path) -> Value {
    scenarios::json(&scenario.join("client.pcap"), "truth.json").expect("the scenario has its truth")
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a number"))
}

/// Payload bytes that went onto all paths in this direction.
fn payload_sent(truth: &Value, direction: &str) -> u64 {
    let paths = truth["relay"].as_object().expect("counters a path").iter();
    paths.filter(|(path, _)| path.ends_with(direction)).map(|(_, path)| number(&path["in_tcp_payload_bytes"])).sum()
}

#[test]
fn one_subflow_of_two_leaves_the_rest_unseen() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("01_basic");
    let truth = truth(&scenario);
    let client = &truth["app_client"]["connections"][0];
    let (written, received) = (number(&client["sent"]), number(&client["received"]));
    let on_path_2 = client["subflows_last_seen"].as_object().expect("subflows").iter();
    let on_path_2 = on_path_2.filter(|(name, _)| name.starts_with("10.0.2.1")).map(|(_, info)| info).next().unwrap();
    // Nothing was reinjected (MPTCP_INFO bytes_retrans is 0), so that what one subflow did not carry the other did.
    assert_eq!(number(&client["mptcp_last"]["bytes_retrans"]), 0);
    let joined = number(&on_path_2["bytes_sent"]) - number(&on_path_2["bytes_retrans"]);
    for end in ["client.pcapng", "server.pcapng"] {
        let directory = tempfile::tempdir().unwrap();
        for (stream, carried, back) in [(0, written - joined, received), (1, joined, 0)] {
            let filtered = one_stream(&scenario.join(end), stream, &directory);
            let summary = said(&filtered, &["mptcp_summary", "0"]);
            let label = format!("{end}, stream {stream}");
            let up = towards(&summary, "server");
            assert_eq!(number(&up["goodput_bytes"]), carried, "{label}");
            // Without the keys, which the joined stream lacks, data count from the lowest DATA_ACK.
            let before = if stream == 0 { 0 } else { acknowledged_at_first(&scenario.join(end), stream) };
            assert_eq!(number(&up["unseen_bytes"]), written - carried - before, "{label}");
            let down = towards(&summary, "client");
            assert_eq!(number(&down["goodput_bytes"]), back, "{label}");
            assert_eq!(number(&down["unseen_bytes"]), received - back, "{label}");
            let findings = said(&filtered, &["diagnose"]);
            let kinds: Vec<&str> =
                findings.as_array().unwrap().iter().filter_map(|one| one["finding"].as_str()).collect();
            assert!(kinds.contains(&"subflow_not_captured"), "{label}: {kinds:?}");
            assert!(!kinds.contains(&"address_not_joined") && !kinds.contains(&"single_subflow"), "{label}: {kinds:?}");
        }
    }
}

/// Data towards the server that the first DATA_ACK on a stream covers, by tshark's raw fields: they are counted from the
/// first number of the initial stream, which MP_CAPABLE maps, and its first data are the 40 bytes of a header
/// (README of the lab).
fn acknowledged_at_first(capture: &Path, stream: u32) -> u64 {
    let fields = ["tcp.stream", "tcp.dstport", "tcp.options.mptcp.rawdataseqno", "tcp.options.mptcp.rawdataack"];
    let lines = scenarios::tshark(capture, &fields);
    let cells = || lines.iter().map(|line| line.split('\t').collect::<Vec<_>>());
    let first_mapped =
        cells().filter(|cells| cells[1] == "5001").filter_map(|cells| cells[2].parse::<u64>().ok()).min();
    let own = stream.to_string();
    let mut acknowledged = cells().filter(|cells| cells[0] == own && cells[1] != "5001");
    let first = acknowledged.find_map(|cells| cells[3].parse::<u64>().ok()).unwrap();
    first - (first_mapped.unwrap() - 40)
}

#[test]
fn both_ends_in_one_file_count_each_packet_once() {
    let Some(folder) = scenarios::folder() else { return };
    for (name, ending) in
        [("02_fullmesh", "pcap"), ("01_basic", "pcapng"), ("10_ipv6_mixed", "pcap"), ("10b_ipv6_tun_raw", "pcapng")]
    {
        let scenario = folder.join(name);
        let truth = truth(&scenario);
        let directory = tempfile::tempdir().unwrap();
        let both = both_ends_in_one(&scenario, ending, &directory);
        let summary = said(&both, &["mptcp_summary", "0"]);
        let client = &truth["app_client"]["connections"][0];
        for (role, written, direction) in [("server", "sent", "c2s"), ("client", "received", "s2c")] {
            let found = towards(&summary, role);
            assert_eq!(found["goodput_bytes"], client[written], "{name} towards the {role}");
            assert_eq!(
                number(&found["throughput_bytes"]),
                payload_sent(&truth, direction),
                "{name} towards the {role}"
            );
        }
    }
}

#[test]
fn copies_that_the_path_made_are_counted_at_the_receiver() {
    let Some(folder) = scenarios::folder() else { return };
    let scenario = folder.join("06b_reorder_dup");
    let log = std::fs::read_to_string(scenario.join("relay_events.jsonl")).unwrap();
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (role, end, direction) in [("server", "server.pcapng", "c2s"), ("client", "client.pcapng", "s2c")] {
        let copied = events.iter().filter(|event| event["ev"] == "dup" && event["dir"] == direction);
        let bytes: u64 = copied.map(|event| number(&event["plen"])).sum();
        assert!(bytes > 0);
        let summary = said(&scenario.join(end), &["mptcp_summary", "0"]);
        assert_eq!(number(&towards(&summary, role)["duplicated_bytes"]), bytes, "towards the {role}");
    }
}
