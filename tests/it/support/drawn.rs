//! Figures as `plot` makes them, without a process of their own.

use mptcpanalyzer::packets::LoadedCapture;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mptcpanalyzer::arguments::CaptureSource;
use mptcpanalyzer::drawing::figure::{Figure, Marks, Panel, Point};
use mptcpanalyzer::error::Result;
use mptcpanalyzer::plots::registry;
use mptcpanalyzer::plots::request::PlotRequest;

use crate::support::scenarios;

/// A source of one capture.
struct Only(Arc<LoadedCapture>);

impl CaptureSource for Only {
    fn warn(&self, _: String) {}

    fn capture(&self) -> Result<Arc<LoadedCapture>> {
        Ok(self.0.clone())
    }

    fn resolve(&mut self, _: &Path) -> Result<Arc<LoadedCapture>> {
        Ok(self.0.clone())
    }
}

/// A capture of a scenario; `None` where the scenarios are not there.
pub fn scenario(file: &str) -> Option<(PathBuf, Arc<LoadedCapture>)> {
    let path = scenarios::folder()?.join(file);
    let capture = scenarios::load(&path)?;
    Some((path, capture))
}

/// What `plot LINE` makes of a capture.
pub fn try_draw(capture: &Arc<LoadedCapture>, line: &str) -> Result<Figure> {
    let mut words = line.split_whitespace();
    let plot = registry::PLOTS.find(words.next().expect("a name")).expect("a plot");
    let command = clap::Command::new(plot.name()).no_binary_name(true);
    let command = PlotRequest::with_arguments(plot.arguments(command));
    let arguments = command.try_get_matches_from(words).unwrap_or_else(|error| panic!("{line}: {error}"));
    let request = PlotRequest::of(&arguments)?;
    let figure = plot.figure(&arguments, &request, &mut Only(capture.clone()))?;
    figure.validate().unwrap_or_else(|error| panic!("{line}: {error}"));
    Ok(figure)
}

/// The same for a line that is right.
pub fn draw(capture: &Arc<LoadedCapture>, line: &str) -> Figure {
    try_draw(capture, line).unwrap_or_else(|error| panic!("{line}: {error}"))
}

/// The points of the series of that name in a panel.
pub fn points<'a>(panel: &'a Panel, name: &str) -> &'a [Point] {
    let series = panel.series.iter().find(|series| series.name == name);
    match &series.unwrap_or_else(|| panic!("no series {name}")).marks {
        Marks::Points(points) | Marks::Steps(points) | Marks::Lines(points) => points,
        other => panic!("{name} has {}", other.name()),
    }
}

/// The names of the series of a panel.
pub fn names(panel: &Panel) -> Vec<&str> {
    panel.series.iter().map(|series| series.name.as_str()).collect()
}
