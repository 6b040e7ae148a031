//! One row per TCP stream whose SYN asked for MPTCP.

use super::{Table, Written, specs, values};
use crate::dataset::analyzed::microseconds;
use crate::dataset::column::{Column, fraction, named, text, time, truth, whole};
use mptcp_trace::analysis::handshakes::Handshake;

pub const TABLE: Table = Table {
    name: "handshakes",
    row: "TCP stream whose SYN has MP_CAPABLE or MP_JOIN (`handshakes`)",
    labelled: false,
    written: Written::Always,
    columns: || specs(columns()),
    frame: |analyzed| {
        let rows: Vec<Row> = analyzed.facts.iter().flat_map(|facts| &facts.handshakes).collect();
        values(&columns(), &rows)
    },
};

type Row<'a> = &'a Handshake;

fn columns<'a>() -> Vec<Column<Row<'a>>> {
    vec![
        whole("tcpstream", "", "TCP stream", |row: &Row| Some(row.tcpstream.into())),
        whole("mptcpstream", "", "MPTCP connection that it is a subflow of", |row: &Row| {
            row.mptcpstream.map(Into::into)
        }),
        text("asked", "capable (a connection) or join (a further subflow)", |row: &Row| named(&row.asked)),
        whole("version", "", "Version in the SYN's MP_CAPABLE", |row: &Row| row.version.map(Into::into)),
        whole("answered_version", "", "Version in the MP_CAPABLE that answered", |row: &Row| {
            row.answered_version.map(Into::into)
        }),
        text(
            "outcome",
            "Of capable: granted, declined, blackholed, refused, unanswered, mirrored, unknown; of join: established, \
             refused, option_missing, unanswered, unfinished",
            |row: &Row| named(&row.outcome),
        ),
        text("hmac", "Verdict on the HMACs of a join: valid, invalid, unverifiable", |row: &Row| {
            row.hmac.and_then(|verdict| named(&verdict))
        }),
        truth("checksum_required", "The SYN's MP_CAPABLE requires DSS checksums", |row: &Row| row.checksum_required),
        text("client_ip", "Address of the end that sent the SYN", |row: &Row| Some(row.client_ip.to_string())),
        whole("client_port", "", "Its port", |row: &Row| Some(row.client_port.into())),
        text("server_ip", "Address of the other end", |row: &Row| Some(row.server_ip.to_string())),
        whole("server_port", "", "Its port", |row: &Row| Some(row.server_port.into())),
        whole("packetid", "", "Packet of the first SYN", |row: &Row| Some(row.packetid)),
        fraction("reltime_s", "s", "First SYN, since the first frame of the file", |row: &Row| Some(row.reltime)),
        time("syn_time", "First SYN", |row: &Row| Some(microseconds(row.time))),
        whole("syns", "", "SYNs sent", |row: &Row| Some(row.syns.into())),
        fraction("syn_ack_after_s", "s", "First SYN to first SYN/ACK", |row: &Row| row.syn_ack_after),
        fraction("ack_after_s", "s", "First SYN to the client's first ACK behind the SYN/ACK", |row: &Row| {
            row.ack_after
        }),
    ]
}
