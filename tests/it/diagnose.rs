//! What `diagnose` and `events` say of each scenario, against what was done to it: the class of trouble that each
//! folder was recorded to show.

use mptcpanalyzer::analysis::checksum::Checksums;
use mptcpanalyzer::analysis::diagnose::{Finding, Kind, Severity, diagnose_capture, diagnose_connection};
use mptcpanalyzer::analysis::events::{Kind as EventKind, events};
use mptcpanalyzer::packets::tshark;
use mptcpanalyzer::tracking::Capture;

use crate::scenarios;

struct Said {
    findings: Vec<Finding>,
    events: Vec<EventKind>,
}

/// Everything that both commands say of the capture of one end.
fn said(capture: &Capture) -> Said {
    let mut findings = diagnose_capture(capture);
    let mut kinds = Vec::new();
    for connection in &capture.tracking.connections {
        let checksums = (connection.checksum_required == Some(true)).then(|| {
            let mut checksums = Checksums::new(capture, connection);
            let tshark = scenarios::installed_tshark();
            let visit = |packetid, octets: &[u8]| checksums.push(packetid, octets);
            tshark::payloads(tshark, &capture.path, &connection.subflows, visit).expect("the payload can be read");
            checksums.finish()
        });
        findings.extend(diagnose_connection(capture, connection, checksums.as_deref()));
        kinds.extend(events(capture, connection, checksums.as_deref()).into_iter().map(|event| event.event));
    }
    Said { findings, events: kinds }
}

/// Scenario, end, what must be found, what must be among the events.
type Expectation = (&'static str, &'static str, &'static [Kind], &'static [EventKind]);

