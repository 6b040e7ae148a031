//! `mptcp_required_buffer [N]`

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches};
use serde::Serialize;

use super::{Category, Command, Described, Example, Outcome, Session};
use crate::analysis::topology::Topology;
use crate::arguments;
use crate::error::{Error, Result};
use crate::output::{Cell, Report, Rows, Table};
use crate::packets::LoadedCapture;
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::required_buffer::{
    MeasuredBuffer, MeasuredPath, Path, RequiredBuffer, RttSource, measured_buffers, required_buffer,
};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Connection, Role};
use mptcp_trace::units::{counted, parsed_bit_rate};

/// Says how large buffers must be.
pub struct MptcpRequiredBuffer;

/// What one set of paths needs, and what there was.
#[derive(Clone, Serialize)]
struct Record {
    /// `topology` or `capture`.
    source: &'static str,
    mptcpstream: Option<ConnectionId>,
    towards: Option<Role>,
    #[serde(flatten)]
    required: Option<RequiredBuffer>,
    /// Name of the path with the highest round-trip time.
    slowest_path: Option<String>,
    /// The receiver's buffer in a topology; in a capture the largest window that it advertised. Bytes.
    receive_buffer: Option<u64>,
    /// The sender's buffer in a topology; nothing in a capture.
    send_buffer: Option<u64>,
    /// Bytes sent and not yet acknowledged at the data level, at most; nothing in a topology.
    in_flight_max: Option<u64>,
    /// Seconds in which the receiver's window left the sender no room for a full segment; nothing in a topology.
    window_limited: Option<f64>,
    suffices: Option<Suffices>,
    paths: Vec<PathRecord>,
}

#[derive(Clone, Serialize)]
struct PathRecord {
    path: String,
    rate: Option<f64>,
    rtt: Option<f64>,
    rtt_from: Option<RttSource>,
    loss: Option<f64>,
    rto: Option<f64>,
}

/// What the smallest known buffer is enough for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum Suffices {
    /// Also while a loss is mended.
    Recommended,
    /// As long as nothing is lost.
    WithoutLoss,
    /// Not even then.
    No,
}

impl Described for MptcpRequiredBuffer {
    fn name(&self) -> &'static str {
        "mptcp_required_buffer"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["required_buffer"]
    }

    fn summary(&self) -> &'static str {
        "Calculate the buffers that the paths of a topology or a connection need"
    }

    fn details(&self) -> &'static str {
        "One receive buffer holds what all subflows bring while data of the slowest path is awaited (RFC 6182 §5.3). \
         without_loss is the sum of the rates (rate_sum, bytes per second) times the highest round-trip time (rtt_max). recommended is twice that: it also lasts \
         while a loss is mended by a fast retransmission. with_timeouts is the sum of the rates times the highest \
         retransmission timeout, if the topology has it. The sender's buffer must be as large, because it keeps data until \
         a DATA_ACK covers it.\n\n\
         Without a number, the topology that `load_topo` loaded is used; --rate gives rates that it lacks. With the number \
         of a connection, its subflows are measured, those without data left out: the rate is the highest over a second \
         (a path that never was full had more), the round trip is the median of data and ACKs if the capture is at the \
         sender, otherwise that of the handshake (on an empty path). Loss is the share of bytes retransmitted. \
         receive_buffer is then the largest window that the receiver advertised, in_flight_max what the sender's buffer \
         held at most, window_limited how long that window left no room for a full segment (at least, away from the \
         sender). If a topology is loaded and a capture with one connection, both are shown.\n\n\
         suffices says what the known buffers are enough for: recommended, without_loss, or no."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let rate = Arg::new("rate")
            .long("rate")
            .value_name("PATH=RATE")
            .value_parser(rate)
            .action(ArgAction::Append)
            .help("Rate of a path of the topology in bit/s, by its place from 0, such as 0=20M; may be repeated");
        command.arg(arguments::mptcp_stream().required(false)).arg(arguments::towards()).arg(rate)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "mptcp_required_buffer 0",
                purpose: "connection 0, measured and compared with its windows",
            },
            Example { line: "mptcp_required_buffer 0 --towards server --format json", purpose: "one direction" },
        ]
    }
}

impl Command for MptcpRequiredBuffer {
    fn category(&self) -> Category {
        Category::Mptcp
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let rates: BTreeMap<usize, f64> =
            arguments.get_many::<(usize, f64)>("rate").into_iter().flatten().copied().collect();
        let number = arguments.get_one::<u32>("mptcpstream").map(|id| ConnectionId(*id));
        let (mut records, mut notes) = (Vec::new(), Vec::new());
        if let (None, Some(topology)) = (number, &session.topology) {
            records.push(of_topology(topology, &rates)?);
        } else if !rates.is_empty() {
            return Err(Error::Usage("`--rate` is for a topology; load one with `load_topo FILE`".to_string()));
        }
        if let Some(capture) = measured(session, number, !records.is_empty())? {
            let connection = match number {
                Some(number) => capture.mptcp_connection(number)?,
                None => only_connection(capture)?,
            };
            let towards = arguments::role(arguments);
            let found = measured_buffers(capture, connection);
            let found = found.into_iter().filter(|found| towards.is_none_or(|role| found.towards == role));
            records.extend(found.map(|found| of_capture(connection.id, found)));
            notes.extend(lacking(&records));
            notes.extend(records.iter().filter_map(held_back));
        }
        let tables = records.iter().flat_map(|record| [paths_table(record), needs_table(record)]).collect();
        Ok(Outcome::Report(
            Report::new(&records, tables).complete(&ROWS).declared("mptcp_required_buffer").with_notes(notes),
        ))
    }
}

