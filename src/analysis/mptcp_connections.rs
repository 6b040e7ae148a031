//! Which MPTCP connections does the capture hold?

use serde::Serialize;

use super::closing::{State, closing};
use super::fallback::{Fallback, fallback};
use super::subflows::{SubflowRecord, subflows};
use super::{hexadecimal_u32, hexadecimal_u64};
use crate::tracking::Capture;

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

/// All MPTCP connections, in order of their numbers.
#[must_use]
pub fn mptcp_connections(capture: &Capture) -> Vec<MptcpConnection> {
    let connections = capture.tracking.connections.iter();
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
