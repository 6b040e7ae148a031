//! `map_mptcp_connection PCAP1 PCAP2 [N]`

use std::cmp::Reverse;
use std::sync::Arc;

use clap::ArgMatches;
use mptcp_trace::{ConnectionId, Numbered, StreamId};

use super::shared::counterparts::{self, Row};
use super::shared::limit::Limit;
use super::shared::mapping;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use crate::packets::LoadedCapture;
use mptcp_trace::analysis::mapping::{Mapper, MptcpMatch, SubflowMatch};
use mptcp_trace::analysis::mptcp_connections::listed;
use mptcp_trace::interrupt::{self, interruptible};
use mptcp_trace::tracking::{Capture, Connection, Endpoint, Role};

/// Finds an MPTCP connection of one capture in another.
pub struct MapMptcpConnection;

impl Described for MapMptcpConnection {
    fn name(&self) -> &'static str {
        "map_mptcp_connection"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["map_mptcp"]
    }

    fn summary(&self) -> &'static str {
        "Find an MPTCP connection of one capture in another capture of the same transfer"
    }

    fn details(&self) -> &'static str {
        "Lists candidates in PCAP2, best first. A matching key or token (32 bits of a key's hash) of either host is \
         proof: the score is infinite. Without captured keys and tokens, the score is that of the subflows, in \
         matching bits, as `help map_tcp_connection` explains. The subflows of the best candidate are mapped by \
         handshake numbers, then by packets, and last by addresses and ports. Address translation and port reuse \
         therefore do no harm. A subflow seen as plain TCP, or in another connection, is found too and reported.\n\n\
         Without a number, all connections of PCAP1 are looked for, one row each."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let number = arguments::mptcp_stream()
            .help("Number of the MPTCP connection in PCAP1, from `list_mptcp_connections`; without it, all")
            .required(false);
        command
            .arg(arguments::capture("first", "PCAP1").required(true))
            .arg(arguments::capture("second", "PCAP2").required(true))
            .arg(number)
            .args(mapping::options())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "map_mptcp_connection examples/client.pcapng examples/server.pcapng 0",
                purpose: "the client's connection 0 and its subflows, found in the server's capture",
            },
            Example {
                line: "map_mptcp_connection examples/client.pcapng examples/server.pcapng",
                purpose: "all connections of the client's capture, one row each",
            },
            Example {
                line: "map_mptcp examples/server.pcapng examples/client.pcapng 0 --trim --format json",
                purpose: "the other way round, for a program",
            },
        ]
    }
}

impl Command for MapMptcpConnection {
    fn category(&self) -> Category {
        Category::TwoCaptures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let first = session.resolve(arguments::path(arguments, "first")?)?;
        let second = session.resolve(arguments::path(arguments, "second")?)?;
        if arguments.get_one::<u32>("mptcpstream").is_none() {
            return all(&first, &second, arguments.get_flag("verbose"));
        }
        let number = arguments::connection_id(arguments)?;
        let connection = first.mptcp_connection(number)?;
        let mapper = first.mapper(&second)?;
        let mut found = mapper.mptcp(number);
        let notes = match found.first() {
            None => absent(&mapper, connection, &second),
            Some(best) => remarks(best),
        };
        mapping::choose(&mut found, arguments, |one| one.score);
        let mut tables = vec![candidates(connection, &mapping::names(&first, &second), &found)];
        if let Some(best) = found.first() {
            let verbose = arguments.get_flag("verbose");
            let scores = |index: usize, _: &[Cell]| Reverse(best.subflows.get(index).and_then(thousandths));
            let table = subflows(&first, &second, best);
            tables.push(Limit::unless_verbose(verbose).cut(table, "with the best scores", scores));
            if verbose {
                tables.extend([reasons(&found), reasons_of_subflows(best)]);
            }
        }
        Ok(Outcome::Report(
            Report::new(&found, tables)
                .with_records(records(&found))
                .complete(&ROWS)
                .declared("map_mptcp_connection")
                .with_notes(notes),
        ))
    }
}

