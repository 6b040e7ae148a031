//! A figure on its way to a file or a screen.

use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, ValueEnum, ValueHint, value_parser};

use crate::arguments;
use crate::drawing::figure::Figure;
use crate::drawing::render::USUAL_DPI;
use crate::drawing::style::Style;
use crate::drawing::{LengthUnit, Size};
use crate::error::{Error, Result};
use crate::output::Report;
use crate::whole_file::Force;

/// A figure and how the line wants it drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Drawn parts.
    pub figure: Figure,
    /// Colours, sizes and marks.
    pub style: Style,
    /// The size that was asked for; otherwise the style's, or the usual one.
    pub size: Option<Size>,
    /// The unit that it was given in; without one it is in pixels, or in characters.
    pub size_unit: Option<LengthUnit>,
    /// Dots an inch.
    pub dpi: f64,
    /// The file it goes to.
    pub out: Option<PathBuf>,
    /// Whether the file may be a capture that is replaced.
    pub force: Force,
    /// The form asked for; otherwise the file's ending tells.
    pub form: Option<FigureForm>,
    /// Where it is shown; when nobody asked, in the terminal if it goes to no file.
    pub display: Option<Display>,
    /// The numbers that belong to the figure.
    pub numbers: Option<FigureNumbers>,
}

/// Numbers that belong to a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct FigureNumbers {
    /// The numbers.
    pub report: Report,
    /// Whether they alone are wanted, in the form that is asked for.
    pub alone: bool,
}

impl Drawing {
    /// Adds the arguments of everything that is drawn: `--out`, `--format`, `--size` and so on.
    #[must_use]
    pub fn with_arguments(command: clap::Command) -> clap::Command {
        let size = clap::builder::NonEmptyStringValueParser::new().try_map(|text| size(&text));
        command.args([
            Arg::new("out")
                .short('o')
                .long("out")
                .visible_alias("output")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .value_hint(ValueHint::AnyPath)
                .help(
                    "Draw into FILE; its extension selects the format: svg, pdf, png, xpl, txt, csv, json, ndjson, \
                     parquet, arrow",
                ),
            Arg::new("form")
                .long("format")
                .value_name("FORM")
                .value_parser(value_parser!(FigureForm))
                .help("Output format, whatever the file name; csv, json, parquet and arrow hold the plotted values"),
            Arg::new("display")
                .long("display")
                .value_name("WHERE")
                .value_parser(value_parser!(Display))
                .num_args(0..=1)
                .default_missing_value("term")
                .help("Show the plot in the terminal, in a window (xdg-open), or not at all"),
            arguments::force().help("Allow --out to replace a capture").requires("out"),
            Arg::new("title").long("title").value_name("TEXT").help("Title, instead of the plot's own"),
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
        ])
    }

    /// What the line wants, without a figure yet.
    ///
    /// # Errors
    /// For a style that there is not, and an option that changes nothing about the form that is asked for.
    pub fn asked_for(arguments: &ArgMatches) -> Result<Self> {
        let form = arguments.get_one::<FigureForm>("form").copied();
        let form = form.or_else(|| FigureForm::of_name(arguments.get_one::<PathBuf>("out")?));
        check_effects(arguments, form)?;
        let style = match arguments.get_one::<String>("style") {
            Some(name) => Style::find(name).map_err(|error| Error::Usage(error.to_string()))?,
            None => Style::default(),
        };
        Ok(Drawing {
            figure: Figure::new(""),
            size: arguments.get_one::<Size>("size").copied(),
            size_unit: arguments
                .get_raw("size")
                .and_then(|mut given| given.next_back())
                .and_then(|text| LengthUnit::of(&text.to_string_lossy())),
            style,
            dpi: arguments.get_one::<f64>("dpi").copied().unwrap_or(USUAL_DPI),
            out: arguments.get_one::<PathBuf>("out").cloned(),
            force: arguments::forced(arguments),
            form: arguments.get_one::<FigureForm>("form").copied(),
            display: arguments.get_one::<Display>("display").copied(),
            numbers: None,
        })
    }

