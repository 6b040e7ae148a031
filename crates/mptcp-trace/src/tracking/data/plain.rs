//! Did a connection go on as plain TCP, and from where on in either direction?

use serde::Serialize;

use super::flow::{Payload, place};
use super::mappings::Flows;
use super::probes::DataProgress;
use crate::packets::segment::{Segment, flag};
use crate::tracking::connections::mirrors;
use crate::tracking::role::{ByRole, Role};
use crate::tracking::travelling::Travelling;
use crate::tracking::{Connection, SubflowKind, Tracking};
use crate::{PacketRow, StreamId};

/// Evidence of the fallback.
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
    /// The SYN had data (TCP Fast Open, RFC 7413) that the SYN/ACK did not acknowledge, and MPTCP ended behind it.
    SynDataRefused,
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
            Reason::SynDataRefused => "syn_data_refused",
        }
    }
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
    /// MPTCP in the SYN/ACK that answers the SYN.
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

/// MPTCP in a SYN/ACK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// MP_CAPABLE with a key, or its options were cut.
    Granted,
    /// No MP_CAPABLE.
    Bare,
    /// The SYN's own MP_CAPABLE.
    Mirrored,
}

/// What a packet of the initial subflow is there.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The end of the stream that it travels towards.
    pub towards: Role,
    /// Bytes of data.
    pub data: u32,
    /// It acknowledges the SYN.
    pub answers: bool,
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
    /// Takes in the next packet. True when it carries data without any MPTCP option on the established subflow: plain TCP,
    /// unless a mapping covers it.
    pub fn push(&mut self, number: u64, place: M, segment: &Segment, told: Told) -> bool {
        let Told { towards, data, answers } = told;
        let place = (number, place);
        if segment.has(flag::SYN) {
            self.note_handshake(segment, answers);
        }
        if segment.flags() & (flag::SYN | flag::RST) == 0 && segment.has(flag::ACK) {
            let sender = towards.other();
            *self.spoke.get_mut(sender) |= segment.is_mptcp() || segment.options_cut();
            self.first.get_mut(sender).get_or_insert(place);
        }
        if data > 0 && sends_infinite_mapping(segment) {
            self.infinite.get_or_insert(place);
        }
        let bare = carries_bare_data(segment, data);
        if bare {
            self.bare_data |= self.established;
            if self.failed {
                self.bare_after_fail.get_or_insert(place);
            }
        }
        let on_established = bare && self.established;
        self.established |= segment.is_mptcp() && !segment.has(flag::SYN);
        self.failed |= segment.control().is_some_and(|control| control.fail.is_some());
        on_established
    }

    fn note_handshake(&mut self, segment: &Segment, answers: bool) {
        let capable = segment.capable();
        if segment.is_syn() {
            self.asked_key = self.asked_key.or(capable.and_then(|capable| capable.sender_key));
        } else if answers {
            self.answer.get_or_insert(match capable {
                Some(capable) if mirrors(segment, capable, self.asked_key) => Answer::Mirrored,
                None if !segment.options_cut() => Answer::Bare,
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

    /// Whether data without any MPTCP option was seen on the established subflow.
    #[must_use]
    pub fn has_bare_data(&self) -> bool {
        self.bare_data
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

    /// Whether MPTCP was asked for, and the answer did not grant it: plain TCP from the beginning.
    fn is_refused(&self) -> bool {
        matches!(self.answer, Some(Answer::Bare | Answer::Mirrored)) && !self.is_granted()
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

#[inline]
fn carries_bare_data(segment: &Segment, data: u32) -> bool {
    data > 0 && segment.flags() & (flag::SYN | flag::RST) == 0 && !segment.is_mptcp() && !segment.options_cut()
}

#[inline]
fn sends_infinite_mapping(segment: &Segment) -> bool {
    let of_dss = segment.dss().and_then(|dss| dss.mapping).is_some_and(|mapping| mapping.length == 0);
    of_dss || segment.capable().is_some_and(|capable| capable.data_length == Some(0))
}

/// The initial subflow, the only one that can go on as plain TCP (RFC 8684 §3.7), while its packets come.
#[derive(Debug, Clone)]
pub struct Initial {
    /// Its index in [`Connection::subflows`].
    pub index: usize,
    /// Row of its SYN/ACK.
    answer: Option<PacketRow>,
    signs: Signs<PacketRow>,
    tails: ByRole<Tail>,
}

/// Data of one direction that may have no mapping. Positions are those of the flow.
#[derive(Debug, Clone, Copy, Default)]
struct Tail {
    /// One past the highest byte that came without any MPTCP option.
    bare: Option<u64>,
    /// How far the receiver acknowledged the subflow in packets with an MPTCP option: it had a mapping for that.
    with_option: Option<u64>,
    /// How far in packets without: what has no mapping came to it as plain TCP.
    without: Option<u64>,
}

impl Initial {
    /// The initial subflow of a connection; `None` when the capture lacks its handshake.
    #[must_use]
    pub fn of(tracking: &Tracking, connection: &Connection) -> Option<Self> {
        let is_initial =
            |id: &StreamId| tracking.subflow(*id).is_some_and(|subflow| subflow.kind == SubflowKind::Initial);
        let index = connection.subflows.iter().position(is_initial)?;
        let stream = tracking.stream(*connection.subflows.get(index)?)?;
        Some(Initial { index, answer: stream.syn_ack, signs: Signs::default(), tails: ByRole::default() })
    }

    /// What a packet of the subflow is there.
    #[inline]
    #[must_use]
    pub fn told(&self, packet: &Travelling<'_>) -> Told {
        Told { towards: packet.tcp_towards, data: packet.data, answers: self.answer == Some(packet.row) }
    }

    /// Takes in the next packet of the connection, whose payload lies there. Those of other subflows say nothing.
    #[inline]
    pub fn push(&mut self, packet: &Travelling<'_>, payload: Payload, flows: &Flows) {
        if packet.subflow != self.index {
            return;
        }
        let segment = packet.segment;
        let told = self.told(packet);
        let bare = self.signs.push(packet.row.into(), packet.row, segment, told);
        if bare {
            let tail = self.tails.get_mut(packet.towards);
            tail.bare = tail.bare.max(Some(payload.end()));
        }
        let answered = packet.towards.other();
        let tail = self.tails.get_mut(answered);
        if tail.bare.is_some() && segment.flags() & (flag::ACK | flag::RST) == flag::ACK {
            let flow = flows.get(answered).get(self.index);
            let position = flow.and_then(|flow| flow.acknowledged(segment.acknowledgement));
            let known = if segment.is_mptcp() { &mut tail.with_option } else { &mut tail.without };
            *known = (*known).max(position);
        }
    }

    /// What its packets showed.
    pub fn signs(&self) -> &Signs<PacketRow> {
        &self.signs
    }

    /// Where data without a mapping begins, if they alone show a fallback. They lie behind the last mapping, and behind
    /// what was acknowledged with an MPTCP option, whose mapping was only not captured; and their receiver acknowledged
    /// them without an option.
    fn unmapped(&self, flows: &Flows, towards: Role) -> Option<u64> {
        let tail = self.tails.get(towards);
        let flow = flows.get(towards).get(self.index)?;
        let begins = flow.mapped_end().unwrap_or(0).max(tail.with_option.unwrap_or(0));
        (tail.bare?.min(tail.without?) > begins).then_some(begins)
    }

    /// The first of `packets`, all of the subflow, that carries data without a mapping.
    pub fn first_unmapped<'a>(
        &self,
        packets: impl Iterator<Item = Travelling<'a>>,
        flows: &Flows,
    ) -> Option<Travelling<'a>> {
        let mut signs = Signs::default();
        let flow = |towards: Role| flows.get(towards).get(self.index);
        let mut positions = ByRole { server: flow(Role::Server)?.start(), client: flow(Role::Client)?.start() };
        let begins = ByRole { server: self.unmapped(flows, Role::Server), client: self.unmapped(flows, Role::Client) };
        let mut packets = packets;
        packets.find(|packet| {
            let (start, data) = place(positions.get_mut(packet.towards), packet);
            let bare = signs.push(0, (), packet.segment, self.told(packet));
            let begins = begins.get(packet.towards).filter(|_| bare);
            let infinite = flow(packet.towards).is_some_and(|flow| flow.is_infinite_at(start));
            begins.is_some_and(|begins| start.saturating_add(data) > begins) && !infinite
        })
    }

    /// Tells the flows of the subflow from where on they are plain TCP, if there was a fallback; numbers behind those of
    /// all mappings stand in for the missing ones.
    pub fn settle(&self, flows: &mut Flows, courses: &ByRole<DataProgress>, first: ByRole<u64>) {
        let certain = self.signs.is_refused() || self.signs.reason(None).is_some();
        if !certain && Role::BOTH.into_iter().all(|towards| self.unmapped(flows, towards).is_none()) {
            return;
        }
        for towards in Role::BOTH {
            let Some(flow) = flows.get(towards).get(self.index) else { continue };
            let mapped = flow.mapped_end().unwrap_or(0);
            let from = if certain { mapped } else { self.unmapped(flows, towards).unwrap_or(mapped) };
            let dsn = courses.get(towards).end().unwrap_or(*first.get(towards));
            if let Some(flow) = flows.get_mut(towards).get_mut(self.index) {
                flow.goes_plain(from, dsn);
            }
        }
    }
}
