//! Look of figures: colours, sizes, widths, dashes and marks, read from TOML.
//!
//! Four styles are part of the program ([`Style::NAMES`]); a file of one's own changes what it names and keeps the
//! rest of the style that its key `based_on` names, or of `default`.

mod colour;
mod read;

use super::figure::{Role, RoleKind};
use super::render::Size;
pub use colour::Colour;
pub use read::StyleError;

/// The look of a plot. Sizes and widths are pixels at 96 dots an inch.
#[derive(Debug, Clone, PartialEq)]
pub struct Style {
    /// Behind everything.
    pub background: Colour,
    /// Text and axes.
    pub foreground: Colour,
    /// Lines at the ticks.
    pub grid: Colour,
    /// Text at axes, in the legend and at annotations.
    pub font_size: f64,
    /// The title.
    pub title_size: f64,
    /// The caption.
    pub caption_size: f64,
    /// Lines of the axes.
    pub axis_width: f64,
    /// Lines of the grid.
    pub grid_width: f64,
    /// Lines and steps, where the role does not say.
    pub line_width: f64,
    /// Strokes and arrows, where the role does not say.
    pub stroke_width: f64,
    /// From side to side of a mark.
    pub mark_size: f64,
    /// Size of the picture where nobody asks for another.
    pub size: Option<Size>,
    /// Whether small pictures have smaller letters.
    pub shrink_text: bool,
    /// Whether the title is drawn where nobody asks for one.
    pub show_title: bool,
    /// Whether the caption is drawn.
    pub show_caption: bool,
    /// Looks of subflows 0, 1, 2, …; never empty.
    subflows: Vec<RoleStyle>,
    /// Looks of the other roles, in the order of [`RoleKind::ALL`] without subflows.
    roles: Vec<RoleStyle>,
}

/// Style of one role.
#[derive(Debug, Clone, Copy, PartialEq)]
struct RoleStyle {
    colour: Paint,
    dash: Dash,
    mark: Symbol,
    width: Option<f64>,
}

impl RoleStyle {
    /// Defaults of a style.
    const PLAIN: RoleStyle =
        RoleStyle { colour: Paint::Foreground, dash: Dash::Solid, mark: Symbol::Circle, width: None };
}

/// Where a role takes its colour from.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Paint {
    Of(Colour),
    /// The text's colour.
    Foreground,
    /// The colour of the subflow that the series belongs to; the text's where it belongs to none.
    Subflow,
}

/// The look of one series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Its colour.
    pub colour: Colour,
    /// Its dashes, where it is a line.
    pub dash: Dash,
    /// Its mark.
    pub mark: Symbol,
    /// The width of its lines; the style's where the role does not say.
    pub width: Option<f64>,
}

/// Style of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dash {
    /// Not at all.
    Solid,
    /// Short lines.
    Dashed,
    /// Dots.
    Dotted,
    /// A short line and a dot.
    DashDot,
    /// Long lines.
    LongDash,
}

impl Dash {
    const NAMED: [(&'static str, Dash); 5] = [
        ("solid", Dash::Solid),
        ("dashed", Dash::Dashed),
        ("dotted", Dash::Dotted),
        ("dash_dot", Dash::DashDot),
        ("long_dash", Dash::LongDash),
    ];

    /// Lengths drawn and left out in turns, in multiples of the line's width; none for a line without breaks.
    #[must_use]
    pub fn lengths(self) -> &'static [f64] {
        match self {
            Dash::Solid => &[],
            Dash::Dashed => &[5.0, 2.5],
            Dash::Dotted => &[1.5, 2.0],
            Dash::DashDot => &[6.0, 2.0, 1.5, 2.0],
            Dash::LongDash => &[10.0, 3.0],
        }
    }
}

/// The mark of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Symbol {
    /// Nothing on lines; a dot where there are only points.
    None,
    /// A filled circle.
    Circle,
    /// A circle's outline.
    Ring,
    /// A filled square.
    Square,
    /// A filled square on its corner.
    Diamond,
    /// A filled triangle, point up.
    Triangle,
    /// A filled triangle, point down.
    TriangleDown,
    /// Two crossing diagonals.
    Cross,
    /// An upright cross.
    Plus,
    /// Three crossing lines.
    Star,
}

impl Symbol {
    const NAMED: [(&'static str, Symbol); 10] = [
        ("none", Symbol::None),
        ("circle", Symbol::Circle),
        ("ring", Symbol::Ring),
        ("square", Symbol::Square),
        ("diamond", Symbol::Diamond),
        ("triangle", Symbol::Triangle),
        ("triangle_down", Symbol::TriangleDown),
        ("cross", Symbol::Cross),
        ("plus", Symbol::Plus),
        ("star", Symbol::Star),
    ];
}

impl Style {
    /// The styles that are part of the program.
    pub const NAMES: [&'static str; 4] = ["default", "dark", "print", "latex"];

    /// The style of a name, or of the TOML file of that path.
    ///
    /// # Errors
    /// [`StyleError`], one sentence that names the file and, where there is one, the line and the key.
    pub fn find(name_or_file: &str) -> Result<Style, StyleError> {
        read::find(name_or_file)
    }

    /// The look of a series. Beyond the style's last subflow colours repeat with other marks and dashes.
    #[must_use]
    pub fn look(&self, role: Role) -> Look {
        let own = match RoleKind::ALL.iter().position(|kind| *kind == role.kind).and_then(|at| at.checked_sub(1)) {
            Some(at) => self.roles.get(at).copied().unwrap_or(RoleStyle::PLAIN),
            None => self.subflow(role.subflow.unwrap_or(0)).unwrap_or(RoleStyle::PLAIN),
        };
        let colour = match own.colour {
            Paint::Of(colour) => colour,
            Paint::Foreground => self.foreground,
            Paint::Subflow => match role.subflow.and_then(|index| self.subflow(index)).map(|subflow| subflow.colour) {
                Some(Paint::Of(colour)) => colour,
                _ => self.foreground,
            },
        };
        Look { colour, dash: own.dash, mark: own.mark, width: own.width }
    }

    fn subflow(&self, index: u32) -> Option<RoleStyle> {
        let index = usize::try_from(index).ok()?;
        let count = self.subflows.len();
        let round = index.checked_div(count)?;
        let colour = self.subflows.get(index.checked_rem(count)?)?.colour;
        let shape = self.subflows.get(index.wrapping_add(round).checked_rem(count)?)?;
        Some(RoleStyle { colour, ..*shape })
    }
}

impl Default for Style {
    /// The style `default`.
    fn default() -> Self {
        read::embedded_default()
    }
}
