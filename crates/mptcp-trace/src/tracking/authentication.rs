//! The HMACs that authenticate MP_JOIN (RFC 8684 §3.2, RFC 6824 §3.2).

use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use sha1::Sha1;
use sha2::Sha256;

use std::net::IpAddr;

use super::connections::{Connection, JoinHandshake, Subflow};
use super::role::Role;
use crate::packets::segment::AddAddr;

/// Result of checking an HMAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum HmacVerdict {
    /// Equal to the one worked out from the keys.
    Valid,
    /// Different from it.
    Invalid,
    /// A key, a random number or the HMAC itself was not captured.
    Unverifiable,
}

/// Values missing for checking the HMACs of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lack {
    /// Both keys, or the version that they are used in.
    Keys,
    /// The key of the connection's client.
    ClientKey,
    /// The key of its server.
    ServerKey,
    /// The SYN, with its sender's random number.
    Syn,
    /// The SYN/ACK, with its sender's random number.
    SynAck,
    /// Neither HMAC was captured.
    Hmacs,
}

impl Lack {
    /// A phrase: what is not captured.
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Lack::Keys => "keys not captured",
            Lack::ClientKey => "the client's key not captured",
            Lack::ServerKey => "the server's key not captured",
            Lack::Syn => "the SYN with the random number not captured",
            Lack::SynAck => "the SYN/ACK with the random number not captured",
            Lack::Hmacs => "the packets with the HMACs not captured",
        }
    }
}

/// The verdicts on the two HMACs of a join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct JoinVerdict {
    /// On the one in the SYN/ACK, by the subflow's TCP server.
    pub syn_ack: HmacVerdict,
    /// On the one in the ACK, by the subflow's TCP client.
    pub ack: HmacVerdict,
    /// Missing value if neither could be checked.
    pub lacks: Option<Lack>,
}

impl JoinVerdict {
    /// Invalid if either is, valid if one is and the other not known to be otherwise.
    #[must_use]
    pub fn overall(&self) -> HmacVerdict {
        let both = [self.syn_ack, self.ack];
        if both.contains(&HmacVerdict::Invalid) {
            HmacVerdict::Invalid
        } else if both.contains(&HmacVerdict::Valid) {
            HmacVerdict::Valid
        } else {
            HmacVerdict::Unverifiable
        }
    }
}

/// Checks both HMACs of a join against the keys of its connection.
#[must_use]
pub fn verify_join(connection: &Connection, subflow: &Subflow, join: &JoinHandshake) -> JoinVerdict {
    let expected = expected(connection, subflow, join);
    let syn_ack = match (expected, join.server_hmac) {
        (Some(expected), Some(found)) => {
            judge(expected.server.first_chunk().map(|c| u64::from_be_bytes(*c)) == Some(found))
        }
        _ => HmacVerdict::Unverifiable,
    };
    let ack = match (expected, join.client_hmac) {
        (Some(expected), Some(found)) => judge(expected.client == found),
        _ => HmacVerdict::Unverifiable,
    };
    let unchecked = syn_ack == HmacVerdict::Unverifiable && ack == HmacVerdict::Unverifiable;
    JoinVerdict { syn_ack, ack, lacks: unchecked.then(|| lack(connection, join)) }
}

/// Missing value for checking a join's HMACs: the first of keys, random numbers and HMACs.
fn lack(connection: &Connection, join: &JoinHandshake) -> Lack {
    let (client, server) = (connection.hosts.client.key, connection.hosts.server.key);
    match (client, server, join.nonces.client, join.nonces.server) {
        (None, None, ..) => Lack::Keys,
        (None, ..) => Lack::ClientKey,
        (_, None, ..) => Lack::ServerKey,
        _ if connection.version.is_none() => Lack::Keys,
        (.., None, _) => Lack::Syn,
        (.., None) => Lack::SynAck,
        _ => Lack::Hmacs,
    }
}

/// Checks the HMAC of an ADD_ADDR (RFC 8684 §3.4.1) that `by` sent.
#[must_use]
pub fn verify_add_addr(connection: &Connection, by: Role, option: &AddAddr) -> HmacVerdict {
    let expected = add_addr_hmac(connection, by, option);
    let expected = expected.and_then(|hmac| hmac.last_chunk().map(|chunk| u64::from_be_bytes(*chunk)));
    match (expected, option.hmac) {
        (Some(expected), Some(found)) => judge(expected == found),
        _ => HmacVerdict::Unverifiable,
    }
}

