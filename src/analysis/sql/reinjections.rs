//! The table of reinjections.

use polars::prelude::*;

use super::column::{fraction, instant, name, text, truth, whole};
use crate::error::Result;
use crate::packets::cells::hexadecimal;
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::mptcp_connections::mptcp_connections;
use mptcp_trace::analysis::reinjections::{Reinjection, reinjections};
use mptcp_trace::interrupt;
use mptcp_trace::tracking::Capture;

struct Row {
    mptcpstream: ConnectionId,
    reinjection: Reinjection,
}

/// One row per packet with data that another subflow had carried before, of all connections: what `list_reinjections`
/// says of it, and when it was recorded. Of the packets that carried the data first, the earliest stands for all.
pub fn table(capture: &Capture) -> Result<PolarsResult<DataFrame>> {
    let mut rows = Vec::new();
    for connection in mptcp_connections(capture) {
        interrupt::check()?;
        let mptcpstream = connection.mptcpstream;
        let found = reinjections(capture, capture.mptcp_connection(mptcpstream)?, None);
        rows.extend(found.into_iter().map(|reinjection| Row { mptcpstream, reinjection }));
    }
    Ok(DataFrame::new(rows.len(), columns(&rows)))
}

fn columns(rows: &[Row]) -> Vec<Column> {
    vec![
        whole("mptcpstream", rows, |row| Some(row.mptcpstream.into())),
        whole("packetid", rows, |row| Some(row.reinjection.packetid)),
        whole("tcpstream", rows, |row| Some(row.reinjection.tcpstream.into())),
        name("towards", rows, |row| row.reinjection.towards),
        whole("dsn", rows, |row| row.reinjection.dsn),
        text("dsnraw64", rows, |row| row.reinjection.dsnraw64.map(|raw| hexadecimal(raw, 16))),
        whole("length", rows, |row| Some(row.reinjection.length)),
        whole("of_packetid", rows, |row| Some(row.reinjection.of.first()?.packetid)),
        whole("of_tcpstream", rows, |row| Some(row.reinjection.of.first()?.tcpstream.into())),
        whole("originals", rows, |row| Some(row.reinjection.of.len() as u64)),
        instant("abstime", rows, |row| Some(row.reinjection.time)),
        fraction("age", rows, |row| Some(row.reinjection.age_seconds())),
        fraction("reltime", rows, |row| Some(row.reinjection.reltime)),
        name("seen_from", rows, |row| row.reinjection.seen_from),
        fraction("late_by", rows, |row| row.reinjection.late_by),
        truth("needed", rows, |row| row.reinjection.needed),
        truth("merged", rows, |row| Some(row.reinjection.merged)),
    ]
}
