//! Where everything in a picture stands: title, legend, panels, numbers and caption, so that no text is cut, none
//! covers another, and the legend covers no data.

mod annotations;
mod axes;
mod axis_titles;
mod caption;
mod legend;
mod panels;

use super::DrawError;
use super::extent::{Extent, extents};
use super::figure::{Figure, Panel};
use super::font;
use super::geometry::{PixelPoint, Rectangle};
use super::render::{LengthUnit, Size};
use super::style::{Colour, Style};
use super::text::{Anchor, Text};
use super::ticks::Tick;
use super::wrapping::{wrap, wrap_words};
use crate::terminal_text::escape;
pub use annotations::Riser;
pub use legend::{Entry, LegendKey, names};

/// The least height of a frame, in multiples of the font's size: lower ones show no shape.
const LEAST_FRAME: f64 = 3.5;

/// Sizes of text and distances, in pixels of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// Of the picture.
    pub width: f64,
    /// Of the picture.
    pub height: f64,
    /// Pixels for one of 96 an inch.
    pub scale: f64,
    /// Text.
    pub font: f64,
    /// The title.
    pub title: f64,
    /// The caption.
    pub caption: f64,
    /// Numbers at the axes, texts at annotations and arrows.
    pub small: f64,
    /// Around everything.
    pub pad: f64,
    /// The short lines at the numbers of an axis.
    pub tick: f64,
    /// The least height of a panel's frame.
    pub least_frame: f64,
    /// The colour of all text.
    pub colour: Colour,
}

impl Sizes {
    /// The sizes of a style in a picture.
    #[must_use]
    pub fn new(style: &Style, scale: f64, (width, height): (u32, u32)) -> Self {
        // A small picture has smaller letters, within what can be read.
        let small = (f64::from(width) * f64::from(height) / (640.0 * 480.0)).sqrt() / scale;
        let shrunk = scale * if style.shrink_text { small.clamp(0.8, 1.0) } else { 1.0 };
        let font = style.font_size * shrunk;
        Sizes {
            width: f64::from(width),
            height: f64::from(height),
            scale,
            font,
            title: style.title_size * shrunk,
            caption: style.caption_size * shrunk,
            small: font * 0.9,
            pad: font * 0.8,
            tick: 4.0 * scale,
            least_frame: LEAST_FRAME * font,
            colour: style.foreground,
        }
    }

    /// The same with smaller letters.
    fn times(&self, smaller: f64) -> Self {
        let Sizes { font, title, caption, small, pad, tick, least_frame, .. } = *self;
        let [font, title, caption, small, pad, tick, least_frame] =
            [font, title, caption, small, pad, tick, least_frame].map(|size| size * smaller);
        Sizes { font, title, caption, small, pad, tick, least_frame, ..*self }
    }

    /// Height of a line of text of a size.
    fn line(size: f64) -> f64 {
        size * font::LINE
    }

    fn text(&self, content: impl Into<String>, x: f64, y: f64, size: f64, anchor: Anchor) -> Text {
        Text::new(content, (x, y), size, anchor, self.colour)
    }
}

/// A figure with a place for everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Layout {
    /// Title, axes' labels and numbers, legend, annotations above the panels, caption.
    pub texts: Vec<Text>,
    /// The legend's entries.
    pub legend: Vec<Entry>,
    /// In the order of the figure.
    pub panels: Vec<Placed>,
    /// Texts of annotations had no room.
    pub unlabelled: bool,
    /// The sizes of all this: those of the style, or smaller ones where panels had no room.
    pub sizes: Sizes,
    /// Panels are so low that their data or the titles of their axes are hard to read.
    pub cramped: bool,
    /// Title, legend and caption are whole.
    pub whole: bool,
}

/// A panel with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed {
    /// Where data are drawn.
    pub frame: Rectangle,
    /// Which values the edges of the frame are.
    pub extent: Extent,
    /// Ticks along x.
    pub x: Vec<Tick>,
    /// Ticks along y.
    pub y: Vec<Tick>,
    /// Names along x stand above: the panel is a sequence diagram with lifelines.
    pub lifelines: bool,
    /// Lines that mark annotations.
    pub risers: Vec<Riser>,
    /// The room of the texts above them.
    pub raised: Vec<Rectangle>,
}

impl Placed {
    /// Where a pair of values stands in the picture.
    #[must_use]
    pub fn place(&self, panel: &Panel, (x, y): (f64, f64)) -> PixelPoint {
        let x = self.extent.x.share(x, panel.x.scale);
        let y = self.extent.y.share(y, panel.y.scale);
        let (x, y) = (if panel.x.reversed { 1.0 - x } else { x }, if panel.y.reversed { 1.0 - y } else { y });
        (self.frame.left + x * self.frame.width(), self.frame.bottom - y * self.frame.height())
    }
}

/// How much of the picture title, legend and caption may take; tried in this order until the panels have room.
#[derive(Debug, Clone, Copy)]
struct Shares {
    title_lines: usize,
    legend: f64,
    caption: f64,
}

const SHARES: [Shares; 3] = [
    Shares { title_lines: 3, legend: 0.3, caption: 0.25 },
    Shares { title_lines: 2, legend: 0.2, caption: 0.12 },
    Shares { title_lines: 2, legend: 0.1, caption: 0.0 },
];

/// Sizes of letters that are tried until the panels have room, in multiples of the style's.
const SMALLER: [f64; 3] = [1.0, 0.85, 0.7];

/// Heights that are tried where a figure needs more than it has, in multiples of it.
const HIGHER: [f64; 19] =
    [1.0, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2.0, 2.25, 2.5, 2.75, 3.0, 3.5, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0];
