//! Errors as the user sees them: one sentence that says what is wrong and what to do.
//!
//! Rooms that can fail in many ways of their own have a small error type beside their code
//! ([`crate::config::ConfigError`], [`crate::packets::LoadError`]); [`Error`] gathers them for the shell.

use std::io;
use std::path::{Path, PathBuf};

use mptcp_trace::interrupt::Interrupted;
use mptcp_trace::packets::capture_file::CaptureFileError;
use mptcp_trace::{Numbered, ReadError};

use crate::config::ConfigError;
use crate::packets::LoadError;

/// A command, or the program itself, could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The words typed do not fit the command: unknown command, option or value. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// The words typed do not fit the arguments of the command. Exit code 2.
    #[error("{sentence}")]
    Arguments {
        /// What is wrong, and where help is.
        sentence: String,
        /// How the command is used: `rtt [OPTIONS] <MPTCPSTREAM>`; shown in a line of its own.
        usage: String,
    },
    /// The configuration file cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A capture could not be turned into packets.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A command needs a capture and none is loaded.
    #[error("no capture is loaded; use `load_pcap FILE` first, or start with `--load FILE`")]
    NothingLoaded,
    /// The requested thing is not in the loaded capture: a stream, a connection, a column.
    #[error("{0}")]
    NotFound(String),
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// The attempted action, a verb: "write", "read", "create".
        action: &'static str,
        /// The file it was tried on.
        path: PathBuf,
        /// Answer of the system.
        source: io::Error,
    },
    /// The reader of our standard output went away (`| head`): no failure, the program ends quietly.
    #[error("the output was closed by its reader")]
    OutputClosed,
    /// Ctrl-C while a command worked.
    #[error("interrupted")]
    Interrupted,
    /// The data frame library refused an operation; names the operation.
    #[error("cannot {action}: {source}")]
    Table {
        /// The attempted action, a verb phrase.
        action: &'static str,
        /// Answer of polars.
        source: polars::error::PolarsError,
    },
    /// Some of the work could not be done, and the rest was. Exit code 3.
    #[error("{0}")]
    InPart(String),
    /// Anything else, already a sentence.
    #[error("{0}")]
    Failed(String),
}

impl Error {
    /// The exit code that a process ends with: 2 for wrong usage, 3 for work that was done in part, 1 for a
    /// command that failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Usage(_) | Error::Arguments { .. } => 2,
            Error::OutputClosed => 0,
            Error::InPart(_) => 3,
            _ => 1,
        }
    }

    /// Wraps an input/output error on `path`; a closed pipe becomes [`Error::OutputClosed`], Ctrl-C while
    /// it was waited for [`Error::Interrupted`].
    pub fn file(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe {
            return Error::OutputClosed;
        }
        if source.get_ref().is_some_and(|inner| inner.is::<Interrupted>()) {
            return Error::Interrupted;
        }
        let path = path.into();
        let source = match action {
            "write" | "create" => with_advice(&path, source),
            "read" if source.kind() == io::ErrorKind::NotFound => {
                io::Error::new(source.kind(), "no such file; check the path")
            }
            "read" if source.kind() == io::ErrorKind::PermissionDenied => {
                io::Error::new(source.kind(), "permission denied; check who may read it (`ls -l`)")
            }
            _ => source,
        };
        Error::File { action, path, source }
    }
}

/// What the system said of a file that cannot be written, with what to do where that is known.
fn with_advice(path: &Path, source: io::Error) -> io::Error {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let kind = source.kind();
    let sentence = match (kind, folder) {
        (io::ErrorKind::NotFound, Some(folder)) if !folder.exists() => {
            let folder = folder.display();
            format!("the folder {folder} does not exist; create it first, or name a file elsewhere")
        }
        (io::ErrorKind::PermissionDenied, _) => "permission denied; name a file where you may write".to_string(),
        _ => return source,
    };
    io::Error::new(kind, sentence)
}

impl From<Interrupted> for Error {
    fn from(_: Interrupted) -> Self {
        Error::Interrupted
    }
}

impl From<CaptureFileError> for Error {
    fn from(error: CaptureFileError) -> Self {
        match error {
            CaptureFileError::File { action, path, source } => Error::file(action, path, source),
            CaptureFileError::Interrupted => Error::Interrupted,
            CaptureFileError::Unsupported(_) => Error::Failed(format!("{error}; convert it first with `editcap`")),
            other => Error::Failed(other.to_string()),
        }
    }
}

/// With what to type to see what there is.
impl From<mptcp_trace::Error> for Error {
    fn from(error: mptcp_trace::Error) -> Self {
        use mptcp_trace::Error as Asked;
        Error::NotFound(match &error {
            Asked::Interrupted | Asked::Read(ReadError::Interrupted) => return Error::Interrupted,
            Asked::Absent { count: 0, .. } => format!("{error}; `diagnose` says why"),
            Asked::Absent { what, count: 2.., .. } => format!("{error}, see `{}`", list_of(*what)),
            Asked::NoInterface { .. } => format!("{error}, see `list_interfaces`"),
            Asked::OnePlace(_) => format!("{error}; name the capture without `@`"),
            Asked::Undecided { what, number, first, second, .. } => {
                let command = match what {
                    Numbered::TcpStream => "map_tcp_connection",
                    Numbered::MptcpConnection => "map_mptcp_connection",
                };
                let (first, second) = (first.display(), second.display());
                format!("{error}; compare them with `{command} {first} {second} {number} --verbose`")
            }
            Asked::Read(_) | Asked::Absent { .. } | Asked::PartOf { .. } | Asked::NoCounterpart { .. } => {
                error.to_string()
            }
        })
    }
}

fn list_of(what: Numbered) -> &'static str {
    match what {
        Numbered::TcpStream => "list_tcp_connections",
        Numbered::MptcpConnection => "list_mptcp_connections",
    }
}

/// Shorthand used by everything that reports to the shell.
pub type Result<T, E = Error> = std::result::Result<T, E>;
