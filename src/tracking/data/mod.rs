//! The data level of one connection: which data sequence numbers each packet carried, and which of them had been
//! sent before, on the same subflow or on another.
//!
//! Two passes over the connection's packets in the order of the file, each linear but for a logarithm in the ranges
//! held: the first collects the mappings, because a mapping may come after the data it covers; the second walks the
//! data.

mod carried;
mod intervals;
mod mappings;
mod sent;

pub use carried::{Carried, DataPacket, carried};
pub use mappings::{PacketData, WideNumbers};
pub use sent::{Kind, Repeat, SubflowVolume};

use super::role::{ByRole, Role};
use super::{Connection, Tracking};
use crate::packets::segment::Segment;

/// What the packets of a connection carried at the data level.
#[derive(Debug, Clone, Default)]
pub struct DataLevel {
    /// Rows of the connection's packets, all subflows together, in the order of the file.
    pub rows: Vec<u32>,
    /// For each of `rows`, what it carried.
    pub packets: Vec<PacketData>,
    /// Either direction's totals.
    pub directions: ByRole<Direction>,
}

/// One direction of a connection.
#[derive(Debug, Clone, Default)]
pub struct Direction {
    /// Octets of data, each counted once; DATA_FIN is none.
    pub goodput: u64,
    /// First and last packet, nanoseconds since 1970.
    pub span: Option<(i64, i64)>,
    /// Each subflow's part, in the order of [`Connection::subflows`].
    pub subflows: Vec<SubflowVolume>,
    /// Data sent again under new subflow sequence numbers, in the order of the file.
    pub repeats: Vec<Repeat>,
}

/// A packet of the connection: where it is, and which way it travels.
#[derive(Debug, Clone, Copy)]
struct Travelling<'a> {
    row: u32,
    segment: &'a Segment,
    /// Index of its subflow in [`Connection::subflows`].
    subflow: usize,
    /// At connection level.
    towards: Role,
}

/// Works out the data level of `connection`.
#[must_use]
pub fn data_level(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> DataLevel {
    let travelling = in_file_order(segments, tracking, connection);
    let (maps, packets) = mappings::collect(&travelling, tracking, connection);
    let directions = sent::walk(&travelling, maps, connection);
    DataLevel { rows: travelling.iter().map(|packet| packet.row).collect(), packets, directions }
}

fn in_file_order<'a>(segments: &'a [Segment], tracking: &Tracking, connection: &Connection) -> Vec<Travelling<'a>> {
    let mut travelling = Vec::new();
    for (index, id) in connection.subflows.iter().enumerate() {
        let (Some(stream), Some(subflow)) = (tracking.stream(*id), tracking.subflow(*id)) else { continue };
        for row in &stream.packets {
            let (Some(segment), Some(packet)) = (segments.get(*row as usize), tracking.packets.get(*row as usize))
            else {
                continue;
            };
            let towards = Tracking::mptcp_towards(subflow, stream.towards(packet));
            travelling.push(Travelling { row: *row, segment, subflow: index, towards });
        }
    }
    // A few sorted runs one after the other, which this sort merges in linear time.
    travelling.sort_by_key(|packet| packet.row);
    travelling
}
