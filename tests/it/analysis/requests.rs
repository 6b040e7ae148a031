//! SYNs that ask for MPTCP, and what came of them. The answers are those of the RFCs, of the made packets themselves, or of
//! the README beside the recorded ones.

use std::path::Path;

use mptcp_trace::StreamId;
use mptcp_trace::packets::native;
use mptcp_trace::tracking::Capture;
use mptcpanalyzer::analysis::diagnose::FindingKind;

use crate::support::exchange::{ACK, At, Exchange, PSH, Packet, RST, SYN, Said, option};
use crate::support::program::Home;

const CLIENT: At = At(1, 40_000);
const SERVER: At = At(2, 5001);
const KEY: u64 = 0x1111_2222_3333_4444;

/// The option of a client's SYN.
fn asks(version: u8) -> Vec<u8> {
    option::capable(version, 1, if version == 0 { &[KEY] } else { &[] }, &[])
}

fn syn(version: u8) -> Packet {
    Packet::new(CLIENT, SERVER, SYN, 100, 0).with(&asks(version))
}

fn plain_syn() -> Packet {
    Packet::new(CLIENT, SERVER, SYN, 100, 0)
}

fn syn_ack() -> Packet {
    Packet::new(SERVER, CLIENT, SYN | ACK, 500, 101)
}

/// What follows a handshake without MPTCP: the ACK and some data.
fn plain_transfer(exchange: &mut Exchange, at: u64) {
    exchange.add(at, &Packet::new(CLIENT, SERVER, ACK, 101, 501));
    exchange.add(at + 1, &Packet::new(CLIENT, SERVER, ACK | PSH, 101, 501).carrying(500));
    exchange.add(at + 2, &Packet::new(SERVER, CLIENT, ACK, 501, 601));
}

/// Both versions over both versions of IP.
fn each(check: impl Fn(u8, bool)) {
    for version in [0, 1] {
        for v6 in [false, true] {
            check(version, v6);
        }
    }
}

/// What `list_mptcp_connections` prints.
fn listed(exchange: &Exchange) -> (Vec<serde_json::Value>, String) {
    let home = Home::new();
    home.write("made.pcap", exchange.file());
    let json = home.run(&["--load", "made.pcap", "lc", "--format", "json"], "");
    let table = home.run(&["--load", "made.pcap", "lc"], "");
    (serde_json::from_str(&json.results).unwrap(), table.results)
}

#[test]
fn syns_that_nobody_answers() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        for at in [0, 1000, 3000] {
            exchange.add(at, &syn(version));
        }
        let said = exchange.said();
        assert_eq!(said.kinds(), [FindingKind::MptcpUnanswered], "version {version}");
        let finding = said.only(FindingKind::MptcpUnanswered);
        assert_eq!((finding.tcpstream, finding.packets.as_slice()), (Some(StreamId(0)), [1, 2, 3].as_slice()));
        assert!(
            finding.detail.contains(&format!("3 SYNs (packets 1, 2, 3) request MPTCP version {version}")),
            "{finding:?}"
        );
        let (connections, table) = listed(&exchange);
        assert!(connections.is_empty(), "{connections:?}");
        let note = "3 SYNs on 1 TCP stream requested MPTCP, none was accepted: see `diagnose`";
        assert!(table.contains(note), "{table}");
    });
}

#[test]
fn one_syn_at_the_end_of_a_capture_may_still_be_answered() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(version));
        assert_eq!(exchange.said().kinds(), []);
        let (connections, table) = listed(&exchange);
        assert!(connections.is_empty());
        assert!(table.contains("1 SYN requested MPTCP; the answer was not captured"), "{table}");
        // One second without an answer is the first timeout (RFC 6298 §2).
        exchange.add(1000, &Packet::new(At(7, 9), At(8, 9), ACK, 1, 1));
        assert_eq!(exchange.said().problems(), [FindingKind::MptcpUnanswered]);
    });
}

#[test]
fn a_copy_of_a_syn_is_not_another_syn() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        for at in [0, 1000] {
            exchange.add(at, &syn(version)).copy_last();
        }
        let said = exchange.said();
        assert!(said.only(FindingKind::MptcpUnanswered).detail.starts_with("2 SYNs (packets 1, 3)"));
        assert!(listed(&exchange).1.contains("2 SYNs on 1 TCP stream"));
    });
}

#[test]
fn syns_that_are_refused() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(version)).add(20, &Packet::new(SERVER, CLIENT, RST | ACK, 0, 101));
        let said = exchange.said();
        assert_eq!(said.problems(), [FindingKind::MptcpRefused]);
        assert_eq!(said.only(FindingKind::MptcpRefused).packets, [1, 2]);
        assert!(listed(&exchange).0.is_empty());
    });
}

