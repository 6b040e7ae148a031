//! What `diagnose` says of joins that were refused, at every step of the handshake: the causes that the capture rules
//! out are not named.

use mptcpanalyzer::packets::LoadedCapture;
use std::sync::Arc;

use mptcpanalyzer::analysis::diagnose::{Finding, FindingKind, Severity, diagnose_connection, grouped};

use crate::support::made_mptcp::{
    ACK, KEYS, Packet, Path, RST, RST_ACK, SYN, SYN_ACK, Wire, join_ack, join_syn, join_syn_ack, reset, token_and_idsn,
};
use crate::support::scenarios;
use mptcp_trace::ConnectionId;
use mptcp_trace::StreamId;

const FIRST: Path = Path { client: 1, server: 101, port: 5001, delay: 0.010 };
const SECOND: Path = Path { client: 2, server: 102, port: 5001, delay: 0.040 };

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Syn,
    SynAck,
    Ack,
}

/// Where an option of the join was altered on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Altered {
    Nowhere,
    BeforeTheCapture,
    BehindTheCapture,
}

/// A join on the second path, refused.
#[derive(Debug, Clone, Copy)]
struct Case {
    /// 0 at the client, 1 at the server.
    place: f64,
    step: Step,
    reason: Option<u8>,
    altered: Altered,
    /// The client sent DATA_FIN at this time.
    data_fin: Option<f64>,
}

/// The join's SYN leaves at 0.1 s, so its SYN/ACK at 0.14 s and its ACK at 0.18 s; the server's RST to the SYN leaves
/// at 0.14 s, to the ACK at 0.22 s, the client's at 0.18 s.
fn recorded(case: Case) -> (Arc<LoadedCapture>, Vec<Finding>) {
    let mut wire = Wire::at(case.place);
    wire.connect(&FIRST, false);
    if let Some(time) = case.data_fin {
        wire.data_fin(time, &FIRST, true);
    }
    // What was altered behind the place of capture looks right in it.
    let wrong = |step: Step| case.step == step && case.altered == Altered::BeforeTheCapture;
    let token = token_and_idsn(KEYS[1]).0;
    let syn = join_syn(token);
    let mut at = wire.up(0.1, &SECOND, &Packet { flags: SYN, options: &syn, ..Packet::default() });
    let rst = reset(case.reason);
    if case.step != Step::Syn {
        let option = join_syn_ack(wrong(Step::SynAck));
        at = wire.down(at, &SECOND, &Packet { flags: SYN_ACK, ack: 1, options: &option, ..Packet::default() });
    }
    match case.step {
        Step::Syn => wire.down(at, &SECOND, &Packet { flags: RST_ACK, ack: 1, options: &rst, ..Packet::default() }),
        Step::SynAck => wire.up(at, &SECOND, &Packet { flags: RST, seq: 1, options: &rst, ..Packet::default() }),
        Step::Ack => {
            let option = join_ack(wrong(Step::Ack));
            at = wire.up(at, &SECOND, &Packet { flags: ACK, seq: 1, ack: 1, options: &option, ..Packet::default() });
            wire.down(at, &SECOND, &Packet { flags: RST_ACK, seq: 1, ack: 1, options: &rst, ..Packet::default() })
        }
    };
    found(wire)
}

fn found(wire: Wire) -> (Arc<LoadedCapture>, Vec<Finding>) {
    let capture = wire.capture();
    let findings = diagnose_connection(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), None);
    (capture, findings.into_iter().filter(|finding| finding.tcpstream == Some(StreamId(1))).collect())
}

const CASE: Case = Case { place: 0.0, step: Step::Ack, reason: Some(3), altered: Altered::Nowhere, data_fin: None };

fn all() -> Vec<Case> {
    let mut cases = Vec::new();
    for step in [Step::Syn, Step::SynAck, Step::Ack] {
        for reason in [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(6), Some(9)] {
            for altered in [Altered::Nowhere, Altered::BeforeTheCapture, Altered::BehindTheCapture] {
                for data_fin in [None, Some(0.05), Some(0.25)] {
                    for place in [0.0, 0.5, 1.0] {
                        cases.push(Case { place, step, reason, altered, data_fin });
                    }
                }
            }
        }
    }
    cases
}

