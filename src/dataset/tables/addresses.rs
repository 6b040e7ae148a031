//! One row per address id in an ADD_ADDR, its echo or a REMOVE_ADDR.

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, fraction, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::address_signals::AddressSignal;

pub const TABLE: Table = Table {
    name: "addresses",
    row: "address id in an ADD_ADDR, an echo or a REMOVE_ADDR (`addresses`)",
    labelled: false,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows = connections.flat_map(|of| of.addresses.iter().map(|signal| (of.record.mptcpstream, signal)));
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row<'a> = (ConnectionId, &'a AddressSignal);

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        whole("packetid", "", "Packet", |row: &Row| Some(row.1.packetid)),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        whole("tcpstream", "", "Its TCP stream", |row: &Row| Some(row.1.tcpstream.into())),
        text("sender", "server or client: the end that sent it", |row: &Row| named(&row.1.sender)),
        text("action", "add, echo or remove", |row: &Row| named(&row.1.action)),
        whole("addrid", "", "Address id", |row: &Row| Some(row.1.addrid.into())),
        text("ip", "Address", |row: &Row| row.1.ip.map(|address| address.to_string())),
        whole("port", "", "Port", |row: &Row| row.1.port.map(Into::into)),
        text("hmac", "Verdict on the HMAC of an ADD_ADDR: valid, invalid, unverifiable", |row: &Row| {
            named(&row.1.hmac)
        }),
    ]
}
