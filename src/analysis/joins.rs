//! What became of each attempt to join a connection?

use serde::Serialize;

use crate::packets::segment::{Segment, flag};
use crate::tracking::authentication::{JoinVerdict, Verdict, verify_join};
use crate::tracking::connections::JoinHandshake;
use crate::tracking::{Capture, Connection, Role, Stream, SubflowKind, Tracking};

/// How an attempt ended, as far as the capture shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// All three packets of the handshake were seen and nobody took offence.
    Established,
    /// A RST ended it before it carried data.
    Refused,
    /// The SYN/ACK came without MP_JOIN: the server does not know the option, or something on the path removed it.
    OptionMissing,
    /// Nobody answered the SYN.
    Unanswered,
    /// The SYN/ACK was not answered, or the answer not captured.
    Unfinished,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinAttempt {
    /// The TCP stream.
    pub tcpstream: u32,
    /// What the handshake said.
    pub handshake: JoinHandshake,
    /// How it ended.
    pub outcome: Outcome,
    /// Row of the packet that decided it: the ACK, the RST, the SYN/ACK without option, the last SYN.
    pub decided_by: u32,
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
        self.verdict.overall() == Verdict::Invalid
    }
}

/// The joins of a connection, in order of their streams.
#[must_use]
pub fn joins(capture: &Capture, connection: &Connection) -> Vec<JoinAttempt> {
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    streams.filter_map(|stream| attempt(capture, connection, stream)).collect()
}

fn attempt(capture: &Capture, connection: &Connection, stream: &Stream) -> Option<JoinAttempt> {
    let subflow = capture.tracking.subflow(stream.id)?;
    let SubflowKind::Join(handshake) = &subflow.kind else { return None };
    let packets = || stream.packets.iter().filter_map(|row| Some((*row, capture.segments.get(*row as usize)?)));
    let (outcome, decided_by) = outcome(stream, handshake, &capture.tracking, packets)?;
    let reset = capture.segments.get(decided_by as usize).filter(|segment| segment.has(flag::RST));
    let refused_by = reset.and_then(|_| sender(capture, stream, decided_by));
    let reason = refused_by.and_then(|role| reason(capture, stream, role));
    Some(JoinAttempt {
        tcpstream: stream.id,
        handshake: **handshake,
        outcome,
        decided_by,
        refused_by,
        reason,
        verdict: verify_join(connection, subflow, handshake),
        syns: stream.syns as usize,
    })
}

fn outcome<'a, I>(
    stream: &Stream,
    handshake: &JoinHandshake,
    tracking: &Tracking,
    packets: impl Fn() -> I,
) -> Option<(Outcome, u32)>
where
    I: Iterator<Item = (u32, &'a Segment)>,
{
    let [syn, answer, ack] = handshake.rows;
    // The server confirms the third packet with an ACK of its own (RFC 8684 §3.2): a RST instead of it refuses the
    // join. Without a third packet, any RST before data does.
    let refused = match ack {
        Some(ack) => {
            let by_server = |row: u32| {
                tracking.packets.get(row as usize).is_some_and(|packet| stream.towards(packet) == Role::Client)
            };
            let answer = packets().find(|(row, segment)| *row > ack && !segment.has(flag::SYN) && by_server(*row));
            answer.filter(|(_, segment)| segment.has(flag::RST)).map(|(row, _)| row)
        }
        None => {
            let first = packets().find(|(_, segment)| segment.has(flag::RST) || carries_data(segment));
            first.filter(|(_, segment)| segment.has(flag::RST)).map(|(row, _)| row)
        }
    };
    if let Some(reset) = refused {
        return Some(match (stream.syn_ack, answer) {
            (Some(bare), None) if !cut(packets(), bare) => (Outcome::OptionMissing, bare),
            _ => (Outcome::Refused, reset),
        });
    }
    let first_data = packets().find(|(_, segment)| carries_data(segment)).map(|(row, _)| row);
    if let Some(row) = ack.or(first_data) {
        return Some((Outcome::Established, row));
    }
    if let Some(answer) = answer.or(stream.syn_ack) {
        return Some((Outcome::Unfinished, answer));
    }
    let last_syn = packets().filter(|(_, segment)| segment.is_syn()).map(|(row, _)| row).last();
    last_syn.or(syn).map(|row| (Outcome::Unanswered, row))
}

fn cut<'a>(mut packets: impl Iterator<Item = (u32, &'a Segment)>, wanted: u32) -> bool {
    packets.any(|(row, segment)| row == wanted && segment.options_cut)
}

fn carries_data(segment: &Segment) -> bool {
    !segment.has(flag::SYN) && segment.payload.is_some_and(|length| length > 0)
}

/// The end of the stream that sent the packet in `row`.
fn sender(capture: &Capture, stream: &Stream, row: u32) -> Option<Role> {
    capture.tracking.packets.get(row as usize).map(|packet| stream.towards(packet).other())
}

/// The reason that this end gave in any of its RSTs.
fn reason(capture: &Capture, stream: &Stream, by: Role) -> Option<u8> {
    stream.packets.iter().find_map(|row| {
        let reset = capture.segments.get(*row as usize)?.control.as_ref()?.reset?;
        (sender(capture, stream, *row) == Some(by)).then_some(reset.reason).flatten()
    })
}

/// What a reason code of MP_TCPRST means (RFC 8684 §3.6).
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
