//! The aggregation benefit: how close a connection came to using all of its paths at once.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches};

use super::captions::without_handshake;
use super::directions::About;
use super::panels::{self, with_panels};
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, check_subflow};
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Bar, Figure, Marks, Panel, Point, Role as FigureRole, RoleKind, Series, Unit};
use crate::error::Result;
use mptcp_trace::StreamId;
use mptcp_trace::analysis::aggregation_benefit::{
    AggregationBenefit, Capacity, LEAST_WINDOWS, SHORTEST, aggregation_benefit, delivered,
};
use mptcp_trace::tracking::data::data_sequence;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::units;

/// The aggregation benefit over time.
pub struct AggrBenefit;

/// Subflows whose capacity the caption names.
const NAMED: usize = 8;

impl Described for AggrBenefit {
    fn name(&self) -> &'static str {
        "aggr_benefit"
    }

    fn summary(&self) -> &'static str {
        "Aggregation benefit over time: from the best path alone (0) to all paths together (1)"
    }

    fn details(&self) -> &'static str {
        "Compares the goodput g with the capacities C of the paths: (g - Cmax) / (sum of C - Cmax) if the goodput \
         reaches the best path's capacity, (g - Cmax) / Cmax otherwise. Source: Paasch, Khalili, Bonaventure: On the \
         Benefits of Applying Experimental Design to Improve Multipath TCP, CoNEXT 2013. Bars are time windows; the \
         line is the whole transfer, from the first to the last packet with data.\n\n\
         A capture does not contain the capacities. Without --capacity, each subflow's capacity is estimated as the \
         highest rate at which its data were acknowledged, over at least a tenth of the transfer (0.2 to 1 s), because \
         acknowledgements can be held up and come together. This is a lower bound: the path may never have been full. \
         The benefit is then an upper bound. Estimates need a transfer of at least five such windows; with fewer, the \
         highest rate is nearly the mean, and any transfer would seem perfect. Each subflow counts as a \
         separate path, even if several share a link. Goodput counts data when they were recorded: at the sender, a \
         queue can take in more than the paths carry, and a bar is then above 1."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let window = Arg::new("window").long("window").value_name("SECONDS").value_parser(seconds).help(
            "Approximate window length; the transfer is divided into equal windows, by default ten, each 0.05 to 1 s",
        );
        let capacity = Arg::new("capacity")
            .long("capacity")
            .value_name("TCPSTREAM=RATE")
            .value_parser(capacity)
            .action(ArgAction::Append)
            .help("Capacity of a subflow's path in bit/s, such as 0=20M or 1=1.5G; may be repeated, once per subflow");
        command.arg(arguments::mptcp_stream()).arg(window).arg(capacity)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot aggr_benefit 0 --towards server", purpose: "the upload, with estimated capacities" },
            Example {
                line: "plot aggr_benefit 0 --capacity 0=10M --capacity 1=10M --window 0.5",
                purpose: "with the known capacities of the paths",
            },
        ]
    }
}

impl Plot for AggrBenefit {
    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let given = arguments.get_many::<(StreamId, f64)>("capacity").into_iter().flatten().copied().collect();
        let named = arguments.get_many::<(StreamId, f64)>("capacity").into_iter().flatten();
        named.map(|(stream, _)| *stream).try_for_each(|stream| check_subflow(connection, stream))?;
        let window = arguments.get_one::<f64>("window").copied();
        Ok(aggr_benefit(&capture, connection, request, window, &given))
    }
}

/// A length of time as typed.
fn seconds(text: &str) -> std::result::Result<f64, &'static str> {
    let seconds: Option<f64> = text.parse().ok();
    seconds.filter(|seconds| *seconds > 0.0 && seconds.is_finite()).ok_or(
        "not a valid time; give a number of seconds \
        above zero",
    )
}

/// `0=20M` as the stream and bytes per second.
fn capacity(text: &str) -> std::result::Result<(StreamId, f64), &'static str> {
    let wrong =
        "not a valid capacity; give the TCP stream and its rate in bit/s, above zero and up to 1000000G, such as 0=20M";
    let (stream, rate) = text.split_once('=').ok_or(wrong)?;
    let stream = stream.trim().parse().map_err(|_| wrong)?;
    let rate = units::parsed_bit_rate(rate).ok_or(wrong)?;
    Ok((stream, rate))
}

/// The figure.
#[must_use]
pub fn aggr_benefit(
    capture: &Capture,
    connection: &Connection,
    request: &PlotRequest,
    window: Option<f64>,
    given: &BTreeMap<StreamId, f64>,
) -> Figure {
    let clockwork = Clockwork::of(capture);
    let sequence = data_sequence(&capture.segments, &capture.tracking, connection);
    let shown = |index: usize| connection.subflows.get(index).is_some_and(|stream| request.shows_subflow(*stream));
    let given: BTreeMap<StreamId, f64> = given
        .iter()
        .filter(|(stream, _)| request.shows_subflow(**stream))
        .map(|(stream, rate)| (*stream, *rate))
        .collect();
    let (mut panels, mut captions) = (Vec::new(), Vec::new());
    let mut estimated = false;
    let mut delivered = delivered(capture, connection, |time| request.shows(clockwork.seconds(time)));
    // Subflows that are not shown count for nothing.
    for by_subflow in [&mut delivered.server, &mut delivered.client] {
        let hidden = by_subflow.iter_mut().enumerate().filter(|(index, _)| !shown(*index));
        hidden.for_each(|(_, own)| own.clear());
    }
    for towards in request.directions() {
        let sent = sequence.get(towards).sent.iter();
        let sent = sent.filter(|range| shown(range.subflow) && request.shows(clockwork.seconds(range.time)));
        let found = aggregation_benefit(
            sent.copied().collect(),
            delivered.get(towards),
            &connection.subflows,
            towards,
            window,
            &given,
        );
        panels.push(panel(towards, found.as_ref(), clockwork));
        captions.extend(found.iter().map(|found| caption(found, request)));
        estimated |= found.iter().any(|found| comparable(found) && is_bound(found));
    }
    let title = format!("Aggregation benefit: MPTCP connection {} of {}", connection.id, capture.name());
    let mut figure = with_panels(Figure::new(title), panels);
    figure.caption.extend(captions);
    if estimated {
        figure.caption.push(
            "Estimates are the highest rate at which a subflow's data were acknowledged over a window: lower bounds, \
             because a path may never have been full. The benefits, those of windows too, are then upper bounds; \
             --capacity gives the capacities."
                .to_string(),
        );
    }
    figure.caption.extend(without_handshake(connection));
    figure
}

