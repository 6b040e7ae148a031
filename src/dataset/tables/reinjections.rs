//! One row per packet with data that another subflow had carried before.

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, fraction, named, text, truth, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::reinjections::Reinjection;

pub const TABLE: Table = Table {
    name: "reinjections",
    row: "packet with data that another subflow had carried before (`list_reinjections`)",
    labelled: false,
    written: Written::WithAll,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows = connections.flat_map(|of| of.reinjections.iter().map(|one| (of.record.mptcpstream, one)));
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row<'a> = (ConnectionId, &'a Reinjection);

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        whole("packetid", "", "Packet", |row: &Row| Some(row.1.packetid)),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        whole("tcpstream", "", "Subflow", |row: &Row| Some(row.1.tcpstream.into())),
        text("towards", "server or client: the end that it travels to", |row: &Row| named(&row.1.towards)),
        whole("dsn", "", "First such byte; the sender's first byte of data is 1", |row: &Row| row.1.dsn),
        whole("length", "B", "Such bytes", |row: &Row| Some(row.1.length)),
        whole("of_packetid", "", "First packet that had carried them", |row: &Row| Some(row.1.of.first()?.packetid)),
        whole("of_tcpstream", "", "Its subflow", |row: &Row| Some(row.1.of.first()?.tcpstream.into())),
        whole("of_packets", "", "Packets that had carried them", |row: &Row| Some(row.1.of.len() as u64)),
        fraction("age_s", "s", "Time since the first of the data was seen first", |row: &Row| {
            Some(row.1.age_seconds())
        }),
        fraction("since_last_s", "s", "Time since the first of the data was last sent", |row: &Row| row.1.since_last),
        fraction("since_activity_s", "s", "Time since any packet of that end, on any subflow", |row: &Row| {
            row.1.since_activity
        }),
        text("seen_from", "sender, receiver or between: where this direction was recorded", |row: &Row| {
            named(&row.1.seen_from)
        }),
        truth("needed", "Seen from the sender: the DATA_ACK advanced only thanks to it", |row: &Row| row.1.needed),
    ]
}
