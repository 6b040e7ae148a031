//! `tcp_summary` without a number: every stream, a row each.

use super::{ROWS, in_directions};
use crate::commands::shared::limit::{Limit, amount};
use crate::commands::shared::stream_cells::goodput_columns;
use crate::error::Result;
use crate::output::{Cell, Report, Table};
use mptcp_trace::analysis::tcp_summary::{TcpDirection, TcpSummary, tcp_summary};
use mptcp_trace::tracking::{Capture, Role, Stream};
use mptcp_trace::{StreamId, interrupt, parallel};

/// Sums up every stream, or one direction of each.
pub(super) fn report(capture: &Capture, towards: Option<Role>, limit: Limit) -> Result<Report> {
    let mut table = Table::headed(&columns(towards));
    let streams = capture.tracking.streams.as_slice();
    let summaries: Vec<TcpSummary> =
        parallel::each(streams, capture.segments.len(), |stream| in_directions(tcp_summary(capture, stream), towards));
    // After Ctrl-C not all are there.
    interrupt::check()?;
    for (stream, summary) in streams.iter().zip(&summaries) {
        table.rows.push(row(summary, stream));
    }
    let note = summaries.is_empty().then(|| "the capture has no TCP packets".to_string());
    // Only connections of very many subflows are cut.
    let of_one = |row: &[Cell]| {
        let stream = StreamId(u32::try_from(amount(row, 0)).ok()?);
        Some(capture.tracking.subflow(stream)?.connection)
    };
    let goodput = |index: usize, _: &[Cell]| {
        let directions = summaries.get(index).map_or(&[][..], |summary| &summary.directions);
        let sum = |part: fn(&TcpDirection) -> u64| directions.iter().map(part).fold(0, u64::saturating_add);
        (sum(|direction| direction.goodput_bytes), sum(|direction| direction.packets))
    };
    let least = "of subflows with the least data";
    let table = limit.cut_groups(table.without_zeros_in(&super::RARE), least, of_one, goodput);
    let report = Report::new(&summaries, vec![table]).complete(&ROWS).declared("tcp_summary");
    Ok(report.with_notes(note.into_iter().collect()))
}

fn columns(towards: Option<Role>) -> Vec<(&'static str, &'static str)> {
    let mut columns = vec![("tcpstream", "tcp\nstream"), ("client", ""), ("server", ""), ("packets", "")];
    columns.extend(goodput_columns(towards));
    columns.push(("retransmitted", "retrans-\nmitted"));
    columns.push(("duplicated_bytes", "dupli-\ncated"));
    columns.push(("duplicated_packets", "in\npackets"));
    columns
}

fn row(summary: &TcpSummary, stream: &Stream) -> Vec<Cell> {
    let sum = |part: fn(&TcpDirection) -> u64| summary.directions.iter().map(part).sum::<u64>();
    let mut row = vec![
        Cell::Integer(summary.tcpstream.0.into()),
        Cell::Text(stream.client.to_string()),
        Cell::Text(stream.server.to_string()),
        Cell::Integer(sum(|direction| direction.packets).into()),
    ];
    row.extend(summary.directions.iter().map(|direction| Cell::Bytes(direction.goodput_bytes)));
    row.push(Cell::Bytes(sum(|direction| direction.retransmitted_bytes)));
    row.push(Cell::Bytes(sum(|direction| direction.duplicated_bytes)));
    row.push(Cell::Integer(sum(|direction| direction.duplicated_packets).into()));
    row
}
