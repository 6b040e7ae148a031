//! Figures to where the line wants them: files, the terminal, a window.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::console::{Console, output_error};
use crate::commands::Session;
use crate::commands::shared::drawing::{Display, Drawing, FigureForm, FigureNumbers};
use crate::drawing::figure::Panel;
use crate::drawing::render::{Protocol, graphics};
use crate::drawing::unshown::unshown;
use crate::drawing::{self, DrawError, PictureFormat, Size, Target};
use crate::error::{Error, Result};
use crate::output::{Format, RenderOptions, Report, render as render_report};
use crate::plots::data;
use crate::terminal_text::escape;
use mptcp_trace::interrupt;

use crate::whole_file;

/// Characters of a plot where no terminal tells its size.
const PAGE: (u16, u16) = (80, 24);
/// Lines by which a page becomes longer when panels have no room.
const LINES_MORE: u32 = 4;
/// How often it may: 16 panels, the most that a figure may have, take fewer than 200 lines.
const LENGTHENINGS: u32 = 50;
/// Lines of the terminal that the prompt takes.
const PROMPT: u16 = 1;

/// Draws `drawing` to where it is wanted.
///
/// # Errors
/// When it cannot be drawn, or not be written.
pub fn deliver(drawing: &Drawing, session: &Session, console: &mut Console<'_>) -> Result<()> {
    let out = file_of(drawing)?;
    let form = drawing.form.or_else(|| out.and_then(FigureForm::of_name));
    // Where nobody would read it below the figure.
    let unsaid =
        |sentence: &&String| form.is_some_and(FigureForm::lacks_caption) || !drawing.figure.caption.contains(sentence);
    drawing.figure.left_out.iter().filter(unsaid).for_each(|sentence| console.warning(sentence));
    if let Some(FigureNumbers { report, alone: true }) = &drawing.numbers {
        return numbers_alone(drawing, form, report, session, console);
    }
    let empty = |panel: &Panel| panel.series.iter().all(|series| series.marks.is_empty());
    if drawing.figure.panels.iter().all(empty) && !session.settings.quiet {
        console.note("the figure is empty: nothing of what it shows is in the capture or the range");
    }
    if let Some(out) = out {
        let form = form.ok_or_else(|| unknown_form(out))?;
        if matches!(form, FigureForm::Pdf | FigureForm::Png) {
            warn_of_unshown(drawing, console);
        }
        match encode(drawing, form, session)? {
            Encoded::Picture(bytes) => whole_file::write(out, drawing.force, |output| {
                output.write_all(&bytes).map_err(|error| Error::file("write", out, error))
            }),
            Encoded::Values(report, options) => {
                whole_file::write(out, drawing.force, |output| render_report(&report, &options, output))
            }
        }?;
        if !session.settings.quiet {
            console.note(&format!("wrote {}", out.display()));
        }
    } else if let Some(form) = drawing.form {
        let binary = matches!(form, FigureForm::Pdf | FigureForm::Png | FigureForm::Parquet | FigureForm::Arrow);
        if binary && (console.size)().is_some() {
            return Err(Error::Usage("a terminal cannot show this format; name a file with --out FILE".to_string()));
        }
        if matches!(form, FigureForm::Pdf | FigureForm::Png) {
            warn_of_unshown(drawing, console);
        }
        return match encode(drawing, form, session)? {
            Encoded::Picture(bytes) => {
                console.results.write_all(&bytes).and_then(|()| console.results.flush()).map_err(output_error)
            }
            Encoded::Values(report, options) => render_report(&report, &options, console.results),
        };
    }
    let unless_asked = if drawing.out.is_some() { Display::No } else { Display::Term };
    match drawing.display.unwrap_or(unless_asked) {
        Display::No => Ok(()),
        Display::Term => on_terminal(drawing, console),
        Display::Gui => in_window(drawing, console),
    }?;
    match &drawing.numbers {
        Some(numbers) => render_report(&numbers.report, &options(Format::Table, session, console), console.results),
        None => Ok(()),
    }
}

/// The file that a figure goes to, if it does: `-` is standard output.
fn file_of(drawing: &Drawing) -> Result<Option<&Path>> {
    let out = drawing.out.as_deref();
    if out.is_some_and(|out| out.as_os_str() == "-") {
        return match drawing.form {
            Some(_) => Ok(None),
            None => Err(Error::Usage("`-o -` is standard output; say in which form, as in `--format svg`".to_string())),
        };
    }
    Ok(out)
}

