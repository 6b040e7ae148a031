//! One row per amount of data that DATA_ACKs newly acknowledged.

use std::collections::BTreeMap;

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::ack_sizes::ack_sizes;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::tracking::data::data_sequence;

pub const TABLE: Table = Table {
    name: "ack_sizes",
    row: "amount of data that DATA_ACKs of a direction newly acknowledged (`plot acksize`)",
    labelled: false,
    written: Written::WithAll,
    columns: || specs(columns()),
    frame: |analyzed| {
        let mut rows: Vec<Row> = Vec::new();
        if let Some(facts) = &analyzed.facts {
            let capture = facts.capture;
            for of in &facts.connections {
                let sequence = data_sequence(&capture.segments, &capture.tracking, of.connection);
                for towards in Role::BOTH {
                    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
                    for size in interruptible(ack_sizes(sequence.get(towards)).sizes) {
                        let count = counts.entry(size.new).or_default();
                        *count = count.saturating_add(1);
                    }
                    let mptcpstream = of.record.mptcpstream;
                    rows.extend(counts.into_iter().map(|(bytes, count)| Row { mptcpstream, towards, bytes, count }));
                }
            }
        }
        values(&columns(), &rows)
    },
};

struct Row {
    mptcpstream: ConnectionId,
    towards: Role,
    bytes: u64,
    count: u64,
}

fn columns() -> Vec<Column<Row>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.mptcpstream.into())),
        text("towards", "server or client: the end that the acknowledged data travels to", |row: &Row| {
            named(&row.towards)
        }),
        whole("bytes", "B", "Data newly acknowledged by one DATA_ACK", |row: &Row| Some(row.bytes)),
        whole("count", "", "DATA_ACKs that acknowledged so much", |row: &Row| Some(row.count)),
    ]
}
