//! Copies that the path made of single packets. They are not retransmissions: a host that sends data again gives the packet
//! another IPv4 identification and another timestamp, and acknowledges what came since.
//!
//! A packet that repeats an earlier one in all of that is the path's copy where the sender is seen to change it from
//! packet to packet: the identification of IPv4, or timestamps that tick more often than the path takes for a round trip,
//! which is the least time after which anything is sent again. Where neither tells, the packet may be either.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use foldhash::fast::RandomState;

use super::copies::Identity;
use super::repeats::Repeats;
use super::seen::Seen;
use super::{Nature, PacketInStream, Stream, Tracking};
use crate::interrupt::interruptible;
use crate::packets::frames::Frames;
use crate::packets::segment::{Segment, flag};
use crate::{Instant, PacketRow, Span, StreamId, parallel};

/// Packets of a stream that are looked at in one go.
const PART: usize = 1 << 14;

/// Packets duplicated by the path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// Rows of copies, in order, and of the packets that they repeat.
    pub rows: Vec<(PacketRow, PacketRow)>,
    /// The same where neither identification nor timestamps tell whether the path or the sender repeated the packet; only
    /// packets with payload.
    pub undecided: Vec<(PacketRow, PacketRow)>,
}

impl Duplicates {
    /// The row of the packet that the one in `row` is the path's copy of.
    #[must_use]
    pub fn original(&self, row: PacketRow) -> Option<PacketRow> {
        let place = self.rows.binary_search_by_key(&row, |(copy, _)| *copy).ok()?;
        self.rows.get(place).map(|(_, original)| *original)
    }

    /// Marks what was found.
    pub(super) fn mark(&self, tracking: &mut Tracking) {
        for (rows, nature) in [(&self.rows, Nature::Duplicate), (&self.undecided, Nature::Alike)] {
            for (row, _) in interruptible(rows) {
                if let Some(packet) = tracking.packets.get_mut(*row) {
                    packet.nature = nature;
                }
            }
        }
    }
}

/// Finds the path's copies. Each is among `repeats`, so that a capture without any costs nothing.
#[must_use]
pub fn duplicates(segments: &[Segment], frames: &Frames, tracking: &Tracking, repeats: &Repeats) -> Duplicates {
    let mut found = Duplicates::default();
    if repeats.alike.is_empty() {
        return found;
    }
    let pairs = alike(segments, frames, tracking, &repeats.alike);
    let copies: HashSet<PacketRow, RandomState> = pairs.iter().map(|(row, _)| *row).collect();
    // What is something else already, a keep-alive for example, stays that.
    let ordinary = |row: PacketRow| tracking.packets.get(row).filter(|packet| packet.nature == Nature::Ordinary);
    let sender = |packet: &PacketInStream| (packet.stream, packet.by_first_sender);
    let mut senders: Vec<(StreamId, bool)> = pairs.iter().filter_map(|(row, _)| ordinary(*row)).map(sender).collect();
    senders.sort_unstable();
    senders.dedup();
    let packets = |(stream, _): &(StreamId, bool)| tracking.stream(*stream).map_or(0, |stream| stream.packets.len());
    let tellings = parallel::each(&senders, senders.iter().map(packets).sum(), |(stream, by_first_sender)| {
        let Some(stream) = tracking.stream(*stream) else { return Telling::default() };
        let own = stream.packets.iter().copied().filter(|row| {
            let packet = tracking.packets.get(*row);
            packet.is_some_and(|packet| packet.by_first_sender == *by_first_sender) && !copies.contains(row)
        });
        Telling::of(segments, frames, stream, own)
    });
    for (row, original) in interruptible(pairs) {
        let (Some(packet), Some(segment)) = (ordinary(row), segment_at(segments, row)) else { continue };
        let place = senders.binary_search(&sender(packet)).ok();
        let telling = place.and_then(|place| tellings.get(place)).copied().unwrap_or_default();
        let has_payload = segment.payload().is_some_and(|bytes| bytes > 0);
        let says_something = has_payload || segment.flags() & (flag::SYN | flag::FIN) != 0;
        let by_id = telling.ids && frames.ip_id(row).is_some_and(|id| id != 0);
        if by_id || (telling.timestamps && says_something && segment.timestamps().is_some()) {
            found.rows.push((row, original));
        } else if has_payload {
            found.undecided.push((row, original));
        }
    }
    found
}

fn segment_at(segments: &[Segment], row: PacketRow) -> Option<&Segment> {
    segments.get(row.index())
}

