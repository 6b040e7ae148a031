//! Packets that several places recorded, in one file; and packets out of the order of time. What the other file of the
//! same transfer says is right: the one of a place alone, or the one that `reordercap` put in order.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::analysis::recorded::{recordings, said, towards};
use crate::support::program::Home;
use crate::support::scenarios;

/// What one command says of the captures that it names, as JSON.
fn says(arguments: &[&str]) -> Value {
    let finished = Home::new().run(&[arguments, &["--format", "json"]].concat(), "");
    assert_eq!(finished.code, Some(0), "{arguments:?}: {}", finished.messages);
    serde_json::from_str(&finished.results).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

/// The same without ids of packets, which are those of the file.
fn without_ids(mut value: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Object(map) => {
                map.retain(|key, _| !key.ends_with("packetid") && key != "packets" && key != "interface");
                map.values_mut().for_each(strip);
            }
            _ => {}
        }
    }
    strip(&mut value);
    value
}

fn wireshark(program: &str, arguments: &[&OsStr]) {
    let output = Command::new(program).args(arguments).output().expect("Wireshark's programs are installed");
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// The file of one end of a scenario.
fn end(scenario: &Path, name: &str) -> PathBuf {
    let file = |ending: &str| scenario.join(format!("{name}.{ending}"));
    Some(file("pcapng")).filter(|file| file.is_file()).unwrap_or_else(|| file("pcap"))
}

/// Where two values first differ.
fn difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Array(ones), Value::Array(others)) if ones.len() == others.len() => {
            let mut pairs = ones.iter().zip(others).enumerate();
            pairs.find_map(|(at, (one, other))| Some(format!("{at}/{}", difference(one, other)?)))
        }
        (Value::Object(ones), Value::Object(others)) if ones.len() == others.len() => {
            ones.iter().find_map(|(key, one)| {
                Some(format!("{key}/{}", difference(one, others.get(key).unwrap_or(&Value::Null))?))
            })
        }
        _ => (one != other).then(|| format!("{one:.200} is not {other:.200}")),
    }
}

/// Compares what commands say of `one` and of `other`.
fn compare(one: &str, other: &str, commands: &[&[&str]]) {
    for command in commands {
        let of = |capture: &str| without_ids(says(&[&["-l", capture], *command].concat()));
        assert_eq!(difference(&of(one), &of(other)), None, "{command:?} of {one} and {other}");
    }
}

#[test]
fn a_router_counts_each_packet_once() {
    let router = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/field/25_router_any.pcap");
    if !router.is_file() {
        return println!("skipped: {} is not here", router.display());
    }
    let router = text(&router);
    // Towards the server 400,040 bytes, nothing of it sent again: the README of the file.
    for view in ["", "@client", "@server"] {
        let summary = says(&["-l", &format!("{router}{view}"), "mptcp_summary", "0"]);
        let up = towards(&summary, "server");
        assert_eq!((&up["throughput_bytes"], &up["goodput_bytes"]), (&400_040.into(), &400_040.into()), "{view}");
        assert_eq!((&up["retransmitted_bytes"], &up["reinjected_bytes"]), (&0.into(), &0.into()), "{view}");
    }
    let every = says(&["-l", &router, "--copies", "all", "tcp_summary"]);
    let packets = |summary: &Value| -> u64 {
        let directions = summary.as_array().unwrap().iter().flat_map(|stream| stream["directions"].as_array().unwrap());
        directions.map(|direction| direction["packets"].as_u64().unwrap()).sum()
    };
    assert_eq!(packets(&every), 1154, "all that tshark counts");
    assert_eq!(packets(&says(&["-l", &router, "tcp_summary"])), 577);
    let lost = says(&["loss", "mptcp", &format!("{router}@client"), "0", &format!("{router}@server")]);
    for direction in lost.as_array().unwrap() {
        assert_eq!(direction["lost_packets"], 0, "nothing is lost within the router: {direction}");
    }
    let finished = Home::new().run(&["-l", &router, "list_interfaces"], "");
    assert!(finished.messages.contains("packets of 2 TCP streams were recorded 2 times each"), "{}", finished.messages);
}

