//! Names of paths, from the configuration's `[interfaces]`, in the results of all commands about streams.

use std::path::PathBuf;

use clap::ArgMatches;

use crate::commands::Session;
use crate::output::{Paths, Report};

/// The report of a command with the names of the paths of its streams: those of the capture that the line names first, or
/// of the loaded one.
#[must_use]
pub fn named(report: Report, arguments: &ArgMatches, session: &mut Session) -> Report {
    let first = arguments.try_get_one::<PathBuf>("first").ok().flatten();
    let capture = match first {
        // It is held in memory since the command asked for it.
        Some(_) if session.config.interfaces.is_empty() => None,
        Some(path) => session.resolve(path).ok(),
        None => session.loaded().cloned(),
    };
    let Some(capture) = capture.filter(|capture| !capture.address_labels.is_empty()) else { return report };
    let streams = capture.tracking.streams.iter();
    let paths: Paths =
        streams.filter_map(|stream| Some((u64::from(stream.id), capture.path_label(stream.id)?.to_string()))).collect();
    report.with_paths(paths)
}
