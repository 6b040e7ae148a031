//! The sequence diagram of a connection: who told whom what, in order.

mod lifelines;
mod messages;

use clap::{Arg, ArgMatches, value_parser};

use super::captions::without_handshake;
use super::registry::Plot;
use super::request::{PlotRequest, value};
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Arrow, Axis, Figure, Marks, Panel, Point, Role as FigureRole, Series};
use crate::error::Result;
use lifelines::Lifelines;
use messages::{Message, left_out, messages, most_telling};
use mptcp_trace::analysis::capture_point::{CapturePoint, of_connection};
use mptcp_trace::analysis::events::events;
use mptcp_trace::tracking::{Capture, Connection};

/// Handshakes and path-manager messages between the addresses of both ends.
pub struct Ladder;

impl Described for Ladder {
    fn name(&self) -> &'static str {
        "ladder"
    }

    fn summary(&self) -> &'static str {
        "Sequence diagram of handshakes, path-manager messages and endings"
    }

    fn details(&self) -> &'static str {
        "One arrow per packet with an event of `events`: MP_CAPABLE, MP_JOIN, ADD_ADDR and its echo, REMOVE_ADDR, \
         MP_PRIO, MP_FAIL, infinite mapping, fallback, MP_FASTCLOSE, DATA_FIN, the first FIN and RST of each end of a \
         subflow. Lifelines are the addresses used by the ends. Messages are listed in order, each with its recording \
         time; distances are not to scale."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let most = Arg::new("most")
            .long("most")
            .value_name("COUNT")
            .value_parser(value_parser!(u16).range(1..=200))
            .default_value("30")
            .help("Maximum number of messages; FIN and echoes are dropped first, then joins and ADD_ADDR");
        command.arg(arguments::mptcp_stream()).arg(most)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot ladder 0", purpose: "setup and closing of connection 0" },
            Example {
                line: "plot ladder 0 --end 2 --size 700x500 -o handshakes.svg",
                purpose: "its handshakes, for a document",
            },
        ]
    }
}

impl Plot for Ladder {
    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let most = arguments.get_one::<u16>("most").copied().unwrap_or(30);
        Ok(ladder(&capture, connection, request, most.into()))
    }
}

/// The figure, with at most `most` messages.
#[must_use]
pub fn ladder(capture: &Capture, connection: &Connection, request: &PlotRequest, most: usize) -> Figure {
    let wanted = request.directions();
    let all: Vec<Message> = messages(&capture.segments, &events(capture, connection, None))
        .into_iter()
        .filter(|message| wanted.contains(&message.towards) && request.shows_subflow(message.tcpstream))
        .filter(|message| request.shows(message.reltime))
        .collect();
    let shown = most_telling(&all, most);
    let title = format!("Messages: MPTCP connection {} of {}", connection.id, capture.name());
    let mut figure = Figure::new(title).with_panel(panel(capture, connection, request, &shown));
    let place = match of_connection(capture, connection) {
        Some(CapturePoint::At(role)) => format!(" at the {}", role.name()),
        Some(CapturePoint::Between) => " on the way".to_string(),
        None => String::new(),
    };
    figure.caption.push(format!("In order, not to scale. Times are recording times{place}."));
    if let Some(others) = left_out(&all, &shown) {
        figure.caption.push(format!(
            "Not shown of {} messages: {others}; --most shows more, --start and --end others.",
            all.len()
        ));
    }
    figure.caption.extend(without_handshake(connection));
    figure
}

fn panel(capture: &Capture, connection: &Connection, request: &PlotRequest, shown: &[&Message]) -> Panel {
    let lifelines = Lifelines::of(capture, shown);
    let mut by_subflow: Vec<(Vec<Arrow>, Vec<u64>)> = vec![Default::default(); connection.subflows.len()];
    for (place, message) in (0_u64..).zip(shown) {
        let position = connection.subflows.binary_search(&message.tcpstream).ok();
        let Some((own, packets)) = position.and_then(|position| by_subflow.get_mut(position)) else { continue };
        let Some((from, to)) = lifelines.ends(capture, message) else { continue };
        let y = value(place);
        packets.push(capture.segments.get(message.row.index()).map_or(0, |segment| segment.packetid()));
        own.push(Arrow { from: Point { x: from, y }, to: Point { x: to, y }, text: message.text.clone() });
    }
    let down = time_axis(shown, request);
    // One more place above the first message, for its text.
    let down = down.with_range(-1.0, value(shown.len().max(1) as u64) - 0.5);
    let mut panel = Panel::new(Axis::of_categories("", lifelines.names()), down);
    for ((index, stream), (arrows, packets)) in (0_u32..).zip(&connection.subflows).zip(by_subflow) {
        if !arrows.is_empty() {
            let look = FigureRole::subflow(index);
            let series = Series::new(request.subflow_name(*stream), look, Marks::Arrows(arrows));
            panel.series.push(series.of_packets(packets));
        }
    }
    panel
}

/// The times of the messages, downwards, with their subflows where there are several: colours alone are lost in print.
fn time_axis(shown: &[&Message], request: &PlotRequest) -> Axis {
    let several = shown.windows(2).any(|pair| matches!(pair, [one, other] if one.tcpstream != other.tcpstream));
    let names = shown.iter().map(|message| {
        let time = format!("{:.4} s", message.reltime - request.zero);
        let named = || request.labels.get(&message.tcpstream).cloned();
        let subflow = several.then(|| named().unwrap_or_else(|| message.tcpstream.to_string()));
        subflow.map_or_else(|| time.clone(), |subflow| format!("{time} ({subflow})"))
    });
    let label = if several { "time (subflow)" } else { "time" };
    Axis { reversed: true, ..Axis::of_categories(label, names) }
}
