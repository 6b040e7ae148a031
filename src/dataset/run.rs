//! A run: many captures, several at a time, each in a process that does one after the other.

use std::collections::{HashSet, VecDeque};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

use super::layout::{Layout, Together, Work};
use super::marks::Mark;
use super::parts::Parts;
use super::process::{self, End, Server};
use super::tables::Table;
use super::task::{Status, Task};
use super::worker::{self, Answer, Setup, Worker};
use super::{TOOL_VERSION, compact, marks, twice};
use crate::error::{Error, Result};
use crate::packets::Dissector;
use crate::packets::exported::contain;
use mptcp_trace::{AddressLabels, units};

/// Options of a run.
#[derive(Debug, Clone)]
pub struct Options {
    /// Folder of the dataset.
    pub dataset: PathBuf,
    /// Captures at a time.
    pub jobs: usize,
    /// Tables to write.
    pub tables: Vec<&'static Table>,
    /// Names of all labels.
    pub labels: Vec<String>,
    /// Labels of addresses.
    pub paths: AddressLabels,
    /// The dissector.
    pub dissector: Dissector,
    /// The tshark binary.
    pub tshark: PathBuf,
    /// Time that a capture may take.
    pub timeout: Option<Duration>,
    /// Memory that a capture may take, in bytes.
    pub memory: u64,
    /// Memory that all captures of a time may take, in bytes.
    pub memory_of_all: u64,
    /// Analyse what is done as well.
    pub force: bool,
    /// Analyse again what failed.
    pub retry_errors: bool,
}

impl Options {
    /// Fingerprint of what the rows of a capture depend on besides file and program.
    fn fingerprint(&self, task: &Task) -> String {
        let tables: Vec<&str> = self.tables.iter().map(|table| table.name).collect();
        let all = (tables, &task.labels, &self.paths, self.dissector, task.state_of_parts());
        format!("{:016x}", xxh3_64(&serde_json::to_vec(&all).unwrap_or_default()))
    }
}

/// What became of a capture.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    /// Its key.
    pub capture: String,
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// As in the table `captures`, or `skipped`.
    pub status: &'static str,
    /// TCP packets.
    pub packets: Option<u64>,
    /// MPTCP connections.
    pub connections: Option<u64>,
    /// Time that it took.
    pub seconds: Option<f64>,
    /// Processor time.
    pub cpu_seconds: Option<f64>,
    /// Most memory at one time.
    pub peak_memory_bytes: Option<u64>,
    /// Why there is nothing, or not all.
    pub error: Option<String>,
    /// Size of the file.
    #[serde(skip)]
    pub size: u64,
    /// It has no rows in the dataset, because of this run or an earlier one.
    #[serde(skip)]
    pub failed: bool,
}

impl Outcome {
    fn skipped(task: &Task) -> Self {
        Outcome {
            capture: task.capture.clone(),
            name: task.name.clone(),
            path: task.path_text(),
            status: "skipped",
            packets: None,
            connections: None,
            seconds: None,
            cpu_seconds: None,
            peak_memory_bytes: None,
            error: None,
            size: task.size.unwrap_or(0),
            failed: false,
        }
    }

    /// Of a capture that is in the dataset as it is.
    fn there(task: &Task, mark: &Mark) -> Self {
        let said = || mark.error.as_deref().unwrap_or("the reason is not known");
        let error = (!mark.status.has_rows()).then(|| format!("{} before: {}", mark.status.name(), said()));
        Outcome { failed: error.is_some(), error, ..Outcome::skipped(task) }
    }

    fn of(task: &Task, answer: Answer, took: Duration) -> Self {
        Outcome {
            status: answer.status.name(),
            packets: answer.packets,
            connections: answer.connections,
            seconds: Some(took.as_secs_f64()),
            cpu_seconds: answer.cpu_seconds,
            peak_memory_bytes: answer.peak_memory_bytes,
            error: answer.error,
            failed: !answer.status.has_rows(),
            ..Outcome::skipped(task)
        }
    }
}

