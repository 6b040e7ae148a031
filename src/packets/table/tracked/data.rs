//! The columns of the data level.

use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};
use std::thread;

use polars::prelude::*;

use crate::packets::table::numbers::numbers;
use mptcp_trace::PacketRow;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::data::{PacketData, RepeatKind, packet_data};
use mptcp_trace::tracking::{Connection, Role, Tracking};

/// All of them, `dsn` to `reinjected_in`, for all rows: they are worked out together.
#[derive(Debug, Default)]
pub struct DataColumns {
    cells: Vec<Cell>,
    /// Row of a reinjecting packet, row of a packet that sent the data first; in order, each pair once.
    reinjections: Vec<(u32, u32)>,
    /// The same the other way round.
    reinjected: Vec<(u32, u32)>,
}

/// One row; a bit of `present` says for each number whether it is there.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    dsn: u64,
    dsnraw64: u64,
    dack: u64,
    /// The row of the packet with the mapping.
    mapping: u32,
    present: u8,
}

const DSN: u8 = 1;
const DSN_RAW: u8 = 1 << 1;
const DACK: u8 = 1 << 2;
const MAPPING: u8 = 1 << 3;

impl Cell {
    fn of(data: &PacketData) -> Self {
        let bit = |there: bool, bit: u8| if there { bit } else { 0 };
        Cell {
            dsn: data.relative_dsn.unwrap_or_default(),
            dsnraw64: data.dsn.unwrap_or_default(),
            dack: data.relative_data_ack.unwrap_or_default(),
            mapping: data.mapping_row.map_or(0, |row| row.0),
            present: bit(data.relative_dsn.is_some(), DSN)
                | bit(data.dsn.is_some(), DSN_RAW)
                | bit(data.relative_data_ack.is_some(), DACK)
                | bit(data.mapping_row.is_some(), MAPPING),
        }
    }

    fn value<T>(&self, bit: u8, number: T) -> Option<T> {
        (self.present & bit != 0).then_some(number)
    }
}

/// Packets for which another thread is worth its while.
const MANY: usize = 1 << 16;

/// Cells that are put down together: they stay in the processor's cache until then.
const TOGETHER: usize = 1 << 12;

/// Threads at most: each holds what it found.
const THREADS: usize = 4;

impl DataColumns {
    /// Works them out. After Ctrl-C they are not whole.
    pub fn of(segments: &[Segment], tracking: &Tracking) -> Self {
        let cells = vec![Cell::default(); segments.len()];
        let found = Mutex::new(DataColumns { cells, reinjections: Vec::new(), reinjected: Vec::new() });
        let find = |connections: &[&Connection]| {
            // Put down together: the cells of one connection may be as many as there are packets.
            let mut waiting = Vec::with_capacity(TOGETHER);
            let mut repeats = Vec::new();
            let put = |waiting: &mut Vec<(PacketRow, Cell)>, repeats: &mut Vec<(u32, u32)>| {
                found.lock().unwrap_or_else(PoisonError::into_inner).take(waiting, repeats);
            };
            for connection in interruptible(connections) {
                let directions = packet_data(segments, tracking, connection, |row, data| {
                    if waiting.len() == TOGETHER {
                        put(&mut waiting, &mut repeats);
                    }
                    waiting.push((row, Cell::of(&data)));
                });
                let found = Role::BOTH.into_iter().flat_map(|towards| &directions.get(towards).repeats);
                let reinjections = found.filter(|repeat| repeat.kind == RepeatKind::Reinjection);
                repeats.extend(reinjections.map(|repeat| (repeat.row.0, repeat.original_row.0)));
            }
            put(&mut waiting, &mut repeats);
        };
        let shares = shares(segments.len(), tracking);
        thread::scope(|scope| {
            let mut shares = shares.iter();
            let own = shares.next();
            let others: Vec<_> = shares.map(|share| scope.spawn(|| find(share))).collect();
            own.into_iter().for_each(|own| find(own));
            others.into_iter().for_each(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic)));
        });
        let mut columns = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Several ranges of one packet may come from the same other one.
        columns.reinjections.sort_unstable();
        columns.reinjections.dedup();
        columns.reinjected = columns.reinjections.iter().map(|(again, first)| (*first, *again)).collect();
        columns.reinjected.sort_unstable();
        columns
    }

    /// Takes in some cells and reinjections of connections; each packet is in one of these.
    fn take(&mut self, cells: &mut Vec<(PacketRow, Cell)>, reinjections: &mut Vec<(u32, u32)>) {
        for (row, cell) in cells.drain(..) {
            if let Some(place) = self.cells.get_mut(row.index()) {
                *place = cell;
            }
        }
        self.reinjections.append(reinjections);
    }

    /// Whether the column of that name is one of them.
    pub fn has(name: &str) -> bool {
        DataColumns::default().column(name, 0..0, &[]).is_some()
    }

    /// The column of that name for these rows.
    pub fn column(&self, name: &str, rows: Range<usize>, segments: &[Segment]) -> Option<Column> {
        let of_rows = self.cells.get(rows.clone()).unwrap_or(&[]);
        let packetid = |row: u32| segments.get(row as usize).map(|segment| segment.packetid());
        let made = |cell: &dyn Fn(&Cell) -> Option<u64>| {
            numbers::<UInt64Type>(name.into(), of_rows.len(), interruptible(of_rows).map(cell)).into_column()
        };
        Some(match name {
            "dsn" => made(&|cell| cell.value(DSN, cell.dsn)),
            "dsnraw64" => made(&|cell| cell.value(DSN_RAW, cell.dsnraw64)),
            "dack" => made(&|cell| cell.value(DACK, cell.dack)),
            "related_mapping" => made(&|cell| cell.value(MAPPING, cell.mapping).and_then(packetid)),
            "reinjection_of" => lists(name, rows, &self.reinjections, packetid),
            "reinjected_in" => lists(name, rows, &self.reinjected, packetid),
            _ => return None,
        })
    }
}

