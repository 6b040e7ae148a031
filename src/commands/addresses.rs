//! `addresses N`

use clap::ArgMatches;

use super::shared::limit::{self, Limit};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::address_signals::{AddressSignal, address_signals};

/// Lists addresses advertised and withdrawn.
pub struct Addresses;

impl Described for Addresses {
    fn name(&self) -> &'static str {
        "addresses"
    }

    fn summary(&self) -> &'static str {
        "List addresses that a connection advertised, confirmed and withdrew"
    }

    fn details(&self) -> &'static str {
        "One row per address id in an ADD_ADDR (action: add), its echo (echo) or a REMOVE_ADDR (remove), in file order, \
         repeated ones included. hmac is the verdict on the HMAC of an ADD_ADDR: valid, invalid, or unverifiable if the keys \
         were not captured. Joins to the addresses are in `handshakes`, their order among other events in `events`."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "addresses 0", purpose: "addresses of connection 0" },
            Example { line: "addresses 0 --format json", purpose: "the same for a program" },
        ]
    }
}

impl Command for Addresses {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let found = address_signals(capture, connection);
        let mut table = Table::headed(&[
            ("packetid", ""),
            ("reltime", ""),
            ("tcpstream", "tcp\nstream"),
            ("sender", ""),
            ("action", ""),
            ("addrid", "address\nid"),
            ("ip", ""),
            ("port", ""),
            ("hmac", ""),
        ]);
        table.rows.extend(found.iter().map(row));
        let table = Limit::of(arguments).cut(table, "that came first", |index, _| index);
        let none = found.is_empty().then(|| "the connection advertised and withdrew no address".to_string());
        let report = Report::new(&found, vec![table]).complete(&ROWS).declared("addresses");
        Ok(Outcome::Report(report.with_notes(none.into_iter().collect())))
    }
}

/// A row a signal.
const ROWS: Rows = Rows {
    // All, so that they are there also where no signal is.
    columns: &["packetid", "reltime", "tcpstream", "sender", "action", "addrid", "ip", "port", "hmac"],
    seconds: &["reltime"],
    ..Rows::FLAT
};

fn row(signal: &AddressSignal) -> Vec<Cell> {
    vec![
        Cell::Integer(signal.packetid.into()),
        Cell::seconds(signal.reltime),
        Cell::Integer(signal.tcpstream.0.into()),
        Cell::name(&signal.sender),
        Cell::name(&signal.action),
        Cell::Integer(signal.addrid.into()),
        signal.ip.map_or(Cell::Null, |address| Cell::Text(address.to_string())),
        signal.port.map_or(Cell::Null, |port| Cell::Integer(port.into())),
        Cell::name(&signal.hmac),
    ]
}
