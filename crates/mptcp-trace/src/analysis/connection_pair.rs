//! One MPTCP connection as two captures have it.

use std::collections::HashMap;

use super::mapping::StreamPair;
use super::merge::{SideEvidence, Which, nearer_to_client};
use crate::StreamId;
use crate::interrupt::Interrupted;
use crate::tracking::{Capture, Connection, Role};

/// A connection in one of the captures.
#[derive(Debug, Clone, Copy)]
pub struct AtOneEnd<'a> {
    /// The capture.
    pub capture: &'a Capture,
    /// The connection in it.
    pub connection: &'a Connection,
}

/// A connection that both captures recorded.
#[derive(Debug, Clone)]
pub struct ConnectionPair<'a> {
    first: AtOneEnd<'a>,
    second: AtOneEnd<'a>,
    /// The captures disagree on who is the client.
    flipped: bool,
    /// The subflows that both have.
    streams: Vec<StreamPair>,
    /// The capture nearer to the client.
    client: Which,
    evidence: SideEvidence,
}

/// One direction of a connection: who sent, who received, and what each calls the direction.
#[derive(Debug, Clone, Copy)]
pub struct DirectionEnds<'a> {
    /// The end that packets travel towards.
    pub towards: Role,
    /// The capture near the sender.
    pub sender: AtOneEnd<'a>,
    /// Which one that is.
    pub sender_is: Which,
    /// The capture near the receiver.
    pub receiver: AtOneEnd<'a>,
    /// `towards` in the sender's capture.
    pub at_sender: Role,
    /// Number in the receiver's capture.
    pub at_receiver: Role,
}

impl<'a> ConnectionPair<'a> {
    /// Puts a connection together from its part in each capture, the subflows that both have, and whether they disagree
    /// on who is the client.
    ///
    /// # Errors
    /// [`Interrupted`] by Ctrl-C.
    pub fn new(
        first: AtOneEnd<'a>,
        second: AtOneEnd<'a>,
        streams: Vec<StreamPair>,
        flipped: bool,
    ) -> Result<Self, Interrupted> {
        let (client, evidence) = nearer_to_client(first.capture, second.capture, &streams)?;
        Ok(ConnectionPair { first, second, flipped, streams, client, evidence })
    }

    /// The subflows that both captures have.
    #[must_use]
    pub fn streams(&self) -> &[StreamPair] {
        &self.streams
    }

    /// The capture nearer to the client, and how that is known.
    #[must_use]
    pub fn client(&self) -> (Which, SideEvidence) {
        (self.client, self.evidence)
    }

    /// The ends of one direction.
    #[must_use]
    pub fn direction(&self, towards: Role) -> DirectionEnds<'a> {
        let sender_is = if towards == Role::Server { self.client } else { self.client.other() };
        let (sender, receiver) = sender_is.of((self.first, self.second), (self.second, self.first));
        DirectionEnds {
            towards,
            sender,
            sender_is,
            receiver,
            at_sender: self.role_in(sender_is, towards),
            at_receiver: self.role_in(sender_is.other(), towards),
        }
    }

    /// The capture whose roles count: one that has the MP_CAPABLE handshake.
    fn authority(&self) -> Which {
        let knows = |end: AtOneEnd<'_>| end.connection.roles_known;
        if !knows(self.first) && knows(self.second) { Which::Second } else { Which::First }
    }

    fn role_in(&self, which: Which, role: Role) -> Role {
        if self.flipped && which != self.authority() { role.other() } else { role }
    }

    /// For each subflow at the sender, by its index there, its index at the receiver.
    #[must_use]
    pub fn subflow_indices(&self, ends: &DirectionEnds<'_>) -> Vec<Option<usize>> {
        let pairs =
            self.streams.iter().map(|pair| ends.sender_is.of((pair.first, pair.second), (pair.second, pair.first)));
        let counterparts: HashMap<StreamId, StreamId> = pairs.collect();
        let indices: HashMap<StreamId, usize> =
            ends.receiver.connection.subflows.iter().enumerate().map(|(index, stream)| (*stream, index)).collect();
        let counterpart = |stream: &StreamId| indices.get(counterparts.get(stream)?).copied();
        ends.sender.connection.subflows.iter().map(counterpart).collect()
    }
}
