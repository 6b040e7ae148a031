//! IPv4 and IPv6.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::layers::Layer;
use super::view::View;

/// Kept parts of an IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// Time to live, or hop limit.
    pub ttl: u8,
    /// IPv4 total length or IPv6 payload length; where the header says 0, as with segmentation offload, what there was.
    pub length: u32,
    /// IPv4 identification.
    pub id: Option<u16>,
    /// Whether there is more to the packet.
    pub fragment: Fragment,
}

/// Which part of an IP packet there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fragment {
    /// All of it.
    Whole,
    /// The first part.
    First,
    /// A later part, without the header of the next protocol.
    Later,
}

impl Fragment {
    fn of(offset: u16, more: bool) -> Fragment {
        match (offset, more) {
            (0, false) => Fragment::Whole,
            (0, true) => Fragment::First,
            _ => Fragment::Later,
        }
    }
}

/// IPv4 or IPv6, as the version says.
#[inline]
pub fn either(packet: View<'_>) -> Option<Layer<'_>> {
    match packet.u8(0)? >> 4 {
        4 => v4(packet),
        6 => v6(packet),
        _ => None,
    }
}

/// IPv4 (RFC 791 §3.1).
#[inline]
fn v4(packet: View<'_>) -> Option<Layer<'_>> {
    const MORE: u16 = 0x2000;
    const OFFSET: u16 = 0x1fff;
    let [first, _, l0, l1, i0, i1, f0, f1, ttl, protocol] = packet.array::<10>(0)?;
    let (source, destination) = (Ipv4Addr::from(packet.array::<4>(12)?), Ipv4Addr::from(packet.array::<4>(16)?));
    let header_length = usize::from(first & 0x0f) * 4;
    let length = match usize::from(u16::from_be_bytes([l0, l1])) {
        // Recorded before the network card cut it into packets.
        0 => packet.length,
        length => length,
    };
    if header_length < 20 || length < header_length {
        return None;
    }
    let fragment = u16::from_be_bytes([f0, f1]);
    let route_end = if header_length > 20 { route_end(packet, header_length) } else { None };
    let ip = Ip {
        source: IpAddr::V4(source),
        destination: IpAddr::V4(route_end.unwrap_or(destination)),
        ttl,
        length: u32::try_from(length).unwrap_or(u32::MAX),
        id: Some(u16::from_be_bytes([i0, i1])),
        fragment: Fragment::of(fragment & OFFSET, fragment & MORE != 0),
    };
    Some(Layer::Protocol(protocol, ip, packet.limit(length).skip(header_length)?))
}

/// The last address of a source route that is not used up (RFC 791 §3.1): the destination, while the header names the
/// next stop. What is malformed before it hides it.
#[cold]
fn route_end(packet: View<'_>, header_length: usize) -> Option<Ipv4Addr> {
    const END: u8 = 0;
    const NO_OPERATION: u8 = 1;
    const LOOSE: u8 = 131;
    const STRICT: u8 = 137;
    let (mut at, mut found) = (20_usize, None);
    while at < header_length {
        let length = match packet.u8(at)? {
            END => break,
            NO_OPERATION => 1,
            _ => usize::from(packet.u8(at.saturating_add(1))?),
        };
        let end = at.checked_add(length).filter(|end| length > 0 && *end <= header_length)?;
        if matches!(packet.u8(at)?, LOOSE | STRICT) {
            let pointer = usize::from(packet.u8(at.saturating_add(2))?);
            if length >= 7 && pointer.is_multiple_of(4) && (4..=length).contains(&pointer) {
                found = packet.array::<4>(end.checked_sub(4)?).map(Ipv4Addr::from);
            }
        }
        at = end;
    }
    found
}

/// IPv6 (RFC 8200 §3).
#[inline]
pub fn v6(packet: View<'_>) -> Option<Layer<'_>> {
    let content = packet.skip(40)?;
    if packet.u8(0)? >> 4 != 6 {
        return None;
    }
    let protocol = packet.u8(6)?;
    let length = match usize::from(packet.u16(4)?) {
        // Recorded before the network card cut it into packets, or a jumbogram.
        0 => jumbo_length(protocol, content).unwrap_or(content.length),
        length => length,
    };
    let ip = Ip {
        source: IpAddr::V6(Ipv6Addr::from(packet.array::<16>(8)?)),
        destination: IpAddr::V6(Ipv6Addr::from(packet.array::<16>(24)?)),
        ttl: packet.u8(7)?,
        length: u32::try_from(length).unwrap_or(u32::MAX),
        id: None,
        fragment: Fragment::Whole,
    };
    Some(Layer::Protocol(protocol, ip, content.limit(length)))
}

/// The payload length in a jumbo payload option that comes first in a hop-by-hop header (RFC 2675 §2).
fn jumbo_length(protocol: u8, content: View<'_>) -> Option<usize> {
    const HOP_BY_HOP: u8 = 0;
    let length = content.u32(4).filter(|_| protocol == HOP_BY_HOP && content.u16(2) == Some(0xc204))?;
    usize::try_from(length).ok()
}

/// Extension headers (RFC 8200 §4) and others that only stand before the next protocol.
pub fn extension(number: u8, ip: Ip, header: View<'_>) -> Option<Layer<'_>> {
    const HOP_BY_HOP: u8 = 0;
    const ROUTING: u8 = 43;
    const FRAGMENT: u8 = 44;
    const AUTHENTICATION: u8 = 51;
    const DESTINATION_OPTIONS: u8 = 60;
    const SHIM6: u8 = 140;
    let (next, length) = (header.u8(0)?, usize::from(header.u8(1)?));
    let (ip, length) = match number {
        HOP_BY_HOP | ROUTING | DESTINATION_OPTIONS | SHIM6 => (ip, length.checked_add(1)?.checked_mul(8)?),
        AUTHENTICATION => (ip, length.checked_add(2)?.checked_mul(4)?),
        FRAGMENT => {
            let word = header.u16(2)?;
            (Ip { fragment: Fragment::of(word >> 3, word & 1 == 1), ..ip }, 8)
        }
        _ => return None,
    };
    Some(Layer::Protocol(next, ip, header.skip(length)?))
}
