//! How long are the mappings that each subflow carried (RFC 8684 §3.3.1)?

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment};
use crate::tracking::data::Numbers;
use crate::tracking::travelling::in_file_order;
use crate::tracking::{ByRole, Capture, Connection};

/// The mappings of one direction of a subflow. One that is repeated, in each segment that it covers or in a
/// retransmission, counts once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct MappingLengths {
    /// Bytes of data that each distinct mapping covers, in the order of their first packets. DATA_FIN is none.
    pub lengths: Vec<u64>,
    /// Mappings of a DATA_FIN alone, which cover no data (RFC 8684 §3.3.3).
    pub data_fin_alone: u64,
    /// Infinite mappings, which have no length: the connection fell back to TCP (RFC 8684 §3.7).
    pub infinite: u64,
}

/// Bars of a histogram: how many values lie from one number up to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// The least value that counts here.
    pub low: u64,
    /// The least value that counts no more.
    pub high: u64,
    /// Their number.
    pub count: u64,
}

/// A mapping as told apart from others: working data sequence number, subflow sequence number, bytes of data.
type Identity = (Option<u64>, u32, u64);

/// The mappings of both directions, by subflow in the order of [`Connection::subflows`].
#[must_use]
pub fn mapping_lengths(capture: &Capture, connection: &Connection) -> ByRole<Vec<MappingLengths>> {
    let count = connection.subflows.len();
    let empty = || vec![MappingLengths::default(); count];
    let mut found = ByRole { server: empty(), client: empty() };
    let mut seen = ByRole { server: vec![HashSet::<Identity>::new(); count], client: vec![HashSet::new(); count] };
    // Data towards the server is numbered from the client's IDSN.
    let mut numbers = ByRole {
        server: Numbers::new(connection.hosts.client.idsn),
        client: Numbers::new(connection.hosts.server.idsn),
    };
    for packet in interruptible(in_file_order(&capture.segments, &capture.tracking, connection)) {
        let lengths = found.get_mut(packet.towards).get_mut(packet.subflow);
        let seen = seen.get_mut(packet.towards).get_mut(packet.subflow);
        let (Some(lengths), Some(seen)) = (lengths, seen) else { continue };
        match identity(packet.segment, numbers.get_mut(packet.towards)) {
            Some((mapping, covers)) if seen.insert(mapping) => match covers {
                Covers::Data => lengths.lengths.push(mapping.2),
                Covers::DataFin => lengths.data_fin_alone += 1,
                Covers::Everything => lengths.infinite += 1,
            },
            _ => {}
        }
    }
    found
}

/// What a mapping covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Covers {
    /// Bytes of data.
    Data,
    /// A DATA_FIN alone.
    DataFin,
    /// All that comes: the mapping is infinite.
    Everything,
}

/// The mapping in a packet, if it maps anything.
fn identity(segment: &Segment, numbers: &mut Numbers) -> Option<(Identity, Covers)> {
    if let Some(dss) = segment.dss()
        && let Some(mapping) = dss.mapping
    {
        let dsn = numbers.working(mapping.dsn, dss.has(Dss::DSN_8));
        // A DATA_FIN takes the last byte of a mapping (RFC 8684 §3.3.3).
        let bytes = u64::from(mapping.length).saturating_sub(u64::from(dss.has(Dss::DATA_FIN)));
        let covers = match (mapping.length, bytes) {
            (0, _) => Covers::Everything,
            (_, 0) => Covers::DataFin,
            _ => Covers::Data,
        };
        return Some(((Some(dsn), mapping.ssn, bytes), covers));
    }
    // The first data of version 1 is mapped by MP_CAPABLE itself (RFC 8684 §3.1).
    let bytes = u64::from(segment.capable()?.data_length?);
    (bytes > 0).then_some(((numbers.first(), 1, bytes), Covers::Data))
}

/// The values counted in bins of `width`, those without any left out, in order. A width of zero counts as one.
#[must_use]
pub fn histogram(values: &[u64], width: u64) -> Vec<Bin> {
    let width = width.max(1);
    let mut counts = BTreeMap::<u64, u64>::new();
    for value in interruptible(values) {
        *counts.entry(value - value % width).or_default() += 1;
    }
    counts.into_iter().map(|(low, count)| Bin { low, high: low.saturating_add(width), count }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_begin_at_multiples_of_their_width() {
        let bins = |values, width| -> Vec<(u64, u64, u64)> {
            histogram(values, width).iter().map(|bin| (bin.low, bin.high, bin.count)).collect()
        };
        assert_eq!(bins(&[1, 99, 100, 199, 350], 100), [(0, 100, 2), (100, 200, 2), (300, 400, 1)]);
        assert_eq!(bins(&[3, 3, 4], 0), [(3, 4, 2), (4, 5, 1)]);
        assert_eq!(bins(&[u64::MAX], 10), [(u64::MAX - 5, u64::MAX, 1)]);
        assert_eq!(bins(&[], 10), []);
    }
}
