//! Each byte that the application wrote counts once: mapped by MP_CAPABLE over several segments, in the SYN, as plain TCP
//! after a fallback, probed for before it was taken. Worked examples; `tests/captures/README.md` says where others are
//! from.

use std::path::PathBuf;

use serde_json::Value;

use crate::analysis::recorded::{said, towards};
use crate::support::made_mptcp::{ACK, KEYS, Packet, Path, SYN, SYN_ACK, Wire, data_ack, token_and_idsn};

const PATH: Path = Path { client: 1, server: 101, port: 5001, delay: 0.010 };

/// A capture of `tests/captures/field`.
fn field(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/captures/field").join(format!("{name}.pcap"))
}

/// What the summary of connection 0 says of the direction towards the server.
fn upload(capture: &std::path::Path) -> Value {
    towards(&said(capture, &["mptcp_summary", "0"]), "server").clone()
}

/// The same of TCP stream 0.
fn upload_of_tcp(capture: &std::path::Path) -> Value {
    towards(&said(capture, &["tcp_summary", "0"]), "server").clone()
}

/// These numbers of a direction; the subflows' shares of the goodput sum up to all of it.
fn numbers<const N: usize>(direction: &Value, names: [&str; N]) -> [u64; N] {
    if direction["goodput_bytes"].as_u64().is_some_and(|bytes| bytes > 0)
        && let Some(subflows) = direction["subflows"].as_array()
    {
        let shares: f64 = subflows.iter().filter_map(|subflow| subflow["goodput_contribution"].as_f64()).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{direction}");
    }
    names.map(|name| direction[name].as_u64().unwrap_or_else(|| panic!("no {name} in {direction}")))
}

const PARTS: [&str; 5] = ["goodput_bytes", "mapped_bytes", "plain_tcp_bytes", "fast_open_bytes", "unmapped_bytes"];
const AGAIN: [&str; 3] = ["retransmitted_bytes", "reinjected_bytes", "resent_same_subflow_bytes"];

/// A mapping with 64-bit DSN and DATA_ACK: from the data byte `dsn` (the first one is 1), subflow byte `ssn`.
fn mapping(dsn: u64, ssn: u32, length: u16) -> Vec<u8> {
    let [client, server] = KEYS.map(|key| token_and_idsn(key).1);
    let mut option = vec![30, 26, 0x20, 0x0f];
    option.extend(server.wrapping_add(1).to_be_bytes());
    option.extend(client.wrapping_add(dsn).to_be_bytes());
    option.extend(ssn.to_be_bytes());
    option.extend(length.to_be_bytes());
    option
}

/// The server's DATA_ACK of all before this byte.
fn acknowledged(dsn: u64) -> Vec<u8> {
    data_ack(token_and_idsn(KEYS[0]).1.wrapping_add(dsn))
}

/// MP_CAPABLE of the third packet, with the length of the first data if there is one.
fn third_capable(length: Option<u16>) -> Vec<u8> {
    let keys = KEYS.map(u64::to_be_bytes).concat();
    match length {
        None => [&[30, 20, 1, 1][..], &keys].concat(),
        Some(length) => [&[30, 22, 1, 1][..], &keys, &length.to_be_bytes()].concat(),
    }
}

/// A connection whose client sends `in_syn` bytes in the SYN, of which the server takes so many.
fn begun(in_syn: usize, taken: u32) -> Wire {
    let mut wire = Wire::at(0.0);
    let capable = [&[30, 12, 1, 1][..], &KEYS[1].to_be_bytes()].concat();
    wire.up(0.0, &PATH, &Packet { flags: SYN, options: &[30, 4, 1, 1], payload: in_syn, ..Packet::default() });
    let answer = Packet { flags: SYN_ACK, ack: 1 + taken, options: &capable, ..Packet::default() };
    wire.down(0.010, &PATH, &answer);
    let third = third_capable(None);
    wire.up(0.020, &PATH, &Packet { flags: ACK, seq: 1 + taken, ack: 1, options: &third, ..Packet::default() });
    wire
}

fn saved(wire: Wire) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made.pcap");
    std::fs::write(&path, wire.file()).unwrap();
    (folder, path)
}

#[test]
fn mp_capable_maps_from_the_first_byte_on() {
    let capture = field("01_mpc_data_tso");
    let found = upload(&capture);
    assert_eq!(numbers(&found, PARTS), [8400, 8400, 0, 0, 0]);
    assert_eq!(numbers(&found, AGAIN), [0, 0, 0]);
    let dumped = said(&capture, &["dump", "--rows", "0", "packetid", "dsn"]);
    let dsn = |packet: u64| {
        let mut rows = dumped.as_array().expect("rows").iter();
        rows.find(|row| row["packetid"] == packet).expect("the packet is there")["dsn"].as_u64()
    };
    assert_eq!([4, 5, 6, 8, 9, 10].map(dsn), [1, 1401, 2801, 4201, 5601, 7001].map(Some));
    assert_eq!(said(&capture, &["list_reinjections", "0"]), Value::Array(Vec::new()));
}

