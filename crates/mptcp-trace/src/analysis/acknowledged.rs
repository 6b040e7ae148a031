//! When was data acknowledged, by TCP on its subflow and by DATA_ACK, and did the DATA_ACK stand still meanwhile?
//!
//! Data that TCP acknowledges has arrived at the other end's TCP. Only the DATA_ACK says that it arrived at MPTCP (RFC
//! 8684 §3.3.2): a sender may not drop it before.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::interrupt::interruptible;
use crate::packets::segment::{Dss, Segment, flag};
use crate::tracking::data::{Acknowledgement, Laden, Mappings, Numbers, SentRange};
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::Travelling;
use crate::tracking::{ByRole, Capture, Connection};
use crate::{Instant, PacketRow, Span};

/// A DATA_ACK that acknowledges more than all before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Passing {
    /// When it was recorded.
    pub time: Instant,
    /// Row of the packet.
    pub row: PacketRow,
    /// The next byte that the receiver expects; a working number.
    pub next: u64,
    /// When a DATA_ACK last said the same.
    pub last: Instant,
}

/// A time in which the DATA_ACK stood still in front of data that TCP had acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The next byte that the receiver expected; a working number.
    pub next: u64,
    /// When a DATA_ACK first said so.
    pub from: Instant,
    /// When TCP acknowledged that byte.
    pub tcp_acknowledged: Instant,
    /// Row of the packet that did.
    pub row: PacketRow,
    /// When a DATA_ACK went beyond it, or the last packet with one that did not.
    pub until: Instant,
    /// Whether one went beyond.
    pub recovered: bool,
    /// Row of that packet.
    pub last_row: PacketRow,
    /// The largest receive window meanwhile, bytes; `None` where its scale was not captured.
    pub window: Option<u32>,
}

impl Standing {
    /// Duration after TCP's acknowledgement.
    #[must_use]
    pub fn length(&self) -> Span {
        self.until - self.tcp_acknowledged
    }
}

/// Acknowledgements of one direction of a connection, in the order of time.
#[derive(Debug, Clone, Default)]
pub struct Acknowledged {
    passings: Vec<Passing>,
    /// For each subflow: when its TCP acknowledged more than before, and how far.
    tcp: Vec<Vec<(Instant, u64)>>,
    /// For each subflow: when its acknowledgements came, those that acknowledge nothing new included.
    heard: Vec<Vec<Instant>>,
    /// Packets with payload, by their rows: index of the subflow, and where the payload ends there.
    ends: Vec<(PacketRow, u32, u64)>,
    /// The times in which the DATA_ACK stood still although TCP went on.
    pub standings: Vec<Standing>,
}

