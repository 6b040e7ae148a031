//! A query's work in a process of its own: polars can neither be stopped amid an operation nor kept within an amount of
//! memory, a process can. What makes it give up takes that process down and no more.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};
use polars::prelude::{DataFrame, IntoLazy, SerReader};
use polars::sql::SQLContext;
use polars_io::SerWriter;
use polars_io::ipc::{IpcReader, IpcWriter};
use serde::{Deserialize, Serialize};

use super::{Limits, STACK};
use crate::error::Error;
use crate::packets::exported::contain;
use crate::temporary;
use mptcp_trace::interrupt;

use crate::children;

/// The first argument of the program when it is started as such a process; the second is the directory.
pub const ARGUMENT: &str = "__answer_query";

/// Interval of checks for Ctrl-C.
const PULSE: Duration = Duration::from_millis(5);

const QUESTION: &str = "question.json";
const REFUSAL: &str = "refusal";
const ANSWER: &str = "answer.arrow";

/// The program that serves as such a process; without one, queries are answered in a thread of this process.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Has queries answered by processes of `program`, which must call [`serve`] when [`ARGUMENT`] is its first argument.
pub fn use_program(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// Request to the process.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    query: String,
    /// The tables, `0.arrow` and so on, by name.
    tables: Vec<String>,
    /// The process that asks.
    asker: u32,
    /// Rows of the answer at most.
    rows: u64,
    /// Memory for the work, in bytes.
    memory: u64,
}

/// How a query was not answered.
pub enum Refusal {
    /// polars refused it, and said so.
    Said(String),
    /// Another error.
    Other(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Other(error)
    }
}

