//! Did a connection go on as plain TCP, and where was the option lost?

use std::collections::HashSet;

use serde::Serialize;

use crate::packets::segment::{Segment, flag};
use crate::tracking::data::{DataLevel, data_level};
use crate::tracking::travelling::{Travelling, of_subflow, one_by_one};
use crate::tracking::{ByRole, Capture, Connection, Role, SubflowKind};

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
    /// Its TCP stream.
    pub tcpstream: u32,
    /// The end that it travels towards.
    pub towards: Role,
    /// Its row.
    #[serde(skip)]
    pub row: u32,
}

/// A handshake that asked for MPTCP and got plain TCP: no connection came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Declined {
    /// The TCP stream.
    pub tcpstream: u32,
    /// The SYN with MP_CAPABLE.
    pub syn: u64,
    /// The SYN/ACK without.
    pub syn_ack: u64,
}

/// The fallback of a connection, if the capture shows one.
#[must_use]
pub fn fallback(capture: &Capture, connection: &Connection) -> Option<Fallback> {
    let initial = connection
        .subflows
        .iter()
        .find(|id| capture.tracking.subflow(**id).is_some_and(|subflow| subflow.kind == SubflowKind::Initial))?;
    let stream = capture.tracking.stream(*initial)?;
    let index = connection.subflows.iter().position(|id| id == initial)?;
    let packets = || of_subflow(&capture.segments, &capture.tracking, connection, index);
    let signs = Signs::of(packets());
    let unmapped = if signs.bare_data {
        unmapped_data(packets(), &data_level(&capture.segments, &capture.tracking, connection))
    } else {
        // Most connections have no data without an option at all, and need no look at the data level.
        None
    };
    let mut found: Vec<(Reason, Travelling<'_>)> = Vec::new();
    found.extend(stream.syn_ack.and_then(|_| signs.silent()));
    found.extend(signs.infinite.map(|packet| (Reason::InfiniteMapping, packet)));
    found.extend(unmapped.map(|packet| (Reason::DataWithoutMapping, packet)));
    found.extend(signs.bare_after_fail.map(|packet| (Reason::ChecksumFailure, packet)));
    let (reason, packet) = found.into_iter().rev().min_by_key(|(_, packet)| packet.row)?;
    Some(Fallback {
        reason,
        packetid: packet.segment.packetid,
        tcpstream: stream.id,
        towards: packet.towards,
        row: packet.row,
    })
}

/// What the packets of the initial subflow show, each looked at once.
#[derive(Default)]
struct Signs<'a> {
    /// The first packet after the handshake that each end sent.
    first: ByRole<Option<Travelling<'a>>>,
    /// Whether each end used an MPTCP option after the handshake.
    spoke: ByRole<bool>,
    /// The first packet with an infinite mapping.
    infinite: Option<Travelling<'a>>,
    /// Data without any MPTCP option on the established subflow.
    bare_data: bool,
    /// The first such data after MP_FAIL: plain TCP, even where a mapping sent before still reaches over it.
    bare_after_fail: Option<Travelling<'a>>,
}

impl<'a> Signs<'a> {
    fn of(packets: impl Iterator<Item = Travelling<'a>>) -> Self {
        let mut signs = Signs::default();
        let (mut established, mut failed) = (false, false);
        for packet in packets {
            let segment = packet.segment;
            if segment.flags & (flag::SYN | flag::RST) == 0 && segment.has(flag::ACK) {
                let sender = packet.tcp_towards.other();
                *signs.spoke.get_mut(sender) |= segment.is_mptcp() || segment.options_cut;
                signs.first.get_mut(sender).get_or_insert(packet);
            }
            if sends_infinite_mapping(segment) {
                signs.infinite.get_or_insert(packet);
            }
            if carries_bare_data(segment) {
                signs.bare_data |= established;
                if failed {
                    signs.bare_after_fail.get_or_insert(packet);
                }
            }
            established |= segment.is_mptcp() && !segment.has(flag::SYN);
            failed |= segment.control.as_ref().is_some_and(|control| control.fail.is_some());
        }
        signs
    }

    /// The first packet after the handshake of an end that answered the other's MPTCP with none at all.
    fn silent(&self) -> Option<(Reason, Travelling<'a>)> {
        let of = |sender: Role, reason: Reason| {
            let first = self.first.get(sender).filter(|_| !*self.spoke.get(sender))?;
            Some((reason, first))
        };
        let client = of(Role::Client, Reason::ThirdAckWithoutOption);
        let server = of(Role::Server, Reason::NoOptionFromServer);
        client.into_iter().chain(server).min_by_key(|(_, packet)| packet.row)
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

/// Handshakes that asked for MPTCP in vain.
#[must_use]
pub fn declined(capture: &Capture) -> Vec<Declined> {
    let plain = capture.tracking.streams.iter().filter(|stream| capture.tracking.subflow(stream.id).is_none());
    plain
        .filter_map(|stream| {
            let syn = capture.segments.get(stream.syn? as usize)?;
            let syn_ack = capture.segments.get(stream.syn_ack? as usize)?;
            let asked = syn.capable().is_some();
            let declined = syn_ack.capable().is_none() && !syn_ack.options_cut;
            (asked && declined).then_some(Declined {
                tcpstream: stream.id,
                syn: syn.packetid,
                syn_ack: syn_ack.packetid,
            })
        })
        .collect()
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
