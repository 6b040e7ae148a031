//! `mptcp_summary [N]`

mod all;

use clap::ArgMatches;

use super::list_reinjections::{merged_repeats, what_is_open};
use super::shared::limit::{self, Limit, amount};
use super::shared::roles;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::analysis::mptcp_summary::{MptcpDirection, MptcpSummary, mptcp_summary};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::units::counted;

/// Sums up an MPTCP connection.
pub struct MptcpSummaryCommand;

impl Described for MptcpSummaryCommand {
    fn name(&self) -> &'static str {
        "mptcp_summary"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["summary"]
    }

    fn summary(&self) -> &'static str {
        "Summarize MPTCP connections: data, each subflow's share, reinjections"
    }

    fn details(&self) -> &'static str {
        "goodput_bytes counts each data byte once: what the application wrote. It is the sum of mapped_bytes (with a \
         mapping), plain_tcp_bytes (after a fallback to TCP) and fast_open_bytes (in the SYN, TCP Fast Open). \
         throughput_bytes is what the subflows carried for it.\n\n\
         Repeated data is split by cause: retransmitted (by TCP, under the same subflow sequence numbers), duplicated \
         (by the path, see `help tcp_summary`), reinjected (already sent over another subflow), re-sent on the same \
         subflow (under new sequence numbers). A subflow's goodput is the data that it carried first at the place of \
         capture, given by seen_from. At the receiver, reinjected_bytes are those of the late copy: which copy was \
         sent first is unknown there, and copies lost on the way are not counted.\n\n\
         unseen_bytes are covered by DATA_ACKs but were in no captured packet, as on a subflow over an interface that \
         was not recorded. Without the sender's key they count from the lowest DATA_ACK. Goodput, rates and shares \
         cover captured data only. keepalives and window_probes count packets; a byte that they carry is not data \
         unless the receiver took it.\n\n\
         Without a number, there is one row per connection; JSON and CSV then have the full record of each."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream().required(false)).arg(arguments::towards()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "mptcp_summary 0", purpose: "data of connection 0, by subflow" },
            Example { line: "mptcp_summary 0 --towards server -H", purpose: "the upload, with unit prefixes" },
            Example { line: "mptcp_summary", purpose: "all connections, one row per connection" },
        ]
    }
}

impl Command for MptcpSummaryCommand {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let towards = arguments::role(arguments);
        let Some(number) = arguments.get_one::<u32>("mptcpstream").map(|id| ConnectionId(*id)) else {
            return Ok(Outcome::Report(all::report(capture, towards)?));
        };
        let connection = capture.mptcp_connection(number)?;
        let summary = in_directions(mptcp_summary(capture, connection), towards);
        let mut tables = vec![directions(capture, connection, &summary)];
        let limit = Limit::of(arguments);
        tables.extend(summary.directions.iter().map(|direction| shares(direction, limit)));
        tables.extend(pairs(&summary, limit));
        tables.extend(joins(&summary, limit));
        let report = Report::new(&summary, tables);
        Ok(Outcome::Report(report.complete(&ROWS).declared("mptcp_summary").with_notes(notes(connection, &summary))))
    }
}

/// A row a direction and subflow.
const ROWS: Rows = Rows {
    columns: &[
        "mptcpstream",
        "towards",
        "tcpstream",
        "packets",
        "throughput_bytes",
        "throughput_contribution",
        "goodput_bytes",
        "goodput_contribution",
        "plain_tcp_bytes",
        "fast_open_bytes",
        "retransmitted_bytes",
        "duplicated_bytes",
        "duplicated_packets",
        "reinjected_bytes",
        "reinjected_packets",
        "reinjected_orig_bytes",
        "reinjected_orig_packets",
        "resent_same_subflow_bytes",
        "keepalives",
        "window_probes",
        "seen_from",
        "unseen_bytes",
    ],
    levels: &[("directions", "direction"), ("subflows", "")],
    lists: &[
        ("setup.joins", &["tcpstream", "established_after", "handshake_rtt"]),
        ("directions.reinjections", &["from", "to", "bytes", "packets"]),
    ],
    ..Rows::FLAT
};

