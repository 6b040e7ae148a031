//! `list_subflows N`

use clap::{Arg, ArgAction, ArgMatches};

use super::{Category, Command, Example, Outcome, Session, arguments};
use crate::analysis::subflows::{SubflowRecord, subflows};
use crate::error::Result;
use crate::output::{Cell, Report, Table};
use crate::tracking::Capture;

/// Lists the subflows of a connection.
pub struct ListSubflows;

impl Command for ListSubflows {
    fn name(&self) -> &'static str {
        "list_subflows"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ls"]
    }

    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn summary(&self) -> &'static str {
        "List the subflows of an MPTCP connection, or of all"
    }

    fn details(&self) -> &'static str {
        "mptcpdest is the end of the connection that the subflow was opened towards. hmac is the verdict on the HMACs of \
         MP_JOIN, checked with the keys of the connection: valid, invalid, or unverifiable where a key was not captured."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let all = Arg::new("all").long("all").action(ArgAction::SetTrue).help("The subflows of every connection");
        command
            .arg(arguments::mptcp_stream().required(false).required_unless_present("all").conflicts_with("all"))
            .arg(all)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "list_subflows 0", purpose: "see which paths connection 0 used" },
            Example { line: "ls --all --format csv", purpose: "every subflow of the capture as CSV" },
        ]
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        if arguments.get_flag("all") {
            return all(capture);
        }
        let connection = capture.mptcp_connection(arguments::number(arguments, "mptcpstream")?)?;
        let records = subflows(capture, connection);
        let mut table = Table::new(&COLUMNS);
        table.rows.extend(records.iter().map(row));
        Ok(Outcome::Report(Report::new(&records, vec![table])?))
    }
}

fn all(capture: &Capture) -> Result<Outcome> {
    #[derive(serde::Serialize)]
    struct OfConnection {
        mptcpstream: u32,
        #[serde(flatten)]
        subflow: SubflowRecord,
    }
    let mut table = Table::new(&[&["mptcpstream"], &COLUMNS[..]].concat());
    let mut found = Vec::new();
    for connection in &capture.tracking.connections {
        for subflow in subflows(capture, connection) {
            let mut cells = vec![Cell::Integer(connection.id.into())];
            cells.extend(row(&subflow));
            table.rows.push(cells);
            found.push(OfConnection { mptcpstream: connection.id, subflow });
        }
    }
    Ok(Outcome::Report(Report::new(&found, vec![table])?))
}

const COLUMNS: [&str; 12] = [
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
];

fn row(subflow: &SubflowRecord) -> Vec<Cell> {
    vec![
        Cell::Integer(subflow.tcpstream.into()),
        Cell::name(&subflow.kind),
        Cell::Text(subflow.client_ip.to_string()),
        Cell::Integer(subflow.client_port.into()),
        Cell::Text(subflow.server_ip.to_string()),
        Cell::Integer(subflow.server_port.into()),
        Cell::name(&subflow.mptcpdest),
        subflow.addrid.map_or(Cell::Null, |id| Cell::Integer(id.into())),
        subflow.backup.map_or(Cell::Null, Cell::Boolean),
        subflow.interface.clone().map_or(Cell::Null, Cell::Text),
        Cell::name(&subflow.state),
        Cell::name(&subflow.hmac),
    ]
}
