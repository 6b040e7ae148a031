//! Receive windows, silences and standstills, against the kernels' own clocks, tshark's raw fields, and what was done.

use mptcpanalyzer::packets::LoadedCapture;
use std::path::{Path, PathBuf};

use mptcp_trace::analysis::events::EventKind;
use mptcp_trace::analysis::idle_gaps::{idle_gaps, threshold};
use mptcp_trace::analysis::receive_window::{Limits, WindowCourse, WindowStep, limits, window_limited};
use mptcp_trace::analysis::sender_view::longest_round_trip;
use mptcp_trace::tracking::data::Mappings;
use mptcp_trace::tracking::{Capture, Role};
use mptcp_trace::{ConnectionId, Instant, Span, StreamId};
use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind};
use serde_json::Value;

use crate::analysis::diagnose::said;
use crate::analysis::recorded::{recordings, truth};
use crate::support::scenarios;

fn kept(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures").join(file)
}

fn load(path: &Path) -> std::sync::Arc<LoadedCapture> {
    scenarios::load(path).expect("the capture holds packets")
}

/// The steps of a direction of the first connection, and how much later its sender hears.
fn steps(capture: &Capture, towards: Role) -> (Vec<WindowStep>, Span) {
    let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
    let mut course = WindowCourse::new(capture, connection, towards);
    let mut steps = Vec::new();
    let mappings = Mappings::of(&capture.segments, &capture.tracking, connection);
    mappings.walk(|laden| steps.push(course.push(&capture.tracking, laden)));
    (steps, course.delay)
}

fn limits_of(capture: &Capture, towards: Role) -> Limits {
    let (steps, delay) = steps(capture, towards);
    limits(steps, delay)
}

fn found(capture: &Capture, kind: FindingKind) -> Vec<Finding> {
    said(capture).findings.into_iter().filter(|finding| finding.finding == kind).collect()
}

#[test]
fn a_window_shared_by_two_subflows_is_told_by_either() {
    let capture = load(&kept("field/04d_shared_window_download_ipv6.pcap"));
    let closure = limits_of(&capture, Role::Client).unended.expect("it never opens");
    let time = |instant: Instant| (instant - capture.origin()).seconds();
    assert!((time(closure.from) - 0.4801).abs() < 1e-6, "{}", time(closure.from));
    assert!((time(closure.zero_from.expect("it is zero")) - 0.4901).abs() < 1e-6);
    assert!((time(closure.until) - 7.4001).abs() < 1e-6, "{}", time(closure.until));
    // The zero itself, and an answer to each of six probes.
    assert_eq!((closure.offered, closure.repeated), (0, 7));
    let said = said(&capture);
    assert_eq!(said.events.iter().filter(|event| **event == EventKind::ZeroWindow).count(), 2);
    assert!(said.findings.iter().all(|finding| finding.finding != FindingKind::SubflowStale));
}

/// What was done to the captures made by hand: the window, from when and until when, and what the receiver said in between.
#[test]
fn a_window_that_stays_shut_is_counted_to_the_end() {
    // The file, the direction, when the window shut and when the capture ended, and what was offered.
    let made = [
        ("field/04_zero_window_to_the_end.pcap", Role::Server, 0.1401, 3.72, 0),
        ("field/04c_sub_mtu_window.pcap", Role::Client, 0.12, 2.21, 500),
    ];
    for (file, towards, from, until, offered) in made {
        let capture = load(&kept(file));
        let closure = limits_of(&capture, towards).unended.unwrap_or_else(|| panic!("{file}: it never opens"));
        let time = |instant: Instant| (instant - capture.origin()).seconds();
        assert!((time(closure.from) - from).abs() < 1e-6, "{file}: shut at {}", time(closure.from));
        assert!((time(closure.until) - until).abs() < 1e-6, "{file}: until {}", time(closure.until));
        // Five probes, each answered.
        assert_eq!((closure.offered, closure.asked, closure.repeated), (offered, 5, 5), "{file}");
        let said = said(&capture);
        let shut: Vec<&Finding> = said.findings.iter().filter(|f| f.finding == FindingKind::WindowShut).collect();
        assert_eq!((shut.len(), shut[0].towards), (1, Some(towards)), "{file}");
        assert!(shut[0].meaning.contains("does not read") && shut[0].meaning.contains("path works"), "{file}");
        assert!(said.findings.iter().all(|finding| finding.finding != FindingKind::SubflowStale), "{file}");
        assert!(
            said.events.contains(&EventKind::ZeroWindow) && !said.events.contains(&EventKind::WindowOpen),
            "{file}"
        );
    }
}

