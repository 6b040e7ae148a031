//! A loaded capture: what [`mptcp_trace`] found in it, and the packet table.

use std::ops::{Deref, Range};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use mptcp_trace::AddressLabels;
use mptcp_trace::analysis::mapping::{Learned, Mapper};
use mptcp_trace::interrupt;
use mptcp_trace::packets::Packets;
use mptcp_trace::tracking::{Capture, PointOfView, Tracker};
use polars::frame::DataFrame;
use polars::prelude::{Column, IdxCa, PlSmallStr, PolarsError, PolarsResult, polars_err};

use super::Dissected;
use super::schema::{self, ColumnSpec, Origin};
use super::table::{DataColumns, RawColumns, TrackedColumns};
use crate::error::{Error, Result};

/// A tracked capture with its packet table, which is made when a command asks for it.
#[derive(Debug)]
pub struct LoadedCapture {
    capture: Capture,
    /// Further fields of all packets of the file, in its order.
    extra: Arc<Vec<Column>>,
    /// The columns of the schema, each made when it is asked for.
    made: Vec<OnceLock<Column>>,
    /// The columns of the data level, which are worked out together.
    data: OnceLock<DataColumns>,
    /// What was learned of this capture and another one.
    compared: Mutex<Option<Compared>>,
}

/// What was learned of a capture and this one: it holds as long as both are there, and this one is not kept for it.
#[derive(Debug)]
struct Compared {
    with: Weak<LoadedCapture>,
    learned: Arc<Learned>,
}

impl Deref for LoadedCapture {
    type Target = Capture;

    fn deref(&self) -> &Capture {
        &self.capture
    }
}

impl LoadedCapture {
    /// Tracks a dissection. Of packets that were recorded more than once the copies nearest to the clients count.
    ///
    /// # Errors
    /// As [`Capture::new`].
    pub fn new(path: PathBuf, dissected: impl Into<Dissected>) -> Result<Self> {
        Self::seen_from(path, dissected.into(), PointOfView::default(), None)
    }

    /// Tracks the packets that count from this point of view; `tracker` may have taken them in while they were dissected.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn seen_from(path: PathBuf, dissected: Dissected, view: PointOfView, tracker: Option<Tracker>) -> Result<Self> {
        let capture = Capture::tracked_from(path, dissected.dissection, view, tracker)?;
        Ok(Self::of(capture, Arc::new(dissected.extra)))
    }

    /// The same file, seen from another point of view.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn viewed_from(&self, view: PointOfView) -> Result<Self> {
        let capture = self.capture.viewed_from(view)?;
        Ok(Self::of(capture, Arc::clone(&self.extra)))
    }

    /// Names what the addresses belong to.
    pub fn label_addresses(&mut self, labels: &AddressLabels) {
        self.capture.address_labels = labels.clone();
    }

    fn of(capture: Capture, extra: Arc<Vec<Column>>) -> Self {
        LoadedCapture { capture, extra, made: none_made(), data: OnceLock::new(), compared: Mutex::new(None) }
    }

    /// The whole packet table: raw columns, tracked columns, extra fields.
    ///
    /// # Errors
    /// When polars cannot put the columns side by side, and on Ctrl-C.
    pub fn table(&self) -> Result<DataFrame> {
        self.columns(|_| true)
    }

    /// The packet table with the columns of these names; whole, so that an error can say which there are, where it has
    /// not got one of them.
    ///
    /// # Errors
    /// As [`LoadedCapture::table`].
    pub fn columns_of<S: AsRef<str>>(&self, names: &[S]) -> Result<DataFrame> {
        if !names.iter().all(|name| self.has_column(name.as_ref())) {
            return self.table();
        }
        self.columns(|name| names.iter().any(|wanted| wanted.as_ref() == name))
    }

    /// The packet table with those of its columns whose names are wanted. Each column is made once.
    ///
    /// # Errors
    /// As [`LoadedCapture::table`].
    pub fn columns(&self, wanted: impl Fn(&str) -> bool) -> Result<DataFrame> {
        let all = 0..self.segments.len();
        let packets = self.capture.packets();
        let (raw, tracked) = (RawColumns::of(&packets, all.clone()), TrackedColumns::of(&self.capture, &self.data));
        let mut columns = Vec::new();
        for (spec, made) in schema::COLUMNS.iter().zip(&self.made).filter(|(spec, _)| wanted(spec.name)) {
            interrupt::check()?;
            let column = match made.get() {
                Some(column) => column.clone(),
                None => {
                    let column = column(spec, &raw, &tracked, all.clone()).map_err(not_made)?;
                    // After Ctrl-C it is not whole.
                    interrupt::check()?;
                    made.get_or_init(|| column).clone()
                }
            };
            columns.push(column);
        }
        let extra = self.extra.iter().filter(|column| wanted(column.name()));
        for column in extra {
            interrupt::check()?;
            columns.push(self.of_rows(column).map_err(not_made)?);
        }
        interrupt::check()?;
        DataFrame::new(all.len(), columns).map_err(not_made)
    }

    /// The same a few rows at a time, for those who do not need the table whole. Nothing is kept of the columns.
    ///
    /// # Errors
    /// When polars refuses the further fields, and on Ctrl-C.
    pub fn parts(&self, wanted: impl Fn(&str) -> bool) -> Result<TableParts<'_>> {
        let specs = schema::COLUMNS.iter().zip(&self.made).filter(|(spec, _)| wanted(spec.name));
        let extra = self.extra.iter().filter(|column| wanted(column.name()));
        Ok(TableParts {
            packets: self.capture.packets(),
            specs: specs.collect(),
            tracked: TrackedColumns::of(&self.capture, &self.data),
            extra: extra.map(|column| self.of_rows(column)).collect::<PolarsResult<_>>().map_err(not_made)?,
        })
    }

    /// A further field, for the packets that count.
    fn of_rows(&self, column: &Column) -> PolarsResult<Column> {
        match self.capture.rows() {
            Some(rows) => {
                let rows: Vec<u32> = rows.iter().map(|row| row.0).collect();
                column.take(&IdxCa::from_vec(PlSmallStr::from_static("rows"), rows))
            }
            None => Ok(column.clone()),
        }
    }

    /// What finds this capture's streams and connections in `other`. What it has to learn of them first is kept with this
    /// capture, until it is compared with another one: so questions about two captures cost little after the first.
    ///
    /// # Errors
    /// On Ctrl-C.
    pub fn mapper<'a>(&'a self, other: &'a Arc<LoadedCapture>) -> Result<Mapper<'a>> {
        let mut compared = self.compared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = compared.as_ref().filter(|known| known.with.as_ptr() == Arc::as_ptr(other));
        let learned = match known {
            Some(known) => Arc::clone(&known.learned),
            None => {
                // Before the next is learned, so that there is never one more in memory.
                *compared = None;
                let learned = Arc::new(Learned::of(self, other)?);
                *compared = Some(Compared { with: Arc::downgrade(other), learned: Arc::clone(&learned) });
                learned
            }
        };
        Ok(Mapper::knowing(self, other, learned))
    }

    /// Whether the packet table has a column of this name.
    #[must_use]
    pub fn has_column(&self, name: &str) -> bool {
        schema::find(name).is_some() || self.extra_names().any(|extra| extra == name)
    }

    /// Names of the further fields.
    pub fn extra_names(&self) -> impl Iterator<Item = &str> {
        self.extra.iter().map(|column| column.name().as_str())
    }
}

