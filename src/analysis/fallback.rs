//! Did a connection go on as plain TCP, and where was the option lost?

use std::collections::HashSet;

use serde::Serialize;

use super::fallback_cause::Causes;
use super::requests::request_alone;
use crate::packets::segment::{Segment, flag};
use crate::tracking::connections::mirrors;
use crate::tracking::data::{DataLevel, data_level};
use crate::tracking::travelling::{Travelling, of_subflow, one_by_one};
use crate::tracking::{ByRole, Capture, Connection, PacketInStream, Role, SubflowKind};

/// What shows the fallback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The client's packets after the SYN/ACK have no MPTCP option.
    ThirdAckWithoutOption,
    /// The server's packets after its SYN/ACK have no MPTCP option.
    NoOptionFromServer,
    /// Data came without any mapping, after mappings had been used.
    DataWithoutMapping,
    /// MP_FAIL was sent, and data without any MPTCP option follows.
    ChecksumFailure,
    /// An infinite mapping was sent (RFC 8684 §3.7).
    InfiniteMapping,
    /// The SYN/ACK has another version than the SYN, and the client goes on without MPTCP.
    VersionMismatch,
    /// A mapping without a checksum came although checksums were agreed, and MPTCP ended behind it.
    ChecksumMissing,
    /// A malformed option came, and MPTCP ended behind it.
    OptionMalformed,
}

impl Reason {
    /// The name that JSON has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Reason::ThirdAckWithoutOption => "third_ack_without_option",
            Reason::NoOptionFromServer => "no_option_from_server",
            Reason::DataWithoutMapping => "data_without_mapping",
            Reason::ChecksumFailure => "checksum_failure",
            Reason::InfiniteMapping => "infinite_mapping",
            Reason::VersionMismatch => "version_mismatch",
            Reason::ChecksumMissing => "checksum_missing",
            Reason::OptionMalformed => "option_malformed",
        }
    }
}

/// A fallback to TCP (RFC 8684 §3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fallback {
    /// What shows it.
    pub reason: Reason,
    /// The first packet that does.
    pub packetid: u64,
    /// The packet before it that brought it about, where the capture shows one.
    pub cause: Option<u64>,
    /// Its TCP stream.
    pub tcpstream: u32,
    /// The end that it travels towards.
    pub towards: Role,
    /// Its row.
    #[serde(skip)]
    pub row: u32,
}

/// The fallback of a connection, if the capture shows one.
#[must_use]
pub fn fallback(capture: &Capture, connection: &Connection) -> Option<Fallback> {
    // What was never granted cannot fall back.
    if request_alone(capture, connection).is_some() {
        return None;
    }
    let initial = connection
        .subflows
        .iter()
        .find(|id| capture.tracking.subflow(**id).is_some_and(|subflow| subflow.kind == SubflowKind::Initial))?;
    let stream = capture.tracking.stream(*initial)?;
    let index = connection.subflows.iter().position(|id| id == initial)?;
    let packets = || of_subflow(&capture.segments, &capture.tracking, connection, index);
    let mut signs = Signs::default();
    let mut causes = Causes::default();
    for packet in packets() {
        causes.push(packet.row.into(), packet.segment.packetid, packet.segment);
        let in_stream = capture.tracking.packets.get(packet.row as usize);
        let answers = in_stream.is_some_and(PacketInStream::answers_the_syn);
        signs.push(packet.row.into(), packet, packet.segment, packet.tcp_towards, answers);
    }
    let unmapped = if signs.bare_data {
        unmapped_data(packets(), &data_level(&capture.segments, &capture.tracking, connection))
    } else {
        // Most connections have no data without an option at all, and need no look at the data level.
        None
    };
    let unmapped = unmapped.map(|packet| (packet.row.into(), packet));
    let (shown, packet) = signs.reason(unmapped)?;
    let (reason, cause) = causes.explain(shown, packet.row.into(), connection);
    Some(Fallback {
        reason,
        packetid: packet.segment.packetid,
        cause,
        tcpstream: stream.id,
        towards: packet.towards,
        row: packet.row,
    })
}

/// What the packets of the initial subflow showed so far, each looked at once. Beside each place `M` stands a number that
/// grows along the file.
#[derive(Debug, Clone)]
pub struct Signs<M> {
    /// The first packet after the handshake that each end of the stream sent.
    first: ByRole<Option<(u64, M)>>,
    /// Whether each end used an MPTCP option after the handshake.
    spoke: ByRole<bool>,
    /// The key in the SYN, which version 0 has.
    asked_key: Option<u64>,
    /// What the SYN/ACK that answers the SYN says of MPTCP.
    answer: Option<Answer>,
    /// The first packet with an infinite mapping.
    infinite: Option<(u64, M)>,
    /// Data without any MPTCP option on the established subflow.
    bare_data: bool,
    /// The first such data after MP_FAIL: plain TCP, even where a mapping sent before still reaches over it.
    bare_after_fail: Option<(u64, M)>,
    established: bool,
    failed: bool,
}

/// What a SYN/ACK says of MPTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// MP_CAPABLE with a key, or its options were cut.
    Granted,
    /// No MP_CAPABLE.
    Bare,
    /// The SYN's own MP_CAPABLE.
    Mirrored,
}

impl<M> Default for Signs<M> {
    fn default() -> Self {
        Signs {
            first: ByRole { server: None, client: None },
            spoke: ByRole::default(),
            asked_key: None,
            answer: None,
            infinite: None,
            bare_data: false,
            bare_after_fail: None,
            established: false,
            failed: false,
        }
    }
}

