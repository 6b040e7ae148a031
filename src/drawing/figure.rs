//! Content of a plot, apart from how it is drawn: a [`Figure`] of panels, axes, series and annotations.
//!
//! A figure is a value: it serialises, so it can come from another program as JSON, and [`Figure::validate`] says
//! whether it can be drawn. Points are pairs `[x, y]` in JSON. Times are seconds, sizes bytes, rates bytes per second
//! and shares parts of one; the renderers choose the unit prefixes.
//!
//! ```
//! use mptcpanalyzer::drawing::figure::{Axis, Figure, Marks, Panel, Point, Role, Series, Unit};
//!
//! let points = vec![Point { x: 0.0, y: 1.0 }, Point { x: 0.5, y: 1429.0 }];
//! let panel = Panel::new(Axis::new("time", Unit::Seconds), Axis::new("data sequence number", Unit::Bytes))
//!     .with_series(Series::new("subflow 1", Role::subflow(0), Marks::Steps(points)));
//! let figure = Figure::new("Data over time").with_panel(panel);
//! assert!(figure.validate().is_ok());
//! ```

mod series;
mod validate;

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

pub use series::{Area, Arrow, Bar, HorizontalStroke, MarkBox, Marks, Point, Role, RoleKind, Series, VerticalStroke};
pub use validate::FigureError;

/// One plot: panels above each other, with a title and lines of explanation below.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Title of the plot.
    pub title: String,
    /// Paragraphs below the plot: where the numbers come from and what they do not say.
    #[serde(default)]
    pub caption: Vec<String>,
    /// From top to bottom. Panels whose x axes have one label and one unit share their range.
    pub panels: Vec<Panel>,
    /// The paragraphs of the caption that say what was left out: forms without a caption, which hold the plotted values,
    /// say them on standard error.
    #[serde(skip)]
    pub left_out: Vec<String>,
}

/// One pair of axes with what is drawn between them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Panel {
    /// Above the panel; none when the axes say enough.
    #[serde(default)]
    pub title: Option<String>,
    /// Which way what it shows travels, such as `server`; for the plotted values alone.
    #[serde(default)]
    pub direction: Option<String>,
    /// From left to right.
    pub x: Axis,
    /// From bottom to top.
    pub y: Axis,
    /// Drawn in this order, the last one on top.
    pub series: Vec<Series>,
    /// Texts that point at an instant or a place.
    #[serde(default)]
    pub annotations: Vec<Annotation>,
}

/// Quantity along one direction of a panel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Measured quantity, without its unit.
    pub label: String,
    /// The unit of the values.
    pub unit: Unit,
    /// The least and the greatest value shown; worked out from the data when absent.
    #[serde(default)]
    pub range: Option<(f64, f64)>,
    /// Even steps of the value, or of its logarithm.
    #[serde(default)]
    pub scale: Scale,
    /// Greater values to the left, or further down: time in a sequence diagram runs downwards.
    #[serde(default)]
    pub reversed: bool,
    /// Names of the places 0, 1, 2, … in place of numbers: the lifelines of a sequence diagram, the bars of a
    /// comparison.
    #[serde(default)]
    pub categories: Vec<String>,
}

/// The unit that the values of an axis are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds; shown as s, ms, µs or ns.
    Seconds,
    /// Bytes; shown as B, kB, MB, ….
    Bytes,
    /// Bytes per second; shown as bit/s, kbit/s, Mbit/s, …, eight bits a byte.
    BytesPerSecond,
    /// Number.
    Count,
    /// Parts of one; shown in per cent.
    Share,
    /// A number without a unit.
    Plain,
}

impl Unit {
    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Unit::Seconds => "seconds",
            Unit::Bytes => "bytes",
            Unit::BytesPerSecond => "bytes_per_second",
            Unit::Count => "count",
            Unit::Share => "share",
            Unit::Plain => "plain",
        }
    }
}

impl Unit {
    /// The unit that an axis names, without prefix, and how many of it are one of [`Unit::name`].
    #[must_use]
    pub fn on_axis(self) -> (&'static str, f64) {
        match self {
            Unit::BytesPerSecond => ("bits_per_second", 8.0),
            Unit::Share => ("percent", 100.0),
            Unit::Seconds | Unit::Bytes | Unit::Count | Unit::Plain => (self.name(), 1.0),
        }
    }
}

