//! Lengths of the mappings of an MPTCP connection.

use clap::{Arg, ArgAction, ArgMatches};

use super::directions::About;
use super::distribution::share_at_most;
use super::panels::panel;
use super::registry::Plot;
use super::request::{PlotRequest, value};
use super::subject::{Subject, SubjectStream};
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Bar, Figure, Marks, Panel, Series, Unit};
use crate::error::Result;
use mptcp_trace::analysis::mapping_lengths::{Bin, MappingLengths, histogram, mapping_lengths};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::units::{bytes, counted};

/// Bins of a histogram, at most.
const BINS: u64 = 24;

/// Lengths of mappings.
pub struct DssLen;

impl Described for DssLen {
    fn name(&self) -> &'static str {
        "dss_len"
    }

    fn summary(&self) -> &'static str {
        "Lengths of the mappings in DSS options, as a distribution by subflow"
    }

    fn details(&self) -> &'static str {
        "A mapping says which data a range of a subflow carries. A repeated mapping, in each segment that it covers \
         or in a retransmission, counts once; the byte of DATA_FIN is excluded. Mappings of a \
         DATA_FIN alone are only counted, below the plot. The lines give the share of a subflow's mappings that are at most so long. With --histogram, each group of bars is one range \
         of lengths, with one bar per subflow in order; the table of values then has these ranges, from x up to but \
         not including x_end, with their counts. --start, --end and --origin are refused, because no axis shows time."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let histogram = Arg::new("histogram")
            .long("histogram")
            .action(ArgAction::SetTrue)
            .help("Count mappings in ranges of lengths instead");
        command.arg(arguments::mptcp_stream()).arg(histogram)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot dss_len 0 --towards server", purpose: "mappings of the upload" },
            Example {
                line: "plot dss_len 0 --histogram -o lengths.svg",
                purpose: "bars, both directions, into a file",
            },
        ]
    }
}

impl Plot for DssLen {
    fn takes_origin(&self) -> bool {
        false
    }

    fn about(&self, _: &ArgMatches) -> About {
        About::Data
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        request.whole_time(self.name())?;
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        Ok(figure(&capture, connection, request, arguments.get_flag("histogram")))
    }
}

fn figure(capture: &Capture, connection: &Connection, request: &PlotRequest, histogram: bool) -> Figure {
    let subject = Subject::of_connection(capture, connection, request);
    let found = mapping_lengths(capture, connection);
    let of = |towards: Role| -> Vec<(&SubjectStream<'_>, &MappingLengths)> {
        let own = subject.flows.iter().filter_map(|flow| Some((flow, found.get(towards).get(flow.index as usize)?)));
        own.collect()
    };
    let directions = request.directions();
    let longest = directions.iter().flat_map(|towards| of(*towards)).flat_map(|(_, own)| &own.lengths).max();
    // The same bins in both panels.
    let width = width(longest.copied().unwrap_or_default());
    let mut figure = Figure::new(subject.title("Lengths of mappings"));
    for towards in &directions {
        let own = of(*towards);
        figure = figure.with_panel(if histogram { bars(*towards, &own, width) } else { shares(*towards, &own) });
    }
    let side_by_side = match subject.flows.len() {
        0 | 1 => "",
        _ => "; bars of one bin stand side by side in subflow order",
    };
    figure = figure.with_caption(if histogram {
        format!("Distinct mappings, in bins of {}{side_by_side}.", bytes(width))
    } else {
        "Distinct mappings: the share of each subflow's that is at most so long.".to_string()
    });
    let data_fins = directions.iter().flat_map(|towards| of(*towards)).map(|(_, own)| own.data_fin_alone).sum::<u64>();
    if data_fins > 0 {
        figure = figure.with_caption(format!(
            "Not shown: {} of a DATA_FIN alone, which carry nothing.",
            counted(data_fins, "distinct mapping")
        ));
    }
    let infinite = directions.iter().flat_map(|towards| of(*towards)).map(|(_, own)| own.infinite).sum::<u64>();
    if infinite > 0 {
        figure = figure.with_caption(format!(
            "{} without a length not shown: the connection fell back to TCP.",
            counted(infinite, "infinite mapping")
        ));
    }
    subject.thinned(figure, capture, request)
}

/// The distribution of each flow that has mappings.
fn shares(towards: Role, flows: &[(&SubjectStream<'_>, &MappingLengths)]) -> Panel {
    let y = Axis::new("share of mappings", Unit::Share).with_range(0.0, 1.02);
    let mut panel = panel(towards, Axis::new("length of a mapping", Unit::Bytes), y);
    for (flow, own) in interruptible(flows.iter().filter(|(_, own)| !own.lengths.is_empty())) {
        let lengths = own.lengths.iter().map(|length| i64::try_from(*length).unwrap_or(i64::MAX));
        let points = share_at_most(lengths.collect(), 1.0);
        panel = panel.with_series(Series::new(flow.name.as_str(), flow.look(), Marks::Steps(points)));
    }
    panel
}

/// Bars of each flow that has mappings, one a bin.
fn bars(towards: Role, flows: &[(&SubjectStream<'_>, &MappingLengths)], width: u64) -> Panel {
    let x = Axis::new("length of a mapping", Unit::Bytes);
    let mut panel = panel(towards, x, Axis::new("mappings", Unit::Count));
    for (flow, own) in interruptible(flows.iter().filter(|(_, own)| !own.lengths.is_empty())) {
        let bins = histogram(&own.lengths, width);
        let bar = |bin: &Bin| Bar { x_low: value(bin.low), x_high: value(bin.high), y: value(bin.count) };
        let bars = bins.iter().map(bar).collect();
        panel = panel.with_series(Series::new(flow.name.as_str(), flow.look(), Marks::Bars(bars)));
    }
    panel
}

/// The least of 1, 2 and 5 times a power of ten that cuts `longest` into at most [`BINS`] bins.
fn width(longest: u64) -> u64 {
    let decades = (0..=19).filter_map(|power| 10_u64.checked_pow(power));
    let mut widths = decades.flat_map(|decade| [1, 2, 5].into_iter().filter_map(move |step| decade.checked_mul(step)));
    widths.find(|width| longest / width < BINS).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_few_and_of_even_width() {
        assert_eq!(width(0), 1);
        assert_eq!(width(23), 1);
        assert_eq!(width(24), 2);
        assert_eq!(width(1428), 100);
        assert_eq!(width(65_535), 5000);
        assert!(width(u64::MAX) > u64::MAX / 25);
    }
}
