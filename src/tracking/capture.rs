//! A loaded capture, ready for analyses.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use polars::error::PolarsError;
use polars::frame::DataFrame;

use super::copies::{self, Copies};
use super::duplicates::{Duplicates, duplicates};
use super::order::{self, FileOrder};
use super::point_of_view::PointOfView;
use super::repeats::{Repeats, repeats};
use super::{Connection, Stream, Tracking, columns, numbering, track};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::interrupt::interruptible;
use crate::packets::Dissection;
use crate::packets::segment::Segments;

/// A loaded capture: its packets and what they mean together.
#[derive(Debug)]
pub struct Capture {
    /// The file, as it was named.
    pub path: PathBuf,
    /// The raw packet table, in the order of time, and the facts around it.
    pub dissection: Dissection,
    /// The packets, one per row of the table.
    pub segments: Segments,
    /// What they mean together.
    pub tracking: Tracking,
    /// What there is to say of the order of the file.
    pub order: FileOrder,
    /// The copies in the file, where packets were recorded more than once.
    pub copies: Option<Copies>,
    /// Packets that the path doubled.
    pub duplicates: Duplicates,
    /// Whose packets these are.
    pub view: PointOfView,
    /// All packets of the file, where these are not all.
    whole: Option<Arc<Dissection>>,
    /// Raw and tracked columns; only the commands that show packets ask for it.
    table: OnceLock<DataFrame>,
}

impl Capture {
    /// Tracks a dissection. Of packets that were recorded more than once the copies nearest to the clients count.
    ///
    /// # Errors
    /// When the raw table lacks a column or a cell that every packet has, and on Ctrl-C.
    pub fn new(path: PathBuf, dissection: Dissection) -> Result<Self> {
        Self::seen_from(path, dissection, PointOfView::default())
    }

    /// Tracks the packets of a dissection that count from this point of view.
    ///
    /// # Errors
    /// As [`Capture::new`]; [`Error::NotFound`] for an interface that nothing was recorded on.
    pub fn seen_from(path: PathBuf, dissection: Dissection, view: PointOfView) -> Result<Self> {
        let Some(interface) = &view.interface else {
            return Self::of_packets(path, dissection, view);
        };
        let rows = rows_of_interface(&path, &dissection, interface)?;
        let table = dissection.table.select(&rows, dissection.table.origin()).map_err(not_read)?;
        let narrowed = Dissection { table, facts: dissection.facts.clone() };
        let mut capture = Self::of_packets(path, narrowed, view)?;
        capture.whole = Some(Arc::new(dissection));
        Ok(capture)
    }

