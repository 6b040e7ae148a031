//! Raw columns of what the native dissector finds, which makes none itself.

use mptcp_trace::packets::Dissection;
use mptcpanalyzer::packets::table;
use polars::prelude::{Column, DataFrame, PolarsResult};

/// Reading a dissection column by column.
pub trait Columns {
    /// All raw columns.
    fn raw(&self) -> PolarsResult<DataFrame>;

    /// The raw column of that name.
    fn cells(&self, name: &str) -> Column {
        self.raw().expect("the columns fit").column(name).expect("there is such a column").clone()
    }

    /// Packets.
    fn height(&self) -> usize;
}

impl Columns for Dissection {
    fn raw(&self) -> PolarsResult<DataFrame> {
        table::raw(&self.packets, &[])
    }

    fn height(&self) -> usize {
        self.packets.height()
    }
}
