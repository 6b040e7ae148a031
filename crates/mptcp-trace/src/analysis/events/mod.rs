//! Events of a connection, in file order.

mod signals;

use std::collections::BTreeMap;

use serde::Serialize;

use super::addresses::advertisements_among;
use super::checksum::{self, ChecksumResult};
use super::fallback::{Reason, fallback};
use super::joins::joins;
use super::option_loss::Losses;
use super::receive_window::Gates;
use super::reset_ttl::strange_resets;
use super::standstill::{Progress, Standstill};
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::parallel::both;
use crate::tracking::travelling::{Travelling, one_by_one};
use crate::tracking::{ByRole, Capture, Connection, FastOpen, Nature, Role, Tracking};
use crate::{Instant, PacketRow, StreamId};
pub use signals::{Ends, OncePerConnection, Shown, advertised, of_hmacs, of_join, of_loss};

/// Kind of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// MP_CAPABLE in a SYN, a SYN/ACK or the ACK after them.
    MpCapable,
    /// The SYN/ACK to a version 0 SYN came without MP_CAPABLE.
    MptcpDeclined,
    /// The SYN/ACK to a version 0 SYN only repeats its MP_CAPABLE.
    MptcpMirrored,
    /// The connection is established: the client's ACK with both keys.
    Established,
    /// MP_JOIN in a SYN, a SYN/ACK or the ACK after them.
    MpJoin,
    /// A join succeeded.
    JoinEstablished,
    /// A join was refused by a RST.
    JoinRefused,
    /// A join's SYN/ACK came without MP_JOIN.
    JoinOptionMissing,
    /// A join's SYN was never answered.
    JoinUnanswered,
    /// The HMAC of a join is not the one that the keys give.
    JoinHmacInvalid,
    /// ADD_ADDR.
    AddAddr,
    /// The echo of an ADD_ADDR.
    AddAddrEcho,
    /// REMOVE_ADDR.
    RemoveAddr,
    /// MP_PRIO.
    MpPrio,
    /// From this packet on those of one end have no MPTCP option on a joined subflow.
    SubflowOptionsRemoved,
    /// MP_FAIL.
    MpFail,
    /// An infinite mapping.
    InfiniteMapping,
    /// An MPTCP option whose length rules it out, the first towards this end.
    OptionMalformed,
    /// MP_CAPABLE has another key of an end than before, the first such packet.
    KeysChanged,
    /// MP_FASTCLOSE with a key that is not its receiver's.
    FastcloseKeyInvalid,
    /// A mapping without a checksum although checksums were agreed, the first towards this end.
    ChecksumMissing,
    /// A mapping of length 0 on a packet without data, the first towards this end.
    EmptyMapping,
    /// ADD_ADDR gives an id another address without REMOVE_ADDR.
    AddressIdReused,
    /// MP_PRIO with an address id in version 1.
    MpPrioInvalid,
    /// The connection goes on as plain TCP.
    Fallback,
    /// The first DATA_FIN of a direction.
    DataFin,
    /// The first FIN of a subflow's direction.
    Fin,
    /// MP_FASTCLOSE.
    MpFastclose,
    /// The first RST of a subflow's direction, and the first of each reason that follows.
    Reset,
    /// A RST that its receiver does not act on: out of its window, or of an earlier use of the ports. The first of a
    /// subflow's direction.
    ResetIgnored,
    /// A FIN that its receiver does not act on, for the same reasons. The first of a subflow's direction.
    FinIgnored,
    /// The ACK that answers a RST out of the window (RFC 5961 §3.2). The first of a subflow's direction.
    ChallengeAck,
    /// Data in a SYN (TCP Fast Open, RFC 7413), and what the SYN/ACK says of them.
    TcpFastOpen,
    /// A RST whose time to live is not that of its sender's other packets; only a whole capture tells.
    ResetTtlDiffers,
    /// A subflow makes no progress although data waits for an acknowledgement.
    SubflowStale,
    /// A receiver has no room for a segment, or none at all (RFC 8684 §3.3.4).
    ZeroWindow,
    /// It has room again.
    WindowOpen,
    /// A mapping whose checksum does not fit its data.
    ChecksumFailure,
    /// The first packet of a subflow's direction that the path doubled.
    Duplicate,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Event {
    /// The packet that shows it.
    pub packetid: u64,
    /// Seconds since the first frame of the file.
    pub reltime: f64,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// Kind of event.
    pub event: EventKind,
    /// The particulars, a phrase.
    pub detail: String,
    /// Row in the packet table.
    #[serde(skip)]
    pub row: PacketRow,
}

