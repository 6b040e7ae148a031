//! `list_reinjections N`

use clap::{Arg, ArgAction, ArgMatches};

use super::{Category, Command, Example, Outcome, Session};
use crate::analysis::reinjections::{Original, Reinjection, ReinjectionSummary, reinjection_summary, reinjections};
use crate::arguments;
use crate::error::Result;
use crate::output::{Cell, Report, Table};
use crate::packets::cells::{hexadecimal, join};
use crate::units::counted;

/// Lists the reinjections of a connection.
pub struct ListReinjections;

impl Command for ListReinjections {
    fn name(&self) -> &'static str {
        "list_reinjections"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["lr"]
    }

    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn summary(&self) -> &'static str {
        "List the packets that sent data again which had gone over another subflow"
    }

    fn details(&self) -> &'static str {
        "Each packet that sent data which another subflow had sent before and its own had not: its first such octet, how \
         many there are, and the packets that sent them first. What TCP retransmits is no reinjection, and neither is \
         data that comes again on the same subflow under new sequence numbers; --summary counts the latter apart. dsn \
         counts from the sender's first octet of data, which is 1, and is null where the key was not captured."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let summary = Arg::new("summary")
            .long("summary")
            .action(ArgAction::SetTrue)
            .help("Totals by pair of subflows instead of single packets");
        command.arg(arguments::mptcp_stream()).arg(arguments::towards()).arg(summary)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "list_reinjections 0", purpose: "what was reinjected, and which packets it repeats" },
            Example { line: "lr 0 --summary -H", purpose: "how much went from which subflow to which" },
            Example { line: "lr 0 --towards server --format csv", purpose: "the upload's, for a spreadsheet" },
        ]
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let capture = session.capture()?;
        let connection = capture.mptcp_connection(arguments::number(arguments, "mptcpstream")?)?;
        let towards = arguments::role(arguments);
        let summary = reinjection_summary(capture, connection, towards);
        if arguments.get_flag("summary") {
            let report = Report::new(&summary, vec![totals(&summary)]);
            return Ok(Outcome::Report(report.with_records(flat_totals(&summary))));
        }
        let found = reinjections(capture, connection, towards);
        let report = Report::new(&found, vec![table(&found)]).with_records(records(&found));
        Ok(Outcome::Report(report.with_notes(notes(&summary))))
    }
}

/// More originals than this are counted instead of named: one large packet may repeat dozens of small ones.
const NAMED: usize = 3;

fn table(found: &[Reinjection]) -> Table {
    let mut table = Table::new(&["packetid", "tcpstream", "towards", "dsn", "length", "of packets"]);
    for reinjection in found {
        table.rows.push(vec![
            Cell::Integer(reinjection.packetid.into()),
            Cell::Integer(reinjection.tcpstream.into()),
            Cell::Text(reinjection.towards.name().to_string()),
            match (reinjection.dsn, reinjection.dsnraw64) {
                (Some(dsn), _) => Cell::Integer(dsn.into()),
                (None, Some(raw)) => Cell::Text(format!("0x{}", hexadecimal(raw, 16))),
                (None, None) => Cell::Null,
            },
            Cell::Bytes(reinjection.length),
            Cell::Text(originals(&reinjection.of)),
        ]);
    }
    table
}

/// `12, 14 (stream 0); 17 (stream 2)`
fn originals(of: &[Original]) -> String {
    let mut named: Vec<String> = Vec::new();
    let shown = of.get(..NAMED.min(of.len())).unwrap_or(of);
    for same_stream in shown.chunk_by(|one, other| one.tcpstream == other.tcpstream) {
        let ids: Vec<u64> = same_stream.iter().map(|original| original.packetid).collect();
        let stream = same_stream.first().map_or(0, |original| original.tcpstream);
        named.push(format!("{} (stream {stream})", join(&ids, ", ")));
    }
    if of.len() > NAMED {
        named.push(format!("{} more", of.len() - NAMED));
    }
    named.join("; ")
}

/// One row a packet; its originals are lists.
fn records(found: &[Reinjection]) -> Table {
    let mut table =
        Table::new(&["packetid", "tcpstream", "towards", "dsn", "dsnraw64", "length", "of_packetid", "of_tcpstream"]);
    for reinjection in found {
        let ids: Vec<u64> = reinjection.of.iter().map(|original| original.packetid).collect();
        let streams: Vec<u64> = reinjection.of.iter().map(|original| original.tcpstream.into()).collect();
        table.rows.push(vec![
            Cell::Integer(reinjection.packetid.into()),
            Cell::Integer(reinjection.tcpstream.into()),
            Cell::Text(reinjection.towards.name().to_string()),
            reinjection.dsn.map_or(Cell::Null, |dsn| Cell::Integer(dsn.into())),
            reinjection.dsnraw64.map_or(Cell::Null, |raw| Cell::Text(hexadecimal(raw, 16))),
            Cell::Bytes(reinjection.length),
            Cell::Text(join(&ids, ";")),
            Cell::Text(join(&streams, ";")),
        ]);
    }
    table
}

const TOTALS: [&str; 5] = ["towards", "first_sent_on", "sent_again_on", "bytes", "packets"];

fn totals(summary: &ReinjectionSummary) -> Table {
    let mut table = flat_totals(summary)
        .titled(format!("Data of MPTCP connection {} sent again under new sequence numbers", summary.mptcpstream));
    let headings = ["towards", "first sent on", "sent again on", "bytes", "packets"];
    for (column, heading) in table.columns.iter_mut().zip(headings) {
        column.heading = Some(heading.to_string());
    }
    table
}

/// One row a pair of subflows; the pairs of a subflow with itself are the same-subflow re-sends.
fn flat_totals(summary: &ReinjectionSummary) -> Table {
    let mut table = Table::new(&TOTALS);
    for direction in &summary.directions {
        let reinjections = direction.reinjections.iter().map(|pair| (pair.from, pair.to, pair.bytes, pair.packets));
        let resent = direction.resent_same_subflow.iter();
        let resent = resent.map(|resent| (resent.tcpstream, resent.tcpstream, resent.bytes, resent.packets));
        for (from, to, bytes, packets) in reinjections.chain(resent) {
            table.rows.push(vec![
                Cell::Text(direction.towards.name().to_string()),
                Cell::Integer(from.into()),
                Cell::Integer(to.into()),
                Cell::Bytes(bytes),
                Cell::Integer(packets.into()),
            ]);
        }
    }
    table
}

fn notes(summary: &ReinjectionSummary) -> Vec<String> {
    let mut notes = Vec::new();
    for direction in &summary.directions {
        for resent in &direction.resent_same_subflow {
            notes.push(format!(
                "towards the {}, subflow {} sent {} of its own again in {} under new sequence numbers; \
                 these are not reinjections",
                direction.towards.name(),
                resent.tcpstream,
                counted(resent.bytes, "byte"),
                counted(resent.packets, "packet")
            ));
        }
    }
    notes
}
