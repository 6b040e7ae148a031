//! The scheduler's choices: which subflow carried each stretch of the data first, and how much each did so far.

use clap::ArgMatches;

use super::captions::{without_handshake, without_key};
use super::crowded::Crowd;
use super::directions::About;
use super::panels::{panel, panel_of, with_panels};
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use super::unnumbered::unnumbered;
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, HorizontalStroke, Marks, Panel, Point, Role as FigureRole, Series, Unit};
use crate::error::Result;
use mptcp_trace::analysis::capture_point::{SeenFrom, of_connection};
use mptcp_trace::analysis::scheduler::{FirstSending, divisions, first_sendings, stretches};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::{PacketRow, StreamId};

/// Stretches of data by subflow, and each subflow's share over time.
pub struct Scheduler;

/// Times at which the shares are drawn, at most.
const INSTANTS: usize = 1000;
/// Shares that are worked out, of all subflows together, at most (at least at one time).
const SHARES: usize = 2_000_000;

impl Described for Scheduler {
    fn name(&self) -> &'static str {
        "scheduler"
    }

    fn summary(&self) -> &'static str {
        "Data ranges sent first by each subflow, and cumulative shares"
    }

    fn details(&self) -> &'static str {
        "For each direction, the upper panel has one lane per subflow, with a stroke for every range of data sequence \
         numbers that it sent first. Retransmissions, reinjections and re-sends are excluded. The lower panel shows \
         each subflow's share of all new data so far. At the receiver, it is the subflow that delivered first. Without \
         the sender's key, numbers count from the lowest one seen."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "plot scheduler 0 --towards server",
                purpose: "distribution of the upload over the subflows",
            },
            Example { line: "plot scheduler 0 -o scheduler.svg", purpose: "both directions, for a document" },
        ]
    }
}

impl Plot for Scheduler {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        Ok(scheduler(&capture, connection, request))
    }
}

/// The figure.
#[must_use]
pub fn scheduler(capture: &Capture, connection: &Connection, request: &PlotRequest) -> Figure {
    let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
    let clockwork = Clockwork::of(capture);
    let mut panels = Vec::new();
    let (mut captions, mut left_out) = (Vec::new(), Vec::new());
    let directions: Vec<_> =
        request.directions().into_iter().map(|towards| (towards, first_sendings(sequence.get(towards)))).collect();
    let used = directions
        .iter()
        .flat_map(|(_, sendings)| Lanes::new((capture, connection), request, sendings, None).indices());
    let crowd = Crowd::of_connection(used.collect(), capture, connection, request);
    for (towards, sendings) in directions {
        let lanes = Lanes::new((capture, connection), request, &sendings, crowd.as_ref());
        panels.push(lanes.stretches(towards, clockwork));
        panels.push(lanes.shares(towards, clockwork));
        let sequence = sequence.get(towards);
        left_out.extend(unnumbered("Not shown", sequence, towards, (capture, connection), request));
        if !sendings.is_empty() {
            captions.extend(without_key(connection, towards));
            captions.extend(at_receiver(capture, connection, towards));
        }
    }
    let title = format!("Scheduling: MPTCP connection {} of {}", connection.id, capture.name());
    let mut figure = with_panels(Figure::new(title), panels);
    figure.caption.push("Only data sent for the first time, by the packets of this capture.".to_string());
    figure.caption.extend(captions);
    figure.caption.extend(without_handshake(connection));
    if request.omits_subflows() {
        figure.caption.push("Shares are of the data of all subflows.".to_string());
    }
    figure = left_out.into_iter().rev().fold(figure, Figure::with_left_out);
    match crowd {
        Some(crowd) => crowd.thin(figure),
        None => figure,
    }
}

/// Meaning of being first in a capture at the receiver.
fn at_receiver(capture: &Capture, connection: &Connection, towards: Role) -> Option<String> {
    let place = of_connection(capture, connection)?.seen(towards);
    (place == SeenFrom::Receiver).then(|| {
        format!("Towards the {}: recorded at the receiver, so `first` means the first to arrive.", towards.name())
    })
}

/// The subflows that are shown, each with its lane.
struct Lanes<'a> {
    capture: &'a Capture,
    request: &'a PlotRequest,
    sendings: &'a [FirstSending],
    /// Subflows of the connection.
    subflows: usize,
    /// Index and stream of each subflow that is shown.
    shown: Vec<(usize, StreamId)>,
}

