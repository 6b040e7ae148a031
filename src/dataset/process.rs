//! A process that analyses captures: starting it, asking it, and ending it.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::children::{self, Beside};

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

/// A process that works on one request after the other. It ends with this value.
#[derive(Debug)]
pub struct Server {
    child: Child,
    input: Option<ChildStdin>,
    output: ChildStdout,
    /// What it says besides answers.
    said: File,
    _beside: Beside,
}

impl Server {
    /// Starts `program` with `argument`; `setup` is the first line that it gets.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(program: &Path, argument: &str, setup: &[u8]) -> io::Result<Self> {
        let said = tempfile::tempfile()?;
        let mut command = Command::new(program);
        command.arg(argument).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said.try_clone()?);
        // Many processes at once are what uses the processors, and the order of rows is that of one thread.
        command.env("POLARS_MAX_THREADS", "1").process_group(0);
        let (mut child, beside) = children::start_beside(&mut command)?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let output = output.ok_or_else(|| io::Error::other("it has no output"))?;
        let mut server = Server { child, input, output, said, _beside: beside };
        server.tell(setup);
        Ok(server)
    }

    /// Whether it has not ended.
    pub fn lives(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Gives it a request and waits for the line that it answers. After anything but an answer it is gone.
    ///
    /// # Errors
    /// When it cannot be listened to.
    pub fn ask(&mut self, request: &[u8], timeout: Option<Duration>, stop: &AtomicBool) -> io::Result<End> {
        let said_before = self.said.metadata()?.len();
        self.tell(request);
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut answer = Vec::new();
        if let Some(end) = self.listen(until, stop, &mut answer)? {
            end_group(&mut self.child);
            return Ok(end);
        }
        if answer.pop() == Some(b'\n') {
            return Ok(End::Answered(answer));
        }
        let status = self.child.wait()?;
        Ok(End::Gone(status, message(&mut self.said, said_before)))
    }

    fn tell(&mut self, line: &[u8]) {
        if let Some(input) = &mut self.input {
            // That it is gone is seen when it is listened to.
            let _ = input.write_all(line).and_then(|()| input.write_all(b"\n"));
        }
    }

    /// Reads the answer to the end of its line, or to the end of the process; or says why it was not waited for.
    fn listen(&mut self, until: Option<Instant>, stop: &AtomicBool, answer: &mut Vec<u8>) -> io::Result<Option<End>> {
        let mut buffer = [0; 4096];
        while answer.last() != Some(&b'\n') {
            if stop.load(Ordering::Relaxed) {
                return Ok(Some(End::Stopped));
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                return Ok(Some(End::TimedOut));
            }
            let ready = poll(&mut [PollFd::new(self.output.as_fd(), PollFlags::POLLIN)], PollTimeout::from(PULSE));
            match ready {
                Ok(0) | Err(nix::errno::Errno::EINTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            match self.output.read(&mut buffer)? {
                0 => return Ok(None),
                read => answer.extend(buffer.get(..read).unwrap_or_default()),
            }
        }
        Ok(None)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The end of its requests is its own.
        self.input = None;
        if !wait(&mut self.child, GRACE) {
            end_group(&mut self.child);
        }
    }
}

/// Waits for the end of a process; false where it has not come in this time.
fn wait(child: &mut Child, time: Duration) -> bool {
    let until = Instant::now().checked_add(time);
    while until.is_some_and(|until| Instant::now() < until) {
        if !matches!(child.try_wait(), Ok(None)) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    false
}

/// Ends a process with what it has started.
fn end_group(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().map(Pid::from_raw);
    let signal = |signal| group.map(|group| killpg(group, signal));
    // It ends its own children first.
    let _ = signal(Signal::SIGTERM);
    if !wait(child, GRACE) {
        let _ = signal(Signal::SIGKILL);
        let _ = child.wait();
    }
}

/// What a process that is gone said behind this place.
fn message(said: &mut File, behind: u64) -> String {
    let mut text = Vec::new();
    let _ = said.seek(SeekFrom::Start(behind)).and_then(|_| said.take(LONGEST).read_to_end(&mut text));
    String::from_utf8_lossy(&text).into_owned()
}

/// Whether somebody ended the process on purpose, as they may end the whole run.
pub fn was_ended(status: ExitStatus) -> bool {
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].map(|signal| signal as i32);
    let by_signal = status.signal().is_some_and(|signal| signals.contains(&signal));
    // Its own end after such a signal.
    by_signal || status.code().is_some_and(|code| signals.iter().any(|signal| code == 128 + signal))
}
