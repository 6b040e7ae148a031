//! Figures: what is shown ([`figure`]) apart from how it is drawn ([`render()`]).
//!
//! This room knows nothing of MPTCP or of captures: it sees panels, axes, series with roles, and annotations. Plots and
//! other programs make a [`figure::Figure`]; [`render()`] draws it for a [`Target`].
//!
//! ```text
//! Figure ─▶ extent, ticks ─▶ layout, rows of text ─▶ chart ─▶ svg, bitmap ─▶ png, terminal graphics
//!        └▶ xplot                                        └──▶ cells ─▶ text
//! ```

pub mod backend;
pub mod beside;
pub mod chart;
pub mod distributions;
pub mod extent;
pub mod figure;
pub mod font;
pub mod geometry;
pub mod layout;
pub mod render;
pub mod style;
pub mod text;
pub mod thin;
pub mod ticks;
pub mod unshown;
pub mod wrapping;

#[cfg(test)]
mod sample;

use figure::FigureError;
use mptcp_trace::units::counted;
pub use render::{LengthUnit, PictureFormat, Size, Target, render};

/// A figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The figure itself.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A picture that would have no room, or no end.
    #[error("{}", self.told_in(None))]
    BadSize {
        /// As asked for.
        size: Size,
        /// The smallest possible.
        least: Size,
        /// The largest possible.
        most: Size,
        /// The unit of these.
        unit: LengthUnit,
        /// Dots per inch, where more than usual leave less room.
        dpi: Option<f64>,
    },
    /// Dots an inch that no picture has.
    #[error("resolution of {0} dots per inch out of range; use 24 to 1200")]
    BadDpi(f64),
    /// The panels have no room.
    #[error("{}", self.told_in(None))]
    TooSmall {
        /// Number of panels in the figure.
        panels: usize,
        /// As asked for.
        size: Size,
        /// A size that has room, if one that is not far larger has.
        enough: Option<Size>,
        /// The unit of these.
        unit: LengthUnit,
    },
    /// The drawing library refused.
    #[error("cannot draw the figure: {0}; report this as a bug")]
    Drawing(String),
    /// The picture was drawn and could not be encoded.
    #[error("cannot encode the picture: {0}")]
    Encode(#[from] std::io::Error),
}

impl DrawError {
    /// The error with its sizes in the unit that they were given in; without one, in their own.
    #[must_use]
    pub fn told_in(&self, given: Option<LengthUnit>) -> String {
        match self {
            DrawError::BadSize { size, least, most, unit, dpi } => {
                let told = |size: &Size, rounded| size.told(*unit, given.unwrap_or(*unit), rounded);
                let what = match given {
                    Some(_) => "",
                    None if *unit == LengthUnit::CHARACTERS => " characters",
                    None => " pixels",
                };
                let (size, least, most) = (told(size, f64::round), told(least, f64::ceil), told(most, f64::floor));
                let at = dpi.map_or_else(String::new, |dpi| format!(" at {dpi} dots per inch"));
                let or = if dpi.is_some() { ", or a lower --dpi" } else { "" };
                format!("cannot draw a plot of {size}{what}{at}; use {least} to {most}{or}")
            }
            DrawError::TooSmall { panels, size, enough, unit } => {
                let told = |size: &Size, rounded| size.told(*unit, given.unwrap_or(*unit), rounded);
                let advice = match enough {
                    Some(enough) => told(enough, f64::ceil),
                    None => "a larger size or a smaller font".to_string(),
                };
                let panels = counted(u64::try_from(*panels).unwrap_or(u64::MAX), "panel");
                let size = told(size, f64::round);
                format!("{size} is too small for {panels} with titles, names and numbers; use {advice}")
            }
            other => other.to_string(),
        }
    }
}
