//! Tunnels that carry IP or Ethernet.

use super::layers::Layer;
use super::view::View;

/// MPLS labels (RFC 3032 §2.1). What is below them is told by its first bits; anything but IP is a pseudowire.
pub fn mpls(labels: View<'_>) -> Option<Layer<'_>> {
    const BOTTOM: u32 = 0x100;
    let mut content = labels;
    loop {
        let label = content.u32(0)?;
        content = content.skip(4)?;
        if label & BOTTOM == 0 {
            continue;
        }
        return match (label >> 12, content.u8(0)? >> 4) {
            // An associated channel (RFC 5586) or an OAM alert (RFC 3429); no packet follows.
            (13 | 14, _) => None,
            (_, 4 | 6) => Some(Layer::Ip(content)),
            _ => Some(Layer::Unopened),
        };
    }
}

/// Generic Routing Encapsulation (RFC 2784, RFC 2890, version 1 in RFC 2637).
pub fn gre(header: View<'_>) -> Option<Layer<'_>> {
    /// A number that is an Ethernet type only here.
    const PPP: u16 = 0x880b;
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const ACKNOWLEDGEMENT: u16 = 0x0080;
    let (flags, kind) = (header.u16(0)?, header.u16(2)?);
    let mut content = header.skip(4)?;
    // Checksum and offset share a word; only PPP is acknowledged.
    let words = [CHECKSUM | ROUTING, KEY, SEQUENCE, if kind == PPP { ACKNOWLEDGEMENT } else { 0 }];
    for _ in words.iter().filter(|word| flags & *word != 0) {
        content = content.skip(4)?;
    }
    if flags & ROUTING != 0 {
        // Source route entries, the last of which is empty.
        loop {
            let (family, length) = (content.u16(0)?, content.u8(3)?);
            content = content.skip(4)?;
            if family == 0 && length == 0 {
                break;
            }
            content = content.skip(length.into())?;
        }
    }
    Some(if kind == PPP { Layer::Ppp(content) } else { Layer::Type(kind, content) })
}

/// UDP, for the tunnels in it: VXLAN (RFC 7348) by its port.
pub fn udp(header: View<'_>) -> Option<Layer<'_>> {
    const VXLAN: u16 = 4789;
    /// GTP, GENEVE, VXLAN-GPE, L2TP, Teredo, LISP, MPLS.
    const UNOPENED: [u16; 7] = [2152, 6081, 4790, 1701, 3544, 4341, 6635];
    let ports = [header.u16(0)?, header.u16(2)?];
    if ports.contains(&VXLAN) {
        return Some(Layer::Ethernet(header.skip(8)?.limit(usize::from(header.u16(4)?.saturating_sub(8))).skip(8)?));
    }
    ports.iter().any(|port| UNOPENED.contains(port)).then_some(Layer::Unopened)
}