fn options(format: Format, session: &Session, console: &Console<'_>) -> RenderOptions {
    let width = (console.size)().map(|(width, _)| width);
    RenderOptions { format, human_readable: session.human_readable, delimiter: session.config.delimiter, width }
}

/// The numbers of a figure in place of it.
fn numbers_alone(
    drawing: &Drawing,
    form: Option<FigureForm>,
    report: &Report,
    session: &Session,
    console: &mut Console<'_>,
) -> Result<()> {
    let format = match form {
        None | Some(FigureForm::Txt) => Format::Table,
        Some(FigureForm::Csv) => Format::Csv,
        Some(FigureForm::Json) => Format::Json,
        Some(FigureForm::Ndjson) => Format::Ndjson,
        Some(FigureForm::Parquet) => Format::Parquet,
        Some(FigureForm::Arrow) => Format::Arrow,
        Some(FigureForm::Svg | FigureForm::Pdf | FigureForm::Png | FigureForm::Xpl) => {
            return Err(Error::Usage("--numbers makes no picture; use txt, csv, json, ndjson or parquet".to_string()));
        }
    };
    let Some(out) = file_of(drawing)? else {
        return render_report(report, &options(format, session, console), console.results);
    };
    if form.is_none() {
        return Err(unknown_form(out));
    }
    let options = RenderOptions { width: None, ..options(format, session, console) };
    whole_file::write(out, drawing.force, |output| render_report(report, &options, output))?;
    if !session.settings.quiet {
        console.note(&format!("wrote {}", out.display()));
    }
    Ok(())
}

fn unknown_form(out: &Path) -> Error {
    Error::Usage(whole_file::ending_alone(out).unwrap_or_else(|| format!(
        "unknown file extension of {}; use .svg, .pdf, .png, .xpl, .txt, .csv, .json, .parquet or .arrow, or add --format svg",
        escape(&out.to_string_lossy())
    )))
}

/// A figure in some form.
enum Encoded {
    /// The bytes of a file.
    Picture(Vec<u8>),
    /// The plotted values, which may be too many to be held as a text.
    Values(Box<Report>, RenderOptions),
}

fn encode(drawing: &Drawing, form: FigureForm, session: &Session) -> Result<Encoded> {
    let values = |format| {
        let table = data::table(&drawing.figure).map_err(table_error)?;
        let options = RenderOptions { format, human_readable: false, delimiter: session.config.delimiter, width: None };
        interrupt::check()?;
        Ok(Encoded::Values(Box::new(Report::of_frame(table)?), options))
    };
    let picture = match form {
        FigureForm::Svg => draw(drawing, PictureFormat::Svg, picture_size(drawing)),
        FigureForm::Pdf => draw(drawing, PictureFormat::Pdf, picture_size(drawing)),
        FigureForm::Png => draw(drawing, PictureFormat::Png, picture_size(drawing)),
        FigureForm::Xpl => draw(drawing, PictureFormat::Xplot, drawing.size),
        FigureForm::Txt if drawing.size.is_some() => {
            let size = drawing.size.map(|size| if drawing.size_unit.is_some() { size.in_characters() } else { size });
            draw(drawing, PictureFormat::Text { colour: false }, size)
        }
        FigureForm::Txt => in_characters(drawing, false, characters(PAGE)),
        FigureForm::Csv => return values(Format::Csv),
        FigureForm::Json => return values(Format::Json),
        FigureForm::Ndjson => return values(Format::Ndjson),
        FigureForm::Parquet => return values(Format::Parquet),
        FigureForm::Arrow => return values(Format::Arrow),
    };
    // After Ctrl-C the figure is not whole.
    interrupt::check()?;
    picture.map(Encoded::Picture)
}

fn table_error(source: polars::error::PolarsError) -> Error {
    Error::Table { action: "put the plotted values into a table", source }
}

/// Says which characters a picture with the font of plots does not show. SVG and text leave letters to their viewers.
fn warn_of_unshown(drawing: &Drawing, console: &mut Console<'_>) {
    const NAMED: usize = 10;
    let unshown = unshown(&drawing.figure);
    if unshown.is_empty() {
        return;
    }
    let named: Vec<String> = unshown.iter().take(NAMED).map(char::to_string).collect();
    let more = if unshown.len() > NAMED { " and others" } else { "" };
    console.warning(&format!(
        "the font of plots does not have {}{more}, so the picture lacks them; use SVG, or other names",
        named.join(" ")
    ));
}

