//! Connections of more subflows than a picture or a table can show.

use std::collections::BTreeSet;
use std::sync::Arc;

use mptcpanalyzer::drawing::figure::{Figure, RoleKind};
use mptcpanalyzer::drawing::{PictureFormat, Target, render};
use mptcpanalyzer::packets::LoadedCapture;

use crate::support::drawn::draw;
use crate::support::made_mptcp::{
    ACK, KEYS, Packet, Path, RST_ACK, SYN, SYN_ACK, Wire, join_ack, join_syn, join_syn_ack, token_and_idsn,
};
use crate::support::program::Home;

/// Subflows of the made connection; the first opens it.
const SUBFLOWS: u16 = 300;

/// Bytes that a subflow sends towards the server in each of two rounds.
fn up(subflow: u16) -> u16 {
    1 + subflow * 37 % SUBFLOWS
}

/// Bytes that it sends towards the client: the more, the less it sends the other way, and never so much.
fn down(subflow: u16) -> u16 {
    (SUBFLOWS - subflow * 37 % SUBFLOWS).div_ceil(4)
}

fn path(subflow: u16) -> Path {
    Path { client: 1, server: 2, port: 1000 + subflow, delay: 0.01 }
}

/// A mapping with a 64-bit DATA_ACK: data number `dsn` of the sender, subflow number `ssn`.
fn mapping([sender, receiver]: [u64; 2], acknowledged: u64, dsn: u64, ssn: u32, length: u16) -> Vec<u8> {
    let idsn = |key| token_and_idsn(key).1;
    let mut dss = vec![30, 26, 0x20, 0x0f];
    dss.extend(idsn(receiver).wrapping_add(acknowledged).to_be_bytes());
    dss.extend(idsn(sender).wrapping_add(dsn).to_be_bytes());
    dss.extend(ssn.to_be_bytes());
    dss.extend(length.to_be_bytes());
    dss
}

/// A connection whose 300 subflows each carry two mappings of [`up`] and two of [`down`] bytes, all acknowledged by TCP.
/// The first one carries 100 bytes more, which open the connection.
fn crowd() -> Arc<LoadedCapture> {
    let mut wire = Wire::at(0.0);
    wire.connect(&path(0), false);
    let token = token_and_idsn(KEYS[1]).0;
    for subflow in 1..SUBFLOWS {
        let (at, path) = (0.1 + f64::from(subflow) * 0.001, path(subflow));
        let syn = join_syn(token);
        let arrived = wire.up(at, &path, &Packet { flags: SYN, options: &syn, ..Packet::default() });
        let answer = join_syn_ack(false);
        let arrived =
            wire.down(arrived, &path, &Packet { flags: SYN_ACK, ack: 1, options: &answer, ..Packet::default() });
        let ack = join_ack(false);
        wire.up(arrived, &path, &Packet { flags: ACK, seq: 1, ack: 1, options: &ack, ..Packet::default() });
    }
    let (mut sent, mut answered) = (101_u64, 1_u64);
    for round in 0..2_u16 {
        for subflow in 0..SUBFLOWS {
            let (path, at) = (path(subflow), 1.0 + f64::from(round) + f64::from(subflow) * 0.002);
            let opened = if subflow == 0 { 101 } else { 1 };
            let (seq, ack) = (opened + u32::from(round * up(subflow)), 1 + u32::from(round * down(subflow)));
            let option = mapping(KEYS, answered, sent, seq, up(subflow));
            let data = Packet { flags: ACK, seq, ack, options: &option, payload: up(subflow).into(), window: None };
            let arrived = wire.up(at, &path, &data);
            sent += u64::from(up(subflow));
            let option = mapping([KEYS[1], KEYS[0]], sent, answered, ack, down(subflow));
            let seen = seq + u32::from(up(subflow));
            let data = Packet {
                flags: ACK,
                seq: ack,
                ack: seen,
                options: &option,
                payload: down(subflow).into(),
                window: None,
            };
            let arrived = wire.down(arrived, &path, &data);
            answered += u64::from(down(subflow));
            let last = Packet { flags: ACK, seq: seen, ack: ack + u32::from(down(subflow)), ..Packet::default() };
            wire.up(arrived, &path, &last);
        }
    }
    wire.capture()
}

/// The numbers of the 256 subflows with the most bytes, the lower number where two have the same.
fn most(bytes: impl Fn(u16) -> u16) -> BTreeSet<u16> {
    let mut all: Vec<u16> = (0..SUBFLOWS).collect();
    all.sort_by_key(|subflow| (std::cmp::Reverse(bytes(*subflow) + if *subflow == 0 { 50 } else { 0 }), *subflow));
    all.into_iter().take(256).collect()
}