/// Events of `connection`, in file order. `checksums` are the verdicts on its mappings, where the
/// payload was available.
#[must_use]
pub fn events(capture: &Capture, connection: &Connection, checksums: Option<&[ChecksumResult]>) -> Vec<Event> {
    let mut timeline = Timeline { capture, events: Vec::new() };
    let mut losses = Losses::new(capture, connection);
    let mut doubled: BTreeMap<(StreamId, bool), Doubled<'_>> = BTreeMap::new();
    let mut signals = Vec::new();
    let told = || {
        let mut once = OncePerConnection::default();
        let mut gates = Gates::default();
        let mut subflows: Vec<OfSubflow> = connection.subflows.iter().map(|id| OfSubflow::new(capture, *id)).collect();
        for packet in interruptible(one_by_one(&capture.segments, &capture.tracking, connection)) {
            let Some(OfSubflow { ends, fast_open }) = subflows.get_mut(packet.subflow) else { continue };
            let Some(place) = capture.tracking.packets.get(packet.row) else { continue };
            let (segment, nature, towards) = (packet.segment, packet.nature, packet.towards);
            let at = Packet::from(&packet);
            let is_signal = packet.is_signal(connection);
            // Others show nothing by themselves.
            if is_signal || nature != Nature::Ordinary {
                let shown = Shown { segment, nature, fast_open: *fast_open, towards };
                once.push(ends, shown, connection, |event, detail| timeline.add(at, event, detail));
            }
            if let Some((event, detail)) = gates.push(segment, place, towards) {
                timeline.add(at, event, detail);
            }
            losses.push(&packet, place);
            if is_signal {
                signals.push(packet);
            }
            if nature == Nature::Duplicate {
                let doubled = doubled.entry((packet.stream, towards == Role::Server)).or_insert(Doubled::new(at));
                doubled.packets += 1;
                doubled.bytes += u64::from(segment.payload().unwrap_or(0));
            }
        }
    };
    let packets = capture.tracking.packets_of(connection);
    let ((), (standstills, fallback)) =
        both(packets, told, || (standstills(capture, connection), fallback(capture, connection)));
    let find = |row: PacketRow| Packet::in_row(capture, row);
    for join in interruptible(joins(capture, connection)) {
        if let Some(packet) = find(join.decided_by) {
            of_join(&join, |event, detail| timeline.add(packet, event, detail));
        }
        of_hmacs(&join, |proof, event, detail| {
            if let Some(packet) = proof.of(join.proofs).and_then(find) {
                timeline.add(packet, event, detail);
            }
        });
    }
    for standstill in interruptible(standstills) {
        if let Some(packet) = find(standstill.row) {
            timeline.add(packet, EventKind::SubflowStale, stale(capture, &standstill));
        }
    }
    for (_, loss) in interruptible(losses.finish()) {
        if let Some(packet) = find(loss.from) {
            timeline.add(packet, EventKind::SubflowOptionsRemoved, of_loss(packet.towards, loss.later));
        }
    }
    for reset in interruptible(strange_resets(capture, connection)) {
        if let Some(packet) = find(reset.row) {
            timeline.add(packet, EventKind::ResetTtlDiffers, reset.detail());
        }
    }
    for doubled in interruptible(doubled.into_values()) {
        timeline.add(doubled.first, EventKind::Duplicate, doubled.detail(capture));
    }
    for advertisement in interruptible(advertisements_among(capture, connection, signals)) {
        for row in interruptible(&advertisement.rows) {
            if let Some(packet) = find(*row) {
                let detail = advertised(&advertisement.option, advertisement.verdict, advertisement.wrong_part);
                timeline.add(packet, EventKind::AddAddr, detail);
            }
        }
    }
    for wrong in interruptible(
        checksums.unwrap_or(&[]).iter().filter(|result| result.verdict == checksum::ChecksumVerdict::Wrong),
    ) {
        if let Some(packet) = find(wrong.row) {
            let detail = "the data of this packet's mapping does not match its checksum".to_string();
            timeline.add(packet, EventKind::ChecksumFailure, detail);
        }
    }
    if let Some(fallback) = fallback
        && let Some(packet) = find(fallback.row)
    {
        timeline.add(packet, EventKind::Fallback, explain(fallback.reason).to_string());
    }
    timeline.events.sort_by_key(|event| (event.row, event.event));
    timeline.events
}

/// The standstills of each subflow, of its data towards the server first.
fn standstills(capture: &Capture, connection: &Connection) -> Vec<Standstill> {
    let mut subflows: Vec<ByRole<Progress>> = connection.subflows.iter().map(|_| ByRole::default()).collect();
    for packet in interruptible(one_by_one(&capture.segments, &capture.tracking, connection)) {
        let Some(progress) = subflows.get_mut(packet.subflow) else { continue };
        for role in Role::BOTH {
            progress.get_mut(role).push(&packet, role);
        }
    }
    let found = |ByRole { server, client }: ByRole<Progress>| server.finish().into_iter().chain(client.finish());
    interruptible(subflows).flat_map(found).collect()
}

