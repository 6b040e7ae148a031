//! Restrictions that every plot accepts: direction, times, subflows.

use std::collections::HashMap;

use clap::{Arg, ArgAction, ArgMatches};

use crate::arguments::{self, choice::Choice};
use crate::drawing::figure::Point;
use crate::error::{Error, Result};
use crate::terminal_text::escape;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{Capture, Connection, Role};
use mptcp_trace::units::several;
use mptcp_trace::{Instant, StreamId};

/// Subflows that a title names, at most.
const FEW: usize = 4;

/// Directions that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Towards {
    One(Role),
    Both,
}

const TOWARDS: Choice<Towards> = Choice(&[
    ("server", "The end that accepted", Towards::One(Role::Server)),
    ("client", "The end that opened", Towards::One(Role::Client)),
    ("both", "Both, whatever they carried and wherever they were recorded", Towards::Both),
]);

/// Directions, times and subflows that are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlotRequest {
    /// Only the direction towards this end; both without one.
    pub towards: Option<Role>,
    /// Both directions are asked for: none is left out for telling little.
    pub both: bool,
    /// Leave out what came earlier, in seconds from the first frame.
    pub start: Option<f64>,
    /// Leave out what came later.
    pub end: Option<f64>,
    /// The only subflows to show; all without one.
    pub only: Vec<StreamId>,
    /// Subflows to leave out.
    pub skipped: Vec<StreamId>,
    /// What times are counted from, in seconds from the first frame; `start` and `end` are from the first frame.
    pub zero: f64,
    /// Names of subflows, for those who know what carried them.
    pub labels: HashMap<StreamId, String>,
    /// Mark SACK blocks, duplicate ACKs and windows of zero; of plots that can.
    pub acks: bool,
}

