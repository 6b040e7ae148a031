//! TCP's header (RFC 9293 §3.1).

use std::net::{IpAddr, Ipv4Addr};

use super::ip::{Fragment, Ip};
use super::options::{self, Kinds};
use super::view::View;
use crate::packets::segment::{Fields, SackBlocks, Segment, flag};

/// A dissected packet, and what the table keeps beside it.
///
/// One is read over another in the same place: a packet has some 200 bytes of values, which cost more to move about than to
/// read.
#[derive(Debug, Clone, PartialEq)]
pub struct Tcp {
    /// The packet; number and time are the frame's, not known here.
    pub fields: Fields,
    /// Header length, bytes.
    pub header_length: u8,
    /// Kinds of the options, in order.
    pub kinds: Kinds,
    /// Maximum segment size option.
    pub mss: Option<u16>,
}

impl Default for Tcp {
    fn default() -> Self {
        const NOBODY: (IpAddr, u16) = (IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        let fields = Fields { packetid: 0, ..Fields::between(NOBODY, NOBODY) };
        Tcp { fields, header_length: 0, kinds: Kinds::default(), mss: None }
    }
}

/// Bytes of the header whose content has a place of its own.
const FIXED: usize = 20;

impl Tcp {
    /// The packet after that IP header; `None` as [`Tcp::read`] tells.
    #[must_use]
    pub fn of(ip: &Ip, packet: View<'_>) -> Option<Tcp> {
        let mut tcp = Tcp::default();
        tcp.read(ip, packet).then_some(tcp)
    }

    /// Reads a packet, whatever was read before. False when the header was not recorded up to the window, or gives itself a
    /// length below the smallest.
    #[inline]
    #[must_use]
    pub fn read(&mut self, ip: &Ip, packet: View<'_>) -> bool {
        let Some(header) = packet.array::<16>(0) else { return false };
        let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, bits, w0, w1] = header;
        let header_length = usize::from(offset >> 4) * 4;
        if header_length < FIXED {
            return false;
        }
        let flags = u16::from_be_bytes([offset & 0x0f, bits]);
        self.header_length = u8::try_from(header_length).unwrap_or(u8::MAX);
        self.kinds.clear();
        self.mss = None;
        let fields = &mut self.fields;
        fields.source = ip.source;
        fields.destination = ip.destination;
        fields.source_port = u16::from_be_bytes([s0, s1]);
        fields.destination_port = u16::from_be_bytes([d0, d1]);
        fields.flags = flags;
        fields.window = u16::from_be_bytes([w0, w1]);
        fields.sequence = u32::from_be_bytes([q0, q1, q2, q3]);
        // Without the ACK flag the number on the wire means nothing.
        fields.acknowledgement = if flags & flag::ACK == 0 { 0 } else { u32::from_be_bytes([a0, a1, a2, a3]) };
        // A packet that ends within its header does not tell its payload, and has options up to its end.
        let payload = packet.length.checked_sub(header_length).filter(|_| ip.fragment == Fragment::Whole);
        fields.payload = payload.and_then(|length| Segment::believable(u32::try_from(length).ok()?));
        fields.timestamps = None;
        fields.window_scale = None;
        fields.options_cut = false;
        fields.malformed = None;
        fields.sack = SackBlocks::default();
        fields.dss = None;
        fields.control = None;
        options::read(packet, FIXED, header_length, self);
        true
    }
}
