//! A loaded capture: what [`mptcp_trace`] found in it, and the packet table.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use mptcp_trace::interrupt;
use mptcp_trace::tracking::Capture;
use mptcp_trace::tracking::PointOfView;
use polars::frame::DataFrame;
use polars::prelude::{Column, IdxCa, PlSmallStr, PolarsResult};

use super::{Dissected, table};
use crate::error::{Error, Result};

/// A tracked capture with its packet table, which is made when a command asks for it.
#[derive(Debug)]
pub struct LoadedCapture {
    capture: Capture,
    /// Further fields of all packets of the file, in its order.
    extra: Arc<Vec<Column>>,
    table: OnceLock<DataFrame>,
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
        Self::seen_from(path, dissected.into(), PointOfView::default())
    }

    /// Tracks the packets that count from this point of view.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn seen_from(path: PathBuf, dissected: Dissected, view: PointOfView) -> Result<Self> {
        let capture = Capture::seen_from(path, dissected.dissection, view)?;
        Ok(LoadedCapture { capture, extra: Arc::new(dissected.extra), table: OnceLock::new() })
    }

    /// The same file, seen from another point of view.
    ///
    /// # Errors
    /// As [`Capture::seen_from`].
    pub fn viewed_from(&self, view: PointOfView) -> Result<Self> {
        let capture = self.capture.viewed_from(view)?;
        Ok(LoadedCapture { capture, extra: Arc::clone(&self.extra), table: OnceLock::new() })
    }

    /// The whole packet table: raw columns, tracked columns, extra fields.
    ///
    /// # Errors
    /// When polars cannot put the columns side by side, and on Ctrl-C.
    pub fn table(&self) -> Result<&DataFrame> {
        if let Some(table) = self.table.get() {
            return Ok(table);
        }
        let table = self.make().map_err(|source| Error::Table { action: "make the packet table", source })?;
        // After Ctrl-C the tracked columns are not whole.
        interrupt::check()?;
        Ok(self.table.get_or_init(|| table))
    }

    fn make(&self) -> PolarsResult<DataFrame> {
        let capture = &self.capture;
        let extra = match capture.rows() {
            Some(rows) => {
                let rows: Vec<u32> = rows.iter().map(|row| row.0).collect();
                let picked = IdxCa::from_vec(PlSmallStr::from_static("rows"), rows);
                self.extra.iter().map(|column| column.take(&picked)).collect::<PolarsResult<Vec<Column>>>()?
            }
            None => self.extra.to_vec(),
        };
        table::with_tracked(&table::raw(&capture.packets(), &extra)?, capture)
    }

    /// Names of the further fields.
    pub fn extra_names(&self) -> impl Iterator<Item = &str> {
        self.extra.iter().map(|column| column.name().as_str())
    }
}
