//! A loaded capture: what [`mptcp_trace`] found in it, and the packet table.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use mptcp_trace::interrupt;
use mptcp_trace::tracking::{Capture, PointOfView, Tracker};
use polars::frame::DataFrame;
use polars::prelude::{Column, IdxCa, PlSmallStr, PolarsResult, polars_err};

use super::schema::{self, ColumnSpec, Origin};
use super::table::tracked;
use super::{Dissected, table};
use crate::error::{Error, Result};

/// A tracked capture with its packet table, which is made when a command asks for it.
#[derive(Debug)]
pub struct LoadedCapture {
    capture: Capture,
    /// Further fields of all packets of the file, in its order.
    extra: Arc<Vec<Column>>,
    /// The columns of the schema, each made when it is asked for.
    made: Vec<OnceLock<Column>>,
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
        Ok(LoadedCapture { capture, extra: Arc::new(dissected.extra), made: none_made() })
    }

    /// The same file, seen from another point of view.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn viewed_from(&self, view: PointOfView) -> Result<Self> {
        let capture = self.capture.viewed_from(view)?;
        Ok(LoadedCapture { capture, extra: Arc::clone(&self.extra), made: none_made() })
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
        let known = |name: &str| schema::find(name).is_some() || self.extra_names().any(|extra| extra == name);
        if !names.iter().all(|name| known(name.as_ref())) {
            return self.table();
        }
        self.columns(|name| names.iter().any(|wanted| wanted.as_ref() == name))
    }

    /// The packet table with those of its columns whose names are wanted. Each column is made once.
    ///
    /// # Errors
    /// As [`LoadedCapture::table`].
    pub fn columns(&self, wanted: impl Fn(&str) -> bool) -> Result<DataFrame> {
        let failed = |source| Error::Table { action: "make the packet table", source };
        let mut columns = Vec::new();
        for (spec, made) in schema::COLUMNS.iter().zip(&self.made) {
            if wanted(spec.name) {
                interrupt::check()?;
                columns.push(self.column(spec, made).map_err(failed)?);
            }
        }
        let extra = self.extra.iter().filter(|column| wanted(column.name()));
        for column in extra {
            interrupt::check()?;
            columns.push(self.of_rows(column).map_err(failed)?);
        }
        // After Ctrl-C the columns end where it came.
        interrupt::check()?;
        DataFrame::new(self.segments.len(), columns).map_err(failed)
    }

    fn column(&self, spec: &ColumnSpec, made: &OnceLock<Column>) -> PolarsResult<Column> {
        if let Some(column) = made.get() {
            return Ok(column.clone());
        }
        let capture = &self.capture;
        let column = match spec.origin {
            Origin::Packet => table::column(&capture.packets(), spec.name)?,
            Origin::Tracking => match tracked::column(spec.name, capture) {
                Some(column) => column,
                None => self.of_data_level(spec.name)?,
            },
        };
        // After Ctrl-C it is not whole.
        if interrupt::requested() {
            return Ok(column);
        }
        Ok(made.get_or_init(|| column).clone())
    }

    /// A column of the data level. All of them are worked out together, and kept.
    fn of_data_level(&self, name: &str) -> PolarsResult<Column> {
        let mut found = None;
        for column in tracked::data::columns(&self.segments, &self.tracking) {
            let place = schema::COLUMNS.iter().zip(&self.made).find(|(spec, _)| column.name() == spec.name);
            if column.name() == name {
                found = Some(column.clone());
            }
            if let Some((_, made)) = place.filter(|_| !interrupt::requested()) {
                made.get_or_init(|| column);
            }
        }
        found.ok_or_else(|| polars_err!(ColumnNotFound: "no column `{name}`"))
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

    /// Names of the further fields.
    pub fn extra_names(&self) -> impl Iterator<Item = &str> {
        self.extra.iter().map(|column| column.name().as_str())
    }
}

fn none_made() -> Vec<OnceLock<Column>> {
    schema::COLUMNS.iter().map(|_| OnceLock::new()).collect()
}