#[test]
fn what_the_capture_rules_out_is_not_named() {
    for case in all() {
        let (_, findings) = recorded(case);
        let about: Vec<&Finding> = findings
            .iter()
            .filter(|finding| matches!(finding.finding, FindingKind::JoinRefused | FindingKind::JoinTooLate))
            .collect();
        let [finding] = about.as_slice() else { panic!("{case:?}: {findings:#?}") };
        let meaning = finding.meaning.as_ref();
        let wrong_as_captured = case.altered == Altered::BeforeTheCapture && case.step != Step::Syn;
        let refuser = if case.step == Step::SynAck { 0.0 } else { 1.0 };
        // Sent 0.05 s before the refusal, the DATA_FIN had reached both ends.
        let ended = case.data_fin == Some(0.05);
        assert_eq!(finding.finding == FindingKind::JoinTooLate, ended && !wrong_as_captured, "{case:?}: {meaning}");
        assert_eq!(finding.severity == Severity::Notice, ended && !wrong_as_captured, "{case:?}");
        if ended || case.data_fin.is_none() {
            assert_eq!(meaning.contains("ending"), ended && !wrong_as_captured, "{case:?}: {meaning}");
        }
        // Valid HMACs are not called wrong; one that is valid where it arrived was not altered.
        assert_eq!(meaning.contains("HMAC is wrong"), wrong_as_captured, "{case:?}: {meaning}");
        let altered = meaning.contains("altered");
        assert!(!(altered && (case.place - refuser).abs() < 0.1), "{case:?}: {meaning}");
        // A limit needs that nothing else explains it.
        let limit = meaning.contains("limit");
        assert!(!(limit && (ended || wrong_as_captured)), "{case:?}: {meaning}");
        assert!(!(limit && case.step == Step::SynAck && case.reason != Some(3)), "{case:?}: {meaning}");
        assert!(!(meaning.contains("token was") && case.step != Step::Syn), "{case:?}: {meaning}");
        assert!(!(meaning.contains("HMAC") && case.step == Step::Syn), "{case:?}: {meaning}");
        assert!(!(meaning.contains("listens") && (case.step, case.reason) != (Step::Syn, None)), "{case:?}: {meaning}");
        assert!(!meaning.is_empty() && !finding.next.is_empty(), "{case:?}");
    }
}

#[test]
fn what_was_done_is_among_the_causes() {
    for case in all().into_iter().filter(|case| case.data_fin.is_none()) {
        let (_, findings) = recorded(case);
        let finding = findings.iter().find(|finding| finding.finding == FindingKind::JoinRefused).unwrap();
        let refuser = if case.step == Step::SynAck { 0.0 } else { 1.0 };
        let away = (case.place - refuser).abs() > 0.1;
        // Linux refuses a wrong HMAC and an unknown token with reason 1, others without one.
        if matches!(case.reason, None | Some(1)) && case.altered == Altered::BehindTheCapture && away {
            assert!(finding.meaning.contains("altered"), "{case:?}: {}", finding.meaning);
        }
        // Linux refuses at its limit of subflows with reason 3, at the ACK.
        if case.step == Step::Ack && case.reason == Some(3) && case.altered == Altered::Nowhere {
            assert!(finding.meaning.starts_with("the server's limit"), "{case:?}: {}", finding.meaning);
        }
    }
}

#[test]
fn the_data_fin_is_named() {
    let (capture, findings) = recorded(Case { data_fin: Some(0.05), ..CASE });
    let fin =
        capture.segments.iter().find(|segment| segment.dss().is_some_and(|dss| dss.has(0x10))).unwrap().packetid();
    let finding = &findings[0];
    assert!(finding.detail.contains(&format!("DATA_FIN of the client in packet {fin}")), "{}", finding.detail);
    assert!(finding.packets.contains(&fin), "{:?}", finding.packets);
}

#[test]
fn a_data_fin_that_cannot_have_arrived_is_not_the_cause() {
    // The client sends it 10 ms before the RST reaches it, and both paths are longer than that.
    let (_, findings) = recorded(Case { data_fin: Some(0.25), reason: Some(1), ..CASE });
    assert_eq!(findings[0].finding, FindingKind::JoinRefused);
    assert!(findings[0].meaning.starts_with("the option was altered"), "{}", findings[0].meaning);
    // The server had sent the RST before: its own capture shows that.
    let (_, findings) = recorded(Case { data_fin: Some(0.25), place: 1.0, ..CASE });
    assert_eq!(findings[0].meaning, "the server's limit of subflows, or another policy");
}

