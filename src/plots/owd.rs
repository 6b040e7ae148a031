//! One-way delays between two captures: how long each packet took, over the time it was sent.

use clap::ArgMatches;

use super::captions::sentence;
use super::crowded::thinned;
use super::first_clock::FirstClock;
use super::panels::{panel, with_panels};
use super::registry::Plot;
use super::request::PlotRequest;
use crate::arguments::CaptureSource;
use crate::arguments::two_captures::{self, TwoCaptures};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role as FigureRole, Series, Unit};
use crate::error::{Error, Result};
use mptcp_trace::analysis::clock::{Clock, Correction};
use mptcp_trace::analysis::merge::{Fate, Merged, StreamPassages, Which};
use mptcp_trace::analysis::one_way_delays::samples;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::Role;
use mptcp_trace::units::counted;

/// One-way delays over time.
pub struct Owd;

impl Described for Owd {
    fn name(&self) -> &'static str {
        "owd"
    }

    fn summary(&self) -> &'static str {
        "One-way delay of each packet between two captures, over sending time"
    }

    fn details(&self) -> &'static str {
        "Each packet found in both captures is a point: its sending time, and the receiver's time minus the sender's. \
         Packets without data are included, and retransmissions count separately; a large frame that was split on the \
         way counts once, with its last part. Times are by PCAP1's clock, from its first frame; packets sent at PCAP2 \
         are placed by the estimated clock error. Delays are corrected as --clock says; by default nothing is \
         corrected unless a delay would be negative. `print_owds` prints the same delays."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        two_captures::with_level(command).arg(two_captures::correction_argument())
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "plot owd mptcp examples/client.pcapng 0 examples/server.pcapng",
                purpose: "every subflow of connection 0, both directions",
            },
            Example {
                line: "plot owd tcp examples/client.pcapng 1 examples/server.pcapng --towards server -o owd.svg",
                purpose: "one subflow, one way",
            },
        ]
    }
}

impl Plot for Owd {
    fn takes_origin(&self) -> bool {
        false
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let captures = TwoCaptures::of_level(arguments, source)?;
        let (merged, clock) = captures.merge()?;
        let correction = two_captures::correction(arguments, &clock, &merged);
        let connection = captures.connection_number().and_then(|number| captures.first.tracking.connection(number));
        request.check_subflows(connection, merged.flows.first().map(|flow| flow.pair.first))?;
        if let Some(sentence) = request.unused_labels(connection, merged.flows.first().map(|flow| flow.pair.first)) {
            source.warn(sentence);
        }
        let request = match connection {
            Some(connection) => request.clone().with_paths_of(&captures.first, connection),
            None => request.clone(),
        };
        let figure = owd(&captures, &merged, &clock, correction, &request);
        if request.is_limited() && figure.panels.iter().all(|panel| panel.series.is_empty()) {
            return Err(Error::NotFound(
                "no packet in both captures in this time; change --start or --end".to_string(),
            ));
        }
        Ok(figure)
    }
}

/// The figure.
#[must_use]
pub fn owd(
    captures: &TwoCaptures,
    merged: &Merged,
    clock: &Clock,
    correction: Correction,
    request: &PlotRequest,
) -> Figure {
    let what = match captures.connection_number() {
        Some(number) => format!("MPTCP connection {number}"),
        None => merged.flows.first().map_or_else(String::new, |flow| format!("TCP stream {}", flow.pair.first)),
    };
    let (first, second) = (captures.first.name(), captures.second.name());
    let delays = Delays { captures, merged, clock, correction, request };
    let panels = request.directions().into_iter().map(|towards| delays.panel(towards)).collect();
    let connection = captures.connection_number().and_then(|number| captures.first.tracking.connection(number));
    let only = connection.and_then(|connection| request.subflows_shown(connection));
    let only = only.map_or_else(String::new, |only| format!(", {only}"));
    let mut figure = with_panels(Figure::new(format!("One-way delays: {what} of {first}, and {second}{only}")), panels);
    figure.caption.push(sentence(&two_captures::clock_note(clock, correction)));
    figure.caption.extend(captures.notes((merged.client, merged.evidence)).iter().map(|note| format!("{note}.")));
    let unnamed = |flow: &&StreamPassages| !request.labels.contains_key(&flow.pair.first);
    if delays.flows().filter(unnamed).any(|flow| flow.pair.first != flow.pair.second) {
        figure
            .caption
            .push(format!("Where there are two stream numbers, the first is from {first}, the second from {second}."));
    }
    figure.caption.extend(delays.without());
    match connection {
        Some(connection) => thinned(figure, &captures.first, connection, request),
        None => figure,
    }
}

