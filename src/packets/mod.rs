//! From a capture file to a table of TCP packets, one row each: by the native dissector of [`mptcp_trace`] or by tshark,
//! from the cache, or from a table that was exported. What is in a packet is a
//! [`mptcp_trace::packets::segment::Segment`]; this room makes columns of them, and segments of columns.

pub mod cache;
pub mod cells;
pub mod copied_records;
mod dissector;
pub mod exported;
pub mod joined;
pub mod live;
pub mod load;
mod loaded_capture;
pub mod portable;
mod progress;
mod regular;
pub mod schema;
pub mod table;
pub mod tshark;

use std::path::PathBuf;

use mptcp_trace::ReadError;
use mptcp_trace::packets::{CaptureFacts, Dissection};
use polars::prelude::{Column, DataFrame, PolarsResult};

pub use dissector::Dissector;
pub use load::{LoadOptions, load, payloads};
pub use loaded_capture::{LoadedCapture, TableParts};

/// A dissected capture, and what else is known of each packet.
#[derive(Debug, Clone, Default)]
pub struct Dissected {
    /// The packets and the facts around them.
    pub dissection: Dissection,
    /// Further fields, one cell per packet.
    pub extra: Vec<Column>,
}

impl Dissected {
    /// Packets.
    #[must_use]
    pub fn height(&self) -> usize {
        self.dissection.packets.height()
    }

    /// The raw columns and the further fields, a row a packet.
    ///
    /// # Errors
    /// When polars refuses them.
    pub fn raw(&self) -> PolarsResult<DataFrame> {
        table::raw(&self.dissection.packets, &self.extra)
    }
}

impl From<Dissection> for Dissected {
    fn from(dissection: Dissection) -> Self {
        Dissected { dissection, extra: Vec::new() }
    }
}

/// Whether the packets come from a capture, whose payload can be read again, and not from an exported table.
#[must_use]
pub fn has_payload(facts: &CaptureFacts) -> bool {
    facts.dissector != exported::DISSECTOR
}

/// A capture could not be turned into packets.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// There is no such file.
    #[error("{}: no such file; check the path", .0.display())]
    Missing(PathBuf),
    /// Standard input was named, and a person sits there.
    #[error(
        "standard input is a terminal, not a capture; name a file, or pipe one in as in `tcpdump -w - | mptcpanalyzer \
         --load - …`"
    )]
    Terminal,
    /// A directory was named.
    #[error("{} is a directory; name a capture file in it", .0.display())]
    Directory(PathBuf),
    /// Zero bytes.
    #[error("{} is empty (0 bytes), not a capture; record it again", .0.display())]
    Empty(PathBuf),
    /// Not a format that can be read.
    #[error("{} is not a readable capture{detail}; use a pcap or pcapng file, or a table from `export`", path.display())]
    NotACapture {
        /// The file.
        path: PathBuf,
        /// Message of the dissector, in parentheses, or empty.
        detail: String,
    },
    /// The file cannot be opened or read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Answer of the system.
        source: std::io::Error,
    },
    /// tshark cannot be started or is too old.
    #[error(transparent)]
    Tshark(#[from] tshark::TsharkError),
    /// An exported table lacks columns or has other types.
    #[error("{} is not a table exported by this program: {reason}", path.display())]
    ForeignTable {
        /// The file.
        path: PathBuf,
        /// The mismatch.
        reason: String,
    },
    /// polars refused.
    #[error("cannot build the packet table: {0}")]
    Table(#[from] polars::error::PolarsError),
    /// Its packets take more memory than they may.
    #[error(
        "{} has too many packets for {} of memory: reading stopped after {packets} TCP packets; select packets with `tcpdump -r \
         FILE -w OUT FILTER`, or raise `--memory-limit`",
        path.display(), mptcp_trace::units::bytes(*limit)
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Packets that were read.
        packets: usize,
        /// The limit, in bytes.
        limit: u64,
    },
    /// Ctrl-C.
    #[error("interrupted: capture not loaded")]
    Interrupted,
}

impl From<ReadError> for LoadError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unreadable { path, source } => LoadError::Unreadable { path, source },
            ReadError::NotACapture { path, detail } => LoadError::NotACapture { path, detail },
            ReadError::TooLarge { path, packets, limit } => LoadError::TooLarge { path, packets, limit },
            ReadError::Interrupted => LoadError::Interrupted,
        }
    }
}
