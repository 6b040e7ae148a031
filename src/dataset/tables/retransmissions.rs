//! One row per retransmission.

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, fraction, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::retransmitted::Retransmission;

pub const TABLE: Table = Table {
    name: "retransmissions",
    row: "packet with bytes that its subflow had sent before (`retransmissions`)",
    labelled: false,
    written: Written::WithAll,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows = connections.flat_map(|of| of.retransmissions.iter().map(|one| (of.record.mptcpstream, one)));
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row<'a> = (ConnectionId, &'a Retransmission);

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        whole("tcpstream", "", "Subflow", |row: &Row| Some(row.1.tcpstream.into())),
        text("towards", "server or client of the connection: the end that it travels to", |row: &Row| {
            named(&row.1.towards)
        }),
        whole("packetid", "", "Packet", |row: &Row| Some(row.1.packetid)),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        whole("bytes", "B", "Bytes sent before", |row: &Row| Some(row.1.bytes)),
        fraction("since_first_s", "s", "Since the first of them was first sent", |row: &Row| Some(row.1.since_first)),
        fraction("since_last_s", "s", "Since the first of them was last sent", |row: &Row| Some(row.1.since_last)),
        fraction("since_activity_s", "s", "Since any packet of that end on the subflow", |row: &Row| {
            Some(row.1.since_activity)
        }),
        whole("count", "", "How often the first of them is now sent again", |row: &Row| Some(row.1.count)),
        text("class", "Estimate of the cause: spurious, fast, rto, recovery, tail or other", |row: &Row| {
            named(&row.1.class)
        }),
    ]
}
