//! A loaded capture, ready for analyses.

use std::path::PathBuf;
use std::sync::OnceLock;

use polars::frame::DataFrame;

use super::{Connection, Stream, Tracking, columns, track};
use crate::error::{Error, Result};
use crate::packets::Dissection;
use crate::packets::segment::Segments;

/// A loaded capture: its packets and what they mean together.
#[derive(Debug)]
pub struct Capture {
    /// The file, as it was named.
    pub path: PathBuf,
    /// The raw packet table and the facts around it.
    pub dissection: Dissection,
    /// The packets, one per row of the table.
    pub segments: Segments,
    /// What they mean together.
    pub tracking: Tracking,
    /// Raw and tracked columns; only the commands that show packets ask for it.
    table: OnceLock<DataFrame>,
}

impl Capture {
    /// Tracks a dissection.
    ///
    /// # Errors
    /// When the raw table lacks a column or a cell that every packet has.
    pub fn new(path: PathBuf, dissection: Dissection) -> Result<Self> {
        let segments =
            dissection.table.segments().map_err(|source| Error::Table { action: "read the packet table", source })?;
        let tracking = track(&segments);
        Ok(Capture { path, dissection, segments, tracking, table: OnceLock::new() })
    }

    /// The whole packet table: raw columns, tracked columns, extra fields.
    ///
    /// # Errors
    /// When polars cannot put the columns side by side.
    pub fn table(&self) -> Result<&DataFrame> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let raw = self.dissection.table.data_frame();
        let table = raw
            .and_then(|raw| columns::with_tracked(raw, &self.segments, &self.tracking))
            .map_err(|source| Error::Table { action: "add the tracked columns", source })?;
        Ok(self.table.get_or_init(|| table))
    }

    /// When the first frame of the file was recorded, nanoseconds since 1970: what relative times count from.
    #[must_use]
    pub fn origin(&self) -> i64 {
        self.dissection.table.origin()
    }

    /// The file's name without its directory, for the prompt; not escaped.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
    }

    /// Numbers of the TCP streams.
    #[must_use]
    pub fn tcp_stream_ids(&self) -> Vec<u32> {
        self.tracking.streams.iter().map(|stream| stream.id).collect()
    }

    /// Numbers of the MPTCP connections, without those that are part of another.
    #[must_use]
    pub fn mptcp_stream_ids(&self) -> Vec<u32> {
        self.tracking.whole_connections().map(|connection| connection.id).collect()
    }

    /// The TCP stream of that number.
    ///
    /// # Errors
    /// [`Error::NotFound`], saying which there are.
    pub fn tcp_stream(&self, id: u32) -> Result<&Stream> {
        let count = self.tracking.streams.len();
        self.tracking.stream(id).ok_or_else(|| self.none("TCP stream", id, count, "list_tcp_connections"))
    }

    /// The MPTCP connection of that number.
    ///
    /// # Errors
    /// [`Error::NotFound`], saying which there are, or which one it is part of.
    pub fn mptcp_connection(&self, id: u32) -> Result<&Connection> {
        let count = self.tracking.connections.len();
        let connection = self
            .tracking
            .connection(id)
            .ok_or_else(|| self.none("MPTCP connection", id, count, "list_mptcp_connections"))?;
        match connection.part_of {
            None => Ok(connection),
            Some(whole) => Err(Error::NotFound(format!(
                "MPTCP connection {id} is part of connection {whole}: its data sequence numbers lie in one stretch with \
                 that one's; ask for {whole}"
            ))),
        }
    }

    /// The sentence for a number that is not there; numbers count from 0.
    fn none(&self, what: &str, id: u32, count: usize, list: &str) -> Error {
        let there = match count {
            0 => "it has none".to_string(),
            1 => "the only one is 0".to_string(),
            _ => format!("there are 0 to {}, see `{list}`", count - 1),
        };
        Error::NotFound(format!("no {what} {id} in {}: {there}", self.path.display()))
    }
}
