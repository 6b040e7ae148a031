//! `loss {tcp|mptcp} PCAP1 N PCAP2 [M]`

use clap::{Arg, ArgAction, ArgMatches};
use serde::Serialize;

use super::shared::limit::{self, Limit, amount};
use super::shared::stream_cells;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::arguments::two_captures::{self, TwoCaptures};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use mptcp_trace::analysis::loss::{Loss, losses};
use mptcp_trace::analysis::merge::{Fate, Merged, StreamPassages};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::{PacketRow, StreamId};

/// Counts what got lost.
pub struct LossCommand;

impl Described for LossCommand {
    fn name(&self) -> &'static str {
        "loss"
    }

    fn summary(&self) -> &'static str {
        "Count packets lost, duplicated or reordered between two captures, by subflow and direction"
    }

    fn details(&self) -> &'static str {
        "Lost: in the sender's capture, not in the receiver's, and not acknowledged by the receiver. Not captured: \
         acknowledged, although nothing in the receiver's capture carried the data. Outside the capture: in flight \
         when the receiver's capture began or ended, or sent before or after it; neither lost nor arrived. The share \
         of lost packets excludes these. Reordered: arrived behind a packet sent later on the same subflow (RFC 4737). \
         A large frame with a lost part counts as one lost packet."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let packets = Arg::new("packets")
            .long("packets")
            .action(ArgAction::SetTrue)
            .help("List the affected packets instead of counting them");
        two_captures::with_level(command)
            .arg(arguments::towards())
            .arg(packets)
            .arg(limit::argument())
            .arg(two_captures::csv())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "loss mptcp examples/client.pcapng 0 examples/server.pcapng",
                purpose: "losses of connection 0, both directions of each subflow",
            },
            Example {
                line: "loss mptcp examples/client.pcapng 0 examples/server.pcapng --packets --towards server --csv",
                purpose: "lost packets of the upload",
            },
        ]
    }
}

impl Command for LossCommand {
    fn category(&self) -> Category {
        Category::TwoCaptures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let captures = TwoCaptures::of_level(arguments, session)?;
        let (mut merged, _) = captures.merge()?;
        let notes = captures.notes((merged.client, merged.evidence));
        if let Some(role) = arguments::role(arguments) {
            merged.flows.retain(|flow| flow.towards() == role);
        }
        if arguments.get_flag("packets") {
            let rows = packets(&captures, &merged);
            let table = packet_table(&rows);
            return Ok(Outcome::Report(Report::new(&rows, vec![table]).declared("loss --packets").with_notes(notes)));
        }
        let limit = Limit::of(arguments);
        let found = losses(&merged);
        let roles = Role::BOTH.iter().filter(|role| found.iter().any(|loss| loss.towards == **role));
        let tables = roles.map(|role| {
            let sent = |_: usize, row: &[Cell]| (amount(row, 2), amount(row, 1));
            limit.cut(direction(&found, *role), "with the fewest lost packets", sent)
        });
        let tables = tables.collect();
        Ok(Outcome::Report(Report::new(&found, tables).complete(&ROWS).declared("loss").with_notes(notes)))
    }
}

/// The first columns of CSV.
const ROWS: Rows = Rows {
    columns: &[
        "tcpstream",
        "mapped",
        "towards",
        "sent_packets",
        "sent_bytes",
        "lost_packets",
        "lost_bytes",
        "loss",
        "duplicated_packets",
        "reordered_packets",
        "not_captured_at_receiver",
        "not_captured_at_sender",
        "outside_capture",
        "outside_capture_bytes",
    ],
    ..Rows::FLAT
};

