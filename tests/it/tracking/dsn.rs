//! The data sequence number of every packet against Wireshark's own, in every capture.

use mptcpanalyzer::packets::LoadedCapture;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::process::Command;

use mptcp_trace::packets::segment::{Dss, Segment, Segments};
use mptcp_trace::tracking::data::data_level;
use mptcp_trace::tracking::{Tracking, track};
use polars::prelude::*;

use crate::support::scenarios;

/// What tshark says of a packet.
struct Answer {
    packetid: u64,
    dsn: Option<u64>,
    rawdsn: Option<u64>,
    mapping: Option<u64>,
}

/// Packets of a capture that tshark is asked about: its analysis takes time that grows with the square of a
/// connection's length, and all 90,000 of 15_bulk would take minutes.
const MOST: &str = "15000";

/// tshark's own analysis, in a single pass: with two (`-2`) it is wrong where there are several subflows.
fn ask(path: &Path) -> Vec<Answer> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-c", MOST, "-o", "mptcp.analyze_mappings:TRUE", "-o", "mptcp.analyze_mptcp:TRUE"]);
    command.args(["-o", "mptcp.relative_sequence_numbers:TRUE", "-Y", "mptcp.rawdsn64 || mptcp.dsn", "-T", "fields"]);
    command.args(["-E", "separator=/t", "-r"]).arg(path);
    for field in ["frame.number", "mptcp.dsn", "mptcp.rawdsn64", "mptcp.related_mapping"] {
        command.args(["-e", field]);
    }
    let answer = command.output().expect("tshark is installed").stdout;
    let answer = String::from_utf8(answer).expect("numbers are ASCII");
    let lines = answer.lines().map(|line| {
        let mut cells = line.split('\t').map(|cell| cell.parse::<u64>().ok());
        let mut next = || cells.next().flatten();
        Answer { packetid: next().expect("every frame has a number"), dsn: next(), rawdsn: next(), mapping: next() }
    });
    lines.collect()
}

fn column(capture: &LoadedCapture, name: &str) -> UInt64Chunked {
    let table = capture.table().expect("the table can be built");
    table.column(name).expect("the schema has it").as_materialized_series().rechunk().u64().expect("u64").clone()
}

/// The one fault of tshark found here: it has no IDSN to count from where the sender's key was not captured, and prints
/// the raw number as the relative one. Ours is null there.
fn key_was_not_captured(capture: &LoadedCapture, row: usize) -> bool {
    let tracking = &capture.tracking;
    let packet = &tracking.packets.as_slice()[row];
    let subflow = tracking.subflow(packet.stream).expect("tshark counts it to a connection");
    let towards = Tracking::mptcp_towards(subflow, tracking.stream(packet.stream).unwrap().towards(packet));
    tracking.connection(subflow.connection).unwrap().hosts.get(towards.other()).key.is_none()
}

/// The mapping in a packet as it counts: DSN with its lower half, SSN, bytes of data. That of MP_CAPABLE begins with
/// the first byte of both, and its DSN is not written in it.
fn mapping(segment: &Segment) -> Option<(Option<u32>, u32, u64)> {
    if let Some(dss) = segment.dss()
        && let Some(mapping) = dss.mapping
    {
        let bytes = u64::from(mapping.length).saturating_sub(u64::from(dss.has(Dss::DATA_FIN)));
        return Some((u32::try_from(mapping.dsn & 0xffff_ffff).ok(), mapping.ssn, bytes));
    }
    Some((None, 1, u64::from(segment.capable()?.data_length?)))
}

#[derive(Default)]
struct Tally {
    segments: u64,
    without_key: u64,
    other_mapping: u64,
    wrong: Vec<String>,
}