fn panel(towards: Role, found: Option<&AggregationBenefit>, clockwork: Clockwork) -> Panel {
    let y = Axis::new("aggregation benefit", Unit::Plain);
    let mut panel = panels::panel(towards, Axis::new("time", Unit::Seconds), y);
    let Some(found) = found.filter(|found| comparable(found)) else { return panel };
    let (Some(first), Some(last)) = (found.windows.first(), found.windows.last()) else { return panel };
    let (start, end) = (clockwork.seconds(first.from), clockwork.seconds(last.until));
    let level = |height: f64| Marks::Lines(vec![Point { x: start, y: height }, Point { x: end, y: height }]);
    let bars = found.windows.iter().filter_map(|window| {
        Some(Bar { x_low: clockwork.seconds(window.from), x_high: clockwork.seconds(window.until), y: window.benefit? })
    });
    panel.series.push(Series::new("windows", FigureRole::of(RoleKind::Subflow), Marks::Bars(bars.collect())));
    panel.series.push(Series::new("all paths together", FigureRole::of(RoleKind::WindowEdge), level(1.0)));
    panel.series.push(Series::new("best path alone", FigureRole::of(RoleKind::Reference), level(0.0)));
    if let Some(benefit) = found.benefit {
        panel.series.push(Series::new("whole transfer", FigureRole::of(RoleKind::Total), level(benefit)));
    }
    panel
}

/// Whether there are at least two paths, and a time to compare them over.
fn comparable(found: &AggregationBenefit) -> bool {
    found.window > 0.0 && found.capacities.iter().filter(|capacity| capacity.rate > 0.0).count() > 1
}

/// Whether the benefit depends on an estimate: subflows without a capacity that is given carried data.
fn is_bound(found: &AggregationBenefit) -> bool {
    found.capacities.iter().any(|capacity| capacity.estimated && capacity.rate > 0.0)
        || found.capacities.iter().filter(|capacity| capacity.rate > 0.0).count() < found.carriers
}

/// Where the numbers of a direction come from.
fn caption(found: &AggregationBenefit, request: &PlotRequest) -> String {
    let towards = found.towards.name();
    if !comparable(found) {
        if found.carriers < 2 || found.window <= 0.0 {
            let which = if request.omits_subflows() { "of the subflows shown " } else { "subflows " };
            return format!(
                "Towards the {towards}: fewer than two {which}carried data, or all of it at the same time."
            );
        }
        if found.duration < LEAST_WINDOWS * found.window.max(SHORTEST) {
            return format!(
                "Towards the {towards}: cannot tell, because estimates of capacities take {LEAST_WINDOWS} windows of at least \
                 {SHORTEST} s, and the data took {:.3} s in windows of {:.3} s; --capacity gives the capacities.",
                found.duration, found.window
            );
        }
        return format!(
            "Towards the {towards}: cannot tell, because data of fewer than two subflows were acknowledged in the \
             capture; --capacity gives the capacities."
        );
    }
    let mut paths: Vec<&Capacity> = found.capacities.iter().filter(|capacity| capacity.rate > 0.0).collect();
    let more = paths.len().saturating_sub(NAMED);
    if more > 0 {
        paths.sort_by(|one, other| other.rate.total_cmp(&one.rate));
    }
    let mut named: Vec<String> = paths
        .into_iter()
        .take(NAMED)
        .map(|capacity| {
            let source = if capacity.estimated { "estimated" } else { "given" };
            format!("{} ({}, {source})", units::bit_rate(capacity.rate), request.subflow_name(capacity.tcpstream))
        })
        .collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let most = if is_bound(found) { "at most " } else { "" };
    let benefit = found.benefit.map_or_else(|| "not known".to_string(), |benefit| format!("{most}{benefit:.2}"));
    format!(
        "Towards the {towards}: capacities {}; goodput {} over {:.3} s, benefit {benefit}; windows of {:.3} s.",
        named.join(", "),
        units::bit_rate(found.goodput.unwrap_or(0.0)),
        found.duration,
        found.window
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacities_are_bits_a_second() {
        assert_eq!(capacity("0=20M"), Ok((StreamId(0), 2_500_000.0)));
        assert_eq!(capacity("1 = 1.5 Gbit/s"), Ok((StreamId(1), 187_500_000.0)));
        assert_eq!(capacity("7=800k"), Ok((StreamId(7), 100_000.0)));
        assert_eq!(capacity("7=8"), Ok((StreamId(7), 1.0)));
        for wrong in ["20M", "0=", "0=M", "0=-1M", "x=1M", "0=nan", "0=infG", "0=20Q", "0=0"] {
            assert!(capacity(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn windows_have_a_length() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert!(seconds("0").is_err() && seconds("-1").is_err() && seconds("inf").is_err() && seconds("a").is_err());
    }
}
