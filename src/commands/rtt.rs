//! `rtt N`

use clap::{Arg, ArgAction, ArgMatches};

use super::shared::limit::{self, Limit, amount};
use super::shared::{milliseconds, roles, series};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Column, Data, Report, Rows, Table};
use mptcp_trace::analysis::rtt::{Record, RoundTrips, SampleRow, meaning, parts, rtt};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Connection, Role};

/// Measures round trips.
pub struct RttCommand;

impl Described for RttCommand {
    fn name(&self) -> &'static str {
        "rtt"
    }

    fn summary(&self) -> &'static str {
        "Measure round-trip times of an MPTCP connection, by subflow and at the data level"
    }

    fn details(&self) -> &'static str {
        "`towards` is the direction of the acknowledged data. There are four levels.\n\n\
         handshake: from SYN to SYN/ACK (towards the subflow's server) and from SYN/ACK to ACK.\n\n\
         tcp: from the packet that first carried the newest byte that an ACK newly covers, to that ACK. There is no \
         sample if any byte that the ACK newly covers was sent twice (Karn's algorithm). Nor is there one if the byte \
         had waited: SACK had reported it before, or earlier bytes arrived after it.\n\n\
         timestamp: from the first data packet with a timestamp to the first ACK that advances and echoes it (RFC \
         7323); this also measures retransmissions.\n\n\
         data: from the first transmission of data on any subflow to the first DATA_ACK on any subflow that covers it, \
         for each packet that was the first to carry some. The row without a tcpstream is the whole connection; the \
         others are by the subflow that sent the data first.\n\n\
         The meaning depends on the place of capture (`capture_point`). At the data's sender, it is the full round \
         trip; at the receiver, only the receiver's own delay; in between, the part beyond the capture. The place is \
         found from handshake and time to live: an end that answers at once is near, and its packets still have 64, \
         128 or 255. A router near an end is not that end. In between, both halves of the handshake add up to the full \
         round trip.\n\n\
         Percentiles are interpolated between the two nearest values, as in NumPy. JSON and CSV are in seconds."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let samples = Arg::new("samples")
            .long("samples")
            .action(ArgAction::SetTrue)
            .help("One row per sample instead of the distribution");
        command.arg(arguments::mptcp_stream()).arg(arguments::towards()).arg(samples).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "rtt 0", purpose: "round trips of connection 0, both directions" },
            Example { line: "rtt 0 --towards server --format json", purpose: "the upload, for a program" },
            Example { line: "rtt 0 --samples --format csv -o rtt.csv", purpose: "each sample, to plot over time" },
        ]
    }
}

impl Command for RttCommand {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let mut found = rtt(capture, connection);
        let parts = parts(&found);
        if let Some(role) = arguments::role(arguments) {
            found.series.retain(|series| series.towards == role);
        }
        let notes = [notes(connection, &found), parts].concat();
        if arguments.get_flag("samples") {
            let samples: Vec<SampleRow> = found.rows(capture).collect();
            let table = sample_table(&samples);
            let report = Report::of(Data::owning(samples), vec![table]);
            return Ok(Outcome::Report(report.declared("rtt --samples").with_notes(notes)));
        }
        let limit = Limit::of(arguments);
        let records = found.records();
        let directions = Role::BOTH.iter().filter(|role| records.iter().any(|record| record.towards == **role));
        let tables = directions.map(|role| limit.cut(direction(&records, *role), FEWEST, |_, row| amount(row, 2)));
        let tables = tables.collect();
        let report = Report::of(Data::owning(records), tables);
        Ok(Outcome::Report(report.complete(&ROWS).declared("rtt").with_notes(notes)))
    }
}

/// The first columns of CSV.
const ROWS: Rows = Rows {
    columns: &[
        "tcpstream",
        "towards",
        "level",
        "capture_point",
        "samples",
        "min",
        "p25",
        "median",
        "p75",
        "p99",
        "max",
        "mean",
        "p90",
        "p95",
        "p97",
        "p98",
        "stdev",
    ],
    seconds: &["min", "p25", "median", "p75", "p99", "max", "mean", "p90", "p95", "p97", "p98", "stdev"],
    ..Rows::FLAT
};

/// Which rows a table leaves out.
const FEWEST: &str = "with the fewest samples";

/// The records of one direction, for people.
fn direction(records: &[Record], towards: Role) -> Table {
    let title = format!("Round trips of data towards the {}, in milliseconds", towards.name());
    let mut table = Table::new(&["tcpstream", "level", "samples"]).titled(title);
    table.columns.extend(["min", "p25", "median", "p75", "max"].map(milliseconds::column));
    for record in interruptible(records.iter().filter(|record| record.towards == towards)) {
        let spread = &record.distribution;
        let mut row = vec![
            Cell::Text(record.tcpstream.map_or_else(|| "all".to_string(), |id| id.to_string())),
            Cell::Text(record.level.name().to_string()),
            Cell::Integer(spread.samples.into()),
        ];
        row.extend([spread.min, spread.p25, spread.median, spread.p75, spread.max].map(milliseconds::cell));
        table.rows.push(row);
    }
    table
}

fn sample_table(samples: &[SampleRow]) -> Table {
    let mut table = Table::new(&["tcpstream", "towards", "level", "packetid", "reltime"]);
    table.columns.push(Column::from("rtt"));
    for sample in interruptible(samples) {
        table.rows.push(vec![
            sample.tcpstream.map_or(Cell::Null, |id| Cell::Integer(id.0.into())),
            Cell::Text(sample.towards.name().to_string()),
            Cell::Text(sample.level.name().to_string()),
            sample.packetid.map_or(Cell::Null, |id| Cell::Integer(id.into())),
            Cell::seconds(sample.reltime),
            Cell::seconds(sample.rtt),
        ]);
    }
    table
}

fn notes(connection: &Connection, found: &RoundTrips) -> Vec<String> {
    let mut notes: Vec<String> = Vec::new();
    for role in Role::BOTH {
        let mut own = found.series.iter().filter(|series| series.towards == role).peekable();
        let Some(whole) = own.peek() else { continue };
        notes.push(meaning(whole.capture_point, role));
    }
    notes.extend(roles::guessed_note(connection));
    notes.extend(series::misplaced_note(found.misplaced));
    notes
}
