//! One row per packet with data that another subflow had carried before.

use super::{Table, specs, values};
use crate::dataset::column::{Column, fraction, named, text, truth, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::reinjections::{Reinjection, reinjections};

pub const TABLE: Table = Table {
    name: "reinjections",
    row: "packet with data that another subflow had carried before (`list_reinjections`)",
    labelled: false,
    detail: true,
    columns: || specs(columns()),
    frame: |analyzed| {
        let facts = analyzed.facts.iter();
        let connections = facts.flat_map(|facts| facts.connections.iter().map(|of| (facts.capture, of)));
        let rows = connections.flat_map(|(capture, of)| {
            let found = reinjections(capture, of.connection, None).into_iter();
            found.map(|packet| (of.record.mptcpstream, packet))
        });
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row = (ConnectionId, Reinjection);

fn columns() -> Vec<Column<Row>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        whole("packetid", "", "Packet", |row: &Row| Some(row.1.packetid)),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        whole("tcpstream", "", "Subflow that carried the data again", |row: &Row| Some(row.1.tcpstream.into())),
        text("towards", "server or client: the end that it travels to", |row: &Row| named(&row.1.towards)),
        whole("length", "B", "Data carried again", |row: &Row| Some(row.1.length)),
        whole("of_packetid", "", "Packet that carried the first of it before", |row: &Row| {
            row.1.of.first().map(|original| original.packetid)
        }),
        whole("of_tcpstream", "", "Its subflow", |row: &Row| {
            row.1.of.first().map(|original| original.tcpstream.into())
        }),
        fraction("age_s", "s", "Time since the first of the data was seen first", |row: &Row| {
            Some(row.1.age_seconds())
        }),
        text("seen_from", "sender, receiver or between: where this direction was recorded", |row: &Row| {
            row.1.seen_from.as_ref().and_then(named)
        }),
        truth("needed", "The DATA_ACK advanced only thanks to this packet", |row: &Row| row.1.needed),
    ]
}
