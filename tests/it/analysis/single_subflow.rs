//! A connection of one subflow that nobody tried to join: what was offered, and where to look.

use mptcp_trace::ConnectionId;
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, Severity, diagnose_connection};

use crate::support::made_mptcp::{ACK, Packet, Path, Wire, add_addr};
use crate::support::scenarios;

const PATH: Path = Path { client: 1, server: 101, port: 5001, delay: 0.010 };

fn single(wire: Wire) -> Option<Finding> {
    let capture = wire.capture();
    let findings = diagnose_connection(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), None);
    findings.into_iter().find(|finding| finding.finding == FindingKind::SingleSubflow)
}

/// The server sends this many packets of 1000 bytes, a millisecond apart.
fn connected(packets: u32, flag_c: bool, advertised: bool) -> Wire {
    let mut wire = Wire::at(0.0);
    let mut time = wire.connect(&PATH, flag_c) + 0.001;
    if advertised {
        let option = add_addr(5, 102);
        time = wire.down(time, &PATH, &Packet { flags: ACK, seq: 1, ack: 101, options: &option, ..Packet::default() });
    }
    for number in 0..packets {
        wire.data(time + f64::from(number) * 0.001, &PATH, number * 1000 + 1, 1000);
    }
    wire
}

#[test]
fn nobody_advertised_and_nobody_joined() {
    let finding = single(connected(20, false, false)).unwrap();
    assert_eq!(finding.severity, Severity::Notice);
    assert!(finding.detail.contains("20100 bytes"), "{}", finding.detail);
    assert!(finding.detail.ends_with("no SYN requested a join; no address was advertised"), "{}", finding.detail);
    assert!(finding.meaning.starts_with("the client's path manager has no second address"), "{}", finding.meaning);
    for command in ["`ip mptcp endpoint`", "`ip mptcp limits`"] {
        assert!(finding.next.contains(command), "{}", finding.next);
    }
}

#[test]
fn an_advertised_address_is_told_with_its_end() {
    let finding = single(connected(20, false, true)).unwrap();
    assert!(finding.detail.ends_with("the server advertised address id 5 (10.0.0.102)"), "{}", finding.detail);
    assert!(finding.meaning.starts_with("the client did not use the advertised address"), "{}", finding.meaning);
    // What the flag C forbids is the address of the initial subflow: another one was offered.
    let finding = single(connected(20, true, true)).unwrap();
    assert!(
        finding.detail.contains("the server's MP_CAPABLE forbids joins to its address (flag C)"),
        "{}",
        finding.detail
    );
    assert!(finding.meaning.starts_with("the client did not use the advertised address"), "{}", finding.meaning);
}

#[test]
fn the_flag_c_without_another_address_forbids_it() {
    let finding = single(connected(20, true, false)).unwrap();
    assert!(finding.meaning.starts_with("the client had no address to join"), "{}", finding.meaning);
    assert!(finding.next.contains("net.mptcp.allow_join_initial_addr_port"), "{}", finding.next);
}

#[test]
fn a_short_connection_is_not_worth_it() {
    // A first flight has 14,600 bytes (RFC 6928 §2).
    assert_eq!(single(connected(14, false, true)), None);
    assert!(single(connected(15, false, true)).is_some());
}

#[test]
fn where_the_other_subflow_was_not_captured_it_is_not_said() {
    // One interface of two: `answers` has the bytes that only the other one saw.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/recorded");
    let mut checked = 0;
    for recording in std::fs::read_dir(folder).unwrap() {
        for file in ["client.if1.pcap", "server.if1.pcap"] {
            let path = recording.as_ref().unwrap().path().join(file);
            if !path.is_file() {
                continue;
            }
            let capture = scenarios::load(&path).unwrap();
            for connection in &capture.tracking.connections {
                let findings = diagnose_connection(&capture, connection, None);
                let said = findings.iter().any(|finding| finding.finding == FindingKind::SingleSubflow);
                assert!(!said, "{}", path.display());
                checked += 1;
            }
        }
    }
    assert!(checked >= 2);
}
