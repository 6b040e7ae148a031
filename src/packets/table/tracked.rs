//! The tracked columns of the packet table.

mod data;

use std::ops::Range;
use std::sync::{Mutex, OnceLock, PoisonError};

use polars::prelude::*;

use super::numbers::numbers;
pub use data::DataColumns;
use mptcp_trace::PacketRow;
use mptcp_trace::interrupt::{self, interruptible};
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::{Capture, PacketInStream, Role, Tracking, expected_token, retransmitted};

/// The tracked columns of any rows of a capture.
pub struct TrackedColumns<'a> {
    capture: &'a Capture,
    /// Where the data level is kept.
    data: &'a OnceLock<DataColumns>,
    /// Held by the thread that works it out, for which the others wait.
    at_work: Mutex<()>,
    /// Found in one walk over all packets.
    retransmitted: OnceLock<Vec<Option<bool>>>,
}

impl<'a> TrackedColumns<'a> {
    /// Those of this capture, whose data level is kept in `data` once it is worked out.
    pub fn of(capture: &'a Capture, data: &'a OnceLock<DataColumns>) -> Self {
        TrackedColumns { capture, data, at_work: Mutex::new(()), retransmitted: OnceLock::new() }
    }

    /// The column of that name for these rows; `None` when there is none. After Ctrl-C it is not whole.
    pub fn column(&self, name: &str, rows: Range<usize>) -> Option<Column> {
        let (tracking, segments) = (&self.capture.tracking, &self.capture.segments);
        let packets = tracking.packets.as_slice().get(rows.clone()).unwrap_or(&[]);
        let room = packets.len();
        let towards = |packet: &PacketInStream| Some(tracking.stream(packet.stream)?.towards(packet));
        let of_packets = || interruptible(packets).map(|packet| (packet, tracking.subflow(packet.stream)));
        let named = PlSmallStr::from_str(name);
        Some(match name {
            "tcpstream" => {
                let streams = interruptible(packets).map(|packet| Some(packet.stream.0));
                numbers::<UInt32Type>(named, room, streams).into_column()
            }
            "tcpdest" => roles(named, interruptible(packets).map(towards)),
            "tcpseq" => {
                let sequences = interruptible(packets).map(|packet| Some(packet.sequence));
                numbers::<UInt32Type>(named, room, sequences).into_column()
            }
            "tcpack" => {
                let acknowledgements = interruptible(packets).map(PacketInStream::acknowledgement);
                numbers::<UInt32Type>(named, room, acknowledgements).into_column()
            }
            "rwnd" => {
                let windows = interruptible(packets).map(PacketInStream::window);
                numbers::<UInt32Type>(named, room, windows).into_column()
            }
            "mptcpstream" => {
                let connections = of_packets().map(|(_, subflow)| Some(subflow?.connection.0));
                numbers::<UInt32Type>(named, room, connections).into_column()
            }
            "mptcpstream_wireshark" => {
                let connections = of_packets().map(|(_, subflow)| Some(subflow?.wireshark.0));
                numbers::<UInt32Type>(named, room, connections).into_column()
            }
            "mptcpdest" => {
                let roles_of = |(packet, subflow)| Some(Tracking::mptcp_towards(subflow?, towards(packet)?));
                roles(named, of_packets().map(roles_of))
            }
            "expected_token" => {
                let segments: &[Segment] = segments.get(rows).unwrap_or(&[]);
                numbers::<UInt32Type>(named, room, interruptible(segments).map(expected_token)).into_column()
            }
            "retransmission" => {
                let cells = if rows.is_empty() {
                    &[]
                } else {
                    let all = self.retransmitted.get_or_init(|| retransmitted(segments, tracking));
                    // After Ctrl-C it is shorter.
                    all.get(rows).unwrap_or(&[])
                };
                BooleanChunked::from_iter_options(named, cells.iter().copied()).into_column()
            }
            "duplicate_of" => {
                let originals = rows.map(|row| {
                    let original = self.capture.duplicates.original(PacketRow(u32::try_from(row).ok()?))?;
                    segments.get(original.index()).map(|segment| segment.packetid())
                });
                numbers::<UInt64Type>(named, room, interruptible(originals)).into_column()
            }
            _ => {
                if rows.is_empty() {
                    return DataColumns::default().column(name, rows, segments);
                }
                return self.data()?.column(name, rows, segments);
            }
        })
    }

    /// Works out what the columns of these names need of all rows together.
    pub fn prepare<'n>(&self, mut names: impl Iterator<Item = &'n str>) {
        if names.any(DataColumns::has) {
            self.data();
        }
    }

    /// The data level; nothing after Ctrl-C.
    fn data(&self) -> Option<&DataColumns> {
        if let Some(data) = self.data.get() {
            return Some(data);
        }
        let _turn = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if self.data.get().is_none() {
            let data = DataColumns::of(&self.capture.segments, &self.capture.tracking);
            // After Ctrl-C it is not whole.
            interrupt::check().ok()?;
            self.data.get_or_init(|| data);
        }
        self.data.get()
    }
}

fn roles(name: PlSmallStr, roles: impl Iterator<Item = Option<Role>>) -> Column {
    StringChunked::from_iter_options(name, roles.map(|role| role.map(Role::name))).into_column()
}
