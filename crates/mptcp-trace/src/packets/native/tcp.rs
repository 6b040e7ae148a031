//! TCP's header (RFC 9293 §3.1).

use super::ip::{Fragment, Ip};
use super::options::{self, Options};
use super::view::View;
use crate::Instant;
use crate::packets::segment::{Fields, Segment, flag};

/// A dissected packet, and what the table keeps beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tcp {
    /// The packet; number and time are the frame's, not known here.
    pub fields: Fields,
    /// Header length, bytes.
    pub header_length: u8,
    /// Kinds of the options, in order.
    pub kinds: options::Kinds,
    /// Maximum segment size option.
    pub mss: Option<u16>,
}

/// Bytes of the header whose content has a place of its own.
const FIXED: usize = 20;

/// Reads a packet. `None` when the header was not recorded up to the window, or gives itself a length below the
/// smallest.
#[inline]
#[must_use]
pub fn read(ip: &Ip, packet: View<'_>) -> Option<Tcp> {
    let header = packet.array::<16>(0)?;
    let [s0, s1, d0, d1, q0, q1, q2, q3, a0, a1, a2, a3, offset, bits, w0, w1] = header;
    let header_length = usize::from(offset >> 4) * 4;
    if header_length < FIXED {
        return None;
    }
    let flags = u16::from_be_bytes([offset & 0x0f, bits]);
    // A packet that ends within its header does not tell its payload, and has options up to its end.
    let payload = packet.length.checked_sub(header_length);
    let options = Options::read(packet, FIXED, header_length, flags);
    let fields = Fields {
        packetid: 0,
        abstime: Instant::EPOCH,
        source: ip.source,
        destination: ip.destination,
        source_port: u16::from_be_bytes([s0, s1]),
        destination_port: u16::from_be_bytes([d0, d1]),
        flags,
        window: u16::from_be_bytes([w0, w1]),
        sequence: u32::from_be_bytes([q0, q1, q2, q3]),
        // Without the ACK flag the number on the wire means nothing.
        acknowledgement: if flags & flag::ACK == 0 { 0 } else { u32::from_be_bytes([a0, a1, a2, a3]) },
        payload: payload
            .filter(|_| ip.fragment == Fragment::Whole)
            .and_then(|length| Segment::believable(u32::try_from(length).ok()?)),
        timestamps: options.timestamps,
        window_scale: options.window_scale,
        options_cut: options.cut,
        malformed: options.malformed,
        sack: options.sack,
        dss: options.mptcp.dss,
        control: options.mptcp.control,
    };
    let header_length = u8::try_from(header_length).unwrap_or(u8::MAX);
    Some(Tcp { fields, header_length, kinds: options.kinds, mss: options.mss })
}