impl<M: Copy> Signs<M> {
    /// Takes in the next packet, which travels towards `towards` in the stream. `answers`: it acknowledges the SYN. True
    /// when it carries data without any MPTCP option on the established subflow, which is plain TCP unless a mapping
    /// covers it.
    pub fn push(&mut self, number: u64, place: M, segment: &Segment, towards: Role, answers: bool) -> bool {
        let place = (number, place);
        if segment.has(flag::SYN) {
            self.note_handshake(segment, answers);
        }
        if segment.flags & (flag::SYN | flag::RST) == 0 && segment.has(flag::ACK) {
            let sender = towards.other();
            *self.spoke.get_mut(sender) |= segment.is_mptcp() || segment.options_cut;
            self.first.get_mut(sender).get_or_insert(place);
        }
        // The infinite mapping comes with data.
        if sends_infinite_mapping(segment) && segment.payload.is_none_or(|length| length > 0) {
            self.infinite.get_or_insert(place);
        }
        let bare = carries_bare_data(segment);
        if bare {
            self.bare_data |= self.established;
            if self.failed {
                self.bare_after_fail.get_or_insert(place);
            }
        }
        let on_established = bare && self.established;
        self.established |= segment.is_mptcp() && !segment.has(flag::SYN);
        self.failed |= segment.control.as_ref().is_some_and(|control| control.fail.is_some());
        on_established
    }

    fn note_handshake(&mut self, segment: &Segment, answers: bool) {
        let capable = segment.capable();
        if segment.is_syn() {
            self.asked_key = self.asked_key.or(capable.and_then(|capable| capable.sender_key));
        } else if answers {
            self.answer.get_or_insert(match capable {
                Some(capable) if mirrors(segment, capable, self.asked_key) => Answer::Mirrored,
                None if !segment.options_cut => Answer::Bare,
                _ => Answer::Granted,
            });
        }
    }

    /// The first thing that shows a fallback. `unmapped`: the first data that no mapping covers.
    #[must_use]
    pub fn reason(&self, unmapped: Option<(u64, M)>) -> Option<(Reason, M)> {
        if self.answer == Some(Answer::Mirrored) {
            return None;
        }
        let mut found: Vec<(Reason, (u64, M))> = Vec::new();
        found.extend(self.silent().filter(|_| self.is_granted()));
        found.extend(self.infinite.map(|place| (Reason::InfiniteMapping, place)));
        found.extend(unmapped.map(|place| (Reason::DataWithoutMapping, place)));
        found.extend(self.bare_after_fail.map(|place| (Reason::ChecksumFailure, place)));
        let first = found.into_iter().rev().min_by_key(|(_, (number, _))| *number);
        first.map(|(reason, (_, place))| (reason, place))
    }

    /// Whether what was seen is beyond doubt, whatever comes later: not the silence of an end, which may still speak.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.infinite.is_some() || self.bare_after_fail.is_some()
    }

    /// Whether this end of the stream answered the other's MPTCP with packets after the handshake, none of which has an
    /// option of it.
    #[must_use]
    pub fn is_silent(&self, end: Role) -> bool {
        self.is_granted() && self.first.get(end).is_some() && !*self.spoke.get(end)
    }

    /// Whether the SYN was answered, and MPTCP spoken: what was never granted cannot fall back.
    fn is_granted(&self) -> bool {
        match self.answer {
            Some(Answer::Granted) => true,
            Some(Answer::Bare) => self.spoke.client || self.spoke.server,
            Some(Answer::Mirrored) | None => false,
        }
    }

    /// The first packet after the handshake of an end that answered the other's MPTCP with none at all.
    fn silent(&self) -> Option<(Reason, (u64, M))> {
        let of = |sender: Role, reason: Reason| {
            let first = self.first.get(sender).filter(|_| !*self.spoke.get(sender))?;
            Some((reason, first))
        };
        let client = of(Role::Client, Reason::ThirdAckWithoutOption);
        let server = of(Role::Server, Reason::NoOptionFromServer);
        client.into_iter().chain(server).min_by_key(|(_, (number, _))| *number)
    }
}

/// The first data on the established initial subflow that has no MPTCP option and that no mapping covers.
fn unmapped_data<'a>(packets: impl Iterator<Item = Travelling<'a>>, level: &DataLevel) -> Option<Travelling<'a>> {
    let rows = level.rows.iter().zip(&level.packets);
    let unmapped: HashSet<u32> = rows.filter(|(_, data)| data.mapping_row.is_none()).map(|(row, _)| *row).collect();
    let before = |packet: &Travelling<'_>| !packet.segment.is_mptcp() || packet.segment.has(flag::SYN);
    let mut later = packets.skip_while(before);
    later.find(|packet| carries_bare_data(packet.segment) && unmapped.contains(&packet.row))
}

fn carries_bare_data(segment: &Segment) -> bool {
    let carries = segment.payload.is_some_and(|length| length > 0) && segment.flags & (flag::SYN | flag::RST) == 0;
    carries && !segment.is_mptcp() && !segment.options_cut
}

fn sends_infinite_mapping(segment: &Segment) -> bool {
    let of_dss = segment.dss.and_then(|dss| dss.mapping).is_some_and(|mapping| mapping.length == 0);
    of_dss || segment.capable().is_some_and(|capable| capable.data_length == Some(0))
}

/// The last packet with an MPTCP option that each end of the connection sent.
#[must_use]
pub fn last_options(capture: &Capture, connection: &Connection) -> ByRole<Option<u64>> {
    let mut last = ByRole::default();
    for packet in one_by_one(&capture.segments, &capture.tracking, connection) {
        if packet.segment.is_mptcp() {
            *last.get_mut(packet.towards.other()) = Some(packet.segment.packetid);
        }
    }
    last
}