/// The captures of a run.
#[derive(Debug)]
pub struct Plan {
    /// Those to analyse, the largest first.
    pub tasks: Vec<Task>,
    /// Those that are in the dataset as they are.
    pub skipped: Vec<Outcome>,
    /// Captures whose rows are in files with those of others.
    compacted: HashSet<String>,
    /// The large files when the plan was made.
    large: Vec<PathBuf>,
}

/// Which captures are to be analyzed: those that are not in the dataset, or not as they are now.
///
/// # Errors
/// When the dataset cannot be read, or a file would count twice.
pub fn plan(tasks: Vec<Task>, dataset: &Layout, options: &Options) -> Result<Plan> {
    // What a killed compaction had begun is finished first, and nobody compacts while this looks.
    let _together = dataset.together()?;
    let marks = marks::of_dataset(dataset)?;
    let (compacted, large) = (marks.compacted(), compact::large_files(dataset)?);
    let mut plan = Plan { tasks: Vec::new(), skipped: Vec::new(), compacted, large };
    let parts = Parts::of(dataset)?;
    twice::refuse(&tasks, &marks, dataset)?;
    for mut task in tasks {
        task.options = options.fingerprint(&task);
        let done = marks.of(&task.capture).filter(|mark| {
            let failed = !mark.status.has_rows();
            !options.force
                && mark.is_of(&task, TOOL_VERSION)
                && !(failed && options.retry_errors)
                && parts.has_all(&task.capture, mark)
        });
        match done {
            Some(mark) => plan.skipped.push(Outcome::there(&task, mark)),
            None => plan.tasks.push(task),
        }
    }
    // Where the file that tells of captures is lost, their rows may be in the others.
    if plan.tasks.iter().any(|task| marks.of(&task.capture).is_none()) {
        plan.compacted.extend(compact::captures_in(&plan.large)?);
    }
    // A large one that begins last would keep one processor busy and the others idle.
    plan.tasks.sort_by_key(|task| std::cmp::Reverse(task.size));
    Ok(plan)
}

/// Refuses to go on where the dataset was compacted since its large files were looked at.
fn check_large(seen: &[PathBuf], dataset: &Layout) -> Result<()> {
    if compact::large_files(dataset)? == seen {
        return Ok(());
    }
    Err(Error::Failed("the dataset was compacted meanwhile; run the same line again".to_string()))
}

/// A run under way.
#[derive(Debug)]
pub struct Run {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    outcomes: Receiver<Result<Outcome>>,
}

#[derive(Debug)]
struct Shared {
    options: Options,
    dataset: Layout,
    work: Work,
    _together: Together,
    stop: AtomicBool,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Task>,
    running: usize,
    /// Memory that those that run are expected to take, in bytes.
    memory: u64,
}

/// What comes next of a run.
#[derive(Debug)]
pub enum Next {
    /// A capture is done.
    Done(Box<Outcome>),
    /// Nothing yet.
    Nothing,
    /// All are.
    End,
}

impl Run {
    /// Begins to analyse.
    ///
    /// # Errors
    /// When the dataset cannot be written.
    pub fn begin(plan: Plan, dataset: Layout, options: Options) -> Result<Self> {
        let tasks = &plan.tasks;
        let compacted: HashSet<&str> =
            tasks.iter().map(|task| task.capture.as_str()).filter(|key| plan.compacted.contains(*key)).collect();
        let mut large = plan.large;
        if !compacted.is_empty() {
            let alone = dataset.alone()?;
            check_large(&large, &dataset)?;
            compact::forget(&dataset, &alone, &compacted)?;
            large = compact::large_files(&dataset)?;
        }
        let together = dataset.together()?;
        check_large(&large, &dataset)?;
        let work = dataset.begin()?;
        dataset.prepare(&options.tables, &options.labels, &work)?;
        let jobs = options.jobs.max(1).min(tasks.len());
        let queue = Mutex::new(Queue { waiting: plan.tasks.into(), running: 0, memory: 0 });
        let (stop, changed) = (AtomicBool::new(false), Condvar::new());
        let shared = Arc::new(Shared { options, dataset, work, _together: together, stop, queue, changed });
        let (sender, outcomes) = channel();
        let threads = (0..jobs).map(|_| {
            let (shared, sender) = (Arc::clone(&shared), sender.clone());
            let started = thread::Builder::new().name("analyze".to_string()).spawn(move || shared.work_off(&sender));
            started.map_err(|error| Error::Failed(format!("cannot start a thread: {error}")))
        });
        let threads = threads.collect::<Result<_>>()?;
        Ok(Run { shared, threads, outcomes })
    }

