//! MPTCP connections: streams put together by keys and tokens, numbered as Wireshark numbers them.
//!
//! Wireshark's rules (its `mptcp.stream`): a connection is counted when a packet first needs one, which is an
//! MP_CAPABLE with a key whose token is not known yet, an MP_JOIN SYN with such a token, or any other MPTCP option on
//! a stream that has none. Every packet of a stream belongs to its connection, the first SYN included.
//!
//! Where neither keys nor tokens were captured, [`super::stretches`] puts together what Wireshark counts apart.

use std::collections::HashMap;

use serde::Serialize;

use super::packet_in_stream::PacketInStream;
use super::role::{ByRole, Role};
use super::streams::Stream;
use super::token::{Derived, derive};
use crate::interrupt::interruptible;
use crate::packets::segment::{Capable, Join, Segment, subtype};
use crate::{ConnectionId, IdVec, PacketRow, StreamId};

/// One end of a connection, as far as the capture tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Host {
    /// Its key.
    pub key: Option<u64>,
    /// Its token: derived from the key, or seen in an MP_JOIN towards it.
    pub token: Option<u32>,
    /// Its initial data sequence number, derived from the key.
    pub idsn: Option<u64>,
}

/// Kind of a subflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubflowKind {
    /// Opened the connection with MP_CAPABLE.
    Initial,
    /// Joined it with MP_JOIN; boxed, because there is more to it.
    Join(Box<JoinHandshake>),
    /// Its handshake was not captured.
    Unknown,
}

/// Content of the three packets of an MP_JOIN handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JoinHandshake {
    /// Token in the SYN: the connection, by the token of the host that the SYN travels to.
    pub token: Option<u32>,
    /// Address ids of the subflow's TCP client and server.
    pub address_ids: ByRole<Option<u8>>,
    /// Backup flags that the subflow's TCP client and server set.
    pub backup: ByRole<Option<bool>>,
    /// Random numbers of the subflow's TCP client and server.
    pub nonces: ByRole<Option<u32>>,
    /// HMAC in the SYN/ACK, its most significant 64 bits.
    pub server_hmac: Option<u64>,
    /// HMAC in the ACK, its most significant 160 bits.
    pub client_hmac: Option<[u8; 20]>,
    /// Rows of the SYN, SYN/ACK and ACK that carried MP_JOIN.
    pub rows: [Option<PacketRow>; 3],
}

/// Evidence that a subflow belongs to its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum JoinedBy {
    /// Keys in MP_CAPABLE.
    Keys,
    /// The token in the SYN with MP_JOIN.
    Token,
    /// 64-bit data sequence numbers and DATA_ACKs that lie in one stretch with those of its other subflows.
    DataSequence,
    /// The same of 32 bits, in both directions.
    #[serde(rename = "data_sequence_32bit")]
    ShortDataSequence,
}

/// A stream's part in its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subflow {
    /// The TCP stream.
    pub stream: StreamId,
    /// The connection.
    pub connection: ConnectionId,
    /// Wireshark's `mptcp.stream`: another number where only data sequence numbers tell the connection.
    pub wireshark: ConnectionId,
    /// Its origin.
    pub kind: SubflowKind,
    /// Evidence that it belongs to it; `None` where nothing but its own packets says that there is a connection.
    pub joined_by: Option<JoinedBy>,
    /// Role in the *connection* of the stream's TCP server: `Client` for a subflow that the MPTCP server opened.
    pub opened_towards: Role,
    /// MP_PRIO came on it; what that changes is a question of its own.
    pub has_prio: bool,
}

/// One MPTCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Wireshark's `mptcp.stream`.
    pub id: ConnectionId,
    /// Protocol version, from MP_CAPABLE.
    pub version: Option<u8>,
    /// The version that the client's SYN asked for; the server may answer with a lower one (RFC 8684 §3.1).
    pub asked_version: Option<u8>,
    /// The two ends.
    pub hosts: ByRole<Host>,
    /// Whether DSS checksums were required by either end; `None` when MP_CAPABLE was not captured.
    pub checksum_required: Option<bool>,
    /// TCP streams of its subflows, in order of their numbers.
    pub subflows: Vec<StreamId>,
    /// Whether roles come from the MP_CAPABLE handshake. Otherwise the end that opened most of the subflows seen is taken
    /// for the client.
    pub roles_known: bool,
    /// The connection that this one is part of: its data sequence numbers lie in one stretch with that one's, which has
    /// taken over its subflows.
    pub part_of: Option<ConnectionId>,
}

