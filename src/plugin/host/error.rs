//! The ways in which a plugin can fail, one sentence each.

use crate::plugin::protocol;

/// A plugin did not do its part. Texts from the plugin are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The system refused to start it.
    #[error(
        "the plugin `{name}` cannot be started ({reason}): its first line must name an interpreter that is installed, as \
         in `#!/bin/sh`, or it must be a program for this machine"
    )]
    NotStarted {
        /// The plugin.
        name: String,
        /// What the system answered.
        reason: String,
    },
    /// It ended, or said something else, before it greeted.
    #[error("the plugin `{name}` did not shake hands: {what}; `plugin check DIR` shows what it does")]
    NoHandshake {
        /// The plugin.
        name: String,
        /// What it did in place of it.
        what: String,
    },
    /// Another version.
    #[error(
        "the plugin `{name}` speaks version {spoken} of the protocol and this program version {ours}: get one of them in \
         a version that fits",
        ours = protocol::VERSION
    )]
    OtherProtocol {
        /// The plugin.
        name: String,
        /// What it said.
        spoken: u32,
    },
    /// Too slow.
    #[error(
        "the plugin `{name}` was ended, for it had not answered after {seconds} s; `plugin_timeout` in the configuration \
         allows more"
    )]
    TimedOut {
        /// The plugin.
        name: String,
        /// The limit.
        seconds: u64,
    },
    /// Too much.
    #[error("the plugin `{name}` was ended, for it answered with more than 64 MiB: let it answer with less")]
    Flood {
        /// The plugin.
        name: String,
    },
    /// No answer of the protocol.
    #[error("the plugin `{name}` answered with {what}; `plugin check DIR` shows what it does")]
    BadAnswer {
        /// The plugin.
        name: String,
        /// What it answered with.
        what: String,
    },
    /// An end other than exit code 0.
    #[error("the plugin `{name}` failed: it {how}")]
    Failed {
        /// The plugin.
        name: String,
        /// How it ended.
        how: String,
    },
    /// Its own words.
    #[error("{name}: {sentence}")]
    Refused {
        /// The plugin.
        name: String,
        /// What it says.
        sentence: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
