//! `bursts N`

use clap::ArgMatches;

use super::shared::limit::{self, Limit};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Data, Report, Rows, Table};
use mptcp_trace::analysis::bursts::{Burst, bursts};
use mptcp_trace::tracking::Role;
use mptcp_trace::units::counted;

/// Lists bursts.
pub struct Bursts;

impl Described for Bursts {
    fn name(&self) -> &'static str {
        "bursts"
    }

    fn summary(&self) -> &'static str {
        "List bursts: runs of data packets on one subflow, between changes of the subflow"
    }

    fn details(&self) -> &'static str {
        "A burst is a run of packets with payload of one direction on one subflow, uninterrupted by such packets on another, \
         in the order of the capture. Retransmissions and reinjections are packets like others; copies made by the path are \
         left out. The number of bursts less one is how often the sender changed the subflow: at the sender as it sent, \
         elsewhere as the packets came. new_bytes are data that no packet before had carried on any subflow."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream()).arg(arguments::towards()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "bursts 0", purpose: "bursts of connection 0, in both directions" },
            Example { line: "bursts 0 --towards server --format csv", purpose: "those of the upload as CSV" },
        ]
    }
}

impl Command for Bursts {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let towards = arguments::role(arguments);
        let mut found = bursts(capture, connection);
        found.retain(|burst| towards.is_none_or(|role| burst.towards == role));
        let table = Table::headed(&[
            ("towards", ""),
            ("position", ""),
            ("tcpstream", "tcp\nstream"),
            ("packetid", ""),
            ("reltime", ""),
            ("duration", ""),
            ("packets", ""),
            ("bytes", ""),
            ("new_bytes", "new\nbytes"),
        ]);
        let table = Limit::of(arguments).rows_of(table, &found, "with the fewest bytes", |burst| burst.bytes, row);
        let notes = Role::BOTH.into_iter().filter_map(|role| note(&found, role)).collect();
        let report = Report::of(Data::owning(found), vec![table]);
        Ok(Outcome::Report(report.complete(&ROWS).declared("bursts").with_notes(notes)))
    }
}

/// How often the subflow changed.
fn note(found: &[Burst], role: Role) -> Option<String> {
    let count = found.iter().filter(|burst| burst.towards == role).count() as u64;
    let changes = count.checked_sub(1)?;
    Some(format!("towards the {}: {}, {}", role.name(), counted(count, "burst"), counted(changes, "change")))
}

/// A row a burst.
const ROWS: Rows = Rows {
    columns: &["towards", "position", "tcpstream", "packetid"],
    seconds: &["reltime", "duration"],
    ..Rows::FLAT
};

fn row(burst: &Burst) -> Vec<Cell> {
    vec![
        Cell::name(&burst.towards),
        Cell::Integer(burst.position.into()),
        Cell::Integer(burst.tcpstream.0.into()),
        Cell::Integer(burst.packetid.into()),
        Cell::seconds(burst.reltime),
        Cell::seconds(burst.duration),
        Cell::Integer(burst.packets.into()),
        Cell::Bytes(burst.bytes),
        Cell::Bytes(burst.new_bytes),
    ]
}