/// State of a stream while packets arrive.
#[derive(Debug, Default)]
pub struct Candidate {
    /// The connection that it belongs to, once a packet has told.
    pub connection: Option<ConnectionId>,
    /// MP_CAPABLE: the server's, or the first one seen.
    pub capable: Option<Capable>,
    /// The version that the client's SYN asked for.
    asked_version: Option<u8>,
    has_prio: bool,
    /// MP_JOIN, what was seen of its handshake.
    pub join: Option<Box<JoinHandshake>>,
    /// Keys by whether the stream's first sender has them.
    keys: [Option<u64>; 2],
    checksum_required: bool,
}

/// The connections that there are, and their tokens.
#[derive(Debug, Default)]
pub struct Registry {
    tokens: HashMap<u32, ConnectionId>,
    /// The number of the next one.
    next: ConnectionId,
}

impl Registry {
    /// Forgets the tokens for which `wanted`, given the token and its connection, says no.
    pub fn retain(&mut self, wanted: impl Fn(u32, ConnectionId) -> bool) {
        self.tokens.retain(|token, connection| wanted(*token, *connection));
    }

    /// Tokens that are known.
    #[must_use]
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }
}

/// The connections, and the part that each stream has in them.
type Put = (IdVec<ConnectionId, Connection>, IdVec<StreamId, Option<Subflow>>);

/// Puts streams together, packet by packet.
#[derive(Debug, Default)]
pub struct ConnectionTracker {
    candidates: IdVec<StreamId, Candidate>,
    registry: Registry,
}

impl ConnectionTracker {
    /// Takes in the packet in row `row`, which [`super::streams::StreamTracker`] gave to `packet.stream`.
    pub fn push(&mut self, row: PacketRow, segment: &Segment, packet: &PacketInStream) {
        if self.candidates.len() <= packet.stream.index() {
            self.candidates.resize_with(packet.stream.index() + 1, Candidate::default);
        }
        if let Some(candidate) = self.candidates.get_mut(packet.stream) {
            candidate.push(&mut self.registry, row, segment, packet);
        }
    }

    /// The connections in order of their numbers, and each stream's part in them.
    #[must_use]
    pub fn finish(self, streams: &IdVec<StreamId, Stream>) -> Put {
        let numbers = (0..self.registry.next.0).map(ConnectionId);
        let mut connections: IdVec<ConnectionId, Connection> = numbers.map(Connection::new).collect();
        let mut subflows: IdVec<StreamId, Option<Subflow>> = IdVec::with_capacity(streams.len());
        for (stream, candidate) in interruptible(streams.iter().zip(&self.candidates)) {
            let connection = candidate.connection.and_then(|id| connections.get_mut(id));
            subflows.push(connection.map(|connection| connection.add(stream, candidate)));
        }
        subflows.resize_with(streams.len(), || None);
        for subflow in interruptible(subflows.iter_mut().flatten()) {
            if let Some(connection) = connections.get_mut(subflow.connection) {
                connection.place_join(subflow);
            }
        }
        (connections, subflows)
    }
}

impl Candidate {
    /// Takes in the packet in row `row`, which is this stream's.
    pub fn push(&mut self, registry: &mut Registry, row: PacketRow, segment: &Segment, packet: &PacketInStream) {
        match segment.control() {
            Some(control) => {
                for subtype in &control.subtypes {
                    self.option(registry, row, *subtype, segment, packet);
                }
            }
            None if segment.dss().is_some() => {
                self.connection_of(registry);
            }
            None => {}
        }
    }

