//! `print_owds {tcp|mptcp} PCAP1 N PCAP2 [M]`

use clap::{Arg, ArgAction, ArgMatches};
use serde::Serialize;

use super::shared::limit::{self, Limit, amount};
use super::shared::{milliseconds, stream_cells};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::arguments::two_captures::{self, TwoCaptures};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::StreamId;
use mptcp_trace::analysis::clock::{Clock, Correction};
use mptcp_trace::analysis::merge::Merged;
use mptcp_trace::analysis::one_way_delays::{OneWayDelays, one_way_delays, samples};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;

/// Measures one-way delays.
pub struct PrintOwds;

impl Described for PrintOwds {
    fn name(&self) -> &'static str {
        "print_owds"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["owd"]
    }

    fn summary(&self) -> &'static str {
        "Measure one-way delays between two captures, by subflow and direction"
    }

    fn details(&self) -> &'static str {
        "Packets are matched by values that no path changes: numbers counted from the handshake, length, flags, \
         timestamps, and the IPv4 identification if packets are otherwise equal. A delay is the receiver's time minus \
         the sender's. Retransmissions count separately, copies made by the network do not count. A large frame that \
         was split on the way counts once, with its last part.\n\n\
         The clock error is estimated from the shortest delays in both directions and printed with the delays; --clock \
         says what to correct. By default nothing is corrected unless a delay would be negative."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let samples = Arg::new("samples")
            .long("samples")
            .action(ArgAction::SetTrue)
            .help("One row per packet instead of the distribution");
        two_captures::with_level(command)
            .arg(two_captures::correction_argument())
            .arg(arguments::towards())
            .arg(samples)
            .arg(limit::argument())
            .arg(two_captures::csv())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "print_owds mptcp examples/client.pcapng 0 examples/server.pcapng",
                purpose: "delays of connection 0",
            },
            Example {
                line: "print_owds tcp examples/client.pcapng 1 examples/server.pcapng --samples --csv",
                purpose: "each packet of one subflow",
            },
        ]
    }
}

impl Command for PrintOwds {
    fn category(&self) -> Category {
        Category::TwoCaptures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let captures = TwoCaptures::of_level(arguments, session)?;
        let (mut merged, clock) = captures.merge()?;
        let correction = two_captures::correction(arguments, &clock, &merged);
        let mut notes = captures.notes((merged.client, merged.evidence));
        notes.push(two_captures::clock_note(&clock, correction));
        if let Some(role) = arguments::role(arguments) {
            merged.flows.retain(|flow| flow.towards() == role);
        }
        if arguments.get_flag("samples") {
            let rows = sample_rows(&captures, &merged, &clock, correction);
            let table = sample_table(&rows);
            return Ok(Outcome::Report(
                Report::new(&rows, vec![table]).declared("print_owds --samples").with_notes(notes),
            ));
        }
        let limit = Limit::of(arguments);
        let found = one_way_delays(&merged, &clock, correction);
        let roles = Role::BOTH.iter().filter(|role| found.iter().any(|delays| delays.towards == **role));
        let tables =
            roles.map(|role| limit.cut(direction(&found, *role), "with the fewest packets", |_, row| amount(row, 1)));
        let tables = tables.collect();
        Ok(Outcome::Report(Report::new(&found, tables).complete(&ROWS).declared("print_owds").with_notes(notes)))
    }
}

/// The first columns of CSV.
const ROWS: Rows = Rows {
    columns: &[
        "tcpstream",
        "mapped",
        "towards",
        "clock",
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

/// The delays of one direction, for people.
fn direction(found: &[OneWayDelays], towards: Role) -> Table {
    let title = format!("One-way delays towards the {}, in milliseconds", towards.name());
    let mut table = Table::headed(&[("tcpstream", "stream\n1st:2nd"), ("samples", "packets")]).titled(title);
    table.columns.extend(["min", "p25", "median", "p75", "p99", "max"].map(milliseconds::column));
    for delays in interruptible(found.iter().filter(|delays| delays.towards == towards)) {
        let spread = &delays.distribution;
        let mut row =
            vec![stream_cells::streams(delays.tcpstream, delays.mapped), Cell::Integer(spread.samples.into())];
        let spans = [spread.min, spread.p25, spread.median, spread.p75, spread.p99, spread.max];
        row.extend(spans.map(milliseconds::cell));
        table.rows.push(row);
    }
    table
}

/// One packet as a row.
#[derive(Clone, Serialize)]
struct SampleRow {
    tcpstream: StreamId,
    mapped: StreamId,
    towards: Role,
    packetid_sender: Option<u64>,
    packetid_receiver: Option<u64>,
    /// Seconds from the first frame of the sender's capture.
    reltime: f64,
    owd: f64,
    clock: Correction,
}

fn sample_rows(captures: &TwoCaptures, merged: &Merged, clock: &Clock, correction: Correction) -> Vec<SampleRow> {
    let mut rows = Vec::new();
    for flow in interruptible(&merged.flows) {
        let (sender, receiver) = (captures.of(flow.sender), captures.of(flow.sender.other()));
        let origin = sender.origin();
        rows.extend(samples(flow, clock, correction).map(|sample| SampleRow {
            tcpstream: flow.pair.first,
            mapped: flow.pair.second,
            towards: flow.towards(),
            packetid_sender: sender.segments.get(sample.sender.index()).map(|segment| segment.packetid()),
            packetid_receiver: receiver.segments.get(sample.receiver.index()).map(|segment| segment.packetid()),
            reltime: (sample.sent - origin).seconds(),
            owd: sample.delay.seconds(),
            clock: correction,
        }));
    }
    rows
}

fn sample_table(rows: &[SampleRow]) -> Table {
    let names = ["tcpstream", "mapped", "towards", "packetid_sender", "packetid_receiver", "reltime", "owd", "clock"];
    let mut table = Table::new(&names);
    let optional = |id: Option<u64>| id.map_or(Cell::Null, |id| Cell::Integer(id.into()));
    for row in interruptible(rows) {
        table.rows.push(vec![
            Cell::Integer(row.tcpstream.0.into()),
            Cell::Integer(row.mapped.0.into()),
            Cell::Text(row.towards.name().to_string()),
            optional(row.packetid_sender),
            optional(row.packetid_receiver),
            Cell::seconds(row.reltime),
            Cell::seconds(row.owd),
            Cell::Text(row.clock.name().to_string()),
        ]);
    }
    table
}
