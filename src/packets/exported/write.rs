//! Writing a packet table, whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::{CompatLevel, DataFrame, SerWriter};
use polars_io::ipc::IpcWriter;
use polars_io::parquet::write::{KeyValueMetadata, ParquetWriter};

use super::{Form, VERSION_KEY};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::packets::cells::Cells;
use crate::packets::schema;

/// Rows of CSV between two looks at Ctrl-C.
const ROWS_BETWEEN_CHECKS: usize = 4096;

/// Writes `table` to `path`. A file that was there is replaced when the new one is complete, so that a failure leaves
/// it as it was; what is no ordinary file (a pipe, `/dev/stdout`) is written to directly.
///
/// # Errors
/// When the file cannot be written, or on Ctrl-C.
pub fn write(table: &DataFrame, path: &Path, form: Form, delimiter: u8) -> Result<()> {
    // A link stays a link: its target is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let existing = fs::metadata(&target).ok();
    match &existing {
        Some(facts) if facts.is_dir() => {
            let problem = io::Error::new(io::ErrorKind::IsADirectory, "it is a directory; name a file in it");
            Err(Error::file("write", path, problem))
        }
        Some(facts) if !facts.is_file() => {
            let file = File::options().write(true).open(&target).map_err(|error| Error::file("write", path, error))?;
            encode(table, file, path, form, delimiter)
        }
        _ => replace(table, &target, existing.map(|facts| facts.permissions()), path, form, delimiter),
    }
}

/// Writes beside `target`, then renames.
fn replace(
    table: &DataFrame,
    target: &Path,
    permissions: Option<fs::Permissions>,
    named: &Path,
    form: Form,
    delimiter: u8,
) -> Result<()> {
    let failed = |error| Error::file("write", named, error);
    let directory = match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".mptcpanalyzer-").suffix(".part");
    // Like any new file: what the umask leaves, not the privacy of a temporary one.
    #[cfg(unix)]
    let fresh = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(fresh);
    let part = builder.tempfile_in(&directory).map_err(failed)?;
    if let Some(permissions) = permissions {
        fs::set_permissions(part.path(), permissions).map_err(failed)?;
    }
    encode(table, part.as_file(), named, form, delimiter)?;
    part.as_file().sync_all().map_err(failed)?;
    part.persist(target).map_err(|error| failed(error.error))?;
    Ok(())
}

fn encode(table: &DataFrame, file: impl Write, named: &Path, form: Form, delimiter: u8) -> Result<()> {
    let mut output = Noting { inner: BufWriter::with_capacity(1 << 18, file), error: None };
    let version = schema::VERSION.to_string();
    let written = match form {
        Form::Csv => encode_csv(table, &mut output, delimiter)?,
        Form::Parquet => {
            let metadata = KeyValueMetadata::from_static(vec![(VERSION_KEY.to_string(), version)]);
            ParquetWriter::new(&mut output)
                .with_key_value_metadata(Some(metadata))
                .finish(&mut table.clone())
                .map(|_| ())
        }
        Form::Arrow => {
            // The oldest layout of text and lists is the one that every Arrow reader knows. Not compressed: such a
            // file can be mapped into memory, and its buffers cannot claim to be larger than the file.
            let mut writer = IpcWriter::new(&mut output).with_compat_level(CompatLevel::oldest());
            let metadata = [(VERSION_KEY.into(), version.as_str().into())].into_iter().collect();
            writer.set_custom_schema_metadata(Arc::new(metadata));
            writer.finish(&mut table.clone())
        }
    };
    // polars wraps the system's answer in its own error; what was noted says it as it was.
    if let Err(error) = output.flush() {
        output.error.get_or_insert(error);
    }
    match (output.error, written) {
        (Some(error), _) => Err(Error::file("write", named, error)),
        (None, Err(source)) => Err(Error::Table { action: "export the packet table", source }),
        (None, Ok(())) => Ok(()),
    }
}

fn encode_csv(table: &DataFrame, output: &mut impl Write, delimiter: u8) -> Result<polars::prelude::PolarsResult<()>> {
    let columns = match Cells::of_frame(table) {
        Ok(columns) => columns,
        Err(error) => return Ok(Err(error)),
    };
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(output);
    // Failures of the file itself are noted by the writer below.
    let mut intact = writer.write_record(columns.iter().map(Cells::name)).is_ok();
    for row in 0..table.height() {
        if row % ROWS_BETWEEN_CHECKS == 0 {
            interrupt::check()?;
        }
        intact = intact && writer.write_record(columns.iter().map(|column| column.value(row).machine_text())).is_ok();
        if !intact {
            break;
        }
    }
    Ok(writer.flush().map_err(polars::error::PolarsError::from))
}

/// Passes everything on and keeps the first error.
struct Noting<W> {
    inner: W,
    error: Option<io::Error>,
}

impl<W> Noting<W> {
    fn note<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let copy = error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error);
            // An interrupted write is tried again.
            if error.kind() != io::ErrorKind::Interrupted {
                self.error.get_or_insert(error);
            }
            copy
        })
    }
}

impl<W: Write> Write for Noting<W> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let result = self.inner.write(octets);
        self.note(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let result = self.inner.flush();
        self.note(result)
    }
}
