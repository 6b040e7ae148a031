//! Are two connections, or two joins, the same by their keys, tokens and random numbers?

use super::reason::{Evidence, Reason};
use crate::tracking::connections::{Host, JoinHandshake};
use crate::tracking::{Connection, Role};
use crate::units::hexadecimal;

/// What secrets and what is derived from them say.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Identity {
    /// For and against.
    pub reasons: Vec<Reason>,
    /// Nothing but the same connection, or join, could have these secrets.
    pub proven: bool,
    /// The one's client is the other's server; `None` when nothing tells.
    pub flipped: Option<bool>,
}

impl Identity {
    /// Proven, and by a key.
    pub fn proven_by_keys(&self) -> bool {
        let keys = [Evidence::ClientKey, Evidence::ServerKey];
        self.proven && self.reasons.iter().any(|reason| keys.contains(&reason.evidence) && reason.bits > 0.0)
    }

    fn from(reasons: Vec<Reason>) -> Self {
        let agrees = reasons.iter().any(|reason| reason.bits > 0.0);
        let differs = reasons.iter().any(|reason| reason.bits < 0.0);
        Identity { reasons, proven: agrees && !differs, flipped: None }
    }
}

/// Compares two connections by keys, or by tokens where a key was not captured. Where roles are not known from
/// MP_CAPABLE, a host of one may be either host of the other.
pub(super) fn compare_connections(first: &Connection, second: &Connection) -> Identity {
    let straight = compare_hosts(first, second, false);
    if straight.proven || (first.roles_known && second.roles_known) {
        return Identity { flipped: straight.proven.then_some(false), ..straight };
    }
    let crossed = compare_hosts(first, second, true);
    if crossed.proven {
        return Identity { flipped: Some(true), ..crossed };
    }
    // Different hosts that may each be the other one say nothing.
    let told = |identity: &Identity| identity.reasons.iter().any(|reason| reason.bits > 0.0);
    if told(&straight) { straight } else { Identity::default() }
}

fn compare_hosts(first: &Connection, second: &Connection, crossed: bool) -> Identity {
    let mut reasons = Vec::new();
    for role in Role::BOTH {
        let one = first.hosts.get(role);
        let other = second.hosts.get(if crossed { role.other() } else { role });
        reasons.extend(compare_host(role, one, other));
    }
    Identity::from(reasons)
}

fn compare_host(role: Role, one: &Host, other: &Host) -> Option<Reason> {
    if let (Some(one), Some(other)) = (one.key, other.key) {
        let evidence = Evidence::of(role, Evidence::ClientKey, Evidence::ServerKey);
        return Some(compare(evidence, 64.0, -64.0, [format!("0x{one:016x}"), format!("0x{other:016x}")]));
    }
    let (one, other) = (one.token?, other.token?);
    let evidence = Evidence::of(role, Evidence::ClientToken, Evidence::ServerToken);
    Some(compare(evidence, 32.0, -32.0, [format!("0x{one:08x}"), format!("0x{other:08x}")]))
}

/// Compares two joins by the numbers of their handshakes.
pub(super) fn compare_joins(first: &JoinHandshake, second: &JoinHandshake) -> Identity {
    let mut reasons = Vec::new();
    let mut proven = false;
    let token = (first.token, second.token);
    reasons.extend(both(token, |token| format!("0x{token:08x}"), Evidence::JoinToken, 32.0, -32.0));
    for role in Role::BOTH {
        let nonces = (*first.nonces.get(role), *second.nonces.get(role));
        let evidence = Evidence::of(role, Evidence::ClientNonce, Evidence::ServerNonce);
        reasons.extend(both(nonces, |nonce| format!("0x{nonce:08x}"), evidence, 32.0, -32.0));
        let ids = (*first.address_ids.get(role), *second.address_ids.get(role));
        let evidence = Evidence::of(role, Evidence::ClientAddressId, Evidence::ServerAddressId);
        reasons.extend(both(ids, |id| id.to_string(), evidence, 8.0, -8.0));
    }
    let truncated = (first.server_hmac, second.server_hmac);
    let whole = (first.client_hmac, second.client_hmac);
    let hmacs = [
        both(truncated, |hmac| format!("0x{hmac:016x}"), Evidence::SynAckHmac, 64.0, 0.0),
        both(whole, |hmac| format!("0x{}", hexadecimal(&hmac)), Evidence::AckHmac, 64.0, 0.0),
    ];
    for hmac in hmacs.into_iter().flatten() {
        proven |= hmac.bits > 0.0;
        reasons.push(hmac);
    }
    Identity { proven, reasons, flipped: None }
}

/// Compares what both captures hold.
fn both<T>(
    values: (Option<T>, Option<T>),
    text: impl Fn(T) -> String,
    evidence: Evidence,
    agrees: f64,
    differs: f64,
) -> Option<Reason> {
    let (one, other) = (values.0?, values.1?);
    Some(compare(evidence, agrees, differs, [text(one), text(other)]))
}

fn compare(evidence: Evidence, agrees: f64, differs: f64, [one, other]: [String; 2]) -> Reason {
    if one == other {
        Reason::new(evidence, agrees, format!("{one} in both"))
    } else {
        Reason::new(evidence, differs, format!("{one} here, {other} there"))
    }
}
