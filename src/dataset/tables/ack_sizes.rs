//! One row per amount of data that DATA_ACKs, or ACKs of a subflow, newly acknowledged.

use std::collections::BTreeMap;

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, named, text, whole};
use mptcp_trace::analysis::ack_sizes::{ack_sizes, tcp_ack_sizes};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Role, Tracking};
use mptcp_trace::{ConnectionId, StreamId};

pub const TABLE: Table = Table {
    name: "ack_sizes",
    row: "amount of data that DATA_ACKs of a direction newly acknowledged (`plot acksize`), or ACKs of one of its subflows",
    labelled: false,
    written: Written::WithAll,
    columns: || specs(columns()),
    frame: |analyzed| {
        let mut rows: Vec<Row> = Vec::new();
        if let Some(facts) = &analyzed.facts {
            let capture = facts.capture;
            for of in &facts.connections {
                let sequence = data_sequence(&capture.segments, &capture.tracking, of.connection);
                let mptcpstream = of.record.mptcpstream;
                for towards in Role::BOTH {
                    let sizes = ack_sizes(sequence.get(towards)).sizes;
                    count((mptcpstream, None, towards), sizes.into_iter().map(|size| size.new), &mut rows);
                }
                for id in &of.connection.subflows {
                    let tracking = &capture.tracking;
                    let (Some(stream), Some(subflow)) = (tracking.stream(*id), tracking.subflow(*id)) else { continue };
                    let mut found = tcp_ack_sizes(capture, stream);
                    for role in Role::BOTH {
                        let sizes = std::mem::take(found.get_mut(role));
                        let key = (mptcpstream, Some(*id), Tracking::mptcp_towards(subflow, role));
                        count(key, sizes.into_iter(), &mut rows);
                    }
                }
            }
        }
        values(&columns(), &rows)
    },
};

/// A connection, a subflow of it or none, and a direction.
type Key = (ConnectionId, Option<StreamId>, Role);

/// Adds a row per size.
fn count((mptcpstream, tcpstream, towards): Key, sizes: impl Iterator<Item = u64>, rows: &mut Vec<Row>) {
    let mut counts: BTreeMap<u64, u64> = BTreeMap::new();
    for size in interruptible(sizes) {
        let count = counts.entry(size).or_default();
        *count = count.saturating_add(1);
    }
    rows.extend(counts.into_iter().map(|(bytes, count)| Row { mptcpstream, tcpstream, towards, bytes, count }));
}

struct Row {
    mptcpstream: ConnectionId,
    tcpstream: Option<StreamId>,
    towards: Role,
    bytes: u64,
    count: u64,
}

fn columns() -> Vec<Column<Row>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.mptcpstream.into())),
        whole("tcpstream", "", "Subflow whose ACKs they are; none: DATA_ACKs, on any subflow", |row: &Row| {
            row.tcpstream.map(Into::into)
        }),
        text("towards", "server or client: the end that the acknowledged data travels to", |row: &Row| {
            named(&row.towards)
        }),
        whole("bytes", "B", "Data newly acknowledged by one DATA_ACK or ACK", |row: &Row| Some(row.bytes)),
        whole("count", "", "DATA_ACKs or ACKs that acknowledged so much", |row: &Row| Some(row.count)),
    ]
}