struct Delays<'a> {
    captures: &'a TwoCaptures,
    merged: &'a Merged,
    clock: &'a Clock,
    correction: Correction,
    request: &'a PlotRequest,
}

impl Delays<'_> {
    fn panel(&self, towards: Role) -> Panel {
        let (x, y) = (Axis::new("time sent", Unit::Seconds), Axis::new("one-way delay", Unit::Seconds));
        let mut panel = panel(towards, x, y);
        for flow in interruptible(self.flows().filter(|flow| flow.towards() == towards)) {
            let look = FigureRole::subflow(self.captures.position(flow.pair));
            let (points, packets) = self.points(flow);
            panel.series.push(Series::new(self.name(flow), look, Marks::Points(points)).of_packets(packets));
        }
        panel.series.retain(|series| !series.marks.is_empty());
        panel
    }

    fn flows(&self) -> impl Iterator<Item = &StreamPassages> {
        self.merged.flows.iter().filter(|flow| self.request.shows_subflow(flow.pair.first))
    }

    /// The name that the request or the first capture has for it; otherwise its number, and that in the other capture where
    /// it has another one there.
    fn name(&self, flow: &StreamPassages) -> String {
        let what = if self.captures.connection_number().is_some() { "subflow" } else { "stream" };
        let (first, second) = (flow.pair.first, flow.pair.second);
        match self.request.labels.get(&first) {
            Some(label) => label.clone(),
            None if first == second => format!("{what} {first}"),
            None => format!("{what} {first}:{second}"),
        }
    }

    /// The delays, and the number that each packet has in the first capture.
    fn points(&self, flow: &StreamPassages) -> (Vec<Point>, Vec<u64>) {
        let places = FirstClock::new(&self.captures.first, self.clock);
        let segments = &self.captures.first.segments;
        let delays = samples(flow, self.clock, self.correction).map(|sample| {
            let row = if flow.sender == Which::First { sample.sender } else { sample.receiver };
            let packet = segments.get(row.index()).map_or(0, |segment| segment.packetid());
            (Point { x: places.seconds(flow.sender, sample.sent), y: sample.delay.seconds() }, packet)
        });
        delays.filter(|(point, _)| self.request.shows(point.x)).unzip()
    }

    /// Packets that have no delay, in a sentence.
    fn without(&self) -> Option<String> {
        let places = FirstClock::new(&self.captures.first, self.clock);
        let (mut lost, mut outside, mut unseen) = (0_u64, 0_u64, 0_u64);
        let wanted = self.request.directions();
        for flow in interruptible(self.flows().filter(|flow| wanted.contains(&flow.towards()))) {
            for passage in interruptible(&flow.passages) {
                if passage.sent.is_some_and(|sent| !self.request.shows(places.seconds(flow.sender, sent))) {
                    continue;
                }
                match passage.fate {
                    Fate::Lost => lost += 1,
                    Fate::OutsideCapture => outside += 1,
                    Fate::NotCapturedAtReceiver | Fate::NotCapturedAtSender => unseen += 1,
                    Fate::Received | Fate::Duplicate => {}
                }
            }
        }
        let under_way = "in flight when the other capture began or ended";
        let parts: Vec<String> = [(lost, "lost"), (outside, under_way), (unseen, "found in one capture only")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", counted(count, "packet")))
            .collect();
        (!parts.is_empty()).then(|| format!("Not shown, because they have no delay: {}.", parts.join(", ")))
    }
}
