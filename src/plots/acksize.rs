//! New data acknowledged by each DATA_ACK.

use std::collections::HashMap;

use clap::{Arg, ArgAction, ArgMatches};

use super::directions::About;
use super::distribution::share_at_most;
use super::panels::panel;
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use super::subject::{Subject, SubjectStream};
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role as FigureRole, RoleKind, Series, Unit};
use crate::error::Result;
use mptcp_trace::analysis::ack_sizes::{AckSize, ack_sizes};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::units::grouped;

/// New data per DATA_ACK.
pub struct AckSizePlot;

impl Described for AckSizePlot {
    fn name(&self) -> &'static str {
        "acksize"
    }

    fn summary(&self) -> &'static str {
        "New data acknowledged by each DATA_ACK, over time or as a distribution"
    }

    fn details(&self) -> &'static str {
        "A DATA_ACK is cumulative, whichever subflow carries it: its size is its advance over the highest one before \
         it. A large advance ended a wait for missing data. DATA_ACKs without an advance are omitted. The direction is \
         that of the data; DATA_ACKs travel the other way."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let distribution = Arg::new("distribution")
            .long("distribution")
            .action(ArgAction::SetTrue)
            .help("Share of DATA_ACKs up to each size, instead of sizes over time");
        command.arg(arguments::mptcp_stream()).arg(distribution)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot acksize 0 --towards server", purpose: "acknowledged data of the upload over time" },
            Example {
                line: "plot acksize 0 --distribution -o sizes.svg",
                purpose: "distribution of sizes, both directions",
            },
        ]
    }
}

impl Plot for AckSizePlot {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        Ok(figure(&capture, connection, request, arguments.get_flag("distribution")))
    }
}

fn figure(capture: &Capture, connection: &Connection, request: &PlotRequest, distribution: bool) -> Figure {
    let subject = Subject::of_connection(capture, connection, request);
    let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
    let clockwork = Clockwork::of(capture);
    let mut figure = Figure::new(subject.title("New data per DATA_ACK"));
    let mut without_key = Vec::new();
    let mut nothing_new = 0_u64;
    for towards in request.directions() {
        let mut found = ack_sizes(sequence.get(towards));
        found.sizes.retain(|size| request.shows(clockwork.seconds(size.time)));
        nothing_new = nothing_new.saturating_add(found.nothing_new);
        if connection.hosts.get(towards.other()).idsn.is_none() {
            without_key.push(towards);
        }
        let panel = if distribution {
            shares(&subject, towards, &found.sizes)
        } else {
            over_time(&subject, towards, &found.sizes, capture)
        };
        figure = figure.with_panel(panel);
    }
    figure = figure.with_caption(format!(
        "By the subflow that carried the DATA_ACK. Omitted: {} DATA_ACKs without an advance in the whole capture.",
        grouped(nothing_new)
    ));
    for towards in without_key {
        figure = figure.with_caption(format!(
            "Data towards the {}: the sender's key was not captured, so sizes count from the first DATA_ACK.",
            towards.name()
        ));
    }
    subject.thinned(figure, capture, request)
}

fn over_time(subject: &Subject<'_>, towards: Role, sizes: &[AckSize], capture: &Capture) -> Panel {
    let clockwork = Clockwork::of(capture);
    let y = Axis::new("newly acknowledged", Unit::Bytes).logarithmic();
    let mut panel = panel(towards, Axis::new("time", Unit::Seconds), y).titled(title(towards));
    for (flow, own) in interruptible(by_flow(subject, sizes)) {
        let point = |size: &AckSize| Point { x: clockwork.seconds(size.time), y: value(size.new) };
        let marks = Marks::Points(own.iter().map(point).collect());
        let packet = |size: &AckSize| capture.segments.get(size.row.index()).map_or(0, |segment| segment.packetid());
        let packets = own.iter().map(packet).collect();
        panel = panel.with_series(Series::new(flow.name.as_str(), flow.look(), marks).of_packets(packets));
    }
    panel
}

fn shares(subject: &Subject<'_>, towards: Role, sizes: &[AckSize]) -> Panel {
    let x = Axis::new("newly acknowledged by a DATA_ACK", Unit::Bytes).logarithmic();
    let y = Axis::new("share of DATA_ACKs", Unit::Share).with_range(0.0, 1.02);
    let mut panel = panel(towards, x, y).titled(title(towards));
    let values = |sizes: &mut dyn Iterator<Item = &AckSize>| -> Vec<i64> {
        sizes.map(|size| i64::try_from(size.new).unwrap_or(i64::MAX)).collect()
    };
    let flows = by_flow(subject, sizes);
    if !flows.is_empty() {
        let all = share_at_most(values(&mut flows.iter().flat_map(|(_, own)| own)), 1.0);
        panel = panel.with_series(Series::new("all", FigureRole::of(RoleKind::Total), Marks::Steps(all)));
    }
    for (flow, own) in interruptible(flows) {
        let marks = Marks::Steps(share_at_most(values(&mut own.iter()), 1.0));
        panel = panel.with_series(Series::new(flow.name.as_str(), flow.look(), marks));
    }
    panel
}

fn title(towards: Role) -> String {
    format!("data towards the {}", towards.name())
}

/// The sizes of each flow that has any.
fn by_flow<'a, 'b>(subject: &'a Subject<'b>, sizes: &[AckSize]) -> Vec<(&'a SubjectStream<'b>, Vec<AckSize>)> {
    let mut by_subflow = HashMap::<usize, Vec<AckSize>>::new();
    for size in interruptible(sizes) {
        by_subflow.entry(size.subflow).or_default().push(*size);
    }
    let flows = subject.flows.iter();
    flows.filter_map(|flow| Some((flow, by_subflow.remove(&(flow.index as usize))?))).collect()
}
