//! `events N`

use std::cmp::Reverse;
use std::collections::HashMap;

use clap::ArgMatches;

use super::shared::limit::{self, Limit};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Table};
use mptcp_trace::analysis::events::{Event, EventKind, events};
use mptcp_trace::units::grouped;

/// Shows the timeline of a connection.
pub struct Events;

impl Described for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn summary(&self) -> &'static str {
        "List the events of an MPTCP connection in order"
    }

    fn details(&self) -> &'static str {
        "Handshakes, joins and their outcome, addresses advertised and withdrawn, priorities, failures, fallback, \
         receive windows closing (`zero_window`: no room for a segment) and opening, ends of subflows and of the \
         connection, in file order. HMACs are checked if both keys were captured. `towards` is the end of the \
         connection that the packet travels to."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "events 0", purpose: "history of connection 0" },
            Example { line: "events 0 --format ndjson", purpose: "the same for a program, one event per line" },
        ]
    }
}

impl Command for Events {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let checksums = session.checksums([connection])?;
        let found = events(capture, connection, checksums.get(&connection.id).map(Vec::as_slice));
        let mut table = Table::headed(&[
            ("packetid", ""),
            ("reltime", ""),
            ("tcpstream", "tcp\nstream"),
            ("towards", ""),
            ("event", ""),
            ("detail", ""),
        ]);
        table.rows.extend(found.iter().map(row));
        let records = table.clone();
        Ok(Outcome::Report(
            Report::new(&found, vec![cut(table, &found, Limit::of(arguments))])
                .with_records(records)
                .declared("events"),
        ))
    }
}

/// The table with the events of the rarest kinds where there are too many, and how many there are of each kind above it.
fn cut(table: Table, found: &[Event], limit: Limit) -> Table {
    if !limit.is_below(found.len()) {
        return table;
    }
    let mut counts = HashMap::<EventKind, u64>::new();
    found.iter().for_each(|event| *counts.entry(event.event).or_default() += 1);
    let mut kinds: Vec<(EventKind, u64)> = counts.iter().map(|(kind, count)| (*kind, *count)).collect();
    // The commonest first, of equally common ones the one that happened first.
    let first = |kind: EventKind| found.iter().position(|event| event.event == kind);
    kinds.sort_by_cached_key(|(kind, count)| (Reverse(*count), first(*kind)));
    let kinds: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| match Cell::name(kind) {
            Cell::Text(name) => format!("{} {name}", grouped(*count)),
            _ => grouped(*count),
        })
        .collect();
    let title = format!("{} events: {}", grouped(found.len() as u64), kinds.join(", "));
    let rarity =
        |index: usize, _: &[Cell]| Reverse(found.get(index).and_then(|event| counts.get(&event.event)).copied());
    limit.cut(table.titled(title), "of the most common kinds", rarity)
}

fn row(event: &Event) -> Vec<Cell> {
    vec![
        Cell::Integer(event.packetid.into()),
        Cell::seconds(event.reltime),
        Cell::Integer(event.tcpstream.0.into()),
        Cell::name(&event.towards),
        Cell::name(&event.event),
        Cell::Text(event.detail.clone()),
    ]
}
