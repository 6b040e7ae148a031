//! `merge {tcp|mptcp} PCAP1 N PCAP2 [M]`

use clap::{Arg, ArgMatches};

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::analysis::merged_table;
use crate::analysis::selection;
use crate::arguments;
use crate::arguments::two_captures::{self, TwoCaptures};
use crate::error::Result;
use crate::output::Report;

/// Default columns.
const USUAL: [&str; 10] = [
    "towards",
    "fate",
    "tcpstream_sender",
    "packetid_sender",
    "packetid_receiver",
    "reltime_sender",
    "tcpseq_sender",
    "offset",
    "length",
    "delay",
];

/// Prints two captures as one table.
pub struct MergeCommand;

impl Described for MergeCommand {
    fn name(&self) -> &'static str {
        "merge"
    }

    fn summary(&self) -> &'static str {
        "Match each packet at the sender with the same packet at the receiver"
    }

    fn details(&self) -> &'static str {
        "One row per packet, or per part of a large frame that was split on the way. fate: received, duplicate \
         (delivered again by the network), lost, outside_capture (in flight when the receiver's capture began or \
         ended, or sent before or after it), not_captured_at_receiver, not_captured_at_sender. `offset` and `length` \
         give the part of the sender's payload. `delay` is the receiver's time minus the sender's, corrected as \
         --clock says. Every column of `columns` is available with the suffixes _sender and _receiver: name them with \
         --columns, or use --columns all."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let columns = Arg::new("columns")
            .long("columns")
            .value_name("COLUMN,…")
            .value_delimiter(',')
            .help("Only these columns, in this order; `all` for every column");
        two_captures::with_level(command)
            .arg(two_captures::correction_argument())
            .arg(arguments::towards())
            .arg(columns)
            .arg(two_captures::csv())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "merge tcp examples/client.pcapng 1 examples/server.pcapng",
                purpose: "packets of one subflow at both ends",
            },
            Example {
                line: "merge mptcp examples/client.pcapng 0 examples/server.pcapng --columns all -o merged.csv",
                purpose: "all columns, for pandas or polars",
            },
        ]
    }
}

impl Command for MergeCommand {
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
        let table = merged_table(&captures.first, &captures.second, &merged, |flow, passage| {
            clock.delay(correction, flow.sender, passage)
        })?;
        let names: Vec<&String> = arguments.get_many("columns").into_iter().flatten().collect();
        let shown = match names.as_slice() {
            [] => selection::columns(&table, &USUAL)?,
            [all] if *all == "all" => table,
            _ => selection::columns(&table, &names)?,
        };
        Ok(Outcome::Report(Report::of_frame(shown)?.with_notes(notes)))
    }
}
