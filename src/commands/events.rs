//! `events N`

use clap::ArgMatches;

use super::{Category, Command, Example, Outcome, Session};
use crate::analysis::events::{Event, events};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Table};

/// Shows the timeline of a connection.
pub struct Events;

impl Command for Events {
    fn name(&self) -> &'static str {
        "events"
    }

    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn summary(&self) -> &'static str {
        "Show what happened to an MPTCP connection, one line each"
    }

    fn details(&self) -> &'static str {
        "Handshakes, joins and their outcome, addresses advertised and withdrawn, priorities, failures, fallback, receive \
         windows that shut (`zero_window`: no room for a segment) and open, and the ends of subflows and of the connection, \
         in the order of the file. HMACs are checked where both keys were captured. `towards` is the end of the connection that the packet travels towards."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "events 0", purpose: "read the story of connection 0" },
            Example { line: "events 0 --format ndjson", purpose: "the same for a program, one event a line" },
        ]
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::number(arguments, "mptcpstream")?)?;
        let found = events(capture, connection, session.checksums(connection)?.as_deref());
        let mut table = Table::headed(&[
            ("packetid", ""),
            ("reltime", ""),
            ("tcpstream", "tcp\nstream"),
            ("towards", ""),
            ("event", ""),
            ("detail", ""),
        ]);
        table.rows.extend(found.iter().map(row));
        Ok(Outcome::Report(Report::new(&found, vec![table])))
    }
}

fn row(event: &Event) -> Vec<Cell> {
    vec![
        Cell::Integer(event.packetid.into()),
        Cell::seconds(event.reltime),
        Cell::Integer(event.tcpstream.into()),
        Cell::name(&event.towards),
        Cell::name(&event.event),
        Cell::Text(event.detail.clone()),
    ]
}