/// All connections of the first capture, a row each.
fn all(first: &Arc<LoadedCapture>, second: &Arc<LoadedCapture>, verbose: bool) -> Result<Outcome> {
    let mapper = first.mapper(second)?;
    let mut rows = Vec::new();
    for connection in listed(first) {
        interrupt::check()?;
        let found = mapper.mptcp_counterpart(connection.id);
        rows.push(Row::of_connection(connection.id, &connection.subflows, found));
    }
    let there: Vec<ConnectionId> = listed(second).map(|connection| connection.id).collect();
    let report = counterparts::report(rows, &there, "MPTCP connections", [first, second], verbose)
        .declared("map_mptcp_connection --all");
    Ok(Outcome::Report(report))
}

/// A row a candidate and subflow.
const ROWS: Rows = Rows {
    levels: &[("subflows", "tcpstream")],
    lists: &[("reasons", &["evidence", "bits", "detail"]), ("subflows.reasons", &["evidence", "bits", "detail"])],
    ..Rows::FLAT
};

/// A subflow's score as something that has an order.
fn thousandths(subflow: &SubflowMatch) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation)]
    subflow.score.map(|score| (score * 1e3) as i64)
}

/// Notes about subflows, one by one for up to ten.
fn remarks(best: &MptcpMatch) -> Vec<String> {
    const MOST: usize = 10;
    let mut remarks: Vec<String> = best.subflows.iter().filter_map(|subflow| subflow.remark.clone()).collect();
    let more = remarks.len().saturating_sub(MOST);
    if more > 0 {
        remarks.truncate(MOST);
        remarks.push(format!("{more} more subflows with remarks: see `remark` in JSON"));
    }
    remarks
}

/// Why there is no candidate: nothing agrees, or the other capture has plain TCP only.
fn absent(mapper: &Mapper<'_>, connection: &Connection, second: &Capture) -> Vec<String> {
    let plain = connection.subflows.iter().find_map(|stream| Some((*stream, mapper.tcp(*stream).first()?.mapped)));
    vec![match plain {
        Some((stream, mapped)) => format!(
            "MPTCP connection {} is plain TCP in {}: its TCP stream {stream} is TCP stream {mapped} there",
            connection.id,
            second.path.display()
        ),
        None => mapper.absence(Numbered::MptcpConnection, connection.id.0).to_string(),
    }]
}

fn candidates(connection: &Connection, names: &[String; 2], found: &[MptcpMatch]) -> Table {
    let with_flipped = found.iter().any(|one| one.flipped);
    let columns = [("mapped", ""), ("score", ""), ("subflows", "subflows\nmapped"), ("reasons", ""), ("flipped", "")];
    let shown = columns.get(..if with_flipped { 5 } else { 4 }).unwrap_or(&columns);
    let [first, second] = names;
    let title = format!("MPTCP connection {} of {first} in {second}", connection.id);
    let mut table = Table::headed(shown).titled(title);
    for one in found {
        let mapped = one.own_subflows_mapped(&connection.subflows);
        let mut cells = vec![
            Cell::Integer(one.mapped.0.into()),
            Cell::Number(one.score),
            Cell::Text(format!("{mapped}/{}", connection.subflows.len())),
            mapping::named(&one.reasons),
        ];
        cells.extend(with_flipped.then_some(Cell::Boolean(one.flipped)));
        table.rows.push(cells);
    }
    table
}

/// A subflow's endpoints in both captures.
struct Sides {
    here: [Option<Endpoint>; 2],
    there: [Option<Endpoint>; 2],
}

impl Sides {
    fn of(first: &Capture, second: &Capture, subflow: &SubflowMatch) -> Self {
        let flipped = subflow.pair.is_some_and(|pair| pair.flipped);
        let ends = [Role::Client, Role::Server];
        let of = |capture: &Capture, stream: Option<StreamId>, flipped: bool| {
            let stream = stream.and_then(|stream| capture.tracking.stream(stream));
            ends.map(|role| Some(stream?.endpoint(if flipped { role.other() } else { role })))
        };
        Sides { here: of(first, subflow.tcpstream, false), there: of(second, subflow.mapped, flipped) }
    }

