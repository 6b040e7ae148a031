//! `clock PCAP1 PCAP2`

use clap::ArgMatches;
use serde::Serialize;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments;
use crate::arguments::two_captures::{self, TwoCaptures};
use crate::error::Result;
use crate::output::{Cell, Report, Rows, Table};
use crate::time_text;
use mptcp_trace::analysis::clock::{Clock, Offset};

/// Compares the clocks of two captures.
pub struct ClockCommand;

/// The printed text.
#[derive(Clone, Serialize)]
struct Record {
    /// Lead of the second clock, seconds, if both run equally fast.
    offset: Option<f64>,
    offset_uncertainty: Option<f64>,
    /// When `offset_at_reference` holds, by the first clock, ISO 8601 with nanoseconds.
    reference: String,
    offset_at_reference: Option<f64>,
    skew_ppm: Option<f64>,
    skew_uncertainty_ppm: Option<f64>,
    skew_is_seen: bool,
    /// Shortest round trip, seconds.
    round_trip: Option<f64>,
    streams: u64,
    packets: u64,
    span: f64,
}

impl Described for ClockCommand {
    fn name(&self) -> &'static str {
        "clock"
    }

    fn summary(&self) -> &'static str {
        "Estimate clock offset and skew between two captures"
    }

    fn details(&self) -> &'static str {
        "Uses every TCP stream found in both captures. When the first clock shows t, the second shows t + offset + \
         skew · (t − reference). The shortest delays in both directions bound the offset; the bounds are as far apart \
         as the shortest round trip. Their middle is exact if that path is equally fast both ways; otherwise it is off \
         by half the difference, at most by the uncertainty. The skew is the slope shared by most of the fastest \
         packets of both directions; its uncertainty assumes 0.05 ms of jitter."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command
            .arg(arguments::capture("first", "PCAP1").required(true))
            .arg(arguments::capture("second", "PCAP2").required(true))
    }

    fn examples(&self) -> &'static [Example] {
        &[Example { line: "clock examples/client.pcapng examples/server.pcapng", purpose: "offset and skew" }]
    }
}

impl Command for ClockCommand {
    fn category(&self) -> Category {
        Category::TwoCaptures
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let captures = TwoCaptures::whole(arguments, session)?;
        let (merged, clock) = captures.merge()?;
        let record = record(&clock, captures.pairs.len() as u64);
        let table = table(&record);
        // One row, whose fields are those of the record.
        let records = Table { rows: vec![Vec::new()], ..Table::default() };
        let mut notes = captures.notes((merged.client, merged.evidence));
        if clock.offset.is_none() {
            notes.push("offset unknown: only one direction's packets are in both captures".to_string());
        }
        Ok(Outcome::Report(
            Report::new(&record, vec![table])
                .with_records(records)
                .complete(&Rows::FLAT)
                .declared("clock")
                .with_notes(notes),
        ))
    }
}

fn record(clock: &Clock, streams: u64) -> Record {
    let ppm = |share: Option<f64>| share.map(|share| share * 1e6);
    Record {
        offset: clock.offset.map(|offset| offset.offset),
        offset_uncertainty: clock.offset.map(|offset| offset.uncertainty),
        reference: time_text::rfc3339(clock.reference),
        offset_at_reference: clock.offset_at_reference.map(|offset| offset.offset),
        skew_ppm: ppm(clock.skew),
        skew_uncertainty_ppm: ppm(clock.skew_uncertainty),
        skew_is_seen: clock.skew_is_seen(),
        round_trip: clock.offset_at_reference.map(|Offset { round_trip, .. }| round_trip),
        streams,
        packets: clock.packets,
        span: clock.span,
    }
}

fn table(record: &Record) -> Table {
    let mut table =
        Table::new(&["what", "value", "uncertainty"]).titled("Second capture's clock relative to the first");
    let span = |seconds: Option<f64>| seconds.map_or(Cell::Null, |seconds| Cell::Text(two_captures::span(seconds)));
    let ppm = |ppm: Option<f64>| ppm.map_or(Cell::Null, |ppm| Cell::Text(format!("{ppm:.1} ppm")));
    let text = |text: &str| Cell::Text(text.to_string());
    let uncertainty = span(record.offset_uncertainty);
    table.rows = vec![
        vec![text("offset, if both clocks run equally fast"), span(record.offset), uncertainty.clone()],
        vec![text("skew"), ppm(record.skew_ppm), ppm(record.skew_uncertainty_ppm)],
        vec![text("offset at the reference, with skew"), span(record.offset_at_reference), uncertainty],
        vec![text("reference"), Cell::Text(record.reference.clone()), Cell::Null],
        vec![text("shortest round trip"), span(record.round_trip), Cell::Null],
        vec![text("streams in both"), Cell::Integer(record.streams.into()), Cell::Null],
        vec![text("packets in both"), Cell::Integer(record.packets.into()), Cell::Null],
        vec![text("from the first to the last"), span(Some(record.span)), Cell::Null],
    ];
    table
}