/// `0=20M` as the place of a path and bytes per second.
fn rate(text: &str) -> std::result::Result<(usize, f64), &'static str> {
    let wrong = "not a valid rate; give the place of the path and its rate in bit/s, such as 0=20M";
    let (path, rate) = text.split_once('=').ok_or(wrong)?;
    Ok((path.trim().parse().map_err(|_| wrong)?, parsed_bit_rate(rate).ok_or(wrong)?))
}

/// The capture to measure: none where only a topology is meant.
fn measured(session: &Session, number: Option<ConnectionId>, topology: bool) -> Result<Option<&LoadedCapture>> {
    match session.capture() {
        Ok(capture) if number.is_some() || !topology => Ok(Some(capture)),
        Ok(capture) => Ok((capture.tracking.connections.len() == 1).then_some(capture)),
        Err(_) if topology => Ok(None),
        Err(Error::NothingLoaded) => Err(Error::Usage(
            "neither a topology nor a capture is loaded; load one with `load_topo FILE` or `load_pcap FILE`"
                .to_string(),
        )),
        Err(error) => Err(error),
    }
}

fn only_connection(capture: &LoadedCapture) -> Result<&Connection> {
    let mut all = capture.tracking.connections.iter();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only),
        (first, _) => Err(Error::Usage(format!(
            "the capture has {}; name one by its number, see `list_mptcp_connections`",
            if first.is_none() {
                "no MPTCP connection".to_string()
            } else {
                counted(capture.tracking.connections.len() as u64, "MPTCP connection")
            }
        ))),
    }
}

fn of_topology(topology: &Topology, rates: &BTreeMap<usize, f64>) -> Result<Record> {
    if let Some(beyond) = rates.keys().find(|place| **place >= topology.paths.len()) {
        return Err(Error::NotFound(format!(
            "the topology has no path {beyond}: it has {}, from 0",
            counted(topology.paths.len() as u64, "path")
        )));
    }
    let given = |index: usize, facts: &Path| Path { rate: rates.get(&index).copied().or(facts.rate), ..*facts };
    let facts: Vec<Path> = topology.paths.iter().enumerate().map(|(index, path)| given(index, &path.facts)).collect();
    if let Some(index) = facts.iter().position(|path| path.rate.is_none()) {
        return Err(Error::Failed(format!(
            "path {index} of the topology has no rate; add `--rate {index}=20M`, or `rate` to the file"
        )));
    }
    if let Some(index) = facts.iter().position(|path| path.rtt.is_none() && path.rate > Some(0.0)) {
        return Err(Error::Failed(format!(
            "path {index} of the topology has no delays; add `fowd` and `bowd`, or `rtt`, to the file"
        )));
    }
    let required = required_buffer(&facts);
    let paths = topology.paths.iter().zip(&facts);
    let paths: Vec<PathRecord> = paths.map(|(path, facts)| path_record(path.path.clone(), facts, None)).collect();
    let buffers = [topology.send_buffer, topology.receive_buffer];
    Ok(Record {
        source: "topology",
        mptcpstream: None,
        towards: None,
        slowest_path: slowest(required.as_ref(), &paths),
        suffices: suffices(required.as_ref(), &buffers),
        required,
        receive_buffer: topology.receive_buffer,
        send_buffer: topology.send_buffer,
        in_flight_max: None,
        window_limited: None,
        paths,
    })
}

fn of_capture(connection: ConnectionId, found: MeasuredBuffer) -> Record {
    let of = |path: &MeasuredPath| path_record(path.tcpstream.to_string(), &path.path, path.rtt_from);
    let paths: Vec<PathRecord> = interruptible(&found.paths).map(of).collect();
    Record {
        source: "capture",
        mptcpstream: Some(connection),
        towards: Some(found.towards),
        slowest_path: slowest(found.required.as_ref(), &paths),
        suffices: suffices(found.required.as_ref(), &[found.window_max]),
        required: found.required,
        receive_buffer: found.window_max,
        send_buffer: None,
        in_flight_max: Some(found.in_flight_max),
        window_limited: found.window_limited,
        paths,
    }
}

fn path_record(path: String, facts: &Path, rtt_from: Option<RttSource>) -> PathRecord {
    PathRecord { path, rate: facts.rate, rtt: facts.rtt, rtt_from, loss: facts.loss, rto: facts.rto }
}

