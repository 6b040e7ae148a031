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
        "The end that accepted; listed first, as directions are: towards the server, then towards the client",
        Role::Server,
    ),
    ("client", "The end that opened", Role::Client),
]);

/// Level at which a round trip is measured.
pub const ROUND_TRIP: Choice<rtt::RttLevel> = Choice(&[
    ("handshake", "SYN to SYN/ACK, or SYN/ACK to ACK", rtt::RttLevel::Handshake),
    ("tcp", "The byte before an acknowledgement number to that ACK (Karn's algorithm)", rtt::RttLevel::Tcp),
    ("timestamp", "A TCP timestamp to its echo", rtt::RttLevel::Timestamp),
    ("data", "First transmission of data to the DATA_ACK that covers it", rtt::RttLevel::Data),
]);

/// Correction of the times of two captures.
pub const CORRECTION: Choice<Correction> = Choice(&[
    ("none", "Nothing", Correction::None),
    ("offset", "The offset", Correction::Offset),
    ("skew", "Offset and skew", Correction::Skew),
]);

/// Arrangement of windows in time.
pub const WINDOW_TYPE: Choice<WindowType> = Choice(&[
    (
        "tumbling",
        "Side by side from the first frame: each byte counts in one window, and rate times window length is bytes",
        WindowType::Tumbling,
    ),
    ("sliding", "A window that ends at each instant: the rate just before it", WindowType::Sliding),
]);

/// Which copies of a packet count.
pub const COPIES: Choice<CopiesWanted> = Choice(&[
    (
        "first",
        "The copy recorded nearest to the client, where the connection's first packet passed first",
        CopiesWanted::First,
    ),
    ("last", "The copy recorded nearest to the server, where that packet passed last", CopiesWanted::Last),
    ("all", "All copies, as separate packets", CopiesWanted::All),
]);
