//! [`Finding`]: one statement about a capture, in three parts: what shows it, what it means, what to do next.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Connection, Role};
use mptcp_trace::{ConnectionId, StreamId};

/// Severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something did not work.
    Problem,
    /// Something worth knowing when reading the numbers.
    Notice,
}

/// The result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The connection went on as plain TCP.
    Fallback,
    /// A SYN asked for MPTCP, the SYN/ACK did not answer with it.
    MptcpDeclined,
    /// SYNs that asked for MPTCP were not answered, one that did not was.
    MptcpBlackholed,
    /// SYNs that asked for MPTCP were not answered.
    MptcpUnanswered,
    /// A SYN that asked for MPTCP was answered with a RST.
    MptcpRefused,
    /// A SYN/ACK only repeats the client's MP_CAPABLE.
    MptcpMirrored,
    /// No SYN of the capture asks for MPTCP.
    MptcpNotRequested,
    /// The options of one end are removed on a joined subflow.
    SubflowOptionsRemoved,
    /// An MPTCP option has a length that rules it out.
    OptionMalformed,
    /// The keys of MP_CAPABLE changed between packets.
    KeysChanged,
    /// MP_FASTCLOSE came with a key that is not its receiver's.
    FastcloseKeyInvalid,
    /// A mapping came without a checksum although checksums were agreed.
    ChecksumMissing,
    /// A mapping of length 0 came on a packet without data.
    EmptyMapping,
    /// An address id was given to another address.
    AddressIdReused,
    /// MP_PRIO came in a form that its version does not have.
    MpPrioInvalid,
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
    /// The HMAC of an ADD_ADDR is another part of the right one.
    AddressHmacWrongHalf,
    /// Addresses were withdrawn.
    AddressRemoved,
    /// A join was refused.
    JoinRefused,
    /// A join was refused because the connection was ending.
    JoinTooLate,
    /// A join went to the address and port that MP_CAPABLE says not to join (its flag C).
    JoinAgainstFlag,
    /// A join's SYN/ACK or ACK came without MP_JOIN.
    JoinOptionMissing,
    /// A join's SYN was not answered.
    JoinUnanswered,
    /// An HMAC of a join is wrong.
    JoinHmacInvalid,
    /// A join names a connection that the capture does not hold.
    JoinTokenUnknown,
    /// A connection has one subflow, and nobody tried to join.
    SingleSubflow,
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
    /// A RST has another time to live than its sender's other packets.
    ResetTtlDiffers,
    /// The connection was aborted.
    FastClose,
    /// The receive window held the sender back.
    WindowLimited,
    /// A subflow sent much again.
    Retransmissions,
    /// The receive window was shut and never opened again.
    WindowShut,
    /// The sender was silent although nothing held it back.
    IdleGaps,
    /// Data waited on a subflow that stood still, and nothing went over another one.
    HealthySubflowUnused,
    /// The DATA_ACK stood still although TCP acknowledged the data.
    DataAckStalled,
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
    /// Packets were recorded in several places, and stand in the file as often.
    PacketsCapturedTwice,
    /// Data went over a subflow that the capture does not hold.
    SubflowNotCaptured,
    /// The capture holds one direction only.
    OneDirectionOnly,
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
    pub finding: FindingKind,
    /// Severity.
    pub severity: Severity,
    /// The connection; `None` when it is about the capture, plain TCP or several connections.
    pub mptcpstream: Option<ConnectionId>,
    /// The TCP stream; `None` when it is about several.
    pub tcpstream: Option<StreamId>,
    /// The connections that it is about, the first ten when there are more.
    pub mptcpstreams: Vec<ConnectionId>,
    /// The TCP streams that it is about, the first ten when there are more.
    pub tcpstreams: Vec<StreamId>,
    /// The end of the connection that it is about the direction towards; `None` when it is about both or neither.
    pub towards: Option<Role>,
    /// Equal findings that this one stands for, itself included.
    pub count: usize,
    /// Packets that show it, however many of them `packets` lists.
    pub packet_count: usize,
    /// Packets that show it, the first ten when there are more.
    pub packets: Vec<u64>,
    /// Evidence, a sentence without full stop.
    pub detail: String,
    /// Meaning, a sentence without full stop. Causes that the capture cannot tell apart are alternatives, the
    /// likeliest first.
    pub meaning: Cow<'static, str>,
    /// Advice, a sentence without full stop.
    pub next: Cow<'static, str>,
}

/// Packets, connections and streams that one finding names at most.
pub(super) const EVIDENCE: usize = 10;

impl Finding {
    fn new(
        severity: Severity,
        finding: FindingKind,
        detail: impl Into<String>,
        meaning: impl Into<Cow<'static, str>>,
        next: impl Into<Cow<'static, str>>,
    ) -> Self {
        Finding {
            finding,
            severity,
            mptcpstream: None,
            tcpstream: None,
            mptcpstreams: Vec::new(),
            tcpstreams: Vec::new(),
            towards: None,
            count: 1,
            packet_count: 0,
            packets: Vec::new(),
            detail: detail.into(),
            meaning: meaning.into(),
            next: next.into(),
        }
    }

    /// Something did not work: what shows it, what it means, what to do next.
    pub(super) fn problem(
        finding: FindingKind,
        detail: impl Into<String>,
        meaning: impl Into<Cow<'static, str>>,
        next: impl Into<Cow<'static, str>>,
    ) -> Self {
        Finding::new(Severity::Problem, finding, detail, meaning, next)
    }

    /// Something worth knowing: what shows it, what it means, what to do next.
    pub(super) fn notice(
        finding: FindingKind,
        detail: impl Into<String>,
        meaning: impl Into<Cow<'static, str>>,
        next: impl Into<Cow<'static, str>>,
    ) -> Self {
        Finding::new(Severity::Notice, finding, detail, meaning, next)
    }

    /// It is about this connection.
    pub(super) fn of(mut self, connection: &Connection) -> Self {
        self.mptcpstream = Some(connection.id);
        self.mptcpstreams = vec![connection.id];
        self
    }

    /// It is about this TCP stream.
    pub(super) fn on(mut self, stream: StreamId) -> Self {
        self.tcpstream = Some(stream);
        self.tcpstreams = vec![stream];
        self
    }

    /// It is about this TCP stream as well.
    pub(super) fn and_on(mut self, stream: StreamId) -> Self {
        self.tcpstreams.push(stream);
        self.tcpstreams.sort_unstable();
        self.tcpstreams.dedup();
        self
    }

    /// It is about the direction towards this end.
    pub(super) fn going(mut self, towards: Role) -> Self {
        self.towards = Some(towards);
        self
    }

    /// The packets that show it.
    pub(super) fn shown_by(mut self, packets: impl IntoIterator<Item = u64>) -> Self {
        self.packets.clear();
        self.packet_count = 0;
        for packet in interruptible(packets) {
            self.packet_count += 1;
            if self.packets.len() < EVIDENCE {
                self.packets.push(packet);
            }
        }
        self
    }
}
