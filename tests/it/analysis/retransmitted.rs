//! `retransmissions` against tshark: which packets repeat bytes, and when those were sent before, worked out from its raw
//! fields; and its own verdicts where it means the same.
//!
//! Where the definitions agree: what `tcp.analysis.spurious_retransmission` marks had been acknowledged, and is spurious
//! here. They do not agree in: `tcp.analysis.retransmission` also marks bytes that were not captured before, and
//! `tcp.analysis.out_of_order` may be what repeats captured bytes soon; `tcp.analysis.fast_retransmission` needs duplicate
//! ACKs, of which Wireshark counts none with MPTCP options.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::program::Home;
use crate::support::scenarios;

/// Stream, and ports from and to.
type Flow = (u64, u64, u64);

/// A frame as tshark shows it.
struct Frame {
    packetid: u64,
    time: f64,
    flow: Flow,
    start: u64,
    length: u64,
    spurious: bool,
    keep_alive: bool,
    syn: bool,
    data: bool,
}

fn frames(capture: &Path) -> Vec<Frame> {
    let fields = [
        "frame.number",
        "frame.time_relative",
        "tcp.stream",
        "tcp.srcport",
        "tcp.dstport",
        "tcp.seq",
        "tcp.len",
        "tcp.analysis.spurious_retransmission",
        "tcp.analysis.keep_alive",
        "tcp.flags.syn",
    ];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-o", "tcp.analyze_sequence_numbers:TRUE", "-Y", "tcp and not icmp and not icmpv6"]);
    tshark.args(["-T", "fields", "-E", "occurrence=f", "-r"]).arg(capture);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let frame = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |place: usize| cells[place].parse::<u64>().unwrap();
        Frame {
            packetid: number(0),
            time: cells[1].parse().unwrap(),
            flow: (number(2), number(3), number(4)),
            start: number(5),
            length: number(6),
            spurious: !cells[7].is_empty(),
            keep_alive: !cells[8].is_empty(),
            syn: matches!(cells[9], "1" | "True"),
            data: number(6) > 0,
        }
    };
    text.lines().map(frame).collect()
}

/// What a packet repeats, from raw fields: bytes, how often the first of them had been sent, the times since that was first
/// and last, and since the end's last packet; and whether tshark calls it needless.
fn repeated(frames: &[Frame]) -> BTreeMap<u64, (u64, usize, [f64; 3], bool)> {
    let mut sent: HashMap<Flow, Vec<(u64, u64, f64)>> = HashMap::new();
    let mut active: HashMap<Flow, f64> = HashMap::new();
    let mut found = BTreeMap::new();
    for frame in frames {
        let before = active.insert(frame.flow, frame.time).unwrap_or(frame.time);
        if !frame.data || frame.syn || frame.keep_alive {
            continue;
        }
        let sent = sent.entry(frame.flow).or_default();
        let (start, end) = (frame.start, frame.start + frame.length);
        let own: Vec<_> = sent.iter().filter(|(from, until, _)| *from < end && *until > start).copied().collect();
        if let Some(first) = own.iter().map(|(from, _, _)| (*from).max(start)).min() {
            let times = own.iter().filter(|(from, until, _)| *from <= first && *until > first).map(|sent| sent.2);
            let times: Vec<f64> = times.collect();
            let bytes = (start..end).filter(|byte| own.iter().any(|(from, until, _)| (from..until).contains(&byte)));
            let since = [times[0], times[times.len() - 1], before].map(|time| frame.time - time);
            found.insert(frame.packetid, (bytes.count() as u64, times.len(), since, frame.spurious));
        }
        sent.push((start, end, frame.time));
    }
    found
}

fn captures() -> Vec<PathBuf> {
    let mut captures = scenarios::captures();
    captures.retain(|path| std::fs::metadata(path).is_ok_and(|file| file.len() < 400_000));
    captures.truncate(60);
    captures.insert(0, Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng"));
    captures
}

#[test]
fn packets_bytes_and_times_are_those_of_tshark_s_raw_fields() {
    let (mut compared, mut spurious, mut most) = (0, 0, 0);
    for capture in captures() {
        let frames = frames(&capture);
        let expected = repeated(&frames);
        let home = Home::new();
        let streams: std::collections::BTreeSet<u64> = frames.iter().map(|frame| frame.flow.0).collect();
        let lines: String =
            streams.iter().map(|id| format!("retransmissions {id} --format json -o {id}.json\n")).collect();
        let file = home.write("lines", &lines);
        let done = home.run(&["-l", capture.to_str().unwrap(), "-b", file.to_str().unwrap()], "");
        if done.code != Some(0) {
            continue;
        }
        let mut told = BTreeMap::new();
        for id in streams {
            let text = std::fs::read_to_string(home.path(&format!("{id}.json"))).unwrap();
            for one in serde_json::from_str::<Value>(&text).unwrap().as_array().unwrap() {
                told.insert(one["packetid"].as_u64().unwrap(), one.clone());
            }
        }
        let label = scenarios::label(&capture);
        for (packetid, one) in &told {
            let (bytes, count, since, acknowledged) =
                expected.get(packetid).unwrap_or_else(|| panic!("{label}: packet {packetid} repeats nothing"));
            assert_eq!(one["bytes"], *bytes, "{label}: packet {packetid}");
            assert_eq!(one["count"], *count, "{label}: packet {packetid}");
            most = most.max(*count);
            for (name, since) in ["since_first", "since_last", "since_activity"].iter().zip(since) {
                let own = one[*name].as_f64().unwrap();
                assert!((own - since).abs() < 2e-6, "{label}: packet {packetid}, {name}: {own} instead of {since}");
            }
            assert!(!acknowledged || one["class"] == "spurious", "{label}: packet {packetid}: {one}");
            compared += 1;
            spurious += usize::from(*acknowledged);
        }
        // The path made copies in one scenario alone, which is not among these; keep-alives are tshark's.
        let missing: Vec<&u64> = expected.keys().filter(|packetid| !told.contains_key(packetid)).collect();
        assert!(most > 2, "some data go several times: {most}");
        assert!(missing.is_empty(), "{label}: packets {missing:?} are missing");
    }
    println!("{compared} retransmissions compared, {spurious} of acknowledged data");
    assert!(compared > 100 || scenarios::folder().is_none(), "only {compared} compared");
}
