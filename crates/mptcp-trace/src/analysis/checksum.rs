//! Does the data fit the checksums of its mappings?
//!
//! A DSS checksum (RFC 8684 §3.3.1) covers a pseudo header of data sequence number, subflow sequence number and length,
//! and the data of the whole mapping, which several packets may carry. The payload comes from outside, packet by packet,
//! and is summed up as it comes.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment, flag};
use crate::tracking::data::{PacketData, data_level};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::{Travelling, in_file_order};
use crate::tracking::{Capture, Connection, Role, Stream};
use crate::{ConnectionId, PacketRow, StreamId};

/// Whether a mapping's data fits its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChecksumVerdict {
    /// It does.
    Right,
    /// It does not: the data was altered, or the option.
    Wrong,
    /// Not all of the data was recorded.
    Unverifiable,
}

/// The verdict on one mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ChecksumResult {
    /// The first packet that carried the mapping.
    pub packetid: u64,
    /// Its TCP stream.
    pub tcpstream: StreamId,
    /// The end of the connection that its data travels towards.
    pub towards: Role,
    /// The verdict.
    pub verdict: ChecksumVerdict,
    /// Row of that packet.
    #[serde(skip)]
    pub row: PacketRow,
}

/// One mapping whose data is being summed up.
struct Open {
    result: ChecksumResult,
    end: u64,
    /// Ones' complement sum so far, pseudo header and checksum included; all ones when everything fits.
    sum: u64,
    seen: RangeSet,
    /// Part of it could not be summed up.
    spoiled: bool,
}

/// One direction of one subflow.
#[derive(Default)]
struct Flow {
    positions: Positions,
    base: Option<u64>,
    open: BTreeMap<u64, Open>,
    known: HashSet<(u64, u16)>,
}

/// Where the payload of a packet belongs.
struct StreamPlace {
    flow: (StreamId, Role),
    position: u64,
    length: u64,
}

/// Verdicts on the mappings of connections that have checksums, in the order of the file.
pub type Verdicts = HashMap<ConnectionId, Vec<ChecksumResult>>;

/// Sums up payloads as they come: those of all connections in one go through the file.
#[derive(Default)]
pub struct Checksums {
    flows: HashMap<(StreamId, Role), Flow>,
    places: HashMap<u64, StreamPlace>,
    results: Vec<ChecksumResult>,
    connections: HashMap<StreamId, ConnectionId>,
    verdicts: Verdicts,
}

impl Checksums {
    /// Prepares the mappings with a checksum of these connections.
    #[must_use]
    pub fn new<'a>(capture: &Capture, connections: impl IntoIterator<Item = &'a Connection>) -> Self {
        let mut checksums = Checksums::default();
        for connection in interruptible(connections) {
            checksums.prepare(capture, connection);
        }
        checksums
    }

    fn prepare(&mut self, capture: &Capture, connection: &Connection) {
        self.verdicts.entry(connection.id).or_default();
        self.connections.extend(connection.subflows.iter().map(|stream| (*stream, connection.id)));
        let packets = in_file_order(&capture.segments, &capture.tracking, connection);
        let level = data_level(&capture.segments, &capture.tracking, connection);
        for (packet, data) in interruptible(packets.iter().zip(&level.packets)) {
            let base = capture.tracking.stream(packet.stream).and_then(|stream| base(stream, packet.tcp_towards));
            let idsn = connection.hosts.get(packet.towards.other()).idsn;
            self.note(packet, data, base, idsn);
        }
    }

    fn note(&mut self, packet: &Travelling<'_>, data: &PacketData, base: Option<u32>, idsn: Option<u64>) {
        let segment = packet.segment;
        let key = (packet.stream, packet.towards);
        let flow = self.flows.entry(key).or_default();
        if flow.base.is_none() {
            flow.base = base.map(|base| flow.positions.position(base));
        }
        let position = flow.positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        let length = u64::from(packet.data);
        if length > 0 {
            self.places.insert(segment.packetid(), StreamPlace { flow: key, position, length });
        }
        let Some(base) = flow.base else { return };
        let Some(wanted) = Wanted::of(segment, data, idsn) else { return };
        let offset = position.saturating_sub(base);
        // The 64-bit offset whose low half is the option's number, near this packet.
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
        let distance = wanted.ssn.wrapping_sub(offset as u32) as i32;
        let start = base.saturating_add(offset.saturating_add_signed(i64::from(distance)));
        if wanted.data == 0 || !flow.known.insert((start, wanted.length)) {
            return;
        }
        let result = ChecksumResult {
            packetid: segment.packetid(),
            tcpstream: packet.stream,
            towards: packet.towards,
            verdict: ChecksumVerdict::Unverifiable,
            row: packet.row,
        };
        let open = Open {
            result,
            end: start.saturating_add(wanted.data),
            sum: wanted.sum(),
            seen: RangeSet::default(),
            spoiled: false,
        };
        if let Some(unfinished) = flow.open.insert(start, open) {
            self.results.push(unfinished.result);
        }
    }

    /// Takes in the recorded payload of a packet.
    pub fn push(&mut self, packetid: u64, bytes: &[u8]) {
        let Some(place) = self.places.remove(&packetid) else { return };
        // A payload cut by the snap length leaves its mappings without a verdict.
        if bytes.len() as u64 != place.length {
            return;
        }
        let Some(flow) = self.flows.get_mut(&place.flow) else { return };
        let end = place.position.saturating_add(place.length);
        let mut finished = Vec::new();
        let before = flow.open.range(..place.position).next_back().map(|(start, _)| *start);
        for (start, open) in interruptible(flow.open.range_mut(before.unwrap_or(place.position)..end)) {
            let (from, to) = (place.position.max(*start), end.min(open.end));
            if from >= to {
                continue;
            }
            let new = open.seen.insert(from, to);
            // A retransmission repeats what was summed up. One that repeats a part and goes on cannot be told apart
            // here; it is rare enough to leave its mapping without a verdict.
            if new == to - from {
                let first = usize::try_from(from - place.position).unwrap_or(usize::MAX);
                let last = usize::try_from(to - place.position).unwrap_or(usize::MAX);
                open.sum += sum(bytes.get(first..last).unwrap_or(&[]), !(from - start).is_multiple_of(2));
            } else if new > 0 {
                open.spoiled = true;
            }
            if open.seen.total() == open.end - start {
                finished.push(*start);
            }
        }
        for start in interruptible(finished) {
            if let Some(open) = flow.open.remove(&start) {
                let verdict = match fold(open.sum) {
                    _ if open.spoiled => ChecksumVerdict::Unverifiable,
                    0xffff => ChecksumVerdict::Right,
                    _ => ChecksumVerdict::Wrong,
                };
                self.results.push(ChecksumResult { verdict, ..open.result });
            }
        }
    }

    /// The verdicts; a connection without any mapping that has a checksum has none.
    #[must_use]
    pub fn finish(mut self) -> Verdicts {
        self.results.extend(self.flows.into_values().flat_map(|flow| flow.open.into_values()).map(|open| open.result));
        self.results.sort_by_key(|result| result.row);
        for result in interruptible(self.results) {
            let connection = self.connections.get(&result.tcpstream);
            if let Some(verdicts) = connection.and_then(|connection| self.verdicts.get_mut(connection)) {
                verdicts.push(result);
            }
        }
        self.verdicts
    }
}

