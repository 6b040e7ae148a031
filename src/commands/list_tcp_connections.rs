//! `list_tcp_connections`

use std::net::SocketAddr;

use clap::ArgMatches;

use super::shared::limit::{self, Limit, amount};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::tcp_connections::tcp_connections;
use mptcp_trace::interrupt::interruptible;

/// Lists the TCP streams.
pub struct ListTcpConnections;

impl Described for ListTcpConnections {
    fn name(&self) -> &'static str {
        "list_tcp_connections"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["lt"]
    }

    fn summary(&self) -> &'static str {
        "List the TCP streams, including subflows of MPTCP connections"
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "list_tcp_connections", purpose: "every TCP stream of the capture" },
            Example { line: "lt --format ndjson", purpose: "for another program, one per line" },
        ]
    }

    fn prints(&self) -> Option<&'static str> {
        Some(include_str!("prints/list_tcp_connections.txt"))
    }
}

impl Command for ListTcpConnections {
    fn category(&self) -> Category {
        Category::Tcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let connections = tcp_connections(&session.capture()?.tracking);
        let mut table =
            Table::headed(&[("tcpstream", ""), ("client", ""), ("server", ""), ("packets", ""), ("mptcpstream", "")]);
        for connection in interruptible(&connections) {
            table.rows.push(vec![
                Cell::Integer(connection.tcpstream.0.into()),
                Cell::Text(SocketAddr::new(connection.client_ip, connection.client_port).to_string()),
                Cell::Text(SocketAddr::new(connection.server_ip, connection.server_port).to_string()),
                Cell::Integer(connection.packets as i128),
                connection.mptcpstream.map_or(Cell::Null, |id| Cell::Integer(id.0.into())),
            ]);
        }
        // Only connections of very many subflows are cut.
        let of_one = |row: &[Cell]| Some(amount(row, 4)).filter(|connection| *connection >= 0);
        let fewest = "of subflows with the fewest packets";
        let table = Limit::of(arguments).cut_groups(table, fewest, of_one, |_, row| amount(row, 3));
        let mut notes = Vec::new();
        if connections.is_empty() {
            notes.push("the capture has no TCP packets".to_string());
        }
        Ok(Outcome::Report(
            Report::new(&connections, vec![table]).complete(&ROWS).declared("list_tcp_connections").with_notes(notes),
        ))
    }
}

/// A row a stream.
const ROWS: Rows = Rows {
    columns: &["tcpstream", "client_ip", "client_port", "server_ip", "server_port", "packets", "mptcpstream"],
    ..Rows::FLAT
};