/// Real routers and bridges, recorded while both ends were: the ends' files say what each packet counted once is.
#[test]
fn routers_and_bridges_agree_with_the_ends() {
    let mut compared = 0;
    for recording in ["router_any", "bridge_any"].into_iter().flat_map(recordings) {
        let router = text(&recording.join("router.pcap"));
        let found = says(&["-l", &router, "mptcp_summary", "0"]);
        let relay = crate::analysis::recorded::truth(&recording)["relay"].clone();
        for (role, way, end) in [("server", "c2s", "client.pcap"), ("client", "s2c", "server.pcap")] {
            let sent = said(&recording.join(end), &["mptcp_summary", "0"]);
            let (found, sent) = (towards(&found, role), towards(&sent, role));
            assert_eq!(found["goodput_bytes"], sent["goodput_bytes"], "{router} towards the {role}");
            // The router lies on one side of the emulated path, which may have dropped packets.
            let paths = relay.as_object().unwrap().iter().filter(|(path, _)| path.ends_with(way));
            let dropped: u64 = paths.map(|(_, path)| path["drop_loss_data"].as_u64().unwrap_or(0)).sum();
            if dropped == 0 {
                assert_eq!(found["throughput_bytes"], sent["throughput_bytes"], "{router} towards the {role}");
                assert_eq!(found["retransmitted_bytes"], 0, "{router} towards the {role}");
            }
            compared += 1;
        }
        let lost = says(&["loss", "mptcp", &format!("{router}@client"), "0", &format!("{router}@server")]);
        assert!(lost.as_array().unwrap().iter().all(|direction| direction["lost_packets"] == 0), "{router}: {lost}");
    }
    assert!(compared >= 10, "only {compared} directions were compared");
}

/// Both ends in one file, told apart by interface, by direction and by order, with clocks that agree and that do not,
/// with and without loss, doubled packets and segmentation by the network card.
#[test]
fn either_end_of_a_file_of_both_is_that_ends_own_file() {
    let Some(folder) = scenarios::folder() else { return };
    let commands: [&[&str]; 3] = [&["tcp_summary"], &["mptcp_summary"], &["rtt", "0"]];
    for (name, format) in [
        ("01_basic", "pcapng"),
        ("02_fullmesh", "pcap"),
        ("06_lossy", "nsecpcap"),
        ("06b_reorder_dup", "nsecpcap"),
        ("10b_ipv6_tun_raw", "pcapng"),
        ("14a_offset_02", "pcap"),
        ("14a_offset_06", "nsecpcap"),
        ("14c_skew_minus5000ppm", "pcapng"),
        ("16b_gso", "pcapng"),
    ] {
        let scenario = folder.join(name);
        let (client, server) = (end(&scenario, "client"), end(&scenario, "server"));
        let directory = tempfile::tempdir().unwrap();
        let both = directory.path().join("both");
        let arguments: [&OsStr; 6] =
            ["-F".as_ref(), format.as_ref(), "-w".as_ref(), both.as_ref(), client.as_ref(), server.as_ref()];
        wireshark("mergecap", &arguments);
        let (near, far) = (format!("{}@client", text(&both)), format!("{}@server", text(&both)));
        compare(&near, &text(&client), &commands);
        compare(&far, &text(&server), &commands);
        let two = |one: &str, other: &str| without_ids(says(&["loss", "mptcp", one, "0", other]));
        assert_eq!(difference(&two(&near, &far), &two(&text(&client), &text(&server))), None, "{name}");
        let two = |one: &str, other: &str| without_ids(says(&["print_owds", "mptcp", one, "0", other]));
        assert_eq!(difference(&two(&near, &far), &two(&text(&client), &text(&server))), None, "{name}");
    }
}

