//! `tcp_summary [N]`

mod all;

use clap::ArgMatches;

use super::mptcp_summary::probes;
use super::shared::limit::{self, Limit};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use crate::terminal_text::escape;
use mptcp_trace::StreamId;
use mptcp_trace::analysis::tcp_summary::{TcpDirection, TcpSummary, tcp_summary};
use mptcp_trace::tracking::Role;
use mptcp_trace::units::counted;

/// Sums up a TCP stream.
pub struct TcpSummaryCommand;

impl Described for TcpSummaryCommand {
    fn name(&self) -> &'static str {
        "tcp_summary"
    }

    fn summary(&self) -> &'static str {
        "Summarize TCP streams: bytes, retransmissions, duration, rate"
    }

    fn details(&self) -> &'static str {
        "throughput_bytes is the sum of payload lengths; goodput_bytes counts each sequence number once. The \
         difference was retransmitted, with two exceptions: bytes of keep-alives and window probes, which are not \
         data, and packets duplicated by the path (duplicated_bytes, duplicated_packets). Such a copy repeats what a \
         retransmission would change: the IPv4 identification or, without one, the timestamps. If neither helps, an \
         identical packet counts as retransmitted, and in undecided_packets. fast_open_bytes is the part of the \
         goodput carried by the SYN. Duration is from the first to the last packet of the direction; rate is goodput \
         over duration.\n\n\
         Without a number, there is one row per stream; JSON and CSV then have the full record of each."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::tcp_stream().required(false)).arg(arguments::towards()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "tcp_summary 0", purpose: "data carried by the first TCP stream" },
            Example { line: "tcp_summary 0 --towards server -H", purpose: "one direction, with unit prefixes" },
            Example { line: "tcp_summary", purpose: "all TCP streams, one row per stream" },
        ]
    }
}

impl Command for TcpSummaryCommand {
    fn category(&self) -> Category {
        Category::Tcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let towards = arguments::role(arguments);
        let Some(number) = arguments.get_one::<u32>("tcpstream").map(|id| StreamId(*id)) else {
            return Ok(Outcome::Report(all::report(capture, towards, Limit::of(arguments))?));
        };
        let stream = capture.tcp_stream(number)?;
        let summary = in_directions(tcp_summary(capture, stream), towards);
        let path = capture.path_label(stream.id).map(|path| format!(" ({})", escape(path))).unwrap_or_default();
        let title = format!("TCP stream {}{path}: {} -> {}", stream.id, stream.client, stream.server);
        let people = table(&summary).titled(title);
        let report = Report::new(&summary, vec![people]).complete(&ROWS).declared("tcp_summary");
        Ok(Outcome::Report(report.with_notes(notes(&summary))))
    }
}

/// A row a direction.
const ROWS: Rows = Rows {
    columns: &[
        "tcpstream",
        "towards",
        "packets",
        "throughput_bytes",
        "goodput_bytes",
        "retransmitted_bytes",
        "retransmitted_packets",
        "duplicated_bytes",
        "duplicated_packets",
        "undecided_packets",
        "keepalives",
        "window_probes",
        "fast_open_bytes",
        "duration",
        "rate",
    ],
    seconds: &["duration"],
    levels: &[("directions", "")],
    ..Rows::FLAT
};

/// The summary without the directions that were not asked for.
fn in_directions(mut summary: TcpSummary, towards: Option<Role>) -> TcpSummary {
    summary.directions.retain(|direction| towards.is_none_or(|role| direction.towards == role));
    summary
}

/// Columns that people see only where there is something in them.
const RARE: [&str; 3] = ["duplicated_bytes", "duplicated_packets", "undecided_packets"];

/// One row per direction.
fn table(summary: &TcpSummary) -> Table {
    let mut table = Table::headed(&[
        ("towards", ""),
        ("packets", ""),
        ("throughput_bytes", "throughput"),
        ("goodput_bytes", "goodput"),
        ("retransmitted_bytes", "retrans-\nmitted"),
        ("retransmitted_packets", "in\npackets"),
        ("duplicated_bytes", "dupli-\ncated"),
        ("duplicated_packets", "in\npackets"),
        ("undecided_packets", "undecided\npackets"),
        ("duration", ""),
        ("rate", ""),
    ]);
    table.rows.extend(summary.directions.iter().map(cells));
    table.without_zeros_in(&RARE)
}

/// Facts without a column in the table: sentences without full stop.
fn notes(summary: &TcpSummary) -> Vec<String> {
    let mut notes = Vec::new();
    for direction in &summary.directions {
        let towards = direction.towards.name();
        if direction.fast_open_bytes > 0 {
            let bytes = counted(direction.fast_open_bytes, "byte");
            notes.push(format!("towards the {towards}, goodput includes {bytes} in the SYN (TCP Fast Open)"));
        }
        notes.extend(probes(towards, direction.keepalives, direction.window_probes));
    }
    notes
}

fn cells(direction: &TcpDirection) -> Vec<Cell> {
    vec![
        Cell::Text(direction.towards.name().to_string()),
        Cell::Integer(direction.packets.into()),
        Cell::Bytes(direction.throughput_bytes),
        Cell::Bytes(direction.goodput_bytes),
        Cell::Bytes(direction.retransmitted_bytes),
        Cell::Integer(direction.retransmitted_packets.into()),
        Cell::Bytes(direction.duplicated_bytes),
        Cell::Integer(direction.duplicated_packets.into()),
        Cell::Integer(direction.undecided_packets.into()),
        Cell::microseconds(direction.duration),
        direction.rate.map_or(Cell::Null, Cell::BytesPerSecond),
    ]
}