#[test]
fn a_window_that_opens_again_is_not_shut_to_the_end() {
    // Shut with packet 5 at 0.07 s, opened with packet 12 at 2 s; the probes are answered.
    let capture = load(&kept("field/05_zero_window_probes_1_octet.pcap"));
    let limits = limits_of(&capture, Role::Server);
    assert_eq!(
        (limits.unended, limits.limited, limits.shut),
        (None, Span::from_milliseconds(1930), Span::from_milliseconds(1930))
    );
    let said = said(&capture);
    assert!(said.events.contains(&EventKind::ZeroWindow) && said.events.contains(&EventKind::WindowOpen));
    for kind in [FindingKind::WindowShut, FindingKind::SubflowStale] {
        assert!(said.findings.iter().all(|finding| finding.finding != kind), "{kind:?}");
    }
}

/// The kernel's clock of all subflows of the sender that says how long the receive window held them back, seconds.
fn kernel_clock(truth: &Value) -> f64 {
    let of = |connection: &Value| {
        let subflows = connection["tcp_info"].as_object().expect("tcp_info of each subflow");
        subflows.values().filter_map(|info| info["rwnd_limited_us"].as_u64()).max().unwrap_or(0)
    };
    of(&truth["app_client"]["connections"][0]) as f64 / 1e6
}