const EXPECTED: &[Expectation] = &[
    ("03b_add_addr_port", "client", &[], &[EventKind::AddAddr, EventKind::AddAddrEcho, EventKind::JoinEstablished]),
    ("03b_add_addr_port", "server", &[], &[EventKind::AddAddr, EventKind::AddAddrEcho, EventKind::JoinEstablished]),
    ("03c_add_addr_nojoin", "client", &[Kind::AddressHmacInvalid], &[EventKind::AddAddr]),
    ("03c_add_addr_nojoin", "server", &[Kind::AddressNotEchoed], &[EventKind::AddAddr]),
    (
        "04_rm_addr_prio",
        "client",
        &[Kind::AddressRemoved],
        &[EventKind::RemoveAddr, EventKind::MpPrio, EventKind::Reset],
    ),
    (
        "04_rm_addr_prio",
        "server",
        &[Kind::AddressRemoved],
        &[EventKind::RemoveAddr, EventKind::MpPrio, EventKind::Reset],
    ),
    ("05_backup_failover", "client", &[Kind::SubflowStale, Kind::SubflowBackup], &[EventKind::SubflowStale]),
    ("05_backup_failover", "server", &[Kind::SubflowSilent, Kind::SubflowBackup], &[]),
    ("05b_failover_permanent", "client", &[Kind::SubflowStale], &[EventKind::SubflowStale]),
    ("05b_failover_permanent", "server", &[Kind::SubflowSilent], &[]),
    ("07a_fastclose_client", "client", &[Kind::FastClose], &[EventKind::MpFastclose]),
    ("07a_fastclose_client", "server", &[Kind::FastClose], &[EventKind::MpFastclose]),
    ("07b_fastclose_server", "client", &[Kind::FastClose], &[EventKind::MpFastclose]),
    ("07b_fastclose_server", "server", &[Kind::FastClose], &[EventKind::MpFastclose]),
    ("07c_join_bad_token", "client", &[Kind::JoinRefused], &[EventKind::JoinRefused]),
    ("07c_join_bad_token", "server", &[Kind::JoinRefused, Kind::JoinTokenUnknown], &[EventKind::JoinRefused]),
    ("07d_join_bad_hmac_ack", "client", &[Kind::JoinRefused], &[EventKind::JoinRefused]),
    ("07d_join_bad_hmac_ack", "server", &[Kind::JoinHmacInvalid, Kind::JoinRefused], &[EventKind::JoinHmacInvalid]),
    ("07e_join_bad_hmac_synack", "client", &[Kind::JoinHmacInvalid, Kind::JoinRefused], &[EventKind::JoinHmacInvalid]),
    ("07e_join_bad_hmac_synack", "server", &[Kind::JoinRefused], &[EventKind::JoinRefused]),
    ("07f_join_limit", "client", &[Kind::JoinRefused], &[EventKind::JoinRefused]),
    ("07f_join_limit", "server", &[Kind::JoinRefused], &[EventKind::JoinRefused]),
    ("07g_join_opt_stripped", "client", &[Kind::JoinOptionMissing], &[EventKind::JoinOptionMissing]),
    ("07g_join_opt_stripped", "server", &[Kind::JoinOptionMissing], &[]),
    ("08a_mpfail_single", "client", &[Kind::MpFail, Kind::Fallback], &[EventKind::MpFail, EventKind::Fallback]),
    (
        "08a_mpfail_single",
        "server",
        &[Kind::MpFail, Kind::Fallback, Kind::ChecksumFailure],
        &[EventKind::ChecksumFailure],
    ),
    ("08b_mpfail_two", "client", &[Kind::MpFail, Kind::SubflowReset], &[EventKind::MpFail, EventKind::Reset]),
    ("08b_mpfail_two", "server", &[Kind::MpFail, Kind::SubflowReset, Kind::ChecksumFailure], &[EventKind::MpFail]),
    ("08d_mpfail_single_down", "client", &[Kind::MpFail, Kind::Fallback, Kind::ChecksumFailure], &[EventKind::MpFail]),
    ("08d_mpfail_single_down", "server", &[Kind::MpFail, Kind::Fallback], &[EventKind::MpFail]),
    ("08e_mpfail_single_slow", "server", &[Kind::MpFail, Kind::Fallback, Kind::ChecksumFailure], &[EventKind::MpFail]),
    ("08f_mpfail_single_bidi", "server", &[Kind::MpFail, Kind::Fallback, Kind::ChecksumFailure], &[EventKind::MpFail]),
    ("08g_mpfail_reqresp", "client", &[Kind::MpFail], &[EventKind::MpFail]),
    ("08g_mpfail_reqresp", "server", &[Kind::MpFail, Kind::ChecksumFailure], &[EventKind::ChecksumFailure]),
    ("09a_fb_syn_stripped", "client", &[Kind::MptcpDeclined], &[]),
    ("09a_fb_syn_stripped", "server", &[Kind::MptcpNotRequested], &[]),
    ("09b_fb_synack_stripped", "client", &[Kind::MptcpDeclined], &[]),
    ("09b_fb_synack_stripped", "server", &[Kind::Fallback], &[EventKind::Fallback]),
    ("09c_fb_plain_server", "client", &[Kind::MptcpDeclined], &[]),
    ("09c_fb_plain_server", "server", &[Kind::MptcpDeclined], &[]),
    ("09d_fb_plain_client", "client", &[Kind::MptcpNotRequested], &[]),
    ("09d_fb_plain_client", "server", &[Kind::MptcpNotRequested], &[]),
    ("09e_fb_client_opts_stripped_after_syn", "client", &[Kind::Fallback], &[EventKind::Fallback]),
    ("09e_fb_client_opts_stripped_after_syn", "server", &[Kind::Fallback], &[EventKind::Fallback]),
    ("09f_fb_dss_stripped_later", "client", &[Kind::Fallback], &[EventKind::Fallback]),
    ("09f_fb_dss_stripped_later", "server", &[Kind::Fallback], &[EventKind::Fallback]),
    ("09g_fb_server_opts_stripped_after_syn", "client", &[Kind::Fallback], &[EventKind::Fallback]),
    ("09g_fb_server_opts_stripped_after_syn", "server", &[Kind::Fallback], &[EventKind::Fallback]),
    ("13a_midstream", "client", &[Kind::MidStream], &[]),
    ("13a2_join_without_capable", "client", &[Kind::MidStream, Kind::JoinTokenUnknown], &[]),
    ("13a3_one_path_only", "client", &[Kind::JoinTokenUnknown], &[]),
    ("13b_non_tcp", "client", &[Kind::NoTcp], &[]),
    ("13c_truncated_file", "client", &[Kind::CaptureWarning], &[]),
    ("13d_empty", "client", &[Kind::NoTcp], &[]),
    ("13e_options_truncated", "client", &[Kind::OptionsCut], &[]),
];

