//! Bytes in flight over time: of each subflow and the whole connection, against the receive windows.

use clap::ArgMatches;

use super::crowded::Crowd;
use super::directions::About;
use super::panels::panel;
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use super::subject::Subject;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Point, Role as FigureRole, RoleKind, Series, Unit};
use crate::error::Result;
use mptcp_trace::analysis::flight::{Moment, data_flight, stream_flight};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Capture, Connection, Stream};
use mptcp_trace::units::bytes;
use mptcp_trace::{Instant, PacketRow};

/// Bytes in flight.
pub struct Flight;

impl Described for Flight {
    fn name(&self) -> &'static str {
        "flight"
    }

    fn summary(&self) -> &'static str {
        "Bytes in flight on each subflow and at the data level, against the receive windows"
    }

    fn details(&self) -> &'static str {
        "In flight on a subflow: from the lowest unacknowledged byte to the highest byte sent, by TCP sequence \
         numbers. Data reported by SACK is still counted. At the data level: from the highest DATA_ACK to the highest \
         data sequence number sent, over all subflows.\n\n\
         The MPTCP window reaches from the highest DATA_ACK to the furthest point that any DATA_ACK allowed; TCP \
         windows are those of the newest ACK on each subflow. A receiver has one window for all subflows (RFC 8684 \
         §3.3.4), so they differ only in when they were announced. Windows that stay above everything in flight are \
         omitted.\n\n\
         All of this holds at the data's sender; at the receiver, data is in flight only until acknowledged there."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot flight 0 --towards server", purpose: "the upload of connection 0" },
            Example {
                line: "plot flight 0 --towards server --start 1 --end 2.5 -o flight.svg",
                purpose: "part of it, into a file",
            },
        ]
    }
}

impl Plot for Flight {
    fn about(&self, _: &ArgMatches) -> About {
        About::Sender
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        Ok(figure(&capture, connection, request))
    }
}

fn figure(capture: &Capture, connection: &Connection, request: &PlotRequest) -> Figure {
    let subject = Subject::of_connection(capture, connection, request);
    let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
    let by_flow: Vec<_> =
        subject.flows.iter().map(|flow| stream_flight(&capture.segments, &capture.tracking, flow.stream)).collect();
    let mut figure = Figure::new(subject.title("In flight"));
    let clockwork = Clockwork::of(capture);
    let shown = |moment: &Moment| moment.in_flight() > 0 && request.shows(clockwork.seconds(moment.time));
    let in_flight = subject.flows.iter().zip(&by_flow).filter(|(flow, found)| {
        request.directions().into_iter().any(|towards| found.get(flow.stream_role(towards)).iter().any(shown))
    });
    let crowd = Crowd::of_connection(in_flight.map(|(flow, _)| flow.index).collect(), capture, connection, request);
    let drawn = crowd.as_ref().map(Crowd::drawn);
    let mut above = Vec::new();
    for towards in request.directions() {
        let mut lines = Lines::new(capture, request);
        let data = data_flight(sequence.get(towards));
        lines.add_flight("data level", FigureRole::of(RoleKind::Total), &data);
        let end = subject.flows.iter().filter_map(|flow| last_packet(capture, flow.stream)).max();
        lines.add_window("MPTCP window", RoleKind::WindowEdge, &data, end);
        let flows = subject.flows.iter().zip(&by_flow);
        let flows = flows.filter(|(flow, _)| drawn.as_ref().is_none_or(|drawn| drawn.contains(&flow.index)));
        for (flow, found) in interruptible(flows) {
            let moments = found.get(flow.stream_role(towards));
            if lines.add_flight(&flow.name, flow.look(), moments) {
                // Alike for the eye, because they are one window, told at different times.
                let end = last_packet(capture, flow.stream);
                lines.add_window("TCP windows of the subflows", RoleKind::Reference, moments, end);
            }
        }
        if lines.lack_windows() {
            figure = figure.with_caption(format!(
                "Towards the {}, windows are omitted because their scale was not captured.",
                towards.name()
            ));
        }
        above.extend(lines.above().map(|least| format!("towards the {} {}", towards.name(), bytes(least))));
        let mut panel = panel(towards, Axis::new("time", Unit::Seconds), Axis::new("in flight", Unit::Bytes));
        panel.y.range = lines.top().map(|top| (0.0, top));
        panel.series = lines.into_series();
        figure = figure.with_panel(panel);
    }
    // What is unusual comes first: a small picture has no room for everything.
    figure = match subject.recorded_at_receiver(request) {
        Some(towards) => {
            let (name, sender) = (towards.name(), towards.other().name());
            figure.with_caption(format!(
                "Towards the {name}, in flight means arrived and not yet acknowledged by the {name}; a capture at the \
                 {sender} shows what was on the way."
            ))
        }
        None => figure,
    };
    figure = figure.with_caption(
        "Data reported by SACK still counts as in flight. The amount in flight is valid only at the data's sender.",
    );
    figure.caption.extend(subject.place_note(request));
    if !above.is_empty() {
        let all = above.join(" or more, ");
        figure = figure.with_caption(format!("Windows above the range shown: {all} or more."));
    }
    match crowd {
        Some(crowd) => crowd.thin(figure),
        None => figure,
    }
}

