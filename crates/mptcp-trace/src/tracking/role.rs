//! The two ends of a stream or connection.

use serde::{Deserialize, Serialize};

/// The end that opened (client) or accepted (server). Also a direction: *towards* that end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The end that accepted. First, for directions are listed towards the server, then towards the client.
    Server,
    /// The end that opened.
    Client,
}

impl Role {
    /// Both, in the order in which directions are listed.
    pub const BOTH: [Role; 2] = [Role::Server, Role::Client];

    /// The other end.
    #[inline]
    #[must_use]
    pub fn other(self) -> Role {
        match self {
            Role::Server => Role::Client,
            Role::Client => Role::Server,
        }
    }

    /// `server` or `client`, as in columns and JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Server => "server",
            Role::Client => "client",
        }
    }
}

/// A value for each end or direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ByRole<T> {
    /// The server's, or towards it.
    pub server: T,
    /// The client's, or towards it.
    pub client: T,
}

impl<T> ByRole<T> {
    /// The value of one end.
    #[inline]
    pub fn get(&self, role: Role) -> &T {
        match role {
            Role::Server => &self.server,
            Role::Client => &self.client,
        }
    }

    /// The value of one end, to change.
    #[inline]
    pub fn get_mut(&mut self, role: Role) -> &mut T {
        match role {
            Role::Server => &mut self.server,
            Role::Client => &mut self.client,
        }
    }
}
