//! `list_mptcp_connections`

use clap::ArgMatches;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::mptcp_connections::{MptcpConnection, is_stray, listed, mptcp_connections};
use mptcp_trace::analysis::requests::{self, Request, request_alone};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, JoinedBy};
use mptcp_trace::units::{counted, several};

/// Numbers left out that are named one by one; the others are counted.
const MOST_STRAYS: usize = 10;

/// Lists the MPTCP connections.
pub struct ListMptcpConnections;

impl Described for ListMptcpConnections {
    fn name(&self) -> &'static str {
        "list_mptcp_connections"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["lc", "lm"]
    }

    fn summary(&self) -> &'static str {
        "List the MPTCP connections with their keys, tokens and subflows"
    }

    fn details(&self) -> &'static str {
        "Connections are numbered as Wireshark's mptcp.stream. A token is derived from its end's key (SHA-1 in version \
         0, SHA-256 in version 1). What the capture does not hold is shown as `-`, null in JSON. A SYN that asks for MPTCP \
         and does not get it makes no connection: `diagnose` tells of it.\n\n\
         Of a capture begun in mid-connection Wireshark counts each subflow as a connection. Here they are put together \
         where their data sequence numbers and DATA_ACKs lie in one stretch: 64-bit ones of strangers are less than \
         2^31 apart once in 2^32 cases. 32-bit ones count only where both directions agree, and are as unlikely to do so \
         by chance. The connection has the number of the first; those of the others stay unused. joined_by says how \
         the subflows are known to belong together: keys, token, data_sequence or data_sequence_32bit. Only a whole \
         capture can tell: `live` counts as Wireshark does."
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "list_mptcp_connections", purpose: "see every connection and how many subflows it had" },
            Example { line: "lc --format json", purpose: "the same with keys and each subflow, for a program" },
        ]
    }
}

impl Command for ListMptcpConnections {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, _arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connections = mptcp_connections(capture);
        let report = Report::new(&connections, vec![table(&connections)]);
        Ok(Outcome::Report(
            report.with_records(records(&connections)).complete(&ROWS).with_notes(notes(capture, &connections)),
        ))
    }
}

/// A row a connection; its subflows are lists, and have rows of their own in `list_subflows --all`.
const ROWS: Rows = Rows {
    lists: &[(
        "subflows",
        &[
            "tcpstream",
            "kind",
            "client_ip",
            "client_port",
            "server_ip",
            "server_port",
            "mptcpdest",
            "addrid",
            "backup",
            "interface",
            "state",
            "hmac",
            "joined_by",
            "mptcpstream_wireshark",
        ],
    )],
    ..Rows::FLAT
};

fn table(connections: &[MptcpConnection]) -> Table {
    let mut table = Table::headed(&[
        ("mptcpstream", "mptcp\nstream"),
        ("version", ""),
        ("client", ""),
        ("server", ""),
        ("client_token", "client\ntoken"),
        ("server_token", "server\ntoken"),
        ("subflows", ""),
        ("fallback", ""),
    ]);
    for connection in interruptible(connections) {
        let initial = connection.subflows.first();
        let client = initial.map(|s| std::net::SocketAddr::new(s.client_ip, s.client_port).to_string());
        let server = initial.map(|s| std::net::SocketAddr::new(s.server_ip, s.server_port).to_string());
        table.rows.push(vec![
            Cell::Integer(connection.mptcpstream.0.into()),
            connection.version.map_or(Cell::Null, |version| Cell::Integer(version.into())),
            client.map_or(Cell::Null, Cell::Text),
            server.map_or(Cell::Null, Cell::Text),
            token(connection.client_token),
            token(connection.server_token),
            Cell::Integer(connection.subflows.len() as i128),
            fallback(connection),
        ]);
    }
    table
}

