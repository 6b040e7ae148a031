//! Raw columns of what the native dissector finds, which makes none itself.

use mptcp_trace::packets::Dissection;
use mptcpanalyzer::packets::schema;
use mptcpanalyzer::packets::table::RawColumns;
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
        let spec = schema::find(name).expect("there is such a column");
        RawColumns::of(&self.packets, 0..self.packets.height()).column(spec).expect("it can be made")
    }

    fn height(&self) -> usize {
        self.packets.height()
    }
}
