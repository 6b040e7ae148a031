//! Conditions in Wireshark's words keep the packets that Wireshark's display filter keeps.

use std::path::Path;
use std::process::Command;

use crate::support::program::Home;

/// Lines that mean the same in both languages. Text is quoted as Wireshark wants it: addresses never are.
const CONDITIONS: [&str; 13] = [
    "frame.number < 20",
    "tcp.len > 0 and tcp.stream == 1",
    "ip.src == 10.0.1.1 and tcp.flags.syn == 1",
    "tcp.flags.syn == 1 and tcp.flags.ack == 0",
    "tcp.flags.fin != 0 or tcp.flags.reset == 1",
    "not tcp.flags.push == 1",
    "tcp.flags.push == 0 && tcp.flags.ack == 1",
    "tcp.flags & 2",
    "tcp.port == 5001",
    "tcp.port == 58597 and ip.addr == 10.0.2.1",
    "tcp.dstport == 5001 && !(tcp.len == 0)",
    "tcp.hdr_len > 40",
    "frame.len >= 1000 and ip.dst == 10.0.1.2",
];

#[test]
fn wiresharks_words_keep_wiresharks_packets() {
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    for condition in CONDITIONS {
        let filter = format!("tcp and ({condition})");
        let tshark = Command::new("tshark")
            .args(["-r", capture.to_str().unwrap(), "-Y", &filter, "-T", "fields", "-e", "frame.number"])
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&tshark.stderr);
        assert!(tshark.status.success(), "{condition}: {complaint}");
        let theirs = String::from_utf8(tshark.stdout).unwrap();
        assert!(!theirs.is_empty(), "{condition} keeps nothing");
        let home = Home::new();
        let line = ["-l", capture.to_str().unwrap(), "dump", "packetid", "-n", "0", "--format", "csv"];
        let ours = home.run(&[&line[..], &["--where", condition]].concat(), "");
        assert_eq!(ours.code, Some(0), "{condition}: {}", ours.messages);
        assert_eq!(ours.results.split_once('\n').unwrap().1, theirs, "{condition}");
    }
}

#[test]
fn a_condition_without_quotes_is_told() {
    let home = Home::new();
    let capture = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng");
    for (words, quoted) in [
        (&["dump", "packetid", "--where", "tcpdest", "==", "server", "-n", "3"][..], "tcpdest == server"),
        (&["clean_pcap", "in.pcap", "out.pcap", "--where", "tcplen", "in", "(0,", "40)"], "tcplen in (0, 40)"),
    ] {
        let run = home.run(&[&["-l", capture.to_str().unwrap()], words].concat(), "");
        assert_eq!(run.code, Some(2), "{}", run.messages);
        let expected = format!("error: the condition is in several words; quote it: --where '{quoted}'\n");
        assert!(run.messages.starts_with(&expected), "{}", run.messages);
    }
}
