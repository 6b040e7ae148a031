//! Figures as files and for terminals.

pub mod graphics;
pub mod png;
mod size;
pub mod text;
pub mod xplot;

use super::DrawError;
use super::backend::Surface;
use super::backend::bitmap::{Bitmap, Raster};
use super::backend::pdf::Pdf;
use super::backend::svg::Svg;
use super::beside::side_by_side;
use super::chart::{Detail, draw};
use super::figure::Figure;
use super::layout::roomy;
use super::style::Style;
pub use graphics::Protocol;
pub use size::{LengthUnit, Size};

/// Where a figure goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The form.
    pub kind: PictureFormat,
    /// Size in pixels of 96 per inch, or in characters; xplot files have none.
    pub size: Size,
    /// A picture in a file may be higher than that, where its panels or labels need it.
    pub grows: bool,
    /// Dots per inch of a bitmap file: it has that many pixels per inch of the size, and looks the same.
    pub dpi: f64,
    /// Colours, sizes and marks.
    pub style: Style,
}

/// The forms in which figures are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Scalable vector graphics.
    Svg,
    /// A page of vectors that carries its font.
    Pdf,
    /// A bitmap file.
    Png,
    /// A file for xplot.
    Xplot,
    /// Characters, with ANSI colours or without.
    Text {
        /// Whether the terminal shows colours.
        colour: bool,
    },
    /// A bitmap inside of a terminal.
    Terminal(Protocol),
}

/// Dots an inch at which the sizes of a style are pixels.
pub const USUAL_DPI: f64 = 96.0;
/// Pixels of a picture from side to side.
const MOST_PIXELS: f64 = 10_000.0;
/// Marks in an SVG document: with some twenty bytes each it stays below two megabytes.
const MARKS_IN_VECTORS: usize = 60_000;
/// Marks in a bitmap: more would lie on each other, and cost only time and memory.
const MARKS_IN_BITMAP: usize = 200_000;

impl Target {
    /// A target of the usual size in the style `default`.
    #[must_use]
    pub fn new(kind: PictureFormat) -> Self {
        Target { kind, size: kind.usual_size(), grows: false, dpi: USUAL_DPI, style: Style::default() }
    }

    /// Another size.
    #[must_use]
    pub fn sized(mut self, width: u32, height: u32) -> Self {
        self.size = Size { width, height };
        self
    }

    fn check(&self) -> Result<(), DrawError> {
        if !(24.0..=1200.0).contains(&self.dpi) {
            return Err(DrawError::BadDpi(self.dpi));
        }
        let size = |width, height| Size { width, height };
        let (unit, least, most) = match self.kind {
            PictureFormat::Xplot => return Ok(()),
            PictureFormat::Text { .. } => (LengthUnit::CHARACTERS, size(40, 12), size(1000, 1000)),
            // More dots per inch take more pixels, and the picture looks the same.
            PictureFormat::Png => {
                let most = (MOST_PIXELS * USUAL_DPI / self.dpi.max(USUAL_DPI)).floor() as u32;
                (LengthUnit::PIXELS, size(160, 120), size(most, most))
            }
            _ => (LengthUnit::PIXELS, size(160, 120), size(MOST_PIXELS as u32, MOST_PIXELS as u32)),
        };
        let Size { width, height } = self.size;
        if width < least.width || height < least.height || width > most.width || height > most.height {
            let dpi = Some(self.dpi).filter(|dpi| self.kind == PictureFormat::Png && *dpi > USUAL_DPI);
            return Err(DrawError::BadSize { size: self.size, least, most, unit, dpi });
        }
        Ok(())
    }
}

impl PictureFormat {
    /// The form that a file name asks for by its ending: `.svg`, `.pdf`, `.png`, `.xpl`, `.txt`.
    #[must_use]
    pub fn of_name(path: &std::path::Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "svg" => Some(PictureFormat::Svg),
            "pdf" => Some(PictureFormat::Pdf),
            "png" => Some(PictureFormat::Png),
            "xpl" => Some(PictureFormat::Xplot),
            "txt" => Some(PictureFormat::Text { colour: false }),
            _ => None,
        }
    }

    /// The size when nobody asks for another.
    #[must_use]
    pub fn usual_size(self) -> Size {
        match self {
            PictureFormat::Text { .. } => Size { width: 80, height: 24 },
            _ => Size { width: 900, height: 600 },
        }
    }
}

/// Draws a figure. SVG, xplot's files and text are UTF-8.
///
/// # Errors
/// [`DrawError`]: a figure that cannot be drawn, a size without room.
pub fn render(figure: &Figure, target: &Target) -> Result<Vec<u8>, DrawError> {
    figure.validate()?;
    target.check()?;
    let figure = &*side_by_side(figure);
    if target.grows && matches!(target.kind, PictureFormat::Svg | PictureFormat::Pdf | PictureFormat::Png) {
        let size = roomy(figure, &target.style, target.size);
        return drawn(figure, &Target { size, ..target.clone() });
    }
    match (drawn(figure, target), target.kind) {
        // A terminal scrolls.
        (Err(DrawError::TooSmall { enough: Some(size), .. }), PictureFormat::Terminal(_)) if target.grows => {
            drawn(figure, &Target { size, ..target.clone() })
        }
        (result, _) => result,
    }
}

fn drawn(figure: &Figure, target: &Target) -> Result<Vec<u8>, DrawError> {
    match target.kind {
        PictureFormat::Svg => {
            let page = |size| Svg::new(size, &figure.title, target.style.background);
            Ok(vectors(figure, target, page)?.document().into_bytes())
        }
        PictureFormat::Pdf => {
            let page = |size| Pdf::new(size, &figure.title, target.style.background);
            Ok(vectors(figure, target, page)?.document()?)
        }
        PictureFormat::Png => Ok(png::encode(&bitmap(figure, target, target.dpi)?, target.dpi)?),
        PictureFormat::Xplot => Ok(xplot::document(figure, &target.style).into_bytes()),
        PictureFormat::Text { colour } => Ok(text::document(figure, target.size, &target.style, colour)?.into_bytes()),
        PictureFormat::Terminal(protocol) => {
            let bitmap = bitmap(figure, target, USUAL_DPI)?;
            let sequence = match protocol {
                Protocol::Kitty => graphics::kitty(&png::encode(&bitmap, USUAL_DPI)?),
                Protocol::Iterm2 => graphics::iterm2(&png::encode(&bitmap, USUAL_DPI)?, &bitmap),
                Protocol::Sixel => graphics::sixel(&bitmap),
            };
            Ok(sequence.into_bytes())
        }
    }
}

fn vectors<S: Surface>(figure: &Figure, target: &Target, page: impl Fn((u32, u32)) -> S) -> Result<S, DrawError> {
    let size = (target.size.width, target.size.height);
    let detail = Detail { scale: 1.0, cell: 0.5, most: MARKS_IN_VECTORS };
    draw(figure, size, &target.style, detail, || page(size))
}

fn bitmap(figure: &Figure, target: &Target, dpi: f64) -> Result<Bitmap, DrawError> {
    let size = target.size.at(dpi);
    let detail = Detail { scale: dpi / USUAL_DPI, cell: 1.0, most: MARKS_IN_BITMAP };
    let page = || Raster::new(size, target.style.background);
    Ok(draw(figure, size, &target.style, detail, page)?.bitmap())
}
