//! Reinjections as either end sees them, against arrivals and deliveries that tshark's raw fields tell of.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::analysis::reinjections::{Reinjection, reinjections};
use mptcp_trace::tracking::Role;
use mptcp_trace::{ConnectionId, StreamId};
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, diagnose_connection};
use serde_json::Value;

use crate::analysis::merge::end_of;
use crate::support::program::Home;
use crate::support::scenarios;

/// A packet with data: what its own options say.
struct Data {
    frame: u64,
    time: f64,
    stream: StreamId,
    /// Relative to the initial sequence number.
    ssn: u64,
    /// As sent; `None` for the first data of all, which come with MP_CAPABLE instead of a mapping.
    dsn: Option<u64>,
    length: u64,
}

/// Packets with data that travel `towards` an end; the server listens on 5001.
fn data(path: &Path, towards: Role) -> Vec<Data> {
    let fields = [
        "frame.number",
        "frame.time_relative",
        "tcp.stream",
        "tcp.srcport",
        "tcp.dstport",
        "tcp.seq_raw",
        "tcp.len",
        "tcp.flags.syn",
        "tcp.options.mptcp.rawdataseqno",
        "tcp.options.mptcp.subflowseqno",
        "tcp.options.mptcp.datalvllen",
    ];
    let mut isn: HashMap<StreamId, u32> = HashMap::new();
    let mut found = Vec::new();
    for line in scenarios::tshark(path, &fields) {
        let cells: Vec<&str> = line.split('\t').collect();
        let port = if towards == Role::Server { cells[4] } else { cells[3] };
        if port != "5001" {
            continue;
        }
        let (stream, sequence): (StreamId, u32) = (cells[2].parse().unwrap(), cells[5].parse().unwrap());
        if matches!(cells[7], "1" | "True") {
            isn.insert(stream, sequence);
        }
        let length: u64 = cells[6].parse().unwrap();
        let Some(isn) = isn.get(&stream).filter(|_| length > 0) else { continue };
        let ssn = sequence.wrapping_sub(*isn);
        let mapping = (cells[8].parse::<u64>(), cells[9].parse::<u32>(), cells[10].parse::<u64>());
        let dsn = match mapping {
            (Ok(dsn), Ok(first), Ok(mapped)) => {
                let into = u64::from(ssn.wrapping_sub(first));
                assert!(into + length <= mapped, "{line}");
                Some(dsn + into)
            }
            _ => None,
        };
        let (frame, time) = (cells[0].parse().unwrap(), cells[1].parse().unwrap());
        found.push(Data { frame, time, stream, ssn: ssn.into(), dsn, length });
    }
    found
}

/// Captures of both ends, by the folder that they are in.
fn recorded() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = scenarios::folder().map_or_else(Vec::new, |folder| {
        ["05_backup_failover", "05b_failover_permanent", "06_lossy", "06c_lossy_blackouts"]
            .map(|n| folder.join(n))
            .into()
    });
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/recorded");
    folders.extend(
        ["blackout_download", "blackout_upload", "late_originals_download", "lossy_upload"].map(|name| kept.join(name)),
    );
    folders
}

fn listed(path: &Path, towards: Role) -> Vec<Reinjection> {
    let capture = scenarios::load(path).unwrap();
    reinjections(&capture, capture.mptcp_connection(ConnectionId(0)).unwrap(), Some(towards))
}

/// The end that data `towards` an end come from, and the one that they come to.
fn ends(folder: &Path, towards: Role) -> (PathBuf, PathBuf) {
    let file = |name: &str| end_of(folder, name).unwrap();
    match towards {
        Role::Server => (file("client"), file("server")),
        Role::Client => (file("server"), file("client")),
    }
}

