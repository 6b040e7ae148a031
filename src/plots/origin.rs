//! What times of a plot count from: the capture's first frame, the connection's start, or a minute of the day.

use clap::{ArgMatches, ValueEnum};

use super::request::Clockwork;
use crate::arguments::two_captures::Level;
use crate::arguments::{CaptureSource, number};
use crate::drawing::figure::{Axis, Figure, Unit};
use crate::error::Result;
use crate::time_text::rfc3339;
use mptcp_trace::tracking::Capture;
use mptcp_trace::{ConnectionId, Instant, Span, StreamId};

/// Labels of axes that show when something happened, which plots count from the first frame.
const WHEN: [&str; 3] = ["time", "time sent", "time acknowledged"];

/// Choice of an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Origin {
    /// The capture's first frame.
    First,
    /// The first packet of the connection or stream.
    Connection,
    /// The whole minute before the capture's first frame, in UTC.
    Absolute,
}

/// An origin worked out for a capture.
#[derive(Debug, Clone, PartialEq)]
pub struct Zero {
    /// Seconds from the capture's first frame.
    pub seconds: f64,
    label: String,
}

impl Zero {
    /// Of the plot that `arguments` ask for; `None` for plots of two captures, which count from the first one's first
    /// frame.
    ///
    /// # Errors
    /// When there is no capture.
    pub fn of(origin: Origin, arguments: &ArgMatches, source: &mut dyn CaptureSource) -> Result<Option<Self>> {
        let asked = |name: &str| arguments.try_get_one::<u32>(name).is_ok_and(|number| number.is_some());
        // Plots of two captures name the other file.
        let other =
            ["first", "with"].into_iter().any(|name| arguments.try_get_raw(name).is_ok_and(|file| file.is_some()));
        let level = arguments.try_get_one::<Level>("level").ok().flatten();
        let subject = match (asked("mptcpstream"), asked("tcpstream"), level) {
            (true, ..) => Some((Level::Mptcp, "mptcpstream")),
            (_, true, _) => Some((Level::Tcp, "tcpstream")),
            (_, _, Some(level)) if asked("stream") => Some((*level, "stream")),
            _ => None,
        };
        let Some((level, name)) = subject.filter(|_| !other) else { return Ok(None) };
        let number = number(arguments, name)?;
        let capture = source.capture()?;
        let start = match level {
            Level::Tcp => capture
                .tracking
                .stream(StreamId(number))
                .and_then(|stream| capture.span_of(stream))
                .map(|(first, _)| first),
            Level::Mptcp => capture.tracking.connection(ConnectionId(number)).and_then(|connection| {
                let streams = connection.subflows.iter().filter_map(|stream| capture.tracking.stream(*stream));
                streams.filter_map(|stream| capture.span_of(stream)).map(|(first, _)| first).min()
            }),
        };
        Ok(Some(Zero::at(origin, level, start, &capture)))
    }

    /// The first frame; in plots of two captures that of the first one.
    #[must_use]
    pub fn first_frame() -> Self {
        Zero { seconds: 0.0, label: "since first frame".to_string() }
    }

    fn at(origin: Origin, level: Level, start: Option<Instant>, capture: &Capture) -> Self {
        let clockwork = Clockwork::of(capture);
        match (origin, start) {
            (Origin::Connection, Some(start)) => {
                let what = if level == Level::Tcp { "stream" } else { "connection" };
                Zero { seconds: clockwork.seconds(start), label: format!("since {what} start") }
            }
            (Origin::Absolute, _) => {
                let first = capture.origin();
                let into = Span::from_nanoseconds((first - Instant::EPOCH).nanoseconds().rem_euclid(60_000_000_000));
                let minute = first - into;
                let text = rfc3339(minute);
                let (day, time) = (text.get(..10).unwrap_or_default(), text.get(11..16).unwrap_or_default());
                Zero { seconds: clockwork.seconds(minute), label: format!("since {day} {time} UTC") }
            }
            _ => Zero::first_frame(),
        }
    }

    /// Whether a figure shows times at all.
    #[must_use]
    pub fn matters_to(figure: &Figure) -> bool {
        figure.panels.iter().any(|panel| [&panel.x, &panel.y].into_iter().any(|axis| is_time(axis) || has_times(axis)))
    }

    /// The figure with its times counted from here. Its axes say so.
    #[must_use]
    pub fn apply(&self, mut figure: Figure) -> Figure {
        for panel in &mut figure.panels {
            let (x, y) = (is_time(&panel.x), is_time(&panel.y));
            if x {
                self.label(&mut panel.x);
            }
            if y {
                self.label(&mut panel.y);
            }
            if has_times(&panel.y) {
                panel.y.label = panel.y.label.replacen(WHEN[0], &format!("{} {}", WHEN[0], self.label), 1);
            }
            if self.seconds != 0.0 && (x || y) {
                let moved = |value: f64, is_time: bool| if is_time { self.since(value) } else { value };
                panel.map(|value| moved(value, x), |value| moved(value, y));
            }
        }
        figure
    }

    /// Seconds from here, to the nanosecond, of seconds from the first frame.
    fn since(&self, seconds: f64) -> f64 {
        ((seconds - self.seconds) * 1e9).round() / 1e9
    }

    fn label(&self, axis: &mut Axis) {
        let apart = if axis.label == "time" { " " } else { ", " };
        axis.label = format!("{}{apart}{}", axis.label, self.label);
    }
}

/// Whether the names along an axis are times, as beside the messages of a sequence diagram: those count from the origin.
fn has_times(axis: &Axis) -> bool {
    !axis.categories.is_empty() && axis.label.starts_with(WHEN[0])
}

fn is_time(axis: &Axis) -> bool {
    WHEN.contains(&axis.label.as_str()) && axis.unit == Unit::Seconds && axis.categories.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::figure::{Annotation, Marks, Panel, Point, Role, Series};

    #[test]
    fn times_move_and_their_axes_say_what_they_count_from() {
        let zero = Zero { seconds: 2.0, label: "since connection start".to_string() };
        let panel = |label: &str| {
            Panel::new(Axis::new(label, Unit::Seconds), Axis::new("delay", Unit::Seconds))
                .with_series(Series::new("a", Role::subflow(0), Marks::Points(vec![Point { x: 3.0, y: 3.0 }])))
                .with_annotation(Annotation::at(2.5, "join"))
        };
        let times = Panel::new(
            Axis::of_categories("", ["client", "server"]),
            Axis::of_categories("time (subflow)", ["0.5 s (0)"]),
        );
        assert_eq!(
            zero.apply(Figure::new("").with_panel(times)).panels[0].y.label,
            "time since connection start (subflow)"
        );
        let figure =
            ["time", "time sent", "round trip"].into_iter().map(panel).fold(Figure::new(""), Figure::with_panel);
        let moved = zero.apply(figure);
        let shown: Vec<_> = moved
            .panels
            .iter()
            .map(|panel| {
                let Marks::Points(points) = &panel.series[0].marks else { panic!() };
                (panel.x.label.as_str(), points[0], panel.annotations[0].x)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("time since connection start", Point { x: 1.0, y: 3.0 }, 0.5),
                ("time sent, since connection start", Point { x: 1.0, y: 3.0 }, 0.5),
                ("round trip", Point { x: 3.0, y: 3.0 }, 2.5)
            ]
        );
    }
}
