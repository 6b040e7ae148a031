//! Arguments that several commands and plots take, so that they are named and explained once.

pub mod choice;
pub mod duration;
pub mod two_captures;

use crate::packets::LoadedCapture;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Arg, ArgAction, ArgMatches, ValueHint, value_parser};

use crate::error::{Error, Result};
use crate::whole_file::Force;
use mptcp_trace::tracking::Role;
use mptcp_trace::{ConnectionId, StreamId};

/// Where captures come from: the session, for those who must not know it.
pub trait CaptureSource {
    /// The loaded capture.
    ///
    /// # Errors
    /// [`Error::NothingLoaded`].
    fn capture(&self) -> Result<Arc<LoadedCapture>>;

    /// The capture of that name or path.
    ///
    /// # Errors
    /// When it cannot be loaded.
    fn resolve(&mut self, wanted: &Path) -> Result<Arc<LoadedCapture>>;

    /// Tells the person something that does not stop the work.
    fn warn(&self, sentence: String);
}

/// `tcpstream`: the number of a TCP stream.
pub fn tcp_stream() -> Arg {
    Arg::new("tcpstream")
        .value_name("TCPSTREAM")
        .required(true)
        .value_parser(stream_number)
        .help("Number of the TCP stream from `list_tcp_connections` (Wireshark's tcp.stream)")
}

/// `mptcpstream`: the number of an MPTCP connection.
pub fn mptcp_stream() -> Arg {
    Arg::new("mptcpstream")
        .value_name("MPTCPSTREAM")
        .required(true)
        .value_parser(stream_number)
        .help("Number of the MPTCP connection from `list_mptcp_connections` (Wireshark's mptcp.stream)")
}

/// A stream's number as typed.
///
/// # Errors
/// Replacement for streams.
pub fn stream_number(text: &str) -> std::result::Result<u32, &'static str> {
    text.parse().map_err(|_| "streams are numbered from 0")
}

/// `--towards server|client`.
pub fn towards() -> Arg {
    Arg::new("towards")
        .long("towards")
        .aliases(["dest", "destination"])
        .ignore_case(true)
        .value_name("ROLE")
        .value_parser(choice::ROLE)
        .help("Only the direction towards this end")
}

/// A capture: the name of a loaded one or a path, which [`CaptureSource::resolve`] takes. Ids that
/// complete with the names of captures are `capture`, `first` and `second`.
pub fn capture(id: &'static str, value_name: &'static str) -> Arg {
    Arg::new(id)
        .value_name(value_name)
        .value_parser(value_parser!(PathBuf))
        .value_hint(ValueHint::FilePath)
        .help("Capture file, or name of a loaded capture")
}

/// The value of a required path, such as a [`capture`].
///
/// # Errors
/// [`Error::Usage`] when it is missing, which clap does not let happen.
pub fn path<'a>(arguments: &'a ArgMatches, id: &str) -> Result<&'a Path> {
    let given = arguments.get_one::<PathBuf>(id).map(PathBuf::as_path);
    given.ok_or_else(|| Error::Usage(format!("`{id}` is missing")))
}

/// The value of a required number.
///
/// # Errors
/// [`Error::Usage`] when it is missing, which clap does not let happen.
pub fn number(arguments: &ArgMatches, name: &str) -> Result<u32> {
    arguments.get_one::<u32>(name).copied().ok_or_else(|| Error::Usage(format!("`{name}` is missing")))
}

/// The TCP stream that [`tcp_stream`] names.
///
/// # Errors
/// As [`number`].
pub fn stream_id(arguments: &ArgMatches) -> Result<StreamId> {
    number(arguments, "tcpstream").map(StreamId)
}

/// The MPTCP connection that [`mptcp_stream`] names.
///
/// # Errors
/// As [`number`].
pub fn connection_id(arguments: &ArgMatches) -> Result<ConnectionId> {
    number(arguments, "mptcpstream").map(ConnectionId)
}

/// `--force`: an output may replace a capture.
pub fn force() -> Arg {
    Arg::new("force").long("force").action(ArgAction::SetTrue).help("Allow the result to replace a capture")
}

/// Whether `--force` was given.
#[must_use]
pub fn forced(arguments: &ArgMatches) -> Force {
    arguments.try_get_one::<bool>("force").ok().flatten().copied().unwrap_or(false).into()
}

/// The direction asked for with `--towards`.
#[must_use]
pub fn role(arguments: &ArgMatches) -> Option<Role> {
    arguments.get_one::<Role>("towards").copied()
}
