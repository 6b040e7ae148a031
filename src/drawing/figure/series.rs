//! Series: values of one kind, how they are marked and what role they play.

use std::num::NonZeroU64;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use mptcp_trace::interrupt::interruptible;

/// Values of one kind under one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// The name in the legend; without one the series has no entry there.
    pub name: String,
    /// Role; the style gives each role its colour, dashes and mark.
    pub role: Role,
    /// The values and how they are marked.
    pub marks: Marks,
    /// Number of the packet that each mark stands for, in the order of the marks: null for one that stands for none, as the
    /// end of a line that only lasts. Empty where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packets: Vec<Option<NonZeroU64>>,
}

impl Series {
    /// A series.
    #[must_use]
    pub fn new(name: impl Into<String>, role: Role, marks: Marks) -> Self {
        Series { name: name.into(), role, marks, packets: Vec::new() }
    }

    /// Says which packet each mark stands for: 0 for none, because packets are numbered from 1.
    #[must_use]
    pub fn of_packets(mut self, packets: Vec<u64>) -> Self {
        self.packets = packets.into_iter().map(NonZeroU64::new).collect();
        self
    }
}

/// Meaning of a series, as far as its look is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The kind.
    pub kind: RoleKind,
    /// Which subflow, or which of several things of one kind, from 0; roles that take their subflow's colour use it.
    #[serde(default)]
    pub subflow: Option<u32>,
}

/// The kinds of roles that styles know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RoleKind {
    /// One of several things that stand beside each other.
    Subflow,
    /// Acknowledged data.
    Acknowledgement,
    /// Limit that the other end allows to send.
    WindowEdge,
    /// All subflows together.
    Total,
    /// Sent again on the same subflow.
    Retransmission,
    /// Sent again on another subflow.
    Reinjection,
    /// Did not arrive.
    Loss,
    /// Reported as received, behind something that is missing.
    Sack,
    /// Acknowledged once more, without anything new.
    DuplicateAck,
    /// No room at the receiver.
    ZeroWindow,
    /// Something that happened.
    Event,
    /// A line to compare with.
    Reference,
}

impl RoleKind {
    /// Every kind, in the order of style files.
    pub const ALL: [RoleKind; 12] = [
        RoleKind::Subflow,
        RoleKind::Acknowledgement,
        RoleKind::WindowEdge,
        RoleKind::Total,
        RoleKind::Retransmission,
        RoleKind::Reinjection,
        RoleKind::Loss,
        RoleKind::Sack,
        RoleKind::DuplicateAck,
        RoleKind::ZeroWindow,
        RoleKind::Event,
        RoleKind::Reference,
    ];

    /// The name in style files and in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            RoleKind::Subflow => "subflow",
            RoleKind::Acknowledgement => "acknowledgement",
            RoleKind::WindowEdge => "window_edge",
            RoleKind::Total => "total",
            RoleKind::Retransmission => "retransmission",
            RoleKind::Reinjection => "reinjection",
            RoleKind::Loss => "loss",
            RoleKind::Sack => "sack",
            RoleKind::DuplicateAck => "duplicate_ack",
            RoleKind::ZeroWindow => "zero_window",
            RoleKind::Event => "event",
            RoleKind::Reference => "reference",
        }
    }
}

impl Role {
    /// Subflow number `index` of the plot, from 0.
    #[must_use]
    pub const fn subflow(index: u32) -> Self {
        Role { kind: RoleKind::Subflow, subflow: Some(index) }
    }

    /// A role of no subflow in particular.
    #[must_use]
    pub const fn of(kind: RoleKind) -> Self {
        Role { kind, subflow: None }
    }

    /// A role that belongs to subflow number `index` of the plot, from 0.
    #[must_use]
    pub const fn of_subflow(kind: RoleKind, index: u32) -> Self {
        Role { kind, subflow: Some(index) }
    }
}

/// The values of a series and how they are marked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Marks {
    /// A mark at each point.
    Points(Vec<Point>),
    /// Points joined by straight lines, in their order.
    Lines(Vec<Point>),
    /// Values that hold until the next point.
    Steps(Vec<Point>),
    /// Vertical lines: the segments of a time-sequence plot.
    VerticalStrokes(Vec<VerticalStroke>),
    /// Horizontal lines: spans of time.
    HorizontalStrokes(Vec<HorizontalStroke>),
    /// Bars from zero, of a histogram or a comparison.
    Bars(Vec<Bar>),
    /// Areas between two values along both axes: the boxes of a box plot.
    Areas(Vec<Area>),
    /// A short horizontal line at each point.
    Ticks(Vec<Point>),
    /// Arrows with texts: the messages of a sequence diagram.
    Arrows(Vec<Arrow>),
}

