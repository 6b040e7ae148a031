//! Gain of each reinjection, from captures of both ends.

use std::collections::BTreeMap;

use crate::arguments::two_captures::TwoCaptures;
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role as FigureRole, RoleKind, Series, Unit};
use crate::error::Result;
use crate::plots::first_clock::FirstClock;
use crate::plots::panels::{panel, panel_of, with_panels};
use crate::plots::request::PlotRequest;
use mptcp_trace::StreamId;
use mptcp_trace::analysis::merge::Which;
use mptcp_trace::analysis::qualify_reinjections::{QualifiedReinjection, ReinjectionVerdict, qualify_reinjections};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::packets::segment::Segment;
use mptcp_trace::tracking::Role;

/// The kinds of reinjections that have marks of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Useful,
    Redundant,
    Lost,
}

impl Outcome {
    const ALL: [Outcome; 3] = [Outcome::Useful, Outcome::Redundant, Outcome::Lost];

    /// `None` where the receiver's capture does not tell.
    fn of(verdict: ReinjectionVerdict) -> Option<Self> {
        Some(match verdict {
            ReinjectionVerdict::Useful => Outcome::Useful,
            ReinjectionVerdict::Redundant => Outcome::Redundant,
            ReinjectionVerdict::Lost | ReinjectionVerdict::NeverArrived => Outcome::Lost,
            ReinjectionVerdict::OutsideCapture => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Outcome::Useful => "useful",
            Outcome::Redundant => "redundant",
            Outcome::Lost => "lost",
        }
    }

    fn look(self, subflow: u32) -> FigureRole {
        let kind = match self {
            Outcome::Useful => RoleKind::Reinjection,
            Outcome::Redundant => RoleKind::Event,
            Outcome::Lost => RoleKind::Loss,
        };
        FigureRole::of_subflow(kind, subflow)
    }
}

/// Why a reinjection has no gain: the places of a panel without numbers.
const WITHOUT_GAIN: [&str; 3] = ["original", "reinjection", "both"];

/// The place of a reinjection without a gain among [`WITHOUT_GAIN`].
fn missing(one: &QualifiedReinjection) -> f64 {
    match one.verdict {
        ReinjectionVerdict::Useful | ReinjectionVerdict::Redundant => 0.0,
        ReinjectionVerdict::Lost => 1.0,
        ReinjectionVerdict::NeverArrived | ReinjectionVerdict::OutsideCapture => 2.0,
    }
}

/// The figure from both ends' captures.
///
/// # Errors
/// [`crate::error::Error::Interrupted`] by Ctrl-C.
pub fn gains(captures: &TwoCaptures, request: &PlotRequest) -> Result<Figure> {
    let pair = captures.connection()?;
    let (merged, clock) = captures.merge()?;
    let clock = FirstClock::new(&captures.first, &clock);
    let (mut panels, mut counts) = (Vec::new(), Vec::new());
    for towards in request.directions() {
        let sender = pair.direction(towards).sender_is;
        let segments = &captures.of(sender).segments;
        let found = qualify_reinjections(&pair, &merged, Some(towards));
        let shown: Vec<Shown<'_>> = found
            .iter()
            .flat_map(|direction| &direction.reinjections)
            .filter(|one| request.shows_subflow(one.tcpstream))
            .filter_map(|one| {
                let pair = pair.streams().iter().find(|pair| sender.of(pair.first, pair.second) == one.tcpstream)?;
                let time = time(segments, one, sender, clock)?;
                Some(Shown { time, subflow: captures.position(*pair), stream: pair.first, one })
            })
            .filter(|shown| request.shows(shown.time))
            .collect();
        panels.extend(panels_of(&shown, towards, request));
        counts.extend(counted(&shown, towards));
    }
    let (first, second) = (captures.first.name(), captures.second.name());
    let number = captures.connection_number().unwrap_or_default();
    let title = format!("Gains of reinjections: MPTCP connection {number} of {first}, and {second}");
    let mut figure = with_panels(Figure::new(title), panels);
    figure.caption.extend(counts);
    if !figure.panels.iter().all(|panel| panel.series.is_empty()) {
        figure.caption.push("Colours show the subflow that repeated the data.".to_string());
    }
    figure.caption.push(
        "Gain: arrival of the original minus arrival of the reinjection, by the receiver's clock. Negative: the \
         reinjection arrived too late."
            .to_string(),
    );
    figure.caption.extend(captures.notes(pair.client()).iter().map(|note| format!("{note}.")));
    Ok(figure)
}

/// A reinjection, and when it was sent.
struct Shown<'a> {
    time: f64,
    /// Place of the subflow that carried it, as in plots of the first capture.
    subflow: u32,
    /// Its number in the first capture.
    stream: StreamId,
    one: &'a QualifiedReinjection,
}