/// A part of the right HMAC that an ADD_ADDR may have instead of the rightmost 64 bits: the keys are right, and its
/// sender mistook the RFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongPart {
    /// The leftmost 64 bits, as MP_JOIN has them.
    Leftmost,
    /// The rightmost 64 bits of the leftmost 160, as if the HMAC ended there.
    RightmostOf160,
}

impl WrongPart {
    /// A phrase.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            WrongPart::Leftmost => "the leftmost half of the correct value",
            WrongPart::RightmostOf160 => "the last 64 of the first 160 bits of the correct value",
        }
    }
}

/// The part of the right HMAC that a wrong one of an ADD_ADDR is, if it is one.
#[must_use]
pub fn wrong_part(connection: &Connection, by: Role, option: &AddAddr) -> Option<WrongPart> {
    let found = option.hmac?.to_be_bytes();
    let hmac = add_addr_hmac(connection, by, option)?;
    let of_160 = hmac.get(..20).and_then(|bits| bits.last_chunk());
    if hmac.last_chunk() == Some(&found) {
        None
    } else if hmac.first_chunk() == Some(&found) {
        Some(WrongPart::Leftmost)
    } else {
        (of_160 == Some(&found)).then_some(WrongPart::RightmostOf160)
    }
}

/// The whole HMAC of an ADD_ADDR that `by` sends. Version 0 has none.
fn add_addr_hmac(connection: &Connection, by: Role, option: &AddAddr) -> Option<Vec<u8>> {
    let version = connection.version.filter(|version| *version == 1)?;
    let keys = [connection.hosts.get(by).key?, connection.hosts.get(by.other()).key?];
    let mut message = vec![option.address_id];
    match option.address? {
        IpAddr::V4(address) => message.extend(address.octets()),
        IpAddr::V6(address) => message.extend(address.octets()),
    }
    message.extend(option.port.unwrap_or(0).to_be_bytes());
    authenticate(version, keys, &message)
}

fn judge(equal: bool) -> HmacVerdict {
    if equal { HmacVerdict::Valid } else { HmacVerdict::Invalid }
}

/// The leftmost 160 bits of both HMACs as they should be.
#[derive(Clone, Copy)]
struct Expected {
    client: [u8; 20],
    server: [u8; 20],
}

fn expected(connection: &Connection, subflow: &Subflow, join: &JoinHandshake) -> Option<Expected> {
    // The joining host is the subflow's TCP client; its key is the one of its role in the connection.
    let joined = subflow.opened_towards;
    let client_key = connection.hosts.get(joined.other()).key?;
    let server_key = connection.hosts.get(joined).key?;
    let version = connection.version?;
    let client_nonce = *join.nonces.get(Role::Client);
    let server_nonce = *join.nonces.get(Role::Server);
    let (client_nonce, server_nonce) = (client_nonce?, server_nonce?);
    let message = |nonces: [u32; 2]| nonces.iter().flat_map(|nonce| nonce.to_be_bytes()).collect::<Vec<u8>>();
    let client = authenticate(version, [client_key, server_key], &message([client_nonce, server_nonce]))?;
    let server = authenticate(version, [server_key, client_key], &message([server_nonce, client_nonce]))?;
    Some(Expected { client: *client.first_chunk()?, server: *server.first_chunk()? })
}

/// HMAC of a message with two keys: SHA-1 in version 0, SHA-256 in version 1.
fn authenticate(version: u8, keys: [u64; 2], message: &[u8]) -> Option<Vec<u8>> {
    let key: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
    match version {
        0 => Some(Hmac::<Sha1>::new_from_slice(&key).ok()?.chain_update(message).finalize().into_bytes().to_vec()),
        1 => Some(Hmac::<Sha256>::new_from_slice(&key).ok()?.chain_update(message).finalize().into_bytes().to_vec()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::hexadecimal;

    #[test]
    fn the_hmac_is_that_of_the_openssl_command() {
        // printf '\0\0\0\3\0\0\0\4' | openssl dgst -sha256 -mac HMAC -macopt hexkey:00000000000000010000000000000002
        let mac = authenticate(1, [1, 2], &[0, 0, 0, 3, 0, 0, 0, 4]).unwrap();
        assert_eq!(hexadecimal(&mac[..20]), "e5c5265ef877e59438bc6c934ea109a8fb18ad68");
        // The same with -sha1.
        let mac = authenticate(0, [1, 2], &[0, 0, 0, 3, 0, 0, 0, 4]).unwrap();
        assert_eq!(hexadecimal(&mac), "3e9d3c463abd55f71a0858f079f8bae4b5599f26");
    }
}