impl Marks {
    /// Their number.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Marks::Points(points) | Marks::Lines(points) | Marks::Steps(points) | Marks::Ticks(points) => points.len(),
            Marks::VerticalStrokes(strokes) => strokes.len(),
            Marks::HorizontalStrokes(strokes) => strokes.len(),
            Marks::Bars(bars) => bars.len(),
            Marks::Areas(areas) => areas.len(),
            Marks::Arrows(arrows) => arrows.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Puts other values in place of all along the x axis and all along the y axis.
    pub(super) fn map(&mut self, x: &impl Fn(f64) -> f64, y: &impl Fn(f64) -> f64) {
        let point = |point: &mut Point| (point.x, point.y) = (x(point.x), y(point.y));
        match self {
            Marks::Points(points) | Marks::Lines(points) | Marks::Steps(points) | Marks::Ticks(points) => {
                points.iter_mut().for_each(point);
            }
            Marks::VerticalStrokes(strokes) => strokes.iter_mut().for_each(|stroke| {
                (stroke.x, stroke.y_low, stroke.y_high) = (x(stroke.x), y(stroke.y_low), y(stroke.y_high));
            }),
            Marks::HorizontalStrokes(strokes) => strokes.iter_mut().for_each(|stroke| {
                (stroke.x_low, stroke.x_high, stroke.y) = (x(stroke.x_low), x(stroke.x_high), y(stroke.y));
            }),
            Marks::Bars(bars) => bars.iter_mut().for_each(|bar| {
                (bar.x_low, bar.x_high, bar.y) = (x(bar.x_low), x(bar.x_high), y(bar.y));
            }),
            Marks::Areas(areas) => areas.iter_mut().for_each(|area| {
                (area.x_low, area.x_high) = (x(area.x_low), x(area.x_high));
                (area.y_low, area.y_high) = (y(area.y_low), y(area.y_high));
            }),
            Marks::Arrows(arrows) => arrows.iter_mut().for_each(|arrow| {
                point(&mut arrow.from);
                point(&mut arrow.to);
            }),
        }
    }

    /// The name in JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Marks::Points(_) => "points",
            Marks::Lines(_) => "lines",
            Marks::Steps(_) => "steps",
            Marks::VerticalStrokes(_) => "vertical_strokes",
            Marks::HorizontalStrokes(_) => "horizontal_strokes",
            Marks::Bars(_) => "bars",
            Marks::Areas(_) => "areas",
            Marks::Ticks(_) => "ticks",
            Marks::Arrows(_) => "arrows",
        }
    }

    /// Shows `look` the box around each mark, as [`Marks::boxes`] has them, until it has seen enough. Faster than these
    /// where there are millions.
    pub fn look_at_boxes<B>(&self, look: impl FnMut(MarkBox) -> ControlFlow<B>) -> ControlFlow<B> {
        match self {
            Marks::Points(points) | Marks::Lines(points) | Marks::Steps(points) | Marks::Ticks(points) => {
                look_at(points, |point| (point.x, point.y, point.x, point.y), look)
            }
            Marks::VerticalStrokes(strokes) => {
                look_at(strokes, |stroke| (stroke.x, stroke.y_low, stroke.x, stroke.y_high), look)
            }
            _ => self.boxes().try_for_each(look),
        }
    }

    /// The box around each mark: `(x, y, x_end, y_end)`, one place for a point. A bar ends at its height.
    pub fn boxes(&self) -> Box<dyn Iterator<Item = MarkBox> + '_> {
        match self {
            Marks::Points(points) | Marks::Lines(points) | Marks::Steps(points) | Marks::Ticks(points) => {
                Box::new(points.iter().map(|point| (point.x, point.y, point.x, point.y)))
            }
            Marks::VerticalStrokes(strokes) => {
                Box::new(strokes.iter().map(|stroke| (stroke.x, stroke.y_low, stroke.x, stroke.y_high)))
            }
            Marks::HorizontalStrokes(strokes) => {
                Box::new(strokes.iter().map(|stroke| (stroke.x_low, stroke.y, stroke.x_high, stroke.y)))
            }
            Marks::Bars(bars) => Box::new(bars.iter().map(|bar| (bar.x_low, bar.y, bar.x_high, bar.y))),
            Marks::Areas(areas) => {
                Box::new(areas.iter().map(|area| (area.x_low, area.y_low, area.x_high, area.y_high)))
            }
            Marks::Arrows(arrows) => {
                Box::new(arrows.iter().map(|arrow| (arrow.from.x, arrow.from.y, arrow.to.x, arrow.to.y)))
            }
        }
    }
}