#[test]
fn a_copy_of_mp_capable_that_comes_alone_maps_from_the_first_byte_on() {
    let mut wire = begun(0, 0);
    // The first segment of the burst, bytes 1 to 1000, was lost; the second has its copy of the option.
    let option = third_capable(Some(2000));
    wire.up(0.030, &PATH, &Packet { flags: ACK, seq: 1001, ack: 1, options: &option, payload: 1000, window: None });
    let option = mapping(2001, 2001, 500);
    wire.up(0.031, &PATH, &Packet { flags: ACK, seq: 2001, ack: 1, options: &option, payload: 500, window: None });
    let option = third_capable(Some(2000));
    wire.up(0.250, &PATH, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, payload: 1000, window: None });
    let (_folder, capture) = saved(wire);
    let found = upload(&capture);
    assert_eq!(numbers(&found, PARTS), [2500, 2500, 0, 0, 0]);
    assert_eq!(numbers(&found, AGAIN), [0, 0, 0]);
}

#[test]
fn data_in_the_syn_are_named_apart() {
    let capture = field("02_real_linux618_tfo");
    for number in ["0", "1"] {
        let summary = said(&capture, &["mptcp_summary", number]);
        let found = towards(&summary, "server");
        assert_eq!(numbers(found, PARTS), [1000, 400, 0, 600, 0], "connection {number}");
        assert_eq!(numbers(found, AGAIN), [0, 0, 0]);
        let of_tcp = said(&capture, &["tcp_summary", number]);
        assert_eq!(numbers(towards(&of_tcp, "server"), ["goodput_bytes", "fast_open_bytes"]), [1000, 600]);
        let events = said(&capture, &["events", number]);
        let told = events.as_array().unwrap().iter().filter(|event| event["event"] == "tcp_fast_open");
        let told: Vec<&str> = told.map(|event| event["detail"].as_str().unwrap()).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|detail| detail.contains("600 bytes")), "{told:?}");
    }
    let dumped = said(&capture, &["dump", "--rows", "0", "packetid", "dsn"]);
    let dsn = |packet: usize| dumped[packet - 1]["dsn"].clone();
    assert_eq!((dsn(22), dsn(17)), (Value::from(1), Value::Null));
    let rtt = said(&capture, &["rtt", "1"]);
    let data = rtt
        .as_array()
        .unwrap()
        .iter()
        .find(|series| series["level"] == "data" && series["towards"] == "server" && series["tcpstream"].is_null());
    let data = data.expect("round trips of data");
    assert_eq!(data["samples"], 1);
    assert!((data["median"].as_f64().unwrap() - 0.000_038).abs() < 0.000_001, "{data}");
}

#[test]
fn data_in_a_syn_that_were_not_taken_count_where_they_are_sent_again() {
    let mut wire = begun(600, 0);
    let option = third_capable(Some(600));
    wire.up(0.021, &PATH, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, payload: 600, window: None });
    let option = mapping(601, 601, 400);
    wire.up(0.022, &PATH, &Packet { flags: ACK, seq: 601, ack: 1, options: &option, payload: 400, window: None });
    let (_folder, capture) = saved(wire);
    let found = upload(&capture);
    assert_eq!(numbers(&found, PARTS), [1000, 1000, 0, 0, 0]);
    // The same bytes under the same numbers: TCP sent them again.
    assert_eq!(numbers(&found, AGAIN), [600, 0, 0]);
}

#[test]
fn of_data_in_a_syn_that_were_taken_in_part_the_rest_is_data_like_any() {
    let mut wire = begun(600, 400);
    // Subflow sequence numbers count from behind what was taken.
    let option = mapping(1, 1, 200);
    wire.up(0.021, &PATH, &Packet { flags: ACK, seq: 401, ack: 1, options: &option, payload: 200, window: None });
    let option = mapping(201, 201, 300);
    wire.up(0.022, &PATH, &Packet { flags: ACK, seq: 601, ack: 1, options: &option, payload: 300, window: None });
    let (_folder, capture) = saved(wire);
    let found = upload(&capture);
    assert_eq!(numbers(&found, PARTS), [900, 500, 0, 400, 0]);
    assert_eq!(numbers(&found, AGAIN), [200, 0, 0]);
}

