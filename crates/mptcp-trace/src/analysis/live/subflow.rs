//! One subflow while its packets come in: what they decide that a single one does not show.

use super::{PacketPlace, Sighting};
use crate::analysis::events::{Ends, EventKind, explain, of_hmacs, of_join, of_loss};
use crate::analysis::fallback::{Signs, Told};
use crate::analysis::fallback_cause::Causes;
use crate::analysis::joins::{JoinAttempt, JoinCourse, JoinStep};
use crate::analysis::option_loss::OptionLoss;
use crate::analysis::standstill::Waiting;
use crate::packets::segment::{Segment, flag};
use crate::tracking::authentication::verify_join;
use crate::tracking::connections::Candidate;
use crate::tracking::streams::OpenStream;
use crate::tracking::{Connection, FastOpen, PacketInStream, Role, Subflow, SubflowKind};
use crate::{ConnectionId, PacketRow, StreamId};

/// State of a subflow.
#[derive(Debug)]
pub struct OpenSubflow {
    /// Its connection.
    pub connection: ConnectionId,
    /// The end of the connection that it was opened towards.
    pub opened_towards: Role,
    /// Ends of its directions that were seen.
    pub ends: Ends,
    /// Whether something was told of it.
    pub mentioned: bool,
    /// The join, until it is decided.
    join: Option<Box<JoinCourse<PacketPlace>>>,
    /// It opened the connection.
    initial: bool,
    /// Parts missing from its packets.
    loss: Option<Box<OptionLoss<PacketPlace>>>,
    /// Signs of a fallback and what may have brought it about, until there was one.
    signs: Option<Box<(Signs<PacketPlace>, Causes<()>)>>,
    /// By who sent the stream's first packet.
    directions: [Direction; 2],
}

/// One direction of a subflow.
#[derive(Debug, Default)]
struct Direction {
    /// Data on its way.
    waiting: Waiting<PacketPlace>,
    /// A standstill was told, and nothing has moved since.
    stale: bool,
    /// One past the last byte that a mapping covers, relative.
    mapped: Option<u32>,
    /// Data that no mapping covers, and one past its last byte, relative.
    unmapped: Option<(u64, PacketPlace, u32)>,
}

/// A packet of a subflow, and where it is.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The packet.
    pub segment: &'a Segment,
    /// Its place in the stream.
    pub packet: &'a PacketInStream,
    /// Counts packets.
    pub number: u64,
    /// Where it is told of.
    pub place: PacketPlace,
    /// Packet id of the connection's first ACK with MP_JOIN.
    pub joined: Option<u64>,
}

impl Seen<'_> {
    /// Bytes of its payload that are data.
    fn data(&self) -> u32 {
        self.packet.data(self.segment).unwrap_or(0)
    }
}

impl OpenSubflow {
    /// The part that a stream has in `connection`, which learns from it.
    #[must_use]
    pub fn new(number: StreamId, candidate: &Candidate, connection: &mut Connection) -> Self {
        let kind = candidate.kind();
        let join = matches!(kind, SubflowKind::Join(_)).then(Box::default);
        let initial = matches!(kind, SubflowKind::Initial);
        let loss = (!matches!(kind, SubflowKind::Unknown)).then(Box::default);
        let signs = matches!(kind, SubflowKind::Initial).then(Box::default);
        let mut subflow = Subflow::new(number, connection.id, kind);
        connection.place_join(&mut subflow);
        OpenSubflow {
            connection: connection.id,
            opened_towards: subflow.opened_towards,
            ends: Ends::default(),
            mentioned: false,
            join,
            initial,
            loss,
            signs,
            directions: Default::default(),
        }
    }

