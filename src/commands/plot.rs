//! `plot NAME …`

use std::path::PathBuf;
use std::sync::Arc;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, value_parser};

use super::shared::drawing::Drawing;
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments::two_captures::Level;
use crate::described;
use crate::drawing::figure::Figure;
use crate::error::{Error, Result};
use crate::packets::LoadedCapture;
use crate::plots::directions::{About, Directions};
use crate::plots::origin::{Origin, Zero};
use crate::plots::panels::without_empty;
use crate::plots::registry::{PLOTS, Plot};
use crate::plots::request::PlotRequest;
use crate::plots::subject::Subject;
use mptcp_trace::tracking::Connection;
use mptcp_trace::{ConnectionId, StreamId};

/// Draws plots.
pub struct PlotCommand;

impl Described for PlotCommand {
    fn name(&self) -> &'static str {
        "plot"
    }

    fn summary(&self) -> &'static str {
        "Draw a plot in the terminal or into a file"
    }

    fn details(&self) -> &'static str {
        "`plot NAME --help` explains a plot. Without --out it is drawn in the terminal: as an image in kitty, \
         Ghostty, WezTerm, iTerm2, foot and others, as text elsewhere. The file extension selects the format: svg, pdf \
         and png for documents, xpl for xplot; csv, json, ndjson and parquet for the plotted values."
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        let command = command.subcommand_required(true).subcommand_value_name("NAME").subcommand_help_heading("Plots");
        command.disable_help_subcommand(true).subcommands(PLOTS.all().map(definition))
    }

    fn examples(&self) -> &'static [Example] {
        &[
            Example { line: "plot dsn 0 --towards server", purpose: "the upload, in the terminal" },
            Example { line: "plot dsn 0 -o dsn.svg --size 1200x700 --style print", purpose: "for a document" },
            Example { line: "plot dsn 0 --style latex -o dsn.pdf", purpose: "for a column of a paper" },
            Example { line: "plot dsn 0 --format csv", purpose: "the plotted values" },
        ]
    }
}

impl Command for PlotCommand {
    fn category(&self) -> Category {
        Category::Plots
    }

    fn reports(&self) -> bool {
        false
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        let Some((name, arguments)) = arguments.subcommand() else {
            return Err(Error::Usage("no plot given; `list_available_plots` lists them all".to_string()));
        };
        let plot = PLOTS
            .find(name)
            .ok_or_else(|| Error::Usage(format!("unknown plot `{name}`; `list_available_plots` lists them all")))?;
        let origin = arguments.get_one::<Origin>("origin").copied().unwrap_or(Origin::Connection);
        let zero = Zero::of(origin, arguments, session)?;
        let request = PlotRequest::of(arguments)?.counted_from(zero.as_ref().map_or(0.0, |zero| zero.seconds));
        let drawing = Drawing::asked_for(arguments)?;
        let request = of_capture(request, arguments, session)?;
        let mut figure = match only_direction(plot.about(arguments), arguments, &request, session)? {
            Some((only, left_out)) => {
                let figure = without_empty(plot.figure(arguments, &only, session)?);
                // What the direction lacks, the other one may have.
                match is_empty(&figure) {
                    true => without_empty(plot.figure(arguments, &request, session)?),
                    false => figure.with_left_out(left_out),
                }
            }
            None => without_empty(plot.figure(arguments, &request, session)?),
        };
        if let Some(only) = subflows_shown(arguments, &request, session)? {
            figure.title = format!("{}, {only}", figure.title);
        }
        check_origin(name, arguments, zero.is_none(), &figure)?;
        figure = zero.unwrap_or_else(Zero::first_frame).apply(figure);
        Ok(Outcome::Drawing(Box::new(drawing.of(figure, arguments))))
    }
}

/// Refuses an origin that the line asks for where it would change nothing.
fn check_origin(name: &str, arguments: &ArgMatches, of_two: bool, figure: &Figure) -> Result<()> {
    if arguments.value_source("origin") != Some(ValueSource::CommandLine) {
        return Ok(());
    }
    let why = if !Zero::matters_to(figure) {
        "no axis of it shows when something happened"
    } else if of_two && arguments.get_one::<Origin>("origin") != Some(&Origin::First) {
        "plots of two captures count from the first frame of the first one"
    } else {
        return Ok(());
    };
    Err(Error::Usage(format!("--origin means nothing to this plot of `{name}`, because {why}; leave it out")))
}

