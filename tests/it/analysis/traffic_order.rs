//! The order of bytes and acknowledgements in `traffic`, and ends in `list_subflows`, against tshark's raw fields: with a mark for
//! each byte.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::program::Home;
use crate::support::scenarios;

/// One packet as tshark shows it.
struct Packet {
    time: f64,
    to_server: bool,
    start: u64,
    acknowledges: Option<u64>,
    length: u64,
    flags: u64,
    window: u64,
    subtypes: Vec<u64>,
    window_scales: String,
}

const SYN: u64 = 2;
const FIN: u64 = 1;
const RST: u64 = 4;

fn packets(capture: &Path, stream: u64) -> Vec<Packet> {
    let fields = [
        "frame.time_relative",
        "tcp.dstport",
        "tcp.seq",
        "tcp.ack",
        "tcp.len",
        "tcp.flags",
        "tcp.window_size_value",
        "tcp.options.mptcp.subtype",
        "tcp.options.wscale.shift",
    ];
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-Y", &format!("tcp.stream == {stream} and not icmp")]).arg("-r").arg(capture);
    fields.iter().for_each(|field| {
        tshark.args(["-e", field]);
    });
    let output = tshark.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let packet = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |place: usize| cells[place].parse::<u64>().unwrap();
        let hexadecimal = |text: &str| u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap();
        let flags = hexadecimal(cells[5]);
        Packet {
            time: cells[0].parse().unwrap(),
            to_server: number(1) == 5001,
            start: number(2) + u64::from(flags & SYN != 0),
            acknowledges: (flags & 0x10 != 0).then(|| number(3)),
            length: number(4),
            flags,
            window: number(6),
            subtypes: cells[7].split(',').filter(|kind| !kind.is_empty()).map(|kind| kind.parse().unwrap()).collect(),
            window_scales: cells[8].to_string(),
        }
    };
    text.lines().map(packet).collect()
}

/// What `traffic` should say of the direction.
fn expected(packets: &[Packet], to_server: bool) -> Value {
    // Bytes of this direction, and the next that its acknowledgements of the other one expect.
    let (mut seen, mut top, mut acknowledged) = (Vec::<bool>::new(), 1_u64, 1_u64);
    let (mut out_of_order, mut in_flight, mut initial) = (0_u64, Vec::new(), 0_u64);
    let (mut other_top, mut other_fin, mut answers, mut fin_ack, mut window) = (1_u64, None, Vec::new(), None, None);
    let (mut next, mut duplicates, mut thirds, mut run) = (1_u64, 0, 0, 0);
    let mut fin = None;
    for packet in packets {
        if packet.flags & RST != 0 {
            continue;
        }
        let end = packet.start + packet.length;
        if packet.to_server != to_server {
            if let Some(number) = packet.acknowledges {
                acknowledged = acknowledged.max(number);
            }
            other_top = other_top.max(end);
            if packet.flags & FIN != 0 {
                other_fin = Some(end + 1);
            }
            continue;
        }
        if packet.flags & FIN != 0 {
            fin = Some(end + 1);
        }
        if let Some(number) = packet.acknowledges {
            let before = window.replace(packet.window);
            if number > next {
                if !(other_fin == Some(number) && number == next + 1) {
                    answers.push(packet.time);
                }
                if other_fin == Some(number) {
                    fin_ack = fin_ack.or(Some(packet.time));
                }
                (next, run) = (number, 0);
            } else {
                // RFC 5681 §2: (a) outstanding data, (b) none here, (c) no SYN or FIN, (d) the greatest number, (e) the window.
                let outstanding = other_top.max(other_fin.unwrap_or(0)) > next;
                let bare = packet.length == 0 && packet.flags & (SYN | FIN) == 0;
                let data_only = packet.subtypes.iter().all(|kind| *kind == 2);
                if outstanding && bare && data_only && number == next && before == Some(packet.window) {
                    duplicates += 1;
                    run += 1;
                    thirds += u64::from(run == 3);
                }
            }
        }
        if packet.length > 0 {
            let bytes = packet.start as usize..end as usize;
            seen.resize(seen.len().max(bytes.end), false);
            let below = bytes.start..bytes.end.min(top as usize);
            out_of_order += u64::from(below.start < below.end && seen[below].contains(&false));
            let new = seen[bytes.clone()].iter().filter(|seen| !**seen).count() as u64;
            seen[bytes].fill(true);
            initial += if acknowledged == 1 { new } else { 0 };
            top = top.max(end);
            in_flight.push(top - acknowledged);
        }
    }
    let until = top.max(acknowledged - u64::from(fin == Some(acknowledged)));
    let mean = in_flight.iter().sum::<u64>() as f64 / in_flight.len() as f64;
    json!({
        "out_of_order_packets": out_of_order,
        "missed_bytes": (1..until as usize).filter(|byte| seen.get(*byte) != Some(&true)).count(),
        "in_flight_min": in_flight.iter().min(),
        "in_flight_max": in_flight.iter().max(),
        "in_flight_mean": (!in_flight.is_empty()).then_some(mean),
        "initial_window_bytes": (!in_flight.is_empty()).then_some(initial),
        "dup_acks": duplicates,
        "triple_dup_acks": thirds,
        "first_ack": answers.first(),
        "last_ack": answers.last(),
        "fin_ack": fin_ack,
        "ece": packets.iter().filter(|packet| packet.to_server == to_server && packet.flags & 0x40 != 0).count(),
        "cwr": packets.iter().filter(|packet| packet.to_server == to_server && packet.flags & 0x80 != 0).count(),
    })
}

