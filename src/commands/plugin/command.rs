//! A command that a plugin brings.

use std::path::PathBuf;

use clap::ArgMatches;

use crate::commands::shared::drawing::{Drawing, FigureForm};
use crate::commands::{Category, Command, Described, Example, Outcome, Session, grammar};
use crate::drawing::figure::Figure;
use crate::drawing::render::USUAL_DPI;
use crate::drawing::style::Style;
use crate::error::Result;
use crate::output::Format;
use crate::plugin::Plugin;
use crate::plugin::answer::Shown;
use crate::plugin::manifest::Entry;
use crate::plugin::plot::use_of;

/// A command of a plugin.
#[derive(Debug)]
pub struct PluginCommand {
    /// The plugin.
    pub plugin: &'static Plugin,
    /// The command.
    pub entry: &'static Entry,
    /// Its help.
    pub details: &'static str,
    /// Its worked lines.
    pub examples: &'static [Example],
}

impl Described for PluginCommand {
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
        crate::plugin::arguments::define(self.entry, command)
    }

    fn examples(&self) -> &'static [Example] {
        self.examples
    }
}

impl Command for PluginCommand {
    fn category(&self) -> Category {
        Category::Plugins
    }

    fn run(&self, arguments: &ArgMatches, session: &mut Session) -> Result<Outcome> {
        match use_of(self.plugin, self.entry, arguments, None, session)? {
            Shown::Report(report) => Ok(Outcome::Report(*report)),
            Shown::Figure(figure) => Ok(Outcome::Drawing(Box::new(drawing(*figure, arguments)))),
        }
    }
}

/// A figure where the options of reports say; the options of plots are those of `plot`.
fn drawing(figure: Figure, arguments: &ArgMatches) -> Drawing {
    let form = grammar::chosen_format(arguments).and_then(|format| match format {
        Format::Table => None,
        Format::Json => Some(FigureForm::Json),
        Format::Ndjson => Some(FigureForm::Ndjson),
        Format::Csv => Some(FigureForm::Csv),
        Format::Parquet => Some(FigureForm::Parquet),
        Format::Arrow => Some(FigureForm::Arrow),
    });
    let out = arguments.try_get_one::<PathBuf>(grammar::OUTPUT).ok().flatten().cloned();
    let force = crate::arguments::forced(arguments);
    Drawing {
        figure,
        style: Style::default(),
        size: None,
        dpi: USUAL_DPI,
        out,
        force,
        form,
        display: None,
        numbers: None,
        size_unit: None,
    }
}