/// Scenarios in which nothing went wrong.
const SOUND: &[&str] =
    &["01_basic", "02_fullmesh", "08c_csum_ok", "10_ipv6_mixed", "10b_ipv6_tun_raw", "11_nat", "11b_nat_initial"];

fn capture_of(scenario: &str, end: &str) -> Option<std::sync::Arc<Capture>> {
    let folder = scenarios::folder()?.join(scenario);
    let path =
        ["pcap", "pcapng"].map(|ending| folder.join(format!("{end}.{ending}"))).into_iter().find(|p| p.is_file());
    scenarios::load(&path.unwrap_or_else(|| panic!("{scenario} has a capture of the {end}")))
}

#[test]
fn each_scenario_is_told_its_cause() {
    let mut wrong = Vec::new();
    for (scenario, end, kinds, story) in EXPECTED {
        let Some(capture) = capture_of(scenario, end) else { continue };
        let said = said(&capture);
        for kind in *kinds {
            if !said.findings.iter().any(|finding| finding.finding == *kind) {
                let found: Vec<Kind> = said.findings.iter().map(|finding| finding.finding).collect();
                wrong.push(format!("{scenario}/{end}: no {kind:?} among {found:?}"));
            }
        }
        for kind in *story {
            if !said.events.contains(kind) {
                wrong.push(format!("{scenario}/{end}: no event {kind:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nothing_wrong_is_said_of_what_went_well() {
    let mut wrong = Vec::new();
    for scenario in SOUND {
        for end in ["client", "server"] {
            let Some(capture) = capture_of(scenario, end) else { continue };
            let problems = said(&capture).findings.into_iter().filter(|finding| finding.severity == Severity::Problem);
            wrong
                .extend(problems.map(|finding| format!("{scenario}/{end}: {:?}, {}", finding.finding, finding.detail)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn findings_name_the_packets_that_show_them() {
    let unshown =
        [Kind::CaptureWarning, Kind::NoTcp, Kind::SubflowBackup, Kind::SubflowUnused, Kind::OneSubflowCarriesAll];
    let mut checked = 0;
    for (scenario, end, _, _) in EXPECTED {
        let Some(capture) = capture_of(scenario, end) else { continue };
        for finding in said(&capture).findings {
            if unshown.contains(&finding.finding) || finding.finding == Kind::WindowLimited {
                continue;
            }
            assert!(!finding.packets.is_empty(), "{scenario}/{end}: {:?} names no packet", finding.finding);
            let known = |id: &u64| capture.segments.binary_search_by_key(id, |segment| segment.packetid).is_ok();
            assert!(
                finding.packets.iter().all(known),
                "{scenario}/{end}: {:?} names a packet that is not there",
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
        let failed = said(&capture).findings.into_iter().filter(|f| f.finding == Kind::ChecksumFailure).count();
        assert_eq!(failed, 1, "{scenario}: one finding about one altered mapping");
        let clean =
            capture_of(scenario, if end == "server" { "client" } else { "server" }).expect("both ends are there");
        let sender_side = said(&clean).findings.into_iter().filter(|f| f.finding == Kind::ChecksumFailure).count();
        assert_eq!(sender_side, 0, "{scenario}: it left its sender whole");
    }
}
