//! Which stream, or connection, of one capture is the same as which of another?

/// A TCP stream that two captures recorded, each under its own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct StreamPair {
    /// Its number in the first capture.
    pub first: u32,
    /// Its number in the second capture.
    pub second: u32,
    /// The captures disagree on who is the client: the first one's client is the second one's server. Only where one
    /// of them lacks the handshake.
    pub flipped: bool,
}
