//! `list_mptcp_connections`

use clap::ArgMatches;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::mptcp_connections::{MptcpConnection, is_stray, listed, mptcp_connections};
use mptcp_trace::analysis::requests::{self, MptcpRequest, request_alone};
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
        "List the MPTCP connections with keys, tokens and subflow counts"
    }

    fn details(&self) -> &'static str {
        "Connections have Wireshark's mptcp.stream numbers. A token is derived from its end's key (SHA-1 in version \
         0, SHA-256 in version 1). Values missing from the capture are shown as `-`, in JSON as null. A SYN that \
         requests MPTCP without success does not create a connection; `diagnose` reports it.\n\n\
         If a capture starts mid-connection, Wireshark counts each subflow as a connection. Here, subflows form one \
         connection if their data sequence numbers and DATA_ACKs lie in one range. Unrelated 64-bit numbers are less \
         than 2^31 apart once in 2^32 cases. 32-bit numbers count only if both directions agree, which is as unlikely \
         by chance. The connection keeps the first number; the others stay unused. joined_by says how the subflows are \
         known to belong together: keys, token, data_sequence or data_sequence_32bit. This needs a complete capture: \
         `live` counts as Wireshark does.\n\n\
         state is where a connection stands at the end of the capture. release is how it was released: data_fin (of both \
         ends), fin (without DATA_FIN every subflow ended, one of them with FINs, as after a fallback), fastclose, reset (of \
         every subflow), or open."
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "list_mptcp_connections", purpose: "every connection and its number of subflows" },
            Example { line: "lc --format json", purpose: "the same with keys and subflows, for a program" },
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
            report
                .with_records(records(&connections))
                .complete(&ROWS)
                .declared("list_mptcp_connections")
                .with_notes(notes(capture, &connections)),
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
        "state",
        "release",
        "joined_by",
        "subflows",
    ]);
    let key = |key: Option<u64>| key.map_or(Cell::Null, |key| Cell::Text(format!("0x{key:016x}")));
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
            Cell::name(&connection.state),
            Cell::name(&connection.release),
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
    token.map_or(Cell::Null, |token| Cell::Text(format!("0x{token:08x}")))
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
            "a version 0 SYN whose MP_CAPABLE was not accepted, counted by Wireshark because of its key"
        } else {
            "stray packets answered with RST, counted by Wireshark as a connection"
        };
        notes.push(format!("number {} unused: {why}", stray.id));
    }
    if strays.len() > MOST_STRAYS {
        notes.push(format!("{} more numbers unused, for the same reasons", strays.len() - MOST_STRAYS));
    }
    let unknown = listed(capture).filter(|connection| !connection.roles_known).count();
    if unknown > 0 {
        notes.push(format!(
            "{unknown} of {} without a captured MP_CAPABLE: keys unknown; the end that opened most of the captured \
             subflows is taken as the client",
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
        JoinedBy::DataSequence => "64-bit data sequence numbers lie in one range",
        JoinedBy::ShortDataSequence => {
            "32-bit data sequence numbers lie in one range in both directions, closer than chance explains"
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
fn nothing_listed(requests: &[MptcpRequest]) -> String {
    let asked: usize = requests.iter().map(|request| request.asked.len()).sum();
    if asked == 0 {
        return "no MPTCP connection: no packet has an MPTCP option that negotiates one".to_string();
    }
    let syns = counted(asked, "SYN");
    let streams =
        if requests.len() == asked { String::new() } else { format!(" on {}", counted(requests.len(), "TCP stream")) };
    let unknown = |request: &MptcpRequest| request.outcome == requests::RequestOutcome::Unknown;
    if !requests.iter().all(unknown) {
        format!("{syns}{streams} requested MPTCP, none was accepted: see `diagnose`")
    } else {
        format!("{syns}{streams} requested MPTCP; the answer was not captured")
    }
}
