//! What a capture does not hold: a subflow, or one direction. Judged by the whole capture that a part was taken of.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use mptcp_trace::analysis::events::{EventKind, events};
use mptcp_trace::analysis::live::{Live, News};
use mptcp_trace::analysis::subflows::subflows;
use mptcp_trace::packets::native::{self, DissectOptions};
use mptcp_trace::tracking::authentication::Lack;
use mptcp_trace::tracking::data::{Direction, directions};
use mptcp_trace::tracking::{Capture, Role, SubflowKind, track};
use mptcp_trace::{ConnectionId, Span, StreamId};
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, diagnose_capture, diagnose_connection};

use crate::support::scenarios;

/// The initial subflow alone of every connection of several: what it carried and what is unseen are together what the
/// whole connection carried, as far as the DATA_ACKs on it reach; never more.
#[test]
fn what_one_subflow_lacks_is_what_the_others_carried() {
    let (mut exact, mut compared) = (0, 0);
    for path in scenarios::captures() {
        let Some(capture) = scenarios::load(&path) else { continue };
        for connection in capture.tracking.whole_connections().filter(|one| one.roles_known && one.subflows.len() > 1) {
            let is_initial = |id: &&StreamId| {
                capture.tracking.subflow(**id).is_some_and(|subflow| subflow.kind == SubflowKind::Initial)
            };
            let Some(initial) = connection.subflows.iter().find(is_initial) else { continue };
            let stream = capture.tracking.stream(*initial).unwrap();
            let alone = capture.segments.select(&stream.packets);
            let tracking = track(&alone);
            let part = directions(&alone, &tracking, tracking.connection(ConnectionId(0)).unwrap());
            let whole = directions(&capture.segments, &capture.tracking, connection);
            for role in Role::BOTH {
                let (part, whole) = (part.get(role), whole.get(role));
                let label = format!("{} {} towards the {}", scenarios::label(&path), connection.id, role.name());
                assert!(whole.unseen.unwrap_or(0) == 0, "{label}: {:?} of the whole is unseen", whole.unseen);
                let Some(unseen) = part.unseen else { continue };
                // Mappings that the snap length cut, and one number, which may be that of a DATA_FIN on another subflow.
                let carried =
                    |one: &Direction| one.goodput + one.subflows.iter().map(|volume| volume.unmapped).sum::<u64>();
                assert!(carried(part) + unseen <= carried(whole) + 1, "{label}: {} and {unseen}", carried(part));
                exact += usize::from(carried(part) + unseen == carried(whole) && unseen > 0);
                compared += 1;
            }
        }
    }
    println!("{exact} exact of {compared}");
    assert!(compared > 300 || scenarios::folder().is_none(), "only {compared} were compared");
    assert!(exact > 50 || scenarios::folder().is_none(), "only {exact} were exact");
}

/// A capture without the packets that travel the other way.
fn one_way(path: &Path, filter: &str, directory: &Path) -> Capture {
    let target = directory.join("one_way.pcapng");
    let status = Command::new("tshark").arg("-n").arg("-r").arg(path).args(["-Y", filter, "-w"]).arg(&target).status();
    assert!(status.expect("tshark is installed").success());
    let dissection = native::dissect(&target, DissectOptions::default()).expect("it is a capture");
    Capture::new(target, dissection).expect("it can be tracked")
}

fn all_findings(capture: &Capture) -> Vec<Finding> {
    let mut findings = diagnose_capture(capture);
    for connection in capture.tracking.whole_connections() {
        findings.extend(diagnose_connection(capture, connection, None));
    }
    findings
}

#[test]
fn one_direction_is_said_once_and_nothing_follows_from_it() {
    let Some(folder) = scenarios::folder() else { return };
    let forbidden = BTreeSet::from([
        FindingKind::SubflowStale,
        FindingKind::JoinUnanswered,
        FindingKind::AddressNotEchoed,
        FindingKind::AddressNotJoined,
        FindingKind::SingleSubflow,
        FindingKind::SubflowUnused,
        FindingKind::SubflowNotCaptured,
        FindingKind::DataAckStalled,
    ]);
    for name in [
        "02_fullmesh/client.pcap",
        "03_add_addr/client.pcap",
        "03c_add_addr_nojoin/server.pcap",
        "06c_lossy_blackouts/client.pcapng",
        "07f_join_limit/client.pcap",
        "10_ipv6_mixed/client.pcap",
    ] {
        let path = folder.join(name);
        let path = if path.is_file() {
            path
        } else {
            crate::analysis::merge::end_of(path.parent().unwrap(), path.file_stem().unwrap().to_str().unwrap()).unwrap()
        };
        for filter in ["tcp.dstport == 5001", "tcp.srcport == 5001"] {
            let directory = tempfile::tempdir().unwrap();
            let capture = one_way(&path, filter, directory.path());
            let findings = all_findings(&capture);
            let said = findings.iter().filter(|finding| finding.finding == FindingKind::OneDirectionOnly).count();
            assert_eq!(said, 1, "{name} {filter}");
            let wrong: Vec<&Finding> = findings.iter().filter(|finding| forbidden.contains(&finding.finding)).collect();
            assert!(wrong.is_empty(), "{name} {filter}: {wrong:?}");
            let told = capture.tracking.whole_connections().flat_map(|connection| events(&capture, connection, None));
            assert!(told.into_iter().all(|event| event.event != EventKind::SubflowStale), "{name} {filter}");
            let mut live = Live::new(Span::from_seconds(1));
            capture
                .segments
                .iter()
                .for_each(|segment| live.push(segment, capture.segments.ends(segment), capture.origin()));
            live.finish();
            let stale =
                |news: &News| matches!(news, News::Happening(one) if one.event.event == EventKind::SubflowStale);
            assert!(!live.take_news().iter().any(stale), "{name} {filter}");
        }
    }
}

/// The client's ACK with MP_CAPABLE has both keys; what is not there is the server's random number.
#[test]
fn an_hmac_that_cannot_be_checked_names_what_is_missing() {
    let Some(folder) = scenarios::folder() else { return };
    let directory = tempfile::tempdir().unwrap();
    let capture = one_way(&folder.join("01_basic/client.pcapng"), "tcp.dstport == 5001", directory.path());
    let connection = capture.mptcp_connection(ConnectionId(0)).unwrap();
    assert!(connection.hosts.client.key.is_some() && connection.hosts.server.key.is_some());
    assert_eq!(subflows(&capture, connection)[1].hmac_lacks, Some(Lack::SynAck));
    let told = events(&capture, connection, None);
    let established = told.iter().find(|event| event.event == EventKind::JoinEstablished).unwrap();
    assert!(established.detail.contains("SYN/ACK") && !established.detail.contains("key"), "{}", established.detail);
    // Begun in mid-connection, with the joins alone: no key is there.
    let capture = scenarios::load(&folder.join("13a3_one_path_only/client.pcapng")).unwrap();
    let connection = capture.mptcp_connection(ConnectionId(0)).unwrap();
    assert_eq!(subflows(&capture, connection)[0].hmac_lacks, Some(Lack::Keys));
}
