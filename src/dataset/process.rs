//! Starting the process that analyses a capture, and waiting for its answer.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::children;

/// Interval of checks for the end of the run and of the time.
const PULSE: u16 = 100;

/// How long a process may take to end what it has started, once it is asked to.
const GRACE: Duration = Duration::from_secs(2);

/// The longest message that is kept, in bytes.
const LONGEST: u64 = 1 << 14;

/// The program that serves as such a process; without one, captures are analyzed in this process.
static PROGRAM: OnceLock<PathBuf> = OnceLock::new();

/// Has captures analyzed by processes of `program`.
pub fn use_program(program: PathBuf) {
    let _ = PROGRAM.set(program);
}

/// The program, if there is one.
pub fn program() -> Option<&'static Path> {
    PROGRAM.get().map(PathBuf::as_path)
}

/// End of a process.
#[derive(Debug)]
pub enum End {
    /// It answered.
    Answered(Vec<u8>),
    /// It ended without an answer, and said this.
    Gone(ExitStatus, String),
    /// It was ended, because it took too long.
    TimedOut,
    /// It was ended, because the run is.
    Stopped,
}

/// Starts `program` with `argument`, gives it `request` and waits for what it answers.
///
/// # Errors
/// When it cannot be started.
pub fn ask(
    program: &Path,
    argument: &str,
    request: &[u8],
    timeout: Option<Duration>,
    stop: &AtomicBool,
) -> io::Result<End> {
    let mut said = tempfile::tempfile()?;
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said.try_clone()?);
    // Many processes at once are what uses the processors, and the order of rows is that of one thread.
    command.env("POLARS_MAX_THREADS", "1").process_group(0);
    let (mut child, _beside) = children::start_beside(&mut command)?;
    if let Some(mut input) = child.stdin.take() {
        // One that is gone is seen below.
        let _ = input.write_all(request);
    }
    let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut answer = Vec::new();
    let ended_by = listen(&mut child, until, stop, &mut answer)?;
    if let Some(end) = ended_by {
        end_group(&mut child);
        return Ok(end);
    }
    let status = child.wait()?;
    if status.success() {
        return Ok(End::Answered(answer));
    }
    Ok(End::Gone(status, message(&mut said)))
}

/// Reads the answer to its end; or says why it was not waited for.
fn listen(
    child: &mut Child,
    until: Option<Instant>,
    stop: &AtomicBool,
    answer: &mut Vec<u8>,
) -> io::Result<Option<End>> {
    let Some(mut output) = child.stdout.take() else { return Ok(None) };
    let mut buffer = [0; 4096];
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(Some(End::Stopped));
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Ok(Some(End::TimedOut));
        }
        let ready = poll(&mut [PollFd::new(output.as_fd(), PollFlags::POLLIN)], PollTimeout::from(PULSE));
        match ready {
            Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match output.read(&mut buffer)? {
            0 => return Ok(None),
            read => answer.extend(buffer.get(..read).unwrap_or_default()),
        }
    }
}

/// Ends a process with what it has started.
fn end_group(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().map(Pid::from_raw);
    let signal = |signal| group.map(|group| killpg(group, signal));
    // It ends its own children first.
    let _ = signal(Signal::SIGTERM);
    let until = Instant::now().checked_add(GRACE);
    while until.is_some_and(|until| Instant::now() < until) {
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = signal(Signal::SIGKILL);
    let _ = child.wait();
}

fn message(said: &mut File) -> String {
    let mut text = Vec::new();
    let _ = said.rewind().and_then(|()| said.take(LONGEST).read_to_end(&mut text));
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether somebody ended the process on purpose, as they may end the whole run.
pub fn was_ended(status: ExitStatus) -> bool {
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].map(|signal| signal as i32);
    let by_signal = status.signal().is_some_and(|signal| signals.contains(&signal));
    // Its own end after such a signal.
    by_signal || status.code().is_some_and(|code| signals.iter().any(|signal| code == 128 + signal))
}
