//! One row per burst.

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, fraction, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::bursts::Burst;

pub const TABLE: Table = Table {
    name: "bursts",
    row: "run of packets with payload on one subflow (`bursts`)",
    labelled: false,
    written: Written::WithAll,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows = connections.flat_map(|of| of.bursts.iter().map(|burst| (of.record.mptcpstream, burst)));
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row<'a> = (ConnectionId, &'a Burst);

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        text("towards", "server or client: the end that it travels to", |row: &Row| named(&row.1.towards)),
        whole("position", "", "Place among the bursts of the direction, from 0", |row: &Row| Some(row.1.position)),
        whole("tcpstream", "", "Subflow", |row: &Row| Some(row.1.tcpstream.into())),
        whole("packetid", "", "First packet", |row: &Row| Some(row.1.packetid)),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        fraction("duration_s", "s", "First to last packet", |row: &Row| Some(row.1.duration)),
        whole("packets", "", "Packets with payload", |row: &Row| Some(row.1.packets)),
        whole("bytes", "B", "Their payload", |row: &Row| Some(row.1.bytes)),
        whole("new_bytes", "B", "Data that no packet before had carried", |row: &Row| Some(row.1.new_bytes)),
    ]
}
