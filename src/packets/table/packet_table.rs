//! The packets of a capture, whichever form they came in.

use std::path::Path;
use std::sync::OnceLock;

use polars::prelude::*;

use super::columns::{self, Packets};
use super::frames::{Frame, Frames};
use super::marks::Marks;
use super::reader;
use crate::memory;
use crate::packets::LoadError;
use crate::packets::schema;
use crate::packets::segment::{Segment, Segments};

/// The packets of a capture: one row per TCP packet in the order of the file; the raw columns of
/// [`schema::COLUMNS`], then extra fields.
///
/// A dissector gives segments, and columns are made of them when they are asked for, each once: most questions need
/// none. The cache and exports give columns, and segments are made of them.
#[derive(Clone)]
pub struct PacketTable(Form);

#[derive(Clone)]
enum Form {
    Columns(DataFrame),
    Packets(Box<Dissected>),
}

#[derive(Clone)]
struct Dissected {
    segments: Segments,
    frames: Frames,
    origin: i64,
    /// When the earliest frame was recorded.
    earliest: i64,
    extra: Vec<Column>,
    /// The raw columns made so far.
    made: Vec<OnceLock<Column>>,
    whole: OnceLock<DataFrame>,
}

/// Takes in dissected packets one after the other.
#[derive(Debug, Default)]
pub struct Builder {
    segments: Vec<Segment>,
    frames: Frames,
    origin: Option<i64>,
    /// Packets at which memory is looked at again.
    next_check: usize,
    earliest: Option<i64>,
}

/// Packets between two looks at memory.
const PACKETS_BETWEEN_CHECKS: usize = 1 << 15;

/// What tracking takes for a packet, in bytes.
const TRACKING: u64 = 40;

impl Builder {
    /// Notes when a frame of any protocol was recorded, nanoseconds since 1970: relative times count from the first.
    #[inline]
    pub fn time(&mut self, abstime: i64) {
        self.origin.get_or_insert(abstime);
        self.earliest = Some(self.earliest.map_or(abstime, |earliest| earliest.min(abstime)));
    }

    /// Appends one packet.
    #[inline]
    pub fn push(&mut self, frame: &Frame<'_>, segment: Segment) {
        self.time(segment.abstime);
        self.frames.push(frame);
        self.segments.push(segment);
    }

    /// The last packet.
    #[must_use]
    pub fn last(&self) -> Option<&Segment> {
        self.segments.last()
    }

    /// When the first frame was recorded, nanoseconds since 1970, once there was one.
    #[must_use]
    pub fn origin(&self) -> Option<i64> {
        self.origin
    }

    /// Appends the packets of `other`, which came later.
    pub fn append(&mut self, other: Builder) {
        other.origin.into_iter().chain(other.earliest).for_each(|time| self.time(time));
        for row in 0..other.segments.len() {
            self.frames.push(&other.frames.get(row));
        }
        self.segments.extend(other.segments);
    }

    /// Looks whether there is memory for as many packets, when there are many more than at the last look.
    ///
    /// # Errors
    /// [`LoadError::TooLarge`].
    pub fn check_memory(&mut self, path: &Path) -> Result<(), LoadError> {
        if self.segments.len() < self.next_check {
            return Ok(());
        }
        self.next_check = self.segments.len().saturating_add(PACKETS_BETWEEN_CHECKS);
        let (limit, used) = (memory::limit(), memory::used().unwrap_or(0));
        let tracking = (self.segments.len() as u64).saturating_mul(TRACKING);
        if used.saturating_add(tracking) > limit {
            return Err(LoadError::TooLarge { path: path.to_path_buf(), packets: self.segments.len(), limit });
        }
        Ok(())
    }

    /// Packets so far.
    #[must_use]
    pub fn height(&self) -> usize {
        self.segments.len()
    }

    /// The packets, with further columns of as many rows.
    #[must_use]
    pub fn finish(self, extra: Vec<Column>) -> PacketTable {
        PacketTable(Form::Packets(Box::new(Dissected {
            segments: self.segments.into(),
            frames: self.frames,
            origin: self.origin.unwrap_or(0),
            earliest: self.earliest.unwrap_or(0),
            extra,
            made: schema::packet_columns().map(|_| OnceLock::new()).collect(),
            whole: OnceLock::new(),
        })))
    }
}

impl From<DataFrame> for PacketTable {
    fn from(columns: DataFrame) -> Self {
        PacketTable(Form::Columns(columns))
    }
}

impl PacketTable {
    /// Packets.
    #[must_use]
    pub fn height(&self) -> usize {
        match &self.0 {
            Form::Columns(columns) => columns.height(),
            Form::Packets(packets) => packets.segments.len(),
        }
    }

    /// The packets as segments.
    ///
    /// # Errors
    /// When a column that was read is missing, has another type, or a cell that every packet has is null.
    pub fn segments(&self) -> PolarsResult<Segments> {
        match &self.0 {
            Form::Columns(columns) => reader::segments(columns).map(Segments::from),
            Form::Packets(packets) => Ok(packets.segments.clone()),
        }
    }

    /// All columns.
    ///
    /// # Errors
    /// When polars refuses them.
    pub fn data_frame(&self) -> PolarsResult<&DataFrame> {
        match &self.0 {
            Form::Columns(columns) => Ok(columns),
            Form::Packets(packets) => packets.data_frame(),
        }
    }

