//! Data out of order at the receiver: how much waited over time, and how long.

use clap::ArgMatches;

use super::captions::{sentence, without_handshake};
use super::crowded::thinned;
use super::directions::About;
use super::panels::{panel, panel_of, with_panels};
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role as FigureRole, RoleKind, Series, Unit};
use crate::error::Result;
use mptcp_trace::analysis::out_of_order::{OutOfOrderDirection, out_of_order};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection};
use mptcp_trace::{PacketRow, Span};

/// The reorder buffer over time, and the distribution of head-of-line delays.
pub struct Ooo;

impl Described for Ooo {
    fn name(&self) -> &'static str {
        "ooo"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["out_of_order"]
    }

    fn summary(&self) -> &'static str {
        "Data waiting in the reorder buffer over time, and waiting times, by subflow"
    }

    fn details(&self) -> &'static str {
        "For each direction, the upper panel shows the bytes waiting for earlier data, on any subflow. The lower one \
         shows, for each delay, the share of ranges with at most that head-of-line delay, by the subflow that carried \
         them. In-order data did not wait and is not included. At the receiver, this is what its application waited \
         for; `ooo` prints the same numbers. --start and --end refer to the time of arrival."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        command.arg(arguments::mptcp_stream())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot ooo 0", purpose: "waiting data, both directions" },
            Example {
                line: "plot ooo 0 --towards server --size 800x500 -o ooo.svg",
                purpose: "the upload's, for a document",
            },
        ]
    }
}

impl Plot for Ooo {
    fn about(&self, _: &ArgMatches) -> About {
        About::Receiver
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        Ok(ooo(&capture, connection, request))
    }
}

/// The figure.
#[must_use]
pub fn ooo(capture: &Capture, connection: &Connection, request: &PlotRequest) -> Figure {
    let clockwork = Clockwork::of(capture);
    let wanted = request.directions();
    let found = out_of_order(capture, connection);
    let directions = found.directions.iter().filter(|direction| wanted.contains(&direction.towards));
    let mut panels = Vec::new();
    let mut remarks = Vec::new();
    for direction in directions {
        panels.push(occupancy(direction, capture, request));
        panels.push(delays(direction, connection, request, clockwork));
        if direction.out_of_order_segments > 0 {
            remarks.extend(direction.remarks());
        }
    }
    let title = format!("Data out of order: MPTCP connection {} of {}", connection.id, capture.name());
    let mut figure = with_panels(Figure::new(title), panels);
    if connection.subflows.iter().any(|stream| !request.shows_subflow(*stream)) {
        figure.caption.push("Waiting bytes are those of all subflows, including omitted ones.".to_string());
    }
    figure.caption.extend(remarks.iter().map(|remark| sentence(remark)));
    figure.caption.extend(without_handshake(connection));
    thinned(figure, capture, connection, request)
}

/// Series of all subflows together in both panels.
const ALL: &str = "all subflows";

fn occupancy(direction: &OutOfOrderDirection, capture: &Capture, request: &PlotRequest) -> Panel {
    let clockwork = Clockwork::of(capture);
    let packet = |row: PacketRow| capture.segments.get(row.index()).map_or(0, |segment| segment.packetid());
    let steps = direction.occupancy.iter().map(|(time, bytes, row)| {
        let point = Point { x: clockwork.seconds(*time), y: value(*bytes) };
        (point, packet(*row))
    });
    let (shown, packets): (Vec<Point>, Vec<u64>) = steps.filter(|(point, _)| request.shows(point.x)).unzip();
    panel(direction.towards, Axis::new("time", Unit::Seconds), Axis::new("waiting", Unit::Bytes))
        .with_series(Series::new(ALL, FigureRole::of(RoleKind::Total), Marks::Steps(shown)).of_packets(packets))
}

fn delays(
    direction: &OutOfOrderDirection,
    connection: &Connection,
    request: &PlotRequest,
    clockwork: Clockwork,
) -> Panel {
    let (x, y) = (Axis::new("head-of-line delay", Unit::Seconds), Axis::new("share of waits", Unit::Share));
    let mut panel = panel_of("delays", direction.towards, x, y);
    let mut together = Vec::new();
    for waited in interruptible(direction.subflows.iter().filter(|waited| request.shows_subflow(waited.tcpstream))) {
        let shown = waited.waits.iter().filter(|wait| request.shows(clockwork.seconds(wait.since)));
        let own: Vec<Span> = shown.map(|wait| wait.span).collect();
        let index = connection.subflows.binary_search(&waited.tcpstream).ok().and_then(|at| u32::try_from(at).ok());
        if let (Some(index), false) = (index, own.is_empty()) {
            together.extend_from_slice(&own);
            let name = request.subflow_name(waited.tcpstream);
            panel.series.push(Series::new(name, FigureRole::subflow(index), Marks::Steps(shares(own))));
        }
    }
    if !together.is_empty() {
        panel.series.push(Series::new(ALL, FigureRole::of(RoleKind::Total), Marks::Steps(shares(together))));
    }
    panel
}

/// For each delay, the share of delays that are no longer: from nothing to all.
fn shares(mut delays: Vec<Span>) -> Vec<Point> {
    delays.sort_unstable();
    let whole = value(delays.len() as u64);
    let start = delays.first().map(|shortest| Point { x: shortest.seconds(), y: 0.0 });
    let steps = (1_u64..).zip(&delays).map(|(so_far, delay)| Point { x: delay.seconds(), y: value(so_far) / whole });
    start.into_iter().chain(steps).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_rise_from_nothing_to_all() {
        // Of four delays one is at most 10 ms, three are at most 20 ms.
        let found = shares([20, 30, 10, 20].map(Span::from_milliseconds).to_vec());
        let expected = [(0.01, 0.0), (0.01, 0.25), (0.02, 0.5), (0.02, 0.75), (0.03, 1.0)];
        assert_eq!(found, expected.map(|(x, y)| Point { x, y }));
        assert!(shares(Vec::new()).is_empty());
    }
}