/// Lines of letters on the highest figure that is made because of what is in it: 200 messages have room.
const MOST_LINES: f64 = 450.0;
/// Pixels of 96 per inch of the highest figure that is proposed.
const MOST_PROPOSED: f64 = 10_000.0;

/// Gives everything in a figure its place. `notes` stand below the caption.
///
/// # Errors
/// [`DrawError::TooSmall`] when the panels have no room.
pub fn layout(figure: &Figure, notes: &[String], sizes: &Sizes) -> Result<Layout, DrawError> {
    let extents = extents(figure);
    placed((figure, &extents), notes, sizes).ok_or_else(|| {
        // The sizes were whole numbers of pixels at 96 per inch.
        let pixels = |length: f64| (length / sizes.scale).ceil().min(MOST_PROPOSED) as u32;
        let size = |width: f64, height: f64| Size { width: pixels(width), height: pixels(height) };
        let fits = |(width, height): &(f64, f64)| {
            width.max(*height) / sizes.scale <= MOST_PROPOSED
                && placed((figure, &extents), notes, &Sizes { width: *width, height: *height, ..*sizes }).is_some()
        };
        let higher = HIGHER.iter().map(|times| (sizes.width, sizes.height * times));
        let larger = HIGHER.iter().map(|times| (sizes.width * times, sizes.height * times));
        let enough = higher.chain(larger).find(fits).map(|(width, height)| size(width, height));
        let size = size(sizes.width.floor(), sizes.height.floor());
        DrawError::TooSmall { panels: figure.panels.len(), size, enough, unit: LengthUnit::PIXELS }
    })
}

/// The layout of a figure whose panels reach so far.
fn placed(figure: (&Figure, &[Extent]), notes: &[String], sizes: &Sizes) -> Option<Layout> {
    let smaller = SMALLER.iter().map(|smaller| sizes.times(*smaller));
    let tries = smaller.flat_map(|sizes| SHARES.iter().map(move |shares| (sizes, shares)));
    let mut cut = None;
    for (sizes, shares) in tries {
        match arrange(figure, notes, &sizes, *shares) {
            Some((layout, true)) => return Some(layout),
            // Smaller letters may leave room for a whole legend.
            Some((layout, false)) => cut = cut.or(Some(layout)),
            None => {}
        }
    }
    cut
}

/// The size with as much height as lets all labels of a figure stand and its panels be read easily, or the least one that
/// comes nearest. Sizes are pixels of 96 per inch.
#[must_use]
pub fn roomy(figure: &Figure, style: &Style, size: Size) -> Size {
    let usual = Sizes::new(style, 1.0, (size.width, size.height));
    let most = usual.font * MOST_LINES;
    let heights = HIGHER.iter().map(|times| (f64::from(size.height) * times).round());
    let extents = extents(figure);
    let mut best = (u32::MAX, size.height);
    for height in heights.filter(|height| *height <= most || *height <= f64::from(size.height)) {
        let trouble = match placed((figure, &extents), &[], &Sizes { height, ..usual }) {
            None => 4,
            Some(layout) => {
                let smaller = layout.sizes.font < usual.font;
                u32::from(smaller || layout.cramped) * 2 + u32::from(layout.unlabelled || !layout.whole)
            }
        };
        if trouble < best.0 {
            best = (trouble, height as u32);
        }
        if trouble == 0 {
            break;
        }
    }
    Size { height: best.1, ..size }
}

/// The layout, and whether its title and legend are whole.
fn arrange(
    (figure, extents): (&Figure, &[Extent]),
    notes: &[String],
    sizes: &Sizes,
    shares: Shares,
) -> Option<(Layout, bool)> {
    let mut texts = Vec::new();
    let mut region = Rectangle { left: 0.0, top: 0.0, right: sizes.width, bottom: sizes.height }.grown(-sizes.pad);
    let titled = title(figure, sizes, shares.title_lines, &mut region, &mut texts);
    let explained = caption::place(figure, notes, sizes, shares.caption, &mut region, &mut texts);
    let legend = legend::place(figure, sizes, shares.legend, &mut region, &mut texts);
    let arranged = panels::place(figure, extents, sizes, region)?;
    texts.extend(arranged.texts);
    let panels::Arranged { panels, unlabelled, cramped, .. } = arranged;
    let legend::Legend { entries, whole } = legend;
    let named = whole && titled;
    let whole = named && explained;
    Some((Layout { texts, legend: entries, panels, unlabelled, sizes: *sizes, cramped, whole }, named))
}

/// Places the title; says whether it is whole.
fn title(figure: &Figure, sizes: &Sizes, most: usize, region: &mut Rectangle, texts: &mut Vec<Text>) -> bool {
    let title = escape(&figure.title);
    let whole = [1.0, 0.9, 0.8].into_iter().find_map(|smaller| {
        let size = sizes.title * smaller;
        Some((wrap_words(&title, region.width(), most, |text| font::width(text, size))?, size))
    });
    let titled = whole.is_some();
    let cut = || (wrap(&title, region.width(), most, |text| font::width(text, sizes.title)), sizes.title);
    let (lines, size) = whole.unwrap_or_else(cut);
    for line in lines {
        let baseline = region.top + font::ASCENT * size;
        texts.push(sizes.text(line, region.left, baseline, size, Anchor::Start));
        region.top += Sizes::line(size);
    }
    if !texts.is_empty() {
        region.top += sizes.font * 0.3;
    }
    titled
}

#[cfg(test)]
mod tests;
