//! Identity of a recorded packet: everything that its sender set and the path left unchanged.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::packets::flows::Flow;
use crate::packets::segment::{Mapping, Segment, flag};

/// A packet as its sender sent it; time to live and link layer are the path's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    flow: Flow,
    sequence: u32,
    acknowledgement: Option<u32>,
    flags: u16,
    window: u16,
    payload: Option<u32>,
    timestamps: Option<(u32, u32)>,
    ip_id: Option<u16>,
    /// Of the other options; 0 where they are not compared.
    options: u64,
}

impl Identity {
    /// The identity of a packet with this IPv4 identification, its options included.
    #[must_use]
    pub fn of(segment: &Segment, ip_id: Option<u16>) -> Self {
        Identity { options: options(segment), ..Self::without_options(segment, ip_id) }
    }

    /// The same, but where the rest tells packets apart options do not count: what stands between two places of recording
    /// may have taken some out.
    #[must_use]
    pub fn on_any_side(segment: &Segment, ip_id: Option<u16>) -> Self {
        if is_told(segment, ip_id) { Self::without_options(segment, ip_id) } else { Self::of(segment, ip_id) }
    }

    /// Bits that are the same for packets of the same identity, whether by [`Identity::of`] or
    /// [`Identity::on_any_side`], and for few others.
    #[inline]
    #[must_use]
    pub fn bits(segment: &Segment, ip_id: Option<u16>) -> u64 {
        let wide = |high: u32, low: u32| u64::from(high) << 32 | u64::from(low);
        let halves = |high: u16, low: u16| u32::from(high) << 16 | u32::from(low);
        let numbers = wide(segment.sequence, segment.acknowledgement);
        let lengths = wide(segment.payload().unwrap_or(u32::MAX), halves(segment.flags(), segment.window));
        let bits = mix(mix(numbers, lengths), u64::from(ip_id.unwrap_or(0)));
        let bits = segment.timestamps().map_or(bits, |(value, echo)| mix(bits, wide(value, echo)));
        if is_told(segment, ip_id) {
            return bits;
        }
        let bits = segment.sack().iter().fold(bits, |bits, (left, right)| mix(bits, wide(*left, *right)));
        segment.dss().map_or(bits, |dss| mix(bits, dss.data_ack.unwrap_or(0)))
    }

    /// Bits that are the same for packets with the same numbers, and quickly told.
    #[inline]
    #[must_use]
    pub fn bits_of_numbers(segment: &Segment) -> u64 {
        mix(u64::from(segment.sequence) << 32 | u64::from(segment.acknowledgement), 0)
    }

    fn without_options(segment: &Segment, ip_id: Option<u16>) -> Self {
        Identity {
            flow: segment.flow,
            sequence: segment.sequence,
            acknowledgement: segment.has(flag::ACK).then_some(segment.acknowledgement),
            flags: segment.flags(),
            window: segment.window,
            payload: segment.payload(),
            timestamps: segment.timestamps(),
            ip_id,
            options: 0,
        }
    }

    /// Whether no IPv4 identification tells the packet from others of the same sender: it may have sent several that look
    /// like it, within one tick of its timestamps if it has any.
    #[must_use]
    pub fn is_vague(&self) -> bool {
        self.ip_id.is_none_or(|id| id == 0)
    }

    /// Whether it is vague and says nothing that is said once: a pure ACK.
    #[must_use]
    pub fn may_come_again(&self) -> bool {
        let empty = self.payload == Some(0) && self.flags & (flag::SYN | flag::FIN | flag::RST) == 0;
        empty && self.is_vague() && self.timestamps.is_none()
    }
}

/// Whether a packet says enough to be told from others without its options.
#[inline]
fn is_told(segment: &Segment, ip_id: Option<u16>) -> bool {
    ip_id.is_some_and(|id| id != 0) || segment.has(flag::SYN) || segment.payload().is_some_and(|n| n > 0)
}

/// Mixes two numbers so that every bit of either changes half the bits of the result.
#[inline]
fn mix(one: u64, other: u64) -> u64 {
    // Digits of pi: numbers without a pattern.
    let product = u128::from(one ^ 0x243f_6a88_85a3_08d3) * u128::from(other ^ 0x1319_8a2e_0370_7344);
    #[allow(clippy::cast_possible_truncation)] // Both halves count.
    let (high, low) = ((product >> 64) as u64, product as u64);
    (high ^ low).wrapping_add(one.rotate_left(32))
}

/// Tells the options of packets apart that have any beside timestamps.
fn options(segment: &Segment) -> u64 {
    if segment.dss().is_none() && segment.control().is_none() && segment.sack().is_empty() {
        return 0;
    }
    let mut hasher = DefaultHasher::new();
    segment.sack().hash(&mut hasher);
    if let Some(dss) = segment.dss() {
        (dss.flags, dss.data_ack).hash(&mut hasher);
        if let Some(Mapping { dsn, ssn, length, checksum }) = dss.mapping {
            (dsn, ssn, length, checksum).hash(&mut hasher);
        }
    }
    if let Some(control) = segment.control() {
        control.subtypes.hash(&mut hasher);
    }
    hasher.finish()
}
