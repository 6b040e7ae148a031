//! The process that analyses captures and writes their rows: the same program with a hidden argument. A limit, a crash or
//! the system takes it down with the capture under way alone; another one goes on.

use std::collections::HashSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::Xxh3;

use super::analyzed::{Analyzed, Facts};
use super::layout::{self, Layout};
use super::part::{Encoder, Files};
use super::tables::{CAPTURES, TABLES, Table, captures, find};
use super::task::{Status, Task};
use crate::analysis::checksums::checksums;
use crate::children;
use crate::error::{Error, Result};
use crate::packets::load::Loaded;
use crate::packets::{self, Dissector, LoadError, LoadOptions, joined};
use mptcp_trace::packets::capture_file::describe;
use mptcp_trace::tracking::{Capture, PointOfView};
use mptcp_trace::units::counted;
use mptcp_trace::{AddressLabels, interrupt, memory};

/// The first and only argument of the program when it is started as such a process. On standard input comes a line with a
/// [`Setup`], then one with a [`Task`] for each capture.
pub const ARGUMENT: &str = "__analyze_captures";

/// The longest line that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// A process that a capture left larger than it was at first, by so many bytes, is not used for another one.
const LEFT_BEHIND: u64 = 16 << 20;

/// What is the same for all captures of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Setup {
    /// Folder of the dataset, as bytes.
    dataset: Vec<u8>,
    /// Folder for files under way, as bytes.
    work: Vec<u8>,
    /// Names of the tables to write, besides `captures`.
    tables: Vec<String>,
    /// Labels of addresses.
    paths: AddressLabels,
    /// The dissector.
    dissector: Dissector,
    /// The tshark binary, as bytes.
    tshark: Vec<u8>,
    /// Memory that a capture may take, in bytes.
    memory: u64,
    /// The process that asks.
    asker: u32,
}

impl Setup {
    /// For the captures of a dataset.
    #[must_use]
    pub fn new(dataset: &Layout, work: &Path, tables: &[&'static Table], paths: &AddressLabels) -> Self {
        Setup {
            dataset: dataset.root().as_os_str().as_bytes().to_vec(),
            work: work.as_os_str().as_bytes().to_vec(),
            tables: tables.iter().map(|table| table.name.to_string()).collect(),
            paths: paths.clone(),
            dissector: Dissector::Auto,
            tshark: b"tshark".to_vec(),
            memory: 0,
            asker: std::process::id(),
        }
    }

    /// With this dissector, and the tshark that it may need.
    #[must_use]
    pub fn dissected_by(mut self, dissector: Dissector, tshark: &Path) -> Self {
        self.dissector = dissector;
        self.tshark = tshark.as_os_str().as_bytes().to_vec();
        self
    }

    /// With at most this memory for a capture, in bytes.
    #[must_use]
    pub fn within(mut self, memory: u64) -> Self {
        self.memory = memory;
        self
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// The answer of the process about one capture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// Why there is nothing, or not all.
    pub error: Option<String>,
    /// TCP packets.
    pub packets: Option<u64>,
    /// MPTCP connections.
    pub connections: Option<u64>,
    /// Processor time, seconds.
    pub cpu_seconds: Option<f64>,
    /// Most memory at one time, bytes.
    pub peak_memory_bytes: Option<u64>,
    /// It is the last one of this process.
    pub last: bool,
}

/// The process: answers every request in one line. Returns the exit code.
#[must_use]
pub fn serve() -> u8 {
    let mut input = io::stdin().lock();
    let Some(setup) = message::<Setup>(&mut input) else { return 1 };
    if !children::end_with(setup.asker) {
        return 1;
    }
    limit(setup.memory);
    match Worker::new(setup).and_then(|mut worker| worker.serve(&mut input)) {
        Ok(()) => 0,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            1
        }
    }
}

/// The next line; `None` at the end, and where it is not what is expected.
fn message<T: DeserializeOwned>(input: &mut impl BufRead) -> Option<T> {
    let mut line = Vec::new();
    input.take(LONGEST).read_until(b'\n', &mut line).ok()?;
    serde_json::from_slice(&line).ok()
}

/// Bounds what this process may take: reading stops at `most` with a sentence, what goes far beyond ends the process.
fn limit(most: u64) {
    memory::set_limit(most);
    let hard = most.saturating_add(most / 2).saturating_add(children::BASE_MEMORY);
    // Where the system refuses, the work goes on without a limit.
    let _ = setrlimit(Resource::RLIMIT_DATA, hard, hard);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

/// Processor time of this process so far, seconds.
fn processor_time() -> Option<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    #[allow(clippy::cast_precision_loss)]
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}

/// Analyses captures, one after the other.
#[derive(Debug)]
pub struct Worker {
    setup: Setup,
    dataset: Layout,
    tables: Vec<&'static Table>,
    encoder: Encoder,
}

impl Worker {
    /// With this setup.
    ///
    /// # Errors
    /// When the dataset cannot be read.
    pub fn new(setup: Setup) -> Result<Self> {
        let dataset = Layout::open(&path(&setup.dataset))?;
        let tables = setup.tables.iter().filter_map(|name| find(name)).filter(|table| table.name != CAPTURES).collect();
        Ok(Worker { setup, dataset, tables, encoder: Encoder::default() })
    }

