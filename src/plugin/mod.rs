//! Plugins: commands and plots from outside, each an executable in any language beside a `plugin.toml`.
//!
//! ```text
//! folders ─▶ discovery ─▶ manifest ─▶ Plugin ─▶ request ─▶ host ─▶ answer ─▶ Report, Figure
//!                                                 files     process   JSON
//! ```
//!
//! [`protocol`] has the types that both sides exchange; `docs/plugins.md` explains them to people who write plugins.
//! Nothing here knows of commands: [`crate::commands`] makes them of the plugins that are found.

pub mod answer;
pub mod arguments;
pub mod discovery;
pub mod executable;
pub mod host;
pub mod manifest;
pub mod plot;
mod process;
pub mod protocol;
pub mod request;
pub mod template;

use std::path::PathBuf;
use std::time::Duration;

use manifest::Manifest;

/// A plugin that is ready to be started.
#[derive(Debug, Clone, PartialEq)]
pub struct Plugin {
    /// Its own description.
    pub manifest: Manifest,
    /// Its folder, as it was found.
    pub folder: PathBuf,
    /// The file to start, inside the directory, with all links resolved.
    pub executable: PathBuf,
    /// Time limit of one use.
    pub limit: Duration,
}