impl PlotRequest {
    /// Adds `--towards`, `--start`, `--end`, `--subflow` and `--skip-subflow`.
    pub fn with_arguments(command: clap::Command) -> clap::Command {
        let seconds = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).value_name("SECONDS").value_parser(clap::value_parser!(f64)).help(help)
        };
        let subflow = |name: &'static str, long: &'static str, help: &'static str| {
            Arg::new(name)
                .long(long)
                .value_name("TCPSTREAM")
                .value_parser(arguments::stream_number)
                .action(ArgAction::Append)
                .help(help)
        };
        command
            .arg(arguments::towards().value_parser(TOWARDS).help(
                "Direction, towards this end; by default both, except one with less than 1 % of the data, or recorded at \
                 the end that does not show what the plot is about",
            ))
            .arg(seconds("start", "Start of the plot, in seconds as on its time axis"))
            .arg(seconds("end", "End of the plot, in seconds as on its time axis"))
            .arg(subflow("subflow", "subflow", "Only this subflow; may be repeated"))
            .arg(subflow("skip_subflow", "skip-subflow", "Omit this subflow; may be repeated").alias("skip"))
            .arg(
                Arg::new("labels")
                    .long("label")
                    .value_name("TCPSTREAM=NAME,…")
                    .value_parser(label)
                    .value_delimiter(',')
                    .action(ArgAction::Append)
                    .help("Names of subflows in the legend and the plotted values: 0=Wi-Fi,1=LTE"),
            )
    }

    /// The request.
    ///
    /// # Errors
    /// [`Error::Usage`] for a time that ends before it begins, and for a subflow with two names.
    pub fn of(arguments: &ArgMatches) -> Result<Self> {
        let time = |name: &str| arguments.get_one::<f64>(name).copied();
        let subflows = |name: &str| arguments.get_many(name).into_iter().flatten().copied().map(StreamId).collect();
        let towards = arguments.get_one::<Towards>("towards").copied();
        let request = PlotRequest {
            towards: match towards {
                Some(Towards::One(role)) => Some(role),
                Some(Towards::Both) | None => None,
            },
            both: towards == Some(Towards::Both),
            start: time("start"),
            end: time("end"),
            only: subflows("subflow"),
            skipped: subflows("skip_subflow"),
            zero: 0.0,
            labels: labels(arguments)?,
            acks: arguments.try_get_one("acks").ok().flatten().copied().unwrap_or(false),
        };
        match (request.start, request.end) {
            (Some(start), Some(end)) if start >= end => {
                Err(Error::Usage(format!("--start {start} is not before --end {end}; swap them")))
            }
            _ => Ok(request),
        }
    }

    /// Labels of subflows that what is plotted does not have, in a sentence: a script may name those of many captures at
    /// once, but a typo is to be noticed.
    #[must_use]
    pub fn unused_labels(&self, connection: Option<&Connection>, tcpstream: Option<StreamId>) -> Option<String> {
        let is_there = |stream: &StreamId| match (connection, tcpstream) {
            (Some(connection), _) => connection.subflows.contains(stream),
            (None, Some(plotted)) => *stream == plotted,
            (None, None) => true,
        };
        let mut unused: Vec<u64> =
            self.labels.keys().filter(|stream| !is_there(stream)).map(|stream| u64::from(*stream)).collect();
        unused.sort_unstable();
        let named = match unused.as_slice() {
            [] => return None,
            [one] => format!("subflow {one}"),
            all => format!("subflows {}", several(all)),
        };
        let there = match (connection, tcpstream) {
            (Some(connection), _) => {
                let numbers: Vec<u64> = connection.subflows.iter().map(|id| u64::from(*id)).collect();
                format!("MPTCP connection {} has {}", connection.id, several(&numbers))
            }
            (None, Some(plotted)) => format!("the plot is of TCP stream {plotted} alone"),
            (None, None) => return None,
        };
        Some(format!("--label is not used for {named}: {there}"))
    }

    /// Refuses subflows that are not among those of what is plotted: of a connection, or a TCP stream alone.
    ///
    /// # Errors
    /// [`Error::NotFound`] that says what there is.
    pub fn check_subflows(&self, connection: Option<&Connection>, tcpstream: Option<StreamId>) -> Result<()> {
        let mut asked = self.only.iter().chain(&self.skipped);
        match (connection, tcpstream) {
            (Some(connection), _) => asked.try_for_each(|stream| check_subflow(connection, *stream)),
            (None, Some(plotted)) => match asked.find(|stream| **stream != plotted) {
                Some(other) => Err(Error::NotFound(format!(
                    "the plot is of TCP stream {plotted} alone, and {other} is not a part of it; leave {other} out"
                ))),
                None => Ok(()),
            },
            (None, None) => Ok(()),
        }
    }

    /// Refuses a part of the time, of a plot that is of all of it.
    ///
    /// # Errors
    /// [`Error::Usage`] where there is one.
    pub fn whole_time(&self, plot: &str) -> Result<()> {
        match self.is_limited() {
            true => Err(Error::Usage(format!("`{plot}` is of the whole capture; leave --start and --end out"))),
            false => Ok(()),
        }
    }

    /// Whether it is for a part of the time.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.start.is_some() || self.end.is_some()
    }

    /// Refuses times without any packet of `capture`.
    ///
    /// # Errors
    /// [`Error::NotFound`] that says what there is.
    pub fn check_times(&self, capture: &Capture) -> Result<()> {
        let clockwork = Clockwork::of(capture);
        let times = || interruptible(&capture.segments).map(|segment| clockwork.seconds(segment.abstime));
        if self.is_limited() && !capture.segments.is_empty() && !times().any(|time| self.shows(time)) {
            let (first, last) = (times().fold(f64::INFINITY, f64::min), times().fold(f64::NEG_INFINITY, f64::max));
            // As on the axis.
            let (first, last) = (first - self.zero, last - self.zero);
            return Err(Error::NotFound(format!(
                "no packet in this time: the capture's packets are from {first:.6} to {last:.6} s; change --start or --end"
            )));
        }
        Ok(())
    }

    /// The same request with its times counted from `zero` seconds after the first frame.
    #[must_use]
    pub fn counted_from(self, zero: f64) -> Self {
        let moved = |time: Option<f64>| time.map(|time| time + zero);
        PlotRequest { start: moved(self.start), end: moved(self.end), zero, ..self }
    }

    /// The same request; subflows without a name have that of what they run over ([`Capture::path_label`]). Where several
    /// of the connection run over the same, their numbers tell them apart.
    #[must_use]
    pub fn with_paths_of(mut self, capture: &Capture, connection: &Connection) -> Self {
        let paths: Vec<(StreamId, &str)> =
            connection.subflows.iter().filter_map(|id| Some((*id, capture.path_label(*id)?))).collect();
        let mut counts = HashMap::<&str, usize>::new();
        paths.iter().for_each(|(_, path)| *counts.entry(path).or_default() += 1);
        let name = |(id, path): (StreamId, &str)| match counts.get(path) {
            Some(1) => (id, path.to_string()),
            _ => (id, format!("{path} (subflow {id})")),
        };
        let given = std::mem::take(&mut self.labels);
        self.labels = paths.into_iter().map(name).chain(given).collect();
        self.tell_apart(connection)
    }

    /// Names that several subflows of the connection have get their numbers.
    fn tell_apart(mut self, connection: &Connection) -> Self {
        let mut counts = HashMap::<String, usize>::new();
        for name in connection.subflows.iter().filter_map(|stream| self.labels.get(stream)) {
            *counts.entry(name.clone()).or_default() += 1;
        }
        for stream in &connection.subflows {
            if let Some(name) =
                self.labels.get_mut(stream).filter(|name| counts.get(*name).is_some_and(|count| *count > 1))
            {
                *name = format!("{name} (subflow {stream})");
            }
        }
        self
    }

    /// The directions to show, one panel each.
    #[must_use]
    pub fn directions(&self) -> Vec<Role> {
        self.towards.map_or_else(|| Role::BOTH.to_vec(), |role| vec![role])
    }

    /// Whether this time is to be shown, in seconds from the first frame.
    #[must_use]
    pub fn shows(&self, seconds: f64) -> bool {
        self.start.is_none_or(|start| seconds >= start) && self.end.is_none_or(|end| seconds <= end)
    }

    /// What of a step function is to be shown: the step under way at the start begins there, and the one under way at
    /// the end ends there.
    #[must_use]
    pub fn steps(&self, points: Vec<Point>) -> Vec<Point> {
        self.steps_with(points.into_iter().map(|point| (point, ()))).into_iter().map(|(point, ())| point).collect()
    }

    /// The same with what each step comes from, such as a packet; of those that begin or end at a cut, the default.
    #[must_use]
    pub fn steps_with<T: Copy + Default>(&self, points: impl IntoIterator<Item = (Point, T)>) -> Vec<(Point, T)> {
        if !self.is_limited() {
            return points.into_iter().collect();
        }
        let mut shown: Vec<(Point, T)> = Vec::new();
        for (point, source) in interruptible(points) {
            if let Some(end) = self.end.filter(|end| point.x > *end) {
                let last = shown.last().filter(|(last, _)| last.x < end).copied();
                shown.extend(last.map(|(last, _)| (Point { x: end, ..last }, T::default())));
                break;
            }
            match self.start {
                // A nanosecond's rounding is not a step.
                Some(start) if point.x <= start + 5e-10 => {
                    let source = if point.x >= start - 5e-10 { source } else { T::default() };
                    shown.clear();
                    shown.push((Point { x: start, ..point }, source));
                }
                _ => shown.push((point, source)),
            }
        }
        shown
    }

    /// Name of a subflow: the one given to it, or its number.
    #[must_use]
    pub fn subflow_name(&self, tcpstream: StreamId) -> String {
        self.labels.get(&tcpstream).cloned().unwrap_or_else(|| format!("subflow {tcpstream}"))
    }

    /// Whether subflows are left out because the line asks for that.
    #[must_use]
    pub fn omits_subflows(&self) -> bool {
        !self.only.is_empty() || !self.skipped.is_empty()
    }

    /// The subflows of `connection` that are shown, as the end of a title, where others are left out.
    #[must_use]
    pub fn subflows_shown(&self, connection: &Connection) -> Option<String> {
        let all = connection.subflows.len();
        let shown: Vec<StreamId> =
            connection.subflows.iter().copied().filter(|stream| self.shows_subflow(*stream)).collect();
        if shown.len() == all {
            return None;
        }
        let numbers: Vec<u64> = shown.iter().map(|stream| u64::from(*stream)).collect();
        Some(match numbers.as_slice() {
            [] => "without its subflows".to_string(),
            [one] => format!("subflow {one} alone"),
            few if few.len() <= FEW => format!("subflows {} alone", several(few)),
            many => format!("{} of its {all} subflows", many.len()),
        })
    }

    /// Whether this subflow is to be shown.
    #[must_use]
    pub fn shows_subflow(&self, tcpstream: StreamId) -> bool {
        (self.only.is_empty() || self.only.contains(&tcpstream)) && !self.skipped.contains(&tcpstream)
    }
}

