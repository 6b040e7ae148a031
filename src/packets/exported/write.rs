//! Writing a packet table, whole or not at all.
//!
//! It is written in parts of some rows. Threads take turns in making parts and encoding them, so that no more than two
//! parts per thread are in memory.

use std::io::{self, Write};
use std::num::NonZero;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use polars::prelude::{DataFrame, PolarsResult};

use super::TableForm;
use super::write_csv::Csv;
use super::write_parquet::{self, Parquet};
use crate::column_facts::ArrowFile;
use crate::delimiter::Delimiter;
use crate::error::{Error, Result};
use crate::packets::schema;
use crate::whole_file::{Force, WholeFile};
use mptcp_trace::interrupt;

/// Threads at most: each holds rows in memory.
const THREADS: usize = 3;

/// A table whose rows are made when they are asked for.
#[derive(Clone)]
pub struct Parts<'a> {
    /// All columns, without rows.
    pub columns: DataFrame,
    /// Rows that can be asked for.
    pub height: usize,
    /// Makes these rows, or those of them that are wanted.
    pub of: &'a (dyn Fn(Range<usize>) -> Result<DataFrame> + Sync),
    /// Works out what is needed of all rows together, while the first parts are begun.
    pub prepare: &'a (dyn Fn() + Sync),
}

/// Writes `table` to `path`. A file that was there is replaced when the new one is complete, so that a failure leaves
/// it as it was, and one that is a capture only with `force`; what is not an ordinary file (a pipe, `/dev/stdout`) is
/// written to directly.
///
/// # Errors
/// When the file cannot be written, or on Ctrl-C.
pub fn write(table: &DataFrame, path: &Path, form: TableForm, delimiter: Delimiter, force: Force) -> Result<()> {
    let slice = |rows: Range<usize>| Ok(table.slice(i64::try_from(rows.start).unwrap_or(i64::MAX), rows.len()));
    let parts = Parts { columns: table.clear(), height: table.height(), of: &slice, prepare: &|| {} };
    write_parts(parts, path, form, delimiter, force).map(drop)
}

/// Writes a table part by part, as [`write`] does, and returns how many rows were wanted.
///
/// # Errors
/// As [`write`]; the first one in making a part.
pub fn write_parts(
    table: Parts<'_>,
    path: &Path,
    form: TableForm,
    delimiter: Delimiter,
    force: Force,
) -> Result<usize> {
    let mut file = WholeFile::create(path, force)?;
    let mut output = Noted { output: &mut file, failure: None };
    let rows = match form {
        TableForm::Csv => encode_all(Csv::new(delimiter), &table, &mut output),
        TableForm::Parquet => Parquet::of(table.columns.schema())
            .map_err(not_encoded)
            .and_then(|encoding| encode_all(encoding, &table, &mut output)),
        TableForm::Arrow => encode_all(Arrow, &table, &mut output),
    };
    if let Some(failure) = output.failure {
        return Err(Error::file("write", path, failure));
    }
    let rows = rows?;
    // Nothing is left of what Ctrl-C stopped.
    interrupt::check()?;
    file.finish()?;
    Ok(rows)
}

/// How a form writes tables.
pub(super) trait Encoding: Sync {
    /// Rows that are encoded together.
    const ROWS: usize;
    /// Rows, encoded.
    type Part: Send;
    /// What writes them.
    type Writer<W: Write + Send>;

    /// Begins to write a table with these columns.
    fn begin<W: Write + Send>(&self, columns: &DataFrame, output: W) -> PolarsResult<Self::Writer<W>>;

    /// Encodes rows, of which there are some.
    fn encode(&self, rows: DataFrame) -> PolarsResult<Self::Part>;

    /// Writes what comes next.
    fn write<W: Write + Send>(&self, part: Self::Part, writer: &mut Self::Writer<W>) -> PolarsResult<()>;

    /// Writes what a table ends with.
    fn end<W: Write + Send>(&self, writer: Self::Writer<W>) -> PolarsResult<()>;
}

fn not_encoded(source: polars::prelude::PolarsError) -> Error {
    Error::Table { action: "export the packet table", source }
}

