//! The tables that a query can name.

use crate::packets::LoadedCapture;
use polars::prelude::{DataFrame, PolarsResult};

use super::{connections, packets, reinjections, subflows};
use crate::error::{Error, Result};

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// A row per TCP packet: the columns that the command `columns` lists.
    Packets,
    /// A row per MPTCP connection: what it is, and what it carried.
    Connections,
    /// A row per subflow: what it is, and what it carried.
    Subflows,
    /// A row per packet that sent data which had gone over another subflow.
    Reinjections,
}

impl Relation {
    /// All of them.
    pub const ALL: [Relation; 4] =
        [Relation::Packets, Relation::Connections, Relation::Subflows, Relation::Reinjections];

    /// The name in a query.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Relation::Packets => "packets",
            Relation::Connections => "connections",
            Relation::Subflows => "subflows",
            Relation::Reinjections => "reinjections",
        }
    }

    /// The table; `query` tells which columns of packets have to be made ready for it.
    ///
    /// # Errors
    /// When polars cannot make it, and on Ctrl-C.
    pub fn of(self, capture: &LoadedCapture, query: &str) -> Result<DataFrame> {
        let made: PolarsResult<DataFrame> = match self {
            Relation::Packets => packets::table(capture, query)?,
            Relation::Connections => connections::table(capture)?,
            Relation::Subflows => subflows::table(capture)?,
            Relation::Reinjections => reinjections::table(capture)?,
        };
        made.map_err(|source| Error::Table { action: "make a table for the query", source })
    }
}
