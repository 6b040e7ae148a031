//! The ways in which a plugin can fail, one sentence each.

use crate::plugin::protocol;

/// A plugin did not do its part. Texts from the plugin are escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// The system refused to start it.
    #[error(
        "cannot start plugin `{name}` ({reason}); begin it with the line of an installed interpreter such as \
         `#!/bin/sh`, or use a program for this machine"
    )]
    NotStarted {
        /// The plugin.
        name: String,
        /// Answer of the system.
        reason: String,
    },
    /// It ended, or said something else, before it greeted.
    #[error("handshake with plugin `{name}` failed: {what}; run `plugin check DIR` for details")]
    NoHandshake {
        /// The plugin.
        name: String,
        /// Its actual action.
        what: String,
    },
    /// Another version.
    #[error(
        "plugin `{name}` uses protocol version {spoken}, this program version {ours}; install matching versions",
        ours = protocol::VERSION
    )]
    OtherProtocol {
        /// The plugin.
        name: String,
        /// Its message.
        spoken: u32,
    },
    /// Too slow.
    #[error("plugin `{name}` stopped: no answer after {seconds} s; raise `plugin_timeout` in the configuration")]
    TimedOut {
        /// The plugin.
        name: String,
        /// The limit.
        seconds: u64,
    },
    /// Too much.
    #[error("plugin `{name}` stopped: its answer exceeds 64 MiB; reduce the answer")]
    Flood {
        /// The plugin.
        name: String,
    },
    /// No answer of the protocol.
    #[error("plugin `{name}` answered with {what}; run `plugin check DIR` for details")]
    BadAnswer {
        /// The plugin.
        name: String,
        /// Its answer.
        what: String,
    },
    /// An end other than exit code 0.
    #[error("plugin `{name}` failed: it {how}")]
    Failed {
        /// The plugin.
        name: String,
        /// Its end.
        how: String,
    },
    /// Its own words.
    #[error("{name}: {sentence}")]
    Refused {
        /// The plugin.
        name: String,
        /// Its content.
        sentence: String,
    },
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}
