//! Reports on a capture that is still growing.

use std::net::IpAddr;

use serde::Serialize;

use super::windows::Rates;
use crate::analysis::events::{Event, EventKind};
use crate::tracking::Role;
use crate::tracking::streams::OpenStream;
use crate::{ConnectionId, Instant, PacketRow, StreamId};

/// Kind and details of the event.
pub type Sighting = (EventKind, String);

/// Where something is told of: the packet.
#[derive(Debug, Clone, Copy)]
pub struct PacketPlace {
    /// Wireshark's `frame.number`.
    pub packetid: u64,
    /// When it was recorded.
    pub abstime: Instant,
    /// When the first frame was, likewise.
    pub origin: Instant,
    /// The end of the connection that it travels towards.
    pub towards: Role,
}

impl PacketPlace {
    /// Seconds from the first frame to an instant.
    pub fn seconds_of(&self, instant: Instant) -> f64 {
        (instant - self.origin).seconds()
    }
}

/// One thing that happened, and where.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Happening {
    /// The connection.
    pub mptcpstream: ConnectionId,
    /// The same as of a whole capture.
    #[serde(flatten)]
    pub event: Event,
    /// Address of the TCP stream's client.
    pub client_ip: IpAddr,
    /// Its port.
    pub client_port: u16,
    /// Address of the TCP stream's server.
    pub server_ip: IpAddr,
    /// Its port.
    pub server_port: u16,
    /// Nothing was told of this subflow before.
    #[serde(skip)]
    pub is_first: bool,
}

/// Something to show.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// Something happened.
    Happening(Happening),
    /// A window ended.
    Rates(Rates),
}

/// Puts what was told of a stream into the news.
pub fn tell(
    news: &mut Vec<News>,
    (connection, stream): (ConnectionId, StreamId),
    ends: &OpenStream,
    mentioned: &mut bool,
    told: Vec<(PacketPlace, Sighting)>,
) {
    let (client, server) = (ends.endpoint(Role::Client), ends.endpoint(Role::Server));
    for (place, (event, detail)) in told {
        let event = Event {
            packetid: place.packetid,
            reltime: place.seconds_of(place.abstime),
            tcpstream: stream,
            towards: place.towards,
            event,
            detail,
            row: PacketRow(0),
        };
        news.push(News::Happening(Happening {
            mptcpstream: connection,
            event,
            client_ip: client.address,
            client_port: client.port,
            server_ip: server.address,
            server_port: server.port,
            is_first: !std::mem::replace(mentioned, true),
        }));
    }
}