/// The numbers of the subflows that a figure draws in its panels.
fn drawn(figure: &Figure) -> BTreeSet<u16> {
    let series = figure.panels.iter().flat_map(|panel| &panel.series);
    let own = series.filter(|series| series.role.kind == RoleKind::Subflow && series.role.subflow.is_some());
    own.map(|series| series.name.trim_start_matches("subflow ").parse().expect(&series.name)).collect()
}

const LEFT_OUT: &str =
    "Not shown: 44 of 300 subflows, those with the least data; --subflow TCPSTREAM shows a given one.";

#[test]
fn plots_draw_the_subflows_that_carried_most() {
    let capture = crowd();
    let both = most(|subflow| up(subflow) + down(subflow));
    for line in [
        "dsn 0",
        "owd mptcp c 0 c",
        "rtt 0",
        "scheduler 0",
        "mptcp_attr 0 tcplen",
        "mptcp_tput 0",
        "mptcp_gput 0",
        "interarrival mptcp 0",
        "dss_len 0",
        "flight 0",
        "cwnd 0",
    ] {
        let figure = draw(&capture, line);
        assert_eq!(drawn(&figure), both, "{line}");
        assert_eq!(
            (figure.caption[0].as_str(), figure.left_out.as_slice()),
            (LEFT_OUT, &[LEFT_OUT.to_string()][..]),
            "{line}"
        );
        for kind in [PictureFormat::Svg, PictureFormat::Text { colour: false }] {
            let mut target = Target::new(kind);
            if kind != PictureFormat::Svg {
                (target.size.width, target.size.height) = (80, 200);
            }
            let text = String::from_utf8(render(&figure, &target).unwrap()).unwrap();
            assert!(text.contains("Not shown: 44 of 300 subflows"), "{line}\n{text}");
        }
    }
    for (towards, bytes) in [("server", up as fn(u16) -> u16), ("client", down)] {
        let figure = draw(&capture, &format!("mptcp_tput 0 --towards {towards}"));
        let expected = if towards == "server" { most(bytes) } else { most_down() };
        assert_eq!(drawn(&figure), expected, "{towards}");
        // The total is that of all subflows.
        let total = figure.panels[0].series.iter().find(|series| series.name == "total").unwrap();
        assert_eq!(total.role.kind, RoleKind::Total);
    }
}

/// Towards the client nothing opens the connection.
fn most_down() -> BTreeSet<u16> {
    let mut all: Vec<u16> = (0..SUBFLOWS).collect();
    all.sort_by_key(|subflow| (std::cmp::Reverse(down(*subflow)), *subflow));
    all.into_iter().take(256).collect()
}

#[test]
fn subflows_that_are_named_are_drawn() {
    let capture = crowd();
    let least = (0..SUBFLOWS).min_by_key(|subflow| up(*subflow) + down(*subflow)).unwrap();
    let figure = draw(&capture, &format!("dsn 0 --subflow {least} --subflow 7"));
    assert_eq!(drawn(&figure), BTreeSet::from([least, 7]));
    assert!(figure.left_out.is_empty());
    // Without one of them the next one has room.
    let figure = draw(&capture, "dsn 0 --skip-subflow 7");
    assert_eq!(drawn(&figure).len(), 256);
    assert!(!drawn(&figure).contains(&7) && figure.caption[0].starts_with("Not shown: 43 of 299 subflows"));
}

#[test]
fn many_events_are_counted_instead_of_marked() {
    let capture = crowd();
    let figure = draw(&capture, "dsn 0");
    assert!(figure.panels.iter().all(|panel| panel.annotations.is_empty()));
    // Each join has a SYN and an ACK towards the server and a SYN/ACK towards the client.
    for sentence in
        ["Too many to mark towards the server: 598 MP_JOIN", "Too many to mark towards the client: 299 MP_JOIN"]
    {
        assert!(figure.caption.iter().any(|line| line.starts_with(sentence)), "{:?}", figure.caption);
    }
}

/// Joins that get no answer, joins that are refused, and joins that carry 10 bytes: in turns, after the connection's own
/// subflow.
const JOINS: u16 = 900;

fn joins() -> Wire {
    let mut wire = Wire::at(0.0);
    wire.connect(&path(0), false);
    let token = token_and_idsn(KEYS[1]).0;
    let mut sent = 101_u64;
    for join in 1..=JOINS {
        let (at, path) = (0.1 + f64::from(join) * 0.0005, path(join));
        let syn = join_syn(token);
        let arrived = wire.up(at, &path, &Packet { flags: SYN, options: &syn, ..Packet::default() });
        match join % 3 {
            1 => {}
            2 => {
                wire.down(arrived, &path, &Packet { flags: RST_ACK, ack: 1, ..Packet::default() });
            }
            _ => {
                let (answer, ack) = (join_syn_ack(false), join_ack(false));
                let packet = Packet { flags: SYN_ACK, ack: 1, options: &answer, ..Packet::default() };
                let arrived = wire.down(arrived, &path, &packet);
                wire.up(arrived, &path, &Packet { flags: ACK, seq: 1, ack: 1, options: &ack, ..Packet::default() });
                let option = mapping(KEYS, 1, sent, 1, 10);
                let data = Packet { flags: ACK, seq: 1, ack: 1, options: &option, payload: 10, window: None };
                let arrived = wire.up(arrived + 0.001, &path, &data);
                sent += 10;
                wire.down(arrived, &path, &Packet { flags: ACK, seq: 1, ack: 11, ..Packet::default() });
            }
        }
    }
    wire
}

