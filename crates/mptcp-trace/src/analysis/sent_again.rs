//! Which packets of a connection carried bytes that TCP had sent before on the same subflow, and when?

use serde::Serialize;

use super::volume::Volume;
use crate::StreamId;
use crate::tracking::travelling::of_subflow;
use crate::tracking::{ByRole, Capture, Connection, Role};

/// A packet with bytes that its subflow had sent before, as `retransmitted_bytes` of [`super::tcp_summary`] counts them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RetransmittedPacket {
    /// The packet.
    pub packetid: u64,
    /// Seconds since the first frame of the file.
    pub reltime: f64,
    /// The subflow's TCP stream.
    pub tcpstream: StreamId,
    /// The end of the connection that it travels towards.
    pub towards: Role,
    /// Such bytes.
    pub bytes: u64,
}

/// The retransmitted packets of a connection, subflow by subflow in the order of the file.
#[must_use]
pub fn retransmitted_packets(capture: &Capture, connection: &Connection) -> Vec<RetransmittedPacket> {
    let mut found = Vec::new();
    for index in 0..connection.subflows.len() {
        let mut volumes: ByRole<Volume> = ByRole::default();
        for packet in of_subflow(&capture.segments, &capture.tracking, connection, index) {
            let Some(place) = capture.tracking.packets.get(packet.row) else { continue };
            let bytes = volumes.get_mut(packet.towards).push(packet.segment, place);
            if bytes > 0 {
                found.push(RetransmittedPacket {
                    packetid: packet.segment.packetid(),
                    reltime: (packet.segment.abstime - capture.origin()).seconds(),
                    tcpstream: packet.stream,
                    towards: packet.towards,
                    bytes,
                });
            }
        }
    }
    found
}