/// One direction, for people.
fn direction(found: &[Loss], towards: Role) -> Table {
    let mut table = Table::headed(&[
        ("tcpstream", "stream\n1st:2nd"),
        ("sent_packets", "sent"),
        ("lost_packets", "lost"),
        ("lost_bytes", "lost\nbytes"),
        ("loss", "loss"),
        ("outside_capture", "outside\ncapture"),
        ("duplicated_packets", "doubled"),
        ("reordered_packets", "reordered"),
        ("not_captured_at_receiver", "not seen at\nreceiver"),
        ("not_captured_at_sender", "not seen\nat sender"),
    ])
    .titled(format!("Packets towards the {}", towards.name()));
    for loss in interruptible(found.iter().filter(|loss| loss.towards == towards)) {
        table.rows.push(vec![
            stream_cells::streams(loss.tcpstream, loss.mapped),
            Cell::Integer(loss.sent_packets.into()),
            Cell::Integer(loss.lost_packets.into()),
            Cell::Bytes(loss.lost_bytes),
            loss.loss.map_or(Cell::Null, Cell::Share),
            Cell::Integer(loss.outside_capture.into()),
            Cell::Integer(loss.duplicated_packets.into()),
            Cell::Integer(loss.reordered_packets.into()),
            Cell::Integer(loss.not_captured_at_receiver.into()),
            Cell::Integer(loss.not_captured_at_sender.into()),
        ]);
    }
    table
}

/// A packet, or a part of one, that did not simply arrive.
#[derive(Clone, Serialize)]
struct PassageRow {
    towards: Role,
    fate: &'static str,
    /// In the capture that has it: the sender's if both have.
    tcpstream: StreamId,
    packetid_sender: Option<u64>,
    packetid_receiver: Option<u64>,
    /// Seconds from the first frame of that capture.
    reltime: f64,
    tcpseq: Option<u32>,
    length: u32,
}

fn packets(captures: &TwoCaptures, merged: &Merged) -> Vec<PassageRow> {
    let mut rows = Vec::new();
    for flow in interruptible(&merged.flows) {
        let unusual = flow.passages.iter().filter(|passage| passage.fate != Fate::Received || passage.reordered);
        rows.extend(unusual.map(|passage| row(captures, flow, passage)));
    }
    rows
}

fn row(captures: &TwoCaptures, flow: &StreamPassages, passage: &mptcp_trace::analysis::merge::Passage) -> PassageRow {
    let (sender, receiver) = (captures.of(flow.sender), captures.of(flow.sender.other()));
    let id = |capture: &mptcp_trace::tracking::Capture, row: Option<PacketRow>| {
        capture.segments.get(row?.index()).map(|segment| segment.packetid())
    };
    let has_it = if passage.sender.is_some() { flow.sender } else { flow.sender.other() };
    let capture = captures.of(has_it);
    let place = passage.sender.or(passage.receiver).and_then(|row| capture.tracking.packets.get(row));
    let time = passage.sent.or(passage.arrived).unwrap_or_default();
    PassageRow {
        towards: flow.towards(),
        fate: if passage.fate == Fate::Received { "reordered" } else { passage.fate.name() },
        tcpstream: has_it.of(flow.pair.first, flow.pair.second),
        packetid_sender: id(sender, passage.sender),
        packetid_receiver: id(receiver, passage.receiver),
        reltime: (time - capture.origin()).seconds(),
        tcpseq: place.map(|place| place.sequence.wrapping_add(passage.offset)),
        length: passage.length,
    }
}

fn packet_table(rows: &[PassageRow]) -> Table {
    let names = ["towards", "fate", "tcpstream", "packetid_sender", "packetid_receiver", "reltime", "tcpseq", "length"];
    let mut table = Table::new(&names);
    let optional = |id: Option<u64>| id.map_or(Cell::Null, |id| Cell::Integer(id.into()));
    for row in interruptible(rows) {
        table.rows.push(vec![
            Cell::Text(row.towards.name().to_string()),
            Cell::Text(row.fate.to_string()),
            Cell::Integer(row.tcpstream.0.into()),
            optional(row.packetid_sender),
            optional(row.packetid_receiver),
            Cell::seconds(row.reltime),
            stream_cells::optional(row.tcpseq),
            Cell::Bytes(row.length.into()),
        ]);
    }
    table
}