impl Shown<'_> {
    fn is(&self, outcome: Outcome) -> bool {
        Outcome::of(self.one.verdict) == Some(outcome)
    }
}

/// When the reinjecting packet was sent, on the first capture's clock.
fn time(segments: &[Segment], one: &QualifiedReinjection, sender: Which, clock: FirstClock<'_>) -> Option<f64> {
    Some(clock.seconds(sender, segments.get(one.row.index())?.abstime))
}

/// Number of each kind, in a sentence; `None` without any.
fn counted(shown: &[Shown<'_>], towards: Role) -> Option<String> {
    let count = |outcome: Outcome| (shown.iter().filter(|one| one.is(outcome)).count(), outcome.name());
    let mut counts = Outcome::ALL.map(count).map(|(count, name)| format!("{count} {name}")).join(", ");
    let outside = shown.iter().filter(|one| Outcome::of(one.one.verdict).is_none()).count();
    if outside > 0 {
        counts.push_str(&format!(", {outside} not shown because the receiver's capture may not have been running"));
    }
    (!shown.is_empty()).then(|| format!("Towards the {}: {counts}.", towards.name()))
}

/// Points and their packets.
type Marked = (Vec<Point>, Vec<u64>);

/// Gains over time, and a panel for those without one, where there are any of either.
fn panels_of(shown: &[Shown<'_>], towards: Role, request: &PlotRequest) -> Vec<Panel> {
    let sent = || Axis::new("time sent", Unit::Seconds);
    let mut gains = panel(towards, sent(), Axis::new("gain", Unit::Seconds));
    let names = Axis::of_categories("never arrived", WITHOUT_GAIN);
    let mut without = panel_of("without a gain", towards, sent(), names);
    for outcome in Outcome::ALL {
        let mut by_subflow: BTreeMap<u32, [Marked; 2]> = BTreeMap::new();
        for Shown { time, subflow, one, .. } in interruptible(shown.iter().filter(|shown| shown.is(outcome))) {
            let [measured, others] = by_subflow.entry(*subflow).or_default();
            let ((points, packets), y) = match one.reinj_delta {
                Some(gain) => (measured, gain),
                None => (others, missing(one)),
            };
            points.push(Point { x: *time, y });
            packets.push(one.packetid);
        }
        for (subflow, [measured, others]) in by_subflow {
            for (panel, (points, packets)) in [(&mut gains, measured), (&mut without, others)] {
                if !points.is_empty() {
                    let series = Series::new(outcome.name(), outcome.look(subflow), Marks::Points(points));
                    panel.series.push(series.of_packets(packets));
                }
            }
        }
    }
    // The legend has the colours of subflows, and beside them the marks of outcomes.
    let streams: BTreeMap<u32, StreamId> = shown.iter().map(|shown| (shown.subflow, shown.stream)).collect();
    let colour = |(subflow, stream): (u32, StreamId)| {
        Series::new(request.subflow_name(stream), FigureRole::subflow(subflow), Marks::Points(Vec::new()))
    };
    let colours: Vec<Series> = streams.into_iter().map(colour).collect();
    for panel in [&mut gains, &mut without].into_iter().filter(|panel| !panel.series.is_empty()) {
        panel.series.splice(0..0, colours.iter().cloned());
    }
    match (gains.series.is_empty(), without.series.is_empty()) {
        (_, true) => vec![gains],
        (true, false) => vec![without],
        (false, false) => vec![gains, without],
    }
}
