//! `traffic` and `bursts` against tshark's raw fields: counts, bytes, times and runs worked out from one line per frame.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::analysis::merge::end_of;
use crate::analysis::recorded::{recordings, truth};
use crate::support::program::Home;
use crate::support::scenarios;

/// One frame as tshark shows it.
struct Frame {
    packetid: u64,
    reltime: f64,
    length: u64,
    stream: u64,
    to_server: bool,
    flags: u64,
    payload: u64,
    ttl: u64,
}

/// The TCP frames of a capture whose server listens on port 5001.
fn frames(capture: &Path) -> Vec<Frame> {
    let fields = [
        "frame.number",
        "frame.time_relative",
        "frame.len",
        "tcp.stream",
        "tcp.dstport",
        "tcp.flags",
        "tcp.len",
        "ip.ttl",
        "ipv6.hlim",
    ];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-Y", "tcp and not icmp and not icmpv6", "-T", "fields", "-r"]).arg(capture);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            let number = |place: usize| cells[place].parse::<u64>().unwrap();
            Frame {
                packetid: number(0),
                reltime: cells[1].parse().unwrap(),
                length: number(2),
                stream: number(3),
                to_server: number(4) == 5001,
                flags: u64::from_str_radix(cells[5].trim_start_matches("0x"), 16).unwrap(),
                payload: number(6),
                ttl: if cells[7].is_empty() { number(8) } else { number(7) },
            }
        })
        .collect()
}

fn captures() -> Vec<PathBuf> {
    let mut captures = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng")];
    if let Some(folder) = scenarios::folder() {
        let names = ["02_fullmesh/client.pcap", "10_ipv6_mixed/client.pcapng", "10_ipv6_mixed/client.pcap"];
        captures.extend(names.map(|name| folder.join(name)).into_iter().filter(|path| path.is_file()));
    }
    captures
}

fn told(capture: &Path, command: &str) -> Vec<Value> {
    let run = Home::new().run(&["--no-cache", "-l", capture.to_str().unwrap(), command, "0", "--json"], "");
    assert_eq!(run.code, Some(0), "{}", run.messages);
    serde_json::from_str::<Value>(&run.results).unwrap().as_array().unwrap().clone()
}

#[test]
fn counts_bytes_and_times_are_those_of_tshark() {
    for capture in captures() {
        let frames = frames(&capture);
        let rows = told(&capture, "traffic");
        assert!(!rows.is_empty());
        for row in rows {
            let own: Vec<&Frame> = frames
                .iter()
                .filter(|frame| row["tcpstream"] == frame.stream && (row["towards"] == "server") == frame.to_server)
                .collect();
            let count = |wanted: &dyn Fn(&Frame) -> bool| own.iter().filter(|frame| wanted(frame)).count() as u64;
            let data = |frame: &Frame| frame.payload > 0;
            let (least, most) = (own.iter().map(|frame| frame.ttl).min(), own.iter().map(|frame| frame.ttl).max());
            let what = format!("{}: {row}", capture.display());
            for (key, expected) in [
                ("packets", own.len() as u64),
                ("data_packets", count(&data)),
                ("pure_acks", count(&|frame| !data(frame) && frame.flags & 0x17 == 0x10)),
                ("syns", count(&|frame| frame.flags & 2 != 0)),
                ("fins", count(&|frame| frame.flags & 1 != 0)),
                ("resets", count(&|frame| frame.flags & 4 != 0)),
                ("pushes", count(&|frame| frame.flags & 8 != 0)),
                ("frame_bytes", own.iter().map(|frame| frame.length).sum()),
                ("ttl_min", least.unwrap()),
                ("ttl_max", most.unwrap()),
            ] {
                assert_eq!(row[key], expected, "{key} of {what}");
            }
            let sizes = || own.iter().map(|frame| frame.payload).filter(|payload| *payload > 0);
            assert_eq!(row["segment_min"].as_u64(), sizes().min(), "{what}");
            assert_eq!(row["segment_max"].as_u64(), sizes().max(), "{what}");
            let near = |key: &str, expected: Option<f64>| match (row[key].as_f64(), expected) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() < 1e-8, "{key} of {what}: {expected}")
                }
                (found, expected) => assert_eq!(found, expected, "{key} of {what}"),
            };
            near("first", own.first().map(|frame| frame.reltime));
            near("last", own.last().map(|frame| frame.reltime));
            near("first_data", own.iter().find(|frame| data(frame)).map(|frame| frame.reltime));
            near("last_data", own.iter().rev().find(|frame| data(frame)).map(|frame| frame.reltime));
            near("idle", own.windows(2).map(|pair| pair[1].reltime - pair[0].reltime).reduce(f64::max));
        }
    }
}

#[test]
fn bursts_are_the_runs_of_tsharks_streams() {
    for capture in captures() {
        let frames = frames(&capture);
        let rows = told(&capture, "bursts");
        let subflows: Vec<u64> =
            told(&capture, "traffic").iter().map(|row| row["tcpstream"].as_u64().unwrap()).collect();
        for (role, to_server) in [("server", true), ("client", false)] {
            let data: Vec<&Frame> = frames
                .iter()
                .filter(|frame| frame.to_server == to_server && frame.payload > 0 && subflows.contains(&frame.stream))
                .collect();
            let expected: Vec<(u64, u64, u64)> = data
                .chunk_by(|one, next| one.stream == next.stream)
                .map(|run| (run[0].stream, run[0].packetid, run.len() as u64))
                .collect();
            let number = |row: &Value, key: &str| row[key].as_u64().unwrap();
            let found: Vec<(u64, u64, u64)> = rows
                .iter()
                .filter(|row| row["towards"] == role)
                .map(|row| (number(row, "tcpstream"), number(row, "packetid"), number(row, "packets")))
                .collect();
            assert_eq!(found, expected, "{} towards the {role}", capture.display());
        }
    }
}

/// What the applications wrote is in the bursts once.
#[test]
fn new_bytes_of_bursts_add_up_to_what_the_applications_wrote() {
    let mut again = 0;
    for recording in [recordings("lossy"), recordings("blackout")].concat() {
        let truth = truth(&recording);
        for capture in ["client", "server"].map(|end| end_of(&recording, end).unwrap()) {
            let rows = told(&capture, "bursts");
            for (towards, writer) in [("server", "app_client"), ("client", "app_server")] {
                let written = truth[writer]["connections"][0]["sent"].as_u64().unwrap();
                let own = || rows.iter().filter(|row| row["towards"] == towards);
                let new: u64 = own().map(|row| row["new_bytes"].as_u64().unwrap()).sum();
                let all: u64 = own().map(|row| row["bytes"].as_u64().unwrap()).sum();
                assert_eq!(new, written, "{} towards the {towards}", capture.display());
                again += u64::from(all > new);
            }
        }
    }
    assert!(again > 3, "some data went again: {again}");
}