#[test]
fn the_counters_of_linux_are_named() {
    let counters =
        |case: Case| recorded(case).1.iter().find(|f| f.finding == FindingKind::JoinRefused).unwrap().next.to_string();
    let at = |step, reason| counters(Case { step, reason, place: 0.5, ..CASE });
    assert!(at(Step::Syn, Some(1)).contains("MPTcpExtMPJoinNoTokenFound"));
    assert!(at(Step::SynAck, Some(1)).contains("MPTcpExtMPJoinSynAckHMacFailure"));
    assert!(at(Step::Ack, Some(1)).contains("MPTcpExtMPJoinAckHMacFailure"));
    assert!(at(Step::Ack, Some(3)).contains("MPTcpExtMPJoinRejected"));
}

/// A join's SYN on a path of its own that the server answers with a plain RST.
fn refused_syn(path: Path, flag_c: bool) -> Finding {
    let mut wire = Wire::at(0.0);
    wire.connect(&FIRST, flag_c);
    let syn = join_syn(token_and_idsn(KEYS[1]).0);
    let at = wire.up(0.1, &path, &Packet { flags: SYN, options: &syn, ..Packet::default() });
    wire.down(at, &path, &Packet { flags: RST_ACK, ack: 1, ..Packet::default() });
    let (_, mut findings) = found(wire);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    findings.remove(0)
}

#[test]
fn port_zero_and_the_flag_c_are_told() {
    let finding = refused_syn(Path { port: 0, ..SECOND }, false);
    assert_eq!(finding.finding, FindingKind::JoinRefused);
    assert!(finding.meaning.starts_with("port 0 cannot have a listener"), "{}", finding.meaning);
    assert!(finding.detail.contains("its token is that of this connection"), "{}", finding.detail);
    // To the address and port of the initial subflow, which flag C closes to joins.
    let to_the_first = Path { server: FIRST.server, ..SECOND };
    let finding = refused_syn(to_the_first, true);
    assert_eq!((finding.finding, finding.severity), (FindingKind::JoinAgainstFlag, Severity::Problem));
    // To another address it is not against it.
    assert!(refused_syn(SECOND, true).meaning.starts_with("no listener"));
    assert!(refused_syn(to_the_first, false).meaning.starts_with("no listener"));
}

#[test]
fn a_join_against_the_flag_c_that_is_accepted_is_a_notice() {
    let mut wire = Wire::at(0.0);
    wire.connect(&FIRST, true);
    let path = Path { server: FIRST.server, ..SECOND };
    let options = [join_syn(token_and_idsn(KEYS[1]).0), join_syn_ack(false), join_ack(false)];
    let at = wire.up(0.1, &path, &Packet { flags: SYN, options: &options[0], ..Packet::default() });
    let at = wire.down(at, &path, &Packet { flags: SYN_ACK, ack: 1, options: &options[1], ..Packet::default() });
    let at = wire.up(at, &path, &Packet { flags: ACK, seq: 1, ack: 1, options: &options[2], ..Packet::default() });
    wire.down(at, &path, &Packet { flags: ACK, seq: 1, ack: 1, ..Packet::default() });
    let (_, findings) = found(wire);
    let kinds: Vec<(FindingKind, Severity)> = findings.iter().map(|f| (f.finding, f.severity)).collect();
    assert_eq!(kinds, [(FindingKind::JoinAgainstFlag, Severity::Notice)]);
}

#[test]
fn an_ack_without_the_option_is_told_where_the_server_resets() {
    let mut wire = Wire::at(1.0);
    wire.connect(&FIRST, false);
    let options = [join_syn(token_and_idsn(KEYS[1]).0), join_syn_ack(false), reset(Some(1))];
    let at = wire.up(0.1, &SECOND, &Packet { flags: SYN, options: &options[0], ..Packet::default() });
    let at = wire.down(at, &SECOND, &Packet { flags: SYN_ACK, ack: 1, options: &options[1], ..Packet::default() });
    let at = wire.up(at, &SECOND, &Packet { flags: ACK, seq: 1, ack: 1, ..Packet::default() });
    wire.down(at, &SECOND, &Packet { flags: RST_ACK, seq: 1, ack: 1, options: &options[2], ..Packet::default() });
    let (_, findings) = found(wire);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    assert_eq!(findings[0].finding, FindingKind::JoinOptionMissing);
    assert!(findings[0].detail.contains("the ACK in packet"), "{}", findings[0].detail);
}