    /// Both captures hold the subflow, and the server's endpoint differs.
    fn server_differs(&self) -> bool {
        let ([_, here], [_, there]) = (self.here, self.there);
        here.is_some() && there.is_some() && here != there
    }
}

/// Endpoints of both ends side by side; the server's once where they are alike, which they nearly always are.
fn subflows(first: &Capture, second: &Capture, best: &MptcpMatch) -> Table {
    let sides: Vec<Sides> = best.subflows.iter().map(|subflow| Sides::of(first, second, subflow)).collect();
    let with_server = sides.iter().any(Sides::server_differs);
    let columns = [
        ("tcpstream", "tcp\nstream"),
        ("mapped", ""),
        ("score", ""),
        ("client", ""),
        ("client_there", "client there"),
        ("server", ""),
        ("server_there", "server there"),
    ];
    let shown = columns.get(..if with_server { 7 } else { 6 }).unwrap_or(&columns);
    let title = format!("Subflows of connection {} here and {} there", best.stream, best.mapped);
    let mut table = Table::headed(shown).titled(title);
    let number = |number: Option<StreamId>| number.map_or(Cell::Null, |number| Cell::Integer(number.0.into()));
    let text = |endpoint: Option<Endpoint>| endpoint.map_or(Cell::Null, |endpoint| Cell::Text(endpoint.to_string()));
    for (subflow, sides) in best.subflows.iter().zip(&sides) {
        let ([client, server], [client_there, server_there]) = (sides.here, sides.there);
        let mut cells = vec![
            number(subflow.tcpstream),
            number(subflow.mapped),
            subflow.score.map_or(Cell::Null, Cell::Number),
            text(client),
            text(client_there),
        ];
        if with_server {
            cells.extend([text(server), text(server_there)]);
        } else {
            cells.push(text(server.or(server_there)));
        }
        table.rows.push(cells);
    }
    table
}

fn reasons(found: &[MptcpMatch]) -> Table {
    let mut table = Table::new(&["mapped", "evidence", "bits", "seen"]).titled("Reasons for each candidate");
    for one in found {
        mapping::list(&mut table, &[Cell::Integer(one.mapped.0.into())], &one.reasons);
    }
    table
}

fn reasons_of_subflows(best: &MptcpMatch) -> Table {
    let columns = [("tcpstream", "tcp\nstream"), ("mapped", ""), ("evidence", ""), ("bits", ""), ("seen", "")];
    let mut table = Table::headed(&columns).titled("Reasons for each subflow");
    for subflow in &best.subflows {
        let Some(pair) = subflow.pair else { continue };
        let about = [Cell::Integer(pair.first.0.into()), Cell::Integer(pair.second.0.into())];
        mapping::list(&mut table, &about, &subflow.reasons);
    }
    table
}

/// One row for each subflow of each candidate.
fn records(found: &[MptcpMatch]) -> Table {
    let mut table = Table::new(&[
        "stream",
        "mapped",
        "score",
        "certain",
        "flipped",
        "reasons",
        "tcpstream",
        "tcpstream_mapped",
        "tcpstream_score",
        "tcpstream_certain",
    ]);
    let number = |number: Option<StreamId>| number.map_or(Cell::Null, |number| Cell::Integer(number.0.into()));
    for one in found {
        for subflow in interruptible(&one.subflows) {
            table.rows.push(vec![
                Cell::Integer(one.stream.0.into()),
                Cell::Integer(one.mapped.0.into()),
                Cell::Number(one.score),
                Cell::Boolean(one.certain),
                Cell::Boolean(one.flipped),
                mapping::flat(&one.reasons),
                number(subflow.tcpstream),
                number(subflow.mapped),
                subflow.score.map_or(Cell::Null, Cell::Number),
                Cell::Boolean(subflow.certain),
            ]);
        }
    }
    table
}