#[test]
fn syns_that_are_answered_only_without_the_option() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        for at in [0, 1000, 3000] {
            exchange.add(at, &syn(version));
        }
        exchange.add(7000, &plain_syn()).add(7020, &syn_ack());
        plain_transfer(&mut exchange, 7021);
        let said = exchange.said();
        assert_eq!(said.problems(), [FindingKind::MptcpBlackholed]);
        let finding = said.only(FindingKind::MptcpBlackholed);
        assert_eq!(finding.packets, [1, 2, 3, 4, 5]);
        assert!(listed(&exchange).0.is_empty());
    });
}

#[test]
fn a_late_answer_to_a_syn_with_the_option_is_no_blackhole() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(version).with(&option::timestamps(1000, 0)));
        exchange.add(1000, &plain_syn().with(&option::timestamps(2000, 0)));
        // It echoes the timestamp of the SYN that asked for MPTCP (RFC 7323 §3).
        exchange.add(1200, &syn_ack().with(&option::timestamps(77, 1000)));
        plain_transfer(&mut exchange, 1201);
        assert_eq!(exchange.said().problems(), [FindingKind::MptcpDeclined]);
    });
}

#[test]
fn another_stream_shows_that_only_the_option_is_dropped() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        for at in [0, 1000, 3000] {
            exchange.add(at, &syn(version));
        }
        let other = At(1, 40_001);
        exchange.add(3500, &Packet::new(other, SERVER, SYN, 900, 0));
        exchange.add(3520, &Packet::new(SERVER, other, SYN | ACK, 77, 901));
        let said = exchange.said();
        let finding = said.only(FindingKind::MptcpBlackholed);
        assert!(finding.detail.contains("a SYN without the option to the same port is answered in packet 5"));
    });
}

#[test]
fn where_syns_without_the_option_fail_too_the_option_is_not_the_cause() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(version)).add(1000, &syn(version)).add(3000, &plain_syn()).add(7000, &plain_syn());
        let said = exchange.said();
        assert_eq!(said.problems(), [FindingKind::MptcpUnanswered]);
        let finding = said.only(FindingKind::MptcpUnanswered);
        assert!(finding.meaning.contains("The option is not the cause"), "{finding:?}");
    });
}

#[test]
fn an_answer_without_the_option_declines() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(version)).add(20, &syn_ack());
        plain_transfer(&mut exchange, 21);
        let said = exchange.said();
        assert_eq!(said.problems(), [FindingKind::MptcpDeclined], "both versions alike");
        let finding = said.only(FindingKind::MptcpDeclined);
        assert_eq!((finding.mptcpstream, finding.packets.as_slice()), (None, [1, 2].as_slice()));
        assert!(listed(&exchange).0.is_empty());
        assert_eq!(said.told("fallback"), []);
        assert_eq!(said.told("mptcp_declined").len(), usize::from(version == 0), "version 1 has no number");
    });
}

#[test]
fn a_request_whose_answer_was_not_captured_is_judged_by_what_the_client_does_next() {
    each(|version, v6| {
        let mut plain = Exchange::new(v6);
        plain.add(0, &syn(version));
        plain.add(40, &Packet::new(CLIENT, SERVER, ACK, 101, 501));
        plain.add(41, &Packet::new(CLIENT, SERVER, ACK | PSH, 101, 501).carrying(500));
        assert_eq!(plain.said().problems().first(), Some(&FindingKind::MptcpDeclined));
        assert!(listed(&plain).0.is_empty());
        let mut granted = Exchange::new(v6);
        granted.add(0, &syn(version));
        let keys = option::capable(version, 1, &[KEY, 0x5555], &[]);
        granted.add(40, &Packet::new(CLIENT, SERVER, ACK, 101, 501).with(&keys));
        assert_eq!(granted.said().problems(), []);
        assert_eq!(listed(&granted).0.len(), 1, "the server's packets were not captured, the connection was made");
    });
}

#[test]
fn a_mirrored_option_is_no_answer() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(version)).add(10, &syn_ack().with(&asks(version)));
        plain_transfer(&mut exchange, 20);
        let said = exchange.said();
        assert_eq!(said.problems(), [FindingKind::MptcpMirrored]);
        let finding = said.only(FindingKind::MptcpMirrored);
        assert_eq!(finding.packets, [1, 2]);
        let what = if version == 0 { "1111222233334444" } else { "without a key" };
        assert!(finding.detail.contains(what), "{finding:?}");
        assert!(listed(&exchange).0.is_empty(), "no connection is made of it");
        assert_eq!(said.told("fallback"), []);
    });
}

