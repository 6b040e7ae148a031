//! Why was a join refused? What the capture itself rules out is not named.

use std::collections::HashSet;
use std::net::IpAddr;

use super::capture_point::{self, CapturePoint};
use super::fallback::Fallback;
use super::joins::{JoinAttempt, JoinOutcome};
use super::one_sided;
use super::reset_ttl::strange_resets;
use crate::interrupt::interruptible;
use crate::packets::segment::{Capable, Dss};
use crate::tracking::authentication::HmacVerdict;
use crate::tracking::travelling::one_by_one;
use crate::tracking::{ByRole, Capture, Connection, Role, Stream, SubflowKind, Tracking};
use crate::{Instant, PacketRow, Span, StreamId};

/// The packet of a join's handshake that a RST answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedStep {
    /// The SYN.
    Syn,
    /// The SYN/ACK.
    SynAck,
    /// The ACK.
    Ack,
}

impl RefusedStep {
    /// As people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RefusedStep::Syn => "SYN",
            RefusedStep::SynAck => "SYN/ACK",
            RefusedStep::Ack => "ACK",
        }
    }
}

/// Cause of a connection's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Row of the packet.
    pub row: PacketRow,
    /// The end of the connection that sent it.
    pub by: Role,
    /// MP_FASTCLOSE, and not DATA_FIN.
    pub fast: bool,
    /// When it was sent by one end and reached the other, estimated from the handshake of its subflow.
    at: ByRole<Instant>,
}

/// A cause that the capture leaves open, or proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The connection was ending when the join was refused.
    Ending(End),
    /// It was ending, but the end seems to have reached the refusing host too late.
    PerhapsEnding(End),
    /// It may have been ending: the packets of the other end are not captured.
    EndingUnseen,
    /// The SYN went to port 0.
    PortZero,
    /// The SYN went to the address and port that MP_CAPABLE says not to join (its flag C).
    FlagC,
    /// The connection had fallen back to TCP: packet id.
    FellBack(u64),
    /// The HMAC is wrong as captured.
    HmacWrong,
    /// The HMAC may have been altered behind the place of capture.
    HmacAltered,
    /// The HMAC or a key is not captured, so that it cannot be checked.
    HmacUnchecked,
    /// No connection of the capture has the token.
    TokenUnknown,
    /// The token may have been altered behind the place of capture.
    TokenAltered,
    /// Nobody listens at that address and port.
    NobodyListens,
    /// The refusing host no longer has the connection.
    Gone,
    /// The joining host had given the join up.
    GivenUp,
    /// The RST's time to live is not that of the refusing host's other packets.
    OnThePath,
    /// The refusing host had not yet seen that the other one uses MPTCP (RFC 8684 §3.1).
    NotEstablished,
    /// A limit of subflows, or another policy.
    Limit,
    /// It says that it lacks resources.
    Resources,
    /// Its reason is all that is known.
    AsItSays,
}

/// A refused join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The packet that the RST answers.
    pub step: RefusedStep,
    /// Whether that is captured.
    pub seen: bool,
    /// The end of the connection that refused.
    pub by: Role,
    /// The causes that are left, the likeliest first; one alone is proved.
    pub causes: Vec<Cause>,
}

impl Refusal {
    /// Cause of the connection's end, if relevant.
    #[must_use]
    pub fn end(&self) -> Option<&End> {
        self.causes.iter().find_map(|cause| match cause {
            Cause::Ending(end) | Cause::PerhapsEnding(end) => Some(end),
            _ => None,
        })
    }
}

/// Facts of a connection that explain refusals.
pub struct Circumstances<'a> {
    capture: &'a Capture,
    connection: &'a Connection,
    point: Option<CapturePoint>,
    ends: Vec<End>,
    fell_back: Option<(u64, Instant)>,
    /// When either end had received the first DSS of the other.
    confirmed: ByRole<Option<Instant>>,
    /// When either end sent its last DSS: it had the connection until then.
    alive: ByRole<Option<Instant>>,
    /// Whether the beginning of the connection is captured.
    whole: bool,
    /// Rows of resets that have not the time to live of their sender.
    strange: HashSet<PacketRow>,
    /// Whether one direction of a subflow is not captured.
    one_sided: bool,
}

