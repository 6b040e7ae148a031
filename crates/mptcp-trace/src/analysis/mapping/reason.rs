//! Evidence for or against two streams being the same, with its weight.
//!
//! The unit is the bit: a random number of 32 bits that agrees counts 32, because one in 2³² wrong streams would agree as
//! well. What is not random counts what it is worth:
//!
//! | evidence | agrees | differs |
//! |---|---|---|
//! | key of either host | 64, proves identity | -64 |
//! | HMAC of MP_JOIN (made with both keys) | 64, proves identity | 0: altered on the way |
//! | token, random number of either host in MP_JOIN | 32 | -32 |
//! | address id in MP_JOIN | 8 | -8 |
//! | one opened the connection, the other joined it | | -32 |
//! | initial sequence number (ISN) of either end | 32 | -32; 0 where it was rewritten on the way |
//! | packets with the same sequence and acknowledgement number | 16 each, 64 at most | |
//! | packets with the same mapping of data (DSN, SSN) | 16 each, 64 at most, times the share that agrees | |
//! | packets with the same TCP timestamps | 4 each, 32 at most, times the share that agrees | |
//! | range of sequence numbers, where an ISN is not known and no packet agrees | 16 at most, less for long ranges | -16 where they would have to meet |
//! | payload lengths, where nothing but endpoints agrees | 16 at most, times the share that agrees | |
//! | address of either end | 4 | 0 |
//! | port of the server | 4 | 0 |
//! | port of the client | 16 | -16 where no address differs, else 0 |
//!
//! Endpoints alone, all of them, are 28 bits: less than one ISN that differs, for ports are used again. Timestamps count
//! little each, because their clock ticks once per millisecond and all streams between two hosts may share it.

use std::fmt;

use serde::Serialize;

use crate::tracking::Role;

/// The compared value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// Key of the client of the connection.
    ClientKey,
    /// Key of the server of the connection.
    ServerKey,
    /// Token of the client of the connection.
    ClientToken,
    /// Token of the server of the connection.
    ServerToken,
    /// Token in the SYN of a join.
    JoinToken,
    /// HMAC in the SYN/ACK of a join.
    SynAckHmac,
    /// HMAC in the ACK of a join.
    AckHmac,
    /// Random number in the SYN of a join.
    ClientNonce,
    /// Random number in the SYN/ACK of a join.
    ServerNonce,
    /// Address id in the SYN of a join.
    ClientAddressId,
    /// Address id in the SYN/ACK of a join.
    ServerAddressId,
    /// Initial subflow or joined one.
    SubflowKind,
    /// Initial sequence number of the TCP client.
    ClientIsn,
    /// Initial sequence number of the TCP server.
    ServerIsn,
    /// Sequence and acknowledgement numbers of packets.
    SequenceNumbers,
    /// Range of the TCP client's sequence numbers.
    ClientRange,
    /// Range of the TCP server's sequence numbers.
    ServerRange,
    /// Mappings of data to subflows.
    Mappings,
    /// TCP timestamps of packets.
    Timestamps,
    /// Payload lengths at their places in the stream.
    Lengths,
    /// Address and port of the TCP client.
    ClientEndpoint,
    /// Address and port of the TCP server.
    ServerEndpoint,
    /// Subflows that map to each other.
    Subflows,
}

impl Evidence {
    /// The one that is about this end, of the two given.
    pub(super) fn of(role: Role, client: Evidence, server: Evidence) -> Evidence {
        match role {
            Role::Client => client,
            Role::Server => server,
        }
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Evidence::ClientKey => "client key",
            Evidence::ServerKey => "server key",
            Evidence::ClientToken => "client token",
            Evidence::ServerToken => "server token",
            Evidence::JoinToken => "token in SYN",
            Evidence::SynAckHmac => "HMAC in SYN/ACK",
            Evidence::AckHmac => "HMAC in ACK",
            Evidence::ClientNonce => "client nonce",
            Evidence::ServerNonce => "server nonce",
            Evidence::ClientAddressId => "client address id",
            Evidence::ServerAddressId => "server address id",
            Evidence::SubflowKind => "kind of subflow",
            Evidence::ClientIsn => "client ISN",
            Evidence::ServerIsn => "server ISN",
            Evidence::SequenceNumbers => "sequence numbers",
            Evidence::ClientRange => "client range",
            Evidence::ServerRange => "server range",
            Evidence::Mappings => "mappings",
            Evidence::Timestamps => "timestamps",
            Evidence::Lengths => "payload lengths",
            Evidence::ClientEndpoint => "client endpoint",
            Evidence::ServerEndpoint => "server endpoint",
            Evidence::Subflows => "subflows",
        })
    }
}

/// One thing that speaks for or against, with what was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reason {
    /// The compared value.
    pub evidence: Evidence,
    /// Bits for it; negative ones are against it, 0 says what was seen without counting it.
    pub bits: f64,
    /// The observation, a phrase.
    pub detail: String,
}

impl Reason {
    /// A reason.
    pub(super) fn new(evidence: Evidence, bits: f64, detail: String) -> Self {
        Reason { evidence, bits, detail }
    }

    /// The sum of their bits.
    pub(super) fn sum(reasons: &[Reason]) -> f64 {
        reasons.iter().map(|reason| reason.bits).sum()
    }

    /// Puts the strongest first and what speaks against it last.
    pub(super) fn sort(reasons: &mut [Reason]) {
        reasons.sort_by(|one, other| other.bits.total_cmp(&one.bits));
    }
}