fn draw(drawing: &Drawing, kind: PictureFormat, size: Option<Size>) -> Result<Vec<u8>> {
    try_to_draw(drawing, kind, size).map_err(|error| plot_error(drawing, &error))
}

/// Characters have the size of their page.
fn picture_size(drawing: &Drawing) -> Option<Size> {
    drawing.size.or(drawing.style.size)
}

fn try_to_draw(drawing: &Drawing, kind: PictureFormat, size: Option<Size>) -> Result<Vec<u8>, DrawError> {
    let mut target = Target::new(kind);
    target.style = drawing.style.clone();
    target.dpi = drawing.dpi;
    if let Some(size) = size {
        target.size = size;
    }
    // Who asks for a size, gets it.
    target.grows = drawing.size.is_none();
    drawing::render(&drawing.figure, &target)
}

/// The figure in characters on a page. Panels that have no room on it make it longer: a terminal scrolls.
fn in_characters(drawing: &Drawing, colour: bool, page: Size) -> Result<Vec<u8>> {
    let longer = (1..=LENGTHENINGS).map(|step| page.height.saturating_add(step.saturating_mul(LINES_MORE)));
    let mut drawn = try_to_draw(drawing, PictureFormat::Text { colour }, Some(page));
    for height in longer {
        if !matches!(drawn, Err(DrawError::TooSmall { .. })) {
            break;
        }
        drawn = try_to_draw(drawing, PictureFormat::Text { colour }, Some(Size { height, ..page }));
    }
    drawn.map_err(|error| plot_error(drawing, &error))
}

fn plot_error(drawing: &Drawing, error: &DrawError) -> Error {
    Error::Failed(error.told_in(drawing.size_unit))
}

fn characters((width, height): (u16, u16)) -> Size {
    Size { width: width.into(), height: height.into() }
}

fn on_terminal(drawing: &Drawing, console: &mut Console<'_>) -> Result<()> {
    let bytes = match picture_protocol(console) {
        Some(protocol) => {
            warn_of_unshown(drawing, console);
            draw(drawing, PictureFormat::Terminal(protocol), picture_size(drawing))?
        }
        None => {
            if drawing.size.is_some() {
                console.note(
                    "--size changes nothing about a figure in characters in the terminal; --format txt takes characters",
                );
            }
            let (width, height) = (console.size)().unwrap_or(PAGE);
            in_characters(drawing, console.colour, characters((width, height.saturating_sub(PROMPT).max(12))))?
        }
    };
    interrupt::check()?;
    let written = console.results.write_all(&bytes).and_then(|()| console.results.flush());
    written.map_err(output_error)
}

/// How the terminal takes pictures; `None` where there is none, or where colours are unwanted.
fn picture_protocol(console: &Console<'_>) -> Option<Protocol> {
    (console.size)()?;
    if !console.colour {
        return None;
    }
    graphics::supported(|name| env::var(name).ok())
}

/// Hands the figure's file to xdg-open; a file of its own where the line names none.
fn in_window(drawing: &Drawing, console: &mut Console<'_>) -> Result<()> {
    let file = match &drawing.out {
        Some(out) => out.clone(),
        None => {
            let picture = draw(drawing, PictureFormat::Svg, picture_size(drawing));
            // After Ctrl-C it is not whole.
            interrupt::check()?;
            temporary(&picture?)?
        }
    };
    let started = Command::new("xdg-open").arg(&file).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    match started {
        Ok(_) => {
            console.note(&format!("opened {}", file.display()));
            Ok(())
        }
        Err(error) => Err(Error::Failed(format!(
            "cannot start xdg-open ({error}); install xdg-utils, or open {} yourself",
            file.display()
        ))),
    }
}

/// A file that stays, because the window may be opened after this program has ended.
fn temporary(bytes: &[u8]) -> Result<PathBuf> {
    let failed = |error| Error::file("write", env::temp_dir(), error);
    // Its name is not that of a temporary file: no later start removes it.
    let mut file = tempfile::Builder::new().prefix("mptcpanalyzer.").suffix(".svg").tempfile().map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    let (_, path) = file.keep().map_err(|error| failed(error.error))?;
    Ok(path)
}
