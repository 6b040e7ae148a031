//! The process that analyses one capture and writes its rows: the same program with a hidden argument. A limit, a crash or
//! the system takes it down alone.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::sys::resource::{Resource, UsageWho, getrusage, setrlimit};
use serde::{Deserialize, Serialize};

use super::analyzed::{Analyzed, Facts};
use super::layout::{self, Layout};
use super::part;
use super::tables::{CAPTURES, Table, find};
use super::task::{Status, Task};
use crate::analysis::checksums::checksums;
use crate::children;
use crate::error::{Error, Result};
use crate::packets::{self, Dissected, Dissector, LoadError, LoadOptions};
use mptcp_trace::tracking::Capture;
use mptcp_trace::units::counted;
use mptcp_trace::{AddressLabels, interrupt, memory};

/// The first and only argument of the program when it is started as such a process; the request comes on standard input.
pub const ARGUMENT: &str = "__analyze_capture";

/// The longest request that is read, in bytes.
const LONGEST: u64 = 64 << 20;

/// What the process is asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// The capture.
    pub task: Task,
    /// Folder of the dataset, as bytes.
    dataset: Vec<u8>,
    /// Folder for files under way, as bytes.
    work: Vec<u8>,
    /// Names of the tables to write, besides `captures`.
    pub tables: Vec<String>,
    /// Labels of addresses.
    pub paths: AddressLabels,
    /// The dissector.
    pub dissector: Dissector,
    /// The tshark binary, as bytes.
    tshark: Vec<u8>,
    /// Memory that the capture may take, in bytes.
    memory: u64,
    /// The process that asks.
    asker: u32,
}

impl Request {
    /// The request for a capture of a dataset.
    #[must_use]
    pub fn new(task: Task, dataset: &Layout, work: &Path, tables: &[&'static Table], paths: &AddressLabels) -> Self {
        Request {
            task,
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

    /// With at most this memory, in bytes.
    #[must_use]
    pub fn within(mut self, memory: u64) -> Self {
        self.memory = memory;
        self
    }

    fn tables(&self) -> Vec<&'static Table> {
        self.tables.iter().filter_map(|name| find(name)).filter(|table| table.name != CAPTURES).collect()
    }
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes.to_vec()))
}

/// The answer of the process.
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
}

/// The process: reads the request, writes the rows, and answers in one line. Returns the exit code.
#[must_use]
pub fn serve() -> u8 {
    let mut text = Vec::new();
    let read = io::stdin().lock().take(LONGEST).read_to_end(&mut text);
    let request: Option<Request> = read.ok().and_then(|_| serde_json::from_slice(&text).ok());
    let Some(request) = request else { return 1 };
    if !children::end_with(request.asker) {
        return 1;
    }
    limit(request.memory);
    match work(&request) {
        Ok(mut answer) => {
            measure(&mut answer);
            let line = serde_json::to_vec(&answer).unwrap_or_default();
            u8::from(io::stdout().write_all(&line).and_then(|()| io::stdout().flush()).is_err())
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            1
        }
    }
}

