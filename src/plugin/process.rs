//! A plugin's process: started without any shell, in a process group of its own that ends with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crate::children::{self, Descendants};

/// A greeting is no longer, in bytes.
const LONGEST_GREETING: u64 = 1 << 16;
/// Largest answer of a plugin, in bytes.
pub const LONGEST_ANSWER: u64 = 64 << 20;
/// Kept length of its standard error, in bytes.
const KEPT_OF_STDERR: u64 = 1 << 14;

/// Something that a plugin did.
#[derive(Debug)]
pub enum Event {
    /// Its first line on standard output, without the line's end; `None` when there was none.
    Greeting(Option<Vec<u8>>),
    /// All that followed, up to the end.
    Answer(Vec<u8>),
    /// More than [`LONGEST_ANSWER`].
    Flood,
    /// The start of its standard error, and how many bytes came after it.
    Said(Vec<u8>, u64),
}

/// A plugin that was started. When dropped, it and all that it started are ended.
#[derive(Debug)]
pub struct Running {
    child: Child,
    descendants: Descendants,
    /// Known once it has ended and was waited for.
    status: Option<ExitStatus>,
    input: Option<ChildStdin>,
}

impl Running {
    /// Starts `executable` in `directory`; what it says comes as events.
    ///
    /// # Errors
    /// When the system cannot start it.
    pub fn start(
        executable: &Path,
        directory: &Path,
        variables: &[(String, String)],
    ) -> std::io::Result<(Self, Receiver<Event>)> {
        let mut command = Command::new(executable);
        command.current_dir(directory).envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Ctrl-C at the terminal reaches this program alone, which then ends the plugin with all that it started.
        let (mut child, descendants) = children::start(&mut command)?;
        let (events, received) = channel();
        let (output, errors, input) = (child.stdout.take(), child.stderr.take(), child.stdin.take());
        let running = Running { child, descendants, status: None, input };
        if let (Some(output), Some(errors)) = (output, errors) {
            let also = events.clone();
            // Threads that wait for a process that escaped its group end with it; nobody waits for them.
            thread::Builder::new().spawn(move || read_output(output, &events))?;
            thread::Builder::new().spawn(move || read_errors(errors, &also))?;
        }
        Ok((running, received))
    }

    /// Hands `line` over while the plugin works; `last` closes its standard input after it. That the plugin does not
    /// read it is not a failure: its answer tells.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn tell(&mut self, line: Vec<u8>, last: bool) -> std::io::Result<()> {
        let Some(mut input) = self.input.take() else { return Ok(()) };
        if !last {
            // Short lines fit into the pipe, whether or not anybody reads.
            let _ = input.write_all(&line).and_then(|()| input.flush());
            self.input = Some(input);
            return Ok(());
        }
        thread::Builder::new().spawn(move || input.write_all(&line)).map(drop)
    }

    /// Its end, if any.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.status.is_none() {
            self.status = self.child.try_wait().ok().flatten();
        }
        self.status
    }

    /// Ends it and all that it started.
    pub fn kill(&mut self) {
        self.descendants.end_and_wait(&mut self.child, &mut self.status);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

fn read_output(output: ChildStdout, events: &Sender<Event>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    let read = output.by_ref().take(LONGEST_GREETING).read_until(b'\n', &mut line);
    let greeting = (read.is_ok() && line.last() == Some(&b'\n')).then(|| line.trim_ascii_end().to_vec());
    let greeted = greeting.is_some();
    // A first line without its end is kept for the sentence that quotes it.
    let greeting = greeting.or_else(|| (!line.is_empty()).then_some(line));
    if events.send(Event::Greeting(greeting)).is_err() || !greeted {
        return;
    }
    let mut answer = Vec::new();
    let read = output.take(LONGEST_ANSWER.saturating_add(1)).read_to_end(&mut answer);
    let flood = read.is_ok_and(|bytes| u64::try_from(bytes).is_ok_and(|bytes| bytes > LONGEST_ANSWER));
    let _ = events.send(if flood { Event::Flood } else { Event::Answer(answer) });
}

fn read_errors(errors: ChildStderr, events: &Sender<Event>) {
    let mut errors = BufReader::new(errors);
    let mut kept = Vec::new();
    let _ = errors.by_ref().take(KEPT_OF_STDERR).read_to_end(&mut kept);
    // Read on, or the plugin would wait for ever.
    let more = std::io::copy(&mut errors, &mut std::io::sink()).unwrap_or(0);
    let _ = events.send(Event::Said(kept, more));
}
