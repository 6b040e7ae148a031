//! `qualify_reinjections PCAP1 N PCAP2 [M]`

use clap::{Arg, ArgAction, ArgMatches};

use super::list_reinjections::merged_repeats;
use super::shared::limit::{self, Limit, amount};
use super::shared::milliseconds;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::arguments::two_captures::{self, TwoCaptures};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::qualify_reinjections::{
    QualifiedDirection, QualifiedReinjection, ReinjectionVerdict, qualify_reinjections,
};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::units;

/// Judges reinjections.
pub struct QualifyReinjections;

impl Described for QualifyReinjections {
    fn name(&self) -> &'static str {
        "qualify_reinjections"
    }

    fn summary(&self) -> &'static str {
        "Judge reinjections: useful, redundant or lost, and the time saved"
    }

    fn details(&self) -> &'static str {
        "useful: some of its data arrived before the original subflow delivered it, or the original never arrived. \
         redundant: all of it arrived later. lost: it never arrived. outside_capture: the receiver's capture may not \
         have been running when it, or the original, arrived. Data counts as delivered by a subflow with the first \
         packet that brought it there. reinj_delta is the arrival of the original minus that of the reinjection, by \
         the receiver's clock: the time gained. A packet that repeats several earlier ones counts once for each.\n\n\
         Waiting time saved: data is delivered in order, so one late packet holds up all data behind it. Actual \
         delivery times are compared with those of the original subflows alone."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let failed = Arg::new("failed")
            .long("failed")
            .action(ArgAction::SetTrue)
            .help("List only reinjections that did not help: redundant and lost");
        let list = Arg::new("list").long("list").action(ArgAction::SetTrue).help("List every reinjection");
        two_captures::of_connections(command)
            .arg(failed)
            .arg(list)
            .arg(limit::argument())
            .arg(arguments::towards())
            .arg(two_captures::csv())
            .arg(two_captures::json())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "qualify_reinjections examples/client.pcapng 0 examples/server.pcapng",
                purpose: "did the reinjections help?",
            },
            Example {
                line: "qualify_reinjections examples/client.pcapng 0 examples/server.pcapng --failed --csv",
                purpose: "those that did not help, for a spreadsheet",
            },
        ]
    }
}

impl Command for QualifyReinjections {
    fn category(&self) -> Category {
        Category::TwoCaptures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let captures = TwoCaptures::of_connection(arguments, session)?;
        let connection = captures.connection()?;
        let (merged, _) = captures.merge()?;
        let mut found = qualify_reinjections(&connection, &merged, arguments::role(arguments));
        let failed = arguments.get_flag("failed");
        if failed {
            for direction in interruptible(&mut found) {
                direction.reinjections.retain(|one| {
                    !matches!(one.verdict, ReinjectionVerdict::Useful | ReinjectionVerdict::OutsideCapture)
                });
            }
        }
        let records: Vec<&QualifiedReinjection> = found.iter().flat_map(|direction| &direction.reinjections).collect();
        let limit = Limit::of(arguments);
        let tables = if failed || arguments.get_flag("list") {
            vec![list(&records)]
        } else {
            found
                .iter()
                .filter(|direction| !direction.pairs.is_empty())
                .map(|direction| limit.cut(totals(direction), "with the fewest bytes", |_, row| amount(row, 7)))
                .collect()
        };
        let mut notes = captures.notes(connection.client());
        notes.extend(found.iter().filter_map(waiting));
        notes.extend(found.iter().filter_map(|one| merged_repeats(one.towards, one.merged_repeats)));
        if found.iter().all(|direction| direction.pairs.is_empty()) {
            notes.push("no reinjections".to_string());
        }
        Ok(Outcome::Report(
            Report::new(&found, tables).complete(&ROWS).declared("qualify_reinjections").with_notes(notes),
        ))
    }
}

