//! The dissectors.

use serde::{Deserialize, Serialize};

/// The dissectors to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
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