/// Reads `0=Wi-Fi`.
fn label(text: &str) -> std::result::Result<(StreamId, String), String> {
    let parts = text.split_once('=').filter(|(_, name)| !name.trim().is_empty());
    let read = parts.and_then(|(stream, name)| Some((StreamId(stream.trim().parse().ok()?), name.trim().to_string())));
    read.ok_or_else(|| "not a label; give the number of a TCP stream and a name, such as 0=Wi-Fi".to_string())
}

/// The names that the line gives to subflows.
fn labels(arguments: &ArgMatches) -> Result<HashMap<StreamId, String>> {
    let mut labels = HashMap::<StreamId, String>::new();
    for (stream, name) in arguments.get_many::<(StreamId, String)>("labels").into_iter().flatten() {
        if let Some(other) = labels.insert(*stream, name.clone()) {
            return Err(Error::Usage(format!(
                "--label names subflow {stream} twice, `{}` and `{}`; give one name",
                escape(&other),
                escape(name)
            )));
        }
    }
    Ok(labels)
}

/// Refuses a subflow that `connection` does not have.
///
/// # Errors
/// [`Error::NotFound`] that says which it has.
pub fn check_subflow(connection: &Connection, stream: StreamId) -> Result<()> {
    if connection.subflows.contains(&stream) {
        return Ok(());
    }
    let numbers: Vec<u64> = connection.subflows.iter().map(|id| u64::from(*id)).collect();
    Err(Error::NotFound(format!(
        "MPTCP connection {} has no subflow {stream}; the only {} {}",
        connection.id,
        if numbers.len() == 1 { "one is" } else { "ones are" },
        several(&numbers)
    )))
}

