//! Which MPTCP connections does the capture hold?

use serde::Serialize;

use super::closing::{State, closing};
use super::fallback::{Fallback, fallback};
use super::subflows::{SubflowRecord, subflows};
use super::{hexadecimal_u32, hexadecimal_u64};
use crate::tracking::{Capture, Connection};

/// One MPTCP connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MptcpConnection {
    /// Wireshark's `mptcp.stream`.
    pub mptcpstream: u32,
    /// Protocol version; `None` when MP_CAPABLE was not captured.
    pub version: Option<u8>,
    /// Key of the client.
    #[serde(serialize_with = "hexadecimal_u64")]
    pub client_key: Option<u64>,
    /// Key of the server.
    #[serde(serialize_with = "hexadecimal_u64")]
    pub server_key: Option<u64>,
    /// Token that the client's key gives.
    #[serde(serialize_with = "hexadecimal_u32")]
    pub client_token: Option<u32>,
    /// Token that the server's key gives.
    #[serde(serialize_with = "hexadecimal_u32")]
    pub server_token: Option<u32>,
    /// Whether either end required DSS checksums; `None` when MP_CAPABLE was not captured.
    pub checksum_required: Option<bool>,
    /// What shows that it went on as plain TCP; `None` while it stays MPTCP.
    pub fallback: Option<Fallback>,
    /// Where it stands at the end of the capture.
    pub state: State,
    /// Its subflows.
    pub subflows: Vec<SubflowRecord>,
}

/// True for a number that stands for no connection: packets with an MPTCP option on a stream without any captured
/// handshake or data, that the other end answered with a RST. Wireshark counts them, because nothing else tells.
#[must_use]
pub fn is_stray(capture: &Capture, connection: &Connection) -> bool {
    let hosts = &connection.hosts;
    let unknown = hosts.client.token.is_none() && hosts.server.token.is_none();
    let strays = |id: &u32| {
        let Some(stream) = capture.tracking.stream(*id) else { return false };
        let begun = stream.syn.is_some() || stream.syn_ack.is_some();
        let mut packets = stream.packets.iter().filter_map(|row| capture.segments.get(*row as usize));
        let refused = stream.ends.client.reset || stream.ends.server.reset;
        !begun && refused && packets.all(|segment| segment.payload.unwrap_or(0) == 0)
    };
    unknown && connection.subflows.iter().all(strays)
}

/// How many MPTCP connections there are, without [strays](is_stray).
#[must_use]
pub fn count(capture: &Capture) -> usize {
    capture.tracking.connections.iter().filter(|connection| !is_stray(capture, connection)).count()
}

/// All MPTCP connections, in order of their numbers, without [strays](is_stray).
#[must_use]
pub fn mptcp_connections(capture: &Capture) -> Vec<MptcpConnection> {
    let connections = capture.tracking.connections.iter().filter(|connection| !is_stray(capture, connection));
    connections
        .map(|connection| MptcpConnection {
            mptcpstream: connection.id,
            version: connection.version,
            client_key: connection.hosts.client.key,
            server_key: connection.hosts.server.key,
            client_token: connection.hosts.client.token,
            server_token: connection.hosts.server.token,
            checksum_required: connection.checksum_required,
            fallback: fallback(capture, connection),
            state: closing(capture, connection).state,
            subflows: subflows(capture, connection),
        })
        .collect()
}