/// The summary without the directions that were not asked for.
fn in_directions(mut summary: MptcpSummary, towards: Option<Role>) -> MptcpSummary {
    summary.directions.retain(|direction| towards.is_none_or(|role| direction.towards == role));
    summary
}

/// Columns that people see only where there is something in them.
const RARE: [&str; 2] = ["duplicated_bytes", "duplicated_packets"];

fn directions(capture: &Capture, connection: &Connection, summary: &MptcpSummary) -> Table {
    let ends = connection.subflows.first().and_then(|id| capture.tracking.stream(*id));
    let ends = ends.map_or_else(String::new, |stream| format!(": {} -> {}", stream.client, stream.server));
    let mut table = Table::headed(&[
        ("towards", ""),
        ("goodput", ""),
        ("throughput", ""),
        ("retransmitted", "retrans-\nmitted"),
        ("duplicated_bytes", "dupli-\ncated"),
        ("duplicated_packets", "in\npackets"),
        ("reinjected", "rein-\njected"),
        ("duration", ""),
        ("rate", ""),
    ])
    .titled(format!("MPTCP connection {}{ends}", connection.id));
    for direction in &summary.directions {
        table.rows.push(vec![
            Cell::Text(direction.towards.name().to_string()),
            Cell::Bytes(direction.goodput_bytes),
            Cell::Bytes(direction.throughput_bytes),
            Cell::Bytes(direction.retransmitted_bytes),
            Cell::Bytes(direction.duplicated_bytes),
            Cell::Integer(direction.duplicated_packets.into()),
            Cell::Bytes(direction.reinjected_bytes),
            Cell::microseconds(direction.duration),
            direction.rate.map_or(Cell::Null, Cell::BytesPerSecond),
        ]);
    }
    table.without_zeros_in(&RARE)
}

fn shares(direction: &MptcpDirection, limit: Limit) -> Table {
    let mut table = Table::headed(&[
        ("tcpstream", "tcp\nstream"),
        ("path", ""),
        ("packets", ""),
        ("goodput", ""),
        ("share", ""),
        ("throughput", ""),
        ("share", ""),
        ("retransmitted", "retrans-\nmitted"),
        ("duplicated_bytes", "dupli-\ncated"),
        ("duplicated_packets", "in\npackets"),
        ("reinjected", "rein-\njected"),
    ])
    .titled(format!(
        "Subflows towards the {}{}",
        direction.towards.name(),
        if direction.unseen_bytes > Some(0) { ", shares of what was captured" } else { "" }
    ));
    for subflow in interruptible(&direction.subflows) {
        table.rows.push(vec![
            Cell::Integer(subflow.tcpstream.0.into()),
            subflow.path.clone().map_or(Cell::Null, Cell::Text),
            Cell::Integer(subflow.packets.into()),
            Cell::Bytes(subflow.goodput_bytes),
            subflow.goodput_contribution.map_or(Cell::Null, Cell::Share),
            Cell::Bytes(subflow.throughput_bytes),
            subflow.throughput_contribution.map_or(Cell::Null, Cell::Share),
            Cell::Bytes(subflow.retransmitted_bytes),
            Cell::Bytes(subflow.duplicated_bytes),
            Cell::Integer(subflow.duplicated_packets.into()),
            Cell::Bytes(subflow.reinjected_bytes),
        ]);
    }
    let table = table.without_zeros_in(&RARE).without_zeros_in(&["path"]);
    let place = |name: &str| table.columns.iter().position(|column| column.name == name).unwrap_or_default();
    let (goodput, throughput) = (place("goodput"), place("throughput"));
    limit.cut(table, "with the least data", |_, row| (amount(row, goodput), amount(row, throughput)))
}

