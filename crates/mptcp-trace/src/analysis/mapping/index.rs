//! From what identifies a stream or connection to the streams or connections that have it.

use std::collections::HashMap;
use std::hash::Hash;

use super::MOST_HOLDERS;
use super::stream_facts::isn;
use crate::interrupt::interruptible;
use crate::interrupt::{self, Interrupted};
use crate::tracking::{Capture, Connection, Endpoint, Role, Stream, SubflowKind};
use crate::{ConnectionId, StreamId};

/// Values that may identify a TCP stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum StreamKey {
    /// Initial sequence number of one end.
    Isn(Role, u32),
    /// Random number of one end of a join.
    Nonce(Role, u32),
    /// HMAC in the SYN/ACK of a join.
    SynAckHmac(u64),
    /// HMAC in the ACK of a join.
    AckHmac([u8; 20]),
    /// The initial subflow of the connection with this token.
    Initial(u32),
    /// A subflow that joined the connection with this token from this address.
    Joined(u32, u8),
    /// Both endpoints, the lower one first: roles may be a guess.
    Endpoints(Endpoint, Endpoint),
}

/// Values that identify an MPTCP connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ConnectionKey {
    /// Key of either host.
    Key(u64),
    /// Token of either host.
    Token(u32),
}

/// Streams or connections by what identifies them.
#[derive(Debug)]
pub(super) struct Index<K, N> {
    holders: HashMap<K, Vec<N>>,
}

impl<K: Eq + Hash, N: PartialEq> Index<K, N> {
    fn new() -> Self {
        Index { holders: HashMap::new() }
    }

    /// One more than are ever looked at is kept, to know that there are too many.
    fn insert(&mut self, key: K, number: N) {
        let holders = self.holders.entry(key).or_default();
        if holders.len() <= MOST_HOLDERS && holders.last() != Some(&number) {
            holders.push(number);
        }
    }

    /// Owners of `key`; none if too many have it.
    pub fn get(&self, key: &K) -> &[N] {
        self.holders.get(key).filter(|holders| holders.len() <= MOST_HOLDERS).map_or(&[], Vec::as_slice)
    }
}

/// The streams of a capture.
pub(super) fn streams(capture: &Capture) -> Result<Index<StreamKey, StreamId>, Interrupted> {
    let mut index = Index::new();
    for stream in interruptible(&capture.tracking.streams) {
        interrupt::check()?;
        for key in stream_keys(capture, stream) {
            index.insert(key, stream.id);
        }
    }
    Ok(index)
}

/// The connections of a capture.
pub(super) fn connections(capture: &Capture) -> Result<Index<ConnectionKey, ConnectionId>, Interrupted> {
    let mut index = Index::new();
    for connection in interruptible(&capture.tracking.connections) {
        interrupt::check()?;
        for key in connection_keys(connection) {
            index.insert(key, connection.id);
        }
    }
    Ok(index)
}

/// All that may single out `stream`.
pub(super) fn stream_keys(capture: &Capture, stream: &Stream) -> Vec<StreamKey> {
    let low = stream.client.min(stream.server);
    let mut keys = vec![StreamKey::Endpoints(low, stream.client.max(stream.server))];
    for role in Role::BOTH {
        keys.extend(isn(capture, stream, role).map(|isn| StreamKey::Isn(role, isn)));
    }
    let Some(subflow) = capture.tracking.subflow(stream.id) else { return keys };
    match &subflow.kind {
        SubflowKind::Initial => {
            let hosts = capture.tracking.connection(subflow.connection).map(|connection| connection.hosts);
            let tokens = hosts.into_iter().flat_map(|hosts| [hosts.client.token, hosts.server.token]);
            keys.extend(tokens.flatten().map(StreamKey::Initial));
        }
        SubflowKind::Join(join) => {
            for role in Role::BOTH {
                keys.extend(join.nonces.get(role).map(|nonce| StreamKey::Nonce(role, nonce)));
            }
            keys.extend(join.server_hmac.map(StreamKey::SynAckHmac));
            keys.extend(join.client_hmac.map(StreamKey::AckHmac));
            let address = join.token.zip(join.address_ids.client);
            keys.extend(address.map(|(token, id)| StreamKey::Joined(token, id)));
        }
        SubflowKind::Unknown => {}
    }
    keys
}

/// All that singles out `connection`.
pub(super) fn connection_keys(connection: &Connection) -> Vec<ConnectionKey> {
    let mut keys = Vec::new();
    for role in Role::BOTH {
        let host = connection.hosts.get(role);
        keys.extend(host.key.map(ConnectionKey::Key));
        keys.extend(host.token.map(ConnectionKey::Token));
    }
    keys
}
