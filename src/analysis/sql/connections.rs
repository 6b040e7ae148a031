//! The table of MPTCP connections.

use polars::prelude::*;

use super::column::{fraction, name, text, truth, whole};
use crate::error::Result;
use crate::packets::cells::hexadecimal;
use mptcp_trace::analysis::mptcp_connections::{MptcpConnection, mptcp_connections};
use mptcp_trace::analysis::mptcp_summary::{MptcpDirection, MptcpSummary, mptcp_summary};
use mptcp_trace::interrupt;
use mptcp_trace::tracking::{Capture, Role};

struct Row {
    connection: MptcpConnection,
    summary: MptcpSummary,
}

/// One row per connection: what `list_mptcp_connections` says of it, the endpoints of its initial subflow, and the
/// totals of `mptcp_summary` in either direction.
pub fn table(capture: &Capture) -> Result<PolarsResult<DataFrame>> {
    let mut rows = Vec::new();
    for connection in mptcp_connections(capture) {
        interrupt::check()?;
        let summary = mptcp_summary(capture, capture.mptcp_connection(connection.mptcpstream)?);
        rows.push(Row { connection, summary });
    }
    Ok(DataFrame::new(rows.len(), columns(&rows)))
}

fn columns(rows: &[Row]) -> Vec<Column> {
    let mut columns = vec![
        whole("mptcpstream", rows, |row| Some(row.connection.mptcpstream.into())),
        whole("version", rows, |row| row.connection.version.map(u64::from)),
        text("client_ip", rows, |row| Some(row.connection.subflows.first()?.client_ip.to_string())),
        whole("client_port", rows, |row| Some(row.connection.subflows.first()?.client_port.into())),
        text("server_ip", rows, |row| Some(row.connection.subflows.first()?.server_ip.to_string())),
        whole("server_port", rows, |row| Some(row.connection.subflows.first()?.server_port.into())),
        text("client_key", rows, |row| row.connection.client_key.map(|key| hexadecimal(key, 16))),
        text("server_key", rows, |row| row.connection.server_key.map(|key| hexadecimal(key, 16))),
        text("client_token", rows, |row| row.connection.client_token.map(|token| hexadecimal(token.into(), 8))),
        text("server_token", rows, |row| row.connection.server_token.map(|token| hexadecimal(token.into(), 8))),
        truth("checksum_required", rows, |row| row.connection.checksum_required),
        name("fallback", rows, |row| row.connection.fallback.map(|fallback| fallback.reason)),
        name("state", rows, |row| row.connection.state),
        whole("subflows", rows, |row| Some(row.connection.subflows.len() as u64)),
    ];
    for towards in Role::BOTH {
        let of = move |row: &Row| row.summary.directions.iter().position(|direction| direction.towards == towards);
        let total = |column: &str, part: fn(&MptcpDirection) -> u64| {
            let value = move |row: &Row| row.summary.directions.get(of(row)?).map(part);
            whole(&format!("{column}_to_{}", towards.name()), rows, value)
        };
        columns.extend([
            total("goodput_bytes", |direction| direction.goodput_bytes),
            total("throughput_bytes", |direction| direction.throughput_bytes),
            total("retransmitted_bytes", |direction| direction.retransmitted_bytes),
            total("duplicated_bytes", |direction| direction.duplicated_bytes),
            total("reinjected_bytes", |direction| direction.reinjected_bytes),
            total("plain_tcp_bytes", |direction| direction.plain_tcp_bytes),
            total("fast_open_bytes", |direction| direction.fast_open_bytes),
            total("keepalives", |direction| direction.keepalives),
            total("window_probes", |direction| direction.window_probes),
            whole(&format!("unseen_bytes_to_{}", towards.name()), rows, move |row| {
                row.summary.directions.get(of(row)?).and_then(|direction| direction.unseen_bytes)
            }),
            fraction(&format!("duration_to_{}", towards.name()), rows, |row| {
                row.summary.directions.get(of(row)?).map(|direction| direction.duration)
            }),
        ]);
    }
    columns
}
