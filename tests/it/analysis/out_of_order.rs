//! Data that waited, against a naive model of a receiver that is fed with what tshark reads, byte by byte.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::analysis::out_of_order::out_of_order;
use mptcp_trace::tracking::Role;
use mptcp_trace::{ConnectionId, StreamId};
use serde_json::Value;

use crate::support::program::{Home, examples};
use crate::support::scenarios;

/// A packet with data towards the server, by tshark: time in nanoseconds, stream, DSN from 0 on, length.
pub struct Packet {
    pub time: i64,
    pub stream: StreamId,
    pub dsn: u64,
    pub length: u64,
}

/// The packets with data towards the server, in the order of the file.
pub fn packets(path: &Path) -> Vec<Packet> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-n").arg("-r").arg(path).args(["-Y", "tcp.dstport==5001 && tcp.len>0", "-T", "fields"]);
    for field in ["frame.time_epoch", "tcp.stream", "tcp.seq", "tcp.len"] {
        tshark.args(["-e", field]);
    }
    for field in ["rawdataseqno", "subflowseqno"] {
        tshark.args(["-e", &format!("tcp.options.mptcp.{field}")]);
    }
    let text = String::from_utf8(tshark.output().unwrap().stdout).unwrap();
    let rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    let number = |text: &str| text.parse::<u64>().ok();
    // The number of the first byte: that of the first mapping of the initial subflow, less what came before it there.
    let first = rows.iter().filter(|row| row[1] == "0").filter_map(|row| Some((number(row[5])?, number(row[4])?)));
    let (ssn, dsn) = first.min().unwrap();
    let idsn = dsn.wrapping_sub(ssn - 1);
    let parsed = rows.iter().map(|row| {
        let (seconds, nanoseconds) = row[0].split_once('.').unwrap();
        let seq = number(row[2]).unwrap();
        // Data without a mapping are those of MP_CAPABLE, at the very beginning.
        let mapped = number(row[4]).zip(number(row[5]));
        let dsn = mapped.map_or(seq - 1, |(dsn, ssn)| dsn.wrapping_add(seq).wrapping_sub(ssn).wrapping_sub(idsn));
        Packet {
            time: seconds.parse::<i64>().unwrap() * 1_000_000_000 + nanoseconds.parse::<i64>().unwrap(),
            stream: row[1].parse().unwrap(),
            dsn,
            length: number(row[3]).unwrap(),
        }
    });
    parsed.collect()
}

/// The waits of ranges of data that came with one packet, in order of their length.
fn waits(packets: &[Packet]) -> Vec<i64> {
    let mut brought: BTreeMap<u64, usize> = BTreeMap::new();
    for (index, packet) in packets.iter().enumerate() {
        for byte in packet.dsn..packet.dsn + packet.length {
            brought.entry(byte).or_insert(index);
        }
    }
    let (mut waits, mut latest, mut before) = (Vec::new(), 0, usize::MAX);
    for arrived in brought.into_values() {
        latest = latest.max(arrived);
        if arrived < latest && arrived != before {
            waits.push(packets[latest].time - packets[arrived].time);
        }
        before = arrived;
    }
    waits.sort_unstable();
    waits
}

/// By subflow, bytes that waited and the longest wait; bytes times their waits; most bytes waiting at one time.
pub fn naive(packets: &[Packet]) -> (BTreeMap<StreamId, (u64, i64)>, i128, u64) {
    let size = packets.iter().map(|packet| packet.dsn + packet.length).max().unwrap() as usize;
    // The packet that first brought each byte, then the last of those that brought it or one before it.
    let mut brought = vec![usize::MAX; size];
    for (index, packet) in packets.iter().enumerate() {
        for byte in &mut brought[packet.dsn as usize..(packet.dsn + packet.length) as usize] {
            *byte = index.min(*byte);
        }
    }
    assert!(!brought.contains(&usize::MAX), "every byte arrived");
    let mut by_subflow: BTreeMap<StreamId, (u64, i64)> = BTreeMap::new();
    let (mut product, mut changes, mut latest) = (0_i128, vec![0_i64; packets.len()], 0);
    for arrived in brought {
        latest = latest.max(arrived);
        if arrived < latest {
            let wait = packets[latest].time - packets[arrived].time;
            let entry = by_subflow.entry(packets[arrived].stream).or_default();
            *entry = (entry.0 + 1, entry.1.max(wait));
            product += i128::from(wait);
            changes[arrived] += 1;
            changes[latest] -= 1;
        }
    }
    let levels = changes.iter().scan(0_i64, |sum, change| {
        *sum += change;
        Some(*sum)
    });
    (by_subflow, product, levels.max().unwrap() as u64)
}