/// What the subflow sequence numbers of data towards this end of a stream count from: the SYN's number, or that of the
/// last byte of data in it.
fn base(stream: &Stream, towards: Role) -> Option<u32> {
    let taken = stream.fast_open.filter(|_| towards == Role::Server).and_then(|fast_open| fast_open.accepted);
    Some(stream.ends.get(towards.other()).isn?.wrapping_add(taken.unwrap_or(0)))
}

/// Content of a mapping with a checksum.
struct Wanted {
    dsn: u64,
    ssn: u32,
    length: u16,
    checksum: u16,
    /// Bytes of data: one less than the length when DATA_FIN takes one.
    data: u64,
}

impl Wanted {
    fn of(segment: &Segment, data: &PacketData, idsn: Option<u64>) -> Option<Self> {
        if let Some(capable) = segment.capable() {
            let (length, checksum) = (capable.data_length?, capable.checksum?);
            return Some(Wanted { dsn: idsn?.wrapping_add(1), ssn: 1, length, checksum, data: u64::from(length) });
        }
        let dss = segment.dss()?;
        let mapping = dss.mapping?;
        let fin = u64::from(dss.has(Dss::DATA_FIN));
        let dsn = if dss.has(Dss::DSN_8) { mapping.dsn } else { wide(mapping.dsn, data.dsn?) };
        Some(Wanted {
            dsn,
            ssn: mapping.ssn,
            length: mapping.length,
            checksum: mapping.checksum?,
            data: u64::from(mapping.length).saturating_sub(fin),
        })
    }

    fn sum(&self) -> u64 {
        let mut header = Vec::with_capacity(16);
        header.extend(self.dsn.to_be_bytes());
        header.extend(self.ssn.to_be_bytes());
        header.extend(self.length.to_be_bytes());
        header.extend(self.checksum.to_be_bytes());
        sum(&header, false)
    }
}

/// The number near `near` whose low half is `low`.
fn wide(low: u64, near: u64) -> u64 {
    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]
    let distance = (low as u32).wrapping_sub(near as u32) as i32;
    near.wrapping_add_signed(i64::from(distance))
}

/// Sum of 16-bit words; `odd` when the first byte is the second one of its word.
fn sum(bytes: &[u8], odd: bool) -> u64 {
    let high = |index: usize| index.is_multiple_of(2) != odd;
    bytes
        .iter()
        .enumerate()
        .map(|(index, byte)| if high(index) { u64::from(*byte) << 8 } else { u64::from(*byte) })
        .sum()
}

/// The 16-bit ones' complement sum (RFC 1071).
fn fold(mut sum: u64) -> u64 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_1071_sums_up() {
        // RFC 1071 §3: 0001 f203 f4f5 f6f7 sums up to 2ddf0, folded ddf2.
        assert_eq!(fold(sum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7], false)), 0xddf2);
        // The same bytes in two parts, the second beginning within a word.
        let parts = sum(&[0x00, 0x01, 0xf2], false) + sum(&[0x03, 0xf4, 0xf5, 0xf6, 0xf7], true);
        assert_eq!(fold(parts), 0xddf2);
    }
}
