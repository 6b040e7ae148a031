//! TCP's options (RFC 9293 §3.1), one after the other.

use super::mptcp::Mptcp;
use super::view::{View, u16, u32};
use crate::packets::option_form;
use crate::packets::segment::{Malformed, SackBlocks};

/// Option kinds (IANA, "TCP Option Kind Numbers").
mod kind {
    pub use crate::packets::option_form::MPTCP;

    pub const END: u8 = 0;
    pub const NO_OPERATION: u8 = 1;
    pub const MAXIMUM_SEGMENT_SIZE: u8 = 2;
    pub const WINDOW_SCALE: u8 = 3;
    pub const SACK: u8 = 5;
    pub const TIMESTAMPS: u8 = 8;
}

/// Kinds of options, of which a header has room for 40.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kinds {
    kinds: [u8; 40],
    count: u8,
}

impl Default for Kinds {
    fn default() -> Self {
        Kinds { kinds: [0; 40], count: 0 }
    }
}

impl Kinds {
    #[inline]
    fn push(&mut self, kind: u8) {
        if let Some(slot) = self.kinds.get_mut(usize::from(self.count)) {
            *slot = kind;
            self.count = self.count.saturating_add(1);
        }
    }

    /// The kinds in the order sent.
    #[inline]
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.kinds.get(..usize::from(self.count)).unwrap_or(&[])
    }
}

/// The options of one packet.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    /// Kinds of all options, in order.
    pub kinds: Kinds,
    /// Maximum segment size.
    pub mss: Option<u16>,
    /// Window scale.
    pub window_scale: Option<u8>,
    /// Timestamps: value and echo.
    pub timestamps: Option<(u32, u32)>,
    /// SACK blocks.
    pub sack: SackBlocks,
    /// MPTCP.
    pub mptcp: Mptcp,
    /// Fewer bytes were recorded than there were.
    pub cut: bool,
    /// The first MPTCP option whose length rules it out.
    pub malformed: Option<Malformed>,
}

impl Options {
    /// Reads the options that stand from `start` to `end` of a packet with these TCP flags, as far as `packet` was
    /// recorded, or goes. An option with an impossible length ends the list. Zeros behind the end of the list are
    /// listed, as Wireshark does.
    #[inline]
    #[must_use]
    pub fn read(packet: View<'_>, start: usize, end: usize, flags: u16) -> Options {
        let mut options = Options::default();
        let recorded = packet.bytes.get(start..end).or(packet.bytes.get(start..)).unwrap_or(&[]);
        let announced = end.saturating_sub(start);
        let (mut at, mut ended) = (0, false);
        while let Some(kind) = recorded.get(at).copied() {
            if ended && kind != kind::END {
                break;
            }
            if kind <= kind::NO_OPERATION {
                ended |= kind == kind::END;
                options.kinds.push(kind);
                at = at.saturating_add(1);
                continue;
            }
            let Some(length) = recorded.get(at.saturating_add(1)).map(|length| usize::from(*length)) else {
                break;
            };
            let next = at.saturating_add(length);
            if length < 2 || next > announced {
                if kind == kind::MPTCP {
                    options.note_malformed(recorded.get(at..).unwrap_or(&[]), length);
                }
                break;
            }
            options.kinds.push(kind);
            let content = recorded.get(at..next).or(recorded.get(at..)).unwrap_or(&[]);
            options.option(kind, content, length, flags);
            at = next;
        }
        options.cut |= announced > recorded.len() && !ended && packet.bytes.len() < packet.length;
        options
    }

    /// Takes in one option of `length` bytes, of which `bytes` were recorded.
    #[inline]
    fn option(&mut self, kind: u8, bytes: &[u8], length: usize, flags: u16) {
        match (kind, length) {
            (kind::TIMESTAMPS, 10) => self.timestamps = u32(bytes, 2).zip(u32(bytes, 6)).or(self.timestamps),
            (kind::MPTCP, _) => {
                let whole = self.mptcp.read(bytes, length, flags);
                self.cut |= !whole && bytes.len() < length;
                if !option_form::fits(bytes, length, flags) {
                    self.note_malformed(bytes, length);
                }
            }
            (kind::MAXIMUM_SEGMENT_SIZE, 4) => self.mss = u16(bytes, 2),
            (kind::WINDOW_SCALE, 3) => self.window_scale = bytes.get(2).copied(),
            (kind::SACK, _) => {
                let edges = bytes.get(2..).unwrap_or(&[]);
                for block in edges.chunks_exact(8) {
                    if let (Some(left), Some(right)) = (u32(block, 0), u32(block, 4)) {
                        self.sack.push(left, right);
                    }
                }
            }
            _ => {}
        }
    }

    #[cold]
    fn note_malformed(&mut self, bytes: &[u8], length: usize) {
        self.malformed.get_or_insert_with(|| option_form::malformed(bytes, length));
    }
}
