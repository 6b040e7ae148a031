//! The merged packets as one table.

use polars::prelude::*;

use mptcp_trace::analysis::merge::{Merged, Passage, StreamPassages};
use mptcp_trace::{PacketRow, Span};

use crate::error::{Error, Result};
use crate::packets::LoadedCapture;
use mptcp_trace::interrupt::{self, interruptible};

/// One row a [`Passage`]: `towards` (text), `fate` (text), `reordered` (bool), `offset`, `length` (u32, bytes),
/// `delay` (duration, from the function `delay`, null unless both have it), then every column of the packet table
/// with the ending `_sender` as the sender's capture has it and with `_receiver` as the receiver's has it; null where a
/// capture lacks the packet.
///
/// # Errors
/// When polars cannot put the columns together, and on Ctrl-C.
pub fn merged_table(
    first: &LoadedCapture,
    second: &LoadedCapture,
    merged: &Merged,
    delay: impl Fn(&StreamPassages, &Passage) -> Option<Span>,
) -> Result<DataFrame> {
    let (first, second) = (first.table()?, second.table()?);
    let mut whole: Option<DataFrame> = None;
    for flow in interruptible(&merged.flows) {
        let part = of_flow((&first, &second), flow, &delay)?;
        match &mut whole {
            None => whole = Some(part),
            Some(whole) => {
                whole.vstack_mut(&part).map_err(failed)?;
            }
        }
    }
    interrupt::check()?;
    Ok(whole.unwrap_or_default())
}

fn failed(source: PolarsError) -> Error {
    Error::Table { action: "merge the packets", source }
}

fn of_flow(
    (first, second): (&DataFrame, &DataFrame),
    flow: &StreamPassages,
    delay: &dyn Fn(&StreamPassages, &Passage) -> Option<Span>,
) -> Result<DataFrame> {
    let passages = || interruptible(&flow.passages);
    let height = flow.passages.len();
    let text = |name: &'static str, values: Vec<&str>| Column::new(PlSmallStr::from_static(name), values);
    let delays = passages().map(|passage| delay(flow, passage).map(Span::nanoseconds));
    let delays = Int64Chunked::from_iter_options(PlSmallStr::from_static("delay"), delays);
    let mut columns = vec![
        text("towards", vec![flow.towards().name(); height]),
        text("fate", passages().map(|passage| passage.fate.name()).collect()),
        Column::new("reordered".into(), passages().map(|passage| passage.reordered).collect::<Vec<_>>()),
        Column::new("offset".into(), passages().map(|passage| passage.offset).collect::<Vec<_>>()),
        Column::new("length".into(), passages().map(|passage| passage.length).collect::<Vec<_>>()),
        delays.into_duration(TimeUnit::Nanoseconds).into_column(),
    ];
    let (sender, receiver) = flow.sender.of((first, second), (second, first));
    let rows = |which: fn(&Passage) -> Option<PacketRow>| -> IdxCa {
        IdxCa::from_iter_options(PlSmallStr::from_static("rows"), passages().map(|passage| Some(which(passage)?.0)))
    };
    for (table, rows, ending) in
        [(sender, rows(|passage| passage.sender), "_sender"), (receiver, rows(|passage| passage.receiver), "_receiver")]
    {
        for column in table.columns() {
            // Further fields that only one of the captures has would not fit below each other.
            if flow.sender.of(second, first).column(column.name()).is_err() {
                continue;
            }
            interrupt::check()?;
            let mut taken = column.take(&rows).map_err(failed)?;
            taken.rename(PlSmallStr::from_string(format!("{}{ending}", column.name())));
            columns.push(taken);
        }
    }
    interrupt::check()?;
    DataFrame::new(height, columns).map_err(failed)
}