#[test]
fn a_mirror_that_deceives_the_client_still_makes_no_connection() {
    for v6 in [false, true] {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(0)).add(10, &syn_ack().with(&asks(0)));
        let both = option::capable(0, 1, &[KEY, KEY], &[]);
        exchange.add(20, &Packet::new(CLIENT, SERVER, ACK, 101, 501).with(&both));
        exchange.add(30, &Packet::new(SERVER, CLIENT, ACK | PSH, 501, 101).carrying(10));
        let said = exchange.said();
        assert_eq!(said.problems(), [FindingKind::MptcpMirrored]);
        assert!(listed(&exchange).0.is_empty());
    }
}

#[test]
fn what_is_granted_is_none_of_it() {
    each(|version, v6| {
        let mut exchange = Exchange::new(v6);
        exchange.add(0, &syn(version)).add(20, &syn_ack().with(&option::capable(version, 1, &[0x5555], &[])));
        let both = option::capable(version, 1, &[KEY, 0x5555], &[]);
        exchange.add(21, &Packet::new(CLIENT, SERVER, ACK, 101, 501).with(&both));
        let said = exchange.said();
        assert_eq!(said.problems(), []);
        assert_eq!(listed(&exchange).0.len(), 1);
    });
}

#[test]
fn a_number_of_wiresharks_keeps_its_place() {
    let mut exchange = Exchange::new(false);
    exchange.add(0, &syn(0)).add(20, &syn_ack());
    let (client, key) = (At(1, 40_001), 0x9999);
    exchange.add(30, &Packet::new(client, SERVER, SYN, 100, 0).with(&option::capable(0, 1, &[key], &[])));
    exchange.add(50, &Packet::new(SERVER, client, SYN | ACK, 500, 101).with(&option::capable(0, 1, &[0x5555], &[])));
    let (connections, table) = listed(&exchange);
    let numbers: Vec<_> = connections.iter().map(|connection| &connection["mptcpstream"]).collect();
    assert_eq!(numbers, [1]);
    assert!(table.contains("number 0 unused: a version 0 SYN whose MP_CAPABLE was not accepted"), "{table}");
}

#[test]
fn a_flood_takes_no_time_that_grows_with_its_square() {
    let flood = |count: u16| {
        let mut exchange = Exchange::new(false);
        for port in 0..count {
            let options = option::capable(0, 1, &[u64::from(port) + 1], &[]);
            exchange.add(0, &Packet::new(At(1, 1000 + port), SERVER, SYN, 100, 0).with(&options));
        }
        exchange.add(2000, &Packet::new(At(7, 9), At(8, 9), ACK, 1, 1));
        let capture = exchange.capture();
        let started = std::time::Instant::now();
        let said = Said::of(&capture);
        let found = said.findings.iter().filter(|finding| finding.finding == FindingKind::MptcpUnanswered).count();
        assert_eq!(found, usize::from(count));
        started.elapsed()
    };
    let (few, many) = (flood(4000), flood(32_000));
    assert!(many < few * 32 + std::time::Duration::from_millis(500), "{few:?}, {many:?}");
}

/// A small capture with its right answer beside the project.
fn field(name: &str) -> Option<Capture> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/field").join(name);
    if !path.is_file() {
        println!("skipped: {} is not here", path.display());
        return None;
    }
    let dissection = native::dissect(&path, native::DissectOptions::default()).unwrap();
    Some(Capture::new(path, dissection).unwrap())
}

#[test]
fn the_recorded_ones_are_told_as_their_readme_says() {
    for (name, kind, packets) in [
        ("03_blackhole.pcap", FindingKind::MptcpBlackholed, vec![vec![1, 2, 3, 4, 5]]),
        (
            "03c_only_unanswered_syns.pcap",
            FindingKind::MptcpUnanswered,
            vec![vec![1, 2, 6, 10], vec![3, 4, 8, 11], vec![5, 7, 9, 12]],
        ),
        ("03d_syn_refused.pcap", FindingKind::MptcpRefused, vec![vec![1, 2]]),
        ("07_v0_client_v1_server.pcap", FindingKind::MptcpDeclined, vec![vec![1, 2]]),
        ("27_mirrored_v1.pcap", FindingKind::MptcpMirrored, vec![vec![1, 2]]),
    ] {
        let Some(capture) = field(name) else { continue };
        let said = Said::of(&capture);
        assert_eq!(said.problems(), [kind], "{name}");
        let shown: Vec<&Vec<u64>> = said.findings.iter().map(|finding| &finding.packets).collect();
        assert_eq!(shown, packets.iter().collect::<Vec<_>>(), "{name}");
    }
    let Some(capture) = field("24_primary_dead_stall.pcap") else { return };
    let unanswered = Said::of(&capture).findings.into_iter().filter(|f| f.finding == FindingKind::MptcpUnanswered);
    let packets: Vec<usize> = unanswered.map(|finding| finding.packet_count).collect();
    assert_eq!(packets, [3, 3, 3], "three SYNs, nine packets");
}
