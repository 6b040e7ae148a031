//! `mptcp_summary` without a number: every connection, a row each.

use super::{ROWS, in_directions};
use crate::commands::shared::stream_cells::goodput_columns;
use crate::error::Result;
use crate::output::{Cell, Data, Report, Table};
use mptcp_trace::analysis::mptcp_connections::listed;
use mptcp_trace::analysis::mptcp_summary::{MptcpDirection, MptcpSummary, mptcp_summary};
use mptcp_trace::tracking::{Capture, Connection, Role, Stream};
use mptcp_trace::units::several;
use mptcp_trace::{interrupt, parallel};

/// Sums up every connection, or one direction of each.
pub(super) fn report(capture: &Capture, towards: Option<Role>) -> Result<Report> {
    let mut table = Table::headed(&columns(towards));
    let connections: Vec<&Connection> = listed(capture).collect();
    let summaries: Vec<MptcpSummary> = parallel::each(&connections, capture.segments.len(), |connection| {
        in_directions(mptcp_summary(capture, connection), towards)
    });
    // After Ctrl-C not all are there.
    interrupt::check()?;
    for (connection, summary) in connections.iter().zip(&summaries) {
        let initial = connection.subflows.first().and_then(|id| capture.tracking.stream(*id));
        table.rows.push(row(summary, initial));
    }
    let none = summaries.is_empty().then(|| "the capture has no MPTCP connection".to_string());
    let notes = none.into_iter().chain(unseen(&summaries)).chain(merged(&summaries)).collect();
    let report = Report::of(Data::owning(summaries), vec![table.without_zeros_in(&super::RARE)])
        .complete(&ROWS)
        .declared("mptcp_summary");
    Ok(report.with_notes(notes))
}

/// Which connections carried data that the capture does not hold.
fn unseen(summaries: &[MptcpSummary]) -> Option<String> {
    let some = |direction: &MptcpDirection| direction.unseen_bytes > Some(0);
    let numbers: Vec<u64> = summaries
        .iter()
        .filter(|summary| summary.directions.iter().any(some))
        .map(|summary| summary.mptcpstream.0.into())
        .collect();
    (!numbers.is_empty()).then(|| {
        format!(
            "DATA_ACKs of connection {} cover data that no captured packet carried: its goodput covers captured data \
             only",
            several(&numbers)
        )
    })
}

/// In which connections not all of what was sent again is told apart.
fn merged(summaries: &[MptcpSummary]) -> Option<String> {
    let some = |direction: &MptcpDirection| direction.merged_repeats > 0;
    let numbers: Vec<u64> = summaries
        .iter()
        .filter(|summary| summary.directions.iter().any(some))
        .map(|summary| summary.mptcpstream.0.into())
        .collect();
    (!numbers.is_empty()).then(|| {
        format!(
            "ranges sent again in connection {} span more pieces of earlier data than can be told apart: all bytes \
             are counted under the first piece",
            several(&numbers)
        )
    })
}

fn columns(towards: Option<Role>) -> Vec<(&'static str, &'static str)> {
    let mut columns = vec![("mptcpstream", "mptcp\nstream"), ("client", ""), ("server", "")];
    columns.extend(goodput_columns(towards));
    columns.extend([("retransmitted", "retrans-\nmitted"), ("duplicated_bytes", "dupli-\ncated")]);
    columns.push(("reinjected", "rein-\njected"));
    columns
}

fn row(summary: &MptcpSummary, initial: Option<&Stream>) -> Vec<Cell> {
    let sum = |part: fn(&MptcpDirection) -> u64| Cell::Bytes(summary.directions.iter().map(part).sum());
    let end = |end: fn(&Stream) -> String| initial.map(end).map_or(Cell::Null, Cell::Text);
    let mut row = vec![Cell::Integer(summary.mptcpstream.0.into())];
    row.extend([end(|stream| stream.client.to_string()), end(|stream| stream.server.to_string())]);
    row.extend(summary.directions.iter().map(|direction| Cell::Bytes(direction.goodput_bytes)));
    row.extend([sum(|direction| direction.retransmitted_bytes), sum(|direction| direction.duplicated_bytes)]);
    row.push(sum(|direction| direction.reinjected_bytes));
    row
}
