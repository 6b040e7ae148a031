//! Frames as they come.

use std::io::{self, ErrorKind, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::child::Capturing;
use super::copy::{CopyFile, Copying};
use super::program::{self, Program};
use super::{LiveError, PacketSource, Wanted};
use crate::packets::{CaptureFacts, LoadError};
use mptcp_trace::ReadError;
use mptcp_trace::capture_format::CaptureFormat;
use mptcp_trace::packets::Builder;
use mptcp_trace::packets::capture_file::{CaptureFileError, Cause, Framing, Input};
use mptcp_trace::packets::native::Failure;
use mptcp_trace::packets::native::{Walk, Walked};
use mptcp_trace::reading;

/// A capture that grows.
pub struct Incoming {
    wanted: Wanted,
    /// Its name in sentences.
    name: String,
    state: State,
    capturing: Option<(Program, Capturing)>,
    /// Programs that were tried.
    tried: usize,
    copy: Option<CopyFile>,
    /// This program ended it: that the last record is not whole is then no news.
    stopped: bool,
}

enum State {
    /// Nothing that tells the format has come.
    Opening(Option<Input>),
    /// Its frames come.
    Walking(Box<Walk>),
}

/// Message at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Facts besides the packets.
    pub facts: CaptureFacts,
    /// The capturing program.
    pub program: Option<String>,
    /// Packets that the kernel dropped, where the program said.
    pub dropped: Option<u64>,
    /// Error message of the program, if it failed.
    pub complaint: Option<String>,
    /// Why the copy is not whole, a sentence.
    pub copy_failed: Option<String>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Incoming").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Incoming {
    /// Begins to capture as `wanted`. What comes is written to the file `copy` as well, which is replaced only if
    /// `force`.
    ///
    /// # Errors
    /// [`LiveError`].
    pub fn open(wanted: &Wanted, copy: Option<(&Path, bool)>) -> Result<Self, LiveError> {
        let name = match &wanted.source {
            PacketSource::StandardInput => "standard input".to_string(),
            PacketSource::Path(path) => path.display().to_string(),
            PacketSource::Interface(interface) => interface.clone(),
        };
        let mut incoming = Incoming {
            wanted: wanted.clone(),
            name,
            state: State::Opening(None),
            capturing: None,
            tried: 0,
            copy: copy.map(|(path, force)| CopyFile::create(path, force)).transpose()?,
            stopped: false,
        };
        incoming.begin()?;
        Ok(incoming)
    }

    /// Opens the source, or starts the next program that may capture from it.
    fn begin(&mut self) -> Result<(), LiveError> {
        let source: Box<dyn Read + Send> = match &self.wanted.source {
            PacketSource::StandardInput if io::stdin().is_terminal() => return Err(LiveError::Terminal),
            PacketSource::StandardInput => Box::new(io::stdin()),
            PacketSource::Path(path) => Box::new(Later::of(path)?),
            PacketSource::Interface(interface) => {
                let started = program::start(&self.wanted, interface, self.tried)?;
                self.tried = started.tried;
                self.capturing = Some((started.program, started.capturing));
                Box::new(started.output)
            }
        };
        let source = match &self.copy {
            Some(copy) => Box::new(Copying::of(source, copy)),
            None => source,
        };
        self.state = State::Opening(Some(Input::growing(source)));
        Ok(())
    }

    /// Name of the source, for sentences.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the program that captures, if one was started.
    #[must_use]
    pub fn program(&self) -> Option<String> {
        self.capturing.as_ref().map(|(program, _)| program.name())
    }

    /// Takes the next frame, for which it waits until `deadline`; a TCP packet is put at the end of `builder`.
    ///
    /// # Errors
    /// [`LiveError`]; [`LiveError::Interrupted`] on Ctrl-C, after which it can be called again.
    #[inline]
    pub fn step(&mut self, builder: &mut Builder, deadline: Instant) -> Result<Walked, LiveError> {
        if let State::Opening(input) = &mut self.state {
            let Some(waiting) = input else { return Ok(Walked::End) };
            match waiting.has_begun(Some(deadline)) {
                Ok(false) => return Ok(Walked::NothingYet),
                Ok(true) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => return Err(LiveError::Interrupted),
                Err(source) => return Err(LoadError::Unreadable { path: self.path(), source }.into()),
            }
            let Some(begun) = input.take() else { return Ok(Walked::End) };
            if begun.start().is_empty() && self.stopped {
                return Ok(Walked::End);
            }
            if begun.start().is_empty() {
                let refused = self.nothing_came();
                if !self.another_may(&refused) {
                    return Err(refused);
                }
                self.begin()?;
                return Ok(Walked::NothingYet);
            }
            let walk = self.walk(begun)?;
            self.state = State::Walking(Box::new(walk));
        }
        let State::Walking(walk) = &mut self.state else { return Ok(Walked::End) };
        walk.wait_until(Some(deadline));
        match walk.step(builder) {
            Ok(Walked::End) if walk.truncation().is_some_and(|truncation| truncation.cause == Cause::FileHeader) => {
                let detail = " (it ends within its header)".to_string();
                Err(LoadError::NotACapture { path: self.path(), detail }.into())
            }
            Ok(step) => Ok(step),
            Err(Failure::Read(ReadError::Interrupted)) => Err(LiveError::Interrupted),
            Err(Failure::Read(error)) => Err(LoadError::from(error).into()),
            Err(Failure::Beyond(beyond)) => {
                Err(LoadError::NotACapture { path: self.path(), detail: format!(" ({beyond})") }.into())
            }
        }
    }

    /// The walk over what has begun to come.
    fn walk(&self, begun: Input) -> Result<Walk, LiveError> {
        if let CaptureFormat::Compressed(_) = CaptureFormat::of(begun.start()) {
            return Err(LiveError::Compressed(self.name.clone()));
        }
        match Framing::of(begun, &self.path()) {
            Ok(framing) => Ok(Walk::of(framing, true)),
            Err(CaptureFileError::Interrupted) => Err(LiveError::Interrupted),
            Err(_) => {
                let detail = " (its format is neither pcap nor pcapng)".to_string();
                Err(LoadError::NotACapture { path: self.path(), detail }.into())
            }
        }
    }

    /// Why not even the header of a capture came.
    fn nothing_came(&mut self) -> LiveError {
        let Some((program, capturing)) = &mut self.capturing else {
            return LoadError::Empty(self.path()).into();
        };
        let status = capturing.wait();
        let complaint = program::complaint(&capturing.said());
        let advice = program::advice(&complaint);
        let said = match (complaint.is_empty(), status) {
            (false, _) => format!("\"{complaint}\""),
            (true, Some(status)) => format!("it ended with {status}"),
            (true, None) => "it ended".to_string(),
        };
        LiveError::Refused { program: program.name(), interface: self.name.clone(), said, advice }
    }

    /// Whether another program may succeed: often only one of them has the permission.
    fn another_may(&self, refused: &LiveError) -> bool {
        let choice = self.wanted.program.is_none() && self.tried < program::KNOWN.len();
        let forbidden = matches!(refused, LiveError::Refused { said, .. } if program::is_forbidden(said));
        choice && forbidden && program::is_there(program::KNOWN.get(self.tried..).unwrap_or(&[]))
    }

    fn path(&self) -> PathBuf {
        PathBuf::from(&self.name)
    }

    /// Asks for the end: what was captured until now still comes.
    pub fn stop(&mut self) {
        self.stopped = true;
        if let Some((_, capturing)) = &mut self.capturing {
            capturing.ask_to_end();
        }
    }

    /// Whether something more comes by itself once [`Incoming::stop`] was called: from a program that ends.
    #[must_use]
    pub fn drains(&self) -> bool {
        self.capturing.is_some()
    }

    /// Ends the program that captures, and tells what is to be said.
    #[must_use]
    pub fn close(&mut self) -> Closing {
        let facts = match &self.state {
            State::Opening(_) => CaptureFacts::default(),
            State::Walking(walk) => walk.facts(walk.truncation().filter(|_| !self.stopped)),
        };
        // Nobody reads any more: a program that still writes finds its pipe closed.
        self.state = State::Opening(None);
        let (mut dropped, mut complaint) = (None, None);
        if let Some((_, capturing)) = &mut self.capturing {
            let failed = capturing.wait().is_some_and(|status| !status.success());
            let said = capturing.said();
            dropped = program::dropped(&said);
            complaint = Some(program::complaint(&said)).filter(|_| failed && !self.stopped);
        }
        let copy_failed = self.copy.as_ref().and_then(CopyFile::close);
        Closing { facts, program: self.program(), dropped, complaint, copy_failed }
    }
}

/// A named pipe or a file, opened when it is first read: opening a pipe waits for a writer.
struct Later {
    path: PathBuf,
    file: Option<reading::OpenFile>,
}

impl Later {
    fn of(path: &Path) -> Result<Self, LiveError> {
        match std::fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(LoadError::Directory(path.to_path_buf()).into()),
            Ok(_) => Ok(Later { path: path.to_path_buf(), file: None }),
            Err(error) if error.kind() == ErrorKind::NotFound => Err(LoadError::Missing(path.to_path_buf()).into()),
            Err(source) => Err(LoadError::Unreadable { path: path.to_path_buf(), source }.into()),
        }
    }
}

impl Read for Later {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(reading::open(&self.path)?),
        };
        file.read(room)
    }
}