impl<'a> Circumstances<'a> {
    /// Gathers them, in one pass over the packets; `fallback` is that of the connection.
    #[must_use]
    pub fn of(capture: &'a Capture, connection: &'a Connection, fallback: Option<&Fallback>) -> Self {
        let distances: Vec<ByRole<Span>> =
            connection.subflows.iter().map(|id| distances(capture, *id).unwrap_or_default()).collect();
        let mut ends: Vec<End> = Vec::new();
        let mut confirmed: ByRole<Option<Instant>> = ByRole::default();
        let mut alive: ByRole<Option<Instant>> = ByRole::default();
        for packet in interruptible(one_by_one(&capture.segments, &capture.tracking, connection)) {
            let by = packet.towards.other();
            let dss = packet.segment.dss();
            let fin = dss.is_some_and(|dss| dss.has(Dss::DATA_FIN));
            let fast = packet.segment.control().is_some_and(|control| control.fastclose.is_some());
            let data = packet.segment.capable().is_some_and(|capable| capable.data_length.is_some());
            if !(dss.is_some() || fast || data) {
                continue;
            }
            let distance = distances.get(packet.subflow).copied().unwrap_or_default();
            let time = packet.segment.abstime;
            let arrives = time + *distance.get(packet.towards);
            let left = time - *distance.get(by);
            let earliest = confirmed.get_mut(packet.towards);
            *earliest = Some(earliest.map_or(arrives, |known| known.min(arrives)));
            let latest = alive.get_mut(by);
            *latest = Some(latest.map_or(left, |known| known.max(left)));
            if (fin || fast) && !ends.iter().any(|end| end.by == by && end.fast == fast) {
                let mut at = ByRole { server: arrives, client: arrives };
                *at.get_mut(by) = left;
                ends.push(End { row: packet.row, by, fast, at });
            }
        }
        let fell_back = fallback
            .and_then(|fallback| Some((fallback.packetid, capture.segments.get(fallback.row.index())?.abstime)));
        let initial = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id)).next();
        let whole = connection.roles_known && initial.is_some_and(|stream| stream.syn.is_some());
        let point = capture_point::of_connection(capture, connection);
        let strange = strange_resets(capture, connection).into_iter().map(|reset| reset.row).collect();
        let one_sided = one_sided::subflows(capture, connection).next().is_some();
        Circumstances { capture, connection, point, ends, fell_back, confirmed, alive, whole, strange, one_sided }
    }

    /// The end that the connection had come to before `time`, as `role` knew.
    fn ended(&self, role: Role, time: Instant) -> Option<End> {
        self.ends.iter().filter(|end| *end.at.get(role) <= time).min_by_key(|end| *end.at.get(role)).copied()
    }

    /// The end that an unanswered join's SYN came after.
    #[must_use]
    pub fn ended_before_syn(&self, join: &JoinAttempt) -> Option<End> {
        let row = join.handshake.rows[0]?;
        let before = self.ends.iter().filter(|end| end.row < row);
        before.min_by_key(|end| end.row).copied()
    }

    fn time(&self, row: PacketRow) -> Option<Instant> {
        self.capture.segments.get(row.index()).map(|segment| segment.abstime)
    }

    /// Whether the capture was taken at that end, so that packets are as they arrived there.
    fn is_at(&self, role: Role) -> bool {
        self.point == Some(CapturePoint::At(role))
    }

    /// Why this join was refused; `None` for one that was not.
    #[must_use]
    pub fn refusal(&self, join: &JoinAttempt) -> Option<Refusal> {
        let refused_by = join.refused_by.filter(|_| join.outcome == JoinOutcome::Refused)?;
        let subflow = self.capture.tracking.subflow(join.tcpstream)?;
        let by = Tracking::mptcp_towards(subflow, refused_by);
        let [syn, syn_ack, ack] = join.handshake.rows;
        // What the RST answers may not be captured: the server answers no SYN/ACK, and the client no SYN.
        let step = match (refused_by, syn_ack, ack) {
            (_, _, Some(_)) | (Role::Server, Some(_), None) => RefusedStep::Ack,
            (Role::Server, None, None) => RefusedStep::Syn,
            (Role::Client, _, None) => RefusedStep::SynAck,
        };
        let asked = match step {
            RefusedStep::Syn => syn,
            RefusedStep::SynAck => syn_ack,
            RefusedStep::Ack => ack,
        };
        let answered = self.time(join.decided_by)?;
        let seen = asked.is_some();
        // The refusing host decided after it had received what it answers.
        let asked = asked.and_then(|row| self.time(row)).unwrap_or(answered);
        let half = (answered - asked).max(Span::ZERO) / 2;
        let away = match (self.is_at(by), step) {
            (true, _) => Span::ZERO,
            (false, RefusedStep::Ack) => {
                distances(self.capture, join.tcpstream).map_or(half, |distances| *distances.get(by)).min(half)
            }
            (false, _) => half,
        };
        let decided = answered - away;
        Some(Refusal { step, seen, by, causes: self.causes(join, step, by, decided) })
    }

    fn causes(&self, join: &JoinAttempt, step: RefusedStep, by: Role, decided: Instant) -> Vec<Cause> {
        let there = self.is_at(by);
        let hmac = match step {
            RefusedStep::Syn => None,
            RefusedStep::SynAck => Some(join.verdict.syn_ack),
            RefusedStep::Ack => Some(join.verdict.ack),
        };
        if step == RefusedStep::Syn {
            if self.capture.tracking.stream(join.tcpstream).is_some_and(|stream| stream.server.port == 0) {
                return vec![Cause::PortZero];
            }
            if !self.connection.roles_known {
                return vec![Cause::TokenUnknown];
            }
        }
        if hmac == Some(HmacVerdict::Invalid) {
            return vec![Cause::HmacWrong];
        }
        // The RST that aborts the connection may come on the subflow that joins.
        let itself = self.ends.iter().find(|end| end.row == join.decided_by);
        if let Some(end) = itself.copied().or_else(|| self.ended(by, decided)) {
            return vec![Cause::Ending(end)];
        }
        if let Some((packet, _)) = self.fell_back.filter(|(_, time)| *time <= decided) {
            return vec![Cause::FellBack(packet)];
        }
        if step == RefusedStep::Syn && is_against_flag(self.capture, self.connection, join) {
            return vec![Cause::FlagC];
        }
        if join.reason == Some(2) {
            return vec![Cause::Resources];
        }
        if join.reason.is_some_and(|reason| reason > 3) {
            return vec![Cause::AsItSays];
        }
        let seen_ending = self.ends.iter().filter(|end| end.row < join.decided_by).min_by_key(|end| end.row);
        let altered = match hmac {
            Some(HmacVerdict::Unverifiable) => Some(Cause::HmacUnchecked),
            // As it arrived at that host it was valid.
            Some(_) => (!there).then_some(Cause::HmacAltered),
            None => (!there).then_some(Cause::TokenAltered),
        };
        // In version 0 the ACK with MP_CAPABLE is enough.
        let early = self.whole && self.connection.version == Some(1);
        let early = early && self.confirmed.get(by).is_none_or(|time| time > decided);
        let early = early.then_some(Cause::NotEstablished);
        // A limit is named only where nothing is known to have ended the connection.
        let limit = seen_ending.map_or(Cause::Limit, |end| Cause::PerhapsEnding(*end));
        let gone = self.alive.get(by).is_none_or(|time| time <= decided).then_some(Cause::Gone);
        let unseen = self.one_sided.then_some(Cause::EndingUnseen);
        let causes: Vec<Option<Cause>> = match (step, join.reason) {
            // A host that refuses by its own will gives a reason (RFC 8684 §3.2).
            (RefusedStep::Syn, None) => vec![Some(Cause::NobodyListens), altered, gone],
            (RefusedStep::Syn, Some(3)) => vec![Some(limit)],
            (RefusedStep::Syn, Some(_)) => vec![altered, gone, Some(limit)],
            // The host that sent the SYN wanted the join.
            (RefusedStep::SynAck, None) => vec![gone, Some(Cause::GivenUp), altered],
            (RefusedStep::SynAck, Some(3)) => vec![Some(limit)],
            (RefusedStep::SynAck, Some(_)) => {
                let known = [altered, early, gone];
                if known.iter().any(Option::is_some) { known.to_vec() } else { vec![Some(Cause::AsItSays)] }
            }
            (RefusedStep::Ack, None | Some(3)) => vec![early, Some(limit), altered],
            (RefusedStep::Ack, _) => vec![altered, early, Some(limit)],
        };
        let on_the_path = self.strange.contains(&join.decided_by).then_some(Cause::OnThePath);
        on_the_path.into_iter().chain(unseen).chain(causes.into_iter().flatten()).collect()
    }
}

