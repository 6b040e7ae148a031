//! Outcome of each handshake whose SYN requested MPTCP.

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::tracking::connections::mirrors;
use crate::tracking::{Capture, Connection, Role, Stream, SubflowKind};
use crate::{Instant, Span, StreamId};

/// Outcome of a request, as far as the capture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestOutcome {
    /// The SYN/ACK has MP_CAPABLE with a key of the server's own.
    Granted,
    /// A SYN was answered by a SYN/ACK without MP_CAPABLE, or the client went on without it.
    Declined,
    /// SYNs with MP_CAPABLE were not answered, a later one without it was.
    Blackholed,
    /// The SYN was answered by a RST.
    Refused,
    /// Nobody answered.
    Unanswered,
    /// The SYN/ACK only repeats the client's option.
    Mirrored,
    /// The capture does not tell: an answer is missing or cut, or it ends too early.
    Unknown,
}

/// One request: a stream whose first SYN has MP_CAPABLE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MptcpRequest {
    /// The TCP stream.
    pub tcpstream: StreamId,
    /// The version that the SYN asks for.
    pub version: u8,
    /// The key in the SYN, which version 0 has.
    pub key: Option<u64>,
    /// Packet ids of the SYNs with MP_CAPABLE, of several captured copies the first.
    pub asked: Vec<u64>,
    /// The same of those without it.
    pub plain: Vec<u64>,
    /// Packet id of what answered: the SYN/ACK, the RST, or else the client's first packet after its SYNs.
    pub answer: Option<u64>,
    /// A SYN/ACK was captured.
    pub syn_ack: bool,
    /// The version of the MP_CAPABLE that answered.
    pub answered_version: Option<u8>,
    /// Its end.
    pub outcome: RequestOutcome,
}

/// Copies of one SYN come within this time; a SYN that is sent again comes later (RFC 6298 §2).
const COPY: Span = Span::from_milliseconds(100);
/// The least time in which an answer may be expected: the first retransmission timeout (RFC 6298 §2).
const PATIENCE: Span = Span::from_seconds(1);

/// The requests of a capture, in order of their streams.
#[must_use]
pub fn requests(capture: &Capture) -> Vec<MptcpRequest> {
    let end = end_of(capture);
    capture.tracking.streams.iter().filter_map(|stream| of_stream(capture, stream, end)).collect()
}

/// The request of a stream; `end` is when the capture ends.
fn of_stream(capture: &Capture, stream: &Stream, end: Instant) -> Option<MptcpRequest> {
    let first = capture.segments.get(stream.syn?.index())?;
    let capable = first.capable()?;
    let mut course = Course::default();
    for row in interruptible(&stream.packets) {
        let (Some(segment), Some(packet)) = (capture.segments.get(row.index()), capture.tracking.packets.get(*row))
        else {
            continue;
        };
        course.push(segment, stream.towards(packet).other(), packet.answers_the_syn());
        if course.syn_ack.is_some() {
            break;
        }
    }
    let (outcome, answer) = course.outcome(capable.sender_key, end);
    Some(MptcpRequest {
        tcpstream: stream.id,
        version: capable.version,
        key: capable.sender_key,
        answer: answer.map(|segment| segment.packetid()),
        syn_ack: course.syn_ack.is_some(),
        answered_version: course.syn_ack.and_then(Segment::capable).map(|capable| capable.version),
        outcome,
        asked: course.asked,
        plain: course.plain,
    })
}

/// State of a handshake up to its SYN/ACK.
#[derive(Default)]
struct Course<'a> {
    asked: Vec<u64>,
    plain: Vec<u64>,
    last: Option<&'a Segment>,
    syn_ack: Option<&'a Segment>,
    /// The server's first RST.
    reset: Option<&'a Segment>,
    /// The client's first packet that is neither SYN nor RST.
    went_on: Option<&'a Segment>,
    /// The server sent something else.
    heard: bool,
    /// Timestamps of SYNs with MP_CAPABLE, those of the first few.
    stamps: Vec<u32>,
}

/// Timestamps of SYNs that are kept: no host sends more of them.
const MOST_STAMPS: usize = 32;

