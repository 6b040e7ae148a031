//! Shared by commands over two captures: `{tcp|mptcp} PCAP1 N PCAP2 [M]`, the clocks, and what to say of both.

use crate::packets::LoadedCapture;
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, ValueEnum, value_parser};

use super::CaptureSource;
use crate::error::{Error, Result};
use mptcp_trace::analysis::clock::{Clock, Correction, clock};
use mptcp_trace::analysis::connection_pair::{AtOneEnd, ConnectionPair};
use mptcp_trace::analysis::mapping::{MptcpMatch, StreamPair, TcpMatch};
use mptcp_trace::analysis::merge::{Merged, SideEvidence, Which, merge};
use mptcp_trace::interrupt;
use mptcp_trace::tracking::Capture;
use mptcp_trace::units;
use mptcp_trace::{ConnectionId, Span, StreamId};

/// Whether a number is that of a TCP stream or of an MPTCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// A TCP stream.
    Tcp,
    /// An MPTCP connection.
    Mptcp,
}

/// Adds `{tcp|mptcp} PCAP1 N PCAP2 [M]`.
pub fn with_level(command: clap::Command) -> clap::Command {
    let level = Arg::new("level")
        .value_name("tcp|mptcp")
        .required(true)
        .value_parser(value_parser!(Level))
        .help("Kind of N and M: TCP streams or MPTCP connections");
    ends(command.arg(level), "N", "M")
}

/// Adds `PCAP1 N PCAP2 [M]`, for MPTCP connections.
pub fn of_connections(command: clap::Command) -> clap::Command {
    ends(command, "MPTCPSTREAM1", "MPTCPSTREAM2")
}

fn ends(command: clap::Command, first: &'static str, second: &'static str) -> clap::Command {
    let number =
        |id: &'static str, name: &'static str| Arg::new(id).value_name(name).value_parser(super::stream_number);
    command
        .arg(super::capture("first", "PCAP1").required(true))
        .arg(number("stream", first).required(true).help("Number in PCAP1"))
        .arg(super::capture("second", "PCAP2").required(true))
        .arg(number("mapped", second).help("Number in PCAP2; found automatically if omitted"))
}

/// `--clock none|offset|skew`.
pub fn correction_argument() -> Arg {
    Arg::new("clock")
        .long("clock")
        .value_name("CORRECTION")
        .value_parser(super::choice::CORRECTION)
        .help("Clock error to correct before measuring delays; by default the least that leaves no delay below zero")
}

/// `--csv`, short for `--format csv`.
pub fn csv() -> Arg {
    Arg::new("csv").long("csv").action(ArgAction::SetTrue).conflicts_with("format").help("Same as --format csv")
}

/// `--json`, short for `--format json`.
pub fn json() -> Arg {
    Arg::new("json")
        .long("json")
        .action(ArgAction::SetTrue)
        .conflicts_with_all(["format", "csv"])
        .help("Same as --format json")
}

/// Two captures and the streams of theirs that belong together.
pub struct TwoCaptures {
    /// The one named first.
    pub first: Arc<LoadedCapture>,
    /// The one named second.
    pub second: Arc<LoadedCapture>,
    /// The streams that both have.
    pub pairs: Vec<StreamPair>,
    /// The connection in both, and whether they disagree on who is the client; `None` for plain streams.
    connection: Option<(ConnectionId, ConnectionId, bool)>,
    /// Parts that only one of them has.
    notes: Vec<String>,
}

impl TwoCaptures {
    /// The subject named by `{tcp|mptcp} PCAP1 N PCAP2 [M]`.
    ///
    /// # Errors
    /// When a capture cannot be loaded, or the stream or connection is not in both.
    pub fn of_level(arguments: &ArgMatches, source: &mut dyn CaptureSource) -> Result<Self> {
        match arguments.get_one::<Level>("level") {
            Some(Level::Tcp) => Self::of_stream(arguments, source),
            _ => Self::of_connection(arguments, source),
        }
    }

    /// The subject named by `PCAP1 N PCAP2 [M]`, for MPTCP connections.
    ///
    /// # Errors
    /// As [`TwoCaptures::of_level`].
    pub fn of_connection(arguments: &ArgMatches, source: &mut dyn CaptureSource) -> Result<Self> {
        let (first, second) = captures(arguments, source)?;
        Self::of_connection_in(
            first,
            second,
            ConnectionId(super::number(arguments, "stream")?),
            mapped(arguments).map(ConnectionId),
        )
    }

