//! Choosing rows and columns of the packet table, and saying what exists when the choice does not.

use crate::packets::{LoadedCapture, TableParts};
use polars::prelude::{BooleanChunked, BooleanType, ChunkedArray, DataFrame, NewChunkedArray};
use std::ops::Range;

use super::filter::Filter;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::packets::schema;
use crate::terminal_text::escape;
use mptcp_trace::tracking::Role;
use mptcp_trace::{ConnectionId, StreamId};

/// Which packets are wanted; what is `None` does not restrict.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Packets of this TCP stream.
    pub tcpstream: Option<StreamId>,
    /// Packets of this MPTCP connection.
    pub mptcpstream: Option<ConnectionId>,
    /// Packets towards this end: of the MPTCP connection when one is chosen, of their TCP stream otherwise.
    pub towards: Option<Role>,
    /// Packets that a condition keeps.
    pub condition: Option<Filter>,
}

impl Selection {
    /// The column that tells towards which end a packet travels.
    fn towards_column(&self) -> &'static str {
        if self.mptcpstream.is_some() { "mptcpdest" } else { "tcpdest" }
    }
}

/// The rows of the packet table that `selection` asks for, in their order, with the columns `names`, or with all.
///
/// # Errors
/// [`Error::NotFound`] for a stream or column that is not there, [`Error::Usage`] for a condition that does not fit.
pub fn packets<'a, S: AsRef<str>>(
    capture: &'a LoadedCapture,
    selection: &'a Selection,
    names: Option<&'a [S]>,
) -> Result<Selected<'a, S>> {
    if let Some(id) = selection.tcpstream {
        capture.tcp_stream(id)?;
    }
    if let Some(id) = selection.mptcpstream {
        capture.mptcp_connection(id)?;
    }
    let mut wanted: Vec<&str> = names.into_iter().flatten().map(AsRef::as_ref).collect();
    wanted.extend(selection.tcpstream.map(|_| "tcpstream"));
    wanted.extend(selection.mptcpstream.map(|_| "mptcpstream"));
    wanted.extend(selection.towards.map(|_| selection.towards_column()));
    wanted.extend(selection.condition.iter().flat_map(Filter::columns));
    // Whole where it has not got one of them, so that the error can say which there are.
    let all = names.is_none() || !wanted.iter().all(|name| capture.has_column(name));
    let table = capture.parts(|name| all || wanted.contains(&name))?;
    Ok(Selected { table, selection, names })
}

/// Rows of a packet table, selected when they are asked for.
pub struct Selected<'a, S> {
    table: TableParts<'a>,
    selection: &'a Selection,
    names: Option<&'a [S]>,
}

impl<S: AsRef<str>> Selected<'_, S> {
    /// Number of rows to select from.
    #[must_use]
    pub fn height(&self) -> usize {
        self.table.height()
    }

    /// Works out what some columns need of all rows together, while others may be made.
    pub fn prepare(&self) {
        self.table.prepare();
    }

    /// The selected ones of these rows.
    ///
    /// # Errors
    /// As [`packets`].
    pub fn of(&self, among: Range<usize>) -> Result<DataFrame> {
        let rows = rows(self.table.of(among)?, self.selection)?;
        match self.names {
            Some(names) => columns(&rows, names),
            None => Ok(rows),
        }
    }
}

/// The rows of a table that `selection` asks for: a stream that is not in it leaves none.
///
/// # Errors
/// As [`packets`], save for streams.
pub fn rows(table: DataFrame, selection: &Selection) -> Result<DataFrame> {
    let mut kept = table;
    if let Some(id) = selection.tcpstream {
        kept = keep(&kept, &number_mask(&kept, "tcpstream", id.0)?)?;
    }
    if let Some(id) = selection.mptcpstream {
        kept = keep(&kept, &number_mask(&kept, "mptcpstream", id.0)?)?;
    }
    if let Some(role) = selection.towards {
        kept = keep(&kept, &text_mask(&kept, selection.towards_column(), role.name())?)?;
    }
    match &selection.condition {
        Some(condition) => condition.apply(&kept),
        None => Ok(kept),
    }
}

/// The columns named, in that order.
///
/// # Errors
/// [`Error::NotFound`] with the nearest name.
pub fn columns<S: AsRef<str>>(table: &DataFrame, names: &[S]) -> Result<DataFrame> {
    let mut chosen = Vec::with_capacity(names.len());
    for (index, name) in names.iter().map(AsRef::as_ref).enumerate() {
        if names.iter().take(index).any(|earlier| earlier.as_ref() == name) {
            return Err(Error::Usage(format!("column `{}` is named twice; name it once", escape(name))));
        }
        chosen.push(table.column(name).map_err(|_| unknown_column(table, name))?.clone());
    }
    DataFrame::new(table.height(), chosen).map_err(|source| Error::Table { action: "choose columns", source })
}

