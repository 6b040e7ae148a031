//! Raw columns of what the native dissector finds, which makes none itself.

use mptcp_trace::packets::Dissection;
use mptcpanalyzer::packets::table;
use polars::prelude::Column;

/// Reading a dissection column by column.
pub trait Columns {
    /// The raw column of that name.
    fn cells(&self, name: &str) -> Column;

    /// Packets.
    fn height(&self) -> usize;
}

impl Columns for Dissection {
    fn cells(&self, name: &str) -> Column {
        table::column(&self.packets, name).expect("there is such a column")
    }

    fn height(&self) -> usize {
        self.packets.height()
    }
}
