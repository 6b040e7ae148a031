//! `map_tcp_connection PCAP1 PCAP2 [N]`

use std::sync::Arc;

use clap::ArgMatches;
use mptcp_trace::{Numbered, StreamId, interrupt};

use super::shared::counterparts::{self, Row};
use super::shared::mapping;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use crate::packets::LoadedCapture;
use mptcp_trace::analysis::mapping::TcpMatch;
use mptcp_trace::tracking::{Capture, Endpoint, Role};

/// Finds a TCP stream of one capture in another.
pub struct MapTcpConnection;

impl Described for MapTcpConnection {
    fn name(&self) -> &'static str {
        "map_tcp_connection"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["map_tcp"]
    }

    fn summary(&self) -> &'static str {
        "Find a TCP stream of one capture in another capture of the same transfer"
    }

    fn details(&self) -> &'static str {
        "Lists candidates in PCAP2, best first. The score counts matching bits: 32 for each initial sequence number \
         (ISN), 16 for a packet with the same sequence and acknowledgement number (64 at most), 4 for one with the \
         same timestamps (32 at most), 16 for the client's port, 4 for each address and for the server's port, and, \
         for MPTCP subflows, the values of their handshakes. A differing number counts against a candidate, unless the \
         rest shows that it was rewritten on the way. Times are never compared. The score is infinite if a key, or an \
         HMAC made with keys, matches. Candidates below 16 bits are not listed.\n\n\
         Without a number, all streams of PCAP1 are looked for, one row each."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(arguments::capture("first", "PCAP1").required(true))
            .arg(arguments::capture("second", "PCAP2").required(true))
            .arg(
                arguments::tcp_stream()
                    .required(false)
                    .help("Number of the TCP stream in PCAP1, from `list_tcp_connections`; without it, all"),
            )
            .args(mapping::options())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "map_tcp_connection examples/client.pcapng examples/server.pcapng 1",
                purpose: "the client's stream 1, found in the server's capture",
            },
            Example {
                line: "map_tcp examples/server.pcapng examples/client.pcapng 0 --trim -v",
                purpose: "the other way round, with all the evidence",
            },
        ]
    }
}

impl Command for MapTcpConnection {
    fn category(&self) -> Category {
        Category::TwoCaptures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let first = session.resolve(arguments::path(arguments, "first")?)?;
        let second = session.resolve(arguments::path(arguments, "second")?)?;
        if arguments.get_one::<u32>("tcpstream").is_none() {
            return all(&first, &second, arguments.get_flag("verbose"));
        }
        let number = arguments::stream_id(arguments)?;
        first.tcp_stream(number)?;
        let mapper = first.mapper(&second)?;
        let mut found = mapper.tcp(number);
        let notes =
            if found.is_empty() { vec![mapper.absence(Numbered::TcpStream, number.0).to_string()] } else { Vec::new() };
        mapping::choose(&mut found, arguments, |one| one.score);
        let mut tables = vec![candidates(&first, &second, number, &found)];
        if arguments.get_flag("verbose") && !found.is_empty() {
            tables.push(reasons(&found));
        }
        Ok(Outcome::Report(
            Report::new(&found, tables)
                .with_records(records(&found))
                .complete(&ROWS)
                .declared("map_tcp_connection")
                .with_notes(notes),
        ))
    }
}

/// All streams of the first capture, a row each.
fn all(first: &Arc<LoadedCapture>, second: &Arc<LoadedCapture>, verbose: bool) -> Result<Outcome> {
    let mapper = first.mapper(second)?;
    let mut rows = Vec::new();
    for stream in first.tcp_stream_ids() {
        interrupt::check()?;
        rows.push(Row::of_stream(stream, mapper.tcp_counterpart(stream)));
    }
    let report = counterparts::report(rows, &second.tcp_stream_ids(), "TCP streams", [first, second], verbose)
        .declared("map_tcp_connection --all");
    Ok(Outcome::Report(report))
}

fn candidates(first: &Capture, second: &Capture, number: StreamId, found: &[TcpMatch]) -> Table {
    let [name, other] = mapping::names(first, second);
    let title = format!("TCP stream {number} of {name}{} in {other}", endpoints(first, number));
    let mut table = Table::headed(&[
        ("mapped", ""),
        ("score", ""),
        ("client", "client there"),
        ("server", "server there"),
        ("reasons", ""),
    ])
    .titled(title);
    for one in found {
        let stream = second.tracking.stream(one.mapped);
        let endpoint = |role: Role| {
            let role = if one.flipped { role.other() } else { role };
            stream.map_or(Cell::Null, |stream| Cell::Text(stream.endpoint(role).to_string()))
        };
        table.rows.push(vec![
            Cell::Integer(one.mapped.0.into()),
            Cell::Number(one.score),
            endpoint(Role::Client),
            endpoint(Role::Server),
            mapping::named(&one.reasons),
        ]);
    }
    table
}

fn endpoints(capture: &Capture, number: StreamId) -> String {
    let between = |client: Endpoint, server: Endpoint| format!(" ({client} -> {server})");
    capture.tracking.stream(number).map_or_else(String::new, |stream| between(stream.client, stream.server))
}

fn reasons(found: &[TcpMatch]) -> Table {
    let mut table = Table::new(&["mapped", "evidence", "bits", "seen"]).titled("Reasons");
    for one in found {
        mapping::list(&mut table, &[Cell::Integer(one.mapped.0.into())], &one.reasons);
    }
    table
}

/// A row a candidate.
const ROWS: Rows = Rows { lists: &[("reasons", &["evidence", "bits", "detail"])], ..Rows::FLAT };

fn records(found: &[TcpMatch]) -> Table {
    let mut table = Table::new(&["stream", "mapped", "score", "certain", "flipped", "reasons"]);
    for one in found {
        table.rows.push(vec![
            Cell::Integer(one.stream.0.into()),
            Cell::Integer(one.mapped.0.into()),
            Cell::Number(one.score),
            Cell::Boolean(one.certain),
            Cell::Boolean(one.flipped),
            mapping::flat(&one.reasons),
        ]);
    }
    table
}