    /// Takes in the next packet and tells what it decides. Returns how many of its bytes had been sent before.
    pub fn push(
        &mut self,
        seen: Seen<'_>,
        (stream, candidate, connection): (&OpenStream, &Candidate, &Connection),
        tell: &mut impl FnMut(PacketPlace, Sighting),
    ) -> u64 {
        let towards = stream.towards(seen.packet);
        if let Some(course) = &mut self.join {
            let answers = seen.segment.is_syn_ack() && seen.packet.answers_the_syn();
            let proves = candidate.join.as_ref().is_some_and(|join| join.rows[2] == Some(row(seen.number)));
            let resets = seen.packet.ends_with(flag::RST, seen.segment);
            course.push(seen.place, seen.segment, JoinStep { towards, data: seen.data(), resets, answers, proves });
            if course.is_settled() {
                self.decide_join(candidate, connection, tell);
            }
        }
        if let Some(loss) = &mut self.loss
            && let Some(loss) = loss.push(seen.place, seen.segment, seen.packet, towards.other())
            && (!self.initial || (loss.later && seen.joined.is_some_and(|joined| joined < loss.from.packetid)))
        {
            tell(loss.from, (EventKind::SubflowOptionsRemoved, of_loss(loss.from.towards, loss.later)));
        }
        let again = self.note_progress(seen, tell);
        self.note_mappings(seen, stream.fast_open().filter(|_| towards == Role::Server));
        if self.signs.is_some() {
            self.look_for_fallback(seen, (towards, stream.fast_open()), connection, tell);
        }
        again
    }

    /// Nothing more is looked at: tells what is only now certain.
    pub fn finish(
        &mut self,
        (candidate, connection): (&Candidate, &Connection),
        tell: &mut impl FnMut(PacketPlace, Sighting),
    ) {
        if self.join.is_some() {
            self.decide_join(candidate, connection, tell);
        }
        let joined = self.loss.iter_mut().filter(|_| !self.initial);
        for loss in joined.flat_map(|loss| loss.finish()) {
            tell(loss.from, (EventKind::SubflowOptionsRemoved, of_loss(loss.from.towards, loss.later)));
        }
        // Data that nobody acknowledged show nothing.
        for direction in &mut self.directions {
            direction.unmapped = None;
        }
        self.tell_fallback(connection, tell);
    }

    fn decide_join(
        &mut self,
        candidate: &Candidate,
        connection: &Connection,
        tell: &mut impl FnMut(PacketPlace, Sighting),
    ) {
        let (Some(course), SubflowKind::Join(handshake)) = (self.join.take(), candidate.kind()) else { return };
        let Some(ending) = course.ending(handshake.rows[1].is_some()) else { return };
        let subflow = Subflow {
            opened_towards: self.opened_towards,
            ..Subflow::new(StreamId(0), connection.id, SubflowKind::Unknown)
        };
        let attempt = JoinAttempt {
            tcpstream: StreamId(0),
            handshake: *handshake,
            outcome: ending.outcome,
            decided_by: PacketRow(0),
            proofs: [None, None],
            refused_by: ending.refused_by,
            reason: ending.reason,
            verdict: verify_join(connection, &subflow, &handshake),
            syns: course.syns,
        };
        of_hmacs(&attempt, |proof, kind, detail| {
            if let Some(place) = proof.of(course.proofs()) {
                tell(place, (kind, detail));
            }
        });
        of_join(&attempt, |kind, detail| tell(ending.decided_by, (kind, detail)));
    }

    /// Data sent again and again without an acknowledgement, told once while nothing moves.
    fn note_progress(&mut self, seen: Seen<'_>, tell: &mut impl FnMut(PacketPlace, Sighting)) -> u64 {
        let [first, second] = &mut self.directions;
        let (own, peer) = if seen.packet.by_first_sender { (first, second) } else { (second, first) };
        let again = own.waiting.sends(seen.segment, seen.data(), seen.place);
        own.waiting.limit();
        // Before the acknowledgement ends it.
        for direction in [&mut *own, &mut *peer] {
            if let Some((from, place)) = direction.waiting.standstill(seen.segment.abstime)
                && !std::mem::replace(&mut direction.stale, true)
            {
                let from = place.seconds_of(from);
                tell(place, (EventKind::SubflowStale, format!("nothing acknowledged since {from:.3} s")));
            }
        }
        if peer.waiting.acknowledges(seen.segment) {
            peer.stale = false;
        }
        again
    }

