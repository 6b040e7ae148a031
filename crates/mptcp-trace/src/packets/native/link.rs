//! Link layers: from the start of a frame to the layer above.

use super::file::Recorded;
use super::layers::Layer;
use super::view::View;

/// The largest length that IEEE 802.3 has in place of a type.
const LONGEST: u16 = 1500;

/// The link types that are understood, for people.
pub const LINKS: &str = "Ethernet, Linux cooked, raw IP, BSD loopback, PPP, PPPoE and Cisco HDLC";

/// A link type whose frames are understood, by the kind of its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// BSD loopback, the address family in the order of the machine that recorded it.
    Null,
    /// OpenBSD loopback, the address family in network order.
    Loop,
    /// Ethernet.
    Ethernet,
    /// PPP, with or without its address and control bytes.
    Ppp,
    /// PPP as above or Cisco HDLC.
    PppSerial,
    /// PPP over Ethernet, the session stage alone.
    PppoeSession,
    /// Cisco HDLC.
    CiscoHdlc,
    /// IPv4 or IPv6 without a link layer.
    Raw,
    /// IPv6 without a link layer.
    RawIpv6,
    /// Linux cooked capture, version 1.
    Sll,
    /// Linux cooked capture, version 2.
    Sll2,
}

impl Link {
    /// The link type of that number (`LINKTYPE_…` of tcpdump.org).
    #[must_use]
    pub fn of(number: u32) -> Option<Link> {
        Some(match number {
            0 => Link::Null,
            1 => Link::Ethernet,
            9 => Link::Ppp,
            12 | 14 | 101 | 228 => Link::Raw,
            50 => Link::PppSerial,
            51 => Link::PppoeSession,
            104 => Link::CiscoHdlc,
            108 => Link::Loop,
            113 => Link::Sll,
            229 => Link::RawIpv6,
            276 => Link::Sll2,
            _ => return None,
        })
    }

