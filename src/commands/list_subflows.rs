//! `list_subflows N`

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::SocketAddr;

use clap::{Arg, ArgAction, ArgMatches};

use super::shared::limit::{self, Limit, amount};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::subflow_courses::{SubflowCourse, subflow_courses};
use mptcp_trace::analysis::subflows::{OpenedWith, SubflowRecord, SubflowState, subflows};
use mptcp_trace::analysis::unseen::unseen;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::authentication::Lack;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Capture, Connection, JoinedBy, Role};
use mptcp_trace::units::{counted, grouped, several};

/// Lists the subflows of a connection.
pub struct ListSubflows;

impl Described for ListSubflows {
    fn name(&self) -> &'static str {
        "list_subflows"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ls"]
    }

    fn summary(&self) -> &'static str {
        "List the subflows of one MPTCP connection, or of all"
    }

    fn details(&self) -> &'static str {
        "mptcpdest is the end of the connection that the subflow was opened towards; the table shows it only if it is \
         not always the server. A backup asked in its join to be used only if no other subflow is left. MP_PRIO may \
         change that, which the table shows as backup_at_end. hmac is the result of checking the HMACs of MP_JOIN with \
         the connection's keys: valid, invalid, or unverifiable; hmac_lacks then names what was not captured.\n\n\
         JSON and CSV have every field, with addresses and ports separate. end_kind is what ended the subflow first: the FIN \
         of both ends (fin), or a RST before that (reset); half_closed is a FIN of one end, open is none. end is the time \
         of the RST or of the second FIN, ended_by the end of the connection that sent it, established the time of the \
         packet that established the subflow. established_after_last_data: it came too late to carry anything. Window \
         scales, maximum segment sizes, sack and timestamps are those of SYN and SYN/ACK."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let all = Arg::new("all").long("all").action(ArgAction::SetTrue).help("Subflows of all connections");
        command
            .arg(arguments::mptcp_stream().required(false).required_unless_present("all").conflicts_with("all"))
            .arg(all)
            .arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "list_subflows 0", purpose: "paths that connection 0 used" },
            Example { line: "ls --all --format csv", purpose: "every subflow of the capture as CSV" },
        ]
    }

    fn prints(&self) -> Option<&'static str> {
        Some(include_str!("prints/list_subflows.txt"))
    }
}

impl Command for ListSubflows {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let limit = Limit::of(arguments);
        if arguments.get_flag("all") {
            return all(capture, limit);
        }
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let found = listed(capture, connection);
        let list: Vec<_> = found.iter().map(|listed| (connection.id, &listed.subflow)).collect();
        let mut table = for_people(&list, false);
        if limit.is_below(found.len()) {
            let bytes = bytes(capture, connection);
            table = table.titled(states(&found));
            table = limit.cut(table, LEAST, |index, _| {
                (is_initial(found.get(index).map(|listed| &listed.subflow)), bytes.get(index).copied())
            });
        }
        let report = Report::new(&found, vec![table]).complete(&OF_ONE).declared("list_subflows");
        Ok(Outcome::Report(report.with_notes(notes(capture, connection, &found))))
    }
}

fn notes(capture: &Capture, connection: &Connection, found: &[Listed]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut lacks: Vec<Lack> = Vec::new();
    for lack in interruptible(found.iter().filter_map(|listed| listed.subflow.hmac_lacks)) {
        if !lacks.contains(&lack) {
            lacks.push(lack);
        }
    }
    for lack in lacks {
        let own = found.iter().map(|listed| &listed.subflow).filter(|subflow| subflow.hmac_lacks == Some(lack));
        let streams: Vec<u64> = own.map(|subflow| subflow.tcpstream.0.into()).collect();
        notes.push(format!("HMAC of stream {} not checked: {}", several(&streams), lack.phrase()));
    }
    let unseen = unseen(capture, connection);
    for towards in Role::BOTH {
        if let Some(bytes) = unseen.get(towards).elsewhere() {
            notes.push(format!(
                "a subflow was not captured: it carried {} towards the {}, as DATA_ACKs show",
                counted(bytes, "byte"),
                towards.name()
            ));
        }
    }
    notes
}