    /// The names of all columns, none made for it.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match &self.0 {
            Form::Columns(columns) => columns.get_column_names().iter().map(ToString::to_string).collect(),
            Form::Packets(packets) => {
                let extra = packets.extra.iter().map(|column| column.name().to_string());
                schema::packet_columns().map(|spec| spec.name.to_string()).chain(extra).collect()
            }
        }
    }

    /// The column of that name.
    ///
    /// # Errors
    /// When there is none.
    pub fn column(&self, name: &str) -> PolarsResult<&Column> {
        match &self.0 {
            Form::Columns(columns) => columns.column(name),
            Form::Packets(packets) => packets.column(name),
        }
    }

    /// When the first frame of the file was recorded, nanoseconds since 1970: what relative times count from. 0 where
    /// nothing was recorded.
    #[must_use]
    pub fn origin(&self) -> i64 {
        match &self.0 {
            Form::Columns(columns) => {
                let first = |name: &str| columns.column(name).ok()?.to_physical_repr().i64().ok()?.get(0);
                first("abstime").unwrap_or(0).saturating_sub(first("reltime").unwrap_or(0))
            }
            Form::Packets(packets) => packets.origin,
        }
    }

    /// When the earliest frame of the file was recorded, nanoseconds since 1970: its first one, unless the file is out
    /// of order. Of a table that was read only the packets that it holds are known.
    #[must_use]
    pub fn earliest(&self) -> i64 {
        match &self.0 {
            Form::Columns(columns) => {
                let times = columns.column("abstime").map(|column| column.to_physical_repr());
                let times = times.ok().and_then(|times| times.i64().ok()?.min());
                times.map_or(self.origin(), |earliest| earliest.min(self.origin()))
            }
            Form::Packets(packets) => packets.earliest,
        }
    }

    /// The packets of these rows, in this order, with relative times from `origin`, nanoseconds since 1970.
    ///
    /// # Errors
    /// When polars refuses.
    pub fn select(&self, rows: &[u32], origin: i64) -> PolarsResult<Self> {
        let picked = IdxCa::from_slice(PlSmallStr::from_static("rows"), rows);
        Ok(PacketTable(match &self.0 {
            Form::Columns(columns) => {
                let mut chosen = columns.take(&picked)?;
                let spec = schema::packet_columns().find(|spec| spec.name == "reltime");
                if let Some(spec) = spec.filter(|_| origin != self.origin()) {
                    let times = chosen.column("abstime")?.to_physical_repr();
                    let relative = times.i64()?.iter().map(|time| Some(time?.saturating_sub(origin)));
                    let name = PlSmallStr::from_static(spec.name);
                    let relative = Int64Chunked::from_iter_options(name, relative).into_column();
                    chosen.with_column(relative.cast(&spec.kind.data_type())?)?;
                }
                Form::Columns(chosen)
            }
            Form::Packets(packets) => {
                let segments = rows.iter().filter_map(|row| packets.segments.get(*row as usize).cloned());
                let extra = packets.extra.iter().map(|column| column.take(&picked));
                Form::Packets(Box::new(Dissected {
                    segments: segments.collect::<Vec<Segment>>().into(),
                    frames: packets.frames.select(rows),
                    origin,
                    earliest: packets.earliest,
                    extra: extra.collect::<PolarsResult<Vec<Column>>>()?,
                    made: schema::packet_columns().map(|_| OnceLock::new()).collect(),
                    whole: OnceLock::new(),
                }))
            }
        }))
    }

    /// What marks each packet beyond its segment.
    #[must_use]
    pub fn marks(&self) -> Marks<'_> {
        match &self.0 {
            Form::Columns(columns) => Marks::of_columns(columns),
            Form::Packets(packets) => Marks::of_frames(&packets.frames),
        }
    }

    /// The interface on which the packet of a row was recorded; [`None`] where the file does not say.
    #[must_use]
    pub fn interface(&self, row: usize) -> Option<&str> {
        match &self.0 {
            Form::Columns(columns) if row < columns.height() => columns.column("interface").ok()?.str().ok()?.get(row),
            Form::Columns(_) => None,
            Form::Packets(packets) => packets.frames.get(row).interface,
        }
    }
}

impl Dissected {
    fn column(&self, name: &str) -> PolarsResult<&Column> {
        let known = schema::packet_columns().zip(&self.made).find(|(spec, _)| spec.name == name);
        let Some((spec, made)) = known else {
            let extra = self.extra.iter().find(|column| column.name() == name);
            return extra.ok_or_else(|| polars_err!(ColumnNotFound: "no column `{name}`"));
        };
        if made.get().is_none() {
            let packets = Packets { segments: &self.segments, frames: &self.frames, origin: self.origin };
            let column = columns::column(spec, packets)?;
            return Ok(made.get_or_init(|| column));
        }
        made.get().ok_or_else(|| polars_err!(ColumnNotFound: "no column `{name}`"))
    }

    fn data_frame(&self) -> PolarsResult<&DataFrame> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let mut columns = Vec::with_capacity(self.made.len().saturating_add(self.extra.len()));
        for spec in schema::packet_columns() {
            columns.push(self.column(spec.name)?.clone());
        }
        columns.extend(self.extra.iter().cloned());
        let whole = DataFrame::new(self.segments.len(), columns)?;
        Ok(self.whole.get_or_init(|| whole))
    }
}

impl std::fmt::Debug for PacketTable {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PacketTable({} packets)", self.height())
    }
}
