//! One packet's place in its stream, and what it is there.

use super::standing::Nature;
use crate::StreamId;
use crate::packets::segment::{Segment, flag};

/// Meaning of one packet within its stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketInStream {
    /// The stream's number.
    pub stream: StreamId,
    /// Relative sequence number.
    pub sequence: u32,
    // There is one of these for every packet: what may be missing is kept in few bytes.
    pub(super) acknowledgement: u32,
    pub(super) window: u32,
    pub(super) acknowledges: bool,
    /// Sent by the end that sent the stream's first packet.
    pub by_first_sender: bool,
    /// Where packets were recorded in two places: this one was at the other place alone. It counts, but its time is that
    /// place's, and what it says was not said where the others were recorded.
    pub elsewhere: bool,
    /// Role beyond its flags.
    pub nature: Nature,
}

/// Stands for no window: a real one has at most 30 bits.
pub(super) const NO_WINDOW: u32 = u32::MAX;

// A capture has millions of them.
const _: () = assert!(size_of::<PacketInStream>() <= 20);

impl PacketInStream {
    /// Relative acknowledgement number, of packets with the ACK flag.
    #[inline]
    #[must_use]
    pub fn acknowledgement(&self) -> Option<u32> {
        self.acknowledges.then_some(self.acknowledgement)
    }

    /// Scaled receive window, bytes; `None` when the scale was not captured, unless it is zero.
    #[inline]
    #[must_use]
    pub fn window(&self) -> Option<u32> {
        Some(self.window).filter(|window| *window != NO_WINDOW)
    }

    /// Bytes of the packet's payload that are data of the stream; `None` when the packet does not tell. Those of
    /// keep-alives and window probes are none, nor is what a RST carries (RFC 9293 §3.10.7.4 lets it explain itself).
    #[inline]
    #[must_use]
    pub fn data(&self, segment: &Segment) -> Option<u32> {
        let length = segment.payload()?;
        Some(if self.nature.is_without_data() || segment.has(flag::RST) { 0 } else { length })
    }

    /// Whether the packet has this flag, FIN or RST, and its receiver acts on it.
    #[inline]
    #[must_use]
    pub fn ends_with(&self, flag: u16, segment: &Segment) -> bool {
        segment.has(flag) && !self.nature.is_stray()
    }

    /// Whether a SYN/ACK acknowledges this stream's SYN, and the little data that one may carry. Where ports are
    /// reused quickly, the answer to an earlier SYN arrives within the next stream.
    #[must_use]
    pub fn answers_the_syn(&self) -> bool {
        self.acknowledgement().is_some_and(|relative| (1..=u32::from(u16::MAX)).contains(&relative))
    }
}

/// Data in the SYN (TCP Fast Open, RFC 7413).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FastOpen {
    /// Bytes of data in the SYN.
    pub sent: u32,
    /// Those that the server took; `None` where no answer was captured. The others are sent again after the handshake.
    pub accepted: Option<u32>,
}