/// A row a subflow, with the number of its connection.
const OF_ALL: Rows = Rows { columns: COLUMNS, seconds: TIMES, ..Rows::FLAT };
const OF_ONE: Rows = Rows { columns: COLUMNS.split_at(1).1, seconds: TIMES, ..Rows::FLAT };

/// A subflow with its course.
#[derive(Clone, serde::Serialize)]
struct Listed {
    #[serde(flatten)]
    subflow: SubflowRecord,
    #[serde(flatten)]
    course: SubflowCourse,
}

/// The subflows of a connection with their courses.
fn listed(capture: &Capture, connection: &Connection) -> Vec<Listed> {
    let courses = subflow_courses(capture, connection).into_iter();
    let both = subflows(capture, connection).into_iter().zip(courses);
    both.map(|(subflow, course)| Listed { subflow, course }).collect()
}

const COLUMNS: &[&str] = &[
    "mptcpstream",
    "tcpstream",
    "kind",
    "client_ip",
    "client_port",
    "server_ip",
    "server_port",
    "mptcpdest",
    "addrid",
    "backup",
    "backup_at_end",
    "interface",
    "state",
    "hmac",
    "hmac_lacks",
    "joined_by",
    "mptcpstream_wireshark",
    "server_addrid",
    "established",
    "established_after_last_data",
    "end_kind",
    "end",
    "ended_by",
    "reset_reason",
    "wscale_client",
    "wscale_server",
    "mss_client",
    "mss_server",
    "sack",
    "timestamps",
];

/// Times among them.
const TIMES: &[&str] = &["established", "end"];

/// Which subflows a table leaves out.
const LEAST: &str = "with the least data";

