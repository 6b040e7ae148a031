//! MPTCP's options: version 0 (RFC 6824) and version 1 (RFC 8684).
//!
//! The content of an option follows from its subtype, its length and, for MP_JOIN, the packet's TCP flags. An option that
//! lacks values that it should have, because the snap length cut it or its length is wrong, says so.

use std::net::IpAddr;

use super::view::{array, u16, u32, u64};
use crate::packets::segment::{
    AddAddr, Capable, Control, Dss, Fields, Join, Mapping, Prio, ResetReason, flag, subtype,
};

/// Takes in one option of `length` bytes, of which `bytes` were recorded, kind and length included, as one of a packet whose
/// TCP flags are known. Tells whether it was whole. `has_dss` says whether a DSS came before, whose content may have been
/// cut.
#[inline]
pub fn read(bytes: &[u8], length: usize, has_dss: &mut bool, packet: &mut Fields) -> bool {
    let Some(subtype) = bytes.get(2).map(|byte| byte >> 4) else { return false };
    if subtype == subtype::DSS && !*has_dss && packet.control.is_none() {
        *has_dss = true;
        return dss(bytes, length, &mut packet.dss);
    }
    let control = packet.control.get_or_insert_with(|| {
        let subtypes = if *has_dss { vec![subtype::DSS] } else { Vec::new() };
        Box::new(Control { subtypes, ..Control::default() })
    });
    control.subtypes.push(subtype);
    match subtype {
        subtype::DSS => dss(bytes, length, &mut packet.dss),
        _ => beside_dss(subtype, bytes, length, packet.flags, control),
    }
}

/// DSS (RFC 8684 §3.3).
#[inline]
fn dss(bytes: &[u8], length: usize, slot: &mut Option<Dss>) -> bool {
    let Some(flags) = bytes.get(3).copied() else { return false };
    let mut dss = Dss { flags, ..Dss::default() };
    let mut whole = true;
    let mut at = 4_usize;
    let mut number = |long: bool| {
        let number = if long { u64(bytes, at) } else { u32(bytes, at).map(u64::from) };
        at = at.saturating_add(if long { 8 } else { 4 });
        number
    };
    if dss.has(Dss::DATA_ACK) {
        dss.data_ack = number(dss.has(Dss::DATA_ACK_8));
        whole &= dss.data_ack.is_some();
    }
    if dss.has(Dss::MAPPING) {
        let dsn = number(dss.has(Dss::DSN_8));
        let (ssn, data_length) = (u32(bytes, at), u16(bytes, at.saturating_add(4)));
        let end = at.saturating_add(6);
        // Only its length tells whether it has a checksum.
        let has_checksum = length == end.saturating_add(2);
        let checksum = u16(bytes, end).filter(|_| has_checksum);
        if let (Some(dsn), Some(ssn), Some(length)) = (dsn, ssn, data_length) {
            dss.mapping = Some(Mapping { dsn, ssn, length, checksum });
        }
        whole &= dss.mapping.is_some() && (checksum.is_some() || !has_checksum);
    }
    *slot = Some(dss);
    whole
}

/// The options other than DSS.
fn beside_dss(kind: u8, bytes: &[u8], length: usize, tcp_flags: u16, control: &mut Control) -> bool {
    match kind {
        subtype::MP_CAPABLE => capable(bytes, length, control),
        subtype::MP_JOIN => join(bytes, length, tcp_flags, control),
        subtype::ADD_ADDR => add_addr(bytes, length, control),
        subtype::REMOVE_ADDR => {
            let ids = bytes.get(3..).unwrap_or(&[]);
            control.remove_addr = Some(ids.to_vec());
            ids.len() == length.saturating_sub(3)
        }
        subtype::MP_PRIO => {
            let (backup, address_id) = (flag_bit(bytes), bytes.get(3).copied().filter(|_| length == 4));
            control.prio = backup.map(|backup| Prio { backup, address_id });
            backup.is_some() && (address_id.is_some() || length != 4)
        }
        subtype::MP_FAIL => {
            control.fail = u64(bytes, 4);
            control.fail.is_some()
        }
        subtype::MP_FASTCLOSE => {
            control.fastclose = u64(bytes, 4);
            control.fastclose.is_some()
        }
        subtype::MP_TCPRST => {
            let (flags, reason) = (bytes.get(2).copied().unwrap_or(0) & 0x0f, bytes.get(3).copied());
            control.reset = Some(ResetReason { flags, reason });
            reason.is_some()
        }
        _ => bytes.len() == length,
    }
}

