//! Round-trip times of a connection, by subflow: TCP's own and those of the data.

use crate::arguments::choice;
use clap::builder::PossibleValue;
use clap::{Arg, ArgAction, ArgMatches, ValueEnum, value_parser};

use super::captions::{sentence, without_handshake, without_key};
use super::crowded::thinned;
use super::directions::About;
use super::panels::{panel_of, with_panels};
use super::registry::Plot;
use super::request::{Clockwork, PlotRequest, value};
use crate::arguments::{self, CaptureSource};
use crate::described::{Described, Example};
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role as FigureRole, Series, Unit};
use crate::error::{Error, Result};
use mptcp_trace::analysis::rtt::{RoundTrips, RttLevel, RttSample, Series as Measured, meaning, rtt};
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection, Role};

/// Round trips over time or data sequence numbers.
pub struct Rtt;

/// Horizontal axis of round trips.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The time of the acknowledgement.
    Ack,
    /// The time when what was acknowledged had been sent.
    Sent,
    /// The data sequence number of the data.
    Dsn,
}

impl ValueEnum for Over {
    fn value_variants<'a>() -> &'a [Self] {
        &[Over::Ack, Over::Sent, Over::Dsn]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Over::Ack => "ack",
            Over::Sent => "sent",
            Over::Dsn => "dsn",
        }))
    }
}

impl Over {
    fn axis(self) -> Axis {
        match self {
            Over::Ack => Axis::new("time acknowledged", Unit::Seconds),
            Over::Sent => Axis::new("time sent", Unit::Seconds),
            Over::Dsn => Axis::new("data sequence number", Unit::Bytes),
        }
    }
}

impl Described for Rtt {
    fn name(&self) -> &'static str {
        "rtt"
    }

    fn summary(&self) -> &'static str {
        "Round-trip times by subflow, of TCP and of the data, over time or data sequence numbers"
    }

    fn details(&self) -> &'static str {
        "Each sample of `rtt MPTCPSTREAM --samples` is a point in the colour of its subflow; panels name the \
         direction of the acknowledged data. Level tcp is from the newest byte that an ACK newly covers to that ACK, \
         excluding data sent twice. Level timestamp is from a TCP timestamp to its echo. Level data is from the first \
         transmission of data on any subflow to the DATA_ACK that covers it, in the colour of the subflow that sent \
         the data first. At the data level, waiting for data of other subflows is part of the round trip."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let level = Arg::new("level")
            .long("level")
            .value_name("LEVEL")
            .value_parser(choice::ROUND_TRIP)
            .action(ArgAction::Append)
            .help("Level of measurement; may be repeated, one panel each [default: tcp and data]");
        let over = Arg::new("over")
            .long("over")
            .value_name("WHAT")
            .value_parser(value_parser!(Over))
            .default_value("ack")
            .help("Horizontal axis: time of the acknowledgement, time of sending, or (level data) the DSN");
        command.arg(arguments::mptcp_stream()).arg(level).arg(over)
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example {
                line: "plot rtt 0 --towards server",
                purpose: "round trips of the upload, of TCP and of the data",
            },
            Example {
                line: "plot rtt 0 --level data --over dsn -o rtt.svg",
                purpose: "data that waited long for its DATA_ACK",
            },
        ]
    }
}

impl Plot for Rtt {
    fn about(&self, _: &ArgMatches) -> About {
        About::Sender
    }

    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        let capture = source.capture()?;
        let connection = capture.mptcp_connection(arguments::connection_id(arguments)?)?;
        let over = arguments.get_one::<Over>("over").copied().unwrap_or(Over::Ack);
        let mut levels: Vec<RttLevel> = arguments.get_many("level").into_iter().flatten().copied().collect();
        if over == Over::Dsn && levels.iter().any(|level| *level != RttLevel::Data) {
            return Err(Error::Usage(
                "only the data level has data sequence numbers; omit --level, or draw over `ack` or `sent`".to_string(),
            ));
        }
        levels.dedup();
        if levels.is_empty() {
            levels = if over == Over::Dsn { vec![RttLevel::Data] } else { vec![RttLevel::Tcp, RttLevel::Data] };
        }
        Ok(round_trips(&capture, connection, request, &levels, over))
    }
}

/// The figure.
#[must_use]
pub fn round_trips(
    capture: &Capture,
    connection: &Connection,
    request: &PlotRequest,
    levels: &[RttLevel],
    over: Over,
) -> Figure {
    let found = rtt(capture, connection);
    let drawing = Drawing { capture, clockwork: Clockwork::of(capture), connection, request, over, found: &found };
    let directions = request.directions();
    let panels = directions.iter().flat_map(|towards| levels.iter().map(|level| drawing.panel(*towards, *level)));
    let title = format!("Round trips: MPTCP connection {} of {}", connection.id, capture.name());
    let mut figure = with_panels(Figure::new(title), panels.collect());
    for towards in directions {
        let own = || found.series.iter().filter(|series| series.towards == towards && levels.contains(&series.level));
        if own().all(|series| series.samples.is_empty()) {
            continue;
        }
        if let Some(series) = own().next() {
            figure.caption.push(sentence(&meaning(series.capture_point, towards)));
        }
        if over == Over::Dsn {
            figure.caption.extend(without_key(connection, towards));
        }
    }
    figure.caption.extend(without_handshake(connection));
    thinned(figure, capture, connection, request)
}

struct Drawing<'a> {
    capture: &'a Capture,
    clockwork: Clockwork,
    connection: &'a Connection,
    request: &'a PlotRequest,
    over: Over,
    found: &'a RoundTrips,
}

impl Drawing<'_> {
    fn panel(&self, towards: Role, level: RttLevel) -> Panel {
        let title = match level {
            RttLevel::Tcp => "TCP",
            RttLevel::Timestamp => "TCP timestamps",
            RttLevel::Data => "DATA_ACK",
            RttLevel::Handshake => "handshake",
        };
        let mut panel = panel_of(title, towards, self.over.axis(), Axis::new("round trip", Unit::Seconds));
        for series in
            interruptible(self.found.series.iter().filter(|series| series.towards == towards && series.level == level))
        {
            panel.series.extend(self.subflow(series));
        }
        panel
    }

    /// The samples of one subflow, if there are any to be shown; none for those of the whole connection.
    fn subflow(&self, series: &Measured) -> Option<Series> {
        let stream = series.tcpstream.filter(|stream| self.request.shows_subflow(*stream))?;
        let index = u32::try_from(self.connection.subflows.binary_search(&stream).ok()?).ok()?;
        let shown = series.samples.iter().filter_map(|sample| Some((self.point(sample)?, self.packet(sample))));
        let (points, packets): (Vec<Point>, Vec<u64>) = shown.unzip();
        let named = |points| Series::new(self.request.subflow_name(stream), FigureRole::subflow(index), points);
        (!points.is_empty()).then(|| named(Marks::Points(points)).of_packets(packets))
    }

    /// Number of the packet that acknowledged.
    fn packet(&self, sample: &RttSample) -> u64 {
        self.capture.segments.get(sample.row.index()).map_or(0, |segment| segment.packetid())
    }

    fn point(&self, sample: &RttSample) -> Option<Point> {
        let (acknowledged, sent) = (self.clockwork.seconds(sample.time), self.clockwork.seconds(sample.sent()));
        let time = if self.over == Over::Ack { acknowledged } else { sent };
        let x = if self.over == Over::Dsn { value(sample.dsn?) } else { time };
        self.request.shows(time).then(|| Point { x, y: sample.span.seconds() })
    }
}
