//! `retransmissions N`

use clap::{Arg, ArgMatches};

use super::shared::limit::{self, Limit, amount};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::retransmitted::{Class, Retransmission, of_subflows, of_tcp};

/// Lists TCP retransmissions.
pub struct Retransmissions;

impl Described for Retransmissions {
    fn name(&self) -> &'static str {
        "retransmissions"
    }

    fn summary(&self) -> &'static str {
        "List TCP retransmissions, with the time since the first transmission and the likely cause"
    }

    fn details(&self) -> &'static str {
        "One row per packet with bytes that its sender had sent before under the same sequence numbers, as seen at the place \
         of capture; a SYN or FIN without data and copies made by the path are left out. since_first and since_last count \
         from the first and the last transmission of the first of these bytes, since_activity from any packet of that end. \
         count says how often the first of these bytes is now sent again. \
         towards is an end of the TCP stream; with --mptcpstream, of the connection.\n\n\
         class is an estimate, because senders differ and do not tell. spurious: the receiver had the data already, because \
         it was acknowledged before, a D-SACK reports it, or the next ACK echoes an older timestamp. fast: three duplicate \
         ACKs asked for it (RFC 5681), SACK reported later bytes (RFC 6675), or bytes that were sent later arrived (RFC 8985). rto: neither, and the data was \
         last sent at least 0.2 s and two round trips of the handshake before (RFC 6298). recovery: the data was last sent \
         before such a timeout, which makes the sender send all of it again as ACKs come. tail: neither, sooner, and it is \
         the last data sent (RFC 8985). other: the capture does not tell. Seen from the sender, the numbers of each class are \
         those that Linux counts, except where timers turned out too soon.\n\n\
         tshark's tcp.analysis.rto is not such a class: it is the time since the first transmission of every retransmission that \
         does not follow duplicate ACKs within 20 ms, and Wireshark counts no duplicate ACKs with MPTCP options."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let connection = Arg::new("mptcpstream")
            .long("mptcpstream")
            .value_name("MPTCPSTREAM")
            .value_parser(arguments::stream_number)
            .conflicts_with("tcpstream")
            .help("All subflows of this MPTCP connection");
        let stream = arguments::tcp_stream().required(false).required_unless_present("mptcpstream");
        command.arg(stream).arg(connection).arg(arguments::towards()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "retransmissions 0", purpose: "those of the first TCP stream" },
            Example {
                line: "retransmissions --mptcpstream 0 --format csv",
                purpose: "those of a connection's subflows",
            },
        ]
    }
}

impl Command for Retransmissions {
    fn category(&self) -> Category {
        Category::Tcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let mut found = match arguments.get_one::<u32>("mptcpstream") {
            Some(number) => of_subflows(capture, capture.mptcp_connection(ConnectionId(*number))?, false),
            None => of_tcp(capture, capture.tcp_stream(arguments::stream_id(arguments)?)?),
        };
        let towards = arguments::role(arguments);
        found.retain(|one| towards.is_none_or(|role| one.towards == role));
        let mut table = Table::headed(&[
            ("tcpstream", "tcp\nstream"),
            ("towards", ""),
            ("packetid", ""),
            ("reltime", ""),
            ("bytes", ""),
            ("since_first", "since\nfirst"),
            ("since_last", "since\nlast"),
            ("since_activity", "since\nactivity"),
            ("count", ""),
            ("class", ""),
        ]);
        table.rows.extend(found.iter().map(row));
        let table = Limit::of(arguments).cut(table, "with the fewest bytes", |_, row| amount(row, 4));
        let report = Report::new(&found, vec![table]).complete(&ROWS).declared("retransmissions");
        Ok(Outcome::Report(report.with_notes(vec![note(&found)])))
    }
}

/// How many of each class.
fn note(found: &[Retransmission]) -> String {
    if found.is_empty() {
        return "no data was retransmitted".to_string();
    }
    let counts = Class::ALL.map(|class| (class, found.iter().filter(|one| one.class == class).count()));
    let some = counts.iter().filter(|(_, count)| *count > 0);
    let some: Vec<String> = some.map(|(class, count)| format!("{count} {}", class.name())).collect();
    format!("estimated classes: {}", some.join(", "))
}

/// A row a retransmission.
const ROWS: Rows = Rows {
    columns: &[
        "tcpstream",
        "towards",
        "packetid",
        "reltime",
        "bytes",
        "since_first",
        "since_last",
        "since_activity",
        "count",
        "class",
    ],
    seconds: &["reltime", "since_first", "since_last", "since_activity"],
    ..Rows::FLAT
};

fn row(one: &Retransmission) -> Vec<Cell> {
    vec![
        Cell::Integer(one.tcpstream.0.into()),
        Cell::name(&one.towards),
        Cell::Integer(one.packetid.into()),
        Cell::seconds(one.reltime),
        Cell::Bytes(one.bytes),
        Cell::microseconds(one.since_first),
        Cell::microseconds(one.since_last),
        Cell::microseconds(one.since_activity),
        Cell::Integer(one.count.into()),
        Cell::name(&one.class),
    ]
}