fn compare(label: &str, capture: &LoadedCapture, answers: &[Answer], tally: &mut Tally) {
    let columns = ["dsn", "dsnraw64", "related_mapping"].map(|name| column(capture, name));
    let [dsn, raw, related] = &columns;
    let rows: HashMap<u64, usize> = capture.segments.iter().enumerate().map(|(row, s)| (s.packetid(), row)).collect();
    for answer in answers {
        let row = rows[&answer.packetid];
        // On packets without payload tshark prints where the next byte would be.
        if capture.segments[row].payload().is_none_or(|length| length == 0) {
            continue;
        }
        tally.segments += 1;
        let mut wrong = |what: &str, found: Option<u64>, wanted: Option<u64>| {
            tally.wrong.push(format!("{label} packet {} {what}: {found:?}, tshark has {wanted:?}", answer.packetid));
        };
        if raw.get(row) != answer.rawdsn {
            wrong("dsnraw64", raw.get(row), answer.rawdsn);
        }
        if dsn.get(row) != answer.dsn {
            if dsn.get(row).is_none() && answer.dsn == answer.rawdsn && key_was_not_captured(capture, row) {
                tally.without_key += 1;
            } else {
                wrong("dsn", dsn.get(row), answer.dsn);
            }
        }
        if related.get(row) != answer.mapping {
            // The same mapping is repeated in several packets: either may be named, if they agree.
            let of = |id: Option<u64>| mapping(&capture.segments[*rows.get(&id?)?]);
            if of(related.get(row)).is_some() && of(related.get(row)) == of(answer.mapping) {
                tally.other_mapping += 1;
            } else {
                wrong("related_mapping", related.get(row), answer.mapping);
            }
        }
    }
}

#[test]
fn every_data_segment_has_wiresharks_dsn() {
    let mut tally = Tally::default();
    let mut segments: BTreeMap<String, u64> = BTreeMap::new();
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        // 14*: the packets of 02 and 06 under other clocks.
        if label.starts_with("14") {
            continue;
        }
        let Some(capture) = scenarios::load(&path) else { continue };
        let before = tally.segments;
        compare(&label, &capture, &ask(&path), &mut tally);
        segments.insert(label, tally.segments - before);
    }
    println!(
        "{} data segments; {} without a key; {} whose mapping tshark names by another of the packets that repeat it",
        tally.segments, tally.without_key, tally.other_mapping
    );
    assert!(tally.wrong.is_empty(), "{} differences\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    assert!(tally.segments > 80_000 || scenarios::folder().is_none(), "only {segments:?}");
}

/// 64-bit DSN of each packet that has one.
fn raw_numbers(segments: &Segments) -> HashMap<u64, u64> {
    let tracking = track(segments);
    let mut numbers = HashMap::new();
    for connection in &tracking.connections {
        let level = data_level(segments, &tracking, connection);
        for (row, data) in level.rows.iter().zip(&level.packets) {
            numbers.extend(data.dsn.map(|dsn| (segments[row.index()].packetid(), dsn)));
        }
    }
    numbers
}

/// Without the handshakes there are neither keys nor the numbers that subflows count from: both must be found out, also
/// when the first packet is one in the middle of a mapping.
#[test]
fn a_capture_begun_later_has_the_same_numbers() {
    let (mut compared, mut wrong) = (0, Vec::new());
    for path in scenarios::captures() {
        let label = scenarios::label(&path);
        if !["01", "02", "06c", "10_", "16", "17"].iter().any(|scenario| label.starts_with(scenario)) {
            continue;
        }
        let Some(capture) = scenarios::load(&path) else { continue };
        let whole = raw_numbers(&capture.segments);
        for cut in [25, 31, 40, 77, 150] {
            if capture.segments.len() < cut {
                continue;
            }
            let rest: Segments = capture.segments.fields().skip(cut).collect();
            let found = raw_numbers(&rest);
            let wanted = rest.iter().filter(|segment| whole.contains_key(&segment.packetid())).count();
            let different = found.iter().filter(|(packetid, dsn)| whole.get(packetid) != Some(dsn)).count();
            compared += found.len();
            if different > 0 || found.len() != wanted {
                wrong.push(format!("{label} from packet {cut}: {} of {wanted}, {different} differ", found.len()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 100_000 || scenarios::folder().is_none(), "only {compared}");
}
