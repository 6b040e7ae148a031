//! Every handshake that asked for MPTCP, with what was asked, what was answered, and how fast.

use std::collections::HashSet;
use std::net::IpAddr;

use serde::Serialize;

use super::joins::{self, attempt};
use super::mptcp_connections::listed;
use super::requests::{self, requests};
use crate::interrupt::interruptible;
use crate::packets::segment::{Capable, Segment};
use crate::tracking::authentication::HmacVerdict;
use crate::tracking::{Capture, Stream, SubflowKind};
use crate::{ConnectionId, Instant, PacketRow, StreamId};

/// What the SYN asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// A new connection, with MP_CAPABLE.
    Capable,
    /// A further subflow, with MP_JOIN.
    Join,
}

/// End of a handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Outcome {
    /// Of a request for a connection.
    Capable(requests::RequestOutcome),
    /// Of a join.
    Join(joins::JoinOutcome),
}

/// One TCP stream whose SYN had MP_CAPABLE or MP_JOIN.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Handshake {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// The MPTCP connection that it is a subflow of; `None` where there is none that is listed.
    pub mptcpstream: Option<ConnectionId>,
    /// What the SYN asked for.
    pub asked: Asked,
    /// The version in the SYN's MP_CAPABLE; `None` for joins, which have none.
    pub version: Option<u8>,
    /// The version in the MP_CAPABLE that answered.
    pub answered_version: Option<u8>,
    /// Its end.
    pub outcome: Outcome,
    /// Verdict on the HMACs of a join; `None` for others.
    pub hmac: Option<HmacVerdict>,
    /// The SYN's MP_CAPABLE required DSS checksums; `None` for joins.
    pub checksum_required: Option<bool>,
    /// Address of the end that sent the SYN.
    pub client_ip: IpAddr,
    /// Its port.
    pub client_port: u16,
    /// Address of the other end.
    pub server_ip: IpAddr,
    /// Its port.
    pub server_port: u16,
    /// Packet id of the first SYN.
    pub packetid: u64,
    /// When it was recorded, seconds since the first frame of the file.
    pub reltime: f64,
    /// SYNs sent.
    pub syns: u32,
    /// From the first SYN to the first SYN/ACK, seconds; `None` where none was captured.
    pub syn_ack_after: Option<f64>,
    /// From the first SYN to the client's first ACK behind the SYN/ACK, seconds; `None` where none was captured.
    pub ack_after: Option<f64>,
    /// When the first SYN was recorded.
    #[serde(skip)]
    pub time: Instant,
}

/// The handshakes of a capture, in order of their streams.
#[must_use]
pub fn handshakes(capture: &Capture) -> Vec<Handshake> {
    let known: HashSet<ConnectionId> = listed(capture).map(|connection| connection.id).collect();
    let connection = |id: StreamId| {
        let number = capture.tracking.subflow(id).map(|subflow| subflow.connection);
        number.filter(|number| known.contains(number))
    };
    let mut found: Vec<Handshake> = Vec::new();
    for request in interruptible(requests(capture)) {
        let Some((stream, syn)) = first_syn(capture, request.tcpstream) else { continue };
        found.push(Handshake {
            asked: Asked::Capable,
            version: Some(request.version),
            answered_version: request.answered_version,
            outcome: Outcome::Capable(request.outcome),
            checksum_required: syn.capable().map(|capable| capable.flags & Capable::CHECKSUM_REQUIRED != 0),
            ..course(capture, stream, syn, connection(stream.id))
        });
    }
    for stream in interruptible(&capture.tracking.streams) {
        let Some(subflow) = capture.tracking.subflow(stream.id) else { continue };
        let owner = capture.tracking.connection(subflow.connection);
        let (SubflowKind::Join(_), Some(owner)) = (&subflow.kind, owner) else { continue };
        let Some((stream, syn)) = first_syn(capture, stream.id) else { continue };
        let Some(join) = attempt(capture, owner, stream) else { continue };
        found.push(Handshake {
            outcome: Outcome::Join(join.outcome),
            hmac: Some(join.verdict.overall()),
            ..course(capture, stream, syn, connection(stream.id))
        });
    }
    found.sort_by_key(|handshake| handshake.tcpstream);
    found
}

fn first_syn(capture: &Capture, id: StreamId) -> Option<(&Stream, &Segment)> {
    let stream = capture.tracking.stream(id)?;
    Some((stream, capture.segments.get(stream.syn?.index())?))
}

/// What both kinds have in common; the rest as of a join.
fn course(capture: &Capture, stream: &Stream, syn: &Segment, mptcpstream: Option<ConnectionId>) -> Handshake {
    let after = |row: Option<PacketRow>| {
        let segment = capture.segments.get(row?.index())?;
        Some((segment.abstime - syn.abstime).seconds())
    };
    Handshake {
        tcpstream: stream.id,
        mptcpstream,
        asked: Asked::Join,
        version: None,
        answered_version: None,
        outcome: Outcome::Join(joins::JoinOutcome::Unfinished),
        hmac: None,
        checksum_required: None,
        client_ip: stream.client.address,
        client_port: stream.client.port,
        server_ip: stream.server.address,
        server_port: stream.server.port,
        packetid: syn.packetid(),
        reltime: (syn.abstime - capture.origin()).seconds(),
        syns: stream.syns,
        syn_ack_after: after(stream.syn_ack),
        ack_after: after(stream.third_ack),
        time: syn.abstime,
    }
}