/// A subflow's `rwnd_limited` counts while its own queue waits for the window. MPTCP keeps data in a queue of the connection
/// and gives a subflow only what the shared window allows: with MPTCP the clock runs only from the first window probe on,
/// which is sent one retransmission timeout after the window shut (0.2 s and a round trip). In plain TCP it has all.
#[test]
fn the_time_without_room_is_that_of_the_kernels_clock() {
    let mut compared = 0;
    for recording in [recordings("reader_stops_2s"), recordings("reader_stops_then_abort")].concat() {
        let kernel = kernel_clock(&truth(&recording));
        for end in ["client.pcap", "server.pcap"] {
            let shut = limits_of(&load(&recording.join(end)), Role::Server).shut.seconds();
            let before_the_probe = shut - kernel;
            assert!((0.2..0.3).contains(&before_the_probe), "{}/{end}: {shut}, {kernel}", recording.display());
            compared += 1;
        }
    }
    for recording in recordings("slow_reader_after_fallback") {
        let kernel = kernel_clock(&truth(&recording));
        for end in ["client.pcap", "server.pcap"] {
            let capture = load(&recording.join(end));
            let connection = capture.tracking.connection(ConnectionId(0)).unwrap();
            let limited = window_limited(&capture, connection).server.unwrap();
            assert!((limited - limits_of(&capture, Role::Server).limited.seconds()).abs() < 1e-9);
            assert!((limited - kernel).abs() < 0.03 * kernel, "{}/{end}: {limited}, {kernel}", recording.display());
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}

#[test]
fn readers_that_stop_for_good_shut_the_window_for_good() {
    let mut compared = 0;
    for recording in [recordings("reader_stops_for_good"), recordings("reader_stops_then_abort")].concat() {
        for end in ["client.pcap", "server.pcap"] {
            let capture = load(&recording.join(end));
            let shut = found(&capture, FindingKind::WindowShut);
            assert_eq!(shut.len(), 1, "{}/{end}", recording.display());
            assert_eq!(found(&capture, FindingKind::SubflowStale), [], "{}/{end}", recording.display());
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
    for recording in recordings("reader_stops_2s") {
        for end in ["client.pcap", "server.pcap"] {
            let capture = load(&recording.join(end));
            assert_eq!(found(&capture, FindingKind::WindowShut), [], "{}/{end}", recording.display());
            assert_eq!(found(&capture, FindingKind::WindowLimited).len(), 1, "{}/{end}", recording.display());
        }
    }
}

/// For how long the client had no room for a segment, by tshark's raw fields: the furthest DATA_ACK plus window against the
/// furthest byte sent. Mappings lie over several segments, so that the subflow sequence number counts as well.
fn by_tshark(path: &Path) -> f64 {
    let fields = [
        "frame.time_relative",
        "tcp.dstport",
        "tcp.len",
        "tcp.seq",
        "tcp.window_size",
        "tcp.options.mptcp.rawdataseqno",
        "tcp.options.mptcp.subflowseqno",
        "tcp.options.mptcp.rawdataack",
        "tcp.options.mptcp.subtype",
    ];
    /// The number of 64 bits nearest to `latest` that has these low 32.
    fn wide(sent: u64, latest: u64) -> u64 {
        if sent >= 1 << 32 || latest == 0 {
            return sent;
        }
        latest.wrapping_add_signed(i64::from((sent as u32).wrapping_sub(latest as u32) as i32))
    }
    let (mut latest, mut next, mut edge, mut largest) = (0, 0_u64, 0_u64, 0_u64);
    let (mut since, mut limited): (Option<f64>, f64) = (None, 0.0);
    for line in scenarios::tshark(path, &fields) {
        let cells: Vec<&str> = line.split('\t').collect();
        let number = |index: usize| cells.get(index).and_then(|cell| cell.parse::<u64>().ok());
        let Some(time) = cells.first().and_then(|cell| cell.parse::<f64>().ok()) else { continue };
        if !cells.get(8).is_some_and(|subtypes| subtypes.split(',').any(|subtype| subtype == "2")) {
            continue;
        }
        if number(1) == Some(5001) {
            let (Some(length), Some(dsn)) = (number(2).filter(|length| *length > 0), number(5)) else { continue };
            let (sequence, begins) = (number(3).unwrap_or(0), number(6).unwrap_or(0));
            let first = wide(dsn, latest) + sequence - begins;
            latest = latest.max(first);
            largest = largest.max(length);
            next = next.max(first + length);
        } else if let (Some(acknowledged), Some(window)) = (number(7), number(4)) {
            let acknowledged = wide(acknowledged, latest);
            latest = latest.max(acknowledged);
            edge = edge.max(acknowledged + window);
        }
        let limits = next > 0 && edge > 0 && edge.saturating_sub(next) < largest;
        match (since, limits) {
            (None, true) => since = Some(time),
            (Some(from), false) => {
                limited += time - from;
                since = None;
            }
            _ => {}
        }
    }
    limited
}

/// Recorded with a slow reader (b), a small receive buffer (c), paths of unequal delay with a small buffer (g); and with
/// what is not the window: the application (a), the paths (d), a small send buffer (e), phases of the application (f).
const LIMITED: [(&str, bool); 7] = [
    ("18a_application_limited", false),
    ("18b_slow_reader", true),
    ("18c_small_receive_buffer", true),
    ("18d_paths_limited", false),
    ("18e_small_send_buffer", false),
    ("18f_phases", false),
    ("18g_unequal_paths", true),
];

#[test]
fn the_time_without_room_is_that_of_tsharks_fields() {
    let Some(folder) = scenarios::folder() else { return };
    for (scenario, is_limited) in LIMITED {
        let path = folder.join(scenario).join("client.pcapng");
        let capture = load(&path);
        let own = limits_of(&capture, Role::Server).limited.seconds();
        let other = by_tshark(&path);
        assert!((own - other).abs() < 0.001, "{scenario}: {own}, by tshark's fields {other}");
        assert_eq!(!found(&capture, FindingKind::WindowLimited).is_empty(), is_limited, "{scenario}: {own}");
        // At the receiver it is an estimate from below: a window counts one round trip later.
        let receiver = load(&folder.join(scenario).join("server.pcapng"));
        let estimate = limits_of(&receiver, Role::Server).limited.seconds();
        assert!(estimate <= own + 0.001, "{scenario}: {estimate} at the receiver, {own} at the sender");
        assert!(!is_limited || estimate > 0.7 * own, "{scenario}: {estimate} at the receiver, {own} at the sender");
        assert_eq!(!found(&receiver, FindingKind::WindowLimited).is_empty(), is_limited, "{scenario}: {estimate}");
    }
}

#[test]
fn a_slow_reader_is_told_from_a_small_buffer() {
    let Some(folder) = scenarios::folder() else { return };
    let first = |scenario: &str, end: &str| {
        let capture = load(&folder.join(scenario).join(end));
        let found = found(&capture, FindingKind::WindowLimited);
        found.first().unwrap_or_else(|| panic!("{scenario}/{end}")).meaning.to_string()
    };
    for end in ["client.pcapng", "server.pcapng"] {
        assert!(first("18b_slow_reader", end).starts_with("the receiving application reads more slowly"), "{end}");
        for scenario in ["18c_small_receive_buffer", "18g_unequal_paths"] {
            assert!(first(scenario, end).starts_with("the receive buffer is smaller"), "{scenario}/{end}");
        }
    }
}

/// The gaps of a direction, seconds.
fn gaps(capture: &Capture, towards: Role) -> Vec<f64> {
    let (steps, delay) = steps(capture, towards);
    let round_trip = longest_round_trip(capture, capture.tracking.connection(ConnectionId(0)).unwrap());
    let found = idle_gaps(steps, delay, threshold(round_trip, delay));
    found.gaps.iter().map(|gap| gap.length().seconds()).collect()
}

/// The application wrote 16,000 bytes at once and slept until its rate was 200 kbit/s: every 0.64 s, six times.
#[test]
fn pauses_of_the_application_are_idle_gaps() {
    for recording in recordings("writer_pauses") {
        for end in ["client.pcap", "server.pcap"] {
            let capture = load(&recording.join(end));
            let gaps = gaps(&capture, Role::Server);
            assert_eq!(gaps.len(), 5, "{end}: {gaps:?}");
            // What the paths need to carry 16,000 bytes and their acknowledgement is not silence.
            assert!(gaps.iter().all(|gap| (0.55..0.64).contains(gap)), "{end}: {gaps:?}");
            let finding = &found(&capture, FindingKind::IdleGaps)[0];
            assert!(finding.detail.contains("5 gaps"), "{}", finding.detail);
            let certain = finding.meaning.starts_with("the application of the client had nothing to send");
            assert_eq!(certain, end == "client.pcap", "{end}: {}", finding.meaning);
        }
    }
}

#[test]
fn three_gaps_of_half_a_second_are_idle_gaps() {
    let Some(folder) = scenarios::folder() else { return };
    let capture = load(&folder.join("../field/19_idle_gaps.pcap"));
    let gaps = gaps(&capture, Role::Client);
    assert_eq!(gaps.len(), 3, "{gaps:?}");
    assert!(gaps.iter().all(|gap| (gap - 0.5).abs() < 0.01), "{gaps:?}");
}

/// The primary was never called stale (`net.mptcp.stale_loss_cnt=0`): data went over the backup one timeout after the other,
/// and the application was not idle.
#[test]
fn waiting_for_a_path_that_is_down_is_not_idle() {
    let mut compared = 0;
    for recording in recordings("primary_never_stale") {
        let capture = load(&recording.join("client.pcap"));
        assert_eq!(found(&capture, FindingKind::IdleGaps), []);
        assert_eq!(found(&capture, FindingKind::SubflowStale).len(), 1);
        // The backup carried what there was.
        assert_eq!(found(&capture, FindingKind::HealthySubflowUnused), []);
        compared += 1;
    }
    assert_eq!(compared, 1);
}

#[test]
fn a_healthy_subflow_that_nothing_went_over_is_named() {
    // Data waited on stream 0 from 0.4 s to the end at 13 s, and nothing went over stream 1.
    let capture = load(&kept("field/24_primary_dead_stall.pcap"));
    let unused = found(&capture, FindingKind::HealthySubflowUnused);
    assert_eq!(unused.len(), 1);
    assert_eq!(
        (unused[0].tcpstream, unused[0].tcpstreams.as_slice()),
        (Some(StreamId(1)), [StreamId(0), StreamId(1)].as_slice())
    );
    assert_eq!(unused[0].towards, Some(Role::Server));
    assert!(unused[0].detail.contains("12.600 s"), "{}", unused[0].detail);
}

#[test]
fn a_backup_that_did_not_take_over_is_called_one_and_what_was_withdrawn_is_not_named() {
    let backup = found(&load(&kept("field/24b_backup_not_taken.pcap")), FindingKind::HealthySubflowUnused);
    assert_eq!(backup.len(), 1);
    assert!(backup[0].detail.contains("the backup subflow 1") && backup[0].detail.contains("12.600 s"));
    assert!(backup[0].meaning.contains("failover to the backup did not happen"), "{}", backup[0].meaning);
    assert_eq!(found(&load(&kept("field/24c_other_withdrawn.pcap")), FindingKind::HealthySubflowUnused), []);
}

#[test]
fn requests_and_responses_are_no_idle_gaps() {
    let capture = load(&kept("field/19b_requests_and_responses.pcap"));
    for towards in Role::BOTH {
        assert_eq!(gaps(&capture, towards), [0.0; 0], "{towards:?}");
    }
    assert_eq!(found(&capture, FindingKind::IdleGaps), []);
}