    fn serve(&mut self, input: &mut impl BufRead) -> Result<()> {
        let at_first = memory::used();
        let mut before = 0.0;
        while let Some(task) = message::<Task>(input) {
            memory::forget_peak();
            let mut answer = self.work(&task)?;
            let after = processor_time();
            answer.cpu_seconds = after.map(|after| after - before);
            before = after.unwrap_or(before);
            answer.peak_memory_bytes = memory::peak();
            answer.last = match (at_first, memory::used()) {
                (Some(at_first), Some(now)) => now > at_first.saturating_add(LEFT_BEHIND),
                _ => true,
            };
            let mut line = serde_json::to_vec(&answer).unwrap_or_default();
            line.push(b'\n');
            let mut output = io::stdout().lock();
            output.write_all(&line).and_then(|()| output.flush()).map_err(|source| {
                let answer = Path::new("the answer");
                Error::file("write", answer, source)
            })?;
            if answer.last {
                break;
            }
        }
        Ok(())
    }

    /// Analyses a capture and writes its rows, those of `captures` last.
    ///
    /// # Errors
    /// When rows cannot be written, and on Ctrl-C. What is wrong with the capture is part of the answer, not an error.
    pub fn work(&mut self, task: &Task) -> Result<Answer> {
        let mut source = match self.source(task) {
            Ok(source) => source,
            Err(Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => return self.fail(task, Status::Error, error.to_string()),
        };
        let loaded = match self.load(source.path()) {
            Ok(loaded) => loaded,
            Err(Error::Load(LoadError::Interrupted) | Error::Interrupted) => return Err(Error::Interrupted),
            Err(error) => {
                let memory = matches!(error, Error::Load(LoadError::TooLarge { .. }));
                let status = if memory { Status::Memory } else { Status::Error };
                // People know the files that were joined, and not the one that they became.
                let under_way = source.path().display().to_string();
                return self.fail(task, status, error.to_string().replace(&under_way, &task.path_text()));
            }
        };
        let view = PointOfView::default();
        let file = source.path().to_path_buf();
        let mut capture = Capture::tracked_from(file, loaded.dissected.dissection, view, loaded.tracker)?;
        capture.address_labels = self.setup.paths.clone();
        // Where the file cannot be read again, the other numbers are right nevertheless.
        let connections = capture.tracking.whole_connections();
        let checksums = checksums(&capture, connections, &path(&self.setup.tshark), None).unwrap_or_default();
        capture.path = task.path();
        let facts = Facts::of(&capture, &self.tables, &checksums)?;
        let (status, error) = match source.cut.take() {
            Some(sentence) => (Status::Partial, Some(sentence)),
            None => whole_or_not(&capture),
        };
        let content = content(source.path());
        let parts = task.parts();
        let described = describe(parts.first().map_or(source.path(), PathBuf::as_path));
        interrupt::check()?;
        let (error_of, facts, table_rows) = (error.clone(), Some(facts), Vec::new());
        let mut analyzed = Analyzed { task, status, error: error_of, content, described, facts, table_rows };
        self.write(&mut analyzed)?;
        let facts = analyzed.facts.as_ref();
        Ok(Answer {
            packets: facts.map(|facts| facts.capture.segments.len() as u64),
            connections: facts.map(|facts| facts.connections.len() as u64),
            ..Answer::of(status, error)
        })
    }

    /// Writes the row of a capture of which there is nothing else.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn fail(&mut self, task: &Task, status: Status, sentence: String) -> Result<Answer> {
        let error = Some(sentence);
        let (error_of, table_rows) = (error.clone(), Vec::new());
        self.write(&mut Analyzed {
            task,
            status,
            error: error_of,
            content: None,
            described: None,
            facts: None,
            table_rows,
        })?;
        Ok(Answer::of(status, error))
    }

