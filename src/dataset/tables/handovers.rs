//! One row per handover.

use super::{Table, Written, specs, values};
use crate::dataset::analyzed::OfConnection;
use crate::dataset::column::{Column, fraction, named, text, truth, whole};
use mptcp_trace::analysis::handovers::Handover;

pub const TABLE: Table = Table {
    name: "handovers",
    row: "stop of a subflow after which data of a direction went on over another one (`handovers`)",
    labelled: false,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let rows: Vec<Row> = connections.flat_map(|of| of.handovers.iter().map(move |one| Row { of, one })).collect();
        values(&columns(), &rows)
    },
};

struct Row<'a> {
    of: &'a OfConnection<'a>,
    one: &'a Handover,
}

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.of.record.mptcpstream.into())),
        text("towards", "server or client: the end that the data travels to", |row: &Row| named(&row.one.towards)),
        whole("from_tcpstream", "", "Subflow that stopped", |row: &Row| Some(row.one.from.into())),
        whole("to_tcpstream", "", "Subflow that carried data next", |row: &Row| Some(row.one.to.into())),
        text("cause", "reset, mp_fail, fin, remove_addr, backup or silent", |row: &Row| named(&row.one.cause)),
        whole("packetid", "", "Packet that shows the stop", |row: &Row| row.one.packetid),
        fraction("stopped_s", "s", "When it stopped, since the first frame of the file", |row: &Row| {
            Some(row.one.stopped)
        }),
        fraction("last_data_s", "s", "Its last new data until then", |row: &Row| row.one.last_data),
        fraction("resumed_s", "s", "The next new data, on the other subflow", |row: &Row| Some(row.one.resumed)),
        fraction("gap_s", "s", "From the stop to there", |row: &Row| Some(row.one.gap)),
        truth("carried_before", "The other subflow had carried data of the direction before", |row: &Row| {
            Some(row.one.carried_before)
        }),
        fraction("returned_s", "s", "When the first subflow carried new data again", |row: &Row| row.one.returned),
    ]
}
