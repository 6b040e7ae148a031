//! Outcome of each attempt to join a connection.

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::tracking::authentication::{HmacVerdict, JoinVerdict, verify_join};
use crate::tracking::connections::JoinHandshake;
use crate::tracking::{ByRole, Capture, Connection, Role, Stream, SubflowKind};
use crate::{PacketRow, StreamId};

/// Outcome of an attempt, as far as the capture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinOutcome {
    /// All three packets of the handshake were seen and nobody took offence.
    Established,
    /// A RST ended it before it carried data.
    Refused,
    /// The SYN/ACK came without MP_JOIN, or after one with it the ACK: the option is not known, or something on the path
    /// removed it.
    OptionMissing,
    /// Nobody answered the SYN.
    Unanswered,
    /// The SYN/ACK was not answered, or the answer not captured.
    Unfinished,
}

/// A packet of the handshake that carries an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The one by the subflow's TCP server.
    SynAck,
    /// The one by its TCP client.
    Ack,
}

impl Proof {
    /// Its flags, as people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Proof::SynAck => "SYN/ACK",
            Proof::Ack => "ACK",
        }
    }

    /// The own one of the places of both.
    #[must_use]
    pub fn of<M>(self, [syn_ack, ack]: [Option<M>; 2]) -> Option<M> {
        match self {
            Proof::SynAck => syn_ack,
            Proof::Ack => ack,
        }
    }
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinAttempt {
    /// The TCP stream.
    pub tcpstream: StreamId,
    /// Content of the handshake.
    pub handshake: JoinHandshake,
    /// Its end.
    pub outcome: JoinOutcome,
    /// Row of the packet that decided it: the ACK, the RST, the SYN/ACK or ACK without option, the last SYN.
    pub decided_by: PacketRow,
    /// Rows of the SYN/ACK and of the ACK with MP_JOIN, which carry an HMAC each.
    pub proofs: [Option<PacketRow>; 2],
    /// For a refusal, the end of the TCP stream that sent the RST.
    pub refused_by: Option<Role>,
    /// For a refusal, the reason in MP_TCPRST (RFC 8684 §3.6).
    pub reason: Option<u8>,
    /// Verdicts on the HMACs.
    pub verdict: JoinVerdict,
    /// SYNs sent.
    pub syns: usize,
}

impl JoinAttempt {
    /// True when an HMAC was checked and found wrong.
    #[must_use]
    pub fn hmac_is_wrong(&self) -> bool {
        self.verdict.overall() == HmacVerdict::Invalid
    }

    /// The packets whose HMAC was checked and found wrong.
    pub fn wrong_hmacs(&self) -> impl Iterator<Item = Proof> + use<> {
        let checked = [(Proof::SynAck, self.verdict.syn_ack), (Proof::Ack, self.verdict.ack)];
        checked.into_iter().filter(|(_, verdict)| *verdict == HmacVerdict::Invalid).map(|(proof, _)| proof)
    }
}

/// The joins of a connection, in order of their streams.
#[must_use]
pub fn joins(capture: &Capture, connection: &Connection) -> Vec<JoinAttempt> {
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    streams.filter_map(|stream| attempt(capture, connection, stream)).collect()
}

/// The join that a stream attempted; `None` for others.
pub(super) fn attempt(capture: &Capture, connection: &Connection, stream: &Stream) -> Option<JoinAttempt> {
    let subflow = capture.tracking.subflow(stream.id)?;
    let SubflowKind::Join(handshake) = &subflow.kind else { return None };
    let mut course = JoinCourse::default();
    for row in interruptible(&stream.packets) {
        let (segment, packet) = (capture.segments.get(row.index())?, capture.tracking.packets.get(*row)?);
        let step = JoinStep {
            towards: stream.towards(packet),
            data: packet.data(segment).unwrap_or(0),
            resets: packet.ends_with(flag::RST, segment),
            answers: stream.syn_ack == Some(*row),
            proves: handshake.rows[2] == Some(*row),
        };
        course.push(*row, segment, step);
        if course.is_confirmed() {
            break;
        }
    }
    let ending = course.ending(handshake.rows[1].is_some())?;
    Some(JoinAttempt {
        tcpstream: stream.id,
        handshake: **handshake,
        outcome: ending.outcome,
        decided_by: ending.decided_by,
        proofs: course.proofs(),
        refused_by: ending.refused_by,
        reason: ending.reason,
        verdict: verify_join(connection, subflow, handshake),
        syns: stream.syns as usize,
    })
}

/// What the packets of an attempt showed so far; `M` says where a packet is.
#[derive(Debug, Clone)]
pub struct JoinCourse<M> {
    /// SYNs sent.
    pub syns: usize,
    last_syn: Option<M>,
    /// The SYN/ACK, and whether its options were cut.
    syn_ack: Option<(M, bool)>,
    /// The ACK with MP_JOIN.
    ack: Option<M>,
    /// The client's first packet after the SYN/ACK, where it has no MPTCP option.
    bare_ack: Option<M>,
    /// The client sent something after the SYN/ACK.
    client_went_on: bool,
    /// The server's next packet after that ACK.
    confirmation: Option<Sent<M>>,
    /// The first packet that was a RST of this stream or carried data.
    first: Option<Sent<M>>,
    first_data: Option<M>,
    /// The reason that each end gave in any of its RSTs.
    reasons: ByRole<Option<u8>>,
}

