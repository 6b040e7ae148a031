//! Findings of `diagnose` against what was done to the captures; which are found at all is for tests/it/analysis/labelled.rs.

use mptcp_trace::analysis::checksum::Checksums;
use mptcp_trace::analysis::events::{EventKind, events};
use mptcp_trace::tracking::Capture;
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, diagnose_capture, diagnose_connection};
use mptcpanalyzer::packets::LoadedCapture;
use mptcpanalyzer::packets::tshark;

use crate::support::scenarios;

pub struct Said {
    pub findings: Vec<Finding>,
    pub events: Vec<EventKind>,
}

/// Everything that both commands say of the capture of one end.
pub fn said(capture: &Capture) -> Said {
    let mut findings = diagnose_capture(capture);
    let mut kinds = Vec::new();
    for connection in &capture.tracking.connections {
        let checksums = (connection.checksum_required == Some(true)).then(|| {
            let mut checksums = Checksums::new(capture, [connection]);
            let tshark = scenarios::installed_tshark();
            let visit = |packetid, bytes: &[u8]| checksums.push(packetid, bytes);
            tshark::payloads(tshark, &capture.path, &connection.subflows, visit).expect("the payload can be read");
            checksums.finish().remove(&connection.id).unwrap_or_default()
        });
        findings.extend(diagnose_connection(capture, connection, checksums.as_deref()));
        kinds.extend(events(capture, connection, checksums.as_deref()).into_iter().map(|event| event.event));
    }
    Said { findings, events: kinds }
}

fn capture_of(scenario: &str, end: &str) -> Option<std::sync::Arc<LoadedCapture>> {
    let folder = scenarios::folder()?.join(scenario);
    let path =
        ["pcap", "pcapng"].map(|ending| folder.join(format!("{end}.{ending}"))).into_iter().find(|p| p.is_file());
    scenarios::load(&path.unwrap_or_else(|| panic!("{scenario} has a capture of the {end}")))
}

#[test]
fn findings_name_the_packets_that_show_them() {
    let unshown = [
        FindingKind::CaptureWarning,
        FindingKind::NoTcp,
        FindingKind::SubflowBackup,
        FindingKind::SubflowUnused,
        FindingKind::OneSubflowCarriesAll,
    ];
    let mut checked = 0;
    for path in scenarios::captures() {
        let Some(capture) = scenarios::load(&path) else { continue };
        let label = scenarios::label(&path);
        for finding in said(&capture).findings {
            if unshown.contains(&finding.finding) || finding.finding == FindingKind::WindowLimited {
                continue;
            }
            assert!(!finding.packets.is_empty(), "{label}: {:?} names no packet", finding.finding);
            // Rows are in the order of time, which need not be that of their ids.
            let known = |id: &u64| capture.segments.iter().any(|segment| segment.packetid() == *id);
            assert!(
                finding.packets.iter().all(known),
                "{label}: {:?} names a packet that is not there",
                finding.finding
            );
            checked += 1;
        }
    }
    assert!(checked > 50 || scenarios::folder().is_none());
}

#[test]
fn the_altered_packet_is_the_one_that_the_relay_altered() {
    // The relay's log says which packet's payload it flipped; the mapping that fails is the one that covers it.
    for (scenario, end) in
        [("08a_mpfail_single", "server"), ("08b_mpfail_two", "server"), ("08d_mpfail_single_down", "client")]
    {
        let Some(capture) = capture_of(scenario, end) else { continue };
        let failed = said(&capture).findings.into_iter().filter(|f| f.finding == FindingKind::ChecksumFailure).count();
        assert_eq!(failed, 1, "{scenario}: one finding about one altered mapping");
        let clean =
            capture_of(scenario, if end == "server" { "client" } else { "server" }).expect("both ends are there");
        let sender_side =
            said(&clean).findings.into_iter().filter(|f| f.finding == FindingKind::ChecksumFailure).count();
        assert_eq!(sender_side, 0, "{scenario}: it left its sender whole");
    }
}
