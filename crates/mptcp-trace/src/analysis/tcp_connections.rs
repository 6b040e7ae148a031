//! Which TCP streams does the capture hold?

use std::net::IpAddr;

use serde::Serialize;

use crate::tracking::Tracking;
use crate::{ConnectionId, StreamId};

/// One TCP stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TcpConnection {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// Address of the end that opened it.
    pub client_ip: IpAddr,
    /// Its port.
    pub client_port: u16,
    /// Address of the end that accepted it.
    pub server_ip: IpAddr,
    /// Its port.
    pub server_port: u16,
    /// Packets, both directions.
    pub packets: usize,
    /// The MPTCP connection it is a subflow of; `None` for plain TCP.
    pub mptcpstream: Option<ConnectionId>,
}

/// All TCP streams, in order of their numbers.
#[must_use]
pub fn tcp_connections(tracking: &Tracking) -> Vec<TcpConnection> {
    let streams = tracking.streams.iter();
    streams
        .map(|stream| TcpConnection {
            tcpstream: stream.id,
            client_ip: stream.client.address,
            client_port: stream.client.port,
            server_ip: stream.server.address,
            server_port: stream.server.port,
            packets: stream.packets.len(),
            mptcpstream: tracking.subflow(stream.id).map(|subflow| subflow.connection),
        })
        .collect()
}
