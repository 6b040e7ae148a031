//! The data level of one connection: which data sequence numbers each packet carried, and which of them had been
//! sent before, on the same subflow or on another.
//!
//! Two passes over the connection's packets in the order of the file, each linear but for a logarithm in the ranges
//! held: the first collects the mappings, because a mapping may come after the data it covers; the second walks the
//! data. Where none does, both are one.

mod arrivals;
mod bases;
mod carried;
mod flow;
mod intervals;
mod mappings;
mod numbers;
mod packets;
mod parted;
mod piped;
mod plain;
mod probes;
mod sent;
mod sequence;
mod unseen;
mod walk;

pub use arrivals::{Arrival, Arrivals, arrivals};
pub use carried::DataPacket;
pub use intervals::{Intervals, Piece};
pub use numbers::Numbers;
pub use packets::PacketData;
pub use plain::{Reason, Signs, Told};
pub use sent::{Repeat, RepeatKind, Sending, SubflowVolume};
pub use sequence::{Acknowledgement, DataSequence, SentRange, SequenceCourse, Unmapped, data_sequence};
pub use walk::{Laden, Mappings, Observer};

use packets::LookUp;

use super::role::ByRole;
use super::travelling::of_subflow;
use super::{Connection, Tracking};
use crate::interrupt::interruptible;
use crate::packets::segment::Segment;
use crate::{Instant, PacketRow};

/// Data of a connection's packets at the data level.
#[derive(Debug, Clone, Default)]
pub struct DataLevel {
    /// Rows of the connection's packets, all subflows together, in the order of the file.
    pub rows: Vec<PacketRow>,
    /// For each of `rows`, what it carried.
    pub packets: Vec<PacketData>,
    /// Either direction's totals.
    pub directions: ByRole<Direction>,
}

/// One direction of a connection.
#[derive(Debug, Clone, Default)]
pub struct Direction {
    /// Bytes of data, each counted once, as plain TCP after a fallback and in the SYN, too; DATA_FIN is none.
    pub goodput: u64,
    /// First and last packet.
    pub span: Option<(Instant, Instant)>,
    /// Each subflow's part, in the order of [`Connection::subflows`].
    pub subflows: Vec<SubflowVolume>,
    /// Data sent again under new subflow sequence numbers, in the order of the file.
    pub repeats: Vec<Repeat>,
    /// Number of them that are [`Repeat::merged`].
    pub merged_repeats: u64,
    /// Bytes of data that a DATA_ACK covers and no captured packet carried; `None` without DATA_ACKs of this direction.
    /// Without the sender's key, from the lowest DATA_ACK on.
    pub unseen: Option<u64>,
    /// The highest DATA_ACK of this direction's data, a working number.
    pub acknowledged: Option<u64>,
    /// The bytes that DATA_ACKs cover and the capture can be asked for (start, end exclusive; working numbers).
    pub covered: Option<(u64, u64)>,
    /// Meaning of the working numbers of `repeats`.
    pub numbers: Numbers,
}

/// Works out the data level of `connection`.
#[must_use]
pub fn data_level(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> DataLevel {
    let (mut rows, mut packets) = (Vec::new(), Vec::new());
    let directions = packet_data(segments, tracking, connection, |row, data| {
        rows.push(row);
        packets.push(data);
    });
    DataLevel { rows, packets, directions }
}

/// Works out what each packet of `connection` carried: shows it to `visit` with the packet's row, in the order of the file.
/// Returns either direction's totals: what [`data_level`] finds, without a list of it.
pub fn packet_data(
    segments: &[Segment],
    tracking: &Tracking,
    connection: &Connection,
    mut visit: impl FnMut(PacketRow, PacketData),
) -> ByRole<Direction> {
    let (mappings, directions, ()) = Mappings::walked(segments, tracking, connection, || ());
    let mut look_up = LookUp::new(&mappings);
    interruptible(mappings.packets()).for_each(|packet| visit(packet.row, look_up.next(&packet)));
    directions
}

/// The totals of either direction alone: what [`data_level`] finds, in a fraction of its memory.
#[must_use]
pub fn directions(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> ByRole<Direction> {
    let (_, directions, ()) = Mappings::walked(segments, tracking, connection, || ());
    directions
}

/// Evidence that `connection` continued as plain TCP (RFC 8684 §3.7), and the packet that shows it first.
#[must_use]
pub fn fallback(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> Option<(Reason, PacketRow)> {
    // Only the initial subflow can.
    let initial = plain::Initial::of(tracking, connection)?;
    let mut signs = Signs::default();
    for packet in interruptible(of_subflow(segments, tracking, connection, initial.index)) {
        signs.push(packet.row.into(), packet.row, packet.segment, initial.told(&packet));
    }
    // Most connections have no data without an option at all, and need no look at the data level.
    if signs.has_bare_data() { Mappings::of(segments, tracking, connection).fallback() } else { signs.reason(None) }
}
