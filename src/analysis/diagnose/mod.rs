//! What would a protocol engineer look for by hand, and find?
//!
//! One kind of trouble a file; each returns findings with the packets that show it and what it means. A finding is a
//! statement about the capture, so the detectors are conservative: what only may be trouble is not reported.

mod addresses;
mod capture_quality;
mod checksums;
mod ending;
mod fallback;
mod joins;
mod reinjections;
mod silent;
mod stale;
mod usage;
mod windows;

use serde::Serialize;

use super::checksum::ChecksumResult;
use crate::tracking::travelling::{Travelling, in_file_order};
use crate::tracking::{Capture, Connection, Role};

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something did not work.
    Problem,
    /// Something worth knowing when reading the numbers.
    Notice,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The connection went on as plain TCP.
    Fallback,
    /// A SYN asked for MPTCP, the SYN/ACK did not answer with it.
    MptcpDeclined,
    /// No SYN of the capture asks for MPTCP.
    MptcpNotRequested,
    /// MP_FAIL was sent.
    MpFail,
    /// A mapping's checksum does not fit its data.
    ChecksumFailure,
    /// An ADD_ADDR was never echoed.
    AddressNotEchoed,
    /// Nobody joined at an advertised address.
    AddressNotJoined,
    /// The HMAC of an ADD_ADDR is wrong.
    AddressHmacInvalid,
    /// Addresses were withdrawn.
    AddressRemoved,
    /// A join was refused.
    JoinRefused,
    /// A join's SYN/ACK came without MP_JOIN.
    JoinOptionMissing,
    /// A join's SYN was not answered.
    JoinUnanswered,
    /// An HMAC of a join is wrong.
    JoinHmacInvalid,
    /// A join names a connection that the capture does not hold.
    JoinTokenUnknown,
    /// An established subflow carried no data.
    SubflowUnused,
    /// A subflow is a backup.
    SubflowBackup,
    /// One of several usable subflows carried nearly everything.
    OneSubflowCarriesAll,
    /// A subflow stopped making progress.
    SubflowStale,
    /// Nothing came over a subflow while the others went on.
    SubflowSilent,
    /// A subflow was reset.
    SubflowReset,
    /// The connection was aborted.
    FastClose,
    /// The receive window held the sender back.
    WindowLimited,
    /// Data was reinjected.
    Reinjections,
    /// Data was sent again on the same subflow.
    ResentOnSameSubflow,
    /// The beginning of connections or streams was not captured.
    MidStream,
    /// TCP options were cut by the snap length.
    OptionsCut,
    /// Frames are not in the order of their times.
    TimestampsOutOfOrder,
    /// Data was acknowledged that the capture does not hold.
    PacketsMissing,
    /// The capture holds no TCP.
    NoTcp,
    /// The dissector had something to say.
    CaptureWarning,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub finding: Kind,
    /// How much it matters.
    pub severity: Severity,
    /// The connection; `None` when it is about the capture or plain TCP.
    pub mptcpstream: Option<u32>,
    /// The TCP stream; `None` when it is about several.
    pub tcpstream: Option<u32>,
    /// The end of the connection that it is about the direction towards; `None` when it is about both or neither.
    pub towards: Option<Role>,
    /// Packets that show it, the first few when there are many.
    pub packets: Vec<u64>,
    /// The particulars, a sentence without full stop.
    pub detail: String,
    /// What it means, a sentence without full stop.
    pub meaning: &'static str,
}

/// Packets named as evidence of one finding at most.
const EVIDENCE: usize = 10;

impl Finding {
    fn new(finding: Kind, severity: Severity, detail: String, meaning: &'static str) -> Self {
        Finding {
            finding,
            severity,
            mptcpstream: None,
            tcpstream: None,
            towards: None,
            packets: Vec::new(),
            detail,
            meaning,
        }
    }

    fn problem(finding: Kind, detail: String, meaning: &'static str) -> Self {
        Finding::new(finding, Severity::Problem, detail, meaning)
    }

    fn notice(finding: Kind, detail: String, meaning: &'static str) -> Self {
        Finding::new(finding, Severity::Notice, detail, meaning)
    }

    fn of(mut self, connection: &Connection) -> Self {
        self.mptcpstream = Some(connection.id);
        self
    }

    fn on(mut self, stream: u32) -> Self {
        self.tcpstream = Some(stream);
        self
    }

    fn going(mut self, towards: Role) -> Self {
        self.towards = Some(towards);
        self
    }

    fn shown_by(mut self, packets: impl IntoIterator<Item = u64>) -> Self {
        self.packets = packets.into_iter().take(EVIDENCE).collect();
        self
    }
}

/// What every detector of a connection looks at.
struct Subject<'a> {
    capture: &'a Capture,
    connection: &'a Connection,
    packets: Vec<Travelling<'a>>,
}

impl Subject<'_> {
    /// The packet id of a row.
    fn id(&self, row: u32) -> u64 {
        self.capture.segments.get(row as usize).map_or(0, |segment| segment.packetid)
    }

    /// Seconds since the first frame of the file, for sentences.
    fn time(&self, instant: i64) -> String {
        format!("{:.3} s", super::volume::seconds(Some((self.capture.origin(), instant))))
    }
}

/// Findings about one connection, problems first. `checksums` are the verdicts on its mappings, where the payload
/// was at hand.
#[must_use]
pub fn diagnose_connection(
    capture: &Capture,
    connection: &Connection,
    checksums: Option<&[ChecksumResult]>,
) -> Vec<Finding> {
    let packets = in_file_order(&capture.segments, &capture.tracking, connection);
    let subject = Subject { capture, connection, packets };
    let mut findings = Vec::new();
    findings.extend(fallback::find(&subject));
    findings.extend(checksums::find(&subject, checksums));
    findings.extend(addresses::find(&subject));
    findings.extend(joins::find(&subject));
    findings.extend(ending::find(&subject));
    let stale = stale::find(&subject);
    // Where the sender's standstill is captured, the silence between its retransmissions says nothing more.
    let silent = silent::find(&subject).into_iter();
    let same = |one: &Finding, other: &Finding| (one.tcpstream, one.towards) == (other.tcpstream, other.towards);
    findings.extend(silent.filter(|silent| !stale.iter().any(|stale| same(stale, silent))));
    findings.extend(stale);
    findings.extend(usage::find(&subject));
    findings.extend(windows::find(&subject));
    findings.extend(reinjections::find(&subject));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

/// Findings about the capture as a whole: its quality, and handshakes that asked for MPTCP in vain.
#[must_use]
pub fn diagnose_capture(capture: &Capture) -> Vec<Finding> {
    let mut findings = fallback::declined(capture);
    findings.extend(capture_quality::find(capture));
    findings.sort_by_key(|finding| finding.severity);
    findings
}
