//! `list_reinjections N`

use clap::{Arg, ArgAction, ArgMatches};

use super::shared::limit::{self, Limit, amount};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use crate::packets::cells::{hexadecimal, join};
use mptcp_trace::analysis::capture_point::SeenFrom;
use mptcp_trace::analysis::reinjections::{Original, Reinjected, Reinjection, ReinjectionSummary};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::{counted, several};

/// Lists the reinjections of a connection.
pub struct ListReinjections;

impl Described for ListReinjections {
    fn name(&self) -> &'static str {
        "list_reinjections"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["lr"]
    }

    fn summary(&self) -> &'static str {
        "List reinjections: data already sent over another subflow, with time and age"
    }

    fn details(&self) -> &'static str {
        "One row per packet with data that another subflow had carried before and its own had not: the first such \
         byte, their number, the packets that carried them first, and the time since. TCP retransmissions are not \
         reinjections. Nor is data repeated on the same subflow under new sequence numbers; --summary counts that \
         separately. since_last counts from when the first of the data was last sent, on any subflow, since_activity \
         from any packet of that end. dsn counts from the sender's first data byte, which is 1; it is null if the key was \
         not captured.\n\n\
         The meaning of a row depends on the place of capture, given by seen_from. At the sender, the row is the \
         reinjection and `of` the original. needed says whether the DATA_ACK advanced only thanks to the reinjection, \
         even if TCP had acknowledged the original before the receiver lost it. At the receiver, the row is the late \
         copy, late_by how late, and `of` the copy that arrived first. Which of them was the original is known only at \
         the sender. `qualify_reinjections` compares captures from both ends."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let summary = Arg::new("summary")
            .long("summary")
            .action(ArgAction::SetTrue)
            .help("Totals per pair of subflows instead of single packets");
        command.arg(arguments::mptcp_stream()).arg(arguments::towards()).arg(summary).arg(limit::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "list_reinjections 0", purpose: "reinjections and the packets that they repeat" },
            Example { line: "lr 0 --summary -H", purpose: "bytes from each subflow to each other" },
            Example { line: "lr 0 --towards server --format csv", purpose: "the upload, for a spreadsheet" },
        ]
    }
}

impl Command for ListReinjections {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let towards = arguments::role(arguments);
        let limit = Limit::of(arguments);
        let reinjected = Reinjected::of(capture, connection, towards);
        let summary = reinjected.summary();
        if arguments.get_flag("summary") {
            let report = Report::new(&summary, vec![totals(&summary, limit)])
                .with_records(flat_totals(&summary))
                .complete(&ROWS)
                .declared("list_reinjections --summary");
            let repeated = summary.directions.iter().filter(|direction| direction.reinjected_packets > 0);
            let open = repeated.filter_map(|direction| what_is_open(direction.towards, direction.seen_from));
            let merged = summary.directions.iter().filter_map(|one| merged_repeats(one.towards, one.merged_repeats));
            return Ok(Outcome::Report(report.with_notes(open.chain(merged).collect())));
        }
        let found = reinjected.list();
        let report = Report::new(&found, tables(&found, limit)).complete(&LISTED).declared("list_reinjections");
        Ok(Outcome::Report(report.with_notes(notes(&summary))))
    }
}

/// A row a packet; its originals are lists.
const LISTED: Rows = Rows {
    columns: &[
        "packetid",
        "reltime",
        "tcpstream",
        "towards",
        "dsn",
        "dsnraw64",
        "length",
        "of_packetid",
        "of_tcpstream",
        "age",
        "since_last",
        "since_activity",
        "seen_from",
        "late_by",
        "needed",
        "merged",
    ],
    seconds: &["reltime", "age", "since_last", "since_activity", "late_by"],
    ..Rows::FLAT
};

/// More originals than this are counted instead of named: one large packet may repeat dozens of small ones.
const NAMED: usize = 3;