/// One subflow while its packets go by.
struct OfSubflow {
    ends: Ends,
    fast_open: Option<FastOpen>,
}

impl OfSubflow {
    fn new(capture: &Capture, id: StreamId) -> Self {
        let fast_open = capture.tracking.stream(id).and_then(|stream| stream.fast_open);
        OfSubflow { ends: Ends::default(), fast_open }
    }
}

/// A packet that shows an event.
#[derive(Clone, Copy)]
struct Packet<'a> {
    row: PacketRow,
    segment: &'a Segment,
    stream: StreamId,
    towards: Role,
}

impl<'a> From<&Travelling<'a>> for Packet<'a> {
    fn from(packet: &Travelling<'a>) -> Self {
        Packet { row: packet.row, segment: packet.segment, stream: packet.stream, towards: packet.towards }
    }
}

impl<'a> Packet<'a> {
    /// The packet in that row, which is one of a subflow.
    fn in_row(capture: &'a Capture, row: PacketRow) -> Option<Self> {
        let (segment, place) = (capture.segments.get(row.index())?, capture.tracking.packets.get(row)?);
        let (stream, subflow) = (capture.tracking.stream(place.stream)?, capture.tracking.subflow(place.stream)?);
        Some(Packet {
            row,
            segment,
            stream: stream.id,
            towards: Tracking::mptcp_towards(subflow, stream.towards(place)),
        })
    }
}

struct Timeline<'a> {
    capture: &'a Capture,
    events: Vec<Event>,
}

impl Timeline<'_> {
    fn add(&mut self, packet: Packet<'_>, event: EventKind, detail: String) {
        self.events.push(Event {
            packetid: packet.segment.packetid(),
            reltime: (packet.segment.abstime - self.capture.origin()).seconds(),
            tcpstream: packet.stream,
            towards: packet.towards,
            event,
            detail,
            row: packet.row,
        });
    }
}

/// Copies that the path made in one direction of a subflow.
struct Doubled<'a> {
    first: Packet<'a>,
    packets: u64,
    bytes: u64,
}

impl<'a> Doubled<'a> {
    fn new(first: Packet<'a>) -> Self {
        Doubled { first, packets: 0, bytes: 0 }
    }
}

impl Doubled<'_> {
    fn detail(&self, capture: &Capture) -> String {
        let original = capture.duplicates.original(self.first.row);
        let original = original.and_then(|row| capture.segments.get(row.index())).map(|segment| segment.packetid());
        let original = original.map_or_else(String::new, |id| format!(" of packet {id}"));
        let all = match self.packets {
            1 => String::new(),
            packets => format!("; the path duplicated {packets} packets in this direction, {} bytes", self.bytes),
        };
        format!("a copy{original}, made by the path{all}")
    }
}

fn stale(capture: &Capture, standstill: &Standstill) -> String {
    let time = |instant: Instant| format!("{:.3} s", (instant - capture.origin()).seconds());
    let from = time(standstill.from);
    if standstill.recovered {
        format!("nothing acknowledged from {from} until {}", time(standstill.until))
    } else {
        format!("nothing acknowledged from {from} to the end")
    }
}

/// Meaning of a fallback's evidence, a sentence without full stop.
#[must_use]
pub fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::ThirdAckWithoutOption => {
            "the client's packets after the SYN/ACK have no MPTCP option: it was removed from the SYN/ACK or from them"
        }
        Reason::NoOptionFromServer => {
            "the server's packets after its SYN/ACK have no MPTCP option: it was removed from them or from the client's"
        }
        Reason::DataWithoutMapping => {
            "data without an MPTCP option that no mapping covers: the option was removed on the path"
        }
        Reason::ChecksumFailure => {
            "data without an MPTCP option after MP_FAIL: the only subflow continues as plain \
                                    TCP"
        }
        Reason::InfiniteMapping => "an infinite mapping: the subflow continues as plain TCP",
        Reason::VersionMismatch => {
            "the SYN/ACK has another version than the SYN, and the client's later packets have no MPTCP option: \
             incompatible versions"
        }
        Reason::ChecksumMissing => {
            "no MPTCP option after a mapping without a checksum, although checksums were negotiated: the receiver \
             rejected it"
        }
        Reason::OptionMalformed => "no MPTCP option after a malformed one: the receiver ignored that one and fell back",
        Reason::SynDataRefused => {
            "no MPTCP option after a SYN/ACK that did not accept the data in the SYN (TCP Fast Open): an end fell back"
        }
    }
}
