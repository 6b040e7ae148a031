//! How much of what a subflow sent was sent again, and on which side of the place of capture was it lost?

use std::collections::BTreeMap;

use super::volume::Volume;
use crate::interrupt::interruptible;
use crate::packets::segment::{Segment, flag};
use crate::tracking::sequence::Positions;
use crate::tracking::travelling::{Travelling, of_subflow};
use crate::tracking::{ByRole, Capture, Connection, Nature, PacketInStream, Stream};
use crate::{Instant, PacketRow, Span};

/// One direction of one subflow.
#[derive(Debug, Clone, Default)]
pub struct SentAgain {
    /// Sum of payload lengths, bytes.
    pub throughput: u64,
    /// Packets with payload.
    pub data_packets: u64,
    /// Bytes captured before under the same subflow sequence numbers: lost behind the place of capture, if lost.
    pub captured_before: u64,
    /// Bytes that came into a hole a round trip or more after it had opened: their first copy was lost before the place of
    /// capture. Reordering fills holes sooner.
    pub into_holes: u64,
    /// Bytes that the receiver reports to have had already (DSACK, RFC 2883): sent again needlessly.
    pub had_already: u64,
    /// Packets that carried them.
    pub packets: Vec<u64>,
}

impl SentAgain {
    /// Bytes sent again.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.captured_before.saturating_add(self.into_holes)
    }

    /// Bytes that the sender sent: those captured, and the first copies of what was lost before.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.throughput.saturating_add(self.into_holes)
    }

    /// Share of the bytes sent that were sent again; `None` where nothing was sent.
    #[must_use]
    pub fn share(&self) -> Option<f64> {
        super::volume::share(self.bytes(), self.sent())
    }
}

/// What each direction of a subflow, the `index`-th of its connection, sent again.
#[must_use]
pub fn sent_again(capture: &Capture, connection: &Connection, index: usize) -> ByRole<SentAgain> {
    let mut watch = SendingAgain::new(capture, connection, index);
    for packet in interruptible(of_subflow(&capture.segments, &capture.tracking, connection, index)) {
        if let Some(place) = capture.tracking.packets.get(packet.row) {
            watch.push(&packet, place);
        }
    }
    watch.finish()
}

/// Both directions of a subflow while its packets go by.
pub struct SendingAgain(ByRole<Flow>);

impl SendingAgain {
    /// The `index`-th subflow of a connection, before its first packet.
    #[must_use]
    pub fn new(capture: &Capture, connection: &Connection, index: usize) -> Self {
        let stream = connection.subflows.get(index).and_then(|id| capture.tracking.stream(*id));
        let round_trip = stream.and_then(|stream| handshake(capture, stream));
        SendingAgain(ByRole { server: Flow::new(round_trip), client: Flow::new(round_trip) })
    }

    /// Takes in the next packet, which has this place in its stream.
    pub fn push(&mut self, packet: &Travelling<'_>, place: &PacketInStream) {
        if packet.nature == Nature::Duplicate {
            return;
        }
        self.0.get_mut(packet.towards.other()).is_told(packet.segment);
        self.0.get_mut(packet.towards).sends(packet.segment, place);
    }

    /// What each direction sent again.
    #[must_use]
    pub fn finish(self) -> ByRole<SentAgain> {
        ByRole { server: self.0.server.finish(), client: self.0.client.finish() }
    }
}

/// The round trip of the handshake: the shortest that the path can have, but for chance.
pub(super) fn handshake(capture: &Capture, stream: &Stream) -> Option<Span> {
    let time = |row: Option<PacketRow>| capture.segments.get(row?.index()).map(|segment| segment.abstime);
    // With several SYNs it is not known which of them was answered.
    let once = (stream.syns, stream.syn_acks) == (1, 1);
    Some(time(stream.third_ack)? - time(stream.syn)?).filter(|span| once && *span > Span::ZERO)
}

/// One direction under way.
struct Flow {
    volume: Volume,
    positions: Positions,
    /// One past the highest byte seen.
    next: Option<u64>,
    /// Bytes below `next` that were not seen: first to one past the last, and when the hole opened.
    holes: BTreeMap<u64, (u64, Instant)>,
    round_trip: Option<Span>,
    found: SentAgain,
    last_duplicate: Option<(u32, u32)>,
}

impl Flow {
    fn new(round_trip: Option<Span>) -> Self {
        Flow {
            volume: Volume::default(),
            positions: Positions::default(),
            next: None,
            holes: BTreeMap::new(),
            round_trip,
            found: SentAgain::default(),
            last_duplicate: None,
        }
    }

    fn sends(&mut self, segment: &Segment, packet: &PacketInStream) {
        let before = self.volume.retransmitted_packets;
        self.volume.push(segment, packet);
        let mut again = self.volume.retransmitted_packets > before;
        let length = u64::from(packet.data(segment).unwrap_or(0));
        // A RST may have any number, and so may what is out of the window.
        if !segment.has(flag::RST) && !packet.nature.is_stray() {
            let start = self.positions.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
            let end = start.saturating_add(length);
            let next = self.next.unwrap_or(start);
            // A bare ACK beyond what was seen opens a hole as data do.
            if start > next {
                self.holes.insert(next, (start, segment.abstime));
            }
            if length > 0 && start < next {
                again |= self.fill(start, end, segment.abstime);
            }
            self.next = Some(next.max(end));
        }
        self.found.data_packets += u64::from(length > 0);
        if again {
            self.found.packets.push(segment.packetid());
        }
    }

    /// Takes `start..end` out of the holes; true where a round trip had passed.
    fn fill(&mut self, start: u64, end: u64, time: Instant) -> bool {
        let mut late = false;
        while let Some((&first, &(last, since))) = self.holes.range(..end).next_back() {
            if last <= start {
                break;
            }
            self.holes.remove(&first);
            let (from, until) = (first.max(start), last.min(end));
            // A tenth less: the handshake's round trip may have been a slow one.
            let waited = time - since;
            if self.round_trip.is_some_and(|round_trip| waited >= round_trip - round_trip / 10) {
                self.found.into_holes = self.found.into_holes.saturating_add(until.saturating_sub(from));
                late = true;
            }
            if last > until {
                self.holes.insert(until, (last, since));
            }
            if first < from {
                self.holes.insert(first, (from, since));
                break;
            }
        }
        late
    }

    /// What the receiver says of this direction: a first SACK block that is acknowledged, or lies within the second, is a
    /// duplicate (RFC 2883 §4). It is told once.
    fn is_told(&mut self, segment: &Segment) {
        let &[(left, right), ref others @ ..] = segment.sack() else { return };
        let reaches = |position: u32, at: u32| position.wrapping_sub(at) < 1 << 31;
        let within = others.first().is_some_and(|(l, r)| reaches(left, *l) && reaches(*r, right));
        let acknowledged = segment.has(flag::ACK) && reaches(segment.acknowledgement, right);
        let duplicate = acknowledged || within;
        if duplicate && self.last_duplicate.replace((left, right)) != Some((left, right)) {
            let length = u64::from(right.wrapping_sub(left));
            self.found.had_already = self.found.had_already.saturating_add(length);
        }
    }

    fn finish(mut self) -> SentAgain {
        self.found.throughput = self.volume.throughput;
        self.found.captured_before = self.volume.retransmitted();
        self.found.had_already = self.found.had_already.min(self.found.bytes());
        self.found
    }
}
