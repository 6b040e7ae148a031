//! `ooo N`

use std::collections::HashMap;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches};
use serde::Serialize;

use super::shared::limit::{self, Limit, amount};
use super::shared::{milliseconds, roles, series};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Data, Report, Rows, Table};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::distribution::Distribution;
use mptcp_trace::analysis::out_of_order::{Blame, OutOfOrder, OutOfOrderDirection, out_of_order};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection, Role};

/// Shows where data waited for other data.
pub struct OutOfOrderCommand;

impl Described for OutOfOrderCommand {
    fn name(&self) -> &'static str {
        "ooo"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["out_of_order"]
    }

    fn summary(&self) -> &'static str {
        "Measure out-of-order data at the receiver: amount, waiting time, and the subflow to blame"
    }

    fn details(&self) -> &'static str {
        "A segment is out of order if it carries new data beyond the next expected data sequence number. Its data \
         waits until all earlier data has arrived on any subflow. That wait is its head-of-line delay, counted once \
         for each range of data that a packet was the first to carry. Delays cover only ranges that waited; in-order \
         and repeated data does not wait. TCP's own reordering within a subflow, which also holds data back, counts \
         only as far as data sequence numbers show it.\n\n\
         One table shows which subflow carried the waiting data. The other shows which subflow carried the next \
         expected data while other data waited (blocked time), and how often and for how many bytes its arrival ended \
         the wait. Blocked times add up to the total time in which anything waited for a gap that was later filled.\n\n\
         At the receiver, the numbers are those of its application. At the sender, they show the sending order, before \
         any path delay. Percentiles are interpolated between the two nearest values, as in NumPy. JSON and CSV are in \
         seconds."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let over_time = Arg::new("over_time")
            .long("over-time")
            .action(ArgAction::SetTrue)
            .help("Waiting bytes over time, one row per change, instead of the summary");
        command.arg(arguments::mptcp_stream()).arg(arguments::towards()).arg(over_time).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "ooo 0", purpose: "waiting data of connection 0, both directions" },
            Example { line: "ooo 0 --towards client --format json", purpose: "the download, for a program" },
            Example { line: "ooo 0 --over-time --format csv -o waiting.csv", purpose: "waiting bytes over time" },
        ]
    }
}

impl Command for OutOfOrderCommand {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let mut found = out_of_order(capture, connection);
        if let Some(role) = arguments::role(arguments) {
            found.directions.retain(|direction| direction.towards == role);
        }
        let notes = notes(connection, &found);
        if arguments.get_flag("over_time") {
            let occupancy = occupancy(capture, &found);
            let table = occupancy_table(&occupancy);
            return Ok(Outcome::Report(
                Report::new(&occupancy, vec![table]).declared("ooo --over-time").with_notes(notes),
            ));
        }
        let limit = Limit::of(arguments);
        let mut tables = vec![totals(&found)];
        for direction in &found.directions {
            let bytes = |_: usize, row: &[Cell]| (amount(row, 3), amount(row, 1));
            tables.push(limit.cut(waited(direction), "with the least data waiting", bytes));
            let blocked: Vec<Duration> = direction.blame.iter().map(|blame| span(blame.blocked_time)).collect();
            let by_time = |index: usize, row: &[Cell]| (blocked.get(index).copied(), amount(row, 2));
            tables.push(limit.cut(blame(direction), "with the shortest waits", by_time));
        }
        let records = flat(&found);
        let report = Report::of(Data::owning(found), tables).with_records(records);
        Ok(Outcome::Report(report.complete(&ROWS).declared("ooo").with_notes(notes)))
    }
}

/// A row a direction and subflow.
const ROWS: Rows = Rows {
    levels: &[("directions", "direction"), ("subflows", "")],
    derived: &["holes_filled", "released_bytes", "blocked_time"],
    lists: &[("directions.blame", &["tcpstream", "holes_filled", "released_bytes", "blocked_time"])],
    ..Rows::FLAT
};

/// Seconds as something that has an order.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

fn totals(found: &OutOfOrder) -> Table {
    let names = ["towards", "segments", "out of order", "peak bytes", "mean bytes"];
    let mut table = Table::new(&names).titled(format!("Data out of order in connection {}", found.mptcpstream));
    table.columns.push(milliseconds::column("blocked ms"));
    for direction in &found.directions {
        table.rows.push(vec![
            Cell::Text(direction.towards.name().to_string()),
            Cell::Integer(direction.segments.into()),
            Cell::Integer(direction.out_of_order_segments.into()),
            Cell::Bytes(direction.peak_bytes),
            direction.mean_bytes.map_or(Cell::Null, whole_bytes),
            milliseconds::cell(Some(direction.blocked_time)),
        ]);
    }
    table
}

fn whole_bytes(bytes: f64) -> Cell {
    // A mean of counts is never negative, and `as` saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Cell::Bytes(bytes.round() as u64)
}