    /// What comes next; waits a little for it.
    ///
    /// # Errors
    /// When the dataset cannot be written: the run ends.
    pub fn wait(&mut self) -> Result<Next> {
        match self.outcomes.recv_timeout(Duration::from_millis(100)) {
            Ok(Ok(outcome)) => Ok(Next::Done(Box::new(outcome))),
            Ok(Err(error)) => {
                self.stop();
                Err(error)
            }
            Err(RecvTimeoutError::Timeout) => Ok(Next::Nothing),
            Err(RecvTimeoutError::Disconnected) => Ok(Next::End),
        }
    }

    /// Ends the run: what is under way is not finished.
    pub fn stop(&self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// One thread: a capture after the other.
    fn work_off(&self, sender: &Sender<Result<Outcome>>) {
        let mut own = match self.own() {
            Ok(own) => own,
            Err(error) => {
                let _ = sender.send(Err(error));
                return;
            }
        };
        while let Some((task, memory)) = self.take() {
            let outcome = self.analyse(&task, &mut own).transpose();
            let mut queue = self.queue();
            queue.running = queue.running.saturating_sub(1);
            queue.memory = queue.memory.saturating_sub(memory);
            drop(queue);
            self.changed.notify_all();
            if let Some(outcome) = outcome
                && sender.send(outcome).is_err()
            {
                return;
            }
        }
    }

    fn own(&self) -> Result<Own> {
        let options = &self.options;
        let setup = Setup::new(&self.dataset, self.work.folder(), &options.tables, &options.paths);
        let setup = setup.dissected_by(options.dissector, &options.tshark).within(options.memory);
        let told = serde_json::to_vec(&setup).unwrap_or_default();
        Ok(Own { worker: Worker::new(setup)?, setup: told, server: None })
    }

    /// The next capture for which there is memory, and how much it is expected to take. The largest comes first, where it
    /// does not fit the smallest.
    fn take(&self) -> Option<(Task, u64)> {
        let mut queue = self.queue();
        loop {
            if self.stopped() || queue.waiting.is_empty() {
                return None;
            }
            let fits = |task: &Task| queue.memory.saturating_add(estimate(task)) <= self.options.memory_of_all;
            let alone = queue.running == 0;
            let task = if queue.waiting.front().is_some_and(|first| alone || fits(first)) {
                queue.waiting.pop_front()
            } else if queue.waiting.back().is_some_and(fits) {
                queue.waiting.pop_back()
            } else {
                None
            };
            if let Some(task) = task {
                let memory = estimate(&task);
                queue.running += 1;
                queue.memory = queue.memory.saturating_add(memory);
                return Some((task, memory));
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// What became of a capture; `None` when the run was stopped.
    fn analyse(&self, task: &Task, own: &mut Own) -> Result<Option<Outcome>> {
        let begun = Instant::now();
        let Some(program) = process::program() else {
            let answer = contain(|| own.worker.work(task));
            let sentence = || "internal error; please report it".to_string();
            let answer = answer.unwrap_or_else(|| own.worker.fail(task, Status::Crashed, sentence()));
            return Ok(Some(Outcome::of(task, answer?, begun.elapsed())));
        };
        let failed = |error| Error::Failed(format!("cannot start a process for captures: {error}"));
        loop {
            let used = own.server.take().and_then(|mut server| server.lives().then_some(server));
            let others_before = used.is_some();
            let server = used.map_or_else(|| Server::start(program, worker::ARGUMENT, &own.setup), Ok);
            let answer = match self.ask(server.map_err(failed)?, task, own)? {
                None => return Ok(None),
                // What others left in a process is not the trouble of this one: again, in a process of its own.
                Some(Said::Answer(Answer { status, .. }) | Said::Trouble(status, _))
                    if others_before && matches!(status, Status::Memory | Status::Crashed) =>
                {
                    own.server = None;
                    continue;
                }
                Some(Said::Answer(answer)) => answer,
                Some(Said::Trouble(status, sentence)) => own.worker.fail(task, status, sentence)?,
            };
            return Ok(Some(Outcome::of(task, answer, begun.elapsed())));
        }
    }

    /// What a process says of a capture; `None` when the run was stopped. A process that goes on is kept.
    fn ask(&self, mut server: Server, task: &Task, own: &mut Own) -> Result<Option<Said>> {
        let options = &self.options;
        let request = serde_json::to_vec(task).unwrap_or_default();
        let end = server.ask(&request, options.timeout, &self.stop);
        let silent = || Said::Trouble(Status::Crashed, "the analysis gave no answer".to_string());
        Ok(Some(match end.map_err(|error| Error::Failed(format!("cannot ask a process: {error}")))? {
            End::Stopped => return Ok(None),
            End::Answered(line) => match serde_json::from_slice::<Answer>(&line) {
                Ok(answer) => {
                    own.server = (!answer.last).then_some(server);
                    Said::Answer(answer)
                }
                Err(_) => silent(),
            },
            End::TimedOut => {
                let seconds = options.timeout.unwrap_or_default().as_secs_f64();
                Said::Trouble(Status::Timeout, format!("not done within {seconds} s; raise --timeout"))
            }
            End::Gone(status, _) if self.stopped() || process::was_ended(status) => {
                self.stop.store(true, Ordering::Relaxed);
                return Err(Error::Interrupted);
            }
            End::Gone(status, _) if status.success() => silent(),
            End::Gone(status, said) => {
                let (status, sentence) = trouble(status, &said, options.memory)?;
                Said::Trouble(status, sentence)
            }
        }))
    }
}

/// What a thread of a run has for itself.
struct Own {
    worker: Worker,
    /// What a process is told first.
    setup: Vec<u8>,
    /// The process that did the last capture.
    server: Option<Server>,
}

/// What a process said of a capture.
enum Said {
    Answer(Answer),
    /// What happened instead, and a sentence about it.
    Trouble(Status, String),
}

/// Memory that a capture is expected to take, in bytes: most packets are small, and compressed ones are some five times
/// as large.
fn estimate(task: &Task) -> u64 {
    let compressed = [".gz", ".zst", ".lz4"].iter().any(|ending| task.name.ends_with(ending));
    task.size.unwrap_or(0).saturating_mul(if compressed { 10 } else { 2 })
}

/// Why a process ended without an answer.
///
/// # Errors
/// What is wrong with the dataset and not with the capture: the run cannot go on.
fn trouble(status: ExitStatus, said: &str, memory: u64) -> Result<(Status, String)> {
    const MEMORY: [&str; 3] = ["memory allocation", "out of memory", "capacity overflow"];
    if MEMORY.iter().any(|sign| said.contains(sign)) {
        let sentence = format!("needs more than {} of memory; raise --memory", units::bytes(memory));
        return Ok((Status::Memory, sentence));
    }
    match (status.code(), status.signal()) {
        // It says so itself when it cannot write.
        (Some(1), _) => Err(Error::Failed(said.lines().next().unwrap_or("the analysis failed").to_string())),
        (_, Some(9)) => Ok((Status::Crashed, "killed by signal 9, often by the system for lack of memory".to_string())),
        (_, Some(signal)) => Ok((Status::Crashed, format!("ended by signal {signal}; please report it"))),
        (code, None) => {
            let last = said.lines().next_back().unwrap_or_default();
            let code = code.map_or_else(String::new, |code| format!(" with exit code {code}"));
            Ok((Status::Crashed, format!("ended{code}: {last}")))
        }
    }
}