    /// How far mappings reach (RFC 8684 §3.3.1), and data beyond; `fast_open` is of the SYN, for packets of its direction.
    fn note_mappings(&mut self, seen: Seen<'_>, fast_open: Option<FastOpen>) {
        // Subflow sequence numbers count from behind the SYN's data (RFC 8684 §B.3).
        let from = fast_open.and_then(|fast_open| fast_open.accepted).unwrap_or(0);
        let [first, second] = &mut self.directions;
        let own = if seen.packet.by_first_sender { first } else { second };
        let of_dss = seen.segment.dss().and_then(|dss| dss.mapping);
        let of_dss = of_dss.map(|mapping| mapping.ssn.wrapping_add(mapping.length.into()).wrapping_add(from));
        let of_capable = seen.segment.capable().and_then(|capable| capable.data_length);
        for end in
            of_dss.into_iter().chain(of_capable.map(|length| u32::from(length).wrapping_add(1).wrapping_add(from)))
        {
            if own.mapped.is_none_or(|mapped| reaches(end, mapped)) {
                own.mapped = Some(end);
            }
        }
        if own.unmapped.is_some_and(|(.., end)| own.mapped.is_some_and(|mapped| reaches(mapped, end))) {
            own.unmapped = None;
        }
    }

    fn look_for_fallback(
        &mut self,
        seen: Seen<'_>,
        (towards, fast_open): (Role, Option<FastOpen>),
        connection: &Connection,
        tell: &mut impl FnMut(PacketPlace, Sighting),
    ) {
        let Some(known) = &mut self.signs else { return };
        let (signs, causes) = &mut **known;
        causes.push(seen.place.packetid, (), seen.segment, fast_open);
        let told = Told { towards, data: seen.data(), answers: seen.packet.answers_the_syn() };
        let bare = signs.push(seen.number, seen.place, seen.segment, told);
        let [first, second] = &mut self.directions;
        let (own, peer) = if seen.packet.by_first_sender { (first, second) } else { (second, first) };
        let length = seen.data();
        if bare {
            let end = seen.packet.sequence.wrapping_add(length);
            if !own.mapped.is_some_and(|mapped| reaches(mapped, end)) {
                own.unmapped.get_or_insert((seen.number, seen.place, end));
            }
        }
        // What is acknowledged has no bytes missing before it, where a mapping could still be; and a receiver that still
        // speaks MPTCP had one.
        let acknowledged = |end: u32| seen.packet.acknowledgement().is_some_and(|position| reaches(position, end));
        let unmapped = peer.unmapped.is_some_and(|(.., end)| acknowledged(end));
        if unmapped && seen.segment.is_mptcp() {
            peer.unmapped = None;
        }
        let unmapped = unmapped && !seen.segment.is_mptcp();
        // An end that has not spoken may still do so, unless it sends data or its FIN without.
        let ends = seen.packet.ends_with(flag::FIN, seen.segment) && !seen.segment.has(flag::RST);
        let silent = signs.is_silent(towards.other()) && (length > 0 || ends);
        if signs.is_plain() || unmapped || silent {
            self.tell_fallback(connection, tell);
        }
    }

    fn tell_fallback(&mut self, connection: &Connection, tell: &mut impl FnMut(PacketPlace, Sighting)) {
        let Some(known) = self.signs.take() else { return };
        let (signs, causes) = *known;
        let unmapped = self.directions.iter().filter_map(|direction| direction.unmapped);
        let unmapped = unmapped.map(|(number, place, _)| (number, place)).min_by_key(|(number, _)| *number);
        if let Some((shown, place)) = signs.reason(unmapped) {
            let (reason, _) = causes.explain(shown, place.packetid, connection);
            tell(place, (EventKind::Fallback, explain(reason).to_string()));
        }
    }
}

/// Whether a relative sequence number is at or beyond another (RFC 9293 §3.4).
fn reaches(position: u32, end: u32) -> bool {
    position.wrapping_sub(end) < 1 << 31
}

/// The number of a packet as trackers note it; they compare the latest ones only.
#[must_use]
pub fn row(number: u64) -> PacketRow {
    // Truncation keeps the low bits, which tell the current packet from those before.
    #[allow(clippy::cast_possible_truncation)]
    let row = number as u32;
    PacketRow(row)
}