/// Bounds what this process may take: reading stops at `most` with a sentence, what goes far beyond ends the process.
fn limit(most: u64) {
    memory::set_limit(most);
    let hard = most.saturating_add(most / 2).saturating_add(children::BASE_MEMORY);
    // Where the system refuses, the work goes on without a limit.
    let _ = setrlimit(Resource::RLIMIT_DATA, hard, hard);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

fn measure(answer: &mut Answer) {
    let Ok(usage) = getrusage(UsageWho::RUSAGE_SELF) else { return };
    #[allow(clippy::cast_precision_loss)]
    let seconds = |time: nix::sys::time::TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6;
    answer.cpu_seconds = Some(seconds(usage.user_time()) + seconds(usage.system_time()));
    // Linux counts kibibytes.
    answer.peak_memory_bytes = u64::try_from(usage.max_rss()).ok().map(|kibibytes| kibibytes.saturating_mul(1024));
}

/// Analyses the capture and writes its rows, those of `captures` last.
///
/// # Errors
/// When rows cannot be written, and on Ctrl-C. What is wrong with the capture is no error but an answer.
pub fn work(request: &Request) -> Result<Answer> {
    let task = &request.task;
    let file = task.path();
    let loaded = match load(request, &file) {
        Ok(loaded) => loaded,
        Err(Error::Load(LoadError::Interrupted) | Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => {
            let memory = matches!(error, Error::Load(LoadError::TooLarge { .. }));
            let status = if memory { Status::Memory } else { Status::Error };
            return fail(request, status, error.to_string());
        }
    };
    let mut capture = Capture::new(file, loaded.dissection)?;
    capture.address_labels = request.paths.clone();
    // Where the file cannot be read again, the other numbers are right nevertheless.
    let connections = capture.tracking.whole_connections();
    let checksums = checksums(&capture, connections, &path(&request.tshark), None).unwrap_or_default();
    let facts = Facts::of(&capture, &request.tables(), &checksums)?;
    let (status, error) = whole_or_not(&capture);
    let analyzed = Analyzed { task, status, error: error.clone(), facts: Some(facts) };
    write(request, &analyzed)?;
    let facts = analyzed.facts.as_ref();
    Ok(Answer {
        status,
        error,
        packets: facts.map(|facts| facts.capture.segments.len() as u64),
        connections: facts.map(|facts| facts.connections.len() as u64),
        cpu_seconds: None,
        peak_memory_bytes: None,
    })
}

fn load(request: &Request, file: &Path) -> Result<Dissected> {
    let metadata = std::fs::metadata(file).map_err(|source| Error::file("read", file, source))?;
    if metadata.is_dir() {
        return Err(LoadError::Directory(file.to_path_buf()).into());
    }
    // A pipe or a device may never end.
    if !metadata.is_file() {
        return Err(Error::Failed(format!("{} is not a regular file; copy it into one", file.display())));
    }
    let tshark = path(&request.tshark);
    let options = LoadOptions {
        dissector: request.dissector,
        tshark: &tshark,
        profile: None,
        extra_fields: &[],
        cache: None,
        regenerate: false,
        progress: false,
    };
    Ok(packets::load(file, &options)?.dissected)
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

/// Writes the row of a capture of which there is nothing else.
///
/// # Errors
/// When it cannot be written.
pub fn fail(request: &Request, status: Status, sentence: String) -> Result<Answer> {
    let error = Some(sentence);
    write(request, &Analyzed { task: &request.task, status, error: error.clone(), facts: None })?;
    Ok(Answer { status, error, packets: None, connections: None, cpu_seconds: None, peak_memory_bytes: None })
}

fn write(request: &Request, analyzed: &Analyzed<'_>) -> Result<()> {
    let dataset = Layout::open(&path(&request.dataset))?;
    let (work, task) = (path(&request.work), analyzed.task);
    // Until the new one is there, the rows of this capture are not to be relied on.
    layout::remove(&dataset.part(CAPTURES, &task.capture))?;
    let wanted: HashSet<&str> = request.tables().iter().map(|table| table.name).collect();
    let others = super::tables::TABLES.iter().filter(|table| table.name != CAPTURES);
    for table in others {
        let target = dataset.part(table.name, &task.capture);
        let rows =
            (wanted.contains(table.name) && analyzed.facts.is_some()).then(|| frame(table, analyzed)).transpose()?;
        match rows.filter(|rows| rows.height() > 0) {
            Some(rows) => part::write_bytes(&part::encode(table, rows)?, &work, &target)?,
            None => layout::remove(&target)?,
        }
    }
    interrupt::check()?;
    let captures = super::tables::captures();
    part::write_bytes(
        &part::encode(captures, frame(captures, analyzed)?)?,
        &work,
        &dataset.part(CAPTURES, &task.capture),
    )
}

fn frame(table: &Table, analyzed: &Analyzed<'_>) -> Result<polars::prelude::DataFrame> {
    let rows = table.rows(analyzed, &analyzed.task.labels);
    rows.map_err(|source| Error::Table { action: "make the rows of a table", source })
}