/// An Ethernet capture of which each frame is written again, as a place behind a router would have it.
fn written_again(capture: &Path, target: &Path, copies: &[(u32, u8)]) {
    let plain = target.with_extension("plain");
    wireshark("editcap", &["-F".as_ref(), "pcap".as_ref(), capture.as_ref(), plain.as_ref()]);
    let file = fs::read(&plain).unwrap();
    let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
    let mut frames: Vec<(u64, Vec<u8>)> = Vec::new();
    let mut at = 24;
    while at < file.len() {
        let (time, length) = (u64::from(number(at)) * 1_000_000 + u64::from(number(at + 4)), number(at + 8) as usize);
        for (later, hops) in [(0, 0)].iter().chain(copies) {
            let mut frame = file[at + 16..at + 16 + length].to_vec();
            match frame[14] >> 4 {
                4 => frame[22] = frame[22].wrapping_sub(*hops),
                6 => frame[21] = frame[21].wrapping_sub(*hops),
                _ => {}
            }
            let time = time + u64::from(*later);
            let header = [(time / 1_000_000) as u32, (time % 1_000_000) as u32, number(at + 8), number(at + 12)];
            frames.push((time, [header.map(u32::to_le_bytes).as_flattened(), &frame].concat()));
        }
        at += 16 + length;
    }
    frames.sort_by_key(|(time, _)| *time);
    let frames: Vec<u8> = frames.into_iter().flat_map(|(_, frame)| frame).collect();
    fs::write(target, [&file[..24], &frames].concat()).unwrap();
}

/// Routers, mirror ports that send the same frame twice, a bridge behind a router that sees each three times.
#[test]
fn frames_written_again_change_no_number() {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    let mut sources = vec![capture];
    sources.extend(scenarios::folder().map(|folder| folder.join("06b_reorder_dup/server.pcapng")));
    for source in sources {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str| directory.path().join(name);
        written_again(&source, &file("once"), &[]);
        for (name, copies) in
            [("router", &[(3, 1)][..]), ("mirror", &[(0, 0)]), ("three", &[(1, 0), (4, 1)]), ("hops", &[(2, 3)])]
        {
            written_again(&source, &file(name), copies);
            for command in ["tcp_summary", "mptcp_summary"] {
                let volumes = |name: &str| volumes(&says(&["-l", &text(&file(name)), command]));
                assert_eq!(volumes(name), volumes("once"), "{name}: {command}");
            }
            let counted = |name: &str| says(&["-l", &text(&file(name)), "events", "0"]).as_array().unwrap().len();
            assert_eq!(counted(name), counted("once"), "{name}");
        }
    }
}

/// What a summary counts: times of copies differ by a few microseconds.
fn volumes(summary: &Value) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    collect(summary, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(map) => {
            for (key, value) in map {
                if key.ends_with("bytes") || key.ends_with("packets") {
                    found.push((key.clone(), value.clone()));
                }
                collect(value, found);
            }
        }
        _ => {}
    }
}

/// None of the captures recorded in one place has packets of several. A few of version 0 are a little out of order.
#[test]
fn nothing_else_is_taken_for_copies() {
    for path in scenarios::captures() {
        let Some(capture) = scenarios::load(&path) else { continue };
        let label = scenarios::label(&path);
        assert_eq!(capture.copies, None, "{label}");
        let may = label.contains("unsorted") || label.starts_with("v0/");
        assert!(capture.order.misplaced.is_empty() || may, "{label}");
        assert!(!capture.order.clock_set_back, "{label}");
    }
}

const ALL_OF_IT: &[&[&str]] = &[
    &["tcp_summary"],
    &["mptcp_summary"],
    &["list_subflows", "0"],
    &["events", "0"],
    &["rtt", "0", "--samples"],
    &["ooo", "0"],
    &["list_reinjections", "0"],
];

#[test]
fn a_file_out_of_order_says_what_it_says_in_order() {
    let Some(folder) = scenarios::folder() else { return };
    let unsorted = folder.join("01_basic/client.unsorted.pcapng");
    let directory = tempfile::tempdir().unwrap();
    let sorted = directory.path().join("sorted.pcapng");
    wireshark("reordercap", &[unsorted.as_ref(), sorted.as_ref()]);
    compare(&text(&unsorted), &text(&sorted), ALL_OF_IT);
    let server = text(&folder.join("01_basic/server.pcapng"));
    for command in ["loss", "print_owds"] {
        let of = |file: &Path| without_ids(says(&[command, "mptcp", &text(file), "0", &server]));
        assert_eq!(difference(&of(&unsorted), &of(&sorted)), None, "{command}");
    }
    let findings = says(&["-l", &text(&unsorted), "diagnose"]);
    let found =
        findings.as_array().unwrap().iter().find(|found| found["finding"] == "timestamps_out_of_order").unwrap();
    // tshark -T fields -e frame.time_delta: 381 are negative.
    assert_eq!((&found["severity"], &found["packet_count"]), (&"notice".into(), &381.into()));
    assert!(found["meaning"].as_str().unwrap().contains("in time order"), "{found}");
}