fn told(capture: &Path, command: &str) -> Vec<Value> {
    let run = Home::new().run(&["--no-cache", "-l", capture.to_str().unwrap(), command, "0", "--json"], "");
    assert_eq!(run.code, Some(0), "{}", run.messages);
    serde_json::from_str::<Value>(&run.results).unwrap().as_array().unwrap().clone()
}

fn captures() -> Vec<PathBuf> {
    let mut captures = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/client.pcapng")];
    if let Some(folder) = scenarios::folder() {
        let names = [
            "06_lossy/client.pcapng",
            "06_lossy/server.pcapng",
            "06c_lossy_blackouts/server.pcapng",
            "02_fullmesh/server.pcap",
        ];
        captures.extend(names.map(|name| folder.join(name)).into_iter().filter(|path| path.is_file()));
    }
    captures
}

#[test]
fn order_and_acknowledgements_are_those_of_tshark_s_raw_fields() {
    let mut out_of_order = 0;
    for capture in captures() {
        for row in told(&capture, "traffic") {
            let packets = packets(&capture, row["tcpstream"].as_u64().unwrap());
            let label = scenarios::label(&capture);
            let expected = expected(&packets, row["towards"] == "server");
            for (key, wanted) in expected.as_object().unwrap() {
                let equal = match (row[key].as_f64(), wanted.as_f64()) {
                    (Some(found), Some(wanted)) => (found - wanted).abs() < 1e-6 * wanted.max(1.0),
                    _ => row[key] == *wanted,
                };
                assert!(equal, "{label}: {key} {} instead of {wanted}: {row}", row[key]);
            }
            out_of_order += row["out_of_order_packets"].as_u64().unwrap();
        }
    }
    assert!(out_of_order > 0 || scenarios::folder().is_none());
}

#[test]
fn ends_and_options_of_subflows_are_those_of_tshark_s_raw_fields() {
    for capture in captures() {
        for row in told(&capture, "list_subflows") {
            let packets = packets(&capture, row["tcpstream"].as_u64().unwrap());
            let label = scenarios::label(&capture);
            let first = |to_server: bool, flag: u64| {
                packets.iter().find(|packet| packet.to_server == to_server && packet.flags & flag != 0)
            };
            let fins = first(true, FIN).zip(first(false, FIN)).map(|(one, other)| one.time.max(other.time));
            let resets = [true, false].iter().filter_map(|side| first(*side, RST)).map(|packet| packet.time);
            let reset = resets.reduce(f64::min);
            let (kind, end) = match (fins, reset) {
                (Some(fins), reset) if reset.is_none_or(|reset| fins < reset) => ("fin", Some(fins)),
                (_, Some(reset)) => ("reset", Some(reset)),
                _ if first(true, FIN).or(first(false, FIN)).is_some() => ("half_closed", None),
                _ => ("open", None),
            };
            assert_eq!(row["end_kind"], kind, "{label}: {row}");
            let near = row["end"].as_f64().zip(end).is_none_or(|(one, other)| (one - other).abs() < 1e-8);
            assert!(near && row["end"].is_null() == end.is_none(), "{label}: {end:?}, {row}");
            for (key, to_server) in [("wscale_client", true), ("wscale_server", false)] {
                let syn = first(to_server, SYN).unwrap();
                assert_eq!(row[key].to_string(), syn.window_scales, "{label}: {row}");
            }
            assert_eq!([&row["sack"], &row["timestamps"]], [&json!(true), &json!(true)], "{label}: {row}");
        }
    }
}