    /// Connection `number` of `first`, which is `mapped` in `second`; found there when nobody says which.
    ///
    /// # Errors
    /// When the connection is not in both.
    pub fn of_connection_in(
        first: Arc<LoadedCapture>,
        second: Arc<LoadedCapture>,
        number: ConnectionId,
        mapped: Option<ConnectionId>,
    ) -> Result<Self> {
        let mapper = first.mapper(&second)?;
        let found = match mapped {
            None => mapper.the_mptcp(number)?,
            Some(wanted) => {
                first.mptcp_connection(number)?;
                second.mptcp_connection(wanted)?;
                let candidates = mapper.mptcp(number).into_iter();
                chosen(
                    candidates,
                    |one: &MptcpMatch| one.mapped,
                    number,
                    wanted,
                    "MPTCP connection",
                    "map_mptcp_connection",
                )?
            }
        };
        let pairs: Vec<StreamPair> = found.subflows.iter().filter_map(|subflow| subflow.pair).collect();
        let notes = found.subflows.iter().filter_map(|subflow| {
            let stream = subflow.tcpstream.or(subflow.mapped)?;
            let (has, lacks) = match (subflow.tcpstream, subflow.mapped) {
                (Some(_), None) => (&first, &second),
                (None, Some(_)) => (&second, &first),
                _ => return None,
            };
            Some(format!("subflow {stream} of {} skipped: it is not in {}", has.name(), lacks.name()))
        });
        let notes = notes.collect();
        let connection = Some((number, found.mapped, found.flipped));
        drop(mapper);
        Ok(TwoCaptures { first, second, pairs, connection, notes })
    }

    fn of_stream(arguments: &ArgMatches, source: &mut dyn CaptureSource) -> Result<Self> {
        let (first, second) = captures(arguments, source)?;
        let number = StreamId(super::number(arguments, "stream")?);
        let mapper = first.mapper(&second)?;
        let found = match mapped(arguments).map(StreamId) {
            None => mapper.the_tcp(number)?,
            Some(wanted) => {
                first.tcp_stream(number)?;
                second.tcp_stream(wanted)?;
                let candidates = mapper.tcp(number).into_iter();
                chosen(candidates, |one: &TcpMatch| one.mapped, number, wanted, "TCP stream", "map_tcp_connection")?
            }
        };
        drop(mapper);
        Ok(TwoCaptures { first, second, pairs: vec![found.pair], connection: None, notes: Vec::new() })
    }

    /// Every stream that both captures named by `PCAP1 PCAP2` have.
    ///
    /// # Errors
    /// When a capture cannot be loaded.
    pub fn whole(arguments: &ArgMatches, source: &mut dyn CaptureSource) -> Result<Self> {
        let (first, second) = captures(arguments, source)?;
        let mapper = first.mapper(&second)?;
        let mut pairs = Vec::new();
        for id in first.tcp_stream_ids() {
            interrupt::check()?;
            pairs.extend(mapper.the_tcp(id).ok().map(|found| found.pair));
        }
        drop(mapper);
        if pairs.is_empty() {
            return Err(Error::NotFound(format!(
                "no TCP stream of {} is in {}: check that both are captures of the same transfer",
                first.name(),
                second.name()
            )));
        }
        Ok(TwoCaptures { first, second, pairs, connection: None, notes: Vec::new() })
    }

    /// Their packets put together, and how far apart their clocks are.
    ///
    /// # Errors
    /// [`Error::Interrupted`] by Ctrl-C.
    pub fn merge(&self) -> Result<(Merged, Clock)> {
        let merged = merge(&self.first, &self.second, &self.pairs)?;
        let clock = clock(&self.first, &merged);
        Ok((merged, clock))
    }

    /// The connection's number in the first capture; `None` for plain streams.
    #[must_use]
    pub fn connection_number(&self) -> Option<ConnectionId> {
        self.connection.map(|(first, ..)| first)
    }

    /// Which of its connection's subflows a stream is in the first capture, from 0; 0 for plain streams.
    #[must_use]
    pub fn position(&self, pair: StreamPair) -> u32 {
        let connection = self.connection_number().and_then(|number| self.first.tracking.connection(number));
        let found = connection.and_then(|connection| connection.subflows.binary_search(&pair.first).ok());
        found.and_then(|position| u32::try_from(position).ok()).unwrap_or(0)
    }

