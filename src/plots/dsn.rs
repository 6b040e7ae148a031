//! The time-sequence plot of an MPTCP connection: which data travelled when, over which subflow.

use std::collections::BTreeMap;

use clap::ArgMatches;

use super::acks;
use super::captions;
use super::crowded::thinned;
use super::directions::About;
use super::panels::panel;
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use super::unnumbered::unnumbered;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{
    Annotation, Axis, Figure, Marks, Panel, Point, Role as FigureRole, RoleKind, Series, Unit, VerticalStroke,
};
use crate::error::Result;
use mptcp_trace::analysis::events::{Event, EventKind, events};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::parallel::{both, each};
use mptcp_trace::tracking::data::{DataSequence, Sending, SentRange, data_sequence};
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::units::grouped;
use mptcp_trace::{Instant, PacketRow};

/// Events that are marked in a panel at most: more lines would hide the data.
const MARKED: usize = 100;
/// Before the name of an event that travelled the other way.
const AGAINST: &str = "← ";
/// Subflows whose repeated data is marked in their colours at most.
const TOLD_APART: usize = 16;

/// Data sequence numbers over time.
pub struct Dsn;

impl Described for Dsn {
    fn name(&self) -> &'static str {
        "dsn"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["dss"]
    }

    fn summary(&self) -> &'static str {
        "Data sequence numbers over time, by subflow, with acknowledgements, window and events"
    }

    fn details(&self) -> &'static str {
        "Each packet with data is a vertical stroke from its first to its last data byte, in the colour of its \
         subflow. Repeated data is marked at its first byte, in the colour of its subflow and with a \
         shape of its own: TCP retransmissions, reinjections (already sent over \
         another subflow), and re-sends on the same subflow under new numbers. The lower steps show the highest \
         DATA_ACK so far, the upper ones the edge of the receiver's window; both extend to the connection's last \
         packet. Marks that would cover each other are thinned. --acks adds what subflows report, in their colours: SACK \
         blocks, which end in short lines across, as far as they report something new or something that came twice; \
         duplicate ACKs, at the byte that they ask for; \
         windows of zero, at the highest DATA_ACK. A panel marks the events of its direction, and fallback, MP_FAIL, RST \
         and FASTCLOSE of the other one; alone, it marks all of them. Events with ← travelled the other way. Payload \
         without data sequence numbers is stated below the plot. Without the sender's key, numbers count from the lowest one seen, of data or of a DATA_ACK."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream()).arg(acks::argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot dsn 0", purpose: "connection 0, both directions, in the terminal" },
            Example {
                line: "plot dsn 0 --towards server --start 1.5 --end 3 -o upload.svg",
                purpose: "part of the upload as an SVG",
            },
            Example {
                line: "plot dsn 0 --towards server --acks",
                purpose: "with SACK blocks, duplicate ACKs and zero windows",
            },
        ]
    }
}

impl Plot for Dsn {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        Ok(dsn(&capture, connection, request))
    }
}

/// The figure.
#[must_use]
pub fn dsn(capture: &Capture, connection: &Connection, request: &PlotRequest) -> Figure {
    let happened = || events(capture, connection, None);
    let data = || data_sequence(&capture.segments, &capture.tracking, connection);
    let (sequence, happened) = both(capture.tracking.packets_of(connection), data, happened);
    let mut figure = Figure::new(format!("MPTCP connection {} of {}", connection.id, capture.name()));
    let clock = Clockwork::of(capture);
    let streams = connection.subflows.iter().filter_map(|stream| capture.tracking.stream(*stream));
    let end = streams.filter_map(|stream| capture.span_of(stream)).map(|(_, last)| last).max();
    let end = clock.seconds(end.unwrap_or_else(|| capture.origin()));
    let directions = request.directions();
    let direction = |towards: Role| {
        let sequence = sequence.get(towards);
        let origin = sequence.origin();
        Direction { capture, connection, request, towards, sequence, origin, clock, end }
    };
    let directions: Vec<Direction<'_>> = directions.into_iter().map(direction).collect();
    let panels = each(&directions, capture.tracking.packets_of(connection), Direction::panel);
    // A panel without data is not drawn: then its events have to be in the other one.
    let alone = panels.iter().filter(|(panel, _)| !panel.series.is_empty()).count() < 2;
    let (mut against, mut left_out) = (false, Vec::new());
    for (direction, (mut panel, lacking)) in directions.iter().zip(panels) {
        let (towards, unmarked) = (direction.towards, direction.annotate(&mut panel, &happened, alone));
        against |= panel.annotations.iter().any(|mark| mark.text.starts_with(AGAINST));
        figure = figure.with_panel(panel);
        left_out.extend(lacking);
        if !unmarked.is_empty() {
            figure = figure.with_caption(format!(
                "Too many to mark towards the {}: {}; `events {}` lists them.",
                towards.name(),
                unmarked.join(", "),
                connection.id
            ));
        }
        if let Some(caption) = captions::without_key(connection, towards) {
            figure = figure.with_caption(caption);
        }
    }
    if against {
        figure = figure.with_caption("Events with ← travelled against the data of their panel.");
    }
    if request.omits_subflows() {
        figure = figure.with_caption("DATA_ACK and window are those of all subflows.");
    }
    // Each comes before those that were said earlier.
    figure = left_out.into_iter().rev().fold(figure, Figure::with_left_out);
    thinned(figure, capture, connection, request)
}