/// A packet table whose rows are made when they are asked for.
pub struct TableParts<'a> {
    packets: Packets,
    specs: Vec<(&'static ColumnSpec, &'a OnceLock<Column>)>,
    tracked: TrackedColumns<'a>,
    extra: Vec<Column>,
}

impl TableParts<'_> {
    /// Number of all rows.
    #[must_use]
    pub fn height(&self) -> usize {
        self.packets.height()
    }

    /// Works out what some columns need of all rows together; otherwise those do who first ask for such a column.
    pub fn prepare(&self) {
        let missing = self.specs.iter().filter(|(_, made)| made.get().is_none());
        self.tracked.prepare(missing.map(|(spec, _)| spec.name));
    }

    /// All columns for these rows.
    ///
    /// # Errors
    /// As [`LoadedCapture::table`].
    pub fn of(&self, rows: Range<usize>) -> Result<DataFrame> {
        let slice = |column: &Column| column.slice(i64::try_from(rows.start).unwrap_or(i64::MAX), rows.len());
        let raw = RawColumns::of(&self.packets, rows.clone());
        let mut columns = Vec::with_capacity(self.specs.len().saturating_add(self.extra.len()));
        for (spec, made) in &self.specs {
            interrupt::check()?;
            columns.push(match made.get() {
                Some(made) => slice(made),
                None => column(spec, &raw, &self.tracked, rows.clone()).map_err(not_made)?,
            });
        }
        columns.extend(self.extra.iter().map(slice));
        // After Ctrl-C the columns end where it came.
        interrupt::check()?;
        DataFrame::new(rows.len(), columns).map_err(not_made)
    }
}

fn column(
    spec: &ColumnSpec,
    raw: &RawColumns<'_>,
    tracked: &TrackedColumns<'_>,
    rows: Range<usize>,
) -> PolarsResult<Column> {
    match spec.origin {
        Origin::Packet => raw.column(spec),
        Origin::Tracking => {
            let column = tracked.column(spec.name, rows);
            column.ok_or_else(|| polars_err!(ColumnNotFound: "no column `{}`", spec.name))
        }
    }
}

fn not_made(source: PolarsError) -> Error {
    Error::Table { action: "make the packet table", source }
}

fn none_made() -> Vec<OnceLock<Column>> {
    schema::COLUMNS.iter().map(|_| OnceLock::new()).collect()
}