/// A table a direction: what a row means depends on the place of capture as the direction sees it.
fn tables(found: &[Reinjection], limit: Limit) -> Vec<Table> {
    let of = |towards: Role| found.iter().filter(|one| one.towards == towards).collect::<Vec<_>>();
    let directions = Role::BOTH.map(of).into_iter().filter(|own| !own.is_empty());
    let tables: Vec<Table> =
        directions.map(|own| limit.cut(table(&own), "with the fewest bytes", |_, row| amount(row, LENGTH))).collect();
    if tables.is_empty() { vec![table(&[])] } else { tables }
}

/// The column of the length.
const LENGTH: usize = 4;

fn table(own: &[&Reinjection]) -> Table {
    let seen_from = own.first().and_then(|one| one.seen_from);
    let at_sender = seen_from == Some(SeenFrom::Sender);
    let (age, of) = match seen_from {
        Some(SeenFrom::Receiver) => ("late by", "came first in"),
        Some(SeenFrom::Sender) => ("age", "of packets"),
        Some(SeenFrom::Between) | None => ("age", "seen first in"),
    };
    let mut columns = vec![
        ("packetid", ""),
        ("reltime", ""),
        ("tcpstream", "tcp\nstream"),
        ("dsn", ""),
        ("length", ""),
        ("age", age),
        ("since_last", "since\nlast"),
        ("since_activity", "since\nactivity"),
    ];
    columns.extend(at_sender.then_some(("needed", "")));
    columns.push(("of_packetid", of));
    let mut table = Table::headed(&columns);
    table.title = own.first().map(|one| title(one.towards, seen_from));
    for reinjection in interruptible(own) {
        let mut row = vec![
            Cell::Integer(reinjection.packetid.into()),
            Cell::microseconds(reinjection.reltime),
            Cell::Integer(reinjection.tcpstream.0.into()),
            match (reinjection.dsn, reinjection.dsnraw64) {
                (Some(dsn), _) => Cell::Integer(dsn.into()),
                (None, Some(raw)) => Cell::Text(hexadecimal(raw, 16)),
                (None, None) => Cell::Null,
            },
            Cell::Bytes(reinjection.length),
            Cell::microseconds(reinjection.age_seconds()),
            reinjection.since_last.map_or(Cell::Null, Cell::microseconds),
            reinjection.since_activity.map_or(Cell::Null, Cell::microseconds),
        ];
        row.extend(at_sender.then(|| reinjection.needed.map_or(Cell::Null, Cell::Boolean)));
        row.push(Cell::Text(originals(&reinjection.of)));
        table.rows.push(row);
    }
    table
}

fn title(towards: Role, seen_from: Option<SeenFrom>) -> String {
    let towards = towards.name();
    match seen_from {
        Some(SeenFrom::Sender) => format!("Reinjections towards the {towards}, recorded at the sender"),
        Some(SeenFrom::Receiver) => format!("Late copies towards the {towards}, recorded at the receiver"),
        Some(SeenFrom::Between) => format!("Data seen again towards the {towards}, recorded between the ends"),
        None => format!("Data seen again towards the {towards}"),
    }
}

/// `12, 14 (stream 0); 17 (stream 2)`
fn originals(of: &[Original]) -> String {
    let mut named: Vec<String> = Vec::new();
    let shown = of.get(..NAMED.min(of.len())).unwrap_or(of);
    for same_stream in shown.chunk_by(|one, other| one.tcpstream == other.tcpstream) {
        let ids: Vec<u64> = same_stream.iter().map(|original| original.packetid).collect();
        let stream = same_stream.first().map(|original| original.tcpstream).unwrap_or_default();
        named.push(format!("{} (stream {stream})", join(&ids, ", ")));
    }
    if of.len() > NAMED {
        named.push(format!("{} more", of.len() - NAMED));
    }
    named.join("; ")
}

const TOTALS: [&str; 6] = ["towards", "first_sent_on", "sent_again_on", "bytes", "packets", "seen_from"];