/// Scale of an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Even steps of the value.
    #[default]
    Linear,
    /// Even steps of its logarithm; values that are not above zero have no place and are left out.
    Logarithmic,
}

/// A text that points at something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Annotation {
    /// Where along the x axis.
    pub x: f64,
    /// Where along the y axis; without it a line through the whole panel marks `x`.
    #[serde(default)]
    pub y: Option<f64>,
    /// Text there, a word or two.
    pub text: String,
    /// Number of the packet that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packet: Option<NonZeroU64>,
}

impl Figure {
    /// A figure without panels.
    #[must_use]
    pub fn new(title: impl Into<String>) -> Self {
        Figure { title: title.into(), caption: Vec::new(), panels: Vec::new(), left_out: Vec::new() }
    }

    /// Adds a paragraph below the plot.
    #[must_use]
    pub fn with_caption(mut self, line: impl Into<String>) -> Self {
        self.caption.push(line.into());
        self
    }

    /// Says first of all below the plot what was left out.
    #[must_use]
    pub fn with_left_out(mut self, sentence: String) -> Self {
        self.caption.insert(0, sentence.clone());
        self.left_out.push(sentence);
        self
    }

    /// Adds a panel below those there are.
    #[must_use]
    pub fn with_panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }
}

impl Panel {
    /// A panel without series.
    #[must_use]
    pub fn new(x: Axis, y: Axis) -> Self {
        Panel { title: None, direction: None, x, y, series: Vec::new(), annotations: Vec::new() }
    }

    /// Puts a title above the panel.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Adds a series on top of those there are.
    #[must_use]
    pub fn with_series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Marks an instant or a place with a text.
    #[must_use]
    pub fn with_annotation(mut self, annotation: Annotation) -> Self {
        self.annotations.push(annotation);
        self
    }
}

impl Panel {
    /// Puts other values in place of all along the x axis and all along the y axis.
    pub fn map(&mut self, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) {
        for series in &mut self.series {
            series.marks.map(&x, &y);
        }
        for annotation in &mut self.annotations {
            annotation.x = x(annotation.x);
            annotation.y = annotation.y.map(&y);
        }
        self.x.range = self.x.range.map(|(least, greatest)| (x(least), x(greatest)));
        self.y.range = self.y.range.map(|(least, greatest)| (y(least), y(greatest)));
    }
}

impl Axis {
    /// A linear axis whose range follows the data.
    #[must_use]
    pub fn new(label: impl Into<String>, unit: Unit) -> Self {
        Axis { label: label.into(), unit, range: None, scale: Scale::Linear, reversed: false, categories: Vec::new() }
    }

    /// An axis of names at the places 0, 1, 2, ….
    #[must_use]
    pub fn of_categories(label: impl Into<String>, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let categories = names.into_iter().map(Into::into).collect();
        Axis { categories, ..Axis::new(label, Unit::Plain) }
    }

    /// Shows the values from `least` to `greatest`, whatever the data are.
    #[must_use]
    pub fn with_range(mut self, least: f64, greatest: f64) -> Self {
        self.range = Some((least, greatest));
        self
    }

    /// Lays values out by their logarithm.
    #[must_use]
    pub fn logarithmic(mut self) -> Self {
        self.scale = Scale::Logarithmic;
        self
    }

    /// Lets values grow to the left, or downwards.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.reversed = true;
        self
    }

    /// Whether `value` has a place on the axis.
    #[must_use]
    pub fn places(&self, value: f64) -> bool {
        self.scale == Scale::Linear || value > 0.0
    }
}

impl Annotation {
    /// A line through the panel at `x`, with a text.
    #[must_use]
    pub fn at(x: f64, text: impl Into<String>) -> Self {
        Annotation { x, y: None, text: text.into(), packet: None }
    }

    /// A text at one place.
    #[must_use]
    pub fn at_point(x: f64, y: f64, text: impl Into<String>) -> Self {
        Annotation { x, y: Some(y), text: text.into(), packet: None }
    }

    /// Says which packet it is about: 0 for none, because packets are numbered from 1.
    #[must_use]
    pub fn of_packet(mut self, packet: u64) -> Self {
        self.packet = NonZeroU64::new(packet);
        self
    }
}

#[cfg(test)]
mod tests;