impl<'a> Lanes<'a> {
    /// A lane for each subflow that was first with any data, or for those that are drawn of a crowd.
    fn new(
        (capture, connection): (&'a Capture, &Connection),
        request: &'a PlotRequest,
        sendings: &'a [FirstSending],
        crowd: Option<&Crowd>,
    ) -> Self {
        let mut used = vec![false; connection.subflows.len()];
        for sending in interruptible(sendings) {
            if let Some(used) = used.get_mut(sending.subflow) {
                *used = true;
            }
        }
        let streams = connection.subflows.iter().copied().enumerate().zip(used);
        let shown = streams.filter(|((_, stream), used)| *used && request.shows_subflow(*stream));
        let shown = shown.map(|(subflow, _)| subflow);
        let drawn = crowd.map(Crowd::drawn);
        let is_drawn = |index: usize| drawn.as_ref().is_none_or(|drawn| drawn.contains(&place(index)));
        let shown = shown.filter(|(index, _)| is_drawn(*index)).collect();
        Lanes { capture, request, sendings, subflows: connection.subflows.len(), shown }
    }

    /// The indices of the subflows that have a lane.
    fn indices(&self) -> Vec<u32> {
        self.shown.iter().map(|(index, _)| place(*index)).collect()
    }

    fn stretches(&self, towards: Role, clockwork: Clockwork) -> Panel {
        let inside = self.sendings.iter().filter(|sending| self.request.shows(clockwork.seconds(sending.time)));
        let inside: Vec<FirstSending> = inside.copied().collect();
        let mut lanes: Vec<Option<usize>> = vec![None; self.subflows];
        for (lane, (subflow, _)) in interruptible(self.shown.iter().enumerate()) {
            if let Some(own) = lanes.get_mut(*subflow) {
                *own = Some(lane);
            }
        }
        let mut strokes: Vec<(Vec<HorizontalStroke>, Vec<u64>)> = vec![Default::default(); self.shown.len()];
        for stretch in interruptible(stretches(&inside)) {
            let Some(lane) = lanes.get(stretch.subflow).copied().flatten() else { continue };
            if let Some((own, packets)) = strokes.get_mut(lane) {
                packets.push(self.packet(stretch.row));
                let y = value(lane as u64);
                own.push(HorizontalStroke { x_low: value(stretch.start), x_high: value(stretch.end), y });
            }
        }
        let names = self.shown.iter().map(|(_, stream)| self.request.subflow_name(*stream));
        let axis = Axis { reversed: true, ..Axis::of_categories("", names) };
        let panel = panel(towards, Axis::new("data sequence number", Unit::Bytes), axis);
        let marks = strokes.into_iter().map(|(strokes, packets)| (Marks::HorizontalStrokes(strokes), packets));
        self.with_series(panel, marks)
    }

    fn shares(&self, towards: Role, clockwork: Clockwork) -> Panel {
        let most = SHARES.checked_div(self.subflows).unwrap_or(INSTANTS).clamp(1, INSTANTS);
        let divisions = divisions(self.sendings, self.subflows, most);
        let lines = self.shown.iter().map(|(subflow, _)| {
            let points = divisions.iter().filter_map(|division| {
                let share = division.shares.get(*subflow).copied()?;
                Some((Point { x: clockwork.seconds(division.time), y: share }, self.packet(division.row)))
            });
            let (points, packets) = points.filter(|(point, _)| self.request.shows(point.x)).unzip();
            (Marks::Lines(points), packets)
        });
        let (x, y) = (Axis::new("time", Unit::Seconds), Axis::new("share so far", Unit::Share));
        self.with_series(panel_of("shares", towards, x, y), lines)
    }

    fn with_series(&self, mut panel: Panel, marks: impl Iterator<Item = (Marks, Vec<u64>)>) -> Panel {
        for ((index, stream), (marks, packets)) in interruptible(self.shown.iter().zip(marks)) {
            let look = FigureRole::subflow(place(*index));
            panel.series.push(Series::new(self.request.subflow_name(*stream), look, marks).of_packets(packets));
        }
        panel
    }

    /// Number of the packet in a row; 0 for none.
    fn packet(&self, row: PacketRow) -> u64 {
        self.capture.segments.get(row.index()).map_or(0, |segment| segment.packetid())
    }
}

/// The index of a subflow as series have it.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
