//! Plots.
pub mod extent;
pub mod figure;
pub mod style;
pub mod ticks;
