//! Results of commands, written where the line wants them.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::ArgMatches;

use super::console::{Console, output_error};
use super::executor::Executor;
use super::save;
use crate::arguments;
use crate::commands::grammar;
use crate::drawing::render::text::subflow_colour;
use crate::drawing::style::Style;
use crate::error::{Error, Result};
use crate::output::{Format, NOT_TEXT, Paint, RenderOptions, Report, render, render_painted};
use crate::whole_file::{self, Force};
use mptcp_trace::StreamId;
use mptcp_trace::interrupt;

impl Executor {
    /// The file that a result goes to, if it does (`-` is standard output), and how it is written.
    ///
    /// # Errors
    /// When the name of the file says an unknown form and no form was asked for.
    pub(super) fn destination<'m>(
        &self,
        matches: &'m ArgMatches,
        console: &Console<'_>,
    ) -> Result<(Option<&'m PathBuf>, RenderOptions)> {
        let file = matches.try_get_one::<PathBuf>(grammar::OUTPUT).ok().flatten();
        let file = file.filter(|path| path.as_os_str() != "-");
        let format = match (grammar::chosen_format(matches), file) {
            (Some(chosen), _) => Some(chosen),
            (None, Some(path)) => match save::format_of(path) {
                // That it is a capture matters more than its extension.
                Err(unknown) => match whole_file::refuse_capture(path, Force::NotGiven) {
                    Err(_) if arguments::forced(matches) == Force::Given => None,
                    refused => return Err(refused.err().unwrap_or(unknown)),
                },
                Ok(format) => format,
            },
            (None, None) => None,
        };
        let format = format.unwrap_or(self.session.format);
        let options = RenderOptions {
            format,
            human_readable: self.session.human_readable || grammar::chosen_human_readable(matches),
            delimiter: self.session.config.delimiter,
            width: if file.is_some() { None } else { (console.size)().map(|(width, _)| width) },
        };
        Ok((file, options))
    }

    /// The style of the settings.
    fn style(&self) -> Style {
        self.session.settings.style.as_deref().and_then(|name| Style::find(name).ok()).unwrap_or_default()
    }

    /// The place of each TCP stream among the subflows of its connection, which its colour follows from.
    fn subflow_places(&self) -> HashMap<StreamId, u32> {
        let connections = self.session.loaded().into_iter().flat_map(|capture| capture.tracking.connections.iter());
        connections.flat_map(|connection| connection.subflows.iter().copied().zip(0..)).collect()
    }

    /// Renders a report to where the line wants it.
    pub(super) fn deliver(&self, report: &Report, matches: &ArgMatches, console: &mut Console<'_>) -> Result<()> {
        let (file, options) = self.destination(matches, console)?;
        if let Some(sentence) = report.left_out.as_ref().filter(|_| options.format != Format::Table) {
            console.warning(sentence);
        }
        let Some(path) = file else {
            // Reading the style costs more than listing a small capture.
            let colours = console.colour.then(|| (self.style(), self.subflow_places()));
            let subflow = |stream: u32| {
                let (style, places) = colours.as_ref()?;
                subflow_colour(style, *places.get(&StreamId(stream))?)
            };
            let paint = Paint { subflow: &subflow };
            let mut output = BufWriter::new(Interruptible(&mut *console.results));
            render_painted(report, &options, Some(&paint).filter(|_| console.colour), &mut output)?;
            return output.flush().map_err(output_error);
        };
        whole_file::write(path, arguments::forced(matches), |output| {
            render(report, &options, &mut Interruptible(output))
        })?;
        self.note(console, &format!("wrote {}", path.display()));
        Ok(())
    }
}

/// Writes the content of a file to the results.
pub(super) fn copied(path: &Path, binary: bool, console: &mut Console<'_>) -> Result<()> {
    if binary && (console.size)().is_some() {
        return Err(Error::Usage(NOT_TEXT.to_string()));
    }
    let mut file = std::fs::File::open(path).map_err(|source| Error::file("read", path, source))?;
    let mut output = Interruptible(&mut *console.results);
    io::copy(&mut file, &mut output).and_then(|_| output.flush()).map_err(output_error)
}

/// Refuses to write once Ctrl-C was pressed, so that a long table stops.
struct Interruptible<'a>(&'a mut dyn Write);

impl Write for Interruptible<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if interrupt::requested() {
            return Err(io::Error::other("interrupted"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