/// Answers `query` over `tables` within `limits`.
///
/// # Errors
/// [`Refusal`]; [`Error::Interrupted`] on Ctrl-C, after which nothing of the work goes on.
pub fn answer(
    query: &str,
    tables: Vec<(String, DataFrame)>,
    limits: Limits,
) -> std::result::Result<DataFrame, Refusal> {
    let failed = |source| Error::file("write", std::env::temp_dir(), source);
    let directory = temporary::Directory::new().map_err(failed)?;
    let mut names = Vec::with_capacity(tables.len());
    for (index, (name, mut table)) in tables.into_iter().enumerate() {
        interrupt::check().map_err(Error::from)?;
        let file = File::create(directory.path().join(format!("{index}.arrow"))).map_err(failed)?;
        let written = IpcWriter::new(file).finish(&mut table);
        written.map_err(|source| Error::Table { action: "hand a table to the query", source })?;
        names.push(name);
    }
    let question = Question {
        query: query.to_string(),
        tables: names,
        asker: std::process::id(),
        rows: limits.rows,
        memory: limits.memory,
    };
    let Some(program) = PROGRAM.get() else {
        return read(directory.path(), in_a_thread(question, directory.path()), "", limits);
    };
    let text = serde_json::to_vec(&question).map_err(|error| failed(error.into()))?;
    fs::write(directory.path().join(QUESTION), text).map_err(failed)?;
    let mut command = Command::new(program);
    command.arg(ARGUMENT).arg(directory.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let (mut child, mut descendants) = children::start(&mut command).map_err(|error| not_started(&error))?;
    let complaint = child.stderr.take().map(|mut errors| {
        thread::spawn(move || {
            let mut said = String::new();
            let _ = errors.by_ref().take(1 << 14).read_to_string(&mut said);
            let _ = std::io::copy(&mut errors, &mut std::io::sink());
            said
        })
    });
    let status = loop {
        if let Err(interrupted) = interrupt::check() {
            descendants.end();
            let _ = child.wait();
            return Err(Error::from(interrupted).into());
        }
        match child.try_wait().map_err(|error| not_started(&error))? {
            Some(status) => break status,
            None => thread::sleep(PULSE),
        }
    };
    let said = complaint.and_then(|thread| thread.join().ok()).unwrap_or_default();
    read(directory.path(), status.success(), &said, limits)
}

fn not_started(error: &std::io::Error) -> Error {
    Error::Failed(format!("cannot start a process for the query: {error}"))
}

/// Remains of the process.
fn read(directory: &Path, done: bool, said: &str, limits: Limits) -> std::result::Result<DataFrame, Refusal> {
    if let Ok(refusal) = fs::read_to_string(directory.join(REFUSAL)) {
        return Err(Refusal::Said(refusal));
    }
    let file = match File::open(directory.join(ANSWER)) {
        Ok(file) if done => file,
        _ => return Err(gave_up(said, limits).into()),
    };
    let frame = contain(|| IpcReader::new(file).finish());
    let frame = frame.ok_or_else(|| gave_up(said, limits))?;
    let frame = frame.map_err(|source| Error::Table { action: "read the answer of the query", source })?;
    if frame.height() as u64 > limits.rows {
        let rows = limits.rows;
        let sentence = format!("the answer has more than {rows} rows; add LIMIT, or raise `set sql_limit`");
        return Err(Error::Failed(sentence).into());
    }
    Ok(frame)
}

/// Why the process ended without an answer.
fn gave_up(said: &str, limits: Limits) -> Error {
    let memory = ["memory allocation", "out of memory", "capacity overflow"];
    // Not `stack` alone: a backtrace has that word, too.
    Error::Failed(if said.contains("overflowed its stack") {
        "the query is nested too deeply; simplify it".to_string()
    } else if memory.iter().any(|sign| said.contains(sign)) {
        format!(
            "the query needs more than {} of memory; simplify it, or raise `--memory-limit`",
            mptcp_trace::units::bytes(limits.memory)
        )
    } else {
        "polars' SQL cannot run this query; simplify it".to_string()
    })
}

/// The process: answers the question in `directory` and returns its exit code.
#[must_use]
pub fn serve(directory: &Path) -> u8 {
    let question = fs::read(directory.join(QUESTION)).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let Some(question): Option<Question> = question else { return 1 };
    if !children::end_with(question.asker) {
        return 1;
    }
    limit(&question);
    u8::from(!in_a_thread(question, directory))
}

/// Works the answer out on a stack that is large enough; true when it, or a refusal, is in `directory`.
fn in_a_thread(question: Question, directory: &Path) -> bool {
    let directory = directory.to_path_buf();
    let work = move || contain(|| work(&question, &directory)).unwrap_or(false);
    let started = thread::Builder::new().name("polars query".to_string()).stack_size(STACK).spawn(work);
    started.is_ok_and(|thread| thread.join().unwrap_or(false))
}

/// Bounds what this process may take.
fn limit(question: &Question) {
    let most = question.memory.saturating_add(children::BASE_MEMORY).saturating_add(STACK as u64);
    // Where the system refuses, the work goes on without a limit.
    let _ = setrlimit(Resource::RLIMIT_DATA, most, most);
    let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
}

fn work(question: &Question, directory: &Path) -> bool {
    let refuse = |refusal: &str| fs::write(directory.join(REFUSAL), refusal).is_ok();
    let mut context = SQLContext::new();
    for (index, name) in question.tables.iter().enumerate() {
        let file = File::open(directory.join(format!("{index}.arrow")));
        match file.map_err(Into::into).and_then(|file| IpcReader::new(file).finish()) {
            Ok(table) => context.register(name, table.lazy()),
            Err(error) => return refuse(&error.to_string()),
        }
    }
    let answer = context.execute(&question.query).and_then(|asked| {
        // One more row than is wanted tells that there are more.
        let asked = asked.limit(question.rows.saturating_add(1).try_into().unwrap_or(u32::MAX));
        match asked.clone().collect() {
            // polars counts the rows of a UNION in numbers of 128 bits, which it is built without, unless it must not
            // push the count down.
            Err(error) if error.to_string().contains("UInt128") => asked.with_projection_pushdown(false).collect(),
            answer => answer,
        }
    });
    match answer {
        Err(error) => refuse(&error.to_string()),
        Ok(mut frame) => {
            let Ok(mut file) = File::create(directory.join(ANSWER)) else { return false };
            IpcWriter::new(&mut file).finish(&mut frame).is_ok() && file.flush().is_ok()
        }
    }
}
