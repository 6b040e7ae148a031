//! What the packets mean together.

use std::path::PathBuf;

use polars::frame::DataFrame;

use crate::error::Result;
use crate::packets::Dissection;
use crate::packets::segment::Segment;

/// A loaded capture: its packets and what they mean together.
#[derive(Debug)]
pub struct Capture {
    /// The file, as it was named.
    pub path: PathBuf,
    /// The raw packet table and the facts around it.
    pub dissection: Dissection,
    /// The packets, one per row of the table.
    pub segments: Vec<Segment>,
}

impl Capture {
    /// Tracks a dissection.
    ///
    /// # Errors
    /// When the raw table lacks a column.
    pub fn new(path: PathBuf, dissection: Dissection) -> Result<Self> {
        Ok(Capture { path, dissection, segments: Vec::new() })
    }

    /// The whole packet table: raw columns, tracked columns, extra fields.
    ///
    /// # Errors
    /// When polars cannot put the columns side by side.
    pub fn table(&self) -> Result<&DataFrame> {
        Ok(&self.dissection.table)
    }

    /// The file's name without its directory, for the prompt; not escaped.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Numbers of the TCP streams.
    #[must_use]
    pub fn tcp_stream_ids(&self) -> Vec<u32> {
        Vec::new()
    }

    /// Numbers of the MPTCP connections.
    #[must_use]
    pub fn mptcp_stream_ids(&self) -> Vec<u32> {
        Vec::new()
    }
}