/// For each packet that brought bytes which another stream had brought before and its own had not: how many, in which
/// packets they came first, and when the first of these came; when the packet came, and when the first of these bytes had
/// come last.
fn late_copies(path: &Path, towards: Role) -> BTreeMap<u64, (u64, BTreeSet<u64>, f64, f64, f64)> {
    let packets = data(path, towards);
    let base = packets.iter().filter_map(|packet| packet.dsn).min().unwrap_or(0);
    let mut first: Vec<Option<&Data>> = Vec::new();
    // By stream: bytes of data that came on it, and subflow sequence numbers.
    let mut came: HashMap<StreamId, (Vec<bool>, Vec<bool>)> = HashMap::new();
    let mut late: BTreeMap<u64, (u64, BTreeSet<u64>, f64, f64, f64)> = BTreeMap::new();
    let mut latest: Vec<f64> = Vec::new();
    for packet in &packets {
        let Some(dsn) = packet.dsn else { continue };
        let (bytes, numbers) = came.entry(packet.stream).or_default();
        for into in 0..packet.length {
            let (byte, number) = ((dsn - base + into) as usize, (packet.ssn + into) as usize);
            for (list, at) in [(&mut *bytes, byte), (&mut *numbers, number)] {
                list.resize(list.len().max(at + 1), false);
            }
            first.resize(first.len().max(byte + 1), None);
            latest.resize(first.len(), f64::NAN);
            let before = std::mem::replace(&mut latest[byte], packet.time);
            let known = *first[byte].get_or_insert(packet);
            // What came before under the same subflow sequence number is TCP's retransmission.
            if std::mem::replace(&mut numbers[number], true) {
                continue;
            }
            if !std::mem::replace(&mut bytes[byte], true) && known.stream != packet.stream {
                let copy = late.entry(packet.frame).or_insert((0, BTreeSet::new(), f64::MAX, packet.time, before));
                copy.0 += 1;
                copy.1.insert(known.frame);
                copy.2 = copy.2.min(known.time);
            }
        }
    }
    late
}

/// When the last packet before each travelled `towards` an end, on any subflow.
fn before_each(path: &Path, towards: Role) -> HashMap<u64, f64> {
    let mut latest = None;
    let mut found = HashMap::new();
    for line in scenarios::tshark(path, &["frame.number", "frame.time_relative", "tcp.srcport", "tcp.dstport"]) {
        let cells: Vec<&str> = line.split('\t').collect();
        if cells[if towards == Role::Server { 3 } else { 2 }] == "5001" {
            let time: f64 = cells[1].parse().unwrap();
            found.extend(latest.replace(time).map(|before| (cells[0].parse().unwrap(), before)));
        }
    }
    found
}

#[test]
fn the_receiver_lists_the_copies_that_came_late() {
    let mut rows = 0;
    for folder in recorded() {
        for towards in Role::BOTH {
            let (_, receiver) = ends(&folder, towards);
            let expected = late_copies(&receiver, towards);
            let before_it = before_each(&receiver, towards);
            let found = listed(&receiver, towards);
            let label = format!("{} towards the {}", scenarios::label(&receiver), towards.name());
            assert_eq!(found.len(), expected.len(), "{label}");
            for one in &found {
                let (length, of, first, time, latest) = &expected[&one.packetid];
                assert_eq!(one.length, *length, "{label} {}", one.packetid);
                assert_eq!(one.of.iter().map(|original| original.packetid).collect::<BTreeSet<_>>(), *of, "{label}");
                assert_eq!((one.seen_from, one.needed), (Some(SeenFrom::Receiver), None), "{label}");
                assert!((one.late_by.unwrap() - (time - first)).abs() < 2e-6, "{label} {}", one.packetid);
                assert!((one.reltime - time).abs() < 2e-6, "{label} {}", one.packetid);
                assert!((one.since_last.unwrap() - (time - latest)).abs() < 2e-6, "{label} {}", one.packetid);
                let idle = time - before_it[&one.packetid];
                assert!((one.since_activity.unwrap() - idle).abs() < 2e-6, "{label} {}", one.packetid);
            }
            rows += found.len();
        }
    }
    assert!(rows > 20, "only {rows} copies came late");
}

/// By subflow sequence number: whether it came, and the byte of data that it has.
type Came = Vec<Option<Option<u64>>>;

/// The stream that could deliver each of the `wanted` bytes first, having all that comes before on it.
fn delivered_first(path: &Path, towards: Role, wanted: &HashSet<u64>) -> HashMap<u64, StreamId> {
    let mut waiting: HashMap<StreamId, (Came, usize)> = HashMap::new();
    let mut first: HashMap<u64, StreamId> = HashMap::new();
    for packet in data(path, towards) {
        let (own, next) = waiting.entry(packet.stream).or_insert((Vec::new(), 1));
        let end = (packet.ssn + packet.length) as usize;
        own.resize(own.len().max(end), None);
        for into in 0..packet.length {
            own[(packet.ssn + into) as usize].get_or_insert(packet.dsn.map(|dsn| dsn + into));
        }
        while let Some(byte) = own.get(*next).copied().flatten() {
            *next += 1;
            if let Some(byte) = byte.filter(|byte| wanted.contains(byte)) {
                first.entry(byte).or_insert(packet.stream);
            }
        }
    }
    first
}