/// Marks, and the number of the packet that each stands for.
type OfPackets<T> = (Vec<T>, Vec<u64>);
/// Data sent again, by subflow; of many subflows together, because their colours would tell nothing.
type Again = BTreeMap<Option<u32>, OfPackets<Point>>;

struct Direction<'a> {
    capture: &'a Capture,
    connection: &'a Connection,
    request: &'a PlotRequest,
    towards: Role,
    sequence: &'a DataSequence,
    /// Value shown as 0, computed once.
    origin: u64,
    clock: Clockwork,
    /// When the connection's last packet was recorded, in seconds.
    end: f64,
}

impl Direction<'_> {
    /// The panel, but for its events; and what is said of data that it lacks.
    fn panel(&self) -> (Panel, Option<String>) {
        let y = Axis::new("data sequence number", Unit::Bytes);
        let mut panel = panel(self.towards, Axis::new("time", Unit::Seconds), y);
        let marks = self.sequence.sent.len().saturating_add(self.sequence.acknowledged.len());
        let reported = || {
            let of = (self.capture, self.connection);
            let lacking = unnumbered("Not shown", self.sequence, self.towards, of, self.request);
            (self.window_edge(), self.data_acks(), lacking)
        };
        let ((strokes, mut again), (window_edge, data_acks, lacking)) = both(marks, || self.strokes(), reported);
        for (name, kind, (steps, packets)) in
            [("window", RoleKind::WindowEdge, window_edge), ("DATA_ACK", RoleKind::Acknowledgement, data_acks)]
        {
            panel.series.push(Series::new(name, FigureRole::of(kind), Marks::Steps(steps)).of_packets(packets));
        }
        let subflows = (0_u32..).zip(&self.connection.subflows).zip(strokes);
        for ((index, stream), (strokes, packets)) in interruptible(subflows) {
            let (name, strokes) = (self.request.subflow_name(*stream), Marks::VerticalStrokes(strokes));
            panel.series.push(Series::new(name, FigureRole::subflow(index), strokes).of_packets(packets));
        }
        for (name, kind, sending) in [
            ("retransmission", RoleKind::Retransmission, Sending::Retransmission),
            ("reinjection", RoleKind::Reinjection, Sending::Reinjection),
            ("re-send on the same subflow", RoleKind::Loss, Sending::SameSubflow),
            ("duplicated by the path", RoleKind::Event, Sending::Duplicate),
        ] {
            let marks = again.remove(&sending).unwrap_or_default();
            panel.series.extend(marks.into_iter().map(|(subflow, (points, packets))| {
                let role = FigureRole { kind, subflow };
                Series::new(name, role, Marks::Points(points)).of_packets(packets)
            }));
        }
        if self.request.acks {
            panel.series.extend(acks::of_data(
                self.capture,
                self.connection,
                self.towards,
                (self.sequence, self.origin),
                self.request,
            ));
        }
        panel.series.retain(|series| !series.marks.is_empty());
        (panel, lacking)
    }

    /// Number of the packet in a row.
    fn packet(&self, row: PacketRow) -> u64 {
        // Every row has a packet; packets are numbered from 1.
        self.capture.segments.get(row.index()).map_or(0, |segment| segment.packetid())
    }

    fn seconds(&self, time: Instant) -> f64 {
        self.clock.seconds(time)
    }

    fn number(&self, working: u64) -> f64 {
        shown(working, self.origin)
    }

    /// Part of the sent data to show.
    fn sent(&self) -> impl Iterator<Item = &SentRange> {
        self.sequence.numbered().filter(|range| {
            let stream = self.connection.subflows.get(range.subflow);
            stream.is_some_and(|stream| self.request.shows_subflow(*stream))
                && self.request.shows(self.seconds(range.time))
        })
    }

    /// The strokes of each subflow, and what was sent again, in one pass: there may be many.
    fn strokes(&self) -> (Vec<OfPackets<VerticalStroke>>, BTreeMap<Sending, Again>) {
        let mut strokes = vec![(Vec::new(), Vec::new()); self.connection.subflows.len()];
        let mut again = BTreeMap::<Sending, Again>::new();
        let apart = self.connection.subflows.len() <= TOLD_APART;
        for range in interruptible(self.sent()) {
            let (x, packet) = (self.seconds(range.time), self.packet(range.row));
            let (y_low, y_high) = (self.number(range.start), self.number(range.end));
            if let Some((own, packets)) = strokes.get_mut(range.subflow) {
                packets.push(packet);
                own.push(VerticalStroke { x, y_low, y_high });
            }
            if range.sending != Sending::First {
                let subflow = u32::try_from(range.subflow).ok().filter(|_| apart);
                let (points, packets) = again.entry(range.sending).or_default().entry(subflow).or_default();
                points.push(Point { x, y: y_low });
                packets.push(packet);
            }
        }
        (strokes, again)
    }

    /// The highest DATA_ACK so far, each time that it grew, and at the end.
    fn data_acks(&self) -> OfPackets<Point> {
        self.growing(self.sequence.acknowledged.iter().map(|ack| (ack.time, ack.next, ack.row)))
    }

    /// The furthest that the window ever allowed, each time that it grew, and at the end.
    fn window_edge(&self) -> OfPackets<Point> {
        let edges = self.sequence.acknowledged.iter();
        self.growing(edges.filter_map(|ack| Some((ack.time, ack.next.saturating_add(ack.window?.into()), ack.row))))
    }

    fn growing(&self, numbers: impl Iterator<Item = (Instant, u64, PacketRow)>) -> OfPackets<Point> {
        let mut highest = 0;
        let (mut points, mut packets) = (Vec::<Point>::new(), Vec::new());
        for (time, number, row) in interruptible(numbers) {
            if number > highest {
                points.push(Point { x: self.seconds(time), y: self.number(number) });
                packets.push(self.packet(row));
                highest = number;
            }
        }
        // The last one holds until nothing more is known of the connection.
        if let Some(last) = points.last().filter(|last| last.x < self.end).copied() {
            points.push(Point { x: self.end, ..last });
            packets.push(0);
        }
        if self.request.is_limited() {
            return self.request.steps_with(points.into_iter().zip(packets)).into_iter().unzip();
        }
        (points, packets)
    }

    /// Marks the events of the rarest kinds, up to [`MARKED`]; how many there are of each other kind. Those of the other
    /// direction are among them as far as they concern the data of this one, and all of them where its panel is `alone`.
    fn annotate(&self, panel: &mut Panel, happened: &[Event], alone: bool) -> Vec<String> {
        let own = |event: &Event| event.towards == self.towards;
        let belongs = |event: &&Event| own(event) || alone || concerns_both(event.event);
        let here = happened.iter().filter(belongs).filter(|event| self.request.shows(event.reltime));
        let mut all: Vec<(&Event, String)> = here
            .filter_map(|event| {
                Some((event, format!("{}{}", if own(event) { "" } else { AGAINST }, label(event.event)?)))
            })
            .collect();
        let mut counts = BTreeMap::<String, usize>::new();
        all.iter().for_each(|(_, label)| *counts.entry(label.clone()).or_default() += 1);
        let mut kinds: Vec<(String, usize)> = counts.into_iter().collect();
        kinds.sort_by_key(|(_, count)| *count);
        let mut unmarked = Vec::new();
        while all.len() > MARKED {
            let Some((kind, count)) = kinds.pop() else { break };
            all.retain(|(_, label)| *label != kind);
            unmarked.push(format!("{} {kind}", grouped(count as u64)));
        }
        let marked =
            all.into_iter().map(|(event, label)| Annotation::at(event.reltime, label).of_packet(event.packetid));
        panel.annotations = marked.collect();
        unmarked
    }
}