/// When the data of either direction of `connection` were acknowledged.
#[must_use]
pub fn acknowledged(capture: &Capture, connection: &Connection) -> ByRole<Acknowledged> {
    let mappings = Mappings::of(&capture.segments, &capture.tracking, connection);
    let mut watches = Watches::new(connection);
    if mappings.is_in_time_order() {
        mappings.walk(|laden| watches.push(laden));
        return watches.finish();
    }
    let mut packets: Vec<(Travelling<'_>, Vec<SentRange>, Option<Acknowledgement>)> = Vec::new();
    mappings.walk(|laden| packets.push((*laden.packet, laden.sent.to_vec(), laden.acknowledged)));
    packets.sort_by_key(|(packet, ..)| packet.segment.abstime);
    for (packet, sent, acknowledged) in interruptible(&packets) {
        watches.push(&Laden { packet, sent, acknowledged: *acknowledged });
    }
    watches.finish()
}

impl Acknowledged {
    /// The first DATA_ACK that covers all bytes before `end`, a working number.
    #[must_use]
    pub fn passed(&self, end: u64) -> Option<Passing> {
        self.passings.get(self.passings.partition_point(|passing| passing.next < end)).copied()
    }

    /// The last DATA_ACK before the first that covers all bytes before `end`.
    #[must_use]
    pub fn before(&self, end: u64) -> Option<Passing> {
        let behind = self.passings.partition_point(|passing| passing.next < end).checked_sub(1)?;
        self.passings.get(behind).copied()
    }

    /// Whether an acknowledgement came on a subflow after `from` and not after `until`.
    #[must_use]
    pub fn heard(&self, subflow: usize, from: Instant, until: Instant) -> bool {
        let times = self.heard.get(subflow).map_or(&[][..], Vec::as_slice);
        times.get(times.partition_point(|time| *time <= from)).is_some_and(|time| *time <= until)
    }

    /// When TCP acknowledged the payload of the packet in `row`.
    #[must_use]
    pub fn by_tcp(&self, row: PacketRow) -> Option<Instant> {
        let at = self.ends.binary_search_by_key(&row, |(row, ..)| *row).ok()?;
        let (_, subflow, end) = self.ends.get(at)?;
        let acknowledgements = self.tcp.get(usize::try_from(*subflow).ok()?)?;
        let first = acknowledgements.partition_point(|(_, next)| next < end);
        acknowledgements.get(first).map(|(time, _)| *time)
    }
}

/// Both directions of a connection while its packets go by, in the order of time.
pub struct Watches(ByRole<Watch>);

impl Watches {
    /// Before the first packet.
    #[must_use]
    pub fn new(connection: &Connection) -> Self {
        // Of the real numbers only the lower halves are asked for, which these tell.
        let numbers = Numbers::of(connection);
        let count = connection.subflows.len();
        Watches(ByRole { server: Watch::new(count, numbers.server), client: Watch::new(count, numbers.client) })
    }

    /// Takes in the next packet.
    pub fn push(&mut self, laden: &Laden<'_, '_>) {
        self.0.get_mut(laden.packet.towards).sends(laden);
        if laden.packet.segment.flags() & (flag::ACK | flag::RST) == flag::ACK {
            self.0.get_mut(laden.packet.towards.other()).acknowledges(laden);
        }
    }

    /// What was acknowledged.
    #[must_use]
    pub fn finish(self) -> ByRole<Acknowledged> {
        ByRole { server: self.0.server.finish(), client: self.0.client.finish() }
    }
}

/// One direction while its packets go by.
struct Watch {
    numbers: Numbers,
    positions: Vec<Positions>,
    /// For each subflow where its farthest mapping ends there.
    mapped: Vec<u64>,
    /// For each subflow what TCP has not acknowledged yet.
    under_way: Vec<UnderWay>,
    /// Data that TCP acknowledged, from the DATA_ACK on.
    arrived: RangeSet,
    standing: Option<Standing>,
    found: Acknowledged,
}

/// Data of one subflow that TCP has not acknowledged yet: where its mapping ends there, and the data (start, end). A
/// receiver may hold a mapping back until all of it came.
#[derive(Clone, Default)]
struct UnderWay {
    /// What came in the order of its ends, as most does.
    in_order: VecDeque<(u64, u64, u64)>,
    others: BinaryHeap<Reverse<(u64, u64, u64)>>,
}

impl UnderWay {
    fn push(&mut self, data: (u64, u64, u64)) {
        if self.in_order.back().is_none_or(|last| last.0 <= data.0) {
            self.in_order.push_back(data);
        } else {
            self.others.push(Reverse(data));
        }
    }

    /// Takes out what lies before `next` on the subflow.
    fn acknowledge(&mut self, next: u64, arrived: &mut RangeSet) {
        while let Some((_, start, end)) = self.in_order.pop_front_if(|data| data.0 <= next) {
            arrived.insert(start, end);
        }
        while let Some(Reverse((_, start, end))) = self.others.peek().copied().filter(|Reverse(data)| data.0 <= next) {
            self.others.pop();
            arrived.insert(start, end);
        }
    }
}

impl Watch {
    fn new(count: usize, numbers: Numbers) -> Self {
        Watch {
            numbers,
            positions: vec![Positions::default(); count],
            mapped: vec![0; count],
            under_way: vec![UnderWay::default(); count],
            arrived: RangeSet::default(),
            standing: None,
            found: Acknowledged {
                tcp: vec![Vec::new(); count],
                heard: vec![Vec::new(); count],
                ..Acknowledged::default()
            },
        }
    }

    fn finish(mut self) -> Acknowledged {
        self.found.standings.extend(self.standing);
        if !self.found.ends.is_sorted_by_key(|(row, ..)| *row) {
            self.found.ends.sort_unstable();
        }
        self.found
    }

    fn sends(&mut self, laden: &Laden<'_, '_>) {
        let packet = laden.packet;
        let (Some(positions), Some(mapped), Some(under_way)) = (
            self.positions.get_mut(packet.subflow),
            self.mapped.get_mut(packet.subflow),
            self.under_way.get_mut(packet.subflow),
        ) else {
            return;
        };
        let start = positions.position(packet.segment.sequence).saturating_add(packet.segment.has(flag::SYN).into());
        let length = u64::from(packet.segment.payload().unwrap_or(0));
        if length == 0 {
            return;
        }
        let end = start.saturating_add(length);
        self.found.ends.push((packet.row, u32::try_from(packet.subflow).unwrap_or(u32::MAX), end));
        for range in laden.sent {
            let dsn = self.numbers.real(range.start).unwrap_or(range.start);
            if let Some(beyond) = beyond(packet.segment, dsn, length) {
                *mapped = (*mapped).max(end.saturating_add(beyond));
            }
            // Data without a mapping of their own are within the last one.
            under_way.push((end.max(*mapped), range.start, range.end));
        }
    }

    fn acknowledges(&mut self, laden: &Laden<'_, '_>) {
        let packet = laden.packet;
        let time = packet.segment.abstime;
        let (Some(positions), Some(under_way), Some(tcp), Some(heard)) = (
            self.positions.get(packet.subflow),
            self.under_way.get_mut(packet.subflow),
            self.found.tcp.get_mut(packet.subflow),
            self.found.heard.get_mut(packet.subflow),
        ) else {
            return;
        };
        heard.push(time);
        if let Some(next) = positions.nearest(packet.segment.acknowledgement)
            && tcp.last().is_none_or(|(_, known)| next > *known)
        {
            tcp.push((time, next));
            under_way.acknowledge(next, &mut self.arrived);
        }
        if let Some(acknowledgement) = &laden.acknowledged {
            self.data_acknowledges(acknowledgement);
        }
    }

    #[inline]
    fn data_acknowledges(&mut self, acknowledgement: &Acknowledgement) {
        let Acknowledgement { row, time, next, window, .. } = *acknowledgement;
        if self.found.passings.last().is_none_or(|passing| next > passing.next) {
            self.found.passings.push(Passing { time, row, next, last: time });
            self.arrived.remove_before(next);
            if let Some(standing) = self.standing.take() {
                self.found.standings.push(Standing { until: time, recovered: true, last_row: row, ..standing });
            }
        }
        if let Some(passing) = self.found.passings.last_mut().filter(|passing| passing.next == next) {
            passing.last = time;
        }
        let Some(last) = self.found.passings.last().filter(|last| self.arrived.contains(last.next)) else { return };
        let standing = self.standing.get_or_insert(Standing {
            next: last.next,
            from: last.time,
            tcp_acknowledged: time,
            row,
            until: time,
            recovered: false,
            last_row: row,
            window,
        });
        // What an older DATA_ACK says that was overtaken counts for nothing.
        if next == standing.next {
            standing.until = time;
            standing.last_row = row;
            standing.window = standing.window.zip(window).map(|(known, window)| known.max(window));
        }
    }
}

/// Bytes that the packet's own mapping covers beyond its payload of `length` bytes, the first of which is the data byte
/// `dsn`.
#[inline]
fn beyond(segment: &Segment, dsn: u64, length: u64) -> Option<u64> {
    let dss = segment.dss()?;
    let mapping = dss.mapping?;
    let data = u64::from(mapping.length).saturating_sub(u64::from(dss.has(Dss::DATA_FIN)));
    // Truncation keeps the low halves, which are compared.
    #[allow(clippy::cast_possible_truncation)]
    let into = u64::from((dsn as u32).wrapping_sub(mapping.dsn as u32));
    (into < data).then(|| data.saturating_sub(into).saturating_sub(length))
}