/// The box around a mark: `(x, y, x_end, y_end)`.
pub type MarkBox = (f64, f64, f64, f64);

/// Marks between which a loop looks for Ctrl-C.
const TOGETHER: usize = 4096;

fn look_at<T, B>(
    marks: &[T],
    around: impl Fn(&T) -> MarkBox,
    mut look: impl FnMut(MarkBox) -> ControlFlow<B>,
) -> ControlFlow<B> {
    interruptible(marks.chunks(TOGETHER)).try_for_each(|marks| marks.iter().try_for_each(|mark| look(around(mark))))
}

/// A place between the axes: `[x, y]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Point {
    /// Along the x axis.
    pub x: f64,
    /// Along the y axis.
    pub y: f64,
}

impl From<[f64; 2]> for Point {
    fn from([x, y]: [f64; 2]) -> Self {
        Point { x, y }
    }
}

impl From<Point> for [f64; 2] {
    fn from(point: Point) -> Self {
        [point.x, point.y]
    }
}

/// A vertical line: `[x, y_low, y_high]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "[f64; 3]", into = "[f64; 3]")]
pub struct VerticalStroke {
    /// Where it stands.
    pub x: f64,
    /// Its lower end.
    pub y_low: f64,
    /// Its upper end.
    pub y_high: f64,
}

impl From<[f64; 3]> for VerticalStroke {
    fn from([x, y_low, y_high]: [f64; 3]) -> Self {
        VerticalStroke { x, y_low, y_high }
    }
}

impl From<VerticalStroke> for [f64; 3] {
    fn from(stroke: VerticalStroke) -> Self {
        [stroke.x, stroke.y_low, stroke.y_high]
    }
}

/// A horizontal line: `[x_low, x_high, y]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "[f64; 3]", into = "[f64; 3]")]
pub struct HorizontalStroke {
    /// Its left end.
    pub x_low: f64,
    /// Its right end.
    pub x_high: f64,
    /// Height.
    pub y: f64,
}

impl From<[f64; 3]> for HorizontalStroke {
    fn from([x_low, x_high, y]: [f64; 3]) -> Self {
        HorizontalStroke { x_low, x_high, y }
    }
}

impl From<HorizontalStroke> for [f64; 3] {
    fn from(stroke: HorizontalStroke) -> Self {
        [stroke.x_low, stroke.x_high, stroke.y]
    }
}

/// A bar from zero to `y`: `[x_low, x_high, y]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "[f64; 3]", into = "[f64; 3]")]
pub struct Bar {
    /// Its left side.
    pub x_low: f64,
    /// Its right side.
    pub x_high: f64,
    /// Its height.
    pub y: f64,
}

impl From<[f64; 3]> for Bar {
    fn from([x_low, x_high, y]: [f64; 3]) -> Self {
        Bar { x_low, x_high, y }
    }
}

impl From<Bar> for [f64; 3] {
    fn from(bar: Bar) -> Self {
        [bar.x_low, bar.x_high, bar.y]
    }
}

/// An area: `[x_low, x_high, y_low, y_high]` in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct Area {
    /// Its left side.
    pub x_low: f64,
    /// Its right side.
    pub x_high: f64,
    /// Its lower side.
    pub y_low: f64,
    /// Its upper side.
    pub y_high: f64,
}

impl From<[f64; 4]> for Area {
    fn from([x_low, x_high, y_low, y_high]: [f64; 4]) -> Self {
        Area { x_low, x_high, y_low, y_high }
    }
}

impl From<Area> for [f64; 4] {
    fn from(area: Area) -> Self {
        [area.x_low, area.x_high, area.y_low, area.y_high]
    }
}

/// A line with a head at its end, and a text beside it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Arrow {
    /// Where it starts.
    pub from: Point,
    /// Where its head is.
    pub to: Point,
    /// Text beside it; may be empty.
    #[serde(default)]
    pub text: String,
}