/// Reinjections by pair of subflows; no table without any.
fn pairs(summary: &MptcpSummary, limit: Limit) -> Option<Table> {
    let repeated = || summary.directions.iter().filter(|direction| !direction.reinjections.is_empty());
    let (first, again, title) = if repeated().all(|direction| direction.seen_from == Some(SeenFrom::Sender)) {
        ("first sent on", "reinjected on", "Reinjections between subflows")
    } else {
        ("came first on", "came again on", "Data that came over two subflows")
    };
    let mut table = Table::new(&["towards", first, again, "bytes", "packets"]).titled(title);
    for direction in &summary.directions {
        for pair in interruptible(&direction.reinjections) {
            table.rows.push(vec![
                Cell::Text(direction.towards.name().to_string()),
                Cell::Integer(pair.from.0.into()),
                Cell::Integer(pair.to.0.into()),
                Cell::Bytes(pair.bytes),
                Cell::Integer(pair.packets.into()),
            ]);
        }
    }
    let table = limit.cut(table, "with the fewest bytes", |_, row| amount(row, 3));
    (!table.rows.is_empty()).then_some(table)
}

/// When subflows joined; no table without joins.
fn joins(summary: &MptcpSummary, limit: Limit) -> Option<Table> {
    let mut table = Table::headed(&[
        ("tcpstream", "tcp\nstream"),
        ("established after", "established\nafter"),
        ("handshake RTT", "handshake\nround trip"),
    ])
    .titled("Setup");
    let time = |seconds: Option<f64>| seconds.map_or(Cell::Null, Cell::microseconds);
    if let Some(rtt) = summary.setup.handshake_rtt {
        table.rows.push(vec![Cell::Text("initial".to_string()), Cell::Null, Cell::microseconds(rtt)]);
    }
    for join in &summary.setup.joins {
        table.rows.push(vec![
            Cell::Integer(join.tcpstream.0.into()),
            time(join.established_after),
            time(join.handshake_rtt),
        ]);
    }
    let initial = |row: &[Cell]| matches!(row.first(), Some(Cell::Text(_)));
    let table = limit.cut(table, "with the shortest round trips", |_, row| (initial(row), amount(row, 2)));
    (!table.rows.is_empty()).then_some(table)
}

/// How many keep-alives and window probes there were, if any: a sentence without full stop.
pub(super) fn probes(towards: &str, keepalives: u64, window_probes: u64) -> Option<String> {
    let named = [(keepalives, "keep-alive"), (window_probes, "zero-window probe")];
    let present: Vec<String> =
        named.iter().filter(|(count, _)| *count > 0).map(|(count, name)| counted(*count, name)).collect();
    (!present.is_empty()).then(|| format!("towards the {towards}, {}: not data", present.join(" and ")))
}

fn notes(connection: &Connection, summary: &MptcpSummary) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(roles::guessed_note(connection));
    for direction in &summary.directions {
        let towards = direction.towards.name();
        if direction.reinjected_bytes > 0 {
            notes.extend(what_is_open(direction.towards, direction.seen_from));
        }
        notes.extend(merged_repeats(direction.towards, direction.merged_repeats));
        if direction.resent_same_subflow_bytes > 0 {
            notes.push(format!(
                "towards the {towards}, subflows re-sent {} of their own data under new sequence numbers",
                counted(direction.resent_same_subflow_bytes, "byte")
            ));
        }
        if direction.plain_tcp_bytes > 0 {
            notes.push(format!(
                "towards the {towards}, goodput includes {} of plain TCP after a fallback and {} with a mapping",
                counted(direction.plain_tcp_bytes, "byte"),
                counted(direction.mapped_bytes, "byte")
            ));
        }
        if direction.fast_open_bytes > 0 {
            notes.push(format!(
                "towards the {towards}, goodput includes {} in the SYN (TCP Fast Open), before the first data \
                 sequence number",
                counted(direction.fast_open_bytes, "byte")
            ));
        }
        if let Some(bytes) = direction.unseen_bytes.filter(|bytes| *bytes > 0) {
            notes.push(format!(
                "towards the {towards}, DATA_ACKs cover {} that no captured packet carried: goodput, rate and shares \
                 cover captured data only",
                counted(bytes, "byte")
            ));
        }
        if direction.unmapped_bytes > 0 {
            notes.push(format!(
                "towards the {towards}, goodput excludes {} whose mapping was not captured",
                counted(direction.unmapped_bytes, "byte")
            ));
        }
        notes.extend(probes(towards, direction.keepalives, direction.window_probes));
    }
    notes
}
