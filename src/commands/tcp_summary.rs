//! `tcp_summary N`

use clap::ArgMatches;

use super::{Category, Command, Example, Outcome, Session};
use crate::analysis::tcp_summary::{TcpSummary, tcp_summary};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Table};

/// Sums up a TCP stream.
pub struct TcpSummaryCommand;

impl Command for TcpSummaryCommand {
    fn name(&self) -> &'static str {
        "tcp_summary"
    }

    fn category(&self) -> Category {
        Category::Tcp
    }

    fn summary(&self) -> &'static str {
        "Sum up a TCP stream: bytes, retransmissions, duration, rate"
    }

    fn details(&self) -> &'static str {
        "throughput_bytes is the sum of payload lengths; goodput_bytes counts each sequence number once; the difference \
         was retransmitted. The duration is from the first to the last packet of the direction, the rate is goodput over \
         duration."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::tcp_stream()).arg(arguments::towards())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "tcp_summary 0", purpose: "how much the first TCP stream carried" },
            Example { line: "tcp_summary 0 --towards server -H", purpose: "one direction, sizes with unit prefixes" },
        ]
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let stream = capture.tcp_stream(arguments::number(arguments, "tcpstream")?)?;
        let mut summary = tcp_summary(capture, stream);
        if let Some(role) = arguments::role(arguments) {
            summary.directions.retain(|direction| direction.towards == role);
        }
        let title = format!("TCP stream {}: {} -> {}", stream.id, stream.client, stream.server);
        let people = table(&summary, Cell::microseconds).titled(title);
        Ok(Outcome::Report(Report::new(&summary, vec![people])?.with_records(table(&summary, Cell::seconds))))
    }
}

/// One row per direction.
fn table(summary: &TcpSummary, time: fn(f64) -> Cell) -> Table {
    let mut table = Table::headed(&[
        ("towards", ""),
        ("packets", ""),
        ("throughput_bytes", "throughput"),
        ("goodput_bytes", "goodput"),
        ("retransmitted_bytes", "retrans-\nmitted"),
        ("retransmitted_packets", "in\npackets"),
        ("duration", ""),
        ("rate", ""),
    ]);
    for direction in &summary.directions {
        table.rows.push(vec![
            Cell::Text(direction.towards.name().to_string()),
            Cell::Integer(direction.packets.into()),
            Cell::Bytes(direction.throughput_bytes),
            Cell::Bytes(direction.goodput_bytes),
            Cell::Bytes(direction.retransmitted_bytes),
            Cell::Integer(direction.retransmitted_packets.into()),
            time(direction.duration),
            direction.rate.map_or(Cell::Null, Cell::BytesPerSecond),
        ]);
    }
    table
}
