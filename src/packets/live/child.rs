//! The process that captures: in a process group of its own, which ends with it.

use std::io::Read;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::children::{self, Descendants};

/// What is kept of its standard error: the end, bytes.
const KEPT_OF_STDERR: usize = 1 << 13;

/// Time limit to end after the request.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Interval of checks meanwhile.
const PULSE: Duration = Duration::from_millis(10);

/// A process that captures. When dropped, it and all that it started are ended.
#[derive(Debug)]
pub struct Capturing {
    child: Child,
    descendants: Descendants,
    /// Known once it was waited for.
    status: Option<ExitStatus>,
    said: Arc<Mutex<Vec<u8>>>,
    listener: Option<thread::JoinHandle<()>>,
}

impl Capturing {
    /// Starts `command`; what it captures comes from the returned pipe.
    ///
    /// # Errors
    /// When the system cannot start it.
    pub fn start(mut command: Command) -> std::io::Result<(Self, ChildStdout)> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // The terminal's Ctrl-C reaches this program alone, which then ends the other in order.
        let (mut child, descendants) = children::start(command.env("LC_ALL", "C"))?;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let mut capturing = Capturing { child, descendants, status: None, said: Arc::default(), listener: None };
        if let Some(errors) = errors {
            let said = Arc::clone(&capturing.said);
            let listen = thread::Builder::new().name("listener".to_string());
            capturing.listener = Some(listen.spawn(move || listen_to(errors, &said))?);
        }
        output.map(|output| (capturing, output)).ok_or_else(|| std::io::Error::other("it has no standard output"))
    }

    /// Asks it to end, as Ctrl-C does: it hands over what it has, and its counters.
    pub fn ask_to_end(&mut self) {
        if self.status.is_none() {
            self.descendants.ask_to_end();
        }
    }

    /// Waits for its end, for a while, and then ends it; returns how it ended.
    pub fn wait(&mut self) -> Option<ExitStatus> {
        let until = Instant::now() + PATIENCE;
        while self.status.is_none() && Instant::now() < until {
            self.status = self.child.try_wait().ok().flatten();
            if self.status.is_none() {
                thread::sleep(PULSE);
            }
        }
        self.kill();
        // What it said has come, unless something that escaped its group still holds the pipe.
        if let Some(listener) = self.listener.take() {
            let until = Instant::now() + PATIENCE;
            while !listener.is_finished() && Instant::now() < until {
                thread::sleep(PULSE);
            }
        }
        self.status
    }

    /// Ends it and all that it started.
    pub fn kill(&mut self) {
        self.descendants.end_and_wait(&mut self.child, &mut self.status);
    }

    /// The end of what it said on standard error so far.
    #[must_use]
    pub fn said(&self) -> String {
        String::from_utf8_lossy(&self.said.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Drop for Capturing {
    fn drop(&mut self) {
        self.kill();
    }
}

fn listen_to(mut errors: ChildStderr, said: &Mutex<Vec<u8>>) {
    let mut room = [0; 1024];
    while let Ok(count) = errors.read(&mut room) {
        if count == 0 {
            return;
        }
        let mut kept = said.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(room.get(..count).unwrap_or(&[]));
        let surplus = kept.len().saturating_sub(KEPT_OF_STDERR);
        kept.drain(..surplus);
    }
}
