//! The tables `handshakes`, `addresses`, and `ack_sizes` of subflows worked out once more, from the raw fields of tshark
//! alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Rows, analyze, rows};
use crate::support::program::Home;
use crate::support::scenarios;

/// Raw fields of a TCP packet.
#[derive(Debug, Clone)]
struct Packet {
    id: u64,
    epoch: String,
    relative: f64,
    stream: u64,
    flags: u16,
    from: (String, u64),
    to: (String, u64),
    subtypes: Vec<u8>,
    versions: Vec<u64>,
    checksums: bool,
    ids: Vec<u64>,
    echo: Vec<u8>,
    ip: Vec<String>,
    port: Vec<u64>,
    sequence: u32,
    acknowledgement: u32,
    length: u32,
}

const FIELDS: [&str; 22] = [
    "frame.number",
    "frame.time_epoch",
    "frame.time_relative",
    "tcp.stream",
    "tcp.flags",
    "ip.src",
    "ipv6.src",
    "tcp.srcport",
    "ip.dst",
    "ipv6.dst",
    "tcp.dstport",
    "tcp.options.mptcp.subtype",
    "tcp.options.mptcp.version",
    "tcp.options.mptcp.checksumreq.flags",
    "tcp.options.mptcp.addrid",
    "tcp.options.mptcp.echo",
    "tcp.options.mptcp.ipv4",
    "tcp.options.mptcp.ipv6",
    "tcp.options.mptcp.port",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "tcp.len",
];

const FIN: u16 = 0x01;
const SYN: u16 = 0x02;
const RST: u16 = 0x04;
const ACK: u16 = 0x10;

fn packets(capture: &Path) -> Vec<Packet> {
    let lines = scenarios::tshark(capture, &FIELDS);
    let read = |line: &String| {
        let cells: Vec<&str> = line.split('\t').collect();
        let several = |at: usize| cells[at].split(',').filter(|cell| !cell.is_empty()).collect::<Vec<_>>();
        let numbers = |at: usize| several(at).iter().map(|cell| whole(cell)).collect::<Vec<u64>>();
        let end = |v4: usize, v6: usize, port: usize| -> Option<(String, u64)> {
            let address = if cells[v4].is_empty() { cells[v6] } else { cells[v4] };
            Some((address.to_string(), cells[port].parse().ok()?))
        };
        Some(Packet {
            id: cells[0].parse().ok()?,
            epoch: cells[1].to_string(),
            relative: cells[2].parse().ok()?,
            stream: cells[3].parse().ok()?,
            flags: u16::try_from(whole(cells[4])).ok()?,
            from: end(5, 6, 7)?,
            to: end(8, 9, 10)?,
            subtypes: numbers(11).into_iter().map(|one| u8::try_from(one).unwrap()).collect(),
            versions: numbers(12),
            checksums: several(13).iter().any(|flag| truth(flag)),
            ids: numbers(14),
            echo: several(15).iter().map(|flag| u8::from(*flag != "0")).collect(),
            ip: several(16).into_iter().chain(several(17)).map(str::to_string).collect(),
            port: numbers(18),
            sequence: cells[19].parse().ok()?,
            acknowledgement: cells[20].parse().ok()?,
            length: cells[21].parse().ok()?,
        })
    };
    lines.iter().filter_map(read).collect()
}

/// A number as tshark prints it, with `0x` or without.
fn whole(text: &str) -> u64 {
    text.strip_prefix("0x").map_or_else(|| text.parse(), |digits| u64::from_str_radix(digits, 16)).unwrap()
}

fn truth(text: &str) -> bool {
    text == "1" || text == "True"
}

/// Microseconds since 1970, of seconds with nine digits behind the point.
fn microseconds(epoch: &str) -> i64 {
    let (seconds, fraction) = epoch.split_once('.').unwrap();
    seconds.parse::<i64>().unwrap() * 1_000_000 + fraction[..6].parse::<i64>().unwrap()
}

/// The first SYN of each stream.
fn opened(packets: &[Packet]) -> BTreeMap<u64, &Packet> {
    let mut opened = BTreeMap::new();
    for packet in packets.iter().filter(|packet| packet.flags & (SYN | ACK) == SYN) {
        opened.entry(packet.stream).or_insert(packet);
    }
    opened
}