    /// The connection at both ends.
    ///
    /// # Errors
    /// [`Error::Interrupted`] by Ctrl-C, [`Error::NotFound`] for plain streams.
    pub fn connection(&self) -> Result<ConnectionPair<'_>> {
        let (first, second, flipped) = self
            .connection
            .ok_or_else(|| Error::NotFound("a plain TCP stream is not an MPTCP connection".to_string()))?;
        let first = AtOneEnd { capture: &self.first, connection: self.first.mptcp_connection(first)? };
        let second = AtOneEnd { capture: &self.second, connection: self.second.mptcp_connection(second)? };
        Ok(ConnectionPair::new(first, second, self.pairs.clone(), flipped)?)
    }

    /// One of the captures.
    pub fn of(&self, which: Which) -> &Capture {
        which.of(&self.first, &self.second)
    }

    /// Notes under every result: which capture is nearer to the client, and what only one of them has.
    pub fn notes(&self, (client, evidence): (Which, SideEvidence)) -> Vec<String> {
        let (near, far) = (self.of(client).name(), self.of(client.other()).name());
        let side = match evidence {
            SideEvidence::RoundTrips => format!("{near} was recorded nearer to the client, {far} nearer to the server"),
            SideEvidence::Assumed => {
                format!("the place of capture is unknown: {near} is taken as the client's, {far} as the server's")
            }
        };
        std::iter::once(side).chain(self.notes.iter().cloned()).collect()
    }
}

fn captures(
    arguments: &ArgMatches,
    source: &mut dyn CaptureSource,
) -> Result<(Arc<LoadedCapture>, Arc<LoadedCapture>)> {
    let first = source.resolve(super::path(arguments, "first")?)?;
    let second = source.resolve(super::path(arguments, "second")?)?;
    Ok((first, second))
}

fn mapped(arguments: &ArgMatches) -> Option<u32> {
    arguments.get_one::<u32>("mapped").copied()
}

/// The candidate that was asked for.
fn chosen<M, N: PartialEq + std::fmt::Display>(
    mut candidates: impl Iterator<Item = M>,
    number_of: impl Fn(&M) -> N,
    number: N,
    wanted: N,
    what: &str,
    command: &str,
) -> Result<M> {
    candidates.find(|candidate| number_of(candidate) == wanted).ok_or_else(|| {
        Error::NotFound(format!(
            "{what} {wanted} of the second capture shares nothing with {number} of the first; `{command}` finds its \
             counterpart"
        ))
    })
}

/// The correction to use: as asked for, or the least that leaves no delay below zero.
pub fn correction(arguments: &ArgMatches, clock: &Clock, merged: &Merged) -> Correction {
    arguments.get_one::<Correction>("clock").copied().unwrap_or_else(|| clock.needed(merged))
}

/// Clock error and correction, in a sentence.
pub fn clock_note(clock: &Clock, correction: Correction) -> String {
    let applied = match correction {
        Correction::None => "delays not corrected",
        Correction::Offset => "delays corrected by the offset",
        Correction::Skew => "delays corrected by offset and skew",
    };
    let offset = if correction == Correction::Skew { clock.offset_at_reference } else { clock.offset };
    let Some(offset) = offset else {
        return format!("clocks: offset unknown, because only one direction's packets are in both captures; {applied}");
    };
    let skew = match (clock.skew, clock.skew_uncertainty) {
        (Some(skew), Some(uncertainty)) if clock.skew_is_seen() => {
            let pace = if skew < 0.0 { "slower" } else { "faster" };
            format!("runs {} ± {} ppm {pace}", parts_per_million(skew.abs()), parts_per_million(uncertainty))
        }
        _ => "has no measurable skew".to_string(),
    };
    format!(
        "clocks: the second capture's is {} {}, ± {} if the path is not symmetric, and {skew}; {applied}",
        span(offset.offset.abs()),
        if offset.offset < 0.0 { "behind" } else { "ahead" },
        span(offset.uncertainty)
    )
}

/// A time span given in seconds, to the microsecond.
pub fn span(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation)]
    units::span(Span::from_microseconds((seconds * 1e6).round() as i64))
}

/// A share as parts per million.
pub fn parts_per_million(share: f64) -> String {
    format!("{:.1}", share * 1e6)
}
