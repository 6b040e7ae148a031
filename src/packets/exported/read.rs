//! Reading an exported table in place of a capture.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use polars::prelude::{DataFrame, DataType, IdxCa, NewChunkedArray, PlSmallStr, PolarsError};

use super::{DISSECTOR, read_csv};
use mptcp_trace::capture_format::CaptureFormat;
use mptcp_trace::packets::{CaptureFacts, Dissection, Interface};

use crate::packets::{Dissected, LoadError, schema, table};
use crate::terminal_text::escape;

/// Reads a CSV file that `export` wrote.
///
/// All raw columns must be there with their types; further text columns are kept, tracked columns dropped. The facts
/// are those that rows can tell: frames without TCP, and those that the export left out, are not counted.
///
/// # Errors
/// [`LoadError::Unreadable`], [`LoadError::ForeignTable`] with what does not fit.
pub fn read(path: &Path) -> Result<Dissected, LoadError> {
    let columns = columns(path)?;
    let foreign = |error: PolarsError| LoadError::ForeignTable { path: path.to_path_buf(), reason: error.to_string() };
    let (packets, extra) = table::read(&columns).map_err(foreign)?;
    Ok(Dissected { dissection: Dissection { packets, facts: facts(&columns) }, extra })
}

/// The raw columns and the further ones of such a file, in the order of the capture.
pub(super) fn columns(path: &Path) -> Result<DataFrame, LoadError> {
    let mut file = File::open(path).map_err(|source| LoadError::Unreadable { path: path.to_path_buf(), source })?;
    let mut start = Vec::new();
    let begun = file.by_ref().take(6).read_to_end(&mut start);
    begun.map_err(|source| LoadError::Unreadable { path: path.to_path_buf(), source })?;
    let read = match is_for_others(&start) {
        true => {
            Err("Parquet and Arrow files are for other programs; load the capture, or export it as CSV".to_string())
        }
        false => read_csv::read(start.as_slice().chain(file)),
    };
    read.and_then(check).map_err(|reason| LoadError::ForeignTable { path: path.to_path_buf(), reason })
}

/// Whether a file that begins so is Parquet or Arrow.
fn is_for_others(start: &[u8]) -> bool {
    start.starts_with(b"PAR1") || start.starts_with(b"ARROW1")
}

/// Whether [`read`] is the one to try on this file, or to refuse it: its first line names columns of the packet table, or it
/// is Parquet or Arrow. A file that cannot be read is none.
#[must_use]
pub fn recognise(path: &Path) -> bool {
    /// Bytes that tell a capture, and that the first line may have.
    const BYTES: [u64; 2] = [12, 1 << 16];
    let regular = std::fs::metadata(path).is_ok_and(|facts| facts.is_file());
    let Some(mut file) = File::open(path).ok().filter(|_| regular) else { return false };
    let mut start = Vec::new();
    for bytes in BYTES {
        if file.by_ref().take(bytes).read_to_end(&mut start).is_err()
            || CaptureFormat::of(&start) != CaptureFormat::Other
        {
            return false;
        }
    }
    is_for_others(&start) || read_csv::names_columns(&start)
}

/// The content, or the reason why it is not ours.
type Reading = Result<DataFrame, String>;

/// Keeps the raw columns in table order, then the extra ones, and drops the tracked ones.
///
/// # Errors
/// Which column is missing or of another type, or that the rows are not in order.
pub fn check(table: DataFrame) -> Result<DataFrame, String> {
    let mut kept = Vec::with_capacity(table.width());
    for spec in schema::packet_columns() {
        let Ok(column) = table.column(spec.name) else {
            return Err(absent(spec.name));
        };
        if *column.dtype() != spec.kind.data_type() {
            return Err(format!("its column `{}` is {}, not {}", spec.name, column.dtype(), spec.kind.name()));
        }
        kept.push(column.clone());
    }
    for column in table.columns().iter().filter(|column| schema::find(column.name()).is_none()) {
        if *column.dtype() != DataType::String {
            let (name, kind) = (escape(column.name()), column.dtype());
            return Err(format!("its extra column `{name}` is {kind}; extra columns must be text"));
        }
        kept.push(column.clone());
    }
    let height = table.height();
    let table = DataFrame::new(height, kept).map_err(|_| "its columns differ in length".to_string())?;
    in_file_order(table)
}

/// The reason when a raw column is not there.
pub(super) fn absent(name: &str) -> String {
    format!("it has no column `{name}`; export it again without `--columns`")
}

/// The rows in the order of the file, in which every packet has a number of its own. A capture that was out of order was
/// exported in the order of time.
fn in_file_order(table: DataFrame) -> Reading {
    let own = || "a `packetid` occurs twice; remove duplicate rows".to_string();
    let column = table.column("packetid").map_err(|error| error.to_string())?;
    let ids = column.u64().map_err(|error| error.to_string())?;
    let mut rows: Vec<(u64, u32)> = Vec::with_capacity(table.height());
    for (row, id) in (0_u32..).zip(ids.iter()) {
        rows.push((id.ok_or_else(own)?, row));
    }
    if rows.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Ok(table);
    }
    rows.sort_unstable();
    if rows.windows(2).any(|pair| matches!(pair, [(one, _), (next, _)] if one == next)) {
        return Err(own());
    }
    let rows: Vec<u32> = rows.into_iter().map(|(_, row)| row).collect();
    let picked = IdxCa::from_slice(PlSmallStr::from_static("rows"), &rows);
    table.take(&picked).map_err(|error| error.to_string())
}

pub(super) fn facts(table: &DataFrame) -> CaptureFacts {
    let mut interfaces: Vec<Interface> = Vec::new();
    if let Ok(names) = table.column("interface").and_then(|column| column.str()) {
        let mut places: HashMap<&str, usize> = HashMap::new();
        for name in names.iter().flatten() {
            // Their numbers in the capture are not exported: they are counted as they come.
            let place = *places.entry(name).or_insert_with(|| {
                let id = u32::try_from(interfaces.len()).unwrap_or(u32::MAX);
                interfaces.push(Interface { id, name: Some(name.to_string()), packets: 0 });
                interfaces.len() - 1
            });
            if let Some(interface) = interfaces.get_mut(place) {
                interface.packets += 1;
            }
        }
    }
    CaptureFacts {
        frames: u64::try_from(table.height()).unwrap_or(u64::MAX),
        dissector: DISSECTOR.to_string(),
        interfaces,
        not_understood: 0,
        truncated_at: None,
        warnings: Vec::new(),
    }
}