/// One interface behind the other: hardly a packet is where it belongs. Numbers of streams stay Wireshark's for the file.
#[test]
fn files_put_one_behind_the_other_are_read_in_order() {
    let Some(folder) = scenarios::folder() else { return };
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (unsorted, sorted) = (file("unsorted.pcapng"), file("sorted.pcapng"));
    let source = folder.join("02_fullmesh/client.pcap");
    let parts = ["tcp.stream==3", "tcp.stream==1||tcp.stream==2", "tcp.stream==0"];
    let mut arguments = vec!["-a".to_string(), "-w".to_string(), text(&unsorted)];
    for (name, filter) in ["a", "b", "c"].into_iter().zip(parts) {
        let part = text(&file(name));
        wireshark("tshark", &["-n", "-r", &text(&source), "-Y", filter, "-w", &part].map(OsStr::new));
        arguments.push(part);
    }
    wireshark("mergecap", &arguments.iter().map(OsStr::new).collect::<Vec<_>>());
    wireshark("reordercap", &[unsorted.as_ref(), sorted.as_ref()]);
    // Stream 3 is written first, and so on.
    let numbers = [3, 1, 2, 0];
    let summary = |file: &Path| says(&["-l", &text(file), "mptcp_summary", "0"]);
    let (found, right) = (summary(&unsorted), summary(&sorted));
    for role in ["server", "client"] {
        let (found, right) = (towards(&found, role), towards(&right, role));
        for key in ["goodput_bytes", "throughput_bytes", "retransmitted_bytes", "reinjected_bytes", "duration"] {
            assert_eq!(found[key], right[key], "{key} towards the {role}");
        }
        for (number, sorted) in numbers.iter().zip(right["subflows"].as_array().unwrap()) {
            let found = found["subflows"].as_array().unwrap();
            let found = found.iter().find(|subflow| subflow["tcpstream"] == *number).unwrap();
            assert_eq!(found["goodput_bytes"], sorted["goodput_bytes"], "stream {number} towards the {role}");
        }
    }
    let listed = says(&["-l", &text(&unsorted), "list_tcp_connections"]);
    let ports: Vec<u64> =
        listed.as_array().unwrap().iter().map(|stream| stream["client_port"].as_u64().unwrap()).collect();
    let lines = scenarios::tshark(&unsorted, &["tcp.stream", "tcp.srcport"]);
    for (stream, port) in ports.iter().enumerate() {
        assert!(lines.contains(&format!("{stream}\t{port}")), "stream {stream} is not of port {port}");
    }
}

/// The clock was set back by half a second amid a transfer: bytes are counted as if it had not been.
#[test]
fn a_clock_that_was_set_back_changes_no_volume() {
    let Some(folder) = scenarios::folder() else { return };
    let source = folder.join("01_basic/server.pcapng");
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let (early, late, shifted, whole) = (file("early"), file("late"), file("shifted"), file("whole"));
    let cut = |range: &str, target: &Path| {
        wireshark("editcap", &["-r".as_ref(), source.as_ref(), target.as_ref(), range.as_ref()]);
    };
    cut("1-1500", &early);
    cut("1501-9999", &late);
    wireshark("editcap", &["-t".as_ref(), "-0.5".as_ref(), late.as_ref(), shifted.as_ref()]);
    wireshark("mergecap", &["-a".as_ref(), "-w".as_ref(), whole.as_ref(), early.as_ref(), shifted.as_ref()]);
    for command in ["tcp_summary", "mptcp_summary"] {
        let volumes = |file: &Path| volumes(&says(&["-l", &text(file), command]));
        assert_eq!(volumes(&whole), volumes(&source), "{command}");
    }
    let findings = says(&["-l", &text(&whole), "diagnose"]);
    let found =
        findings.as_array().unwrap().iter().find(|found| found["finding"] == "timestamps_out_of_order").unwrap();
    assert_eq!(found["severity"], "problem", "{found}");
}
