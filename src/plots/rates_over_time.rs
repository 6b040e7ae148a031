//! Rates over time, window by window: what `tcp_tput`, `mptcp_tput` and `mptcp_gput` share.

use crate::arguments::choice;
use clap::{Arg, ArgMatches, value_parser};

use super::panels::panel;
use super::request::{Clockwork, PlotRequest};
use super::subject::{Subject, SubjectStream};
use crate::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role as FigureRole, RoleKind, Series, Unit};
use crate::error::{Error, Result};
use mptcp_trace::analysis::rates::{Covered, Parcel, RateWindow, WindowType};
use mptcp_trace::analysis::volume::duration;
use mptcp_trace::interrupt::interruptible;
use mptcp_trace::tracking::{ByRole, Capture, Role};
use mptcp_trace::{Instant, Span};

/// Description of a plot's windows, for the help.
pub const DETAILS: &str = "`tumbling` windows follow each other from the zero of the time axis (--origin): each byte \
     counts in one of them, and rates times lengths add up to the bytes carried. The last one ends with the last \
     packet, and its rate is over the time that it covers; where that is less than half a window, it is part of the one \
     before. A `sliding` window ends at each instant: the curve is the rate over the time just before, and no burst is \
     cut in two.";

/// Traffic of one flow in one direction.
pub struct Carried {
    /// As the legend calls it.
    pub name: String,
    /// Its look.
    pub look: FigureRole,
    /// In the order of time.
    pub parcels: Vec<Parcel>,
}

impl Carried {
    /// Under the name and look of `flow`.
    #[must_use]
    pub fn by(flow: &SubjectStream<'_>, parcels: Vec<Parcel>) -> Self {
        Carried { name: flow.name.clone(), look: flow.look(), parcels }
    }

    /// All of them together, also where only one carried something: what reads the values needs not know.
    #[must_use]
    pub fn total(parts: &[Carried]) -> Self {
        let mut parcels: Vec<Parcel> = parts.iter().flat_map(|part| &part.parcels).copied().collect();
        parcels.sort_by_key(|parcel| parcel.time);
        Carried { name: "total".to_string(), look: FigureRole::of(RoleKind::Total), parcels }
    }
}

/// Adds `--window` and `--window-type`.
pub fn with_arguments(command: clap::Command) -> clap::Command {
    command
        .arg(
            Arg::new("window")
                .long("window")
                .value_name("SECONDS")
                .value_parser(value_parser!(f64))
                .help("Window length; by default chosen for at most 60 windows"),
        )
        .arg(
            Arg::new("window_type")
                .long("window-type")
                .value_name("TYPE")
                .value_parser(choice::WINDOW_TYPE)
                .help("Consecutive windows (tumbling, the default) or one that ends at each instant (sliding)"),
        )
}

/// The figure. `what` names the rate: "throughput", "goodput"; `counts` says which bytes count, to end a sentence.
///
/// # Errors
/// [`Error::Usage`] for a window that is not longer than nothing.
pub fn figure(
    capture: &Capture,
    subject: &Subject<'_>,
    (what, counts): (&str, &str),
    carried: &ByRole<Vec<Carried>>,
    (arguments, request): (&ArgMatches, &PlotRequest),
) -> Result<Figure> {
    let window = window(arguments, shown_time(capture, carried, request))?;
    let origin = capture.origin() + Span::rounded(request.zero);
    let covered = Covered { origin, end: subject.last_packet(capture).unwrap_or(origin) };
    let mut figure = Figure::new(subject.title(&capitalized(what)));
    for towards in request.directions() {
        let mut panel: Panel = panel(towards, Axis::new("time", Unit::Seconds), Axis::new(what, Unit::BytesPerSecond));
        for part in interruptible(carried.get(towards).iter().filter(|part| !part.parcels.is_empty())) {
            let points = request.steps(points(capture, window, covered, &part.parcels));
            panel = panel.with_series(Series::new(part.name.as_str(), part.look, Marks::Steps(points)));
        }
        panel.series.retain(|series| !series.marks.is_empty());
        figure = figure.with_panel(panel);
    }
    let length = length(window);
    let windows = match window.kind() {
        WindowType::Tumbling => format!("consecutive windows of {length}, the last one to the last packet"),
        WindowType::Sliding => format!("the {length} before each instant"),
    };
    figure = figure.with_caption(format!("Over {windows}: {counts}."));
    figure.caption.extend(subject.place_note(request));
    if request.omits_subflows() {
        figure = figure.with_caption("The total is that of the subflows shown.");
    }
    Ok(subject.thinned(figure, capture, request))
}

fn points(capture: &Capture, window: RateWindow, covered: Covered, parcels: &[Parcel]) -> Vec<Point> {
    let clockwork = Clockwork::of(capture);
    let levels = window.fill(parcels, covered);
    let mut points: Vec<Point> =
        levels.iter().map(|level| Point { x: clockwork.seconds(level.from), y: level.rate() }).collect();
    // Nothing more came until the last packet of all.
    let end = clockwork.seconds(covered.end);
    points.extend(points.last().filter(|last| last.x < end && last.y == 0.0).map(|last| Point { x: end, ..*last }));
    points
}

fn window(arguments: &ArgMatches, time: Span) -> Result<RateWindow> {
    let kind = arguments.get_one::<WindowType>("window_type").copied().unwrap_or_default();
    let Some(&seconds) = arguments.get_one::<f64>("window") else { return Ok(RateWindow::suitable(kind, time)) };
    let window = RateWindow::new(kind, Span::rounded(seconds)).filter(|_| seconds.is_finite());
    window.ok_or_else(|| {
        Error::Usage(format!(
            "--window {seconds} is not a valid length; give seconds above zero, \
                                               such as 0.1"
        ))
    })
}

/// From the first to the last byte of those that are shown.
fn shown_time(capture: &Capture, carried: &ByRole<Vec<Carried>>, request: &PlotRequest) -> Span {
    let clockwork = Clockwork::of(capture);
    let parts = request.directions().into_iter().flat_map(|towards: Role| carried.get(towards));
    let times = parts.flat_map(|part| &part.parcels).map(|parcel| parcel.time);
    let mut ends: Option<(Instant, Instant)> = None;
    for time in interruptible(times.filter(|time| request.shows(clockwork.seconds(*time)))) {
        let (first, last) = ends.unwrap_or((time, time));
        ends = Some((first.min(time), last.max(time)));
    }
    duration(ends)
}

/// The length of a window in a sentence, without digits that say nothing.
fn length(window: RateWindow) -> String {
    let seconds = window.length().seconds();
    if seconds < 1.0 { format!("{} ms", seconds * 1e3) } else { format!("{seconds} s") }
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
