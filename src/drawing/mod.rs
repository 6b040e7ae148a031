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
pub mod wrapping;

#[cfg(test)]
mod sample;

use figure::FigureError;
pub use render::{PictureFormat, Size, Target, render};

/// A figure could not be drawn.
#[derive(Debug, thiserror::Error)]
pub enum DrawError {
    /// The figure itself.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// A picture that would have no room, or no end.
    #[error("cannot draw a plot of {width} x {height} {what}; use {least} to {most}")]
    BadSize {
        /// As asked for.
        width: u32,
        /// As asked for.
        height: u32,
        /// Pixels or characters.
        what: &'static str,
        /// The smallest possible, as `WIDTHxHEIGHT`.
        least: &'static str,
        /// The largest possible, as `WIDTHxHEIGHT`.
        most: &'static str,
    },
    /// Dots an inch that no picture has.
    #[error("resolution of {0} dots per inch out of range; use 24 to 1200")]
    BadDpi(f64),
    /// The panels have no room.
    #[error(
        "{width} x {height} is too small for {panels} panel(s) with titles and numbers; use {}",
        enough.map_or_else(|| "a larger size or a smaller font".to_string(), |size| format!("{}x{}", size.width, size.height))
    )]
    TooSmall {
        /// Number of panels in the figure.
        panels: usize,
        /// As asked for.
        width: u32,
        /// As asked for.
        height: u32,
        /// A size that has room, if one of the same width has.
        enough: Option<Size>,
    },
    /// The drawing library refused.
    #[error("cannot draw the figure: {0}; report this as a bug")]
    Drawing(String),
    /// The picture was drawn and could not be encoded.
    #[error("cannot encode the picture: {0}")]
    Encode(#[from] std::io::Error),
}