fn waited(direction: &OutOfOrderDirection) -> Table {
    let title = format!("Towards the {}, waiting data: head-of-line delay in milliseconds", direction.towards.name());
    let mut table = Table::new(&["tcpstream", "segments", "waited", "bytes"]).titled(title);
    table.columns.extend(["median", "p75", "p99", "max"].map(milliseconds::column));
    let mut add = |stream: Cell, segments: u64, waited: u64, bytes: u64, delay: &Distribution| {
        let counts = [Cell::Integer(segments.into()), Cell::Integer(waited.into()), Cell::Bytes(bytes)];
        let spans = [delay.median, delay.p75, delay.p99, delay.max].map(milliseconds::cell);
        table.rows.push(std::iter::once(stream).chain(counts).chain(spans).collect());
    };
    for subflow in interruptible(&direction.subflows) {
        let stream = Cell::Integer(subflow.tcpstream.0.into());
        add(stream, subflow.segments, subflow.out_of_order_segments, subflow.bytes_waited, &subflow.hol_delay);
    }
    if direction.subflows.len() > 1 {
        let bytes = direction.subflows.iter().map(|subflow| subflow.bytes_waited).sum();
        let all = Cell::Text("all".to_string());
        add(all, direction.segments, direction.out_of_order_segments, bytes, &direction.hol_delay);
    }
    table
}

fn blame(direction: &OutOfOrderDirection) -> Table {
    let title = format!("Towards the {}, data waited for", direction.towards.name());
    let mut table = Table::new(&["tcpstream", "holes filled", "bytes released"]).titled(title);
    table.columns.push(milliseconds::column("blocked ms"));
    for entry in interruptible(&direction.blame) {
        table.rows.push(vec![
            Cell::Text(entry.tcpstream.map_or_else(|| "not captured".to_string(), |id| id.to_string())),
            Cell::Integer(entry.holes_filled.into()),
            Cell::Bytes(entry.released_bytes),
            milliseconds::cell(Some(entry.blocked_time)),
        ]);
    }
    table
}

/// One row per direction and subflow, what it carried that waited beside what waited for it.
fn flat(found: &OutOfOrder) -> Table {
    let names = [
        "mptcpstream",
        "towards",
        "tcpstream",
        "segments",
        "out_of_order_segments",
        "bytes_waited",
        "hol_delay_samples",
        "hol_delay_min",
        "hol_delay_p25",
        "hol_delay_median",
        "hol_delay_p75",
        "hol_delay_p99",
        "hol_delay_max",
        "holes_filled",
        "released_bytes",
        "blocked_time",
    ];
    let mut table = Table::new(&names);
    for direction in &found.directions {
        let blamed: HashMap<StreamId, &Blame> =
            direction.blame.iter().filter_map(|blame| Some((blame.tcpstream?, blame))).collect();
        for subflow in interruptible(&direction.subflows) {
            let delay = &subflow.hol_delay;
            let blame = blamed.get(&subflow.tcpstream);
            let mut row = vec![
                Cell::Integer(found.mptcpstream.0.into()),
                Cell::Text(direction.towards.name().to_string()),
                Cell::Integer(subflow.tcpstream.0.into()),
                Cell::Integer(subflow.segments.into()),
                Cell::Integer(subflow.out_of_order_segments.into()),
                Cell::Bytes(subflow.bytes_waited),
                Cell::Integer(delay.samples.into()),
            ];
            let spans = [delay.min, delay.p25, delay.median, delay.p75, delay.p99, delay.max];
            row.extend(spans.map(|span| span.map_or(Cell::Null, Cell::seconds)));
            row.push(Cell::Integer(blame.map_or(0, |blame| blame.holes_filled).into()));
            row.push(Cell::Bytes(blame.map_or(0, |blame| blame.released_bytes)));
            row.push(Cell::seconds(blame.map_or(0.0, |blame| blame.blocked_time)));
            table.rows.push(row);
        }
    }
    table
}

/// The bytes waiting from one instant on.
#[derive(Clone, Serialize)]
struct OccupancyRow {
    towards: Role,
    reltime: f64,
    waiting_bytes: u64,
}

fn occupancy(capture: &Capture, found: &OutOfOrder) -> Vec<OccupancyRow> {
    let origin = capture.origin();
    let rows = found.directions.iter().flat_map(|direction| {
        direction.occupancy.iter().map(move |(time, waiting_bytes, _)| OccupancyRow {
            towards: direction.towards,
            reltime: (*time - origin).seconds(),
            waiting_bytes: *waiting_bytes,
        })
    });
    rows.collect()
}

fn occupancy_table(rows: &[OccupancyRow]) -> Table {
    let mut table = Table::new(&["towards", "reltime", "waiting_bytes"]);
    for row in interruptible(rows) {
        table.rows.push(vec![
            Cell::Text(row.towards.name().to_string()),
            Cell::seconds(row.reltime),
            Cell::Bytes(row.waiting_bytes),
        ]);
    }
    table
}

fn notes(connection: &Connection, found: &OutOfOrder) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(roles::guessed_note(connection));
    for direction in found.directions.iter().filter(|direction| direction.segments > 0) {
        notes.extend(direction.remarks());
    }
    notes.extend(series::misplaced_note(found.misplaced));
    notes
}
