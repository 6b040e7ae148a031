//! Who turns a capture into packets.

use serde::Deserialize;

/// The dissectors to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Dissector {
    /// This program itself; tshark for what is beyond it.
    #[default]
    Auto,
    /// This program itself, whatever it is asked for.
    Native,
    /// tshark.
    Tshark,
}
