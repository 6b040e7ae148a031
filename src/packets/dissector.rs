//! The dissectors.

use serde::Deserialize;

/// The dissectors to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Dissector {
    /// Native if it can read the capture, otherwise tshark
    #[default]
    Auto,
    /// The built-in dissector only
    Native,
    /// tshark only
    Tshark,
}