    /// The same file, seen from another point of view.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn viewed_from(&self, view: PointOfView) -> Result<Self> {
        let whole = match &self.whole {
            Some(whole) => whole.as_ref().clone(),
            None => self.in_file_order()?,
        };
        Self::seen_from(self.path.clone(), whole, view)
    }

    /// All packets, put back in the order of the file.
    fn in_file_order(&self) -> Result<Dissection> {
        if self.order.misplaced.is_empty() {
            return Ok(self.dissection.clone());
        }
        let mut rows: Vec<u32> = (0_u32..).zip(&self.segments).map(|(row, _)| row).collect();
        rows.sort_by_key(|row| self.segments.get(*row as usize).map(|segment| segment.packetid));
        let table = self.dissection.table.select(&rows, self.origin()).map_err(not_read)?;
        Ok(Dissection { table, facts: self.dissection.facts.clone() })
    }

    fn of_packets(path: PathBuf, dissection: Dissection, view: PointOfView) -> Result<Self> {
        let segments = dissection.table.segments().map_err(not_read)?;
        let mut capture = Capture {
            path,
            tracking: track(&segments),
            segments,
            dissection,
            order: FileOrder::default(),
            copies: None,
            duplicates: Duplicates::default(),
            view,
            whole: None,
            table: OnceLock::new(),
        };
        interrupt::check()?;
        let mut repeats = repeats(&capture.segments, &capture.tracking);
        let (rows, elsewhere) = capture.look(&repeats);
        interrupt::check()?;
        if let Some(rows) = rows {
            capture.keep(&rows, &elsewhere)?;
            repeats = super::repeats::repeats(&capture.segments, &capture.tracking);
        }
        if capture.view.only_there && capture.copies.is_none() {
            return Err(Error::NotFound(format!(
                "no packets of {} were recorded in several places: name the capture without `@`",
                capture.path.display()
            )));
        }
        let marks = capture.dissection.table.marks();
        capture.duplicates = duplicates(&capture.segments, &marks, &capture.tracking, &repeats);
        drop(marks);
        capture.duplicates.mark(&mut capture.tracking);
        // After Ctrl-C what was tracked is not whole.
        interrupt::check()?;
        Ok(capture)
    }

    /// Finds out in which order packets count, and which do: their rows, where those are not all in the order of the
    /// file; and those among them that were recorded elsewhere alone.
    fn look(&mut self, repeats: &Repeats) -> (Option<Vec<u32>>, Vec<u32>) {
        let marks = self.dissection.table.marks();
        let (order, by_time) = order::of(&self.segments, &marks);
        let subject = copies::Subject {
            segments: &self.segments,
            marks: &marks,
            tracking: &self.tracking,
            by_time: by_time.as_deref(),
        };
        let found = copies::find(subject, repeats, &self.view);
        self.order = order;
        let Some(found) = found else { return (by_time, Vec::new()) };
        let left_out = found.copies.left_out > 0;
        self.copies = Some(found.copies);
        (if left_out { Some(found.rows) } else { by_time }, found.elsewhere)
    }

    /// Takes the packets of these rows, in this order; streams keep their numbers.
    fn keep(&mut self, rows: &[u32], elsewhere: &[u32]) -> Result<()> {
        let table = self.dissection.table.select(rows, self.dissection.table.earliest()).map_err(not_read)?;
        let facts = self.dissection.facts.clone();
        let whole = std::mem::replace(&mut self.dissection, Dissection { table, facts });
        self.segments = self.dissection.table.segments().map_err(not_read)?;
        self.tracking = numbering::as_in_file(track(&self.segments), &self.tracking, rows);
        for (row, packet) in interruptible(rows.iter().zip(&mut self.tracking.packets)) {
            packet.elsewhere = elsewhere.binary_search(row).is_ok();
        }
        self.whole = (rows.len() < whole.table.height()).then(|| Arc::new(whole));
        Ok(())
    }

    /// The whole packet table: raw columns, tracked columns, extra fields.
    ///
    /// # Errors
    /// When polars cannot put the columns side by side, and on Ctrl-C.
    pub fn table(&self) -> Result<&DataFrame> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let raw = self.dissection.table.data_frame();
        let table = raw
            .and_then(|raw| columns::with_tracked(raw, &self.segments, &self.tracking, &self.duplicates))
            .map_err(|source| Error::Table { action: "add the tracked columns", source })?;
        // After Ctrl-C the tracked columns are not whole.
        interrupt::check()?;
        Ok(self.table.get_or_init(|| table))
    }

    /// When the first frame of the file was recorded, nanoseconds since 1970: what relative times count from.
    #[must_use]
    pub fn origin(&self) -> i64 {
        self.dissection.table.origin()
    }

    /// The file's name without its directory, and the point of view, for the prompt; not escaped.
    #[must_use]
    pub fn name(&self) -> String {
        let file = self.path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.view.name(&file)
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

fn not_read(source: PolarsError) -> Error {
    Error::Table { action: "read the packet table", source }
}

/// The rows of the packets that were recorded on an interface: by its name, or else by its number.
fn rows_of_interface(path: &Path, dissection: &Dissection, wanted: &str) -> Result<Vec<u32>> {
    let marks = dissection.table.marks();
    let height = u32::try_from(dissection.table.height()).unwrap_or(u32::MAX);
    let on = |row: &u32| marks.get(*row).interface;
    let named = |row: &u32| on(row).is_some_and(|(place, _)| marks.interface(place) == Some(wanted));
    let rows: Vec<u32> = (0..height).filter(named).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    let number = wanted.parse::<u8>().ok().filter(|number| *number < u8::MAX);
    let rows: Vec<u32> = (0..height).filter(|row| number.is_some() && on(row).map(|(_, id)| id) == number).collect();
    if !rows.is_empty() {
        return Ok(rows);
    }
    let names: Vec<String> = dissection
        .facts
        .interfaces
        .iter()
        .map(|interface| interface.name.clone().unwrap_or_else(|| interface.id.to_string()))
        .collect();
    let there = match names.as_slice() {
        [] => "the file names no interfaces".to_string(),
        names => format!("it has {}", names.join(", ")),
    };
    Err(Error::NotFound(format!(
        "no TCP packet of {} was recorded on an interface `{wanted}`: {there}, see `list_interfaces`",
        path.display()
    )))
}