    /// The same with a figure, whose title and caption are as the line and the style want them.
    #[must_use]
    pub fn of(mut self, mut figure: Figure, arguments: &ArgMatches) -> Self {
        match arguments.get_one::<String>("title") {
            Some(title) => figure.title.clone_from(title),
            None if !self.style.show_title => figure.title.clear(),
            None => {}
        }
        if arguments.get_flag("no_caption") || !self.style.show_caption {
            figure.caption.clear();
        }
        self.figure = figure;
        self
    }
}

/// Refuses options of the line that change nothing about `form`, or without one about what a terminal shows. Settings hold
/// for figures of any form, so they never trouble.
fn check_effects(arguments: &ArgMatches, form: Option<FigureForm>) -> Result<()> {
    let typed = |id: &str| arguments.value_source(id) == Some(ValueSource::CommandLine);
    let options = [
        ("dpi", "--dpi"),
        ("size", "--size"),
        ("style", "--style"),
        ("title", "--title"),
        ("no_caption", "--no-caption"),
    ];
    let numbers = arguments.try_get_one::<bool>("numbers").ok().flatten() == Some(&true);
    let without_effect = |id: &str| match (id, form) {
        _ if numbers => true,
        ("dpi", Some(form)) => form != FigureForm::Png,
        ("dpi", None) => !arguments.contains_id("out"),
        ("size" | "no_caption", Some(FigureForm::Xpl)) => true,
        (_, Some(form)) => form.holds_values(),
        (_, None) => false,
    };
    let Some((id, option)) = options.into_iter().find(|(id, _)| typed(id) && without_effect(id)) else {
        return Ok(());
    };
    let why = match (id, form) {
        _ if numbers => "changes nothing about the numbers alone; leave it out".to_string(),
        ("dpi", Some(form)) if !form.holds_values() => {
            "is the pixels per inch of a png alone; write a png, or leave it out".to_string()
        }
        ("dpi", None) => {
            "is the pixels per inch of a png alone; name one with -o FILE.png, or leave it out".to_string()
        }
        (_, Some(FigureForm::Xpl)) => "changes nothing about a file for xplot; leave it out".to_string(),
        _ => format!(
            "changes nothing about {}, which holds the plotted values; leave it out",
            form.and_then(|form| Some(form.to_possible_value()?.get_name().to_string())).unwrap_or_default()
        ),
    };
    Err(Error::Usage(format!("{option} {why}")))
}

fn size(text: &str) -> std::result::Result<Size, String> {
    Size::parse(text).ok_or_else(|| "not a valid size; give two lengths, such as 900x600 or 3.5inx2.5in".to_string())
}

/// Where a figure is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Display {
    /// In the terminal: as a picture where it can show one, in characters otherwise.
    Term,
    /// In a window of another program, which xdg-open finds.
    Gui,
    /// Nowhere.
    No,
}

/// The form of a figure's file, or of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FigureForm {
    /// Scalable vector graphics.
    Svg,
    /// A page of vectors that carries its font.
    Pdf,
    /// A bitmap.
    Png,
    /// A file for xplot.
    Xpl,
    /// Characters.
    Txt,
    /// The plotted values, comma-separated.
    Csv,
    /// The plotted values as JSON.
    Json,
    /// The plotted values, one JSON object per line.
    Ndjson,
    /// The plotted values in Parquet.
    Parquet,
    /// The plotted values as an Arrow IPC file.
    Arrow,
}

impl FigureForm {
    /// Whether it holds the plotted values instead of a picture.
    #[must_use]
    pub fn holds_values(self) -> bool {
        matches!(
            self,
            FigureForm::Csv | FigureForm::Json | FigureForm::Ndjson | FigureForm::Parquet | FigureForm::Arrow
        )
    }

    /// Whether the caption is not in it.
    #[must_use]
    pub fn lacks_caption(self) -> bool {
        !matches!(self, FigureForm::Svg | FigureForm::Pdf | FigureForm::Png | FigureForm::Txt)
    }

    /// The form that a file's ending asks for.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        FigureForm::from_str(&ending, true).ok()
    }
}
