//! `diagnose [N]`

use clap::{Arg, ArgAction, ArgMatches};

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::analysis::diagnose::{Finding, Severity, diagnose_capture, diagnose_connection, diagnose_request, grouped};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::checksum::{ChecksumResult, Verdicts};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection};
use mptcp_trace::units::counted;
use mptcp_trace::{ConnectionId, StreamId, parallel};

/// Looks for trouble.
pub struct Diagnose;

impl Described for Diagnose {
    fn name(&self) -> &'static str {
        "diagnose"
    }

    fn summary(&self) -> &'static str {
        "Find problems: fallback, refused joins, stale subflows, capture errors"
    }

    fn details(&self) -> &'static str {
        "Each finding names the packets that show it, what it means, and what to do next. Causes that the capture \
         cannot tell apart are given as alternatives, likeliest first. A `problem` did not work; a `notice` matters \
         when reading the numbers. Without a number, all connections and the capture itself are examined. Findings of \
         one kind with the same severity, direction, meaning and advice share a row with a count, across TCP streams \
         and connections. Up to three are quoted in full; of more, only the first.\n\n\
         Retransmissions are a notice from 1 % of the bytes sent, a problem from 5 %. The absence of joins is not \
         reported for a connection that ends within a second and sends at most a first flight of data (14,600 bytes)."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream().required(false)).arg(
            Arg::new("all").long("all").action(ArgAction::SetTrue).help(
                "List each finding separately, without \
                grouping",
            ),
        )
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "diagnose", purpose: "everything worth a look in the whole capture" },
            Example { line: "diagnose --all", purpose: "each finding separately" },
            Example { line: "diagnose 0 --format json", purpose: "findings about connection 0, for a program" },
        ]
    }
}

impl Command for Diagnose {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let findings = match arguments.get_one::<u32>("mptcpstream").map(|id| ConnectionId(*id)) {
            Some(id) => {
                let connection = capture.mptcp_connection(id)?;
                let checksums = session.checksums([connection])?;
                let mut findings = diagnose_connection(capture, connection, of(&checksums, connection));
                findings.extend(diagnose_request(capture, connection));
                findings
            }
            None => {
                let checksums = session.checksums(capture.tracking.whole_connections())?;
                let connections: Vec<&Connection> = capture.tracking.whole_connections().collect();
                let packets = capture.segments.len();
                let each = || {
                    parallel::each(&connections, packets, |connection| {
                        diagnose_connection(capture, connection, of(&checksums, connection))
                    })
                };
                let (mut findings, of_connections) = parallel::both(packets, || diagnose_capture(capture), each);
                mptcp_trace::interrupt::check()?;
                findings.extend(of_connections.into_iter().flatten());
                findings.sort_by_key(|finding| finding.severity);
                findings
            }
        };
        let found = findings.len();
        let findings = if arguments.get_flag("all") { findings } else { grouped(&findings) };
        let tables = if findings.is_empty() { Vec::new() } else { vec![table(capture, &findings)] };
        let report = Report::new(&findings, tables);
        Ok(Outcome::Report(
            report
                .with_records(records(&findings))
                .complete(&Rows::FLAT)
                .declared("diagnose")
                .with_notes(vec![note(&findings, found)]),
        ))
    }
}

fn of<'a>(checksums: &'a Verdicts, connection: &Connection) -> Option<&'a [ChecksumResult]> {
    checksums.get(&connection.id).map(Vec::as_slice)
}

/// Their number, of `found` before equal ones were grouped.
fn note(findings: &[Finding], found: usize) -> String {
    if findings.is_empty() {
        return "no findings".to_string();
    }
    let of = |severity: Severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let number = |count: usize, noun: &str| if count == 0 { format!("no {noun}s") } else { counted(count, noun) };
    let all = format!("{}, {}", number(of(Severity::Problem), "problem"), number(of(Severity::Notice), "notice"));
    if findings.len() == found {
        return all;
    }
    format!("{all}, grouped from {found}; `diagnose --all` lists each")
}

/// For people: where, what shows it, what it means and what to do next.
fn table(capture: &Capture, findings: &[Finding]) -> Table {
    let columns = ["severity", "finding", "where", "towards", "count", "packets", "shows", "means", "next"];
    let mut table = Table::new(&columns).as_blocks(5);
    for finding in interruptible(findings) {
        let packets: Vec<String> = finding.packets.iter().take(5).map(u64::to_string).collect();
        let more = if finding.packet_count > packets.len() { ", …" } else { "" };
        let text = |text: String| if text.is_empty() { Cell::Null } else { Cell::Text(text) };
        table.rows.push(vec![
            Cell::name(&finding.severity),
            Cell::name(&finding.finding),
            Cell::Text(place(capture, finding)),
            text(finding.towards.map_or_else(String::new, |role| format!("towards the {}", role.name()))),
            text(if finding.count == 1 { String::new() } else { format!("{} times", finding.count) }),
            text(format!("{}{more}", packets.join(", "))),
            Cell::Text(finding.detail.clone()),
            Cell::Text(finding.meaning.to_string()),
            Cell::Text(finding.next.to_string()),
        ]);
    }
    table
}

fn place(capture: &Capture, finding: &Finding) -> String {
    let mut parts = Vec::new();
    if !finding.mptcpstreams.is_empty() {
        parts.push(format!("mptcp {}", first_of(&finding.mptcpstreams)));
    }
    if !finding.tcpstreams.is_empty() {
        let named = |id: &StreamId| match capture.path_label(*id) {
            Some(path) => format!("{id} ({path})"),
            None => id.to_string(),
        };
        let streams: Vec<String> = finding.tcpstreams.iter().take(4).map(named).collect();
        parts.push(format!("tcp {}", first_of(&streams)));
    }
    if parts.is_empty() { "capture".to_string() } else { parts.join(", ") }
}

/// The first three of these numbers.
fn first_of<N: ToString>(numbers: &[N]) -> String {
    let first: Vec<String> = numbers.iter().take(3).map(N::to_string).collect();
    format!("{}{}", first.join(" "), if numbers.len() > 3 { " …" } else { "" })
}

fn numbers<T: ToString>(numbers: &[T]) -> Cell {
    Cell::Text(numbers.iter().map(T::to_string).collect::<Vec<String>>().join(";"))
}

fn records(findings: &[Finding]) -> Table {
    let mut table = Table::new(&[
        "severity",
        "finding",
        "mptcpstream",
        "tcpstream",
        "mptcpstreams",
        "tcpstreams",
        "towards",
        "count",
        "packet_count",
        "packets",
        "detail",
        "meaning",
        "next",
    ]);
    for finding in interruptible(findings) {
        table.rows.push(vec![
            Cell::name(&finding.severity),
            Cell::name(&finding.finding),
            finding.mptcpstream.map_or(Cell::Null, |id| Cell::Integer(id.0.into())),
            finding.tcpstream.map_or(Cell::Null, |id| Cell::Integer(id.0.into())),
            numbers(&finding.mptcpstreams),
            numbers(&finding.tcpstreams),
            finding.towards.map_or(Cell::Null, |role| Cell::Text(role.name().to_string())),
            Cell::Integer(finding.count as i128),
            Cell::Integer(finding.packet_count as i128),
            numbers(&finding.packets),
            Cell::Text(finding.detail.clone()),
            Cell::Text(finding.meaning.to_string()),
            Cell::Text(finding.next.to_string()),
        ]);
    }
    table
}