/// Pairs of packets of one stream that are alike: the later one, and the first one that looked so. Where the ports were
/// used before, a packet of that earlier stream is not what one of this stream repeats. The later ones are among
/// `candidates`.
fn alike(
    segments: &[Segment],
    frames: &Frames,
    tracking: &Tracking,
    candidates: &[PacketRow],
) -> Vec<(PacketRow, PacketRow)> {
    // Most packets of their streams are not like any of them: their numbers tell, and a few bits of the rest.
    let (mut numbers, mut looked_for) = (Seen::default(), Seen::default());
    for row in interruptible(candidates.iter().copied()) {
        let Some(segment) = segment_at(segments, row) else { continue };
        numbers.note(Identity::bits_of_numbers(segment));
        looked_for.note(Identity::bits(segment, frames.ip_id(row)));
    }
    let mut streams: Vec<StreamId> =
        candidates.iter().filter_map(|row| Some(tracking.packets.get(*row)?.stream)).collect();
    streams.sort_unstable();
    streams.dedup();
    let streams = || streams.iter().filter_map(|id| tracking.stream(*id));
    let may_be = |row: &PacketRow| {
        let segment = segment_at(segments, *row);
        segment.is_some_and(|segment| {
            numbers.has(Identity::bits_of_numbers(segment))
                && looked_for.has(Identity::bits(segment, frames.ip_id(*row)))
        })
    };
    let parts: Vec<&[PacketRow]> = streams().flat_map(|stream| stream.packets.chunks(PART)).collect();
    let packets = streams().map(|stream| stream.packets.len()).sum();
    let found = parallel::each(&parts, packets, |rows| {
        interruptible(rows.iter().copied()).filter(|row| may_be(row)).collect::<Vec<PacketRow>>()
    });
    let mut found: Vec<PacketRow> = found.into_iter().flatten().collect();
    found.sort_unstable();
    let mut pairs = Vec::new();
    let mut first: HashMap<(StreamId, Identity), PacketRow, RandomState> = HashMap::default();
    for row in interruptible(found) {
        let (Some(segment), Some(packet)) = (segment_at(segments, row), tracking.packets.get(row)) else { continue };
        match first.entry((packet.stream, Identity::of(segment, frames.ip_id(row)))) {
            Entry::Occupied(known) => pairs.push((row, *known.get())),
            Entry::Vacant(vacant) => {
                vacant.insert(row);
            }
        }
    }
    pairs
}

/// Whether what a sender writes into its packets tells one from the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Telling {
    /// IPv4 identification.
    ids: bool,
    /// Timestamps.
    timestamps: bool,
}

impl Telling {
    /// Of the packets in `rows`, one direction of `stream`.
    fn of(segments: &[Segment], frames: &Frames, stream: &Stream, rows: impl Iterator<Item = PacketRow>) -> Self {
        let mut last_id = None;
        let (mut changes, mut repeats) = (0_u64, 0_u64);
        let mut ticks: Option<(u32, Instant)> = None;
        let mut latest: Option<(u32, Instant)> = None;
        for row in interruptible(rows) {
            let Some(segment) = segment_at(segments, row) else { continue };
            let id = frames.ip_id(row).filter(|id| *id != 0);
            if let (Some(last), Some(id)) = (last_id, id) {
                changes += u64::from(last != id);
                repeats += u64::from(last == id);
            }
            last_id = id.or(last_id);
            if let Some((value, _)) = segment.timestamps() {
                ticks.get_or_insert((value, segment.abstime));
                latest = Some((value, segment.abstime));
            }
        }
        const MOSTLY: u64 = 8;
        let ids = changes > 0 && repeats * MOSTLY <= changes;
        let tick = ticks.zip(latest).and_then(|((first, from), (last, until))| {
            let count = i64::from(last.wrapping_sub(first));
            // One tick may have come right after the first packet.
            (2..=i64::from(i32::MAX)).contains(&count).then(|| (until - from) / (count - 1))
        });
        let round_trip = round_trip(segments, stream);
        let timestamps = tick.zip(round_trip).is_some_and(|(tick, round_trip)| tick * 2 < round_trip);
        Telling { ids, timestamps }
    }
}

