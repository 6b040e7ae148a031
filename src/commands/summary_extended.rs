//! `summary_extended PCAP1 N PCAP2 [M]`

use clap::ArgMatches;

use super::shared::limit::{self, Limit, amount};
use super::shared::stream_cells::optional;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::arguments::two_captures::{self, TwoCaptures};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::summary_extended::{ExtendedDirection, summary_extended};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::units::counted;

/// Sums up a connection from both ends.
pub struct SummaryExtended;

impl Described for SummaryExtended {
    fn name(&self) -> &'static str {
        "summary_extended"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["mptcp_summary_extended"]
    }

    fn summary(&self) -> &'static str {
        "Each subflow's contribution to a connection, by what arrived first"
    }

    fn details(&self) -> &'static str {
        "Throughput is all that the sender put on each subflow, repeated data included. Goodput is the data whose \
         copy on that subflow arrived first, by the receiver's capture; later copies add nothing. Contributions add up \
         to 100 %."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        two_captures::of_connections(command).arg(arguments::towards()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[Example {
            line: "summary_extended examples/client.pcapng 0 examples/server.pcapng",
            purpose: "shares of throughput and goodput by subflow",
        }]
    }
}

impl Command for SummaryExtended {
    fn category(&self) -> Category {
        Category::TwoCaptures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let captures = TwoCaptures::of_connection(arguments, session)?;
        let connection = captures.connection()?;
        let found = summary_extended(&connection, arguments::role(arguments));
        let mut notes = captures.notes(connection.client());
        for direction in interruptible(found.iter().filter(|direction| direction.missing_bytes > 0)) {
            notes.push(format!(
                "towards the {}, {} bytes of data sent are not in the receiver's capture",
                direction.towards.name(),
                direction.missing_bytes
            ));
        }
        for direction in interruptible(&found) {
            if let Some(bytes) = direction.unseen_bytes.filter(|bytes| *bytes > 0) {
                notes.push(format!(
                    "towards the {}, DATA_ACKs cover {} that neither capture has: goodput and shares cover captured \
                     data only",
                    direction.towards.name(),
                    counted(bytes, "byte")
                ));
            }
        }
        let limit = Limit::of(arguments);
        let weight =
            |_: usize, row: &[Cell]| (matches!(row.first(), Some(Cell::Text(_))), amount(row, 2), amount(row, 4));
        let tables = found.iter().map(|direction| limit.cut(table(direction), "with the least data", weight)).collect();
        Ok(Outcome::Report(Report::new(&found, tables).complete(&ROWS).declared("summary_extended").with_notes(notes)))
    }
}

fn table(direction: &ExtendedDirection) -> Table {
    let mut table = Table::headed(&[
        ("tcpstream", "stream at\nsender"),
        ("mapped", "stream at\nreceiver"),
        ("throughput_bytes", "throughput\nbytes"),
        ("throughput_contribution", "share"),
        ("arrived_bytes", "arrived\nbytes"),
        ("goodput_bytes", "arrived first\nbytes"),
        ("goodput_contribution", "share"),
    ])
    .titled(format!("Towards the {}", direction.towards.name()));
    for subflow in interruptible(&direction.subflows) {
        table.rows.push(vec![
            optional(subflow.tcpstream),
            optional(subflow.mapped),
            Cell::Bytes(subflow.throughput_bytes),
            subflow.throughput_contribution.map_or(Cell::Null, Cell::Share),
            Cell::Bytes(subflow.arrived_bytes),
            Cell::Bytes(subflow.goodput_bytes),
            subflow.goodput_contribution.map_or(Cell::Null, Cell::Share),
        ]);
    }
    if direction.subflows.len() > 1 {
        let arrived = direction.subflows.iter().map(|subflow| subflow.arrived_bytes).sum();
        let whole = |bytes: u64| if bytes > 0 { Cell::Share(1.0) } else { Cell::Null };
        table.rows.push(vec![
            Cell::Text("all".to_string()),
            Cell::Null,
            Cell::Bytes(direction.throughput_bytes),
            whole(direction.throughput_bytes),
            Cell::Bytes(arrived),
            Cell::Bytes(direction.goodput_bytes),
            whole(direction.goodput_bytes),
        ]);
    }
    table
}

/// A row a direction and subflow.
const ROWS: Rows = Rows {
    columns: &[
        "towards",
        "tcpstream",
        "mapped",
        "throughput_bytes",
        "throughput_contribution",
        "arrived_bytes",
        "goodput_bytes",
        "goodput_contribution",
        "unseen_bytes",
    ],
    record: "direction",
    levels: &[("subflows", "")],
    ..Rows::FLAT
};