/// Times of a capture in seconds from its first frame, as plots show them.
#[derive(Debug, Clone, Copy)]
pub struct Clockwork {
    origin: Instant,
}

impl Clockwork {
    /// Those of `capture`.
    #[must_use]
    pub fn of(capture: &Capture) -> Self {
        Clockwork { origin: capture.origin() }
    }

    /// Seconds from the first frame to `time`.
    #[must_use]
    pub fn seconds(&self, time: Instant) -> f64 {
        (time - self.origin).seconds()
    }
}

/// A count as a value to plot: exact up to 2^53.
#[must_use]
pub fn value(count: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)]
    let value = count as f64;
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_under_way_at_the_ends_are_cut_there() {
        let points = |of: &[(f64, f64)]| of.iter().map(|(x, y)| Point { x: *x, y: *y }).collect::<Vec<_>>();
        let all = points(&[(1.0, 10.0), (2.0, 20.0), (3.0, 30.0), (4.0, 40.0)]);
        let shown = |start, end| PlotRequest { start, end, ..PlotRequest::default() }.steps(all.clone());
        assert_eq!(shown(None, None), all);
        assert_eq!(shown(Some(2.5), None), points(&[(2.5, 20.0), (3.0, 30.0), (4.0, 40.0)]));
        assert_eq!(shown(None, Some(2.5)), points(&[(1.0, 10.0), (2.0, 20.0), (2.5, 20.0)]));
        assert_eq!(shown(Some(2.2), Some(2.5)), points(&[(2.2, 20.0), (2.5, 20.0)]));
        assert_eq!(shown(Some(3.0), Some(4.0)), points(&[(3.0, 30.0), (4.0, 40.0)]));
        assert_eq!(shown(Some(5.0), None), points(&[(5.0, 40.0)]));
        assert_eq!(shown(None, Some(0.5)), []);
    }

    #[test]
    fn labels_name_subflows() {
        let command = || PlotRequest::with_arguments(clap::Command::new("plot"));
        let request = |line: &str| {
            let arguments = command().try_get_matches_from(line.split(' ')).map_err(|error| error.to_string())?;
            PlotRequest::of(&arguments).map_err(|error| error.to_string())
        };
        let named = request("plot --label 0=Wi-Fi --label 2=5G,3=LTE").unwrap();
        let names = [0, 1, 2].map(|stream| named.subflow_name(StreamId(stream)));
        assert_eq!(names, ["Wi-Fi", "subflow 1", "5G"]);
        let twice = ["plot --label 0=a,0=b", "plot --label 0=a --label 1=b,0=a"].map(|line| request(line).unwrap_err());
        assert!(twice[0].contains("--label names subflow 0 twice, `a` and `b`; give one name"), "{twice:?}");
        assert!(twice[1].contains("twice, `a` and `a`"), "{twice:?}");
        for wrong in ["plot --label Wi-Fi", "plot --label 0=", "plot --label x=LTE"] {
            assert!(request(wrong).unwrap_err().contains("not a label; give"), "{wrong}");
        }
    }
}