impl<'a> Course<'a> {
    fn push(&mut self, segment: &'a Segment, by: Role, answers: bool) {
        match by {
            Role::Client if segment.is_syn() => self.note_syn(segment),
            Role::Client if !segment.has(flag::RST) => {
                self.went_on.get_or_insert(segment);
            }
            Role::Client => {}
            Role::Server if segment.is_syn_ack() && answers => self.syn_ack = Some(segment),
            Role::Server if segment.has(flag::RST) => {
                self.reset.get_or_insert(segment);
            }
            Role::Server => self.heard = true,
        }
    }

    fn note_syn(&mut self, segment: &'a Segment) {
        if self.last.is_some_and(|last| is_copy(last, segment)) {
            return;
        }
        self.last = Some(segment);
        if segment.capable().is_some() {
            self.asked.push(segment.packetid());
            if let Some((value, _)) = segment.timestamps().filter(|_| self.stamps.len() < MOST_STAMPS) {
                self.stamps.push(value);
            }
        } else if !segment.options_cut() {
            self.plain.push(segment.packetid());
        }
    }

    /// Its end, and the packet that shows it.
    fn outcome(&self, clients_key: Option<u64>, end: Instant) -> (RequestOutcome, Option<&'a Segment>) {
        if let Some(syn_ack) = self.syn_ack {
            let outcome = match syn_ack.capable() {
                Some(capable) if mirrors(syn_ack, capable, clients_key) => RequestOutcome::Mirrored,
                Some(_) => RequestOutcome::Granted,
                None if syn_ack.options_cut() => RequestOutcome::Unknown,
                None if self.answers_a_plain_syn(syn_ack) => RequestOutcome::Blackholed,
                None => RequestOutcome::Declined,
            };
            return (outcome, Some(syn_ack));
        }
        if self.reset.is_some() {
            return (RequestOutcome::Refused, self.reset);
        }
        if let Some(next) = self.went_on {
            // The SYN/ACK was not captured, and what the client made of it was.
            let outcome =
                if next.is_mptcp() || next.options_cut() { RequestOutcome::Unknown } else { RequestOutcome::Declined };
            return (outcome, Some(next));
        }
        let waited = self.last.is_some_and(|last| end - last.abstime >= PATIENCE);
        let again = self.asked.len().saturating_add(self.plain.len()) > 1;
        let outcome =
            if !self.heard && (waited || again) { RequestOutcome::Unanswered } else { RequestOutcome::Unknown };
        (outcome, None)
    }

    /// Whether a SYN/ACK without MP_CAPABLE answers a SYN without it. The timestamp that it echoes may say that it
    /// answers an earlier one.
    fn answers_a_plain_syn(&self, syn_ack: &Segment) -> bool {
        let echoes_asked = syn_ack.timestamps().is_some_and(|(_, echo)| self.stamps.contains(&echo));
        !self.plain.is_empty() && !echoes_asked
    }
}

/// Whether a SYN is the one before it, captured twice.
fn is_copy(one: &Segment, other: &Segment) -> bool {
    one.timestamps() == other.timestamps() && one.capable() == other.capable() && other.abstime - one.abstime < COPY
}

/// The request that a number of Wireshark's stands for, where it stands for nothing else: the key in a version 0 SYN
/// makes Wireshark count a connection, whatever comes of it. `None` where MPTCP was negotiated, or may have been.
#[must_use]
pub fn request_alone(capture: &Capture, connection: &Connection) -> Option<MptcpRequest> {
    if connection.hosts.server.key.is_some() {
        return None;
    }
    let [id] = connection.subflows.as_slice() else { return None };
    if !matches!(capture.tracking.subflow(*id)?.kind, SubflowKind::Initial) {
        return None;
    }
    let stream = capture.tracking.stream(*id)?;
    let request = of_stream(capture, stream, end_of(capture))?;
    let mut later = stream.packets.iter().filter_map(|row| capture.segments.get(row.index()));
    let spoke = |segment: &Segment| !segment.has(flag::SYN) && (segment.is_mptcp() || segment.options_cut());
    match request.outcome {
        RequestOutcome::Mirrored => Some(request),
        RequestOutcome::Granted => None,
        RequestOutcome::Unknown if request.syn_ack => None,
        _ => (!later.any(spoke)).then_some(request),
    }
}

/// When the capture ends.
fn end_of(capture: &Capture) -> Instant {
    capture.segments.last().map_or(Instant::EPOCH, |segment| segment.abstime)
}
