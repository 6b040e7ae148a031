//! Which end of a connection is the client.

use mptcp_trace::tracking::Connection;

/// The note of a connection whose handshake was not captured: its roles are a guess.
pub fn guessed_note(connection: &Connection) -> Option<String> {
    (!connection.roles_known).then(|| {
        "MP_CAPABLE handshake not captured: the end that opened most of the captured subflows is taken as the client"
            .to_string()
    })
}
