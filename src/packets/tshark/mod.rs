//! Dissection by tshark: one pass, raw fields only, tab-separated text read by polars with the schema's types.
//!
//! tshark is run without name resolution and with an empty private configuration directory, so that a person's
//! preferences, profiles and Lua scripts change nothing. Its own TCP and MPTCP analyses stay off: they are work that
//! [`mptcp_trace::tracking`] does in linear time, and for `mptcp.*` they are wrong in places.

mod fields;
#[doc(hidden)] // The fuzz target reads texts that no tshark would print.
pub mod options;
mod payload;
pub mod probe;
mod rows;
mod run;

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Dissected, LoadError};
pub use payload::payloads;
pub use probe::{Tshark, probe};

/// The oldest tshark whose MPTCP fields are the ones that this program reads.
pub const OLDEST: (u32, u32) = (3, 6);

/// tshark cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TsharkError {
    /// There is no such program.
    #[error(
        "tshark not found as `{}`; install it with `apt-get install tshark`, or set `tshark` in the configuration",
        .0.display()
    )]
    NotFound(PathBuf),
    /// It cannot be started.
    #[error("cannot start {}: {source}; check the `tshark` key of the configuration", binary.display())]
    NotStarted {
        /// The program.
        binary: PathBuf,
        /// Answer of the system.
        source: std::io::Error,
    },
    /// Its answer to `--version` is not tshark's.
    #[error("{} is not tshark{said}; set `tshark` in the configuration to the path of tshark", binary.display())]
    NotTshark {
        /// The program.
        binary: PathBuf,
        /// Its standard error, in parentheses, or empty.
        said: String,
    },
    /// Too old.
    #[error(
        "tshark {version} is too old; install version {}.{} or newer with `apt-get install tshark`",
        OLDEST.0, OLDEST.1
    )]
    TooOld {
        /// Its version.
        version: String,
    },
    /// An extra field of the configuration does not exist.
    #[error("tshark {version} has no field `{field}`{hint}; correct `extra_fields` in the configuration")]
    UnknownField {
        /// Its version.
        version: String,
        /// The field asked for.
        field: String,
        /// The nearest existing name, as a phrase, or empty.
        hint: String,
    },
    /// It ended with an error.
    #[error("tshark failed on {}: {message}", path.display())]
    Failed {
        /// The capture.
        path: PathBuf,
        /// The last thing it said.
        message: String,
    },
    /// It was ended by a signal.
    #[error("tshark was killed by signal {signal} while reading {}; free some memory or cut the capture with editcap", path.display())]
    Killed {
        /// The capture.
        path: PathBuf,
        /// The signal's number.
        signal: i32,
    },
    /// Its output is not what was asked for.
    #[error("cannot read tshark's output for {}: {message}; run again with `--no-cache`", path.display())]
    Garbled {
        /// The capture.
        path: PathBuf,
        /// The mismatch.
        message: String,
    },
}

/// Input of a dissection by tshark, besides the capture.
#[derive(Debug, Clone, Copy)]
pub struct TsharkRequest<'a> {
    /// Wireshark profile; none means an empty private configuration.
    pub profile: Option<&'a str>,
    /// Further fields, each a text column.
    pub extra_fields: &'a [String],
    /// Frames in the file, when known: for the progress bar.
    pub expected_frames: Option<u64>,
    /// Show progress on standard error.
    pub progress: bool,
}

/// The command that [`dissect`] runs, with its empty configuration in the directory `private`: what a benchmark
/// compares with, and what a person can run by hand.
///
/// # Errors
/// When an extra field does not exist.
pub fn command_line(
    tshark: &Tshark,
    path: &Path,
    request: &TsharkRequest<'_>,
    private: &Path,
) -> Result<Command, TsharkError> {
    let wanted = fields::wanted(tshark, request.extra_fields)?;
    Ok(run::command(tshark, path, &wanted, request, private))
}

/// Dissects `path` with `tshark`.
///
/// # Errors
/// [`LoadError`], one sentence each.
pub fn dissect(tshark: &Tshark, path: &Path, request: &TsharkRequest<'_>) -> Result<Dissected, LoadError> {
    let wanted = fields::wanted(tshark, request.extra_fields)?;
    let mut rows = rows::Rows::new(&wanted, path);
    let complaints = run::run(tshark, path, &wanted, request, |lines| rows.push(lines))?;
    let mut dissected = rows.finish();
    let facts = &mut dissected.dissection.facts;
    facts.dissector = tshark.name();
    let mut warnings = wanted.warnings(tshark);
    warnings.extend(complaints);
    warnings.append(&mut facts.warnings);
    facts.warnings = warnings;
    Ok(dissected)
}
