//! Numbers of streams and connections, relative sequence numbers and windows against Wireshark's own, packet by
//! packet, in every capture.

use std::path::Path;
use std::process::Command;

use mptcp_trace::tracking::Capture;
use mptcp_trace::tracking::expected_token;

use crate::support::scenarios;

/// One line of tshark's answer, fields as printed.
fn ask(path: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-o", "tcp.relative_sequence_numbers:TRUE", "-Y", "tcp && !icmp && !icmpv6", "-T", "fields"]);
    command.args(["-E", "separator=/t", "-r"]).arg(path);
    for field in fields {
        command.args(["-e", field]);
    }
    let answer = command.output().expect("tshark is installed").stdout;
    let answer = String::from_utf8(answer).expect("numbers are ASCII");
    answer.lines().map(|line| line.split('\t').map(str::to_string).collect()).collect()
}

fn differences(path: &Path, capture: &Capture) -> Vec<String> {
    let fields =
        ["frame.number", "tcp.stream", "mptcp.stream", "tcp.seq", "tcp.ack", "tcp.window_size", "mptcp.expected_token"];
    let rows = ask(path, &fields);
    let mut wrong = Vec::new();
    if rows.len() != capture.segments.len() {
        wrong.push(format!("{} packets, tshark has {}", capture.segments.len(), rows.len()));
    }
    // A file that is out of order is taken in the order of time.
    let mut packets: Vec<_> = capture.segments.iter().zip(&capture.tracking.packets).collect();
    packets.sort_by_key(|(segment, _)| segment.packetid());
    for (row, (segment, packet)) in rows.iter().zip(packets) {
        let number = |at: usize| row.get(at).and_then(|text| text.parse::<u64>().ok());
        let connection = capture.tracking.subflow(packet.stream).map(|subflow| u64::from(subflow.wireshark));
        let mut compare = |what: &str, found: Option<u64>, wanted: Option<u64>| {
            if found != wanted {
                wrong.push(format!("packet {} {what}: {found:?}, tshark has {wanted:?}", segment.packetid()));
            }
        };
        compare("number", Some(segment.packetid()), number(0));
        compare("tcp.stream", Some(packet.stream.into()), number(1));
        // Wireshark leaves packets without a number that belong to a connection all the same.
        if let Some(wanted) = number(2) {
            compare("mptcp.stream", connection, Some(wanted));
        }
        compare("tcp.seq", Some(packet.sequence.into()), number(3));
        if let Some(acknowledgement) = packet.acknowledgement() {
            compare("tcp.ack", Some(acknowledgement.into()), number(4));
        }
        // Where the scale is not known, ours is null and Wireshark's not scaled.
        if let Some(window) = packet.window() {
            compare("tcp.window_size", Some(window.into()), number(5));
        }
        if let Some(wanted) = number(6) {
            compare("mptcp.expected_token", expected_token(segment).map(u64::from), Some(wanted));
        }
    }
    wrong
}

#[test]
fn every_packet_has_wiresharks_numbers() {
    let mut wrong = Vec::new();
    let mut packets = 0;
    for path in scenarios::captures() {
        let Some(capture) = scenarios::load(&path) else { continue };
        let label = scenarios::label(&path);
        let found = differences(&path, &capture);
        packets += capture.segments.len();
        let count = found.len();
        wrong.extend(found.into_iter().take(3).map(|what| format!("{label}: {what} (one of {count})")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(packets > 500_000 || scenarios::folder().is_none(), "only {packets} packets were compared");
}

#[test]
fn the_shipped_example_has_wiresharks_numbers() {
    for name in ["client.pcapng", "server.pcapng"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name);
        let capture = scenarios::load(&path).expect("it is not empty");
        assert!(!capture.segments.is_empty());
        assert_eq!(differences(&path, &capture), Vec::<String>::new());
    }
}