/// Whether a join goes to the address and port that its host's MP_CAPABLE says not to join (RFC 8684 §3.1).
#[must_use]
pub fn is_against_flag(capture: &Capture, connection: &Connection, join: &JoinAttempt) -> bool {
    let tracking = &capture.tracking;
    let (Some(subflow), Some(stream)) = (tracking.subflow(join.tcpstream), tracking.stream(join.tcpstream)) else {
        return false;
    };
    let closed = not_to_be_joined(capture, connection, subflow.opened_towards);
    closed == Some((stream.server.address, stream.server.port))
}

/// The address and port that `host` asks not to open further subflows to (RFC 8684 §3.1, flag C of MP_CAPABLE): those of
/// its end of the initial subflow.
#[must_use]
pub fn not_to_be_joined(capture: &Capture, connection: &Connection, host: Role) -> Option<(IpAddr, u16)> {
    let initial = connection
        .subflows
        .iter()
        .find(|id| capture.tracking.subflow(**id).is_some_and(|subflow| subflow.kind == SubflowKind::Initial))?;
    let stream = capture.tracking.stream(*initial)?;
    let row = match host {
        Role::Client => stream.syn,
        Role::Server => stream.syn_ack,
    }?;
    let capable = capture.segments.get(row.index())?.capable()?;
    let endpoint = stream.endpoint(host);
    (capable.flags & Capable::NO_JOIN_HERE != 0).then_some((endpoint.address, endpoint.port))
}

