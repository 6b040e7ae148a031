//! One row per pair of subflows that carried the same data, and direction.

use super::{Table, Written, specs, values};
use crate::dataset::column::{Column, named, text, whole};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::mptcp_summary::ReinjectionPair;
use mptcp_trace::tracking::Role;

pub const TABLE: Table = Table {
    name: "reinjection_pairs",
    row: "pair of subflows that carried the same data, and direction (`mptcp_summary`)",
    labelled: false,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let connections = analyzed.facts.iter().flat_map(|facts| &facts.connections);
        let directions =
            connections.flat_map(|of| of.summary.directions.iter().map(|one| (of.record.mptcpstream, one)));
        let rows = directions.flat_map(|(mptcpstream, one)| {
            one.reinjections.iter().map(move |pair| Row { mptcpstream, towards: one.towards, pair })
        });
        values(&columns(), &rows.collect::<Vec<Row>>())
    },
};

struct Row<'a> {
    mptcpstream: ConnectionId,
    towards: Role,
    pair: &'a ReinjectionPair,
}

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("mptcpstream", "", "MPTCP connection", |row: &Row| Some(row.mptcpstream.into())),
        text("towards", "server or client: the end that the data travels to", |row: &Row| named(&row.towards)),
        whole("from_tcpstream", "", "Subflow that carried the data first", |row: &Row| Some(row.pair.from.into())),
        whole("to_tcpstream", "", "Subflow that carried it again", |row: &Row| Some(row.pair.to.into())),
        whole("bytes", "B", "Data carried again", |row: &Row| Some(row.pair.bytes)),
        whole("packets", "", "Packets of the second subflow with such data", |row: &Row| Some(row.pair.packets)),
    ]
}
