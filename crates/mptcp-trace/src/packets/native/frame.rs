//! One frame by itself.

use super::Beyond;
use super::layers::{self, FrameContent};
use super::link::Link;
use super::tcp::Tcp;
use super::view::View;

use crate::packets::segment::Fields;

/// Content of one frame of that link type (`LINKTYPE_…` of tcpdump.org), of which `bytes` were recorded and which was
/// `wire_length` bytes long: the TCP packet, whose number and time are 0, or `None` when there is none, or too little
/// of it. For frames that come from elsewhere than a capture file.
///
/// # Errors
/// [`Beyond::LinkType`] when the link type is not understood.
///
/// ```
/// use mptcp_trace::packets::native::dissect_frame;
///
/// // A SYN from 192.0.2.1, port 40001, without a link layer: 101 is raw IP.
/// let ip = [0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
/// let tcp = [0x9c, 0x41, 0, 80, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff, 0, 0, 0, 0];
/// let packet = dissect_frame(101, &[ip, tcp].concat(), 40)?.expect("there is TCP in it");
/// assert_eq!((packet.source_port, packet.sequence, packet.payload), (40001, 9, Some(0)));
/// # Ok::<(), mptcp_trace::packets::native::Beyond>(())
/// ```
pub fn dissect_frame(link_type: u32, bytes: &[u8], wire_length: usize) -> Result<Option<Fields>, Beyond> {
    let link = Link::of(link_type).ok_or(Beyond::LinkType(link_type))?;
    let frame = View { bytes, length: wire_length.max(bytes.len()) };
    Ok(match layers::dissect(link, frame) {
        FrameContent::Tcp(ip, content) => Tcp::of(&ip, content).map(|tcp| tcp.fields),
        _ => None,
    })
}
