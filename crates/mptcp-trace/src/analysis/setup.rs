//! How long did it take to set up a connection and its subflows?

use serde::Serialize;

use super::joins::{JoinOutcome, joins};
use crate::tracking::{Capture, Connection, Stream, SubflowKind};
use crate::{Instant, PacketRow, StreamId};

/// The setup of a connection.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Setup {
    /// Round trip time of the initial subflow's handshake, seconds: SYN to the ACK of the SYN/ACK, which is one round
    /// trip wherever it is captured. `None` when a packet of it was not captured or a SYN was sent again; a join's
    /// handshake never stands in for it.
    pub handshake_rtt: Option<f64>,
    /// The subflows that joined, in order of their streams.
    pub joins: Vec<JoinSetup>,
}

/// The setup of an additional subflow.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JoinSetup {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// From the SYN with MP_CAPABLE to the packet that established the join, seconds; `None` when that SYN was not
    /// captured.
    pub established_after: Option<f64>,
    /// Round trip time of its own handshake, as above.
    pub handshake_rtt: Option<f64>,
}

/// The setup of `connection`.
#[must_use]
pub fn setup(capture: &Capture, connection: &Connection) -> Setup {
    let subflows = connection.subflows.iter().filter_map(|id| capture.tracking.subflow(*id));
    let initial = subflows.filter(|subflow| subflow.kind == SubflowKind::Initial).map(|subflow| subflow.stream).next();
    let initial = initial.and_then(|id| capture.tracking.stream(id));
    let begun = initial.and_then(|stream| time(capture, stream.syn?)).filter(|_| connection.roles_known);
    let joins = joins(capture, connection);
    let established = joins.iter().filter(|join| join.outcome == JoinOutcome::Established);
    Setup {
        handshake_rtt: initial.and_then(|stream| handshake_rtt(capture, stream)),
        joins: established
            .map(|join| JoinSetup {
                tcpstream: join.tcpstream,
                established_after: begun
                    .zip(time(capture, join.decided_by))
                    .map(|(from, until)| (until - from).seconds()),
                handshake_rtt: capture
                    .tracking
                    .stream(join.tcpstream)
                    .and_then(|stream| handshake_rtt(capture, stream)),
            })
            .collect(),
    }
}

fn time(capture: &Capture, row: PacketRow) -> Option<Instant> {
    capture.segments.get(row.index()).map(|segment| segment.abstime)
}

fn handshake_rtt(capture: &Capture, stream: &Stream) -> Option<f64> {
    // With several SYNs it is not known which of them was answered.
    if (stream.syns, stream.syn_acks) != (1, 1) {
        return None;
    }
    let (syn, _, ack) = (stream.syn?, stream.syn_ack?, stream.third_ack?);
    Some((time(capture, ack)? - time(capture, syn)?).seconds())
}