/// A row a reinjection.
const ROWS: Rows = Rows {
    columns: &[
        "towards",
        "packetid",
        "tcpstream",
        "original_packetid",
        "original_tcpstream",
        "dsn",
        "length",
        "verdict",
        "useful_bytes",
        "first_bytes",
        "arrived_packetid",
        "original_arrived_packetid",
        "reinj_delta",
    ],
    seconds: &["reinj_delta"],
    levels: &[("reinjections", "")],
    lists: &[(
        "pairs",
        &[
            "from",
            "to",
            "reinjections",
            "useful",
            "redundant",
            "lost",
            "outside_capture",
            "bytes",
            "useful_bytes",
            "rescued_bytes",
            "saved_max",
            "saved_mean",
        ],
    )],
    ..Rows::FLAT
};

/// Totals of one direction by pair of subflows.
fn totals(direction: &QualifiedDirection) -> Table {
    let mut table = Table::headed(&[
        ("from", "first\nsent on"),
        ("to", "again\non"),
        ("reinjections", "rein-\njections"),
        ("useful", "use-\nful"),
        ("redundant", "redun-\ndant"),
        ("lost", "lost"),
        ("outside_capture", "outside\ncapture"),
        ("bytes", "bytes"),
        ("useful_bytes", "useful\nbytes"),
        ("saved_mean", "mean\ngain ms"),
        ("saved_max", "longest\ngain ms"),
    ])
    .titled(format!("Reinjections towards the {}", direction.towards.name()));
    for pair in interruptible(&direction.pairs) {
        table.rows.push(vec![
            Cell::Integer(pair.from.0.into()),
            Cell::Integer(pair.to.0.into()),
            Cell::Integer(pair.reinjections.into()),
            Cell::Integer(pair.useful.into()),
            Cell::Integer(pair.redundant.into()),
            Cell::Integer(pair.lost.into()),
            Cell::Integer(pair.outside_capture.into()),
            Cell::Bytes(pair.bytes),
            Cell::Bytes(pair.useful_bytes),
            milliseconds::cell(pair.saved_mean),
            milliseconds::cell(pair.saved_max),
        ]);
    }
    table
}

/// Every reinjection, for people.
fn list(records: &[&QualifiedReinjection]) -> Table {
    let mut table = Table::headed(&[
        ("towards", ""),
        ("packetid", "packet"),
        ("tcpstream", "stream"),
        ("original_packetid", "first\nsent in"),
        ("original_tcpstream", "stream"),
        ("dsn", ""),
        ("length", "bytes"),
        ("verdict", ""),
        ("reinj_delta", "gain ms"),
    ]);
    for record in interruptible(records) {
        table.rows.push(vec![
            Cell::Text(record.towards.name().to_string()),
            Cell::Integer(record.packetid.into()),
            Cell::Integer(record.tcpstream.0.into()),
            Cell::Integer(record.original_packetid.into()),
            Cell::Integer(record.original_tcpstream.0.into()),
            record.dsn.map_or(Cell::Null, |dsn| Cell::Integer(dsn.into())),
            Cell::Bytes(record.length),
            Cell::Text(record.verdict.name().to_string()),
            milliseconds::cell(record.reinj_delta),
        ]);
    }
    table
}

/// Effect of the reinjections on the receiver's waiting, in a sentence.
fn waiting(direction: &QualifiedDirection) -> Option<String> {
    if direction.pairs.is_empty() {
        return None;
    }
    let towards = direction.towards.name();
    let gains = &direction.head_of_line;
    let mut parts = Vec::new();
    if let (Some(mean), Some(longest)) = (gains.earlier_mean, gains.earlier_max) {
        parts.push(format!(
            "{} delivered earlier, by {} on average and {} at most",
            units::bytes(gains.earlier_bytes),
            two_captures::span(mean),
            two_captures::span(longest)
        ));
    }
    if gains.undeliverable_bytes > 0 {
        parts.push(format!(
            "{} not deliverable within the capture, because an original never arrived",
            units::bytes(gains.undeliverable_bytes)
        ));
    }
    Some(if parts.is_empty() {
        format!("towards the {towards}, reinjections saved no time")
    } else {
        format!("towards the {towards}, compared with no reinjections: {}", parts.join("; "))
    })
}
