//! `handovers N`

use clap::ArgMatches;

use super::shared::limit::{self, Limit};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::handovers::{Handover, handovers};
use mptcp_trace::units::counted;

/// Lists handovers.
pub struct Handovers;

impl Described for Handovers {
    fn name(&self) -> &'static str {
        "handovers"
    }

    fn summary(&self) -> &'static str {
        "List when data moved to another subflow because the one that carried it stopped"
    }

    fn details(&self) -> &'static str {
        "One row per direction of the data and stop of a subflow. A subflow stops if it carried new data of the direction \
         until then (within the last second, or as the last one) and one of these comes before the end of the data: a RST \
         (reset; mp_fail after MP_FAIL), the sender's FIN (fin), REMOVE_ADDR of one of its addresses (remove_addr), MP_PRIO \
         that makes it a backup, if it then carries no new data as one, one second for data under way left out (backup); or \
         if it falls silent for a second or more (silent). It is a handover if another subflow then carries new data, and \
         does so before the first one is well again. New data are bytes beyond those that the subflow had sent: \
         retransmissions on the other subflow are not counted, reinjections are.\n\n\
         silent means, where the path broke behind the place of capture: data was sent again without any answer, three \
         times, or once if data was reinjected meanwhile. Where it broke before that place: no data came on the subflow, and \
         another one later carried what is missing, behind data with higher numbers; the gap in the data opened within a \
         second of the last packet. Shorter silences are loss recovery.\n\n\
         stopped is the time of the signal, or the last answer before a silence (the oldest unanswered data, if that is \
         later); resumed is the first new data on the other subflow, gap the time between. carried_before is true if that \
         subflow was in use already; returned is when the first one carried new data again. A scheduler that merely prefers \
         another subflow hands nothing over. Only a complete capture tells, so `live` does not show handovers."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream()).arg(arguments::towards()).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "handovers 0", purpose: "those of connection 0" },
            Example { line: "handovers 0 --towards server --format json", purpose: "handovers of the upload, as JSON" },
        ]
    }
}

impl Command for Handovers {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let towards = arguments::role(arguments);
        let mut found = handovers(capture, connection);
        found.retain(|one| towards.is_none_or(|role| one.towards == role));
        let mut table = Table::headed(&[
            ("towards", ""),
            ("from", "from\nstream"),
            ("to", "to\nstream"),
            ("cause", ""),
            ("packetid", ""),
            ("stopped", ""),
            ("resumed", ""),
            ("gap", ""),
            ("returned", ""),
        ]);
        table.rows.extend(found.iter().map(row));
        let table = Limit::of(arguments).cut(table, "that came last", |index, _| std::cmp::Reverse(index));
        let notes =
            if found.is_empty() { vec!["no handover".to_string()] } else { vec![counted(found.len(), "handover")] };
        Ok(Outcome::Report(Report::new(&found, vec![table]).complete(&ROWS).declared("handovers").with_notes(notes)))
    }
}

/// A row a handover.
const ROWS: Rows = Rows {
    columns: &[
        "towards",
        "from",
        "to",
        "cause",
        "packetid",
        "stopped",
        "last_data",
        "resumed",
        "gap",
        "carried_before",
        "returned",
    ],
    seconds: &["stopped", "last_data", "resumed", "gap", "returned"],
    ..Rows::FLAT
};

fn row(one: &Handover) -> Vec<Cell> {
    vec![
        Cell::name(&one.towards),
        Cell::Integer(one.from.0.into()),
        Cell::Integer(one.to.0.into()),
        Cell::name(&one.cause),
        one.packetid.map_or(Cell::Null, |packet| Cell::Integer(packet.into())),
        Cell::seconds(one.stopped),
        Cell::seconds(one.resumed),
        Cell::microseconds(one.gap),
        one.returned.map_or(Cell::Null, Cell::seconds),
    ]
}
