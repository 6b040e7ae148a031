//! How much later than here does the sender of a direction hear what its receiver says?
//!
//! A capture at the sender shows an ACK when the sender hears it. Anywhere else the sender could only answer after the way
//! from here to the sender and back, which the handshake shows.

use super::capture_point::FASTER;
use crate::tracking::{Capture, Connection, Role, Stream, Tracking};
use crate::{PacketRow, Span};

/// The time from here to the sender of the data towards `towards` and back: the shortest that a handshake of
/// a subflow shows. Zero at the sender, and where no handshake was captured whole.
#[must_use]
pub fn delay(capture: &Capture, connection: &Connection, towards: Role) -> Span {
    let halves = halves(capture, connection);
    let of = |half: &Halves| {
        let (near, far) = if towards == Role::Server { (half.client, half.server) } else { (half.server, half.client) };
        if near * FASTER <= far { Span::ZERO } else { near }
    };
    halves.iter().map(of).min().unwrap_or_default()
}

/// The longest round trip that a handshake of a subflow shows, wherever it was captured; `None` where none
/// was captured whole.
#[must_use]
pub fn longest_round_trip(capture: &Capture, connection: &Connection) -> Option<Span> {
    halves(capture, connection).iter().map(|half| half.client + half.server).max()
}

/// A handshake seen from where it was captured: the time that each end of the connection took to answer.
struct Halves {
    client: Span,
    server: Span,
}

fn halves(capture: &Capture, connection: &Connection) -> Vec<Halves> {
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    streams.filter_map(|stream| half(capture, stream)).collect()
}

fn half(capture: &Capture, stream: &Stream) -> Option<Halves> {
    // With several SYNs it is not known which of them was answered.
    if (stream.syns, stream.syn_acks) != (1, 1) {
        return None;
    }
    let time = |row: Option<PacketRow>| Some(capture.segments.get(row?.index())?.abstime);
    let (syn, syn_ack, ack) = (time(stream.syn)?, time(stream.syn_ack)?, time(stream.third_ack)?);
    let (opened, accepted) = ((ack - syn_ack).max(Span::ZERO), (syn_ack - syn).max(Span::ZERO));
    let subflow = capture.tracking.subflow(stream.id)?;
    // Roles of the stream are those of the connection, but for a subflow that the server opened.
    Some(match Tracking::mptcp_towards(subflow, Role::Client) {
        Role::Client => Halves { client: opened, server: accepted },
        Role::Server => Halves { client: accepted, server: opened },
    })
}
