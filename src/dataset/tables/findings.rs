//! One row per finding.

use super::{Table, Written, specs, values};
use crate::analysis::diagnose::Finding;
use crate::dataset::column::{Column, named, text, whole};

pub const TABLE: Table = Table {
    name: "findings",
    row: "finding (`diagnose --all`)",
    labelled: false,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let rows: Vec<Row> = analyzed.facts.iter().flat_map(|facts| &facts.findings).collect();
        values(&columns(), &rows)
    },
};

type Row<'a> = &'a Finding;

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        text("severity", "problem or notice", |row: &Row| named(&row.severity)),
        text("finding", "Kind of finding", |row: &Row| named(&row.finding)),
        whole("mptcpstream", "", "MPTCP connection, where it is about one", |row: &Row| {
            row.mptcpstream.map(Into::into)
        }),
        whole("tcpstream", "", "TCP stream, where it is about one", |row: &Row| row.tcpstream.map(Into::into)),
        text("towards", "server or client, where it is about one direction", |row: &Row| named(&row.towards)),
        whole("packet_count", "", "Packets that show it", |row: &Row| Some(row.packet_count as u64)),
        whole("packetid", "", "The first of them", |row: &Row| row.packets.first().copied()),
        text("detail", "Evidence", |row: &Row| Some(row.detail.clone())),
        text("meaning", "Meaning, the likeliest cause first", |row: &Row| Some(row.meaning.to_string())),
        text("next", "Advice", |row: &Row| Some(row.next.to_string())),
    ]
}