    /// The layer that a frame begins with.
    #[inline]
    #[must_use]
    pub fn first(self, frame: View<'_>) -> Option<Layer<'_>> {
        match self {
            Link::Ethernet => Some(Layer::Ethernet(frame)),
            Link::Null => null(frame),
            Link::Loop => family(frame.u32(0)?, frame.skip(4)?),
            Link::Ppp => Some(Layer::Ppp(frame)),
            Link::PppSerial => match frame.u8(0)? {
                // Unicast and multicast of Cisco HDLC.
                0x0f | 0x8f => cisco_hdlc(frame),
                _ => Some(Layer::Ppp(frame)),
            },
            Link::PppoeSession => pppoe(frame),
            Link::CiscoHdlc => cisco_hdlc(frame),
            Link::Raw => Some(Layer::Ip(frame)),
            Link::RawIpv6 => Some(Layer::Ipv6(frame)),
            Link::Sll => sll(frame, frame.u16(2)?, frame.u16(14)?, 16),
            Link::Sll2 => sll(frame, frame.u16(8)?, frame.u16(0)?, 20),
        }
    }
}

/// Ethernet, and IEEE 802.3 with a length in place of the type.
#[inline]
pub fn ethernet(frame: View<'_>) -> Option<Layer<'_>> {
    type_or_length(frame.u16(12)?, frame.skip(14)?)
}

/// A VLAN tag (IEEE 802.1Q) after its type.
pub fn vlan(tag: View<'_>) -> Option<Layer<'_>> {
    type_or_length(tag.u16(2)?, tag.skip(4)?)
}

#[inline]
fn type_or_length(number: u16, content: View<'_>) -> Option<Layer<'_>> {
    if number <= LONGEST {
        return llc(content.limit(number.into()));
    }
    Some(Layer::Type(number, content))
}

/// IEEE 802.2: SNAP, or IP by its own number.
pub fn llc(content: View<'_>) -> Option<Layer<'_>> {
    const SNAP: u8 = 0xaa;
    const IP: u8 = 0x06;
    let [destination, source, control] = content.array::<3>(0)?;
    let control_length = if control & 3 == 3 { 1 } else { 2 };
    let content = content.skip(2_usize.checked_add(control_length)?)?;
    match (destination, source) {
        (SNAP, SNAP) => match content.array::<3>(0)? {
            // Encapsulated Ethernet; 00-00-f8 is what bridges wrote for it.
            [0, 0, 0 | 0xf8] => Some(Layer::Type(content.u16(3)?, content.skip(5)?)),
            _ => None,
        },
        (IP, _) => Some(Layer::Ip(content)),
        _ => None,
    }
}

/// PPP: address (always the same) and control may be left out, and so may the protocol's first byte.
pub fn ppp(frame: View<'_>) -> Option<Layer<'_>> {
    let frame = if frame.u8(0) == Some(0xff) { frame.skip(2)? } else { frame };
    let first = frame.u8(0)?;
    let (protocol, content) =
        if first & 1 == 1 { (u16::from(first), frame.skip(1)?) } else { (frame.u16(0)?, frame.skip(2)?) };
    match protocol {
        0x0021 => Some(Layer::Ip(content)),
        0x0057 => Some(Layer::Ipv6(content)),
        0x0281 | 0x0283 => Some(Layer::Mpls(content)),
        // Multilink, headers compressed by Van Jacobson's or a later way, compressed datagrams: there may be TCP in it.
        0x003d | 0x002d | 0x002f | 0x0061 | 0x00fd | 0x00fb => Some(Layer::Unopened),
        _ => None,
    }
}

/// PPPoE, session stage (RFC 2516 §4).
pub fn pppoe(content: View<'_>) -> Option<Layer<'_>> {
    let length = content.u16(4)?;
    Some(Layer::Ppp(content.skip(6)?.limit(length.into())))
}

fn cisco_hdlc(frame: View<'_>) -> Option<Layer<'_>> {
    Some(Layer::Type(frame.u16(2)?, frame.skip(4)?))
}

/// The family is in either order, in 32 or 16 bits; some systems wrote an Ethernet type.
fn null(frame: View<'_>) -> Option<Layer<'_>> {
    let bytes = frame.array::<4>(0)?;
    if bytes.starts_with(&[0xff, 0x03]) {
        return Some(Layer::Ppp(frame));
    }
    let content = frame.skip(4)?;
    const LARGEST_OF_16_BITS: u32 = 5;
    let number = u32::from_le_bytes(bytes);
    let (upper, middle) = (number >> 16, number >> 8);
    let number = match number {
        // A 16-bit family in the upper half, or a 32-bit one of the other order.
        _ if upper != 0 && upper <= LARGEST_OF_16_BITS => upper,
        _ if upper != 0 => number.swap_bytes(),
        // A 16-bit family of the other order.
        _ if number & 0xff == 0 && middle <= LARGEST_OF_16_BITS => middle,
        _ => number,
    };
    if number <= LONGEST.into() {
        return family(number, content);
    }
    let [_, _, high, low] = number.to_be_bytes();
    Some(Layer::Type(u16::from_be_bytes([high, low]), content))
}

/// Address families of the BSDs, of Darwin for IPv6 too.
fn family(number: u32, content: View<'_>) -> Option<Layer<'_>> {
    match number {
        2 => Some(Layer::Ip(content)),
        24 | 28 | 30 => Some(Layer::Ipv6(content)),
        _ => None,
    }
}

/// The index that Linux gives to the interface of a packet, which version 2 of a cooked capture says.
#[inline]
pub fn interface_index(packet: &Recorded<'_>) -> Option<u32> {
    (packet.link == Ok(Link::Sll2)).then(|| packet.view().u32(4))?
}

/// Whether the link layer says that the capturing host sent a packet, which cooked captures do.
#[inline]
pub fn is_outgoing(packet: &Recorded<'_>) -> bool {
    const OUTGOING: u8 = 4;
    let kind = match packet.link {
        Ok(Link::Sll) => packet.view().u8(1),
        Ok(Link::Sll2) => packet.view().u8(10),
        _ => None,
    };
    kind == Some(OUTGOING)
}

/// Linux cooked capture: the hardware type and what would be the Ethernet type.
fn sll(frame: View<'_>, hardware: u16, protocol: u16, header: usize) -> Option<Layer<'_>> {
    const FRAME_RELAY: u16 = 770;
    const RADIOTAP: u16 = 803;
    const NETLINK: u16 = 824;
    let content = frame.skip(header)?;
    if hardware == NETLINK {
        return None;
    }
    match protocol {
        // Numbers of Linux for what has no Ethernet type.
        3 => Some(Layer::Ethernet(content)),
        4 => llc(content),
        7 => Some(Layer::Ppp(content)),
        0..=1500 if matches!(hardware, FRAME_RELAY | RADIOTAP) => Some(Layer::Unopened),
        0..=1500 => None,
        protocol => Some(Layer::Type(protocol, content)),
    }
}