/// Duration of the handshake from SYN to ACK.
fn round_trip(segments: &[Segment], stream: &Stream) -> Option<Span> {
    let time = |row: Option<PacketRow>| segment_at(segments, row?).map(|segment| segment.abstime);
    Some(time(stream.third_ack)? - time(stream.syn)?)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::packets::segment::Fields;
    use crate::packets::{Builder, SoFar, frames::Frame};
    use crate::time::short::at_ms;
    use crate::tracking::tracker::{Tracked, Tracker};

    /// A packet of the client's (`true`) or the server's: when (milliseconds), sequence number, payload, IPv4
    /// identification, timestamp.
    type Made = (bool, i64, u32, u32, Option<u16>, Option<u32>);

    type Pairs = Vec<(PacketRow, PacketRow)>;

    fn rows(pairs: &[(u32, u32)]) -> Pairs {
        pairs.iter().map(|(later, first)| (PacketRow(*later), PacketRow(*first))).collect()
    }

    fn found(packets: &[Made]) -> (Pairs, Pairs) {
        found_with(packets, |_, _| {})
    }

    /// The same after `change` had each segment with its row.
    fn found_with(packets: &[Made], change: impl Fn(usize, &mut Fields)) -> (Pairs, Pairs) {
        let mut builder = Builder::default();
        for (id, (from_client, time, sequence, payload, ip_id, value)) in (1..).zip(packets) {
            let (client, server): ((IpAddr, u16), (IpAddr, u16)) =
                (([192, 0, 2, 1].into(), 40_000), ([192, 0, 2, 2].into(), 443));
            let (source, destination) = if *from_client { (client, server) } else { (server, client) };
            let syn = if *sequence == 0 { flag::SYN } else { 0 };
            let ack = if *from_client && *sequence == 0 { 0 } else { flag::ACK };
            let mut segment = Fields {
                packetid: id,
                abstime: at_ms(*time),
                flags: syn | ack,
                window: 100,
                sequence: *sequence,
                acknowledgement: 1,
                payload: Some(*payload),
                timestamps: value.map(|value| (value, 0)),
                ..Fields::between(source, destination)
            };
            change(id as usize - 1, &mut segment);
            builder.push(&Frame { ip_id: *ip_id, ..Frame::default() }, segment);
        }
        let table = builder.finish();
        let segments = table.segments;
        let mut tracker = Tracker::default();
        tracker.take(SoFar { segments: &segments, flows: segments.flows(), frames: &table.frames }, PacketRow(0));
        let Tracked { tracking, repeats, .. } = tracker.finish(&segments);
        let found = duplicates(&segments, &table.frames, &tracking, &repeats);
        (found.rows, found.undecided)
    }

    /// A handshake of 20 ms, whose ACK has this identification and timestamp.
    fn handshake(id: Option<u16>, value: Option<u32>) -> Vec<Made> {
        let before = |step: u16| id.map(|id| id.saturating_sub(step));
        vec![
            (true, 0, 0, 0, before(1), value.map(|value| value - 20)),
            (false, 20, 0, 0, id.map(|_| 0), value),
            (true, 20, 1, 0, id, value),
        ]
    }

    #[test]
    fn the_identification_tells_copies_from_retransmissions() {
        let mut packets = handshake(Some(10), None);
        packets.extend([
            (true, 21, 1, 100, Some(11), None),
            (true, 22, 101, 100, Some(12), None),
            // The path's copy of the first, a retransmission of the second, and a copy of an ACK.
            (true, 30, 1, 100, Some(11), None),
            (true, 60, 101, 100, Some(13), None),
            (true, 61, 1, 0, Some(10), None),
        ]);
        assert_eq!(found(&packets), (rows(&[(5, 3), (7, 2)]), vec![]));
    }

    #[test]
    fn timestamps_tell_where_there_is_no_identification() {
        let mut packets = handshake(None, Some(1020));
        packets.extend([
            (true, 21, 1, 100, None, Some(1021)),
            (true, 22, 101, 100, None, Some(1022)),
            (true, 30, 1, 100, None, Some(1021)),
            (true, 60, 101, 100, None, Some(1060)),
            // Of pure ACKs a host may send two within a tick.
            (true, 61, 201, 0, None, Some(1061)),
            (true, 61, 201, 0, None, Some(1061)),
        ]);
        assert_eq!(found(&packets), (rows(&[(5, 3)]), vec![]));
    }

    #[test]
    fn a_packet_of_an_earlier_use_of_the_ports_is_not_the_original() {
        let mut packets = handshake(Some(10), None);
        packets.extend([
            (true, 21, 1, 100, Some(11), None),
            (true, 22, 101, 100, Some(12), None),
            // A SYN with another number begins a new stream.
            (true, 40, 0, 0, Some(13), None),
        ]);
        let begun_again = packets.len();
        packets.extend([(true, 50, 1, 100, Some(11), None), (true, 51, 101, 100, Some(12), None)]);
        let found = found_with(&packets, |row, segment| {
            if row == begun_again - 1 {
                // Sequence numbers of the new stream begin one lower, so that its packets look like the old ones'.
                segment.sequence = u32::MAX;
            }
        });
        assert_eq!(found, (vec![], vec![]));
    }

    #[test]
    fn where_nothing_changes_nothing_tells() {
        // Neither IPv4 nor timestamps; identifications that are all 0; some that never change; a clock that stands still.
        for (id, value) in [(None, None), (Some(0), None), (Some(7), None), (Some(7), Some(1000)), (None, Some(1000))] {
            let constant = |(client, time, sequence, payload, _, _): Made| (client, time, sequence, payload, id, value);
            let mut packets: Vec<Made> = handshake(None, None).into_iter().map(constant).collect();
            packets.extend([
                (true, 21, 1, 100, id, value),
                (true, 22, 101, 100, id, value),
                (true, 30, 1, 100, id, value),
            ]);
            assert_eq!(found(&packets), (vec![], rows(&[(5, 3)])), "{id:?} {value:?}");
        }
        // Timestamps that tick every 10 ms, and a round trip of 20 ms: one retransmission may have the same.
        let mut packets = handshake(None, Some(100));
        packets.truncate(3);
        let coarse = |time: i64| Some(100 + u32::try_from(time / 10).unwrap());
        packets.iter_mut().for_each(|packet| packet.5 = coarse(packet.1));
        for (time, sequence) in [(21, 1), (45, 101), (70, 201), (71, 201)] {
            packets.push((true, time, sequence, 100, None, coarse(time)));
        }
        assert_eq!(found(&packets), (vec![], rows(&[(6, 5)])));
    }
}
