//! Did data arrive altered?

use super::{Finding, FindingKind, Subject};
use mptcp_trace::analysis::checksum::{ChecksumResult, ChecksumVerdict};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::units::counted;

pub fn find(subject: &Subject<'_>, checksums: Option<&[ChecksumResult]>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let wrong: Vec<&ChecksumResult> =
        checksums.unwrap_or(&[]).iter().filter(|result| result.verdict == ChecksumVerdict::Wrong).collect();
    if let Some(first) = wrong.first() {
        let detail = format!(
            "the checksum does not match the data of {}, first in packet {}",
            counted(wrong.len(), "mapping"),
            first.packetid
        );
        let meaning = "the data was altered between the sender and the place of capture";
        findings.push(
            Finding::problem(
                FindingKind::ChecksumFailure,
                detail,
                meaning,
                "capture on both sides of each middlebox on that path to find the one that rewrites payload",
            )
            .of(subject.connection)
            .on(first.tcpstream)
            .shown_by(wrong.iter().map(|result| result.packetid)),
        );
    }
    let failures = subject.passed.signals.iter().filter_map(|packet| Some((packet, packet.segment.control()?.fail?)));
    for (packet, dsn) in interruptible(failures) {
        let sender = packet.towards.other().name();
        let detail = format!(
            "the {sender} reports in packet {} that the checksum at DSN 0x{dsn:016x} failed",
            packet.segment.packetid()
        );
        let meaning = "data was altered on the way: a middlebox rewrites the payload; with several subflows the \
                       affected one is reset, a single one continues as plain TCP";
        findings.push(
            Finding::problem(
                FindingKind::MpFail,
                detail,
                meaning,
                "capture on both sides of each middlebox on that path to find the one that rewrites payload",
            )
            .of(subject.connection)
            .on(packet.stream)
            .shown_by([packet.segment.packetid()]),
        );
    }
    findings
}
