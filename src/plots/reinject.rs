//! Reinjections over time: how much was sent again on another subflow, how late, and, with the other end's capture, what
//! each gained.

mod gains;

use std::path::PathBuf;

use clap::{Arg, ArgMatches, value_parser};

use super::captions::without_handshake;
use super::crowded::thinned_by;
use super::directions::About;
use super::panels::{self, with_panels};
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use crate::arguments::two_captures::TwoCaptures;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role as FigureRole, Series, Unit};
use crate::error::Result;
pub use gains::gains;
use mptcp_trace::ConnectionId;
use mptcp_trace::analysis::capture_point::{SeenFrom, of_connection};
use mptcp_trace::analysis::reinjections::{Reinjection, reinjections};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection, Role};

/// Reinjections over time.
pub struct Reinject;

impl Described for Reinject {
    fn name(&self) -> &'static str {
        "reinject"
    }

    fn summary(&self) -> &'static str {
        "Reinjections over time: amount and lateness, or gain of each"
    }

    fn details(&self) -> &'static str {
        "With one capture: bytes reinjected so far by each subflow, and, for each reinjecting packet, the time since \
         the data was first sent on another subflow. At the receiver: bytes that each subflow delivered after another \
         had, and how late; which copy was sent first is unknown there.\n\n\
         With --with and the other end's capture: each reinjection at its sending time, and its gain: arrival of the \
         original minus arrival of the reinjection, as in `qualify_reinjections`. A negative gain means that it \
         arrived too late. Useful ones arrived before the original, redundant ones after it. Those with a copy that \
         never arrived have no gain and are in a separate panel. The order of the captures does not matter; packetid in \
         the plotted values is that of the sender's capture."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let with = arguments::capture("second", "PCAP2")
            .long("with")
            .value_parser(value_parser!(PathBuf))
            .help("Capture of the other end, file or name: shows the gain of each reinjection");
        let mapped = Arg::new("mapped")
            .long("with-stream")
            .value_name("MPTCPSTREAM2")
            .value_parser(arguments::stream_number)
            .requires("second")
            .help("Number of the connection in PCAP2; found automatically if omitted");
        command.arg(arguments::mptcp_stream()).arg(with).arg(mapped)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot reinject 0", purpose: "reinjected bytes over time, and how late they were" },
            Example {
                line: "plot reinject 0 --with examples/server.pcapng -o reinject.svg",
                purpose: "gain of each reinjection",
            },
        ]
    }
}

impl Plot for Reinject {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let number = arguments::connection_id(arguments)?;
        let Some(other) = arguments.get_one::<PathBuf>("second") else {
            return Ok(over_time(&capture, capture.mptcp_connection(number)?, request));
        };
        let other = source.resolve(other)?;
        let mapped = arguments.get_one::<u32>("mapped").copied().map(ConnectionId);
        gains(&TwoCaptures::of_connection_in(capture, other, number, mapped)?, request)
    }
}

