//! What `diagnose` and `events` say of each scenario, against what was done to it: the class of trouble that each
//! folder was recorded to show.

use mptcpanalyzer::analysis::checksum::Checksums;
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, Severity, diagnose_capture, diagnose_connection};
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
type Expectation = (&'static str, &'static str, &'static [FindingKind], &'static [EventKind]);

const EXPECTED: &[Expectation] = &[
    ("03b_add_addr_port", "client", &[], &[EventKind::AddAddr, EventKind::AddAddrEcho, EventKind::JoinEstablished]),
    ("03b_add_addr_port", "server", &[], &[EventKind::AddAddr, EventKind::AddAddrEcho, EventKind::JoinEstablished]),
    ("03c_add_addr_nojoin", "client", &[FindingKind::AddressHmacInvalid], &[EventKind::AddAddr]),
    ("03c_add_addr_nojoin", "server", &[FindingKind::AddressNotEchoed], &[EventKind::AddAddr]),
    (
        "04_rm_addr_prio",
        "client",
        &[FindingKind::AddressRemoved],
        &[EventKind::RemoveAddr, EventKind::MpPrio, EventKind::Reset],
    ),
    (
        "04_rm_addr_prio",
        "server",
        &[FindingKind::AddressRemoved],
        &[EventKind::RemoveAddr, EventKind::MpPrio, EventKind::Reset],
    ),
    (
        "05_backup_failover",
        "client",
        &[FindingKind::SubflowStale, FindingKind::SubflowBackup],
        &[EventKind::SubflowStale],
    ),
    ("05_backup_failover", "server", &[FindingKind::SubflowSilent, FindingKind::SubflowBackup], &[]),
    ("05b_failover_permanent", "client", &[FindingKind::SubflowStale], &[EventKind::SubflowStale]),
    ("05b_failover_permanent", "server", &[FindingKind::SubflowSilent], &[]),
    ("07a_fastclose_client", "client", &[FindingKind::FastClose], &[EventKind::MpFastclose]),
    ("07a_fastclose_client", "server", &[FindingKind::FastClose], &[EventKind::MpFastclose]),
    ("07b_fastclose_server", "client", &[FindingKind::FastClose], &[EventKind::MpFastclose]),
    ("07b_fastclose_server", "server", &[FindingKind::FastClose], &[EventKind::MpFastclose]),
    ("07c_join_bad_token", "client", &[FindingKind::JoinRefused], &[EventKind::JoinRefused]),
    (
        "07c_join_bad_token",
        "server",
        &[FindingKind::JoinRefused, FindingKind::JoinTokenUnknown],
        &[EventKind::JoinRefused],
    ),
    ("07d_join_bad_hmac_ack", "client", &[FindingKind::JoinRefused], &[EventKind::JoinRefused]),
    (
        "07d_join_bad_hmac_ack",
        "server",
        &[FindingKind::JoinHmacInvalid, FindingKind::JoinRefused],
        &[EventKind::JoinHmacInvalid],
    ),
    (
        "07e_join_bad_hmac_synack",
        "client",
        &[FindingKind::JoinHmacInvalid, FindingKind::JoinRefused],
        &[EventKind::JoinHmacInvalid],
    ),
    ("07e_join_bad_hmac_synack", "server", &[FindingKind::JoinRefused], &[EventKind::JoinRefused]),
    ("07f_join_limit", "client", &[FindingKind::JoinRefused], &[EventKind::JoinRefused]),
    ("07f_join_limit", "server", &[FindingKind::JoinRefused], &[EventKind::JoinRefused]),
    ("07g_join_opt_stripped", "client", &[FindingKind::JoinOptionMissing], &[EventKind::JoinOptionMissing]),
    ("07g_join_opt_stripped", "server", &[FindingKind::JoinOptionMissing], &[]),
    (
        "08a_mpfail_single",
        "client",
        &[FindingKind::MpFail, FindingKind::Fallback],
        &[EventKind::MpFail, EventKind::Fallback],
    ),
    (
        "08a_mpfail_single",
        "server",
        &[FindingKind::MpFail, FindingKind::Fallback, FindingKind::ChecksumFailure],
        &[EventKind::ChecksumFailure],
    ),
    (
        "08b_mpfail_two",
        "client",
        &[FindingKind::MpFail, FindingKind::SubflowReset],
        &[EventKind::MpFail, EventKind::Reset],
    ),
    (
        "08b_mpfail_two",
        "server",
        &[FindingKind::MpFail, FindingKind::SubflowReset, FindingKind::ChecksumFailure],
        &[EventKind::MpFail],
    ),
    (
        "08d_mpfail_single_down",
        "client",
        &[FindingKind::MpFail, FindingKind::Fallback, FindingKind::ChecksumFailure],
        &[EventKind::MpFail],
    ),
    ("08d_mpfail_single_down", "server", &[FindingKind::MpFail, FindingKind::Fallback], &[EventKind::MpFail]),
    (
        "08e_mpfail_single_slow",
        "server",
        &[FindingKind::MpFail, FindingKind::Fallback, FindingKind::ChecksumFailure],
        &[EventKind::MpFail],
    ),
    (
        "08f_mpfail_single_bidi",
        "server",
        &[FindingKind::MpFail, FindingKind::Fallback, FindingKind::ChecksumFailure],
        &[EventKind::MpFail],
    ),
    ("08g_mpfail_reqresp", "client", &[FindingKind::MpFail], &[EventKind::MpFail]),
    (
        "08g_mpfail_reqresp",
        "server",
        &[FindingKind::MpFail, FindingKind::ChecksumFailure],
        &[EventKind::ChecksumFailure],
    ),
    ("09a_fb_syn_stripped", "client", &[FindingKind::MptcpDeclined], &[]),
    ("09a_fb_syn_stripped", "server", &[FindingKind::MptcpNotRequested], &[]),
    ("09b_fb_synack_stripped", "client", &[FindingKind::MptcpDeclined], &[]),
    ("09b_fb_synack_stripped", "server", &[FindingKind::Fallback], &[EventKind::Fallback]),
    ("09c_fb_plain_server", "client", &[FindingKind::MptcpDeclined], &[]),
    ("09c_fb_plain_server", "server", &[FindingKind::MptcpDeclined], &[]),
    ("09d_fb_plain_client", "client", &[FindingKind::MptcpNotRequested], &[]),
    ("09d_fb_plain_client", "server", &[FindingKind::MptcpNotRequested], &[]),
    ("09e_fb_client_opts_stripped_after_syn", "client", &[FindingKind::Fallback], &[EventKind::Fallback]),
    ("09e_fb_client_opts_stripped_after_syn", "server", &[FindingKind::Fallback], &[EventKind::Fallback]),
    ("09f_fb_dss_stripped_later", "client", &[FindingKind::Fallback], &[EventKind::Fallback]),
    ("09f_fb_dss_stripped_later", "server", &[FindingKind::Fallback], &[EventKind::Fallback]),
    ("09g_fb_server_opts_stripped_after_syn", "client", &[FindingKind::Fallback], &[EventKind::Fallback]),
    ("09g_fb_server_opts_stripped_after_syn", "server", &[FindingKind::Fallback], &[EventKind::Fallback]),
    ("13a_midstream", "client", &[FindingKind::MidStream], &[]),
    ("13a2_join_without_capable", "client", &[FindingKind::MidStream, FindingKind::JoinTokenUnknown], &[]),
    ("13a3_one_path_only", "client", &[FindingKind::JoinTokenUnknown], &[]),
    ("13b_non_tcp", "client", &[FindingKind::NoTcp], &[]),
    ("13c_truncated_file", "client", &[FindingKind::CaptureWarning], &[]),
    ("13d_empty", "client", &[FindingKind::NoTcp], &[]),
    ("13e_options_truncated", "client", &[FindingKind::OptionsCut], &[]),
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
                let found: Vec<FindingKind> = said.findings.iter().map(|finding| finding.finding).collect();
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
    let unshown = [
        FindingKind::CaptureWarning,
        FindingKind::NoTcp,
        FindingKind::SubflowBackup,
        FindingKind::SubflowUnused,
        FindingKind::OneSubflowCarriesAll,
    ];
    let mut checked = 0;
    for (scenario, end, _, _) in EXPECTED {
        let Some(capture) = capture_of(scenario, end) else { continue };
        for finding in said(&capture).findings {
            if unshown.contains(&finding.finding) || finding.finding == FindingKind::WindowLimited {
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
        let failed = said(&capture).findings.into_iter().filter(|f| f.finding == FindingKind::ChecksumFailure).count();
        assert_eq!(failed, 1, "{scenario}: one finding about one altered mapping");
        let clean =
            capture_of(scenario, if end == "server" { "client" } else { "server" }).expect("both ends are there");
        let sender_side =
            said(&clean).findings.into_iter().filter(|f| f.finding == FindingKind::ChecksumFailure).count();
        assert_eq!(sender_side, 0, "{scenario}: it left its sender whole");
    }
}
