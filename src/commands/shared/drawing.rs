//! A figure on its way to a file or a screen.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::drawing::Size;
use crate::drawing::figure::Figure;
use crate::drawing::style::Style;
use crate::whole_file::Force;

/// A figure and how the line wants it drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// Drawn parts.
    pub figure: Figure,
    /// Colours, sizes and marks.
    pub style: Style,
    /// The size that was asked for; otherwise the style's, or the usual one.
    pub size: Option<Size>,
    /// Dots an inch.
    pub dpi: f64,
    /// The file it goes to.
    pub out: Option<PathBuf>,
    /// Whether the file may be a capture that is replaced.
    pub force: Force,
    /// The form asked for; otherwise the file's ending tells.
    pub form: Option<FigureForm>,
    /// Where it is shown; when nobody asked, in the terminal if it goes to no file.
    pub display: Option<Display>,
}

/// Where a figure is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Display {
    /// In the terminal: as a picture where it can show one, in characters otherwise.
    Term,
    /// In a window of another program, which xdg-open finds.
    Gui,
    /// Nowhere.
    No,
}

/// The form of a figure's file, or of what is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FigureForm {
    /// Scalable vector graphics.
    Svg,
    /// A page of vectors that carries its font.
    Pdf,
    /// A bitmap.
    Png,
    /// A file for xplot.
    Xpl,
    /// Characters.
    Txt,
    /// The plotted values, comma-separated.
    Csv,
    /// The plotted values as JSON.
    Json,
    /// The plotted values, one JSON object per line.
    Ndjson,
    /// The plotted values in Parquet.
    Parquet,
    /// The plotted values as an Arrow IPC file.
    Arrow,
}

impl FigureForm {
    /// Whether the caption is not in it.
    #[must_use]
    pub fn lacks_caption(self) -> bool {
        !matches!(self, FigureForm::Svg | FigureForm::Pdf | FigureForm::Png | FigureForm::Txt)
    }

    /// The form that a file's ending asks for.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        FigureForm::from_str(&ending, true).ok()
    }
}
