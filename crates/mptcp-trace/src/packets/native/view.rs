//! A packet from some header on.

/// The bytes of a packet from some header on: those recorded, and how many there were on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View<'a> {
    /// Recorded; fewer than `length` where the snap length cut the packet.
    pub bytes: &'a [u8],
    /// On the wire.
    pub length: usize,
}

impl<'a> View<'a> {
    /// The bytes after `count` bytes, which must have been recorded.
    #[inline]
    #[must_use]
    pub fn skip(self, count: usize) -> Option<View<'a>> {
        Some(View { bytes: self.bytes.get(count..)?, length: self.length.checked_sub(count)? })
    }

    /// The same, ending after `length` bytes at the latest.
    #[inline]
    #[must_use]
    pub fn limit(self, length: usize) -> View<'a> {
        View { bytes: self.bytes.get(..length).unwrap_or(self.bytes), length: self.length.min(length) }
    }

    /// The byte at `at`.
    #[inline]
    #[must_use]
    pub fn u8(self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// The 16-bit number at `at`, in network order as all.
    #[inline]
    #[must_use]
    pub fn u16(self, at: usize) -> Option<u16> {
        u16(self.bytes, at)
    }

    /// The 32-bit number at `at`.
    #[inline]
    #[must_use]
    pub fn u32(self, at: usize) -> Option<u32> {
        u32(self.bytes, at)
    }

    /// The `N` bytes at `at`.
    #[inline]
    #[must_use]
    pub fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        array(self.bytes, at)
    }
}

/// The `N` bytes at `at`, when they are there.
#[inline]
#[must_use]
pub fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

/// The 16-bit number at `at`, in network order.
#[inline]
#[must_use]
pub fn u16(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_be_bytes)
}

/// The 32-bit number at `at`, in network order.
#[inline]
#[must_use]
pub fn u32(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// The 64-bit number at `at`, in network order.
#[inline]
#[must_use]
pub fn u64(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_and_wire_lengths_go_together() {
        let cut = View { bytes: &[1, 2, 3, 4], length: 10 };
        assert_eq!(cut.skip(3), Some(View { bytes: &[4], length: 7 }));
        assert_eq!(cut.skip(5), None, "not recorded");
        assert_eq!(cut.limit(3), View { bytes: &[1, 2, 3], length: 3 });
        assert_eq!(cut.limit(6), View { bytes: &[1, 2, 3, 4], length: 6 });
        assert_eq!(cut.limit(60), cut);
        assert_eq!((cut.u16(2), cut.u16(3), cut.u32(0)), (Some(0x0304), None, Some(0x0102_0304)));
        assert_eq!(cut.u8(usize::MAX), None);
    }
}
