//! From layer to layer down to TCP, the innermost.
//!
//! Each step takes bytes away, so that no packet takes more steps than it has bytes.

use super::ip::{self, Fragment, Ip};
use super::link::{self, Link};
use super::tunnel;
use super::view::View;

/// The next part of a packet.
#[derive(Debug, Clone, Copy)]
pub enum Layer<'a> {
    /// An Ethernet header.
    Ethernet(View<'a>),
    /// Meaning of an Ethernet type.
    Type(u16, View<'a>),
    /// PPP.
    Ppp(View<'a>),
    /// MPLS labels.
    Mpls(View<'a>),
    /// IPv4 or IPv6, as the version says.
    Ip(View<'a>),
    /// IPv6 and nothing else.
    Ipv6(View<'a>),
    /// Meaning of an IP protocol number after that IP header.
    Protocol(u8, Ip, View<'a>),
    /// Something that may hold TCP and is not opened here.
    Unopened,
}

/// Content of a frame.
#[derive(Debug, Clone, Copy)]
pub enum FrameContent<'a> {
    /// No TCP.
    Other,
    /// A later fragment of an IP packet with TCP: its header is in the first one.
    LaterFragment,
    /// A tunnel that is not opened here and may hold TCP.
    Unopened,
    /// TCP, after the innermost IP header.
    Tcp(Ip, View<'a>),
}

/// Ethernet types.
mod ethernet_type {
    pub const IPV4: u16 = 0x0800;
    pub const TRANSPARENT_BRIDGING: u16 = 0x6558;
    pub const VLAN: u16 = 0x8100;
    pub const IPV6: u16 = 0x86dd;
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_MULTICAST: u16 = 0x8848;
    pub const PPPOE_SESSION: u16 = 0x8864;
    pub const SERVICE_VLAN: u16 = 0x88a8;
    pub const OLD_QINQ: u16 = 0x9100;
    /// TRILL, ERSPAN, batman-adv, WCCP, MACsec, backbone bridges, frames of 802.11, HSR, NSH and various tags.
    pub const UNOPENED: [u16; 14] = [
        0x22f3, 0x22eb, 0x4305, 0x883e, 0x8874, 0x88be, 0x88e5, 0x88e7, 0x890d, 0x8926, 0x892f, 0x893f, 0x894f, 0xf1c1,
    ];
}

/// IP protocol numbers.
mod protocol {
    pub const IPV4: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const GRE: u8 = 47;
    pub const ETHERIP: u8 = 97;
    pub const L2TP: u8 = 115;
    pub const UDP_LITE: u8 = 136;
    pub const MPLS: u8 = 137;
    pub const ETHERNET: u8 = 143;
}

/// Looks for TCP in a frame of that link type. The quotation in an ICMP error is none.
#[inline]
#[must_use]
pub fn dissect(link: Link, frame: View<'_>) -> FrameContent<'_> {
    if let Some((ip, content)) = usual(link, frame) {
        return FrameContent::Tcp(ip, content);
    }
    let Some(mut layer) = link.first(frame) else { return FrameContent::Other };
    let mut fragment = Fragment::Whole;
    loop {
        let next = match layer {
            Layer::Ethernet(frame) => link::ethernet(frame),
            Layer::Type(number, content) => by_type(number, content),
            Layer::Ppp(frame) => link::ppp(frame),
            Layer::Mpls(labels) => tunnel::mpls(labels),
            Layer::Ip(packet) => ip::either(packet),
            Layer::Ipv6(packet) => ip::v6(packet),
            Layer::Unopened => return FrameContent::Unopened,
            // With nothing after the IP header there is no TCP at all.
            Layer::Protocol(_, _, View { length: 0, .. }) => None,
            Layer::Protocol(protocol::TCP, Ip { fragment: Fragment::Later, .. }, _) => {
                return FrameContent::LaterFragment;
            }
            Layer::Protocol(_, Ip { fragment: Fragment::Later, .. }, _) => None,
            Layer::Protocol(protocol::TCP, ip, content) if fragment == Fragment::Whole => {
                return FrameContent::Tcp(ip, content);
            }
            Layer::Protocol(protocol::TCP, ip, content) => return FrameContent::Tcp(Ip { fragment, ..ip }, content),
            Layer::Protocol(number, ip, content) => {
                // What is within the first part of a packet is not whole, either.
                fragment = if ip.fragment == Fragment::First { Fragment::First } else { fragment };
                by_protocol(number, ip, content)
            }
        };
        match next {
            Some(next) => layer = next,
            None => return FrameContent::Other,
        }
    }
}

/// TCP right after Ethernet and IP, as in most frames: the same steps, where the compiler knows which follows which.
#[inline]
fn usual(link: Link, frame: View<'_>) -> Option<(Ip, View<'_>)> {
    let Layer::Ethernet(frame) = link.first(frame)? else { return None };
    let Layer::Type(number, content) = link::ethernet(frame)? else { return None };
    let ip = match by_type(number, content)? {
        Layer::Ip(packet) => ip::either(packet)?,
        Layer::Ipv6(packet) => ip::v6(packet)?,
        _ => return None,
    };
    let Layer::Protocol(protocol::TCP, ip, content) = ip else { return None };
    (ip.fragment == Fragment::Whole && content.length > 0).then_some((ip, content))
}

#[inline]
fn by_type(number: u16, content: View<'_>) -> Option<Layer<'_>> {
    match number {
        ethernet_type::IPV4 => Some(Layer::Ip(content)),
        ethernet_type::IPV6 => Some(Layer::Ipv6(content)),
        ethernet_type::VLAN | ethernet_type::SERVICE_VLAN | ethernet_type::OLD_QINQ => link::vlan(content),
        ethernet_type::MPLS | ethernet_type::MPLS_MULTICAST => Some(Layer::Mpls(content)),
        ethernet_type::PPPOE_SESSION => link::pppoe(content),
        ethernet_type::TRANSPARENT_BRIDGING => Some(Layer::Ethernet(content)),
        number if ethernet_type::UNOPENED.contains(&number) => Some(Layer::Unopened),
        _ => None,
    }
}

fn by_protocol(number: u8, ip: Ip, content: View<'_>) -> Option<Layer<'_>> {
    match number {
        protocol::UDP => tunnel::udp(content),
        protocol::UDP_LITE => tunnel::udp(content).map(|_| Layer::Unopened),
        protocol::IPV4 => Some(Layer::Ip(content)),
        protocol::IPV6 => Some(Layer::Ipv6(content)),
        protocol::GRE => tunnel::gre(content),
        protocol::MPLS => Some(Layer::Mpls(content)),
        protocol::ETHERNET => Some(Layer::Ethernet(content)),
        protocol::ETHERIP | protocol::L2TP => Some(Layer::Unopened),
        number => ip::extension(number, ip, content),
    }
}
