//! Which MPTCP connections does the capture hold?

use serde::Serialize;

use super::closing::{ConnectionState, Release, closing};
use super::fallback::{Fallback, fallback};
use super::requests::request_alone;
use super::subflows::{SubflowRecord, subflows};
use super::{hexadecimal_u32, hexadecimal_u64};
use crate::tracking::{Capture, Connection, JoinedBy};
use crate::{ConnectionId, StreamId, parallel};

/// One MPTCP connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MptcpConnection {
    /// Wireshark's `mptcp.stream`; of several that are one connection, the first.
    pub mptcpstream: ConnectionId,
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
    /// Evidence that it continued as plain TCP; `None` while it stays MPTCP.
    pub fallback: Option<Fallback>,
    /// Where it stands at the end of the capture.
    pub state: ConnectionState,
    /// How it was released, if it was.
    pub release: Release,
    /// The weakest evidence that its subflows belong together. `None` for a single one.
    pub joined_by: Option<JoinedBy>,
    /// Its subflows.
    pub subflows: Vec<SubflowRecord>,
}

/// True for a number that stands for no connection, which Wireshark counts because one packet cannot tell: a
/// [request](request_alone) that came to nothing, or packets with an MPTCP option on a stream without any captured
/// handshake or data, that the other end answered with a RST.
#[must_use]
pub fn is_stray(capture: &Capture, connection: &Connection) -> bool {
    request_alone(capture, connection).is_some() || is_refused(capture, connection)
}

/// True for packets of no connection that were answered with a RST.
fn is_refused(capture: &Capture, connection: &Connection) -> bool {
    let hosts = &connection.hosts;
    let unknown = hosts.client.token.is_none() && hosts.server.token.is_none();
    let stray = |id: &StreamId| capture.tracking.stream(*id).is_some_and(|stream| stream.is_stray(&capture.segments));
    connection.part_of.is_none() && unknown && connection.subflows.iter().all(stray)
}

/// The connections that are listed: without [strays](is_stray) and those that are part of another.
pub fn listed(capture: &Capture) -> impl Iterator<Item = &Connection> {
    capture.tracking.whole_connections().filter(|connection| !is_stray(capture, connection))
}

/// Number of [listed] MPTCP connections.
#[must_use]
pub fn count(capture: &Capture) -> usize {
    listed(capture).count()
}

/// All MPTCP connections that are [listed], in order of their numbers.
#[must_use]
pub fn mptcp_connections(capture: &Capture) -> Vec<MptcpConnection> {
    let connections: Vec<&Connection> = listed(capture).collect();
    parallel::each(&connections, capture.segments.len(), |connection| {
        let closing = closing(capture, connection);
        MptcpConnection {
            mptcpstream: connection.id,
            version: connection.version,
            client_key: connection.hosts.client.key,
            server_key: connection.hosts.server.key,
            client_token: connection.hosts.client.token,
            server_token: connection.hosts.server.token,
            checksum_required: connection.checksum_required,
            fallback: fallback(capture, connection),
            state: closing.state,
            release: closing.release,
            joined_by: joined_by(capture, connection),
            subflows: subflows(capture, connection),
        }
    })
}

fn joined_by(capture: &Capture, connection: &Connection) -> Option<JoinedBy> {
    let evidence = connection.subflows.iter().filter_map(|id| capture.tracking.subflow(*id)?.joined_by);
    evidence.max().filter(|_| connection.subflows.len() > 1)
}
