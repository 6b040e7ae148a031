//! Captures that still grow: packets from a program that captures, from a pipe or from standard input.
//!
//! This program asks for no privileges. dumpcap or tcpdump capture, and write what they capture to a pipe; a process of
//! its own ends with the caller.

mod child;
mod copy;
mod incoming;
mod program;
mod recording;

use std::path::PathBuf;

pub use incoming::{Closing, Incoming};
pub use program::{Listed, interfaces, of_system};
pub use recording::Recording;

use super::LoadError;

/// Bytes of each packet that are captured: 60 of IP and 60 of TCP at most, and room for link layers, IPv6 extension
/// headers and a tunnel before them.
pub const SNAP_LENGTH: u32 = 256;

/// Where packets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PacketSource {
    /// A network interface, by name.
    Interface(String),
    /// Standard input.
    StandardInput,
    /// A named pipe, or a file.
    Path(PathBuf),
}

impl PacketSource {
    /// The argument as typed: `-`, something with a `/` in it, or the name of an interface.
    #[must_use]
    pub fn of(text: &str) -> Self {
        match text {
            "-" => PacketSource::StandardInput,
            path if path.contains('/') => PacketSource::Path(PathBuf::from(path)),
            name => PacketSource::Interface(name.to_string()),
        }
    }

    /// A short name for the capture: `eth0`, `-`, the name of the pipe.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            PacketSource::Interface(name) => name.clone(),
            PacketSource::StandardInput => "-".to_string(),
            PacketSource::Path(path) => {
                path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
            }
        }
    }
}

/// Options of capturing packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// From where.
    pub source: PacketSource,
    /// The program that captures from interfaces; the first that is there when none is named.
    pub program: Option<PathBuf>,
    /// The capture filter (pcap-filter(7)).
    pub filter: String,
    /// Capture whole packets, not [`SNAP_LENGTH`] bytes of each.
    pub whole: bool,
}

/// A growing capture cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// There is no program that captures.
    #[error(
        "neither dumpcap nor tcpdump found; install one (Debian: `apt install tcpdump`), or name one with `--with`"
    )]
    NoProgram,
    /// The program cannot be started.
    #[error("cannot start {program}: {source}; name dumpcap or tcpdump with `--with`")]
    Start {
        /// The program.
        program: String,
        /// Answer of the system.
        source: std::io::Error,
    },
    /// The program ended without a capture.
    #[error("{program} captured nothing on {interface}: {said}; {advice}")]
    Refused {
        /// The program.
        program: String,
        /// Where it should have captured.
        interface: String,
        /// Its standard error, or how it ended.
        said: String,
        /// Advice.
        advice: &'static str,
    },
    /// The input is compressed.
    #[error("{0} is compressed; decompress it first, as in `zcat < FILE | mptcpanalyzer live -`")]
    Compressed(String),
    /// Standard input was named, and a person sits there.
    #[error(
        "standard input is a terminal, not a capture; pipe one in, as in `ssh host tcpdump -U -w - tcp | \
         mptcpanalyzer live -`"
    )]
    Terminal,
    /// Ctrl-C.
    #[error("interrupted")]
    Interrupted,
    /// It cannot be read as a capture.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The copy of what comes cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Copy {
        /// The file.
        path: PathBuf,
        /// Answer of the system.
        source: std::io::Error,
    },
    /// The copy would replace a file.
    #[error("{} exists; name another file, or add `--force` to replace it", .0.display())]
    Exists(PathBuf),
}

impl From<LiveError> for crate::error::Error {
    fn from(error: LiveError) -> Self {
        match error {
            LiveError::Load(error) => error.into(),
            LiveError::Interrupted => crate::error::Error::Interrupted,
            other => crate::error::Error::Failed(other.to_string()),
        }
    }
}
