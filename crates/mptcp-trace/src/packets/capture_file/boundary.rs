//! Where a record or block begins, behind a place in the middle of a capture: a guess by the lengths and times that
//! follow, which nobody may rely on. Who walks to the same place from the start of the file knows whether it is right.

use super::framing::{INTERFACE, Layout, word};

/// What the headers that follow are compared with.
#[derive(Debug, Clone, Copy)]
pub struct Near {
    /// When a packet of the file was recorded, in seconds since 1970.
    pub seconds: i64,
    /// Bytes between a place where a piece is known to begin and those that are searched.
    pub distance: u64,
}

/// Longest record that is believed: packets with segmentation offload have up to 64 KiB.
const LONGEST: u32 = 80 << 10;

/// Bytes that the headers that follow have to agree on: more than a packet carries, so that a capture in a packet is not
/// taken for this one.
const AGREED: usize = 96 << 10;

/// Bytes of a header at most.
const HEADER: usize = 16;

/// Seconds between packets of a file that are believed.
const APART: u64 = 400 * 86_400;

/// How many bytes of `window` are before the first record or block that seems to begin in it. `None` where none does, or
/// what follows is too short to tell.
#[must_use]
pub fn find(window: &[u8], layout: Layout, near: Near) -> Option<usize> {
    let last = window.len().checked_sub(AGREED.saturating_add(HEADER))?;
    let (first, step) = match layout {
        Layout::Pcap { .. } => (0, 1),
        // Blocks are padded.
        Layout::Pcapng { .. } => (usize::try_from(near.distance.wrapping_neg() % 4).unwrap_or(0), 4),
    };
    (first..last).step_by(step).find(|at| agree(window, *at, layout, near))
}

/// Whether the pieces from `at` on follow each other, all within the window.
fn agree(window: &[u8], at: usize, layout: Layout, near: Near) -> bool {
    let mut next = at;
    while next < at.saturating_add(AGREED) {
        let rest = window.get(next..).unwrap_or(&[]);
        let length = match layout {
            Layout::Pcap { big_endian, nanoseconds } => record(rest, big_endian, nanoseconds, near),
            Layout::Pcapng { big_endian } => block(rest, big_endian),
        };
        match length {
            Some(length) if length <= rest.len() => next = next.saturating_add(length),
            _ => return false,
        }
    }
    true
}

/// Length of the record that `bytes` begin with, if it can be one.
#[inline]
fn record(bytes: &[u8], big_endian: bool, nanoseconds: bool, near: Near) -> Option<usize> {
    let seconds = word(bytes, 0, big_endian)?;
    if i64::from(seconds).abs_diff(near.seconds) > APART {
        return None;
    }
    let second = if nanoseconds { 1_000_000_000 } else { 1_000_000 };
    let (fraction, recorded, sent) =
        (word(bytes, 4, big_endian)?, word(bytes, 8, big_endian)?, word(bytes, 12, big_endian)?);
    let believable = fraction < second && recorded > 0 && recorded <= sent && sent <= LONGEST;
    believable.then_some((recorded as usize).saturating_add(16))
}

/// Length of the block that `bytes` begin with, if it can be one: it says so at its end, too.
#[inline]
fn block(bytes: &[u8], big_endian: bool) -> Option<usize> {
    /// No type in use has a higher number, but custom ones.
    const HIGHEST: u32 = 0xbad;
    let (kind, length) = (word(bytes, 0, big_endian)?, word(bytes, 4, big_endian)?);
    if !(INTERFACE..=HIGHEST).contains(&kind) || !(12..=LONGEST).contains(&length) || length % 4 != 0 {
        return None;
    }
    let length = length as usize;
    let says_so = word(bytes, length.saturating_sub(4), big_endian).is_some_and(|again| again as usize == length);
    says_so.then_some(length)
}