fn totals(summary: &ReinjectionSummary, limit: Limit) -> Table {
    let mut table = flat_totals(summary)
        .titled(format!("Data of MPTCP connection {} repeated under new sequence numbers", summary.mptcpstream));
    let headings = ["towards", "came first on", "came again on", "bytes", "packets", "seen from"];
    for (column, heading) in table.columns.iter_mut().zip(headings) {
        column.heading = Some(heading.to_string());
    }
    limit.cut(table, "with the fewest bytes", |_, row| amount(row, 3))
}

/// A row a pair of subflows, then one a subflow that sent its own again.
const ROWS: Rows =
    Rows { levels: &[("directions", "direction"), ("reinjections|resent_same_subflow", "")], ..Rows::FLAT };

/// One row per pair of subflows; the pairs of a subflow with itself are the same-subflow re-sends.
fn flat_totals(summary: &ReinjectionSummary) -> Table {
    let mut table = Table::new(&TOTALS);
    for direction in &summary.directions {
        let reinjections = direction.reinjections.iter().map(|pair| (pair.from, pair.to, pair.bytes, pair.packets));
        let resent = direction.resent_same_subflow.iter();
        let resent = resent.map(|resent| (resent.tcpstream, resent.tcpstream, resent.bytes, resent.packets));
        for (from, to, bytes, packets) in interruptible(reinjections.chain(resent)) {
            table.rows.push(vec![
                Cell::Text(direction.towards.name().to_string()),
                Cell::Integer(from.0.into()),
                Cell::Integer(to.0.into()),
                Cell::Bytes(bytes),
                Cell::Integer(packets.into()),
                Cell::name(&direction.seen_from),
            ]);
        }
    }
    table
}

/// Subflows that sent their own again, named one by one; more are counted together.
const MOST_RESENT: usize = 10;

fn notes(summary: &ReinjectionSummary) -> Vec<String> {
    let mut notes = Vec::new();
    for direction in &summary.directions {
        if direction.reinjected_packets > 0 {
            notes.extend(what_is_open(direction.towards, direction.seen_from));
        }
        notes.extend(merged_repeats(direction.towards, direction.merged_repeats));
        if direction.resent_same_subflow.len() > MOST_RESENT {
            let resent = &direction.resent_same_subflow;
            let bytes = resent.iter().fold(0_u64, |sum, resent| sum.saturating_add(resent.bytes));
            let streams: Vec<u64> = resent.iter().map(|resent| resent.tcpstream.0.into()).collect();
            notes.push(format!(
                "towards the {}, subflows {} re-sent {} of their own data under new sequence numbers; these are not \
                 reinjections, --summary counts them",
                direction.towards.name(),
                several(&streams),
                counted(bytes, "byte")
            ));
            continue;
        }
        for resent in interruptible(&direction.resent_same_subflow) {
            notes.push(format!(
                "towards the {}, subflow {} re-sent {} of its own data in {} under new sequence numbers; these are \
                 not reinjections",
                direction.towards.name(),
                resent.tcpstream,
                counted(resent.bytes, "byte"),
                counted(resent.packets, "packet")
            ));
        }
    }
    notes
}

/// That not all of what was sent again is told apart; nothing where it is.
pub(super) fn merged_repeats(towards: Role, count: u64) -> Option<String> {
    (count > 0).then(|| {
        format!(
            "towards the {}, {} more pieces of earlier data than can be told apart: all bytes are counted under the \
             first piece",
            towards.name(),
            if count == 1 { "1 range sent again spans".to_string() } else { format!("{count} ranges sent again span") }
        )
    })
}

/// Limits of this place of capture for reinjections; none at the sender.
pub(super) fn what_is_open(towards: Role, seen_from: Option<SeenFrom>) -> Option<String> {
    let place = match seen_from {
        Some(SeenFrom::Sender) => return None,
        Some(SeenFrom::Receiver) => "recorded at the receiver",
        Some(SeenFrom::Between) => "recorded between the ends",
        None => "place of capture unknown",
    };
    Some(format!(
        "towards the {}, {place}: shows which copy arrived first, not which was sent first; see `qualify_reinjections`",
        towards.name()
    ))
}