#[test]
fn a_sender_that_counts_from_the_syn_maps_its_data() {
    let mut wire = begun(600, 600);
    for (dsn, at) in [(601, 0.021), (1001, 0.022)] {
        let option = mapping(dsn, u32::try_from(dsn).unwrap(), 400);
        let seq = u32::try_from(dsn).unwrap();
        wire.up(at, &PATH, &Packet { flags: ACK, seq, ack: 1, options: &option, payload: 400, window: None });
    }
    let (_folder, capture) = saved(wire);
    let found = upload(&capture);
    assert_eq!(numbers(&found, ["goodput_bytes", "mapped_bytes"]), [1400, 800]);
}

#[test]
fn probes_and_keepalives_are_not_data() {
    let counts = ["goodput_bytes", "retransmitted_bytes", "keepalives", "window_probes"];
    for (name, goodput, keepalives, probes) in [
        ("20_keepalive_1_octet", 2000, 3, 0),
        ("05_zero_window_probes_1_octet", 2000, 0, 3),
        ("04_zero_window_to_the_end", 1000, 0, 5),
    ] {
        let capture = field(name);
        assert_eq!(numbers(&upload(&capture), counts), [goodput, 0, keepalives, probes], "{name}");
        assert_eq!(numbers(&upload(&capture), AGAIN), [0, 0, 0], "{name}");
        let of_tcp = upload_of_tcp(&capture);
        assert_eq!(numbers(&of_tcp, counts), [goodput, 0, keepalives, probes], "{name}");
        assert_eq!(of_tcp["retransmitted_packets"], 0, "{name}");
        let events = said(&capture, &["events", "0"]);
        assert!(!events.as_array().unwrap().iter().any(|event| event["event"] == "subflow_stale"), "{events}");
    }
}

/// The byte of a probe that was taken is new data of that packet, and not of the one before that was refused.
#[test]
fn a_probe_that_was_taken_is_data() {
    let mut wire = begun(0, 0);
    let up = |wire: &mut Wire, at: f64, seq: u32, length: u16| {
        let option = mapping(seq.into(), seq, length);
        let payload = length.into();
        wire.up(at, &PATH, &Packet { flags: ACK, seq, ack: 1, options: &option, payload, window: None });
    };
    let down = |wire: &mut Wire, at: f64, ack: u32, window: u16| {
        let option = acknowledged(ack.into());
        wire.down(at, &PATH, &Packet { flags: ACK, seq: 1, ack, options: &option, window: Some(window), payload: 0 });
    };
    up(&mut wire, 0.030, 1, 1000);
    down(&mut wire, 0.040, 1001, 0);
    up(&mut wire, 0.300, 1001, 1);
    down(&mut wire, 0.310, 1001, 0);
    up(&mut wire, 0.600, 1001, 1);
    down(&mut wire, 0.610, 1002, 0);
    // This one is the last packet but its answer: not taken.
    up(&mut wire, 0.900, 1002, 1);
    down(&mut wire, 0.910, 1002, 0);
    let (_folder, capture) = saved(wire);
    let found = upload(&capture);
    assert_eq!(numbers(&found, ["goodput_bytes", "throughput_bytes", "window_probes"]), [1001, 1003, 3]);
    assert_eq!(numbers(&found, AGAIN), [0, 0, 0]);
    assert_eq!(numbers(&upload_of_tcp(&capture), ["goodput_bytes", "retransmitted_packets"]), [1001, 0]);
}

/// Linux probes the window of the connection with the last byte of the data under a new subflow sequence number.
#[test]
fn a_probe_of_the_connection_is_not_a_reinjection() {
    for stream in [0, 1] {
        let mut wire = begun(0, 0);
        let option = third_capable(Some(1000));
        wire.up(0.030, &PATH, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, payload: 1000, window: None });
        let option = acknowledged(1001);
        wire.down(
            0.040,
            &PATH,
            &Packet { flags: ACK, seq: 1, ack: 1001, options: &option, window: Some(0), payload: 0 },
        );
        let path = if stream == 0 { PATH } else { joined(&mut wire) };
        let (seq, ssn) = if stream == 0 { (1001, 1001) } else { (1, 1) };
        let option = mapping(1000, ssn, 1);
        wire.up(0.500, &path, &Packet { flags: ACK, seq, ack: 1, options: &option, payload: 1, window: None });
        let option = acknowledged(1001);
        wire.down(0.510, &path, &Packet { flags: ACK, seq: 1, ack: seq + 1, options: &option, ..Packet::default() });
        let (_folder, capture) = saved(wire);
        let found = upload(&capture);
        assert_eq!(numbers(&found, ["goodput_bytes", "window_probes"]), [1000, 1], "stream {stream}");
        assert_eq!(numbers(&found, AGAIN), [0, 0, 0], "stream {stream}");
    }
}