/// A working number as it is shown, counted from `origin`; what TCP Fast Open carries lies before the data sequence space,
/// and below zero.
pub(super) fn shown(working: u64, origin: u64) -> f64 {
    match working.checked_sub(origin) {
        Some(number) => value(number),
        None => -value(origin.saturating_sub(working)),
    }
}

/// Whether an event of one direction changes what the other one carries: both fall back and end together, and MP_FAIL is the
/// receiver's answer to data (RFC 8684 §3.7).
fn concerns_both(kind: EventKind) -> bool {
    matches!(kind, EventKind::MpFail | EventKind::Fallback | EventKind::Reset | EventKind::MpFastclose)
}

/// Label of an event; `None` for those that the plot does not show.
fn label(kind: EventKind) -> Option<&'static str> {
    Some(match kind {
        EventKind::MpJoin => "MP_JOIN",
        EventKind::AddAddr => "ADD_ADDR",
        EventKind::RemoveAddr => "REMOVE_ADDR",
        EventKind::MpPrio => "MP_PRIO",
        EventKind::MpFail => "MP_FAIL",
        EventKind::MpFastclose => "FASTCLOSE",
        EventKind::Reset => "RST",
        EventKind::DataFin => "DATA_FIN",
        EventKind::Fallback => "fallback",
        _ => return None,
    })
}
