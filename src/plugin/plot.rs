//! Plots of plugins, beside the program's own.

use clap::ArgMatches;

use super::answer::{Shown, shown};
use super::manifest::Entry;
use super::protocol::Selection;
use super::{Plugin, host, request};
use crate::arguments::CaptureSource;
use crate::described::{Described, Example};
use crate::drawing::figure::Figure;
use crate::error::{Error, Result};
use crate::plots::registry::Plot;
use crate::plots::request::PlotRequest;

/// A plot that a plugin draws.
#[derive(Debug)]
pub struct PluginPlot {
    /// The plugin.
    pub plugin: &'static Plugin,
    /// The plot.
    pub entry: &'static Entry,
    /// Its help.
    pub details: &'static str,
    /// Its worked lines.
    pub examples: &'static [Example],
}

impl Described for PluginPlot {
    fn name(&self) -> &'static str {
        &self.entry.name
    }

    fn summary(&self) -> &'static str {
        &self.entry.summary
    }

    fn details(&self) -> &'static str {
        self.details
    }

    fn arguments(&self, command: clap::Command) -> clap::Command {
        super::arguments::define(self.entry, command)
    }

    fn examples(&self) -> &'static [Example] {
        self.examples
    }
}

impl Plot for PluginPlot {
    fn figure(&self, arguments: &ArgMatches, request: &PlotRequest, source: &mut dyn CaptureSource) -> Result<Figure> {
        match use_of(self.plugin, self.entry, arguments, Some(request.into()), source)? {
            Shown::Figure(figure) => Ok(*figure),
            Shown::Report(_) => Err(Error::Failed(format!(
                "plugin `{}` answered with text or a table, but a plot needs a figure",
                self.plugin.manifest.name
            ))),
        }
    }
}

/// Runs one command or plot of a plugin. What it says on standard error becomes warnings.
///
/// # Errors
/// One sentence that names the plugin.
pub fn use_of(
    plugin: &Plugin,
    entry: &Entry,
    arguments: &ArgMatches,
    selection: Option<Selection>,
    source: &mut dyn CaptureSource,
) -> Result<Shown> {
    let prepared = request::prepare(entry, arguments, selection, source)?;
    let spoken = host::ask(plugin, &prepared);
    let name = &plugin.manifest.name;
    for line in spoken.said {
        source.warn(format!("{name}: {line}"));
    }
    let answer = spoken.answer.map_err(|error| match error {
        host::HostError::Interrupted => Error::Interrupted,
        other => Error::Failed(other.to_string()),
    })?;
    shown(name, answer, prepared.directory.path())
}

impl From<&PlotRequest> for Selection {
    fn from(request: &PlotRequest) -> Self {
        Selection {
            towards: request.towards.map(|role| role.name().to_string()),
            start: request.start,
            end: request.end,
            subflows: request.only.iter().map(|stream| stream.0).collect(),
            skip_subflows: request.skipped.iter().map(|stream| stream.0).collect(),
        }
    }
}