#[test]
fn resets_to_an_earlier_use_of_the_ports_refuse_nothing() {
    // As in the answers to quickly reused ports: a RST without ACK and of another number comes before the SYN/ACK.
    let mut wire = Wire::at(0.0);
    wire.connect(&FIRST, false);
    let options = [join_syn(token_and_idsn(KEYS[1]).0), join_syn_ack(false), join_ack(false)];
    let at = wire.up(0.1, &SECOND, &Packet { flags: SYN, options: &options[0], ..Packet::default() });
    wire.down(at - 0.02, &SECOND, &Packet { flags: RST, seq: 3_000_000_000, ..Packet::default() });
    wire.up(0.13, &SECOND, &Packet { flags: RST, seq: 3_000_000_000, ..Packet::default() });
    let at = wire.down(at, &SECOND, &Packet { flags: SYN_ACK, ack: 1, options: &options[1], ..Packet::default() });
    let at = wire.up(at, &SECOND, &Packet { flags: ACK, seq: 1, ack: 1, options: &options[2], ..Packet::default() });
    wire.down(at, &SECOND, &Packet { flags: ACK, seq: 1, ack: 1, ..Packet::default() });
    let (_, findings) = found(wire);
    assert!(!findings.iter().any(|finding| finding.finding == FindingKind::JoinRefused), "{findings:#?}");
}

#[test]
fn refusals_of_short_connections_are_as_many_as_the_kernel_counted() {
    // At the server a refused join is a handshake that failed, by the RST of either end.
    for scenario in ["12_many_short", "12b_port_reuse"] {
        for path in scenarios::captures()
            .iter()
            .filter(|path| scenarios::label(path).starts_with(&format!("{scenario}/server")))
        {
            let counted =
                scenarios::json(path, "truth.json").unwrap()["nstat"]["server"]["Tcp"]["AttemptFails"].as_u64();
            let capture = scenarios::load(path).unwrap();
            let connections = &capture.tracking.connections;
            let findings: Vec<Finding> =
                connections.iter().flat_map(|connection| diagnose_connection(&capture, connection, None)).collect();
            let groups: Vec<Finding> =
                grouped(&findings).into_iter().filter(|group| group.finding == FindingKind::JoinTooLate).collect();
            assert_eq!(groups.len(), 1, "{scenario}: one finding for all");
            assert_eq!(Some(groups[0].count as u64), counted, "{scenario}");
        }
    }
}

/// A join's SYNs that nobody answers: when they leave, when a last packet of the connection does, and its DATA_FIN.
fn unanswered(syns: &[f64], last: f64, data_fin: Option<f64>) -> (FindingKind, Severity) {
    let mut wire = Wire::at(0.0);
    wire.connect(&FIRST, false);
    if let Some(time) = data_fin {
        wire.data_fin(time, &FIRST, true);
    }
    let syn = join_syn(token_and_idsn(KEYS[1]).0);
    for time in syns {
        wire.up(*time, &SECOND, &Packet { flags: SYN, options: &syn, ..Packet::default() });
    }
    wire.up(last, &FIRST, &Packet { flags: ACK, seq: 102, ack: 1, ..Packet::default() });
    let (_, findings) = found(wire);
    assert_eq!(findings.len(), 1, "{findings:#?}");
    (findings[0].finding, findings[0].severity)
}

#[test]
fn silence_is_a_problem_only_where_there_was_time_for_an_answer() {
    // A SYN goes again after one second (RFC 6298 §2): until then nothing can be told.
    assert_eq!(unanswered(&[0.1], 0.9, None), (FindingKind::JoinUnanswered, Severity::Notice));
    assert_eq!(unanswered(&[0.1], 1.2, None), (FindingKind::JoinUnanswered, Severity::Problem));
    assert_eq!(unanswered(&[0.1, 1.1], 1.2, None), (FindingKind::JoinUnanswered, Severity::Problem));
    assert_eq!(unanswered(&[0.1], 0.2, Some(0.09)), (FindingKind::JoinTooLate, Severity::Notice));
    // One end may go on for long after the other's DATA_FIN: no answer is not a refusal.
    assert_eq!(unanswered(&[0.1, 1.1, 3.1], 9.0, Some(0.09)), (FindingKind::JoinUnanswered, Severity::Problem));
}

