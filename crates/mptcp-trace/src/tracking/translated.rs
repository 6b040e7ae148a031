//! Subflows that a capture holds twice, under different addresses: before and behind an address translator.
//!
//! A host that translates addresses (a home router, the host of containers) and is captured on all its interfaces shows
//! each packet under both, so that Wireshark sees two TCP streams, and both bring the keys or the token of the
//! connection. What their ends chose at random is the same in both, and no two subflows share it.

use std::collections::HashMap;

use super::streams::Stream;
use super::{Connection, Subflow, SubflowKind};
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::{ConnectionId, IdVec, PacketRow, StreamId};

/// A stream that is another one again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenAgain {
    /// Its number; it is part of no connection.
    pub stream: StreamId,
    /// The one that counts: recorded first, before the translator as its opener sees it.
    pub first: StreamId,
}

/// What the ends of a subflow choose when it is opened and a translator leaves alone: their timestamps, and the random numbers
/// of a join. MP_CAPABLE has the keys, which are the connection's. Initial sequence numbers may be rewritten, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Chosen {
    timestamps: (u32, u32),
    nonces: Option<(u32, u32)>,
}

impl Chosen {
    /// `None` unless all of it was captured.
    fn of(segments: &[Segment], stream: &Stream, subflow: &Subflow) -> Option<Self> {
        let value = |row: Option<PacketRow>| Some(segments.get(row?.index())?.timestamps()?.0);
        let nonces = match &subflow.kind {
            SubflowKind::Initial => None,
            SubflowKind::Join(join) => Some((join.nonces.client?, join.nonces.server?)),
            SubflowKind::Unknown => return None,
        };
        Some(Chosen { timestamps: (value(stream.syn)?, value(stream.syn_ack)?), nonces })
    }
}

/// Takes the subflows that are others again out of their connections.
pub fn take_out(
    segments: &[Segment],
    streams: &IdVec<StreamId, Stream>,
    connections: &mut IdVec<ConnectionId, Connection>,
    subflows: &mut IdVec<StreamId, Option<Subflow>>,
) -> Vec<SeenAgain> {
    let mut found = Vec::new();
    for connection in interruptible(connections.iter_mut().filter(|connection| connection.subflows.len() > 1)) {
        let mut known: HashMap<Chosen, StreamId> = HashMap::with_capacity(connection.subflows.len());
        connection.subflows.retain(|id| {
            let stream = streams.get(*id);
            let Some(place) = subflows.get_mut(*id) else { return true };
            let (Some(stream), Some(subflow)) = (stream, place.as_ref()) else { return true };
            let Some(chosen) = Chosen::of(segments, stream, subflow) else { return true };
            let first = *known.entry(chosen).or_insert(*id);
            if first == *id {
                return true;
            }
            found.push(SeenAgain { stream: *id, first });
            *place = None;
            false
        });
    }
    found
}