/// Where the sender's capture says that a reinjection was needed, its copy could be delivered before any other; where it
/// says that it was not, another could before. Both by the receiver's capture.
#[test]
fn what_was_needed_is_what_the_receiver_could_deliver_first() {
    let mut counts: BTreeMap<Option<bool>, usize> = BTreeMap::new();
    for folder in recorded() {
        for towards in Role::BOTH {
            let (sender, receiver) = ends(&folder, towards);
            let found = listed(&sender, towards);
            if found.is_empty() {
                continue;
            }
            let endpoints = |path: &Path| {
                let capture = scenarios::load(path).unwrap();
                let streams = capture.tracking.streams.iter();
                streams.map(|one| (one.id, (one.client, one.server))).collect::<Vec<_>>()
            };
            // Streams may have other numbers at the other end.
            let there = endpoints(&receiver);
            let counterpart: HashMap<StreamId, StreamId> = endpoints(&sender)
                .into_iter()
                .filter_map(|(id, ends)| Some((id, there.iter().find(|(_, other)| *other == ends)?.0)))
                .collect();
            let wanted = found.iter().flat_map(|one| one.dsnraw64.unwrap()..one.dsnraw64.unwrap() + one.length);
            let delivered = delivered_first(&receiver, towards, &wanted.collect());
            for one in &found {
                let label = format!("{} packet {}", scenarios::label(&sender), one.packetid);
                assert_eq!((one.seen_from, one.late_by), (Some(SeenFrom::Sender), None), "{label}");
                *counts.entry(one.needed).or_default() += 1;
                let own = counterpart[&one.tcpstream];
                let first = one.dsnraw64.unwrap();
                let mut came_first = (first..first + one.length).map(|byte| delivered.get(&byte) == Some(&own));
                match one.needed {
                    Some(true) => assert!(came_first.any(|first| first), "{label} was not needed"),
                    Some(false) => assert!(came_first.all(|first| !first), "{label} was needed"),
                    None => {}
                }
            }
        }
    }
    println!("{counts:?}");
    assert!(counts.get(&Some(true)).is_some_and(|count| *count >= 20), "{counts:?}");
    assert!(counts.get(&Some(false)).is_some_and(|count| *count >= 20), "{counts:?}");
}

fn field(name: &str) -> Option<PathBuf> {
    let path = scenarios::folder()?.join("../field").join(name);
    path.is_file().then_some(path)
}

fn findings(path: &Path, kind: FindingKind) -> Vec<Finding> {
    let capture = scenarios::load(path).unwrap();
    let found = capture
        .mptcp_stream_ids()
        .into_iter()
        .flat_map(|id| diagnose_connection(&capture, capture.mptcp_connection(id).unwrap(), None));
    found.filter(|finding| finding.finding == kind).collect()
}

/// README of the field captures: TCP acknowledges everything, DATA_ACK stands at 9001 from 0.30 s to 0.87 s; the receiver
/// lost data behind TCP, and the reinjection was needed.
#[test]
fn a_data_ack_that_stands_still_is_found_and_judges_the_reinjection() {
    let Some(path) = field("06_tcp_acked_not_data_acked.pcap") else { return };
    let stalled = findings(&path, FindingKind::DataAckStalled);
    assert_eq!(stalled.len(), 1);
    for part in ["stayed at 9001", "from 0.300 s", "until 0.870 s"] {
        assert!(stalled[0].detail.contains(part), "{}", stalled[0].detail);
    }
    let found = listed(&path, Role::Server);
    let of: Vec<u64> = found[0].of.iter().map(|original| original.packetid).collect();
    assert_eq!((found.len(), found[0].packetid, of, found[0].needed), (1, 48, vec![26], Some(true)));
    let meaning = &findings(&path, FindingKind::Reinjections)[0].meaning;
    assert!(meaning.contains("lost data after TCP acknowledged it") && meaning.contains("needed"), "{meaning}");
}