/// What the fields say of the handshakes that asked for MPTCP, in order of stream.
fn handshakes(packets: &[Packet]) -> Rows {
    let asked = |syn: &Packet| syn.subtypes.first().copied().filter(|subtype| *subtype < 2);
    let row = |(stream, syn): (u64, &Packet)| {
        let kind = asked(syn)?;
        let own = || packets.iter().filter(move |packet| packet.stream == stream);
        let answer = own().find(|packet| packet.flags & (SYN | ACK) == SYN | ACK && packet.from == syn.to);
        let last = answer.and_then(|answer| {
            own().find(|packet| {
                packet.id > answer.id && packet.from == syn.from && packet.flags & (SYN | RST | ACK) == ACK
            })
        });
        let after = |packet: Option<&Packet>| json!(packet.map(|packet| packet.relative - syn.relative));
        let capable = answer.filter(|answer| kind == 0 && answer.subtypes.first() == Some(&0));
        let syns = own().filter(|packet| packet.flags & (SYN | ACK) == SYN && packet.from == syn.from).count();
        let row = json!({
            "tcpstream": stream,
            "asked": if kind == 0 { "capable" } else { "join" },
            "version": if kind == 0 { json!(syn.versions.first()) } else { Value::Null },
            "answered_version": json!(capable.and_then(|answer| answer.versions.first())),
            "checksum_required": if kind == 0 { json!(syn.checksums) } else { Value::Null },
            "client_ip": syn.from.0,
            "client_port": syn.from.1,
            "server_ip": syn.to.0,
            "server_port": syn.to.1,
            "packetid": syn.id,
            "reltime_s": syn.relative,
            "syn_time": microseconds(&syn.epoch),
            "syns": syns,
            "syn_ack_after_s": after(answer),
            "ack_after_s": after(last),
        });
        row.as_object().cloned()
    };
    opened(packets).into_iter().filter_map(row).collect()
}

/// What the fields say of ADD_ADDR and REMOVE_ADDR. The sender is told of streams alone that were opened with MP_CAPABLE.
fn addresses(packets: &[Packet]) -> Rows {
    let opened = opened(packets);
    let mut found = Vec::new();
    for packet in packets {
        let of = |wanted: u8| packet.subtypes.iter().filter(|subtype| **subtype == wanted).count();
        let (added, removed) = (of(3), of(4));
        if added + removed == 0 {
            continue;
        }
        assert!(added == 0 || removed == 0 && added == packet.ids.len(), "the fields cannot be told apart: {packet:?}");
        let mut ips = packet.ip.iter();
        let mut ports = packet.port.iter();
        for (index, id) in packet.ids.iter().enumerate() {
            let echo = packet.echo.get(index) == Some(&1);
            let action = if removed > 0 {
                "remove"
            } else if echo {
                "echo"
            } else {
                "add"
            };
            let (ip, port) = if removed > 0 { (None, None) } else { (ips.next(), ports.next()) };
            let syn = opened.get(&packet.stream).filter(|syn| syn.subtypes.first() == Some(&0));
            let sender = syn.map(|syn| if syn.from == packet.from { "client" } else { "server" });
            let row = json!({
                "packetid": packet.id,
                "reltime_s": packet.relative,
                "tcpstream": packet.stream,
                "action": action,
                "addrid": id,
                "ip": ip,
                "port": port,
                "sender": sender,
            });
            found.extend(row.as_object().cloned());
        }
    }
    found
}

/// What the fields say of the ACKs of a stream: how often each size of new data, by whether the SYN's sender sent the data.
fn ack_sizes(packets: &[Packet], stream: u64) -> BTreeMap<(bool, u32), u64> {
    let mut counts = BTreeMap::new();
    let own = || packets.iter().filter(move |packet| packet.stream == stream);
    let Some(opener) = own().find(|packet| packet.flags & (SYN | ACK) == SYN).map(|syn| &syn.from) else {
        return counts;
    };
    for of_opener in [true, false] {
        let (mut highest, mut fin) = (None, None);
        for packet in own() {
            if (packet.from == *opener) == of_opener {
                if packet.flags & SYN != 0 {
                    highest = highest.or(Some(packet.sequence.wrapping_add(1)));
                }
                if packet.flags & FIN != 0 {
                    fin = Some(packet.sequence.wrapping_add(packet.length));
                }
            } else if packet.flags & (ACK | RST) == ACK {
                let of_fin = fin.is_some_and(|fin| packet.acknowledgement == fin.wrapping_add(1));
                let number = packet.acknowledgement.wrapping_sub(u32::from(of_fin));
                let new = number.wrapping_sub(*highest.get_or_insert(number));
                if 0 < new && new < 1 << 31 {
                    *counts.entry((of_opener, new)).or_default() += 1;
                    highest = Some(number);
                }
            }
        }
    }
    counts
}

fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => (one - other).abs() < 1e-9,
        _ => one == other,
    }
}

/// Compares rows of a table in all columns that the expected ones have; returns how many values were looked at.
fn compare(label: &str, found: &[Map<String, Value>], expected: &Rows) -> usize {
    assert_eq!(found.len(), expected.len(), "{label}: {found:#?} instead of {expected:#?}");
    let mut compared = 0;
    for (found, expected) in found.iter().zip(expected) {
        for (column, wanted) in expected.iter().filter(|(column, wanted)| *column != "sender" || !wanted.is_null()) {
            assert!(
                equal(&found[column], wanted),
                "{label}, {column}: {} instead of {wanted}: {found:?}",
                found[column]
            );
            compared += 1;
        }
    }
    compared
}

/// Captures of one end: of what was recorded in several places, the program counts one copy.
fn captures() -> Vec<PathBuf> {
    let mut captures = scenarios::recorded();
    captures.extend(scenarios::captures());
    captures.retain(|path| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name == "client" || name == "server") && std::fs::metadata(path).unwrap().len() < 1 << 19
    });
    // Without their own SYN, with cut options or under ports used twice, the fields alone do not tell.
    let apart = ["13a", "13c", "13d", "13e", "12b"];
    captures.retain(|path| !apart.iter().any(|name| scenarios::label(path).starts_with(name)));
    captures
}

#[test]
fn handshakes_and_addresses_are_those_of_the_raw_fields() {
    let home = Home::new();
    let captures = captures();
    let out = home.path("dataset");
    let inputs: Vec<&Path> = captures.iter().map(PathBuf::as_path).collect();
    let done = analyze(&home, &inputs, &out, &["--format", "json", "--tables", "base,ack_sizes"]);
    assert_eq!(done.code, Some(0), "{}", done.messages);
    let keys = rows(&out, "captures");
    let (of_handshakes, of_addresses) = (rows(&out, "handshakes"), rows(&out, "addresses"));
    let (sizes, subflows) = (rows(&out, "ack_sizes"), rows(&out, "subflows"));
    let (mut compared, mut signals, mut acks) = (0, 0, 0);
    for capture in &captures {
        let path = std::path::absolute(capture).unwrap();
        let key = &keys.iter().find(|row| row["path"] == plain(&path)).unwrap()["capture"];
        let own = |rows: &Rows, order: &str| {
            let mut own: Vec<_> = rows.iter().filter(|row| row["capture"] == *key).cloned().collect();
            own.sort_by_key(|row| row[order].as_u64());
            own
        };
        let packets = packets(capture);
        let label = scenarios::label(capture);
        compared += compare(&label, &own(&of_handshakes, "tcpstream"), &handshakes(&packets));
        let expected = addresses(&packets);
        signals += expected.len();
        compared += compare(&label, &own(&of_addresses, "packetid"), &expected);
        for subflow in subflows.iter().filter(|row| row["capture"] == *key) {
            let stream = &subflow["tcpstream"];
            let found = sizes.iter().filter(|row| row["capture"] == *key && row["tcpstream"] == *stream);
            let found: BTreeMap<(bool, u32), u64> = found
                .map(|row| {
                    let bytes = u32::try_from(row["bytes"].as_u64().unwrap()).unwrap();
                    ((row["towards"] == subflow["opened_towards"], bytes), row["count"].as_u64().unwrap())
                })
                .collect();
            acks += found.len();
            assert_eq!(found, ack_sizes(&packets, stream.as_u64().unwrap()), "{label}, stream {stream}");
        }
    }
    assert!(compared > 500 && acks > 300, "{compared} {acks}");
    if scenarios::folder().is_some() {
        assert!(signals > 10, "{signals}");
    }
}

/// The path without `..`, as the dataset has it.
fn plain(path: &Path) -> String {
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain.display().to_string()
}
