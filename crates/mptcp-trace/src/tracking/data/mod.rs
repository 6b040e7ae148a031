//! The data level of one connection: which data sequence numbers each packet carried, and which of them had been
//! sent before, on the same subflow or on another.
//!
//! Two passes over the connection's packets in the order of the file, each linear but for a logarithm in the ranges
//! held: the first collects the mappings, because a mapping may come after the data it covers; the second walks the
//! data.

mod arrivals;
mod bases;
mod carried;
mod flow;
mod intervals;
mod mappings;
mod numbers;
mod plain;
mod probes;
mod sent;
mod sequence;
mod unseen;

pub use arrivals::{Arrival, Arrivals, arrivals};
pub use carried::{Carried, DataPacket, carried};
pub use intervals::{Intervals, Piece};
pub use mappings::PacketData;
pub use numbers::Numbers;
pub use plain::{Reason, Signs, Told};
pub use sent::{Repeat, RepeatKind, Sending, SubflowVolume};
pub use sequence::{Acknowledgement, DataSequence, SentRange, data_sequence};

use unseen::Reach;

use super::role::ByRole;
use super::travelling::{Travelling, in_file_order, of_subflow, one_by_one};
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
    let travelling = in_file_order(segments, tracking, connection);
    let (maps, packets, numbers) = mappings::collect(&travelling, tracking, connection);
    let mut reach = Reach::of(segments, tracking, connection);
    for (packet, data) in interruptible(travelling.iter().zip(&packets)) {
        Reach::note(&mut reach, packet, data.working_data_ack);
    }
    let mut directions = sent::walk(&travelling, maps, connection, covered(&reach, &numbers), |_, _| {});
    directions.server.numbers = numbers.server;
    directions.client.numbers = numbers.client;
    DataLevel { rows: travelling.iter().map(|packet| packet.row).collect(), packets, directions }
}

/// The totals of either direction alone: what [`data_level`] finds, in a fraction of its memory.
#[must_use]
pub fn directions(segments: &[Segment], tracking: &Tracking, connection: &Connection) -> ByRole<Direction> {
    let packets = || one_by_one(segments, tracking, connection);
    let mut reach = Reach::of(segments, tracking, connection);
    let mappings::Found { flows, numbers, .. } =
        mappings::flows(packets, tracking, connection, |packet, _, _, data_ack| {
            Reach::note(&mut reach, packet, data_ack);
        });
    let mut directions = sent::walk(packets(), flows, connection, covered(&reach, &numbers), |_, _| {});
    directions.server.numbers = numbers.server;
    directions.client.numbers = numbers.client;
    directions
}

/// Evidence that `connection` continued as plain TCP (RFC 8684 §3.7), and the packet that shows it first. `note` is given
/// each packet of the initial subflow, the only one that can.
#[must_use]
pub fn fallback<'a>(
    segments: &'a [Segment],
    tracking: &'a Tracking,
    connection: &Connection,
    mut note: impl FnMut(&Travelling<'a>),
) -> Option<(Reason, Travelling<'a>)> {
    let initial = plain::Initial::of(tracking, connection)?;
    let packets = || of_subflow(segments, tracking, connection, initial.index);
    let mut signs = Signs::default();
    for packet in interruptible(packets()) {
        note(&packet);
        signs.push(packet.row.into(), packet, packet.segment, initial.told(&packet));
    }
    let unmapped = if signs.has_bare_data() {
        let all = || one_by_one(segments, tracking, connection);
        let found = mappings::flows(all, tracking, connection, |_, _, _, _| {});
        found.initial.and_then(|initial| initial.first_unmapped(packets(), &found.flows))
    } else {
        // Most connections have no data without an option at all, and need no look at the data level.
        None
    };
    signs.reason(unmapped.map(|packet| (packet.row.into(), packet)))
}

/// The data of either direction that DATA_ACKs cover.
fn covered(reach: &ByRole<Reach>, numbers: &ByRole<Numbers>) -> ByRole<Option<(u64, u64)>> {
    ByRole { server: reach.server.range(&numbers.server), client: reach.client.range(&numbers.client) }
}