    fn option(
        &mut self,
        registry: &mut Registry,
        row: PacketRow,
        kind: u8,
        segment: &Segment,
        packet: &PacketInStream,
    ) {
        match kind {
            subtype::MP_CAPABLE => {
                if let Some(capable) = segment.capable() {
                    self.note_capable(registry, capable, segment, packet);
                }
            }
            subtype::MP_JOIN => {
                if let Some(join) = segment.join() {
                    self.note_join(registry, row, join, packet);
                }
            }
            _ => {
                self.has_prio |= kind == subtype::MP_PRIO;
                self.connection_of(registry);
            }
        }
    }

    /// The stream's connection, a new one if it has none.
    fn connection_of(&mut self, registry: &mut Registry) -> ConnectionId {
        *self.connection.get_or_insert_with(|| {
            let connection = registry.next;
            registry.next = connection.next();
            connection
        })
    }

    fn note_capable(&mut self, registry: &mut Registry, capable: &Capable, segment: &Segment, packet: &PacketInStream) {
        let sender = usize::from(!packet.by_first_sender);
        let peers_key = self.keys.get(1 - sender).copied().flatten();
        if segment.is_syn_ack() && mirrors(segment, capable, peers_key) {
            return;
        }
        if segment.is_syn() {
            self.asked_version.get_or_insert(capable.version);
        }
        self.checksum_required |= capable.flags & Capable::CHECKSUM_REQUIRED != 0;
        // The version that counts is the one the server answers with (RFC 8684 §3.1).
        if self.capable.is_none() || segment.is_syn_ack() {
            self.capable = Some(*capable);
        }
        // A client that took a mirrored option for an answer sends its own key as its peer's, too.
        let receiver_key = capable.receiver_key.filter(|key| capable.sender_key != Some(*key));
        for (key, end) in [(capable.sender_key, sender), (receiver_key, 1 - sender)] {
            if let Some(key) = key {
                self.note_key(registry, end, capable.version, key);
            }
        }
    }

    fn note_key(&mut self, registry: &mut Registry, end: usize, version: u8, key: u64) {
        let Some(slot) = self.keys.get_mut(end).filter(|slot| slot.is_none()) else { return };
        *slot = Some(key);
        match derive(version, key) {
            Some(derived) => self.register(registry, derived.token),
            // A version that nobody has defined: the stream is still one of MPTCP.
            None => {
                self.connection_of(registry);
            }
        }
    }

    /// Attaches the stream to the connection that the token stands for, or makes the token stand for the stream's.
    fn register(&mut self, registry: &mut Registry, token: u32) {
        if let Some(known) = registry.tokens.get(&token).copied() {
            self.connection = Some(known);
        } else {
            let connection = self.connection_of(registry);
            registry.tokens.insert(token, connection);
        }
    }

    fn note_join(&mut self, registry: &mut Registry, row: PacketRow, join: &Join, packet: &PacketInStream) {
        if let Join::Syn { token: Some(token), .. } = join {
            if self.join.as_ref().and_then(|join| join.token).is_none() {
                self.register(registry, *token);
            }
        } else if !matches!(join, Join::Syn { .. }) {
            self.connection_of(registry);
        }
        // The answer to an earlier stream's SYN tells nothing of this one.
        if matches!(join, Join::SynAck { .. }) && !packet.answers_the_syn() {
            return;
        }
        self.join.get_or_insert_default().note(row, join);
    }

    /// Kind of the subflow, as known so far.
    #[must_use]
    pub fn kind(&self) -> SubflowKind {
        match (&self.join, self.capable) {
            (_, Some(_)) => SubflowKind::Initial,
            (Some(join), None) => SubflowKind::Join(join.clone()),
            (None, None) => SubflowKind::Unknown,
        }
    }
}