/// Role of a packet in an attempt.
#[derive(Debug, Clone, Copy)]
pub struct JoinStep {
    /// The end of the stream that it travels towards.
    pub towards: Role,
    /// Bytes of data.
    pub data: u32,
    /// It is a RST that its receiver acts on.
    pub resets: bool,
    /// It is the SYN/ACK that answers the SYN.
    pub answers: bool,
    /// It is the ACK with MP_JOIN.
    pub proves: bool,
}

/// A packet that may decide.
#[derive(Debug, Clone, Copy)]
struct Sent<M> {
    place: M,
    reset: bool,
    by: Role,
}

/// Outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending<M> {
    /// How.
    pub outcome: JoinOutcome,
    /// Where the packet is that decided it, as in [`JoinAttempt::decided_by`].
    pub decided_by: M,
    /// For a refusal, the end of the TCP stream that sent the RST.
    pub refused_by: Option<Role>,
    /// For a refusal, the reason in MP_TCPRST.
    pub reason: Option<u8>,
}

impl<M> Default for JoinCourse<M> {
    fn default() -> Self {
        JoinCourse {
            syns: 0,
            last_syn: None,
            syn_ack: None,
            ack: None,
            bare_ack: None,
            client_went_on: false,
            confirmation: None,
            first: None,
            first_data: None,
            reasons: ByRole::default(),
        }
    }
}

impl<M: Copy> JoinCourse<M> {
    /// Takes in the next packet of the stream.
    pub fn push(&mut self, place: M, segment: &Segment, step: JoinStep) {
        if segment.has(flag::RST) && !step.resets {
            // Out of the window, or of an earlier use of the ports.
            return;
        }
        let sent = Sent { place, reset: step.resets, by: step.towards.other() };
        let carries_data = !segment.has(flag::SYN) && step.data > 0;
        if segment.is_syn() {
            self.syns = self.syns.saturating_add(1);
            self.last_syn = Some(place);
        }
        if self.ack.is_some() && !segment.has(flag::SYN) && sent.by == Role::Server {
            self.confirmation.get_or_insert(sent);
        }
        if step.proves {
            self.ack.get_or_insert(place);
        }
        if self.syn_ack.is_some() && sent.by == Role::Client && !segment.has(flag::SYN) {
            let first = !std::mem::replace(&mut self.client_went_on, true);
            let bare = !segment.is_mptcp() && !segment.options_cut() && !sent.reset;
            self.bare_ack = self.bare_ack.or((first && bare).then_some(place));
        }
        if step.answers {
            self.syn_ack.get_or_insert((place, segment.options_cut()));
        }
        if sent.reset {
            let reason = segment.control().and_then(|control| control.reset).and_then(|reset| reset.reason);
            let known = self.reasons.get_mut(sent.by);
            *known = known.or(reason);
        }
        if sent.reset || carries_data {
            self.first.get_or_insert(sent);
        }
        if carries_data {
            self.first_data.get_or_insert(place);
        }
    }

    /// Where the SYN/ACK and the ACK with MP_JOIN are.
    #[must_use]
    pub fn proofs(&self) -> [Option<M>; 2] {
        [self.syn_ack.map(|(place, _)| place), self.ack]
    }

    /// Whether what comes later changes nothing: the server answered the ACK, or data or a RST came without one.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        if self.ack.is_some() { self.confirmation.is_some() } else { self.first.is_some() }
    }

    /// Whether the server confirmed the join.
    fn is_confirmed(&self) -> bool {
        self.confirmation.as_ref().is_some_and(|confirmation| !confirmation.reset)
    }

    /// How it ended, if nothing more comes. `answered`: the SYN/ACK had MP_JOIN. `None` where no packet tells anything.
    #[must_use]
    pub fn ending(&self, answered: bool) -> Option<Ending<M>> {
        let of = |outcome, decided_by| Ending { outcome, decided_by, refused_by: None, reason: None };
        // The server confirms the third packet with an ACK of its own (RFC 8684 §3.2): a RST instead of it refuses the
        // join. Without a third packet, any RST before data does.
        let decisive = if self.ack.is_some() { &self.confirmation } else { &self.first };
        if let Some(reset) = decisive.as_ref().filter(|sent| sent.reset) {
            if let Some((bare, false)) = self.syn_ack
                && !answered
            {
                return Some(of(JoinOutcome::OptionMissing, bare));
            }
            // Without the ACK's option the server cannot know the client.
            if let Some(bare) = self.bare_ack.filter(|_| self.ack.is_none() && reset.by == Role::Server) {
                return Some(of(JoinOutcome::OptionMissing, bare));
            }
            return Some(Ending {
                refused_by: Some(reset.by),
                reason: *self.reasons.get(reset.by),
                ..of(JoinOutcome::Refused, reset.place)
            });
        }
        if let Some(place) = self.ack.or(self.first_data) {
            return Some(of(JoinOutcome::Established, place));
        }
        if let Some((answer, _)) = self.syn_ack {
            return Some(of(JoinOutcome::Unfinished, answer));
        }
        self.last_syn.map(|syn| of(JoinOutcome::Unanswered, syn))
    }
}

/// Meaning of a reason code of MP_TCPRST (RFC 8684 §3.6).
#[must_use]
pub fn reason_name(code: u8) -> &'static str {
    match code {
        0 => "unspecified",
        1 => "MPTCP-specific error",
        2 => "lack of resources",
        3 => "administratively prohibited",
        4 => "too much outstanding data",
        5 => "unacceptable performance",
        6 => "middlebox interference",
        _ => "a code that RFC 8684 does not define",
    }
}
