//! The meaning of the packets together: TCP streams, roles, MPTCP connections and subflows.
//!
//! Written over [`crate::Segment`]s alone, so that any dissector can feed it, in one pass that is linear in packets.

pub mod authentication;
mod capture;
pub(crate) mod connections;
pub mod copies;
pub mod data;
pub(crate) mod duplicates;
mod numbering;
pub(crate) mod order;
mod packet_in_stream;
pub(crate) mod point_of_view;
mod repeats;
pub(crate) mod retransmissions;
pub(crate) mod rising;
pub(crate) mod role;
mod seen;
pub(crate) mod sequence;
pub(crate) mod standing;
pub(crate) mod streams;
mod stretches;
pub(crate) mod token;
mod tracker;
pub(crate) mod translated;
pub(crate) mod travelling;

pub use capture::Capture;
pub use connections::{Connection, Host, JoinHandshake, JoinedBy, Subflow, SubflowKind, expected_token};
pub use duplicates::Duplicates;
pub use order::FileOrder;
pub use packet_in_stream::{FastOpen, PacketInStream};
pub use point_of_view::{CopiesWanted, PointOfView};
pub use retransmissions::retransmitted;
pub use role::{ByRole, Role};
pub use sequence::Positions;
pub use standing::Nature;
pub use streams::{End, RoleEvidence, Stream};
pub use token::{Derived, derive};
pub use tracker::Tracker;
pub use translated::SeenAgain;
pub use travelling::{Travelling, in_file_order, of_subflow, one_by_one, signals};

use crate::interrupt::interruptible;
pub use crate::packets::flows::Endpoint;
use crate::packets::segment::Segments;
use crate::{ConnectionId, IdVec, PacketRow, StreamId};

/// Result of [`track`].
#[derive(Debug, Clone, Default)]
pub struct Tracking {
    /// TCP streams; the index is Wireshark's `tcp.stream`.
    pub streams: IdVec<StreamId, Stream>,
    /// MPTCP connections; the index is Wireshark's `mptcp.stream`. One that is part of another has no subflows.
    pub connections: IdVec<ConnectionId, Connection>,
    /// Each stream's part in its connection; `None` for plain TCP. As long as `streams`.
    pub subflows: IdVec<StreamId, Option<Subflow>>,
    /// Each packet's place in its stream. As long as the segments.
    pub packets: IdVec<PacketRow, PacketInStream>,
    /// Streams that are subflows again, recorded under other addresses.
    pub again: Vec<SeenAgain>,
}

/// Works out what `segments` mean together. They come in the order of time.
#[must_use]
pub fn track(segments: &Segments) -> Tracking {
    let mut tracker = Tracker::default();
    interruptible(segments).for_each(|segment| tracker.push(segment, segments.flows(), None));
    tracker.finish(segments).tracking
}

impl Tracking {
    /// The stream of that number.
    #[inline]
    #[must_use]
    pub fn stream(&self, id: StreamId) -> Option<&Stream> {
        self.streams.get(id)
    }

    /// The connection of that number.
    #[must_use]
    pub fn connection(&self, id: ConnectionId) -> Option<&Connection> {
        self.connections.get(id)
    }

    /// The connections but those that are part of another, in order of their numbers.
    pub fn whole_connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().filter(|connection| connection.part_of.is_none())
    }

    /// The part that a stream has in its connection; `None` for plain TCP.
    #[inline]
    #[must_use]
    pub fn subflow(&self, stream: StreamId) -> Option<&Subflow> {
        self.subflows.get(stream)?.as_ref()
    }

    /// Number of packets of a connection.
    #[must_use]
    pub fn packets_of(&self, connection: &Connection) -> usize {
        let streams = connection.subflows.iter().filter_map(|id| self.stream(*id));
        streams.map(|stream| stream.packets.len()).sum()
    }

    /// The role at connection level that a packet travelling towards `tcp` in `subflow` travels towards.
    #[inline]
    #[must_use]
    pub fn mptcp_towards(subflow: &Subflow, tcp: Role) -> Role {
        if subflow.opened_towards == Role::Server { tcp } else { tcp.other() }
    }
}
