//! One row per event of an MPTCP connection.

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, fraction, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::events::Event;

pub const TABLE: Table = Table {
    name: "events",
    row: "event of an MPTCP connection (`events`)",
    labelled: false,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows = connections.flat_map(|of| of.events.iter().map(|event| (of.record.mptcpstream, event)));
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row<'a> = (ConnectionId, &'a Event);

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        whole("packetid", "", "Packet that shows it", |row: &Row| Some(row.1.packetid)),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        whole("tcpstream", "", "Its TCP stream", |row: &Row| Some(row.1.tcpstream.into())),
        text("towards", "server or client: the end that the packet travels to", |row: &Row| named(&row.1.towards)),
        text("event", "Kind of event", |row: &Row| named(&row.1.event)),
        text("detail", "The particulars, for people", |row: &Row| Some(row.1.detail.clone())),
    ]
}
