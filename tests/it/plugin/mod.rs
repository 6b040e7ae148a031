//! Commands and plots from outside.

pub mod hostile;
pub mod plugins;