/// Number of subflows in each state, most common first.
fn states(found: &[Listed]) -> String {
    let mut counts: Vec<(SubflowState, u64)> = Vec::new();
    for subflow in found.iter().map(|listed| &listed.subflow) {
        match counts.iter_mut().find(|(state, _)| *state == subflow.state) {
            Some((_, count)) => *count += 1,
            None => counts.push((subflow.state, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| Reverse(*count));
    let named = counts.iter().map(|(state, count)| match Cell::name(state) {
        Cell::Text(name) => format!("{} {name}", grouped(*count)),
        _ => grouped(*count),
    });
    format!("{} subflows: {}", grouped(found.len() as u64), named.collect::<Vec<_>>().join(", "))
}

/// The subflow that everything began with is worth a row whatever it carried.
fn is_initial(subflow: Option<&SubflowRecord>) -> bool {
    subflow.is_some_and(|subflow| subflow.kind == Some(OpenedWith::Initial))
}

/// Bytes of data that each subflow of a connection carried in both directions, whatever was sent again included.
fn bytes(capture: &Capture, connection: &Connection) -> Vec<u64> {
    let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
    let mut bytes = vec![0_u64; connection.subflows.len()];
    for range in interruptible(sequence.server.sent.iter().chain(&sequence.client.sent)) {
        if let Some(own) = bytes.get_mut(range.subflow) {
            *own = own.saturating_add(range.end.saturating_sub(range.start));
        }
    }
    bytes
}

fn all(capture: &Capture, limit: Limit) -> Result<Outcome> {
    #[derive(Clone, serde::Serialize)]
    struct OfConnection {
        mptcpstream: ConnectionId,
        #[serde(flatten)]
        listed: Listed,
    }
    let mut found = Vec::new();
    // Of the connections with too many subflows.
    let mut carried = HashMap::<usize, u64>::new();
    for connection in interruptible(capture.tracking.whole_connections()) {
        if limit.is_below(connection.subflows.len()) {
            carried.extend((found.len()..).zip(bytes(capture, connection)));
        }
        let own = listed(capture, connection).into_iter();
        found.extend(own.map(|listed| OfConnection { mptcpstream: connection.id, listed }));
    }
    let list: Vec<_> = found.iter().map(|found| (found.mptcpstream, &found.listed.subflow)).collect();
    let table = for_people(&list, true);
    let weight = |index: usize, _: &[Cell]| {
        (is_initial(found.get(index).map(|found| &found.listed.subflow)), carried.get(&index).copied())
    };
    let table = limit.cut_groups(table, &format!("{LEAST} in their connection"), |row| Some(amount(row, 0)), weight);
    Ok(Outcome::Report(Report::new(&found, vec![table]).complete(&OF_ALL).declared("list_subflows --all")))
}

/// The subflows, each with its connection's number, within 80 characters where addresses are short.
fn for_people(subflows: &[(ConnectionId, &SubflowRecord)], with_connection: bool) -> Table {
    // A subflow that the server opened is rare; without one the column says nothing.
    let with_destination = subflows.iter().any(|(_, subflow)| subflow.mptcpdest != Role::Server);
    // What shows that they are one connection is in the other columns, unless its handshakes were not captured.
    let by_sequence = subflows.iter().any(|(_, subflow)| subflow.joined_by >= Some(JoinedBy::DataSequence));
    let with_priority = subflows.iter().any(|(_, subflow)| subflow.backup_at_end != subflow.backup);
    let with_interface = subflows.iter().any(|(_, subflow)| subflow.interface.is_some());
    let with_paths = subflows.iter().any(|(_, subflow)| subflow.path_client.is_some() || subflow.path_server.is_some());
    let columns = [
        (with_connection, ("mptcpstream", "mptcp\nstream")),
        (true, ("tcpstream", "tcp\nstream")),
        (true, ("kind", "")),
        (true, ("client", "")),
        (true, ("server", "")),
        (with_destination, ("mptcpdest", "mptcp\ndest")),
        (!with_connection, ("addrid", "addr\nid")),
        (with_interface, ("interface", "inter-\nface")),
        (with_paths, ("path_client", "path of\nclient")),
        (with_paths, ("path_server", "path of\nserver")),
        (with_priority, ("backup_at_end", "backup\nat end")),
        (true, ("state", "")),
        (true, ("hmac", "")),
        (by_sequence, ("joined_by", "joined\nby")),
    ];
    let shown: Vec<_> = columns.iter().filter(|(shown, _)| *shown).map(|(_, column)| *column).collect();
    let mut table = Table::headed(&shown);
    for (connection, subflow) in interruptible(subflows) {
        let cells = [
            Cell::Integer(connection.0.into()),
            Cell::Integer(subflow.tcpstream.0.into()),
            kind(subflow),
            Cell::Text(SocketAddr::new(subflow.client_ip, subflow.client_port).to_string()),
            Cell::Text(SocketAddr::new(subflow.server_ip, subflow.server_port).to_string()),
            Cell::name(&subflow.mptcpdest),
            subflow.addrid.map_or(Cell::Null, |id| Cell::Integer(id.into())),
            subflow.interface.clone().map_or(Cell::Null, Cell::Text),
            subflow.path_client.clone().map_or(Cell::Null, Cell::Text),
            subflow.path_server.clone().map_or(Cell::Null, Cell::Text),
            subflow
                .backup_at_end
                .map_or(Cell::Null, |backup| Cell::Text(if backup { "yes" } else { "no" }.to_string())),
            Cell::name(&subflow.state),
            Cell::name(&subflow.hmac),
            Cell::name(&subflow.joined_by),
        ];
        let row = cells.into_iter().zip(&columns).filter(|(_, (shown, _))| *shown).map(|(cell, _)| cell);
        table.rows.push(row.collect());
    }
    table
}

/// `initial`, `join` or `backup`: a subflow that joined as one.
fn kind(subflow: &SubflowRecord) -> Cell {
    match (Cell::name(&subflow.kind), subflow.backup) {
        (Cell::Text(_), Some(true)) => Cell::Text("backup".to_string()),
        (kind, _) => kind,
    }
}
