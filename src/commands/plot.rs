//! `plot NAME …`

use std::path::PathBuf;

use clap::builder::TypedValueParser;
use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};

use super::shared::drawing::{Display, Drawing, FigureForm};
use super::{Category, Command, Described, Example, Outcome, Session};
use crate::arguments::two_captures::Level;
use crate::drawing::Size;
use crate::drawing::render::USUAL_DPI;
use crate::drawing::style::Style;
use crate::error::{Error, Result};
use crate::plots::origin::{Origin, Zero};
use crate::plots::panels::without_empty;
use crate::plots::registry::{PLOTS, Plot};
use crate::plots::request::PlotRequest;
use crate::{arguments, described};
use mptcp_trace::ConnectionId;

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
        let plot = PLOTS.find(name).ok_or_else(|| Error::Usage(format!("there is no plot `{name}`")))?;
        let origin = arguments.get_one::<Origin>("origin").copied().unwrap_or(Origin::Connection);
        let zero = Zero::of(origin, arguments, session)?;
        let request = PlotRequest::of(arguments)?.counted_from(zero.as_ref().map_or(0.0, |zero| zero.seconds));
        let style = match arguments.get_one::<String>("style") {
            Some(name) => Style::find(name).map_err(|error| Error::Usage(error.to_string()))?,
            None => Style::default(),
        };
        check(&request, arguments, session)?;
        let mut figure = without_empty(plot.figure(arguments, &request, session)?);
        if let Some(zero) = &zero {
            figure = zero.apply(figure);
        }
        match arguments.get_one::<String>("title") {
            Some(title) => figure.title.clone_from(title),
            None if !style.show_title => figure.title.clear(),
            None => {}
        }
        if arguments.get_flag("no_caption") || !style.show_caption {
            figure.caption.clear();
        }
        Ok(Outcome::Drawing(Box::new(Drawing {
            figure,
            size: arguments.get_one::<Size>("size").copied(),
            style,
            dpi: arguments.get_one::<f64>("dpi").copied().unwrap_or(USUAL_DPI),
            out: arguments.get_one::<PathBuf>("out").cloned(),
            force: arguments::forced(arguments),
            form: arguments.get_one::<FigureForm>("form").copied(),
            display: arguments.get_one::<Display>("display").copied(),
        })))
    }
}

/// Refuses a request that the loaded capture cannot meet. Plots of two captures name theirs, and are not checked.
fn check(request: &PlotRequest, arguments: &ArgMatches, session: &Session) -> Result<()> {
    let number = |id: &str| arguments.try_get_one::<u32>(id).ok().flatten().copied();
    if arguments.try_get_one::<PathBuf>("first").ok().flatten().is_some() {
        return Ok(());
    }
    let Some(capture) = session.loaded() else { return Ok(()) };
    let of_connection = arguments.try_get_one::<Level>("level").ok().flatten() == Some(&Level::Mptcp);
    let connection = match (number("mptcpstream"), number("stream").filter(|_| of_connection)) {
        (Some(number), _) | (None, Some(number)) => Some(capture.mptcp_connection(ConnectionId(number))?),
        (None, None) => None,
    };
    request.check(capture, connection)
}

/// The clap definition of one plot: its own arguments, then those that all share.
pub(super) fn definition(plot: &dyn Plot) -> clap::Command {
    let command = PlotRequest::with_arguments(described::definition(plot));
    let size = clap::builder::NonEmptyStringValueParser::new().try_map(|text| size(&text));
    let shared = [
        Arg::new("out")
            .short('o')
            .long("out")
            .visible_alias("output")
            .value_name("FILE")
            .value_parser(value_parser!(PathBuf))
            .value_hint(ValueHint::AnyPath)
            .help(
                "Draw into FILE; its extension selects the format: svg, pdf, png, xpl, txt, csv, json, ndjson, parquet",
            ),
        Arg::new("form")
            .long("format")
            .value_name("FORM")
            .value_parser(value_parser!(FigureForm))
            .help("Output format, whatever the file name; csv, json and parquet hold the plotted values"),
        Arg::new("display")
            .long("display")
            .value_name("WHERE")
            .value_parser(value_parser!(Display))
            .num_args(0..=1)
            .default_missing_value("term")
            .help("Show the plot in the terminal, in a window (xdg-open), or not at all"),
        arguments::force().help("Allow --out to replace a capture").requires("out"),
        Arg::new("title").long("title").value_name("TEXT").help("Title, instead of the plot's own"),
        Arg::new("origin").long("origin").value_name("WHERE").value_parser(value_parser!(Origin)).help(
            "What times count from: the connection's start (default), the capture's first frame, or a minute in UTC",
        ),
        Arg::new("no_caption").long("no-caption").action(ArgAction::SetTrue).help("Omit the text below the plot"),
        Arg::new("size")
            .long("size")
            .value_name("WIDTHxHEIGHT")
            .value_parser(size)
            .help("Size in pixels (characters for txt), or with a unit: 900x600, 3.5inx2.5in, 8.8cmx6cm"),
        Arg::new("dpi")
            .long("dpi")
            .value_name("DPI")
            .value_parser(value_parser!(f64))
            .help("Resolution of a PNG: 300 gives 300 pixels per inch of the size"),
        Arg::new("style")
            .long("style")
            .value_name("NAME|FILE")
            .value_hint(ValueHint::FilePath)
            .help("default, dark, print, latex, or a TOML file with your own style"),
    ];
    command.args(shared)
}

fn size(text: &str) -> std::result::Result<Size, String> {
    Size::parse(text).ok_or_else(|| "not a valid size; give two lengths, such as 900x600 or 3.5inx2.5in".to_string())
}
