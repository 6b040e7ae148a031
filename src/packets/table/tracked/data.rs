//! The columns of the data level.

use polars::prelude::*;

use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::data::{DataLevel, RepeatKind, data_level};
use mptcp_trace::tracking::{Role, Tracking};

/// All of them, `dsn` to `reinjected_in`: they are worked out together.
pub fn columns(segments: &[Segment], tracking: &Tracking) -> Vec<Column> {
    let mut cells = Cells::new(segments.len());
    for connection in interruptible(&tracking.connections) {
        cells.take(segments, &data_level(segments, tracking, connection));
    }
    cells.columns()
}

/// The columns under construction, one cell per row.
struct Cells {
    dsn: Vec<Option<u64>>,
    dsnraw64: Vec<Option<u64>>,
    related_mapping: Vec<Option<u64>>,
    dack: Vec<Option<u64>>,
    /// Row of a reinjecting packet, row of the packet that sent the data first.
    reinjections: Vec<(u32, u32)>,
    packetids: Vec<u64>,
}

impl Cells {
    fn new(rows: usize) -> Self {
        Cells {
            dsn: vec![None; rows],
            dsnraw64: vec![None; rows],
            related_mapping: vec![None; rows],
            dack: vec![None; rows],
            reinjections: Vec::new(),
            packetids: Vec::new(),
        }
    }

    /// Takes in one connection.
    fn take(&mut self, segments: &[Segment], level: &DataLevel) {
        for (row, data) in interruptible(level.rows.iter().zip(&level.packets)) {
            let row = row.index();
            let mapping = data.mapping_row.and_then(|row| segments.get(row.index()));
            put(&mut self.dsn, row, data.relative_dsn);
            put(&mut self.dsnraw64, row, data.dsn);
            put(&mut self.related_mapping, row, mapping.map(|segment| segment.packetid));
            put(&mut self.dack, row, data.relative_data_ack);
        }
        for towards in Role::BOTH {
            let repeats = level.directions.get(towards).repeats.iter();
            let reinjections = repeats.filter(|repeat| repeat.kind == RepeatKind::Reinjection);
            self.reinjections.extend(reinjections.map(|repeat| (repeat.row.0, repeat.original_row.0)));
        }
        if self.packetids.is_empty() {
            self.packetids = segments.iter().map(|segment| segment.packetid).collect();
        }
    }

    fn columns(self) -> Vec<Column> {
        let rows = self.dsn.len();
        let backwards = self.reinjections.iter().map(|(again, first)| (*first, *again)).collect();
        vec![
            Column::new("dsn".into(), self.dsn),
            Column::new("dsnraw64".into(), self.dsnraw64),
            Column::new("related_mapping".into(), self.related_mapping),
            Column::new("dack".into(), self.dack),
            lists("reinjection_of", rows, self.reinjections, &self.packetids),
            lists("reinjected_in", rows, backwards, &self.packetids),
        ]
    }
}

fn put(cells: &mut [Option<u64>], row: usize, value: Option<u64>) {
    if let Some(cell) = cells.get_mut(row) {
        *cell = value;
    }
}

/// A column of lists of packet ids from pairs of a row and a row that its list names.
fn lists(name: &'static str, rows: usize, mut pairs: Vec<(u32, u32)>, packetids: &[u64]) -> Column {
    pairs.sort_unstable();
    // Several ranges of one packet may come from the same other one.
    pairs.dedup();
    let mut builder = ListPrimitiveChunkedBuilder::<UInt64Type>::new(name.into(), rows, pairs.len(), DataType::UInt64);
    let mut pairs = pairs.into_iter().peekable();
    let mut named = Vec::new();
    for row in interruptible(0..rows) {
        named.clear();
        while let Some((_, other)) = pairs.next_if(|(of, _)| *of as usize == row) {
            named.extend(packetids.get(other as usize));
        }
        builder.append_opt_slice((!named.is_empty()).then_some(&named));
    }
    builder.finish().into_column()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_name_each_packet_once_and_are_null_where_there_is_none() {
        let column = lists("x", 4, vec![(2, 0), (0, 3), (2, 1), (2, 0)], &[10, 11, 12, 13]);
        let list = column.list().unwrap();
        let ids = |row| Some(list.get_as_series(row)?.u64().unwrap().iter().flatten().collect::<Vec<u64>>());
        let cells: Vec<Option<Vec<u64>>> = (0..4).map(ids).collect();
        assert_eq!(cells, [Some(vec![13]), None, Some(vec![10, 11]), None]);
    }
}
