//! Time between the packets of a stream or of each subflow.

use clap::{Arg, ArgAction, ArgMatches};

use super::directions::About;
use super::distribution::share_at_most;
use super::panels::panel;
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest};
use super::subject::{self, Subject};
use crate::arguments::CaptureSource;
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Series, Unit};
use crate::error::Result;
use mptcp_trace::analysis::interarrival::{Counted, interarrival};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Capture;
use mptcp_trace::units::grouped;

/// Times between packets.
pub struct Interarrival;

impl Described for Interarrival {
    fn name(&self) -> &'static str {
        "interarrival"
    }

    fn summary(&self) -> &'static str {
        "Distribution of the time between packets, by subflow and direction"
    }

    fn details(&self) -> &'static str {
        "Share of packets that followed the previous one, on the same subflow and in the same direction, within a \
         given time. Packets with payload count, including retransmissions; with --all-packets, so do pure \
         acknowledgements and handshakes. Offloading merges many packets into one frame, and a clock with microsecond \
         resolution may give consecutive packets the same time."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let all = Arg::new("all_packets")
            .long("all-packets")
            .action(ArgAction::SetTrue)
            .help("Also count packets without payload");
        subject::with_arguments(command).arg(all)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot interarrival mptcp 0 --towards server", purpose: "the upload, by subflow" },
            Example { line: "plot interarrival tcp 1 --all-packets -o gaps.svg", purpose: "all packets of stream 1" },
        ]
    }
}

impl Plot for Interarrival {
    fn about(&self, arguments: &ArgMatches) -> About {
        if arguments.get_flag("all_packets") { About::Packets } else { About::Data }
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let subject = Subject::of_arguments(&capture, arguments, request)?;
        let counted = if arguments.get_flag("all_packets") { Counted::All } else { Counted::Data };
        Ok(figure(&capture, &subject, counted, request))
    }
}

fn figure(capture: &Capture, subject: &Subject<'_>, counted: Counted, request: &PlotRequest) -> Figure {
    let packet = match counted {
        Counted::Data => "data packet",
        Counted::All => "packet",
    };
    let mut figure = Figure::new(subject.title(&format!("Time between {packet}s")));
    let clockwork = Clockwork::of(capture);
    let found: Vec<_> = subject.flows.iter().map(|flow| interarrival(capture, flow.stream, counted)).collect();
    let (mut all, mut zero) = (0_u64, 0_u64);
    for towards in request.directions() {
        let x = Axis::new(format!("time since the {packet} before"), Unit::Seconds).logarithmic();
        let y = Axis::new(format!("share of {packet}s"), Unit::Share).with_range(0.0, 1.02);
        let mut panel = panel(towards, x, y);
        for (flow, found) in interruptible(subject.flows.iter().zip(&found)) {
            let gaps = found.get(flow.stream_role(towards)).iter();
            let shown = gaps.filter(|gap| request.shows(clockwork.seconds(gap.time)));
            let spans: Vec<i64> = shown.map(|gap| gap.span.nanoseconds()).collect();
            all = all.saturating_add(spans.len() as u64);
            zero = zero.saturating_add(spans.iter().filter(|span| **span == 0).count() as u64);
            let mut points = share_at_most(spans, 1e-9);
            // What has no place on the axis counts in the shares all the same.
            points.retain(|point| point.x > 0.0);
            if !points.is_empty() {
                panel = panel.with_series(Series::new(flow.name.as_str(), flow.look(), Marks::Steps(points)));
            }
        }
        figure = figure.with_panel(panel);
    }
    if zero > 0 {
        figure = figure.with_caption(format!(
            "{} of {} times are zero by the capture's clock: not on the axis, but counted in the shares.",
            grouped(zero),
            grouped(all)
        ));
    }
    figure.caption.extend(subject.place_note(request));
    subject.thinned(figure, capture, request)
}
