//! Sentences that several plots say of their numbers.

use mptcp_trace::tracking::{Connection, Role};

/// A note as a sentence: with a capital letter and a full stop.
#[must_use]
pub fn sentence(note: &str) -> String {
    let mut letters = note.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// Base of data sequence numbers towards `towards`, if it is not the IDSN.
#[must_use]
pub fn without_key(connection: &Connection, towards: Role) -> Option<String> {
    connection.hosts.get(towards.other()).idsn.is_none().then(|| {
        format!(
            "Towards the {}: the sender's key was not captured, so numbers count from the lowest one seen.",
            towards.name()
        )
    })
}

/// Uncertainty about a connection whose handshake was not captured.
#[must_use]
pub fn without_handshake(connection: &Connection) -> Option<String> {
    (!connection.roles_known).then(|| {
        "MP_CAPABLE handshake not captured: the end that opened most of the captured subflows is taken as the client, \
         and other subflows may be missing."
            .to_string()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_become_sentences() {
        assert_eq!(sentence("clocks: no error"), "Clocks: no error.");
        assert_eq!(sentence(""), "");
    }
}