/// The connections in shares of about as many packets, one share per thread.
fn shares(packets: usize, tracking: &Tracking) -> Vec<Vec<&Connection>> {
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS).min(packets / MANY + 1);
    let mut shares: Vec<(usize, Vec<&Connection>)> = vec![(0, Vec::new()); threads];
    for connection in &tracking.connections {
        let streams = connection.subflows.iter().filter_map(|stream| tracking.stream(*stream));
        let size: usize = streams.map(|stream| stream.packets.len()).sum();
        if let Some((packets, share)) = shares.iter_mut().min_by_key(|(packets, _)| *packets) {
            *packets = packets.saturating_add(size);
            share.push(connection);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

/// A column of lists of packet ids from pairs, in order, of a row and a row that its list names.
fn lists(name: &str, rows: Range<usize>, pairs: &[(u32, u32)], packetid: impl Fn(u32) -> Option<u64>) -> Column {
    let begin = pairs.partition_point(|(row, _)| (*row as usize) < rows.start);
    let mut pairs = pairs.get(begin..).unwrap_or(&[]).iter().peekable();
    let mut builder = ListPrimitiveChunkedBuilder::<UInt64Type>::new(name.into(), rows.len(), 0, DataType::UInt64);
    let mut named = Vec::new();
    for row in interruptible(rows) {
        named.clear();
        while let Some((_, other)) = pairs.next_if(|(of, _)| *of as usize == row) {
            named.extend(packetid(*other));
        }
        builder.append_opt_slice((!named.is_empty()).then_some(&named));
    }
    builder.finish().into_column()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_null_where_there_is_none() {
        let packetid = |row: u32| [10, 11, 12, 13].get(row as usize).copied();
        let pairs = [(0, 3), (2, 0), (2, 1)];
        let cells = |rows: Range<usize>| {
            let column = lists("x", rows.clone(), &pairs, packetid);
            let list = column.list().unwrap().clone();
            let ids = move |row| Some(list.get_as_series(row)?.u64().unwrap().iter().flatten().collect::<Vec<u64>>());
            (0..rows.len()).map(ids).collect::<Vec<Option<Vec<u64>>>>()
        };
        assert_eq!(cells(0..4), [Some(vec![13]), None, Some(vec![10, 11]), None]);
        assert_eq!(cells(1..3), [None, Some(vec![10, 11])]);
    }
}
