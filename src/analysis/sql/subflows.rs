//! The table of subflows.

use std::collections::HashMap;

use polars::prelude::*;

use super::column::{name, text, truth, whole};
use crate::error::Result;
use mptcp_trace::analysis::mptcp_connections::mptcp_connections;
use mptcp_trace::analysis::mptcp_summary::{MptcpSummary, SubflowShare, mptcp_summary};
use mptcp_trace::analysis::subflows::SubflowRecord;
use mptcp_trace::interrupt;
use mptcp_trace::tracking::{Capture, Role};
use mptcp_trace::{ConnectionId, StreamId};

struct Row {
    mptcpstream: ConnectionId,
    subflow: SubflowRecord,
    /// Traffic towards the server, then towards the client.
    shares: [Option<SubflowShare>; 2],
}

/// One row per subflow: what `list_subflows` says of it, and its part of `mptcp_summary` in either direction.
pub fn table(capture: &Capture) -> Result<PolarsResult<DataFrame>> {
    let mut rows = Vec::new();
    for connection in mptcp_connections(capture) {
        interrupt::check()?;
        let summary = mptcp_summary(capture, capture.mptcp_connection(connection.mptcpstream)?);
        let shares = Role::BOTH.map(|towards| by_stream(&summary, towards));
        for subflow in connection.subflows {
            let shares = shares.each_ref().map(|shares| shares.get(&subflow.tcpstream).map(|share| (*share).clone()));
            rows.push(Row { mptcpstream: connection.mptcpstream, subflow, shares });
        }
    }
    Ok(DataFrame::new(rows.len(), columns(&rows)))
}

fn by_stream(summary: &MptcpSummary, towards: Role) -> HashMap<StreamId, &SubflowShare> {
    let direction = summary.directions.iter().find(|direction| direction.towards == towards);
    direction.into_iter().flat_map(|direction| &direction.subflows).map(|share| (share.tcpstream, share)).collect()
}

fn columns(rows: &[Row]) -> Vec<Column> {
    let mut columns = vec![
        whole("mptcpstream", rows, |row| Some(row.mptcpstream.into())),
        whole("tcpstream", rows, |row| Some(row.subflow.tcpstream.into())),
        name("kind", rows, |row| row.subflow.kind),
        text("client_ip", rows, |row| Some(row.subflow.client_ip.to_string())),
        whole("client_port", rows, |row| Some(row.subflow.client_port.into())),
        text("server_ip", rows, |row| Some(row.subflow.server_ip.to_string())),
        whole("server_port", rows, |row| Some(row.subflow.server_port.into())),
        name("mptcpdest", rows, |row| row.subflow.mptcpdest),
        whole("addrid", rows, |row| row.subflow.addrid.map(u64::from)),
        truth("backup", rows, |row| row.subflow.backup),
        truth("backup_at_end", rows, |row| row.subflow.backup_at_end),
        text("interface", rows, |row| row.subflow.interface.clone()),
        name("state", rows, |row| row.subflow.state),
        name("hmac", rows, |row| row.subflow.hmac),
    ];
    for (index, towards) in Role::BOTH.into_iter().enumerate() {
        let total = |column: &str, part: fn(&SubflowShare) -> u64| {
            let value = move |row: &Row| row.shares.get(index)?.as_ref().map(part);
            whole(&format!("{column}_to_{}", towards.name()), rows, value)
        };
        columns.extend([
            total("packets", |share| share.packets),
            total("goodput_bytes", |share| share.goodput_bytes),
            total("throughput_bytes", |share| share.throughput_bytes),
            total("retransmitted_bytes", |share| share.retransmitted_bytes),
            total("duplicated_bytes", |share| share.duplicated_bytes),
            total("reinjected_bytes", |share| share.reinjected_bytes),
            total("plain_tcp_bytes", |share| share.plain_tcp_bytes),
            total("fast_open_bytes", |share| share.fast_open_bytes),
            total("keepalives", |share| share.keepalives),
            total("window_probes", |share| share.window_probes),
        ]);
    }
    columns
}