#[test]
fn a_naive_receiver_makes_the_same_data_wait() {
    let Some(folder) = scenarios::folder() else { return };
    for file in ["06b_reorder_dup/server.pcapng", "02_fullmesh/server.pcap"] {
        let path = folder.join(file);
        let packets = packets(&path);
        let (by_subflow, product, peak) = naive(&packets);
        let capture = scenarios::load(&path).unwrap();
        let found = out_of_order(&capture, capture.mptcp_connection(ConnectionId(0)).unwrap());
        let direction = found.directions.iter().find(|direction| direction.towards == Role::Server).unwrap();

        assert_eq!(direction.capture_point, Some(SeenFrom::Receiver), "{file}");
        assert_eq!(direction.segments, packets.len() as u64, "{file}");
        assert_eq!(direction.peak_bytes, peak, "{file}");
        assert_eq!((direction.missing_bytes, direction.waiting_at_end_bytes, direction.unmapped_bytes), (0, 0, 0));
        assert!(direction.out_of_order_segments > 50, "{file} has reordering");
        for subflow in &direction.subflows {
            let (bytes, longest) = by_subflow.get(&subflow.tcpstream).copied().unwrap_or_default();
            assert_eq!(subflow.bytes_waited, bytes, "{file} stream {}", subflow.tcpstream);
            let found = subflow.hol_delay.max.map_or(0, |seconds| (seconds * 1e9).round() as i64);
            assert_eq!(found, longest, "{file} stream {}", subflow.tcpstream);
        }
        let waits = waits(&packets);
        let hol = direction.hol_delay;
        assert_eq!(hol.samples, waits.len() as u64, "{file}");
        let middle = (waits[(waits.len() - 1) / 2] + waits[waits.len() / 2]) as f64 / 2e9;
        let mean = waits.iter().sum::<i64>() as f64 / waits.len() as f64 / 1e9;
        for (found, expected) in [
            (hol.min, waits[0] as f64 / 1e9),
            (hol.median, middle),
            (hol.mean, mean),
            (hol.max, waits[waits.len() - 1] as f64 / 1e9),
        ] {
            assert!((found.unwrap() - expected).abs() < 1.1e-9, "{file}: {found:?}, not {expected}");
        }
        let duration = (packets.last().unwrap().time - packets[0].time) as f64;
        let mean = product as f64 / duration;
        let found = direction.mean_bytes.unwrap();
        assert!((found - mean).abs() < mean * 1e-6, "{file}: {found} bytes on average, not {mean}");

        let blamed: f64 = direction.blame.iter().map(|blame| blame.blocked_time).sum();
        assert!((blamed - direction.blocked_time).abs() < 1e-6, "{file}: every blocked moment has one to blame");
        let released: u64 = direction.blame.iter().map(|blame| blame.released_bytes).sum();
        assert_eq!(released, by_subflow.values().map(|(bytes, _)| bytes).sum::<u64>(), "{file}");
        assert_eq!(direction.occupancy.last().unwrap().1, 0, "{file}");
    }
}

#[test]
fn the_command_prints_the_documented_shape() {
    let Some(examples) = examples() else { return };
    let home = Home::new();
    let file = examples.join("server.pcapng");
    let file = file.to_str().unwrap();
    let done = home.run(&["--load", file, "ooo", "0", "--format", "json"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    let value: Value = serde_json::from_str(&done.results).unwrap();
    assert_eq!(value["mptcpstream"], 0);
    let directions = value["directions"].as_array().unwrap();
    assert_eq!(directions.iter().map(|d| d["towards"].as_str().unwrap()).collect::<Vec<_>>(), ["server", "client"]);
    for direction in directions {
        let subflows = direction["subflows"].as_array().unwrap();
        let sum: u64 = subflows.iter().map(|subflow| subflow["out_of_order_segments"].as_u64().unwrap()).sum();
        assert_eq!(direction["out_of_order_segments"].as_u64().unwrap(), sum);
    }
    let over_time = home.run(&["--load", file, "ooo", "0", "--over-time", "--format", "csv"], "");
    assert!(over_time.results.starts_with("towards,reltime,waiting_bytes\n"), "{over_time:?}");
    let table = home.run(&["--load", file, "ooo", "0", "--towards", "server"], "");
    assert_eq!(table.code, Some(0), "{table:?}");
    let mut lines = table.results.lines().filter(|line| !line.contains("towards the"));
    assert!(lines.all(|line| line.chars().count() <= 80), "{}", table.results);
}
