//! What a study counts: connections, subflows, handshakes or captures.

use crate::dataset::tables::{self, Table};

/// What one member of the population is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// An MPTCP connection.
    Connections,
    /// A subflow.
    Subflows,
    /// A TCP stream whose SYN asked for MPTCP.
    Handshakes,
    /// A capture.
    Captures,
}

impl Member {
    /// Its table, whose columns `--where` and `--by` mean.
    #[must_use]
    pub fn table(self) -> Option<&'static Table> {
        tables::find(self.name())
    }

    /// The name of its table, which is also what its members are called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Member::Connections => "connections",
            Member::Subflows => "subflows",
            Member::Handshakes => "handshakes",
            Member::Captures => "captures",
        }
    }

    /// The column that, with `capture`, tells its members apart; captures need none.
    #[must_use]
    pub fn key(self) -> Option<&'static str> {
        match self {
            Member::Connections => Some("mptcpstream"),
            Member::Subflows | Member::Handshakes => Some("tcpstream"),
            Member::Captures => None,
        }
    }
}
