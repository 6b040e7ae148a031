//! Options whose values are those of a type of the core, which knows nothing of command lines.

use std::ffi::OsStr;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Arg, Command, Error};
use mptcp_trace::analysis::clock::Correction;
use mptcp_trace::analysis::rates::WindowType;
use mptcp_trace::analysis::rtt;
use mptcp_trace::tracking::CopiesWanted;
use mptcp_trace::tracking::Role;

/// A value of `T` by one of these names, each with what help says of it.
#[derive(Debug)]
pub struct Choice<T: 'static>(pub &'static [(&'static str, &'static str, T)]);

impl<T> Clone for Choice<T> {
    fn clone(&self) -> Self {
        Choice(self.0)
    }
}

impl<T: Copy + Send + Sync + 'static> Choice<T> {
    /// The value of that name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<T> {
        self.0.iter().find(|(known, ..)| *known == name).map(|(.., value)| *value)
    }

    fn possible(&self) -> impl Iterator<Item = PossibleValue> {
        self.0.iter().map(|(name, help, _)| {
            let value = PossibleValue::new(*name);
            if help.is_empty() { value } else { value.help(*help) }
        })
    }
}

impl<T: Copy + Send + Sync + 'static> TypedValueParser for Choice<T> {
    type Value = T;

    fn parse_ref(&self, command: &Command, argument: Option<&Arg>, value: &OsStr) -> Result<T, Error> {
        let name = PossibleValuesParser::new(self.possible()).parse_ref(command, argument, value)?;
        let ignore_case = argument.is_some_and(Arg::is_ignore_case_set);
        let named = |known: &str| if ignore_case { known.eq_ignore_ascii_case(&name) } else { known == name };
        let chosen = self.0.iter().find(|(known, ..)| named(known)).map(|(.., value)| *value);
        chosen.ok_or_else(|| Error::new(clap::error::ErrorKind::InvalidValue).with_cmd(command))
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.possible()))
    }
}

/// The two ends.
pub const ROLE: Choice<Role> = Choice(&[
    (
        "server",
        "The end that accepted. First, for directions are listed towards the server, then towards the client",
        Role::Server,
    ),
    ("client", "The end that opened", Role::Client),
]);

/// What a round trip is measured by.
pub const ROUND_TRIP: Choice<rtt::Level> = Choice(&[
    ("handshake", "SYN to SYN/ACK, or SYN/ACK to ACK", rtt::Level::Handshake),
    ("tcp", "The byte before an acknowledgement number to that ACK, by Karn's rule", rtt::Level::Tcp),
    ("timestamp", "A TCP timestamp to its echo", rtt::Level::Timestamp),
    ("data", "First sending of data to the DATA_ACK that covers it", rtt::Level::Data),
]);

/// What is applied to the times of two captures.
pub const CORRECTION: Choice<Correction> = Choice(&[
    ("none", "Nothing", Correction::None),
    ("offset", "The offset", Correction::Offset),
    ("skew", "Offset and skew", Correction::Skew),
]);

/// How windows lie along time.
pub const WINDOW_TYPE: Choice<WindowType> = Choice(&[
    (
        "tumbling",
        "Side by side from the first frame on: each byte counts in one window, and windows times rates are bytes",
        WindowType::Tumbling,
    ),
    ("sliding", "One that ends at each instant: the rate over the time just before it", WindowType::Sliding),
]);

/// Which copies of a packet count.
pub const COPIES: Choice<CopiesWanted> = Choice(&[
    (
        "first",
        "Of each packet the one recorded where a connection's first packet passed first: nearest to its client",
        CopiesWanted::First,
    ),
    ("last", "The one recorded where it passed last: nearest to its server", CopiesWanted::Last),
    ("all", "All, as if they were packets of their own", CopiesWanted::All),
]);
