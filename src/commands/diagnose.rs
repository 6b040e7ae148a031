//! `diagnose [N]`

use clap::ArgMatches;

use super::{Category, Command, Example, Outcome, Session};
use crate::analysis::diagnose::{Finding, diagnose_capture, diagnose_connection};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Table};

/// Looks for trouble.
pub struct Diagnose;

impl Command for Diagnose {
    fn name(&self) -> &'static str {
        "diagnose"
    }

    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn summary(&self) -> &'static str {
        "Look for what went wrong: fallback, refused joins, stale subflows, capture problems"
    }

    fn details(&self) -> &'static str {
        "Each finding names the packets that show it and says what it means and what to do next. Causes that the capture \
         cannot tell apart are alternatives, the likeliest first. A `problem` is something that did not work, a `notice` \
         something to know when reading the numbers. Without a number all connections are examined, and the capture itself."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream().required(false))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "diagnose", purpose: "ask what is worth a look in the whole capture" },
            Example { line: "diagnose 0 --format json", purpose: "the findings about connection 0 for a program" },
        ]
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let findings = match arguments.get_one::<u32>("mptcpstream") {
            Some(id) => {
                let connection = capture.mptcp_connection(*id)?;
                diagnose_connection(capture, connection, session.checksums(connection)?.as_deref())
            }
            None => {
                let mut findings = diagnose_capture(capture);
                for connection in &capture.tracking.connections {
                    crate::interrupt::check()?;
                    let checksums = session.checksums(connection)?;
                    findings.extend(diagnose_connection(capture, connection, checksums.as_deref()));
                }
                findings.sort_by_key(|finding| finding.severity);
                findings
            }
        };
        let notes =
            if findings.is_empty() { vec!["nothing found that is worth a look".to_string()] } else { Vec::new() };
        let report = Report::new(&findings, vec![table(&findings)]);
        Ok(Outcome::Report(report.with_records(records(&findings)).with_notes(notes)))
    }
}

/// For people: where, what shows it, what it means and what to do next.
fn table(findings: &[Finding]) -> Table {
    let mut table = Table::new(&["severity", "finding", "where", "packets", "detail"]);
    for finding in findings {
        let packets: Vec<String> = finding.packets.iter().take(3).map(u64::to_string).collect();
        let more = if finding.packet_count > 3 { ", …" } else { "" };
        table.rows.push(vec![
            Cell::name(&finding.severity),
            Cell::name(&finding.finding),
            Cell::Text(place(finding)),
            if packets.is_empty() { Cell::Null } else { Cell::Text(format!("{}{more}", packets.join(", "))) },
            Cell::Text(format!("{}: {}. Next: {}", finding.detail, finding.meaning, finding.next)),
        ]);
    }
    table
}

fn place(finding: &Finding) -> String {
    match (finding.mptcpstream, finding.tcpstream) {
        (Some(connection), Some(stream)) => format!("mptcp {connection}, tcp {stream}"),
        (Some(connection), None) => format!("mptcp {connection}"),
        (None, Some(stream)) => format!("tcp {stream}"),
        (None, None) => "capture".to_string(),
    }
}

fn records(findings: &[Finding]) -> Table {
    let mut table = Table::new(&[
        "severity",
        "finding",
        "mptcpstream",
        "tcpstream",
        "towards",
        "count",
        "packet_count",
        "packets",
        "detail",
        "meaning",
        "next",
    ]);
    for finding in findings {
        let packets: Vec<String> = finding.packets.iter().map(u64::to_string).collect();
        table.rows.push(vec![
            Cell::name(&finding.severity),
            Cell::name(&finding.finding),
            finding.mptcpstream.map_or(Cell::Null, |id| Cell::Integer(id.into())),
            finding.tcpstream.map_or(Cell::Null, |id| Cell::Integer(id.into())),
            finding.towards.map_or(Cell::Null, |role| Cell::Text(role.name().to_string())),
            Cell::Integer(finding.count as i128),
            Cell::Integer(finding.packet_count as i128),
            Cell::Text(packets.join(" ")),
            Cell::Text(finding.detail.clone()),
            Cell::Text(finding.meaning.to_string()),
            Cell::Text(finding.next.to_string()),
        ]);
    }
    table
}
