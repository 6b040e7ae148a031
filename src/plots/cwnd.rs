//! Estimated congestion windows, from the data sent.

use clap::ArgMatches;

use super::directions::About;
use super::panels::panel;
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use super::subject::Subject;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{
    Axis, Figure, HorizontalStroke, Marks, Point, Role as FigureRole, RoleKind, Series, Unit,
};
use crate::error::Result;
use mptcp_trace::analysis::congestion_window::{RoundTrip, round_trips};
use mptcp_trace::analysis::flight::stream_flight;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection};

/// Estimates of congestion windows.
pub struct CongestionWindow;

impl Described for CongestionWindow {
    fn name(&self) -> &'static str {
        "cwnd"
    }

    fn summary(&self) -> &'static str {
        "Estimated congestion window of each subflow: maximum in flight in each round trip"
    }

    fn details(&self) -> &'static str {
        "Packets do not carry the congestion window. A sender with enough data keeps as much in flight as the window \
         allows. The maximum in flight during a round trip is therefore a lower bound of the window. The window was \
         larger if the application, the scheduler or the receiver's window held the sender back. tcptrace draws \
         outstanding data for the same reason.\n\n\
         A round trip begins when something is sent while nothing is in flight, or when the previous one ends. It ends \
         when everything sent before its beginning is acknowledged; the first one, when the packet that it began with \
         is. Each is a level line, with a mark at its beginning. In flight means sent, and neither acknowledged nor \
         reported by SACK. Round trips with retransmissions give no estimate, because lost data then still looks as if \
         it were in flight: a cross in the subflow's colour marks the beginning of each. Those that the capture does \
         not show to their end are left out for the same reason. All of this holds at the data's sender, not at the \
         receiver."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot cwnd 0 --towards server", purpose: "what the client sent, by subflow" },
            Example {
                line: "plot cwnd 0 --towards server --end 1 -o start.svg",
                purpose: "growth of the windows at the beginning",
            },
        ]
    }
}

impl Plot for CongestionWindow {
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
    let by_flow: Vec<_> =
        subject.flows.iter().map(|flow| stream_flight(&capture.segments, &capture.tracking, flow.stream)).collect();
    let mut figure = Figure::new(subject.title("Estimated congestion window"));
    for towards in request.directions() {
        let y = Axis::new("maximum in flight in a round trip", Unit::Bytes);
        let mut panel = panel(towards, Axis::new("time", Unit::Seconds), y);
        let mut without = Vec::new();
        for (flow, found) in interruptible(subject.flows.iter().zip(&by_flow)) {
            let rounds = round_trips(found.get(flow.stream_role(towards)));
            let (told, packets) = steps(&rounds, capture, request);
            if !told.is_empty() {
                let strokes = Marks::HorizontalStrokes(told);
                panel = panel.with_series(Series::new(flow.name.as_str(), flow.look(), strokes).of_packets(packets));
            }
            let (again, packets) = points(&rounds, capture, request);
            if !again.is_empty() {
                let look = FigureRole::of_subflow(RoleKind::Retransmission, flow.index);
                without.push(Series::new(NO_ESTIMATE, look, Marks::Points(again)).of_packets(packets));
            }
        }
        panel.series.extend(without);
        figure = figure.with_panel(panel);
    }
    // What is unusual comes first: a small picture has no room for everything.
    figure = match subject.recorded_at_receiver(request) {
        Some(towards) => {
            let (name, sender) = (towards.name(), towards.other().name());
            figure.with_caption(format!(
                "Towards the {name}, a round trip is only the {name}'s time to acknowledge, so this is not the \
                 {sender}'s window; a capture at the {sender} shows it."
            ))
        }
        None => figure,
    };
    figure = figure.with_caption(
        "A lower bound, valid at the data's sender only: maximum in flight in each round trip, drawn from its \
         beginning, which is marked, to its end. Round trips with retransmissions give no estimate: a cross marks the \
         beginning.",
    );
    figure.caption.extend(subject.place_note(request));
    subject.thinned(figure, capture, request)
}

/// Name of the series of round trips without an estimate.
const NO_ESTIMATE: &str = "retransmissions: no estimate";

/// A level line for each round trip with an estimate, and the packet that it began with.
fn steps(rounds: &[RoundTrip], capture: &Capture, request: &PlotRequest) -> (Vec<HorizontalStroke>, Vec<u64>) {
    let clockwork = Clockwork::of(capture);
    let stroke = |round: &RoundTrip| {
        let (from, until) = (clockwork.seconds(round.from), clockwork.seconds(round.until));
        // What began before the time shown, or ends after it, is cut there.
        let (from, until) =
            (request.start.map_or(from, |start| from.max(start)), request.end.map_or(until, |end| until.min(end)));
        let stroke = HorizontalStroke { x_low: from, x_high: until, y: value(round.most) };
        (from <= until).then(|| (stroke, packet(capture, round)))
    };
    rounds.iter().filter(|round| round.finished && !round.recovering).filter_map(stroke).unzip()
}

/// The beginning of each round trip with retransmissions, and the packet that it began with.
fn points(rounds: &[RoundTrip], capture: &Capture, request: &PlotRequest) -> (Vec<Point>, Vec<u64>) {
    let clockwork = Clockwork::of(capture);
    let point = |round: &RoundTrip| {
        let point = Point { x: clockwork.seconds(round.from), y: value(round.most) };
        request.shows(point.x).then(|| (point, packet(capture, round)))
    };
    rounds.iter().filter(|round| round.recovering).filter_map(point).unzip()
}

/// The packet that a round trip began with.
fn packet(capture: &Capture, round: &RoundTrip) -> u64 {
    capture.segments.get(round.row.index()).map_or(0, |segment| segment.packetid())
}