/// A second subflow, established.
fn joined(wire: &mut Wire) -> Path {
    let path = Path { client: 2, server: 102, port: 5001, delay: 0.010 };
    let (token, _) = token_and_idsn(KEYS[1]);
    let syn = crate::support::made_mptcp::join_syn(token);
    wire.up(0.100, &path, &Packet { flags: SYN, options: &syn, ..Packet::default() });
    let option = crate::support::made_mptcp::join_syn_ack(false);
    wire.down(0.110, &path, &Packet { flags: SYN_ACK, ack: 1, options: &option, ..Packet::default() });
    let option = crate::support::made_mptcp::join_ack(false);
    wire.up(0.120, &path, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, ..Packet::default() });
    let option = acknowledged(1001);
    wire.down(0.130, &path, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, ..Packet::default() });
    path
}

/// Data without any option that the receiver acknowledges without any are plain TCP; what it acknowledges with a DSS had a
/// mapping, and so had what lies before one.
#[test]
fn data_without_a_mapping_are_plain_tcp_only_where_that_is_shown() {
    let with = |answer: &[u8], mapped_later: bool| {
        let mut wire = begun(0, 0);
        let option = third_capable(Some(1000));
        wire.up(0.030, &PATH, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, payload: 1000, window: None });
        let option = acknowledged(1001);
        wire.down(0.040, &PATH, &Packet { flags: ACK, seq: 1, ack: 1001, options: &option, ..Packet::default() });
        wire.up(0.050, &PATH, &Packet { flags: ACK, seq: 1001, ack: 1, payload: 700, ..Packet::default() });
        wire.down(0.060, &PATH, &Packet { flags: ACK, seq: 1, ack: 1701, options: answer, ..Packet::default() });
        // Sent again by TCP: it still counts once.
        wire.up(0.061, &PATH, &Packet { flags: ACK, seq: 1001, ack: 1, payload: 700, ..Packet::default() });
        if mapped_later {
            let option = mapping(1701, 1701, 300);
            let data = Packet { flags: ACK, seq: 1701, ack: 1, options: &option, payload: 300, window: None };
            wire.up(0.070, &PATH, &data);
        }
        let (_folder, capture) = saved(wire);
        numbers(&upload(&capture), PARTS)
    };
    assert_eq!(with(&[], false), [1700, 1000, 700, 0, 0]);
    assert_eq!(with(&acknowledged(1701), false), [1000, 1000, 0, 0, 700]);
    assert_eq!(with(&[], true), [1300, 1300, 0, 0, 700]);
}

/// The server has no option after its SYN/ACK: plain TCP from the first byte on, both ways.
#[test]
fn a_fallback_from_the_beginning_counts_all() {
    let mut wire = begun(0, 0);
    wire.up(0.030, &PATH, &Packet { flags: ACK, seq: 1, ack: 1, payload: 500, ..Packet::default() });
    wire.down(0.040, &PATH, &Packet { flags: ACK, seq: 1, ack: 501, payload: 900, ..Packet::default() });
    wire.up(0.050, &PATH, &Packet { flags: ACK | 1, seq: 501, ack: 901, ..Packet::default() });
    wire.down(0.060, &PATH, &Packet { flags: ACK | 1, seq: 901, ack: 502, ..Packet::default() });
    let (_folder, capture) = saved(wire);
    let summary = said(&capture, &["mptcp_summary", "0"]);
    assert_eq!(numbers(towards(&summary, "server"), PARTS), [500, 0, 500, 0, 0]);
    assert_eq!(numbers(towards(&summary, "client"), PARTS), [900, 0, 900, 0, 0]);
}

/// Without the handshake the numbers of the subflow come from its mappings; a copy of MP_CAPABLE tells only where they begin
/// at the latest.
#[test]
fn where_the_handshake_is_missing_mappings_tell_where_data_begin() {
    let mut wire = Wire::at(0.0);
    let copy = third_capable(Some(4200));
    for (at, seq) in [(0.0301, 1401), (0.0302, 2801)] {
        wire.up(at, &PATH, &Packet { flags: ACK, seq, ack: 1, options: &copy, payload: 1400, window: None });
    }
    let option = mapping(4201, 4201, 4200);
    for (at, seq) in [(0.0600, 4201), (0.0601, 5601), (0.0602, 7001)] {
        wire.up(at, &PATH, &Packet { flags: ACK, seq, ack: 1, options: &option, payload: 1400, window: None });
    }
    let (_folder, capture) = saved(wire);
    let dumped = said(&capture, &["dump", "--rows", "0", "packetid", "dsn"]);
    let found: Vec<u64> = dumped.as_array().unwrap().iter().filter_map(|row| row["dsn"].as_u64()).collect();
    assert_eq!(found, [1401, 2801, 4201, 5601, 7001]);
    assert_eq!(numbers(&upload(&capture), PARTS), [7000, 7000, 0, 0, 0]);
}