/// What a plot of the loaded capture is of: a connection, or a TCP stream alone.
struct Plotted<'a> {
    connection: Option<&'a Connection>,
    tcpstream: Option<StreamId>,
}

impl<'a> Plotted<'a> {
    fn of(capture: &'a LoadedCapture, arguments: &ArgMatches) -> Result<Self> {
        let number = |id: &str| arguments.try_get_one::<u32>(id).ok().flatten().copied();
        let of_connection = arguments.try_get_one::<Level>("level").ok().flatten() == Some(&Level::Mptcp);
        let connection = match (number("mptcpstream"), number("stream").filter(|_| of_connection)) {
            (Some(number), _) | (None, Some(number)) => Some(capture.mptcp_connection(ConnectionId(number))?),
            (None, None) => None,
        };
        let tcpstream = number("tcpstream").or(number("stream").filter(|_| !of_connection)).map(StreamId);
        Ok(Plotted { connection, tcpstream })
    }
}

/// The loaded capture, of a plot that does not name its captures itself.
fn plotted_capture(arguments: &ArgMatches, session: &Session) -> Option<Arc<LoadedCapture>> {
    let names_captures = arguments.try_get_one::<PathBuf>("first").ok().flatten().is_some();
    session.loaded().filter(|_| !names_captures).cloned()
}

/// The request with the names that the loaded capture has for subflows; refused where the capture cannot meet it. Plots of
/// two captures do that themselves.
fn of_capture(request: PlotRequest, arguments: &ArgMatches, session: &mut Session) -> Result<PlotRequest> {
    let Some(capture) = plotted_capture(arguments, session) else { return Ok(request) };
    let Plotted { connection, tcpstream } = Plotted::of(&capture, arguments)?;
    request.check_subflows(connection, tcpstream)?;
    if let Some(sentence) = request.unused_labels(connection, tcpstream) {
        session.warn(sentence);
    }
    request.check_times(&capture)?;
    Ok(match connection {
        Some(connection) => request.with_paths_of(&capture, connection),
        None => request,
    })
}

/// The subflows of a plot's connection that it shows, where it leaves out others.
fn subflows_shown(arguments: &ArgMatches, request: &PlotRequest, session: &Session) -> Result<Option<String>> {
    let Some(capture) = plotted_capture(arguments, session) else { return Ok(None) };
    let connection = Plotted::of(&capture, arguments)?.connection;
    Ok(connection.and_then(|connection| request.subflows_shown(connection)))
}

/// The request for the only direction that is worth a panel, and what is said of the other one.
fn only_direction(
    about: About,
    arguments: &ArgMatches,
    request: &PlotRequest,
    session: &Session,
) -> Result<Option<(PlotRequest, String)>> {
    let asked = request.towards.is_some() || request.both;
    let Some(capture) = plotted_capture(arguments, session).filter(|_| about != About::Packets && !asked) else {
        return Ok(None);
    };
    let Plotted { connection, tcpstream } = Plotted::of(&capture, arguments)?;
    let subject = match (connection, tcpstream) {
        (Some(connection), _) => Subject::of_connection(&capture, connection, request),
        (None, Some(stream)) => Subject::of_stream(&capture, capture.tcp_stream(stream)?, request),
        (None, None) => return Ok(None),
    };
    let only = Directions::of(about, &capture, &subject, request).only(request);
    Ok(only.map(|(towards, left_out)| (PlotRequest { towards: Some(towards), ..request.clone() }, left_out)))
}

/// Whether nothing but events is in it.
fn is_empty(figure: &Figure) -> bool {
    figure.panels.iter().flat_map(|panel| &panel.series).all(|series| series.marks.is_empty())
}

/// The clap definition of one plot: its own arguments, then those that all share.
pub(super) fn definition(plot: &dyn Plot) -> clap::Command {
    let command = PlotRequest::with_arguments(described::definition(plot));
    let origin = Arg::new("origin").long("origin").value_name("WHERE").value_parser(value_parser!(Origin)).help(
        "Start of the time axis: the connection's start (default), the capture's first frame, or a minute in UTC",
    );
    Drawing::with_arguments(command.arg(origin.hide(!plot.takes_origin())))
}
