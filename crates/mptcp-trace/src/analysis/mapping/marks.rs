//! The parts of a packet that no path changes, as one number that is equal in both captures.

use xxhash_rust::xxh3::xxh3_64;

use crate::packets::segment::{Segment, flag};

/// Parts of a mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MarkKind {
    /// Sequence and acknowledgement number. Lengths stay out: offloading joins and splits segments, and the first part
    /// of each keeps these two.
    Numbers,
    /// Value and echo of the TCP timestamp option, which translation of addresses and sequence numbers leaves alone.
    Timestamps,
    /// Where a mapping puts data: data and subflow sequence number. Relative to the subflow, so proof against
    /// translation, too.
    Mapping,
}

impl MarkKind {
    /// All kinds.
    pub(super) const ALL: [MarkKind; 3] = [MarkKind::Numbers, MarkKind::Timestamps, MarkKind::Mapping];

    /// The mark of this kind on a packet, if it has one. Hashed, so that the smallest marks of a stream are a sample of
    /// it that has nothing to do with the order of packets.
    pub(super) fn mark(self, segment: &Segment) -> Option<u64> {
        match self {
            // A SYN has only one number, which counts as the ISN.
            MarkKind::Numbers => (has_numbers(segment) && !segment.has(flag::SYN))
                .then(|| hash(u64::from(segment.sequence), segment.acknowledgement)),
            // Some hosts send a clock that stands at 0.
            MarkKind::Timestamps => {
                let running = segment.timestamps().filter(|(value, _)| *value != 0);
                running.map(|(value, echo)| hash(u64::from(value), echo))
            }
            // A DATA_FIN without data has subflow sequence number 0 and goes out alike on every subflow.
            MarkKind::Mapping => {
                let mapping = segment.dss().and_then(|dss| dss.mapping)?;
                (mapping.ssn != 0 && mapping.length != 0).then(|| hash(mapping.dsn, mapping.ssn))
            }
        }
    }
}

/// Whether the sequence number is one of the stream's. A RST that answers a packet without ACK has 0 (RFC 9293 §3.10.7).
pub(super) fn has_numbers(segment: &Segment) -> bool {
    !(segment.has(flag::RST) && segment.sequence == 0)
}

/// One number from two.
pub(super) fn hash(first: u64, second: u32) -> u64 {
    let mut bytes = [0; 12];
    let (head, tail) = bytes.split_at_mut(8);
    head.copy_from_slice(&first.to_be_bytes());
    tail.copy_from_slice(&second.to_be_bytes());
    xxh3_64(&bytes)
}
