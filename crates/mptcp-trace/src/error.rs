//! Errors: a capture that cannot be read, a question about what is not there.

use std::io;
use std::path::PathBuf;

use crate::ConnectionId;
use crate::interrupt::Interrupted;
use crate::units;

/// A capture could not be turned into packets.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Answer of the system.
        source: io::Error,
    },
    /// Not a format that can be read.
    #[error("{} is not a readable capture{detail}", path.display())]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// The text found instead, in parentheses, or empty.
        detail: String,
    },
    /// Its packets take more memory than they may ([`crate::memory`]).
    #[error(
        "{} has too many packets for {} of memory: reading stopped after {packets} TCP packets",
        path.display(), units::bytes(*limit)
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// TCP packets that fitted.
        packets: usize,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The reading was to stop ([`crate::interrupt`]).
    #[error("interrupted")]
    Interrupted,
}

impl From<Interrupted> for ReadError {
    fn from(_: Interrupted) -> Self {
        ReadError::Interrupted
    }
}

/// The capture cannot be read, the requested thing is not in it, or cannot be determined.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The capture cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is no such TCP stream or MPTCP connection; they count from 0.
    #[error("no {what} {number} in {}: {}", path.display(), there(*count))]
    Absent {
        /// TCP stream or MPTCP connection.
        what: Numbered,
        /// The number that was asked for.
        number: u32,
        /// Their number.
        count: usize,
        /// The capture.
        path: PathBuf,
    },
    /// The connection is part of another: their data sequence numbers lie in one stretch.
    #[error(
        "MPTCP connection {number} is part of connection {whole}, because their data sequence numbers lie in one \
         range; use {whole}"
    )]
    PartOf {
        /// The number that was asked for.
        number: ConnectionId,
        /// The connection that has its subflows.
        whole: ConnectionId,
    },
    /// Nothing was recorded on that interface.
    #[error("no TCP packet of {} was recorded on an interface `{wanted}`: {there}", path.display())]
    NoInterface {
        /// The capture.
        path: PathBuf,
        /// The request.
        wanted: String,
        /// Which there are, a clause.
        there: String,
    },
    /// One of several places was asked for, and the packets were recorded in one.
    #[error("no packets of {} were recorded in several places", .0.display())]
    OnePlace(PathBuf),
    /// Part of one capture that is not in the other.
    #[error("{what} {number} of {} has no counterpart in {}: {reason}", first.display(), second.display())]
    NoCounterpart {
        /// TCP stream or MPTCP connection.
        what: Numbered,
        /// Its number in the first capture.
        number: u32,
        /// The first capture.
        first: PathBuf,
        /// The second one.
        second: PathBuf,
        /// The disagreement, a clause.
        reason: &'static str,
    },
    /// More than one counterpart is as likely.
    #[error(
        "{what} {number} of {} may be {} or {} of {}, with {} and {} bits",
        first.display(), candidates[0], candidates[1], second.display(), bits[0], bits[1]
    )]
    Undecided {
        /// TCP stream or MPTCP connection.
        what: Numbered,
        /// Its number in the first capture.
        number: u32,
        /// The first capture.
        first: PathBuf,
        /// The second one.
        second: PathBuf,
        /// The likeliest counterparts.
        candidates: [u32; 2],
        /// Evidence for each, in bits, rounded.
        bits: [i64; 2],
    },
    /// The work was to stop ([`crate::interrupt`]).
    #[error("interrupted")]
    Interrupted,
}

impl From<Interrupted> for Error {
    fn from(_: Interrupted) -> Self {
        Error::Interrupted
    }
}

/// Numbered things of a capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Wireshark's `tcp.stream`.
    TcpStream,
    /// Wireshark's `mptcp.stream`.
    MptcpConnection,
}

impl std::fmt::Display for Numbered {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Numbered::TcpStream => "TCP stream",
            Numbered::MptcpConnection => "MPTCP connection",
        })
    }
}

fn there(count: usize) -> String {
    match count {
        0 => "it has none".to_string(),
        1 => "the only one is 0".to_string(),
        _ => format!("there are 0 to {}", count - 1),
    }
}

/// What questions answer that may ask for what is not there.
pub type Result<T, E = Error> = std::result::Result<T, E>;