fn records(connections: &[MptcpConnection]) -> Table {
    let mut table = Table::new(&[
        "mptcpstream",
        "version",
        "client_key",
        "server_key",
        "client_token",
        "server_token",
        "checksum_required",
        "fallback",
        "joined_by",
        "subflows",
    ]);
    let key = |key: Option<u64>| key.map_or(Cell::Null, |key| Cell::Text(format!("{key:016x}")));
    for connection in interruptible(connections) {
        table.rows.push(vec![
            Cell::Integer(connection.mptcpstream.0.into()),
            connection.version.map_or(Cell::Null, |version| Cell::Integer(version.into())),
            key(connection.client_key),
            key(connection.server_key),
            token(connection.client_token),
            token(connection.server_token),
            connection.checksum_required.map_or(Cell::Null, Cell::Boolean),
            fallback(connection),
            Cell::name(&connection.joined_by),
            Cell::Integer(connection.subflows.len() as i128),
        ]);
    }
    table
}

fn fallback(connection: &MptcpConnection) -> Cell {
    connection.fallback.map_or(Cell::Null, |fallback| Cell::Text(fallback.reason.name().to_string()))
}

fn token(token: Option<u32>) -> Cell {
    token.map_or(Cell::Null, |token| Cell::Text(format!("{token:08x}")))
}

fn notes(capture: &Capture, connections: &[MptcpConnection]) -> Vec<String> {
    let mut notes = Vec::new();
    if connections.is_empty() {
        notes.push(nothing_listed(&requests::requests(capture)));
    }
    let connected = &capture.tracking.connections;
    let strays: Vec<_> = connected.iter().filter(|connection| is_stray(capture, connection)).collect();
    for stray in strays.iter().take(MOST_STRAYS) {
        let why = if request_alone(capture, stray).is_some() {
            "a version 0 SYN with MP_CAPABLE that was not granted, which Wireshark counts by its key"
        } else {
            "packets without a connection, answered with RST, that Wireshark counts as one"
        };
        notes.push(format!("number {} is left out: {why}", stray.id));
    }
    if strays.len() > MOST_STRAYS {
        notes.push(format!("{} more numbers are left out, for the same reasons", strays.len() - MOST_STRAYS));
    }
    let unknown = listed(capture).filter(|connection| !connection.roles_known).count();
    if unknown > 0 {
        notes.push(format!(
            "{unknown} of {} began without a captured MP_CAPABLE: keys are not known, and the end that opened most of \
             the subflows seen is taken for the client",
            counted(connections.len(), "connection")
        ));
    }
    notes.extend(connections.iter().filter_map(put_together));
    notes
}

/// Which of Wireshark's connections are one, and how that is known.
fn put_together(connection: &MptcpConnection) -> Option<String> {
    let mut numbers: Vec<ConnectionId> =
        connection.subflows.iter().map(|subflow| subflow.mptcpstream_wireshark).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let how = match connection.joined_by? {
        JoinedBy::Keys | JoinedBy::Token => return None,
        JoinedBy::DataSequence => "64-bit data sequence numbers lie in one stretch",
        JoinedBy::ShortDataSequence => {
            "32-bit data sequence numbers lie in one stretch in both directions, closer than chance explains"
        }
    };
    let others = numbers.into_iter().filter(|number| *number != connection.mptcpstream);
    let others: Vec<u64> = others.map(u64::from).collect();
    Some(format!(
        "{} of Wireshark's numbering {} part of connection {}: their {how}",
        several(&others),
        if others.len() == 1 { "is" } else { "are" },
        connection.mptcpstream
    ))
}

/// Why no connection is listed.
fn nothing_listed(requests: &[Request]) -> String {
    let asked: usize = requests.iter().map(|request| request.asked.len()).sum();
    if asked == 0 {
        return "no packet of the capture has an MPTCP option that negotiates a connection".to_string();
    }
    let syns = counted(asked, "SYN");
    let streams =
        if requests.len() == asked { String::new() } else { format!(" on {}", counted(requests.len(), "TCP stream")) };
    let unknown = |request: &Request| request.outcome == requests::Outcome::Unknown;
    if !requests.iter().all(unknown) {
        format!("{syns}{streams} asked for MPTCP, none was granted: see `diagnose`")
    } else {
        format!("{syns}{streams} asked for MPTCP, and the capture does not hold the answer")
    }
}