/// The figure from one capture.
#[must_use]
pub fn over_time(capture: &Capture, connection: &Connection, request: &PlotRequest) -> Figure {
    let clockwork = Clockwork::of(capture);
    let directions = request.directions();
    let shown: Vec<Reinjection> = reinjections(capture, connection, None)
        .into_iter()
        .filter(|one| directions.contains(&one.towards))
        .filter(|one| request.shows_subflow(one.tcpstream) && request.shows(clockwork.seconds(one.time)))
        .collect();
    let place = of_connection(capture, connection);
    let span = shown_span(capture, connection, request);
    let by_direction = directions.iter().flat_map(|towards| {
        let own: Vec<&Reinjection> = shown.iter().filter(|one| one.towards == *towards).collect();
        let (total, age) = match place.map(|place| place.seen(*towards)) {
            Some(SeenFrom::Sender) => ("reinjected so far", "time since first sent"),
            Some(SeenFrom::Receiver) => ("late copies so far", "late by"),
            Some(SeenFrom::Between) | None => ("seen again so far", "time since first seen"),
        };
        let bytes = panel((connection, request), *towards, (total, Unit::Bytes), &own, |shown| {
            let (steps, packets) = running_totals(&shown, clockwork, span);
            (Marks::Steps(steps), packets)
        });
        let ages = panel((connection, request), *towards, (age, Unit::Seconds), &own, |shown| {
            let point = |one: &&Reinjection| Point { x: clockwork.seconds(one.time), y: one.age.seconds() };
            (Marks::Points(shown.iter().map(point).collect()), shown.iter().map(|one| one.packetid).collect())
        });
        [bytes, ages]
    });
    let title = format!("Reinjections: MPTCP connection {} of {}", connection.id, capture.name());
    let mut figure = with_panels(Figure::new(title), by_direction.collect());
    if !shown.is_empty() {
        figure.caption.push("Colours show the subflow that repeated the data.".to_string());
    }
    for towards in directions.into_iter().filter(|role| shown.iter().any(|one| one.towards == *role)) {
        let where_recorded = match place.map(|place| place.seen(towards)) {
            Some(SeenFrom::Sender) => continue,
            Some(SeenFrom::Receiver) => "recorded at the receiver",
            Some(SeenFrom::Between) => "recorded between the ends",
            None => "place of capture unknown",
        };
        figure.caption.push(format!(
            "Towards the {}, {where_recorded}: shows which copy arrived first, not which was sent first; data with a \
             single captured copy is not included.",
            towards.name()
        ));
    }
    if shown.iter().any(|one| one.merged) {
        figure.caption.push(
            "Some packets repeat more pieces of earlier data than can be told apart: all bytes are counted under the \
             first piece."
                .to_string(),
        );
    }
    figure.caption.extend(without_handshake(connection));
    thinned_by(figure, "those with the least of this data", || {
        let mut bytes = vec![0_u64; connection.subflows.len()];
        for one in &shown {
            let position = connection.subflows.binary_search(&one.tcpstream).ok();
            if let Some(own) = position.and_then(|position| bytes.get_mut(position)) {
                *own = own.saturating_add(one.length);
            }
        }
        bytes
    })
}

/// A panel with a series for each subflow that reinjected, made by `marks`.
fn panel(
    (connection, request): (&Connection, &PlotRequest),
    towards: Role,
    (label, unit): (&str, Unit),
    shown: &[&Reinjection],
    marks: impl Fn(Vec<&Reinjection>) -> (Marks, Vec<u64>),
) -> Panel {
    let mut by_subflow: Vec<Vec<&Reinjection>> = vec![Vec::new(); connection.subflows.len()];
    for one in interruptible(shown) {
        let position = connection.subflows.binary_search(&one.tcpstream).ok();
        if let Some(own) = position.and_then(|position| by_subflow.get_mut(position)) {
            own.push(one);
        }
    }
    let mut panel = panels::panel(towards, Axis::new("time", Unit::Seconds), Axis::new(label, unit));
    for ((index, stream), own) in (0_u32..).zip(&connection.subflows).zip(by_subflow) {
        if !own.is_empty() {
            let (marks, packets) = marks(own);
            let series = Series::new(request.subflow_name(*stream), FigureRole::subflow(index), marks);
            panel.series.push(series.of_packets(packets));
        }
    }
    panel
}

/// From the first to the last packet of the connection, as far as the request shows them: seconds from the first frame.
fn shown_span(capture: &Capture, connection: &Connection, request: &PlotRequest) -> Option<(f64, f64)> {
    let clockwork = Clockwork::of(capture);
    let streams = connection.subflows.iter().filter_map(|id| capture.tracking.stream(*id));
    let spans = streams.filter_map(|stream| capture.span_of(stream));
    let (first, last) = spans.reduce(|(first, last), (from, until)| (first.min(from), last.max(until)))?;
    let (first, last) = (clockwork.seconds(first), clockwork.seconds(last));
    Some((request.start.map_or(first, |start| start.max(first)), request.end.map_or(last, |end| end.min(last))))
}

/// Bytes so far, from nothing at the beginning of `span` to all at its end, and the packets that bring them.
fn running_totals(
    reinjections: &[&Reinjection],
    clockwork: Clockwork,
    span: Option<(f64, f64)>,
) -> (Vec<Point>, Vec<u64>) {
    let mut sorted: Vec<&Reinjection> = reinjections.to_vec();
    sorted.sort_by_key(|one| one.time);
    let begin = span.map(|(begin, _)| (Point { x: begin, y: 0.0 }, 0));
    let mut total = 0_u64;
    let mut steps: Vec<(Point, u64)> = begin.into_iter().collect();
    for one in sorted {
        total = total.saturating_add(one.length);
        steps.push((Point { x: clockwork.seconds(one.time), y: value(total) }, one.packetid));
    }
    steps.extend(span.map(|(_, end)| (Point { x: end, y: value(total) }, 0)));
    steps.into_iter().unzip()
}
