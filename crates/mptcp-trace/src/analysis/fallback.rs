//! Did a connection go on as plain TCP, and where was the option lost?

use serde::Serialize;

use super::fallback_cause::Causes;
use super::requests::request_alone;
use crate::interrupt::interruptible;
use crate::tracking::data::{self, Mappings};
pub use crate::tracking::data::{Reason, Signs, Told};
use crate::tracking::travelling::one_by_one;
use crate::tracking::{ByRole, Capture, Connection, Role, Tracking};
use crate::{PacketRow, StreamId};

/// A fallback to TCP (RFC 8684 §3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Fallback {
    /// Evidence.
    pub reason: Reason,
    /// The first packet that does.
    pub packetid: u64,
    /// The packet before it that brought it about, where the capture shows one.
    pub cause: Option<u64>,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The end that it travels towards.
    pub towards: Role,
    /// Its row.
    #[serde(skip)]
    pub row: PacketRow,
}

/// The fallback of a connection, if the capture shows one.
#[must_use]
pub fn fallback(capture: &Capture, connection: &Connection) -> Option<Fallback> {
    // What was never granted cannot fall back.
    if request_alone(capture, connection).is_some() {
        return None;
    }
    shown_by(capture, connection, data::fallback(&capture.segments, &capture.tracking, connection))
}

/// The same, where the mappings of the connection are known.
#[must_use]
pub fn fallback_by(capture: &Capture, connection: &Connection, mappings: &Mappings<'_>) -> Option<Fallback> {
    if request_alone(capture, connection).is_some() {
        return None;
    }
    shown_by(capture, connection, mappings.fallback())
}

/// The fallback that a packet shows, and the packet that brought it about.
fn shown_by(capture: &Capture, connection: &Connection, shown: Option<(Reason, PacketRow)>) -> Option<Fallback> {
    let (shown, row) = shown?;
    let place = capture.tracking.packets.get(row)?;
    let (stream, subflow) = (capture.tracking.stream(place.stream)?, capture.tracking.subflow(place.stream)?);
    let mut causes = Causes::default();
    // What comes later brought nothing about.
    for before in interruptible(stream.packets.iter().take_while(|before| **before < row)) {
        let Some(segment) = capture.segments.get(before.index()) else { continue };
        causes.push((*before).into(), segment.packetid(), segment, stream.fast_open);
    }
    let (reason, cause) = causes.explain(shown, row.into(), connection);
    Some(Fallback {
        reason,
        packetid: capture.segments.get(row.index())?.packetid(),
        cause,
        tcpstream: stream.id,
        towards: Tracking::mptcp_towards(subflow, stream.towards(place)),
        row,
    })
}

/// The last packet with an MPTCP option that each end of the connection sent.
#[must_use]
pub fn last_options(capture: &Capture, connection: &Connection) -> ByRole<Option<u64>> {
    let mut last = ByRole::default();
    for packet in interruptible(one_by_one(&capture.segments, &capture.tracking, connection)) {
        if packet.segment.is_mptcp() {
            *last.get_mut(packet.towards.other()) = Some(packet.segment.packetid());
        }
    }
    last
}
