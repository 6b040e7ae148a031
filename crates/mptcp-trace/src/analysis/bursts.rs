//! How often does a sender change the subflow? A burst is a run of packets with payload of one direction on one subflow,
//! uninterrupted by such packets on another.

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::tracking::travelling::one_by_one;
use crate::tracking::{ByRole, Capture, Connection, Nature, Role};
use crate::{Instant, StreamId};

/// One burst.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Burst {
    /// The direction.
    pub towards: Role,
    /// Its place among those of the direction, from 0.
    pub position: u64,
    /// The subflow's TCP stream.
    pub tcpstream: StreamId,
    /// Its first packet.
    pub packetid: u64,
    /// When that was, seconds since the first frame of the file.
    pub reltime: f64,
    /// From its first to its last packet, seconds.
    pub duration: f64,
    /// Packets with payload, retransmissions and reinjections included; copies made by the path are not.
    pub packets: u64,
    /// Their payload, bytes.
    pub bytes: u64,
}

/// One burst under way.
struct Open {
    burst: Burst,
    begun: Instant,
}

/// The bursts of a connection in the order of the file: those towards the server, then those towards the client.
#[must_use]
pub fn bursts(capture: &Capture, connection: &Connection) -> Vec<Burst> {
    let mut found: ByRole<Vec<Burst>> = ByRole::default();
    let mut open: ByRole<Option<Open>> = ByRole::default();
    for packet in interruptible(one_by_one(&capture.segments, &capture.tracking, connection)) {
        if packet.data == 0 || packet.nature == Nature::Duplicate {
            continue;
        }
        let time = packet.segment.abstime;
        let current = open.get_mut(packet.towards);
        if let Some(ended) = current.take_if(|current| current.burst.tcpstream != packet.stream) {
            found.get_mut(packet.towards).push(ended.burst);
        }
        let current = current.get_or_insert_with(|| Open {
            burst: Burst {
                towards: packet.towards,
                position: found.get(packet.towards).len() as u64,
                tcpstream: packet.stream,
                packetid: packet.segment.packetid(),
                reltime: (time - capture.origin()).seconds(),
                duration: 0.0,
                packets: 0,
                bytes: 0,
            },
            begun: time,
        });
        current.burst.duration = (time - current.begun).seconds().max(current.burst.duration);
        current.burst.packets += 1;
        current.burst.bytes = current.burst.bytes.saturating_add(packet.data.into());
    }
    let last = |open: Option<Open>| open.map(|open| open.burst);
    found.server.extend(last(open.server));
    found.client.extend(last(open.client));
    [found.server, found.client].concat()
}