    /// The file to read. Several that are one capture are put together in the folder for files under way.
    fn source(&self, task: &Task) -> Result<Source> {
        let parts = task.parts();
        if parts.is_empty() {
            let path = task.path();
            regular(&path)?;
            return Ok(Source { path, cut: None, joined: None });
        }
        parts.iter().try_for_each(|part| regular(part))?;
        let work = path(&self.setup.work);
        let joined = tempfile::Builder::new().prefix("joined-").tempfile_in(&work);
        let joined = joined.map_err(|source| Error::file("write", &work, source))?.into_temp_path();
        let cut = joined::join(&parts, &joined)?;
        let cut = cut.first().map(|cut| match cut.truncation {
            Some(end) => format!("{} could be read up to byte {} only; copy it again", cut.path.display(), end.offset),
            None => format!("{} is empty; copy it again", cut.path.display()),
        });
        Ok(Source { path: joined.to_path_buf(), cut, joined: Some(joined) })
    }

    fn load(&self, file: &Path) -> Result<Loaded> {
        let tshark = path(&self.setup.tshark);
        let options = LoadOptions {
            dissector: self.setup.dissector,
            tshark: &tshark,
            profile: None,
            extra_fields: &[],
            cache: None,
            regenerate: false,
            progress: false,
        };
        Ok(packets::load(file, &options)?)
    }

    fn write(&mut self, analyzed: &mut Analyzed<'_>) -> Result<()> {
        let (work, task) = (path(&self.setup.work), analyzed.task);
        // Until the new one is there, the rows of this capture are not to be relied on.
        layout::remove(&self.dataset.part(CAPTURES, &task.capture))?;
        let wanted: HashSet<&str> = self.tables.iter().map(|table| table.name).collect();
        let mut files = Files::begin(&work);
        for table in TABLES.iter().filter(|table| table.name != CAPTURES) {
            let target = self.dataset.part(table.name, &task.capture);
            let rows = (wanted.contains(table.name) && analyzed.facts.is_some())
                .then(|| frame(table, analyzed))
                .transpose()?;
            analyzed.table_rows.extend(rows.as_ref().map(|rows| (table.name, rows.height())));
            match rows.filter(|rows| rows.height() > 0) {
                Some(rows) => files.add(&self.encoder.encode(table, rows)?, target)?,
                None => layout::remove(&target)?,
            }
        }
        interrupt::check()?;
        let row = self.encoder.encode(captures(), frame(captures(), analyzed)?)?;
        files.add(&row, self.dataset.part(CAPTURES, &task.capture))?;
        files.finish()
    }
}

/// Where a capture is read from.
struct Source {
    path: PathBuf,
    /// Which of the files that it was joined from is not whole, a sentence.
    cut: Option<String>,
    /// The file that goes with this value.
    #[allow(dead_code)]
    joined: Option<tempfile::TempPath>,
}

impl Source {
    fn path(&self) -> &Path {
        &self.path
    }
}

/// XXH3-128 of the content of a file; `None` where it cannot be read again.
fn content(file: &Path) -> Option<String> {
    let mut opened = File::open(file).ok()?;
    let (mut hash, mut buffer) = (Xxh3::new(), vec![0; 1 << 16]);
    loop {
        interrupt::check().ok()?;
        match opened.read(&mut buffer).ok()? {
            0 => return Some(format!("{:032x}", hash.digest128())),
            read => hash.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}

fn regular(file: &Path) -> Result<()> {
    let metadata = std::fs::metadata(file).map_err(|source| Error::file("read", file, source))?;
    if metadata.is_dir() {
        return Err(LoadError::Directory(file.to_path_buf()).into());
    }
    // A pipe or a device may never end.
    if !metadata.is_file() {
        return Err(Error::Failed(format!("{} is not a regular file; copy it into one", file.display())));
    }
    Ok(())
}

impl Answer {
    fn of(status: Status, error: Option<String>) -> Self {
        Answer {
            status,
            error,
            packets: None,
            connections: None,
            cpu_seconds: None,
            peak_memory_bytes: None,
            last: false,
        }
    }
}

/// Whether all of the file was read, and what is missing otherwise.
fn whole_or_not(capture: &Capture) -> (Status, Option<String>) {
    let facts = &capture.facts;
    if let Some(offset) = facts.truncated_at {
        return (Status::Partial, Some(format!("the file could be read up to byte {offset} only; copy it again")));
    }
    if facts.not_understood > 0 {
        let frames = counted(facts.not_understood, "frame");
        return (Status::Partial, Some(format!("{frames} skipped: link type or tunnel not supported")));
    }
    (Status::Ok, None)
}

fn frame(table: &Table, analyzed: &Analyzed<'_>) -> Result<polars::prelude::DataFrame> {
    let rows = table.rows(analyzed, &analyzed.task.labels);
    rows.map_err(|source| Error::Table { action: "make the rows of a table", source })
}
