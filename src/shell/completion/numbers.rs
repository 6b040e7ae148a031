//! Which capture's streams a number on the line is one of.

use std::path::PathBuf;

use clap::{ArgMatches, Command};

use super::snapshot::{Described, Known, Snapshot};
use crate::arguments::two_captures::Level;

/// The part of a line that says what its numbers count: `tcp` or `mptcp`, and up to two captures.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    level: Option<Level>,
    first: Option<PathBuf>,
    second: Option<PathBuf>,
}

impl Numbers {
    /// Meaning of `arguments`, the words typed so far, for the command of this definition.
    pub(super) fn read(definition: &Command, arguments: &[String]) -> Self {
        let lenient = definition.clone().ignore_errors(true);
        let Ok(matches) = lenient.try_get_matches_from(arguments) else { return Numbers::default() };
        let mut innermost = &matches;
        while let Some((_, inner)) = innermost.subcommand() {
            innermost = inner;
        }
        Numbers {
            level: value(innermost, "level"),
            first: value(innermost, "first"),
            second: value(innermost, "second"),
        }
    }

    /// The streams or connections among which an argument of this id chooses; `None` for other arguments, and for
    /// captures that are not in memory: nothing is read for a completion.
    pub(super) fn of(&self, id: &str, snapshot: &Snapshot) -> Option<Described> {
        let first = || match &self.first {
            Some(first) => snapshot.held(first),
            None => Some(&*snapshot.known),
        };
        let of_level = |known: &Known| match self.level {
            Some(Level::Tcp) => known.tcp_streams(),
            Some(Level::Mptcp) | None => known.mptcp_streams(),
        };
        match id {
            "tcpstream" => first().map(Known::tcp_streams),
            "mptcpstream" => first().map(Known::mptcp_streams),
            "stream" => first().map(of_level),
            "mapped" => self.second.as_ref().and_then(|second| snapshot.held(second)).map(of_level),
            _ => None,
        }
    }
}

/// The value of an argument that the command may not have at all, or have as something else.
fn value<T: Clone + Send + Sync + 'static>(matches: &ArgMatches, id: &str) -> Option<T> {
    matches.try_get_one::<T>(id).ok().flatten().cloned()
}