/// README of the field captures: no subflow was removed; the data had no DATA_ACK for 205 ms, and MPTCP's retransmission
/// timer sent it again.
#[test]
fn data_without_a_data_ack_go_again_for_that_alone() {
    let Some(path) = field("06b_resent_for_lack_of_data_ack.pcap") else { return };
    let found = findings(&path, FindingKind::ResentOnSameSubflow);
    assert_eq!(found.len(), 1);
    assert!(found[0].detail.contains("without a DATA_ACK for 205 ms"), "{}", found[0].detail);
    let said = format!("{} {} {}", found[0].detail, found[0].meaning, found[0].next);
    assert!(said.contains("retransmission timer"), "{said}");
    for word in ["removed", "join", "reset", "withdrawn"] {
        assert!(!said.contains(word), "{said}");
    }
}

/// In these the kernel's counters or the relay's log say what came before the data went again: a join that failed, a
/// subflow that was removed.
#[test]
fn what_ended_a_subflow_is_named_where_it_did() {
    let Some(folder) = scenarios::folder() else { return };
    for name in ["07c_join_bad_token", "07e_join_bad_hmac_synack", "07g_join_opt_stripped", "04_rm_addr_prio"] {
        let found = findings(&end_of(&folder.join(name), "client").unwrap(), FindingKind::ResentOnSameSubflow);
        assert!(found.iter().any(|finding| finding.detail.contains("was reset (packet ")), "{name}: {found:?}");
    }
    let found =
        findings(&end_of(&folder.join("05b_failover_permanent"), "client").unwrap(), FindingKind::ResentOnSameSubflow);
    assert!(!found.is_empty() && found.iter().all(|finding| !finding.detail.contains("reset")), "{found:?}");
}

/// The counter `MPTcpExtNoDSSInWindow` says that the receiver threw data away that TCP had taken; it is the only one of
/// the recorded scenarios that does so.
#[test]
fn stalled_data_acks_are_where_the_kernel_threw_data_away() {
    let mut thrown = 0;
    for path in scenarios::captures() {
        let Some(truth) = scenarios::json(&path, "truth.json").filter(|truth| truth["nstat"].is_object()) else {
            continue;
        };
        let Some(capture) = scenarios::load(&path) else { continue };
        let counter = |end: &str| truth["nstat"][end]["MPTcpExt"]["NoDSSInWindow"].as_u64().unwrap_or(0);
        let expected = counter("server") + counter("client") > 0;
        let found = capture.mptcp_stream_ids().into_iter().any(|id| {
            let connection = capture.mptcp_connection(id).unwrap();
            let found = diagnose_connection(&capture, connection, None);
            found.iter().any(|finding| finding.finding == FindingKind::DataAckStalled)
        });
        assert_eq!(found, expected, "{}", scenarios::label(&path));
        thrown += usize::from(expected);
    }
    assert!(thrown > 0 || scenarios::folder().is_none());
}

#[test]
fn every_form_says_when_and_how_late() {
    let home = Home::new();
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/recorded/late_originals_download/client.pcap");
    let file = file.to_str().unwrap();
    let done = home.run(&["-l", file, "lr", "0", "--format", "json"], "");
    let rows: Vec<Value> = serde_json::from_str(&done.results).unwrap();
    let csv = home.run(&["-l", file, "lr", "0", "--format", "csv"], "").results;
    let table = home.run(&["-l", file, "lr", "0"], "").results;
    assert!(table.contains("Late copies towards the client, recorded at the receiver"), "{table}");
    assert!(table.contains("not which was sent first"), "{table}");
    for row in &rows {
        assert_eq!((&row["seen_from"], &row["needed"]), (&Value::from("receiver"), &Value::Null));
        assert_eq!(row["late_by"], row["age"]);
        let line = csv.lines().find(|line| line.starts_with(&format!("{},", row["packetid"]))).unwrap();
        for key in ["reltime", "age"] {
            assert!(line.contains(&format!("{:.9}", row[key].as_f64().unwrap())), "{line} {row}");
        }
        assert!(table.contains(&format!("{:.6}", row["reltime"].as_f64().unwrap())), "{table}");
    }
    // The delay of one path grew by 0.9 s: its originals came by less than that behind their reinjections.
    assert!(rows.iter().any(|row| row["late_by"].as_f64().unwrap() > 0.1), "{rows:?}");
    assert!(rows.iter().all(|row| row["late_by"].as_f64().unwrap() < 1.0), "{rows:?}");
}
