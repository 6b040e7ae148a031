//! Handshakes of subflows: how long they took, and which of their packets has a wrong HMAC, by tshark's fields.

use std::path::Path;
use std::process::Command;

use mptcp_trace::analysis::events::{EventKind, events};
use mptcp_trace::analysis::live::{Live, News};
use mptcp_trace::analysis::setup::setup;
use mptcp_trace::{ConnectionId, Span};
use mptcpanalyzer::analysis::diagnose::{FindingKind, diagnose_connection};

use crate::analysis::merge::end_of;
use crate::support::scenarios;

/// Frame numbers and times of the packets that tshark's display filter selects.
fn frames(path: &Path, filter: &str) -> Vec<(u64, f64)> {
    let fields = ["-T", "fields", "-e", "frame.number", "-e", "frame.time_relative"];
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(path).args(["-Y", filter]).args(fields);
    let output = command.output().expect("tshark must be installed for this test");
    let lines = String::from_utf8(output.stdout).unwrap();
    let pairs = lines.lines().map(|line| line.split_once('\t').unwrap());
    pairs.map(|(number, time)| (number.parse().unwrap(), time.parse().unwrap())).collect()
}

#[test]
fn the_round_trip_of_the_initial_handshake_is_never_a_joins() {
    let Some(folder) = scenarios::folder() else { return };
    let (mut known, mut unknown) = (0, 0);
    for name in
        ["01_basic", "02_fullmesh", "10_ipv6_mixed", "13a_midstream", "13a2_join_without_capable", "13a3_one_path_only"]
    {
        for end in ["client", "server"] {
            let Some(path) = end_of(&folder.join(name), end) else { continue };
            let capture = scenarios::load(&path).unwrap();
            let found = setup(&capture, capture.tracking.connection(ConnectionId(0)).unwrap());
            // The only SYN and SYN/ACK with MP_CAPABLE, and the first packet that the client sends next.
            let syn = frames(&path, "tcp.flags.syn==1 && tcp.flags.ack==0 && tcp.options.mptcp.subtype==0");
            let expected = match syn[..] {
                [(number, begun)] => {
                    let stream = scenarios::tshark(&path, &["frame.number", "tcp.stream"]);
                    let own = stream.iter().find_map(|line| line.strip_prefix(&format!("{number}\t"))).unwrap();
                    let ack = format!("tcp.stream=={own} && tcp.dstport==5001 && tcp.flags.syn==0");
                    Some(frames(&path, &ack)[0].1 - begun)
                }
                _ => None,
            };
            let nanoseconds = |seconds: f64| (seconds * 1e9).round();
            assert_eq!(found.handshake_rtt.map(nanoseconds), expected.map(nanoseconds), "{name} {end}");
            if expected.is_some() {
                known += 1;
            } else {
                unknown += 1;
                assert!(found.joins.iter().all(|join| join.established_after.is_none()), "{name} {end}");
            }
        }
    }
    assert!(known >= 6 && unknown >= 3, "{known} {unknown}");
}

/// The lab's path altered the HMAC of one packet of the handshake (badhmac, badsynackhmac), as seen behind it.
#[test]
fn a_wrong_hmac_is_told_of_the_packet_that_carries_it() {
    let Some(folder) = scenarios::folder() else { return };
    for (name, end, filter) in [
        ("07d_join_bad_hmac_ack", "server", "tcp.options.mptcp.subtype==1 && tcp.flags.syn==0 && tcp.flags.reset==0"),
        ("07e_join_bad_hmac_synack", "client", "tcp.options.mptcp.subtype==1 && tcp.flags.syn==1 && tcp.flags.ack==1"),
    ] {
        let path = end_of(&folder.join(name), end).unwrap();
        let capture = scenarios::load(&path).unwrap();
        let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
        let expected: Vec<u64> = frames(&path, filter).iter().map(|(number, _)| *number).collect();
        assert_eq!(expected.len(), 1, "{name}");
        let told = events(&capture, connection, None);
        let told = told.iter().filter(|event| event.event == EventKind::JoinHmacInvalid).map(|event| event.packetid);
        assert_eq!(told.collect::<Vec<_>>(), expected, "{name}");
        let findings = diagnose_connection(&capture, connection, None);
        let wrong = findings.iter().filter(|finding| finding.finding == FindingKind::JoinHmacInvalid);
        assert_eq!(wrong.flat_map(|finding| finding.packets.clone()).collect::<Vec<_>>(), expected, "{name}");
        let mut live = Live::new(Span::from_seconds(1));
        capture
            .segments
            .iter()
            .for_each(|segment| live.push(segment, capture.segments.ends(segment), capture.origin()));
        live.finish();
        let news = live.take_news();
        let told = news.iter().filter_map(|news| match news {
            News::Happening(one) if one.event.event == EventKind::JoinHmacInvalid => Some(one.event.packetid),
            _ => None,
        });
        assert_eq!(told.collect::<Vec<_>>(), expected, "{name}");
    }
}
