//! One row per packet with bytes that its subflow had sent before.

use super::{Table, specs, values};
use crate::dataset::column::{Column, fraction, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::sent_again::{RetransmittedPacket, retransmitted_packets};

pub const TABLE: Table = Table {
    name: "retransmissions",
    row: "packet with bytes that TCP had sent before on its subflow (`retransmitted_bytes` of `tcp_summary`)",
    labelled: false,
    detail: true,
    columns: || specs(columns()),
    frame: |analyzed| {
        let facts = analyzed.facts.iter();
        let connections = facts.flat_map(|facts| facts.connections.iter().map(|of| (facts.capture, of)));
        let rows = connections.flat_map(|(capture, of)| {
            let found = retransmitted_packets(capture, of.connection).into_iter();
            found.map(|packet| (of.record.mptcpstream, packet))
        });
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

type Row = (ConnectionId, RetransmittedPacket);

fn columns() -> Vec<Column<Row>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.0.into())),
        whole("tcpstream", "", "Subflow", |row: &Row| Some(row.1.tcpstream.into())),
        text("towards", "server or client: the end that it travels to", |row: &Row| named(&row.1.towards)),
        whole("packetid", "", "Packet", |row: &Row| Some(row.1.packetid)),
        fraction("reltime_s", "s", "Its time, since the first frame of the file", |row: &Row| Some(row.1.reltime)),
        whole("bytes", "B", "Bytes that had been sent before", |row: &Row| Some(row.1.bytes)),
    ]
}