#[test]
fn a_reset_after_an_ack_that_is_not_captured_is_the_server_s_refusal() {
    let mut wire = Wire::at(0.0);
    wire.connect(&FIRST, false);
    let options = [join_syn(token_and_idsn(KEYS[1]).0), join_syn_ack(false), reset(Some(3))];
    let at = wire.up(0.1, &SECOND, &Packet { flags: SYN, options: &options[0], ..Packet::default() });
    let at = wire.down(at, &SECOND, &Packet { flags: SYN_ACK, ack: 1, options: &options[1], ..Packet::default() });
    let rst = Packet { flags: RST_ACK, seq: 1, ack: 1, options: &options[2], ..Packet::default() };
    wire.down(at + 0.04, &SECOND, &rst);
    let (_, findings) = found(wire);
    let finding = findings.iter().find(|finding| finding.finding == FindingKind::JoinRefused).unwrap();
    assert!(finding.detail.starts_with("the server answered the ACK of the join, which is not captured,"));
    assert!(finding.meaning.starts_with("the server's limit of subflows"), "{}", finding.meaning);
    assert!(finding.meaning.contains("cannot be checked"), "{}", finding.meaning);
}

#[test]
fn a_reset_that_its_sender_cannot_have_sent_is_told() {
    let mut wire = Wire::at(0.0);
    wire.connect(&FIRST, false);
    let options = [join_syn(token_and_idsn(KEYS[1]).0), join_syn_ack(false), join_ack(false)];
    let at = wire.up(0.1, &SECOND, &Packet { flags: SYN, options: &options[0], ..Packet::default() });
    let at = wire.down(at, &SECOND, &Packet { flags: SYN_ACK, ack: 1, options: &options[1], ..Packet::default() });
    let at = wire.up(at, &SECOND, &Packet { flags: ACK, seq: 1, ack: 1, options: &options[2], ..Packet::default() });
    // The server's SYN/ACK came with 64.
    wire.ttl = 61;
    wire.down(at, &SECOND, &Packet { flags: RST_ACK, seq: 1, ack: 1, ..Packet::default() });
    let (_, findings) = found(wire);
    let finding = findings.iter().find(|finding| finding.finding == FindingKind::JoinRefused).unwrap();
    assert!(finding.meaning.starts_with("a device on the path sent the RST"), "{}", finding.meaning);
}

/// What was done to a join, the end that refused and the step, what the finding must say, and the kernel's counter.
type Recorded = (&'static str, &'static str, &'static str, Option<(&'static str, &'static str)>);

const RECORDED: &[Recorded] = &[
    ("no_listener", "the server answered the SYN", "no listener at that address and port", None),
    ("client_firewall", "the client answered the SYN/ACK", "a firewall sent the RST", None),
    ("client_signals", "the client answered the SYN", "no listener there", None),
    ("limit_ipv6", "the server answered the ACK", "the server's limit of subflows", Some(("server", "MPJoinRejected"))),
    ("hmac_altered_download", "the server answered the ACK", "the", Some(("server", "MPJoinAckHMacFailure"))),
];

#[test]
fn recorded_refusals_are_told_their_cause() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/joins");
    for (name, step, cause, counter) in RECORDED {
        for end in ["client", "server"] {
            let path = folder.join(name).join(format!("{end}.pcap"));
            let truth = scenarios::json(&path, "truth.json").unwrap();
            let capture = scenarios::load(&path).unwrap();
            let findings = diagnose_connection(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), None);
            let finding = findings.iter().find(|finding| finding.finding == FindingKind::JoinRefused).unwrap();
            assert!(finding.detail.starts_with(step), "{name}/{end}: {}", finding.detail);
            assert!(
                finding.meaning.starts_with(cause) || finding.meaning.contains(cause),
                "{name}: {}",
                finding.meaning
            );
            // The connection went on: it cannot be gone.
            assert!(!finding.meaning.contains("no longer has the connection"), "{name}/{end}: {}", finding.meaning);
            if let Some((kernel, counter)) = counter {
                assert_eq!(truth["nstat"][kernel][counter], 1, "{name}");
                assert!(finding.next.contains(&format!("MPTcpExt{counter}")), "{name}/{end}: {}", finding.next);
            }
        }
    }
    // The HMAC left the client valid.
    let meaning = |end: &str| {
        let capture = scenarios::load(&folder.join("hmac_altered_download").join(format!("{end}.pcap"))).unwrap();
        let findings = diagnose_connection(&capture, capture.tracking.connection(ConnectionId(0)).unwrap(), None);
        findings.iter().find(|finding| finding.finding == FindingKind::JoinRefused).unwrap().meaning.to_string()
    };
    assert!(meaning("client").starts_with("the option was altered or removed on the way to the server"));
    assert!(meaning("server").starts_with("the captured HMAC is wrong"));
}