fn encode_all<E: Encoding>(encoding: E, table: &Parts<'_>, output: impl Write + Send) -> Result<usize> {
    let parts = table.height.div_ceil(E::ROWS);
    let threads = thread::available_parallelism().map_or(1, NonZero::get).min(THREADS).min(parts);
    let mut writer = encoding.begin(&table.columns, output).map_err(not_encoded)?;
    let part = |index: usize| {
        let begin = index.saturating_mul(E::ROWS);
        let rows = (table.of)(begin..begin.saturating_add(E::ROWS).min(table.height))?;
        interrupt::check()?;
        let count = rows.height();
        Ok((count, if count == 0 { None } else { Some(encoding.encode(rows).map_err(not_encoded)?) }))
    };
    let mut rows: usize = 0;
    let mut take = |(count, part): (usize, Option<E::Part>)| {
        rows = rows.saturating_add(count);
        part.map_or(Ok(()), |part| encoding.write(part, &mut writer).map_err(not_encoded))
    };
    if threads < 2 {
        (0..parts).try_for_each(|index| take(part(index)?))?;
    } else {
        in_turn(parts, threads, &part, table.prepare, &mut take)?;
    }
    encoding.end(writer).map_err(not_encoded)?;
    Ok(rows)
}

/// Has threads make parts, and takes them in order; before the first is done, there is time for something else.
fn in_turn<P: Send>(
    parts: usize,
    threads: usize,
    make: &(dyn Fn(usize) -> Result<P> + Sync),
    meanwhile: &dyn Fn(),
    take: &mut dyn FnMut(P) -> Result<()>,
) -> Result<()> {
    thread::scope(|scope| {
        let mut makers = Vec::with_capacity(threads);
        for first in 0..threads {
            // One waits while the next is made.
            let (send, receive): (SyncSender<Result<P>>, Receiver<Result<P>>) = sync_channel(1);
            let work = move || {
                for index in (first..parts).step_by(threads) {
                    let made = make(index);
                    let failed = made.is_err();
                    // Nobody takes it after a failure elsewhere.
                    if send.send(made).is_err() || failed {
                        return;
                    }
                }
            };
            let thread = thread::Builder::new().name("export".to_string()).spawn_scoped(scope, work);
            let failed = |error| Error::Failed(format!("cannot start a thread for the export: {error}"));
            makers.push((thread.map_err(failed)?, receive));
        }
        meanwhile();
        let mut done = Ok(());
        for index in 0..parts {
            let Some((_, made)) = makers.get(index % threads) else { break };
            // Without an answer, the thread panicked.
            let Ok(made) = made.recv() else { break };
            done = made.and_then(&mut *take);
            if done.is_err() {
                break;
            }
        }
        for (thread, made) in makers {
            drop(made);
            // A panic there is one here.
            thread.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        done
    })
}

/// An output that keeps its first failure, because what polars says of one has more words and less sense.
struct Noted<W> {
    output: W,
    failure: Option<io::Error>,
}

impl<W> Noted<W> {
    fn note<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        done.map_err(|error| {
            if error.kind() == io::ErrorKind::Interrupted {
                // It is written again.
                return error;
            }
            let same = io::Error::from(error.kind());
            self.failure.get_or_insert(error);
            same
        })
    }
}

impl<W: Write> Write for Noted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.output.write(bytes);
        self.note(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.output.flush();
        self.note(done)
    }
}

/// A record batch for each part.
struct Arrow;

impl Encoding for Arrow {
    const ROWS: usize = write_parquet::ROWS;
    type Part = DataFrame;
    type Writer<W: Write + Send> = ArrowFile<W>;

    fn begin<W: Write + Send>(&self, columns: &DataFrame, output: W) -> PolarsResult<ArrowFile<W>> {
        ArrowFile::begin(columns, schema::unit, output)
    }

    fn encode(&self, mut rows: DataFrame) -> PolarsResult<DataFrame> {
        rows.align_chunks();
        Ok(rows)
    }

    fn write<W: Write + Send>(&self, part: DataFrame, writer: &mut ArrowFile<W>) -> PolarsResult<()> {
        writer.write(&part)
    }

    fn end<W: Write + Send>(&self, writer: ArrowFile<W>) -> PolarsResult<()> {
        writer.finish()
    }
}
