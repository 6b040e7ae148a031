//! Did a connection go on as plain TCP, and where was the option lost?

use serde::Serialize;

use super::fallback_cause::Causes;
use super::requests::request_alone;
use crate::interrupt::interruptible;
use crate::tracking::data;
pub use crate::tracking::data::{Reason, Signs, Told};
use crate::tracking::travelling::{Travelling, one_by_one};
use crate::tracking::{ByRole, Capture, Connection, Role};
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
    let mut causes = Causes::default();
    let note = |packet: &Travelling<'_>| {
        let fast_open = capture.tracking.stream(packet.stream).and_then(|stream| stream.fast_open);
        causes.push(packet.row.into(), packet.segment.packetid, packet.segment, fast_open);
    };
    let (shown, packet) = data::fallback(&capture.segments, &capture.tracking, connection, note)?;
    let (reason, cause) = causes.explain(shown, packet.row.into(), connection);
    Some(Fallback {
        reason,
        packetid: packet.segment.packetid,
        cause,
        tcpstream: packet.stream,
        towards: packet.towards,
        row: packet.row,
    })
}

/// The last packet with an MPTCP option that each end of the connection sent.
#[must_use]
pub fn last_options(capture: &Capture, connection: &Connection) -> ByRole<Option<u64>> {
    let mut last = ByRole::default();
    for packet in interruptible(one_by_one(&capture.segments, &capture.tracking, connection)) {
        if packet.segment.is_mptcp() {
            *last.get_mut(packet.towards.other()) = Some(packet.segment.packetid);
        }
    }
    last
}
