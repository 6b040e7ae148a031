//! TCP's options (RFC 9293 §3.1), one after the other.

use super::mptcp;
use super::tcp::Tcp;
use super::view::{View, u16, u32};
use crate::packets::option_form;

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
    /// Leaves out all.
    #[inline]
    pub fn clear(&mut self) {
        self.count = 0;
    }

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

/// Reads the options that stand from `start` to `end` of a packet into `tcp`, whose flags are known, as far as `packet` was
/// recorded, or goes. An option with an impossible length ends the list. Zeros behind the end of the list are listed, as
/// Wireshark does.
#[inline]
pub fn read(packet: View<'_>, start: usize, end: usize, tcp: &mut Tcp) {
    let recorded = packet.bytes.get(start..end).or(packet.bytes.get(start..)).unwrap_or(&[]);
    let announced = end.saturating_sub(start);
    let (mut at, mut ended, mut has_dss) = (0, false, false);
    while let Some(kind) = recorded.get(at).copied() {
        if ended && kind != kind::END {
            break;
        }
        if kind <= kind::NO_OPERATION {
            ended |= kind == kind::END;
            tcp.kinds.push(kind);
            at = at.saturating_add(1);
            continue;
        }
        let Some(length) = recorded.get(at.saturating_add(1)).map(|length| usize::from(*length)) else {
            break;
        };
        let next = at.saturating_add(length);
        if length < 2 || next > announced {
            if kind == kind::MPTCP {
                note_malformed(recorded.get(at..).unwrap_or(&[]), length, tcp);
            }
            break;
        }
        tcp.kinds.push(kind);
        let content = recorded.get(at..next).or(recorded.get(at..)).unwrap_or(&[]);
        if kind == kind::MPTCP {
            let whole = mptcp::read(content, length, &mut has_dss, &mut tcp.fields);
            tcp.fields.options_cut |= !whole && content.len() < length;
            if !option_form::fits(content, length, tcp.fields.flags) {
                note_malformed(content, length, tcp);
            }
        } else {
            other(kind, content, length, tcp);
        }
        at = next;
    }
    tcp.fields.options_cut |= announced > recorded.len() && !ended && packet.bytes.len() < packet.length;
}

/// Takes in one option of `length` bytes that is not MPTCP's, of which `bytes` were recorded.
#[inline]
fn other(kind: u8, bytes: &[u8], length: usize, tcp: &mut Tcp) {
    let fields = &mut tcp.fields;
    match (kind, length) {
        (kind::TIMESTAMPS, 10) => fields.timestamps = u32(bytes, 2).zip(u32(bytes, 6)).or(fields.timestamps),
        (kind::MAXIMUM_SEGMENT_SIZE, 4) => tcp.mss = u16(bytes, 2),
        (kind::WINDOW_SCALE, 3) => fields.window_scale = bytes.get(2).copied(),
        (kind::SACK, _) => {
            let edges = bytes.get(2..).unwrap_or(&[]);
            for block in edges.chunks_exact(8) {
                if let (Some(left), Some(right)) = (u32(block, 0), u32(block, 4)) {
                    fields.sack.push(left, right);
                }
            }
        }
        _ => {}
    }
}

#[cold]
fn note_malformed(bytes: &[u8], length: usize, tcp: &mut Tcp) {
    tcp.fields.malformed.get_or_insert_with(|| option_form::malformed(bytes, length));
}