fn slowest(required: Option<&RequiredBuffer>, paths: &[PathRecord]) -> Option<String> {
    paths.get(required?.slowest).map(|path| path.path.clone())
}

fn suffices(required: Option<&RequiredBuffer>, buffers: &[Option<u64>]) -> Option<Suffices> {
    let (required, smallest) = (required?, buffers.iter().flatten().min()?);
    Some(match *smallest {
        enough if enough >= required.recommended => Suffices::Recommended,
        enough if enough >= required.without_loss => Suffices::WithoutLoss,
        _ => Suffices::No,
    })
}

/// For how long the window held the sender back, where it did.
fn held_back(record: &Record) -> Option<String> {
    let limited = record.window_limited.filter(|limited| *limited > 0.0)?;
    let towards = record.towards?.name();
    Some(format!("towards the {towards}, the receive window left no room for a full segment for {limited:.3} s"))
}

/// Why a need is not known.
fn lacking(records: &[Record]) -> Vec<String> {
    let unknown = records.iter().filter(|record| record.source == "capture" && record.required.is_none());
    let sentence = |record: &Record| {
        let lacks = record.paths.iter().filter(|path| path.rtt.is_none());
        let names: Vec<&str> = lacks.take(10).map(|path| path.path.as_str()).collect();
        let towards = record.towards?.name();
        Some(match names.is_empty() {
            true => format!("towards the {towards}: no data, so nothing is needed"),
            false => format!(
                "towards the {towards}: the capture has no full round trip of TCP stream {}, so the need is not known",
                names.join(", ")
            ),
        })
    };
    unknown.filter_map(sentence).collect()
}

/// A row a path.
const ROWS: Rows = Rows {
    columns: &["source", "mptcpstream", "towards", "path", "rate", "rtt", "rtt_from", "loss", "rto"],
    seconds: &["rtt", "rto", "window_limited"],
    levels: &[("paths", "")],
    ..Rows::FLAT
};

fn title(record: &Record) -> String {
    match (record.mptcpstream, record.towards) {
        (Some(id), Some(towards)) => format!("MPTCP connection {id}, towards the {}", towards.name()),
        _ => "Topology".to_string(),
    }
}

fn paths_table(record: &Record) -> Table {
    let mut table =
        Table::headed(&[("path", ""), ("rate", ""), ("rtt", "round\ntrip"), ("rtt_from", "from"), ("loss", "")]);
    table.title = Some(title(record));
    for path in interruptible(&record.paths) {
        table.rows.push(vec![
            Cell::Text(path.path.clone()),
            path.rate.map_or(Cell::Null, Cell::BytesPerSecond),
            path.rtt.map_or(Cell::Null, Cell::microseconds),
            path.rtt_from.map_or(Cell::Null, |from| Cell::name(&from)),
            path.loss.map_or(Cell::Null, Cell::Share),
        ]);
    }
    table
}

fn needs_table(record: &Record) -> Table {
    let mut table = Table::new(&["buffer", "bytes"]);
    let mut row = |name: &str, bytes: Option<u64>| {
        if let Some(bytes) = bytes {
            table.rows.push(vec![Cell::Text(name.to_string()), Cell::Bytes(bytes)]);
        }
    };
    let required = record.required;
    row("needed without loss", required.map(|required| required.without_loss));
    row("recommended (bridges a loss)", required.map(|required| required.recommended));
    row("needed with timeouts", required.and_then(|required| required.with_timeouts));
    let measured = record.source == "capture";
    row(if measured { "largest window advertised" } else { "receiver's buffer" }, record.receive_buffer);
    row("sender's buffer", record.send_buffer);
    row("most in flight", record.in_flight_max);
    if let Some(suffices) = record.suffices {
        let sentence = match suffices {
            Suffices::Recommended => "suffices, also while a loss is mended",
            Suffices::WithoutLoss => "suffices as long as nothing is lost",
            Suffices::No => "does not suffice: a path waits for another",
        };
        let what = if measured { "window" } else { "smaller buffer" };
        table.title = Some(format!("The {what} {sentence}"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_buffer_decides() {
        let required = RequiredBuffer {
            rate: 1.0,
            rtt_max: 1.0,
            slowest: 0,
            without_loss: 100,
            recommended: 200,
            with_timeouts: None,
        };
        let of = |buffers: &[Option<u64>]| suffices(Some(&required), buffers);
        assert_eq!(of(&[Some(1000), Some(200)]), Some(Suffices::Recommended));
        assert_eq!(of(&[Some(1000), Some(199), None]), Some(Suffices::WithoutLoss));
        assert_eq!(of(&[Some(99)]), Some(Suffices::No));
        assert_eq!(of(&[None]), None);
    }

    #[test]
    fn rates_name_their_path() {
        assert_eq!(rate("1=20M"), Ok((1, 2_500_000.0)));
        assert!(rate("20M").is_err() && rate("x=20M").is_err() && rate("0=").is_err() && rate("0=-1").is_err());
    }
}