/// How far either end of the *connection* is from the place of capture over a subflow: half of the time
/// that its answer in the handshake took.
fn distances(capture: &Capture, id: StreamId) -> Option<ByRole<Span>> {
    let (stream, subflow) = (capture.tracking.stream(id)?, capture.tracking.subflow(id)?);
    let time = |row: Option<PacketRow>| capture.segments.get(row?.index()).map(|segment| segment.abstime);
    let answered = time(stream.syn_ack)?;
    let asked = last_syn(capture, stream)?;
    let half = |span: Span| span.max(Span::ZERO) / 2;
    let mut distances = ByRole::default();
    *distances.get_mut(Tracking::mptcp_towards(subflow, Role::Server)) = half(answered - asked);
    if let Some(ended) = time(stream.third_ack) {
        *distances.get_mut(Tracking::mptcp_towards(subflow, Role::Client)) = half(ended - answered);
    }
    Some(distances)
}

/// Of several SYNs the last one before the answer brought it about.
fn last_syn(capture: &Capture, stream: &Stream) -> Option<Instant> {
    let before = stream.packets.iter().take_while(|row| Some(**row) != stream.syn_ack);
    let syns = before.filter_map(|row| capture.segments.get(row.index())).filter(|segment| segment.is_syn());
    syns.last().map(|syn| syn.abstime)
}
