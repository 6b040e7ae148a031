//! `handshakes`

use clap::ArgMatches;

use super::shared::limit::{self, Limit};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::handshakes::{Handshake, handshakes};

/// Lists handshakes that asked for MPTCP.
pub struct Handshakes;

impl Described for Handshakes {
    fn name(&self) -> &'static str {
        "handshakes"
    }

    fn summary(&self) -> &'static str {
        "List handshakes that requested MPTCP, and their outcome"
    }

    fn details(&self) -> &'static str {
        "One row per TCP stream whose SYN has MP_CAPABLE (asked: capable) or MP_JOIN (join). outcome of capable: granted, \
         declined (a SYN/ACK without MP_CAPABLE), blackholed (only a SYN without MP_CAPABLE was answered), refused (RST), \
         unanswered, mirrored (the SYN/ACK repeats the option) or unknown. outcome of join: established, refused, \
         option_missing, unanswered or unfinished; hmac is the verdict on its HMACs.\n\n\
         syn_ack_after and ack_after count from the first SYN, even if it was retransmitted. mptcpstream is empty if the \
         handshake did not lead to an MPTCP connection."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "handshakes", purpose: "which streams requested MPTCP, and the outcome" },
            Example { line: "handshakes --format csv", purpose: "the same as CSV" },
        ]
    }
}

impl Command for Handshakes {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let found = handshakes(session.capture()?);
        let mut table = Table::headed(&[
            ("tcpstream", "tcp\nstream"),
            ("mptcpstream", "mptcp\nstream"),
            ("asked", ""),
            ("version", "ver-\nsion"),
            ("outcome", ""),
            ("hmac", ""),
            ("client", ""),
            ("server", ""),
            ("reltime", ""),
            ("syns", "SYNs"),
            ("syn_ack_after", "SYN/ACK\nafter"),
            ("ack_after", "ACK\nafter"),
        ]);
        table.rows.extend(found.iter().map(row));
        let table = Limit::of(arguments).cut(table, "that came first", |index, _| index);
        let none = found.is_empty().then(|| "no SYN in the capture requests MPTCP".to_string());
        let report = Report::new(&found, vec![table]).complete(&ROWS).declared("handshakes");
        Ok(Outcome::Report(report.with_notes(none.into_iter().collect())))
    }
}

/// A row a handshake.
const ROWS: Rows = Rows {
    // All, so that they are there also where no handshake is.
    columns: &[
        "tcpstream",
        "mptcpstream",
        "asked",
        "version",
        "outcome",
        "hmac",
        "answered_version",
        "checksum_required",
        "client_ip",
        "client_port",
        "server_ip",
        "server_port",
        "packetid",
        "reltime",
        "syns",
        "syn_ack_after",
        "ack_after",
    ],
    seconds: &["reltime", "syn_ack_after", "ack_after"],
    ..Rows::FLAT
};

fn row(one: &Handshake) -> Vec<Cell> {
    let time = |seconds: Option<f64>| seconds.map_or(Cell::Null, Cell::microseconds);
    let end = |address: std::net::IpAddr, port: u16| Cell::Text(mptcp_trace::Endpoint { address, port }.to_string());
    vec![
        Cell::Integer(one.tcpstream.0.into()),
        one.mptcpstream.map_or(Cell::Null, |id| Cell::Integer(id.0.into())),
        Cell::name(&one.asked),
        one.version.map_or(Cell::Null, |version| Cell::Integer(version.into())),
        Cell::name(&one.outcome),
        Cell::name(&one.hmac),
        end(one.client_ip, one.client_port),
        end(one.server_ip, one.server_port),
        Cell::seconds(one.reltime),
        Cell::Integer(one.syns.into()),
        time(one.syn_ack_after),
        time(one.ack_after),
    ]
}