/// What a line prints about the capture of [`joins`].
fn printed(home: &Home, line: &str) -> String {
    let words: Vec<&str> = ["-l", "joins.pcap"].into_iter().chain(line.split(' ')).collect();
    let done = home.run(&words, "");
    assert_eq!(done.code, Some(0), "{line}: {}", done.messages);
    done.results
}

#[test]
fn tables_of_many_subflows_have_a_hundred_rows_and_say_so() {
    let home = Home::new();
    home.write("joins.pcap", joins().file());
    for line in [
        "list_subflows 0",
        "list_subflows --all",
        "list_mptcp_connections",
        "list_tcp_connections",
        "tcp_summary",
        "mptcp_summary 0",
        "mptcp_summary",
        "list_reinjections 0",
        "events 0",
        "diagnose",
        "rtt 0",
        "ooo 0",
        "loss mptcp joins.pcap 0 joins.pcap",
        "print_owds mptcp joins.pcap 0 joins.pcap",
        "summary_extended joins.pcap 0 joins.pcap",
        "map_mptcp_connection joins.pcap joins.pcap 0",
    ] {
        let text = printed(&home, line);
        let widest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(text.lines().count() < 340 && widest < 250, "{line}: {} lines, {widest} wide", text.lines().count());
    }
    let text = printed(&home, "list_subflows 0");
    assert!(text.starts_with("901 subflows: 301 established, 300 syn_sent, 300 refused\n"), "{text}");
    assert!(text.contains("\n… 801 more rows with the least data; --limit 0 shows all\n"), "{text}");
    let streams: Vec<&str> = text.lines().filter(|line| line.contains(" established ")).collect();
    assert_eq!(streams.len(), 100, "the initial subflow and 99 joins with data: {text}");
    // 1, 2, 4, 5, …: the two of three that have no SYN/ACK.
    assert!(text.contains("HMAC of stream 1-2, 4-5, 7-8, 10-11, 13-14, … (600 in all) not checked"), "{text}");
    // 900 joins, of which 300 have three packets with the option.
    let events = printed(&home, "events 0");
    let title = events.lines().next().unwrap_or_default();
    for part in ["1,500 mp_join", "300 join_refused", "300 join_unanswered", "300 join_established", "2 mp_capable"] {
        assert!(title.contains(part), "{title}");
    }
    assert!(events.contains(" more rows of the most common kinds; --limit 0 shows all\n"), "{events}");
}

#[test]
fn all_of_many_subflows_are_shown_when_asked_for_and_to_programs() {
    let home = Home::new();
    home.write("joins.pcap", joins().file());
    let rows = |line: &str| printed(&home, line).lines().count();
    assert_eq!(rows("list_subflows 0 --format csv"), 902);
    assert_eq!(rows("list_subflows 0 --format ndjson"), 901);
    assert_eq!(rows("list_tcp_connections --format csv"), 902);
    // A row a direction.
    assert_eq!(rows("tcp_summary --format csv"), 1803);
    assert_eq!(rows("mptcp_summary 0 --format csv"), 1803);
    let all = printed(&home, "list_subflows 0 --limit 0");
    assert!(!all.contains("--limit"), "{all}");
    assert_eq!(all.lines().filter(|line| line.contains(" join ")).count(), 900);
    let few = printed(&home, "list_subflows 0 --limit 5");
    assert_eq!(few.lines().filter(|line| line.contains(" join ")).count(), 4, "{few}");
    let events = printed(&home, "events 0 --format ndjson").lines().count();
    assert_eq!(rows("events 0 --format csv"), events + 1);
    assert!(events > 2400);
}

#[test]
fn live_counts_what_is_too_much_to_read() {
    let home = Home::new();
    home.write("joins.pcap", joins().file());
    let done = home.run(&["live", "./joins.pcap"], "");
    let text = &done.results;
    assert!(text.lines().count() < 160, "{text}");
    // All joins come within the first second; of 300 refusals 20 are shown.
    assert_eq!(text.lines().filter(|line| line.contains(" join_refused ")).count(), 21, "{text}");
    assert!(text.contains("280 more in this interval"), "{text}");
    let events = home.run(&["live", "./joins.pcap", "--format", "ndjson"], "").results;
    assert_eq!(events.lines().filter(|line| line.contains("\"join_refused\"")).count(), 300);
}
