//! Writing a packet table, whole or not at all.

use std::io::{self, Write};
use std::path::Path;

use polars::prelude::{CompatLevel, DataFrame, PolarsResult, SerWriter};
use polars_io::ipc::IpcWriter;
use polars_io::parquet::write::ParquetWriter;

use super::Form;
use crate::delimiter::Delimiter;
use crate::error::{Error, Result};
use crate::packets::cells::Cells;
use crate::whole_file::{Force, WholeFile};
use mptcp_trace::interrupt;

/// Rows of CSV between two looks at Ctrl-C.
const ROWS_BETWEEN_CHECKS: usize = 4096;

/// Writes `table` to `path`. A file that was there is replaced when the new one is complete, so that a failure leaves
/// it as it was, and one that is a capture only with `force`; what is not an ordinary file (a pipe, `/dev/stdout`) is
/// written to directly.
///
/// # Errors
/// When the file cannot be written, or on Ctrl-C.
pub fn write(table: &DataFrame, path: &Path, form: Form, delimiter: Delimiter, force: Force) -> Result<()> {
    let mut file = WholeFile::create(path, force)?;
    encode(table, &mut file, path, form, delimiter)?;
    file.finish()
}

fn encode(table: &DataFrame, mut file: impl Write, named: &Path, form: Form, delimiter: Delimiter) -> Result<()> {
    let bytes = match form {
        Form::Csv => return encode_csv(table, file, named, delimiter),
        Form::Parquet => parquet(table),
        Form::Arrow => arrow(table),
    };
    let bytes = bytes.map_err(|source| Error::Table { action: "export the packet table", source })?;
    interrupt::check()?;
    file.write_all(&bytes).and_then(|()| file.flush()).map_err(|error| Error::file("write", named, error))
}

fn parquet(table: &DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut table.clone())?;
    Ok(bytes)
}

fn arrow(table: &DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    // The oldest layout of text and lists is the one that every Arrow reader knows. Not compressed, so that other
    // programs can map the file into memory.
    IpcWriter::new(&mut bytes).with_compat_level(CompatLevel::oldest()).finish(&mut table.clone())?;
    Ok(bytes)
}

fn encode_csv(table: &DataFrame, file: impl Write, named: &Path, delimiter: Delimiter) -> Result<()> {
    let columns = Cells::of_frame(table)
        .map_err(|source| Error::Table { action: "read the columns of the packet table", source })?;
    let failed = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => Error::file("write", named, error),
        other => Error::file("write", named, io::Error::other(format!("{other:?}"))),
    };
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter.byte()).buffer_capacity(1 << 18).from_writer(file);
    writer.write_record(columns.iter().map(Cells::name)).map_err(failed)?;
    for row in 0..table.height() {
        if row % ROWS_BETWEEN_CHECKS == 0 {
            interrupt::check()?;
        }
        writer.write_record(columns.iter().map(|column| column.value(row).machine_text())).map_err(failed)?;
    }
    writer.flush().map_err(|error| Error::file("write", named, error))
}
