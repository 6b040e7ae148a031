//! MPTCP connections: streams put together by keys and tokens, numbered as Wireshark numbers them.
//!
//! Wireshark's rules (its `mptcp.stream`): a connection is counted when a packet first needs one, which is an
//! MP_CAPABLE with a key whose token is not known yet, an MP_JOIN SYN with such a token, or any other MPTCP option on
//! a stream that has none. Every packet of a stream belongs to its connection, the first SYN included.

use std::collections::HashMap;

use super::role::{ByRole, Role};
use super::streams::{PacketInStream, Stream};
use super::token::{Derived, derive};
use crate::packets::segment::{Capable, Control, Join, Segment, subtype};

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

/// What kind of subflow a stream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubflowKind {
    /// Opened the connection with MP_CAPABLE.
    Initial,
    /// Joined it with MP_JOIN; boxed, for there is more to it.
    Join(Box<JoinHandshake>),
    /// Its handshake was not captured.
    Unknown,
}

/// What the three packets of an MP_JOIN handshake said.
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
    pub rows: [Option<u32>; 3],
}

/// A stream's part in its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subflow {
    /// The TCP stream.
    pub stream: u32,
    /// The connection.
    pub connection: u32,
    /// How it came to it.
    pub kind: SubflowKind,
    /// Role in the *connection* of the stream's TCP server: `Client` for a subflow that the MPTCP server opened.
    pub opened_towards: Role,
}

/// One MPTCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Wireshark's `mptcp.stream`.
    pub id: u32,
    /// Protocol version, from MP_CAPABLE.
    pub version: Option<u8>,
    /// The two ends.
    pub hosts: ByRole<Host>,
    /// Whether DSS checksums were required by either end; `None` when MP_CAPABLE was not captured.
    pub checksum_required: Option<bool>,
    /// TCP streams of its subflows, in order of their numbers.
    pub subflows: Vec<u32>,
    /// Whether roles come from the MP_CAPABLE handshake. Otherwise whoever opened the first subflow seen is taken for
    /// the client.
    pub roles_known: bool,
}

/// What a stream showed while packets came in.
#[derive(Default)]
struct Candidate {
    connection: Option<u32>,
    capable: Option<Capable>,
    join: Option<Box<JoinHandshake>>,
    /// Keys by whether the stream's first sender has them.
    keys: [Option<u64>; 2],
    checksum_required: bool,
}

/// Puts streams together, packet by packet.
#[derive(Default)]
pub struct ConnectionTracker {
    candidates: Vec<Candidate>,
    tokens: HashMap<u32, u32>,
    connections: u32,
}

impl ConnectionTracker {
    /// Takes in the packet in row `row`, which [`super::streams::StreamTracker`] gave to `packet.stream`.
    pub fn push(&mut self, row: u32, segment: &Segment, packet: &PacketInStream) {
        let index = packet.stream as usize;
        if self.candidates.len() <= index {
            self.candidates.resize_with(index + 1, Candidate::default);
        }
        match &segment.control {
            Some(control) => {
                for subtype in &control.subtypes {
                    self.option(row, *subtype, segment, control, packet);
                }
            }
            None if segment.dss.is_some() => {
                self.connection_of(packet.stream);
            }
            None => {}
        }
    }

    fn option(&mut self, row: u32, kind: u8, segment: &Segment, control: &Control, packet: &PacketInStream) {
        match kind {
            subtype::MP_CAPABLE => {
                if let Some(capable) = &control.capable {
                    self.capable(capable, segment, packet);
                }
            }
            subtype::MP_JOIN => {
                if let Some(join) = &control.join {
                    self.join(row, join, packet);
                }
            }
            _ => {
                self.connection_of(packet.stream);
            }
        }
    }

    fn candidate(&mut self, stream: u32) -> Option<&mut Candidate> {
        self.candidates.get_mut(stream as usize)
    }

    /// The stream's connection, a new one if it has none.
    fn connection_of(&mut self, stream: u32) -> u32 {
        if let Some(connection) = self.candidate(stream).and_then(|candidate| candidate.connection) {
            return connection;
        }
        let connection = self.connections;
        self.connections = self.connections.saturating_add(1);
        if let Some(candidate) = self.candidate(stream) {
            candidate.connection = Some(connection);
        }
        connection
    }

    fn capable(&mut self, capable: &Capable, segment: &Segment, packet: &PacketInStream) {
        let Some(candidate) = self.candidate(packet.stream) else { return };
        candidate.checksum_required |= capable.flags & Capable::CHECKSUM_REQUIRED != 0;
        // The version that counts is the one the server answers with (RFC 8684 §3.1).
        if candidate.capable.is_none() || segment.is_syn_ack() {
            candidate.capable = Some(*capable);
        }
        let sender = usize::from(!packet.by_first_sender);
        for (key, end) in [(capable.sender_key, sender), (capable.receiver_key, 1 - sender)] {
            if let Some(key) = key {
                self.key(packet.stream, end, capable.version, key);
            }
        }
    }