/// The sentence for a column that `table` does not have.
#[must_use]
pub fn unknown_column(table: &DataFrame, name: &str) -> Error {
    let names = table.columns().iter().map(|column| column.name().as_str());
    let guess = match did_you_mean(name, names) {
        Some(guess) => format!("{guess} "),
        // A column of the schema that this table happens not to have is not a typo.
        None if schema::find(name).is_some() => "this capture has none; ".to_string(),
        None => String::new(),
    };
    Error::NotFound(format!("no column `{}`: {guess}`columns` lists them all", escape(name)))
}

fn keep(table: &DataFrame, mask: &BooleanChunked) -> Result<DataFrame> {
    table.filter(mask).map_err(|source| Error::Table { action: "select packets", source })
}

fn number_mask(table: &DataFrame, name: &str, wanted: u32) -> Result<BooleanChunked> {
    let column = table.column(name).map_err(|_| unknown_column(table, name))?;
    let numbers = column.u32().map_err(|source| Error::Table { action: "select a stream", source })?;
    Ok(mask(numbers.iter().map(|number| number == Some(wanted))))
}

fn text_mask(table: &DataFrame, name: &str, wanted: &str) -> Result<BooleanChunked> {
    let column = table.column(name).map_err(|_| unknown_column(table, name))?;
    let texts = column.str().map_err(|source| Error::Table { action: "select a direction", source })?;
    Ok(mask(texts.iter().map(|text| text == Some(wanted))))
}

fn mask(kept: impl Iterator<Item = bool>) -> BooleanChunked {
    let kept: Vec<bool> = kept.collect();
    ChunkedArray::<BooleanType>::from_slice("mask".into(), &kept)
}

#[cfg(test)]
mod tests {
    use polars::prelude::Column;

    use super::*;

    fn table() -> DataFrame {
        let columns = vec![
            Column::new("packetid".into(), [1_u64, 2, 3, 4]),
            Column::new("tcpstream".into(), [0_u32, 0, 1, 1]),
            Column::new("tcpdest".into(), ["server", "client", "server", "client"]),
            Column::new("mptcpstream".into(), [Some(0_u32), Some(0), Some(0), None]),
            Column::new("mptcpdest".into(), [Some("server"), Some("client"), Some("client"), None]),
        ];
        DataFrame::new_infer_height(columns).unwrap()
    }

    fn ids(selection: &Selection) -> Vec<u64> {
        let kept = rows(table(), selection).unwrap();
        kept.column("packetid").unwrap().u64().unwrap().iter().flatten().collect()
    }

    #[test]
    fn streams_and_directions() {
        assert_eq!(ids(&Selection::default()), [1, 2, 3, 4]);
        assert_eq!(ids(&Selection { tcpstream: Some(StreamId(1)), ..Selection::default() }), [3, 4]);
        assert_eq!(ids(&Selection { mptcpstream: Some(ConnectionId(0)), ..Selection::default() }), [1, 2, 3]);
        let towards = Some(Role::Server);
        assert_eq!(ids(&Selection { towards, ..Selection::default() }), [1, 3]);
        assert_eq!(
            ids(&Selection { mptcpstream: Some(ConnectionId(0)), towards, ..Selection::default() }),
            [1],
            "the role in the MPTCP connection counts"
        );
        let condition = Some(Filter::parse("packetid > 1").unwrap());
        assert_eq!(ids(&Selection { tcpstream: Some(StreamId(0)), condition, ..Selection::default() }), [2]);
    }

    #[test]
    fn columns_keep_the_order_asked_for() {
        let chosen = columns(&table(), &["tcpdest", "packetid"]).unwrap();
        assert_eq!(chosen.get_column_names(), ["tcpdest", "packetid"]);
        assert_eq!(chosen.height(), 4);
        let error = columns(&table(), &["tcpstreem"]).unwrap_err();
        assert_eq!(error.to_string(), "no column `tcpstreem`: did you mean `tcpstream`? `columns` lists them all");
        let error = columns(&table(), &["dport"]).unwrap_err();
        assert_eq!(error.to_string(), "no column `dport`: this capture has none; `columns` lists them all");
        let error = columns(&table(), &["packetid", "packetid"]).unwrap_err();
        assert_eq!(error.to_string(), "column `packetid` is named twice; name it once");
    }
}
