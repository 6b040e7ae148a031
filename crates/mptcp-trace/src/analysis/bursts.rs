//! How often does a sender change the subflow? A burst is a run of packets with payload of one direction on one subflow,
//! uninterrupted by such packets on another.

use serde::Serialize;

use crate::tracking::data::{Laden, Mappings, Observer, Sending};
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
    /// Those of them that are data which no packet before had carried on any subflow.
    pub new_bytes: u64,
}

/// One burst under way.
struct Open {
    burst: Burst,
    begun: Instant,
}

/// The bursts of a connection in the order of the file: those towards the server, then those towards the client.
#[must_use]
pub fn bursts(capture: &Capture, connection: &Connection) -> Vec<Burst> {
    let course = || Bursts::new(capture.origin());
    let (_, _, bursts) = Mappings::walked(&capture.segments, &capture.tracking, connection, course);
    bursts.finish()
}

/// Bursts while the packets of a connection go by in the order of the file.
pub struct Bursts {
    /// What relative times count from.
    origin: Instant,
    found: ByRole<Vec<Burst>>,
    open: ByRole<Option<Open>>,
}

impl Bursts {
    /// Before the first packet; `origin` is what relative times count from.
    #[must_use]
    pub fn new(origin: Instant) -> Self {
        Bursts { origin, found: ByRole::default(), open: ByRole::default() }
    }

    /// Takes in the next packet.
    pub fn push(&mut self, laden: &Laden<'_, '_>) {
        let packet = laden.packet;
        if packet.data == 0 || packet.nature == Nature::Duplicate {
            return;
        }
        let time = packet.segment.abstime;
        let current = self.open.get_mut(packet.towards);
        if let Some(ended) = current.take_if(|current| current.burst.tcpstream != packet.stream) {
            self.found.get_mut(packet.towards).push(ended.burst);
        }
        let current = current.get_or_insert_with(|| Open {
            burst: Burst {
                towards: packet.towards,
                position: self.found.get(packet.towards).len() as u64,
                tcpstream: packet.stream,
                packetid: packet.segment.packetid(),
                reltime: (time - self.origin).seconds(),
                duration: 0.0,
                packets: 0,
                bytes: 0,
                new_bytes: 0,
            },
            begun: time,
        });
        let new = laden.sent.iter().filter(|range| range.sending == Sending::First);
        let new: u64 = new.map(|range| range.end.saturating_sub(range.start)).sum();
        current.burst.duration = (time - current.begun).seconds().max(current.burst.duration);
        current.burst.packets += 1;
        current.burst.bytes = current.burst.bytes.saturating_add(packet.data.into());
        current.burst.new_bytes = current.burst.new_bytes.saturating_add(new);
    }

    /// The bursts: those towards the server, then those towards the client.
    #[must_use]
    pub fn finish(self) -> Vec<Burst> {
        let Bursts { mut found, open, .. } = self;
        let last = |open: Option<Open>| open.map(|open| open.burst);
        found.server.extend(last(open.server));
        found.client.extend(last(open.client));
        found.server.append(&mut found.client);
        found.server
    }
}

impl Observer for Bursts {
    fn see(&mut self, laden: &Laden<'_, '_>) {
        self.push(laden);
    }
}