/// The lowest bit beside the subtype: backup, or echo.
fn flag_bit(bytes: &[u8]) -> Option<bool> {
    bytes.get(2).map(|byte| byte & 1 == 1)
}

/// MP_CAPABLE (RFC 8684 §3.1): its length tells how far it goes.
fn capable(bytes: &[u8], length: usize, control: &mut Control) -> bool {
    let (Some(first), Some(flags)) = (bytes.get(2), bytes.get(3).copied()) else { return false };
    let (has_key, has_both) = (matches!(length, 12 | 20 | 22 | 24), matches!(length, 20 | 22 | 24));
    let capable = Capable {
        version: first & 0x0f,
        flags,
        sender_key: u64(bytes, 4).filter(|_| has_key),
        receiver_key: u64(bytes, 12).filter(|_| has_both),
        data_length: u16(bytes, 20).filter(|_| has_both && length >= 22),
        checksum: u16(bytes, 22).filter(|_| has_both && length >= 24),
    };
    control.capable = Some(capable);
    bytes.len() == length && (has_key || length < 12)
}

/// MP_JOIN (RFC 8684 §3.2): SYN, SYN/ACK and ACK carry different things.
fn join(bytes: &[u8], length: usize, tcp_flags: u16, control: &mut Control) -> bool {
    let due = match tcp_flags & (flag::SYN | flag::ACK) {
        flag::SYN => 12,
        flag::ACK | 0 => 24,
        _ => 16,
    };
    if length != due {
        return false;
    }
    if tcp_flags & flag::SYN == 0 {
        let hmac = array::<20>(bytes, 4);
        control.join = Some(Join::Ack { hmac });
        return hmac.is_some();
    }
    let (Some(backup), Some(address_id)) = (flag_bit(bytes), bytes.get(3).copied()) else { return false };
    if tcp_flags & flag::ACK == 0 {
        let (token, nonce) = (u32(bytes, 4), u32(bytes, 8));
        control.join = Some(Join::Syn { backup, address_id, token, nonce });
        return token.is_some() && nonce.is_some();
    }
    let (truncated_hmac, nonce) = (u64(bytes, 4), u32(bytes, 12));
    control.join = Some(Join::SynAck { backup, address_id, truncated_hmac, nonce });
    truncated_hmac.is_some() && nonce.is_some()
}

/// ADD_ADDR (RFC 8684 §3.4.1, RFC 6824 §3.4.1): its length tells the IP version and whether a port and an HMAC follow.
fn add_addr(bytes: &[u8], length: usize, control: &mut Control) -> bool {
    // Version 0 has an IP version, 4 or 6, where version 1 has the echo flag, and no HMAC.
    let (Some(echo), Some(address_id)) = (flag_bit(bytes), bytes.get(3).copied()) else { return false };
    let address = match length {
        8 | 10 | 16 | 18 => array::<4>(bytes, 4).map(IpAddr::from),
        20 | 22 | 28 | 30 => array::<16>(bytes, 4).map(IpAddr::from),
        _ => None,
    };
    let after_address = if length < 20 { 8_usize } else { 20 };
    let has_port = matches!(length, 10 | 18 | 22 | 30);
    let port = u16(bytes, after_address).filter(|_| has_port);
    let has_hmac = matches!(length, 16 | 18 | 28 | 30);
    let hmac = u64(bytes, length.saturating_sub(8)).filter(|_| has_hmac);
    control.add_addr = Some(AddAddr { address_id, echo, address, port, hmac });
    address.is_some() && (port.is_some() || !has_port) && (hmac.is_some() || !has_hmac)
}
