//! One row per round trip.

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, fraction, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::rtt::SampleRow;

pub const TABLE: Table = Table {
    name: "rtt_samples",
    row: "round trip (`rtt --samples`)",
    labelled: false,
    written: Written::Named,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows = connections.flat_map(|of| of.rtt_samples.iter().map(|one| (of.record.mptcpstream, one)));
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row<'a> = (ConnectionId, &'a SampleRow);

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        whole("tcpstream", "", "Subflow; at the data level, the one that carried the data first", |row: &Row| {
            row.1.tcpstream.map(Into::into)
        }),
        text("towards", "server or client: the end that the data travels to", |row: &Row| named(&row.1.towards)),
        text("level", "handshake, tcp, timestamp or data", |row: &Row| named(&row.1.level)),
        whole("packetid", "", "Packet that answered", |row: &Row| row.1.packetid),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        fraction("rtt_s", "s", "Round trip", |row: &Row| Some(row.1.rtt)),
    ]
}