impl JoinHandshake {
    /// Only the first packet of each step counts; retransmissions repeat it.
    fn note(&mut self, row: PacketRow, join: &Join) {
        let [syn, syn_ack, ack] = &mut self.rows;
        match join {
            Join::Syn { backup, address_id, token, nonce } if syn.is_none() => {
                *syn = Some(row);
                self.token = *token;
                self.address_ids.client = Some(*address_id);
                self.backup.client = Some(*backup);
                self.nonces.client = *nonce;
            }
            Join::SynAck { backup, address_id, truncated_hmac, nonce } if syn_ack.is_none() => {
                *syn_ack = Some(row);
                self.address_ids.server = Some(*address_id);
                self.backup.server = Some(*backup);
                self.nonces.server = *nonce;
                self.server_hmac = *truncated_hmac;
            }
            Join::Ack { hmac } if ack.is_none() => {
                *ack = Some(row);
                self.client_hmac = *hmac;
            }
            _ => {}
        }
    }
}

impl Subflow {
    /// A stream's part in a connection, which it is taken to have been opened towards the server of.
    #[must_use]
    pub fn new(stream: StreamId, connection: ConnectionId, kind: SubflowKind) -> Self {
        let joined_by = match &kind {
            SubflowKind::Initial => Some(JoinedBy::Keys),
            SubflowKind::Join(join) => join.token.map(|_| JoinedBy::Token),
            SubflowKind::Unknown => None,
        };
        Subflow {
            stream,
            connection,
            wireshark: connection,
            kind,
            joined_by,
            opened_towards: Role::Server,
            has_prio: false,
        }
    }
}

impl Connection {
    /// A connection of which nothing is known yet.
    #[must_use]
    pub fn new(id: ConnectionId) -> Self {
        Connection {
            id,
            version: None,
            asked_version: None,
            hosts: ByRole::default(),
            checksum_required: None,
            subflows: Vec::new(),
            roles_known: false,
            part_of: None,
        }
    }

    /// Adds a stream and learns from its MP_CAPABLE handshake.
    fn add(&mut self, stream: &Stream, candidate: &Candidate) -> Subflow {
        self.subflows.push(stream.id);
        self.learn(stream.client_sent_first, candidate);
        Subflow { has_prio: candidate.has_prio, ..Subflow::new(stream.id, self.id, candidate.kind()) }
    }

    /// Learns from the MP_CAPABLE handshake of a stream, if it has one.
    pub fn learn(&mut self, client_sent_first: bool, candidate: &Candidate) {
        let Some(capable) = candidate.capable else { return };
        self.version = Some(capable.version);
        self.asked_version = candidate.asked_version;
        self.checksum_required = Some(candidate.checksum_required);
        self.roles_known = true;
        let [first, second] = candidate.keys;
        let (client, server) = if client_sent_first { (first, second) } else { (second, first) };
        for (role, key) in [(Role::Client, client), (Role::Server, server)] {
            if let Some(key) = key {
                *self.hosts.get_mut(role) = Host::from_key(capable.version, key);
            }
        }
    }

    /// Finds out towards which end of the connection a join went: its token names the host that the SYN travels to.
    pub fn place_join(&mut self, subflow: &mut Subflow) {
        let SubflowKind::Join(join) = &subflow.kind else { return };
        let Some(token) = join.token else { return };
        if self.hosts.client.token == Some(token) {
            subflow.opened_towards = Role::Client;
        } else {
            self.hosts.server.token.get_or_insert(token);
        }
    }
}

/// Whether the MP_CAPABLE of a SYN/ACK only repeats the SYN's, which a host that does not know the option may do: it
/// brings no key (version 1), or the client's own, which no peer can have (version 0). `clients_key` is the SYN's.
#[must_use]
pub fn mirrors(syn_ack: &Segment, capable: &Capable, clients_key: Option<u64>) -> bool {
    match capable.sender_key {
        Some(key) => clients_key == Some(key),
        None => !syn_ack.options_cut(),
    }
}

impl Host {
    fn from_key(version: u8, key: u64) -> Self {
        let derived: Option<Derived> = derive(version, key);
        Host { key: Some(key), token: derived.map(|d| d.token), idsn: derived.map(|d| d.idsn) }
    }
}

/// The token that the key in this packet gives, as Wireshark's `mptcp.expected_token`.
#[must_use]
pub fn expected_token(segment: &Segment) -> Option<u32> {
    let capable = segment.capable()?;
    derive(capable.version, capable.sender_key?).map(|derived| derived.token)
}