/// When the last packet of a stream was recorded.
fn last_packet(capture: &Capture, stream: &Stream) -> Option<Instant> {
    let segments = stream.packets.iter().filter_map(|row| capture.segments.get(row.index()));
    segments.map(|segment| segment.abstime).max()
}

/// The lines of one panel.
struct Lines<'a> {
    capture: &'a Capture,
    clockwork: Clockwork,
    request: &'a PlotRequest,
    flights: Vec<Series>,
    windows: Vec<Series>,
    /// The most bytes in flight.
    most: f64,
}

/// How much higher than all that is in flight a panel is.
const ROOM: f64 = 1.15;

impl<'a> Lines<'a> {
    fn new(capture: &'a Capture, request: &'a PlotRequest) -> Self {
        let clockwork = Clockwork::of(capture);
        Lines { capture, clockwork, request, flights: Vec::new(), windows: Vec::new(), most: 0.0 }
    }

    /// Adds what was in flight; says whether it was anything.
    fn add_flight(&mut self, name: &str, look: FigureRole, moments: &[Moment]) -> bool {
        let (points, packets) =
            self.steps(moments.iter().map(|moment| (moment.time, Some(moment.in_flight()), moment.row)));
        let most = points.iter().map(|point| point.y).fold(0.0, f64::max);
        if most > 0.0 {
            self.most = self.most.max(most);
            self.flights.push(Series::new(name, look, Marks::Steps(points)).of_packets(packets));
        }
        most > 0.0
    }

    /// Adds a window, which holds until `end`.
    fn add_window(&mut self, name: &str, kind: RoleKind, moments: &[Moment], end: Option<Instant>) {
        let last = moments.last().zip(end).filter(|(last, end)| last.time < *end);
        let last = last.map(|(last, end)| (end, last.window, last.row));
        let all = moments.iter().map(|moment| (moment.time, moment.window, moment.row)).chain(last);
        let (points, packets) = self.steps(all);
        if !points.is_empty() {
            let window = Series::new(name, FigureRole::of(kind), Marks::Steps(points));
            self.windows.push(window.of_packets(packets));
        }
    }

    /// Values to show of bytes that hold from their time until the next one, only at changes; and the packet that brought
    /// each about.
    fn steps(&self, bytes: impl Iterator<Item = (Instant, Option<u64>, PacketRow)>) -> (Vec<Point>, Vec<u64>) {
        let points = bytes.filter_map(|(time, bytes, row)| {
            let packet = self.capture.segments.get(row.index())?.packetid();
            Some((Point { x: self.clockwork.seconds(time), y: value(bytes?) }, packet))
        });
        let mut changes: Vec<(Point, u64)> = Vec::new();
        let mut last = None;
        for (point, packet) in interruptible(points) {
            if changes.last().is_none_or(|(before, _)| before.y != point.y) {
                changes.push((point, packet));
            }
            last = Some(point);
        }
        // The last value lasts, which no packet brings about.
        let lasting = last.filter(|last| changes.last().is_none_or(|(change, _)| change.x < last.x));
        changes.extend(lasting.map(|last| (last, 0)));
        self.request.steps_with(changes).into_iter().unzip()
    }

    /// Whether something was in flight and no window is known.
    fn lack_windows(&self) -> bool {
        !self.flights.is_empty() && self.windows.is_empty()
    }

    /// The upper end of the axis; `None` when nothing was in flight.
    fn top(&self) -> Option<f64> {
        (self.most > 0.0).then_some(self.most * ROOM)
    }

    /// The least value of the windows that are above the axis all the time.
    fn above(&self) -> Option<u64> {
        let top = self.top().unwrap_or(f64::MAX);
        let above = self.windows.iter().map(least).filter(|least| *least > top);
        // A window is a whole number far below 2^53.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        above.reduce(f64::min).map(|least| least as u64)
    }

    /// Those that are on the axis.
    fn into_series(self) -> Vec<Series> {
        let top = self.top().unwrap_or(f64::MAX);
        let windows = self.windows.into_iter().filter(|window| least(window) <= top);
        self.flights.into_iter().chain(windows).collect()
    }
}

/// The least value of a series.
fn least(series: &Series) -> f64 {
    series.marks.boxes().map(|(_, y, ..)| y).fold(f64::MAX, f64::min)
}