    fn key(&mut self, stream: u32, end: usize, version: u8, key: u64) {
        let Some(slot) = self.candidate(stream).and_then(|candidate| candidate.keys.get_mut(end)) else { return };
        if slot.is_some() {
            return;
        }
        *slot = Some(key);
        match derive(version, key) {
            Some(derived) => self.register(stream, derived.token),
            // A version that nobody has defined: the stream is still one of MPTCP.
            None => {
                self.connection_of(stream);
            }
        }
    }

    /// Attaches the stream to the connection that the token stands for, or makes the token stand for the stream's.
    fn register(&mut self, stream: u32, token: u32) {
        if let Some(known) = self.tokens.get(&token).copied() {
            if let Some(candidate) = self.candidate(stream) {
                candidate.connection = Some(known);
            }
        } else {
            let connection = self.connection_of(stream);
            self.tokens.insert(token, connection);
        }
    }

    fn join(&mut self, row: u32, join: &Join, packet: &PacketInStream) {
        if let Join::Syn { token: Some(token), .. } = join {
            let known = self.candidate(packet.stream).and_then(|candidate| candidate.join.as_ref()?.token);
            if known.is_none() {
                self.register(packet.stream, *token);
            }
        } else if !matches!(join, Join::Syn { .. }) {
            self.connection_of(packet.stream);
        }
        // The answer to an earlier stream's SYN tells nothing of this one.
        if matches!(join, Join::SynAck { .. }) && !packet.answers_the_syn() {
            return;
        }
        let Some(candidate) = self.candidate(packet.stream) else { return };
        candidate.join.get_or_insert_default().note(row, join);
    }

    /// The connections in order of their numbers, and each stream's part in them.
    #[must_use]
    pub fn finish(self, streams: &[Stream]) -> (Vec<Connection>, Vec<Option<Subflow>>) {
        let mut connections: Vec<Connection> = (0..self.connections).map(Connection::new).collect();
        let mut subflows: Vec<Option<Subflow>> = Vec::with_capacity(streams.len());
        for (stream, candidate) in streams.iter().zip(&self.candidates) {
            let connection = candidate.connection.and_then(|id| connections.get_mut(id as usize));
            subflows.push(connection.map(|connection| connection.add(stream, candidate)));
        }
        subflows.resize(streams.len(), None);
        for subflow in subflows.iter_mut().flatten() {
            if let Some(connection) = connections.get_mut(subflow.connection as usize) {
                connection.place_join(subflow);
            }
        }
        (connections, subflows)
    }
}

impl JoinHandshake {
    /// Only the first packet of each step counts; retransmissions repeat it.
    fn note(&mut self, row: u32, join: &Join) {
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

impl Connection {
    fn new(id: u32) -> Self {
        Connection {
            id,
            version: None,
            hosts: ByRole::default(),
            checksum_required: None,
            subflows: Vec::new(),
            roles_known: false,
        }
    }

    /// Adds a stream and learns from its MP_CAPABLE handshake.
    fn add(&mut self, stream: &Stream, candidate: &Candidate) -> Subflow {
        self.subflows.push(stream.id);
        if let Some(capable) = candidate.capable {
            self.version = Some(capable.version);
            self.checksum_required = Some(candidate.checksum_required);
            self.roles_known = true;
            let [first, second] = candidate.keys;
            let (client, server) = if stream.client_sent_first { (first, second) } else { (second, first) };
            for (role, key) in [(Role::Client, client), (Role::Server, server)] {
                if let Some(key) = key {
                    *self.hosts.get_mut(role) = Host::from_key(capable.version, key);
                }
            }
        }
        let kind = match (&candidate.join, candidate.capable) {
            (_, Some(_)) => SubflowKind::Initial,
            (Some(join), None) => SubflowKind::Join(join.clone()),
            (None, None) => SubflowKind::Unknown,
        };
        Subflow { stream: stream.id, connection: self.id, kind, opened_towards: Role::Server }
    }

    /// Finds out towards which end of the connection a join went: its token names the host that the SYN travels to.
    fn place_join(&mut self, subflow: &mut Subflow) {
        let SubflowKind::Join(join) = &subflow.kind else { return };
        let Some(token) = join.token else { return };
        if self.hosts.client.token == Some(token) {
            subflow.opened_towards = Role::Client;
        } else {
            self.hosts.server.token.get_or_insert(token);
        }
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
