//! Bytes in flight over time: of each subflow and the whole connection, against the receive windows.

mod course;

use clap::ArgMatches;

use super::crowded::Crowd;
use super::directions::About;
use super::panels::panel;
use super::registry::Plot;
use super::request::PlotRequest;
use super::subject::{Subject, SubjectStream};
use super::unnumbered::unnumbered;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Role as FigureRole, RoleKind, Series, Unit};
use crate::error::Result;
use course::{Course, InFlight, Steps};
use mptcp_trace::analysis::flight::{data_moments, stream_moments};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::parallel::both;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{ByRole, Capture, Connection, Role};
use mptcp_trace::units::bytes;

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
    let directions = request.directions();
    let end = subject.last_packet(capture);
    // The data level is that of all subflows, whichever are shown.
    let of_all = PlotRequest { only: Vec::new(), skipped: Vec::new(), ..request.clone() };
    let of_data = || {
        let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
        let of = |towards: &Role| {
            let mut course = Course::new(capture, request);
            let sequence = sequence.get(*towards);
            data_moments(sequence).for_each(|moment| course.push(&moment));
            let lacks = unnumbered("Not at the data level", sequence, *towards, (capture, connection), &of_all);
            (course.finish(end), lacks)
        };
        directions.iter().map(of).collect::<Vec<(InFlight, Option<String>)>>()
    };
    let of_flow = |flow: &SubjectStream<'_>| {
        let course = || Some(Course::new(capture, request));
        let mut courses = ByRole { server: course(), client: course() };
        stream_moments(&capture.segments, &capture.tracking, flow.stream, |towards, moment| {
            courses.get_mut(towards).iter_mut().for_each(|course| course.push(moment));
        });
        let end = capture.span_of(flow.stream).map(|(_, last)| last);
        let of = |towards: &Role| Some(courses.get_mut(flow.stream_role(*towards)).take()?.finish(end));
        directions.iter().filter_map(of).collect::<Vec<InFlight>>()
    };
    let of_flows = || interruptible(&subject.flows).map(of_flow).collect::<Vec<Vec<InFlight>>>();
    let (of_data, by_flow) = both(capture.tracking.packets_of(connection), of_data, of_flows);
    let mut figure = Figure::new(subject.title("In flight"));
    let in_flight = subject.flows.iter().zip(&by_flow).filter(|(_, found)| found.iter().any(|found| found.shown));
    let crowd = Crowd::of_connection(in_flight.map(|(flow, _)| flow.index).collect(), capture, connection, request);
    let drawn = crowd.as_ref().map(Crowd::drawn);
    let mut by_flow: Vec<_> = by_flow.into_iter().map(Vec::into_iter).collect();
    let mut above = Vec::new();
    let (mut beyond, mut left_out) = (Vec::new(), Vec::new());
    for (towards, (data, lacks)) in directions.iter().copied().zip(of_data) {
        left_out.extend(lacks);
        let mut lines = Lines::default();
        lines.add_flight("data level", FigureRole::of(RoleKind::Total), data.flight);
        lines.add_window("MPTCP window", RoleKind::WindowEdge, data.window);
        for (flow, found) in interruptible(subject.flows.iter().zip(&mut by_flow)) {
            let Some(found) = found.next() else { continue };
            if drawn.as_ref().is_some_and(|drawn| !drawn.contains(&flow.index)) {
                continue;
            }
            if lines.add_flight(&flow.name, flow.look(), found.flight) {
                // Alike for the eye, because they are one window, told at different times.
                lines.add_window("TCP windows of the subflows", RoleKind::Reference, found.window);
            }
        }
        if lines.lack_windows() {
            figure = figure.with_caption(format!(
                "Towards the {}, windows are omitted because their scale was not captured.",
                towards.name()
            ));
        }
        above.extend(lines.above().map(|least| format!("towards the {} {}", towards.name(), bytes(least))));
        beyond.extend(lines.leave_the_top().then(|| format!("towards the {}", towards.name())));
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
    if !beyond.is_empty() {
        figure = figure.with_caption(format!("Windows are cut off at the top at times: {}.", beyond.join(", ")));
    }
    if request.omits_subflows() {
        figure = figure.with_caption("The data level and the MPTCP window are those of all subflows.");
    }
    // Each comes before those that were said earlier.
    figure = left_out.into_iter().rev().fold(figure, Figure::with_left_out);
    match crowd {
        Some(crowd) => crowd.thin(figure),
        None => figure,
    }
}

/// The lines of one panel.
#[derive(Default)]
struct Lines {
    flights: Vec<Series>,
    windows: Vec<Series>,
    /// The most bytes in flight.
    most: f64,
}

/// How much higher than all that is in flight a panel is.
const ROOM: f64 = 1.15;

impl Lines {
    /// Adds what was in flight; says whether it was anything.
    fn add_flight(&mut self, name: &str, look: FigureRole, (points, packets): Steps) -> bool {
        let most = points.iter().map(|point| point.y).fold(0.0, f64::max);
        if most > 0.0 {
            self.most = self.most.max(most);
            self.flights.push(Series::new(name, look, Marks::Steps(points)).of_packets(packets));
        }
        most > 0.0
    }

    /// Adds a window.
    fn add_window(&mut self, name: &str, kind: RoleKind, (points, packets): Steps) {
        if !points.is_empty() {
            let window = Series::new(name, FigureRole::of(kind), Marks::Steps(points));
            self.windows.push(window.of_packets(packets));
        }
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

    /// Whether windows that are on the axis leave it at the top.
    fn leave_the_top(&self) -> bool {
        let top = self.top().unwrap_or(f64::MAX);
        let most = |window: &Series| window.marks.boxes().map(|(_, y, ..)| y).fold(0.0, f64::max);
        self.windows.iter().any(|window| least(window) <= top && most(window) > top)
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
