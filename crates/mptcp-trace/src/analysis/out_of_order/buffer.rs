//! The reorder buffer of a receiver that delivers data in order of its sequence numbers.

use std::collections::BTreeMap;

use crate::tracking::rising::Rising;
use crate::{Instant, PacketRow, Span};

/// New data that arrives. Ranges never overlap what arrived before.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// When.
    pub time: Instant,
    /// Row of the packet.
    pub row: PacketRow,
    /// Index of the subflow that carried it.
    pub subflow: usize,
}

/// The subflow that brought the data others waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Filler {
    /// The subflow of that index.
    Subflow(usize),
    /// Nobody that was captured, yet the receiver acknowledged it.
    NotSeen,
}

/// Contribution of one filler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Filled {
    /// Number of times that it made waiting data deliverable.
    pub holes: u64,
    /// Bytes that it made deliverable.
    pub bytes: u64,
    /// Time that data waited for it.
    pub blocked: Span,
}

/// A range of data that waited and became deliverable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// When it arrived.
    pub since: Instant,
    /// Waiting time.
    pub span: Span,
}

/// Overall outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Most bytes waiting at one time.
    pub peak: u64,
    /// Bytes waiting at the end.
    pub waiting: u64,
    /// Bytes between the first and the last that never arrived.
    pub missing: u64,
    /// Integral of bytes waiting over time.
    pub byte_nanoseconds: u128,
    /// Waiting time of any byte.
    pub blocked: Span,
    /// By subflow, the waits of ranges that became deliverable, in the order in which they ended.
    pub waits: Vec<Vec<Wait>>,
    /// By whom holes were filled.
    pub fillers: BTreeMap<Filler, Filled>,
    /// Bytes waiting from each time on, and the packet that brought the change.
    pub occupancy: Vec<(Instant, u64, PacketRow)>,
}

/// Data that waits.
struct Waiting {
    end: u64,
    since: Instant,
    subflow: usize,
}

/// An acknowledgement farther ahead than any receive window reaches (RFC 7323 §2.3) is not an acknowledgement.
const WINDOW: u64 = 1 << 30;

/// The buffer.
pub struct Buffer {
    /// Next expected byte; `None` until it is known.
    next: Option<u64>,
    /// Where counting began, and how much arrived since.
    first: Option<u64>,
    highest: u64,
    arrived: u64,
    waiting: Rising<Waiting>,
    /// Time of the latest event.
    now: Option<Instant>,
    /// While data waits: since when the present hole is the one in the way.
    blocked_since: Instant,
    summary: Summary,
}

impl Buffer {
    /// A buffer that expects `first` next, for data on `subflows` subflows.
    pub fn new(first: Option<u64>, subflows: usize) -> Self {
        let summary = Summary { waits: vec![Vec::new(); subflows], ..Summary::default() };
        let (waiting, highest) = (Rising::default(), first.unwrap_or(0));
        Buffer { next: first, first, highest, arrived: 0, waiting, now: None, blocked_since: Instant::EPOCH, summary }
    }

    /// Takes in new data; returns how many bytes of it have to wait.
    pub fn arrive(&mut self, arrival: Arrival) -> u64 {
        let next = *self.next.get_or_insert(arrival.start);
        let first = *self.first.get_or_insert(arrival.start);
        self.arrived += arrival.end.saturating_sub(arrival.start.max(first));
        self.highest = self.highest.max(arrival.end);
        if arrival.end <= next {
            // Acknowledged before it was seen.
            return 0;
        }
        if arrival.start <= next {
            self.advance(arrival.end, (arrival.time, arrival.row), Filler::Subflow(arrival.subflow));
            return 0;
        }
        self.pass_time(arrival.time);
        if self.waiting.is_empty() {
            self.blocked_since = arrival.time;
        }
        let bytes = arrival.end - arrival.start;
        self.waiting.insert(arrival.start, Waiting { end: arrival.end, since: arrival.time, subflow: arrival.subflow });
        self.set_waiting((arrival.time, arrival.row), self.summary.waiting + bytes);
        bytes
    }

    /// Takes in a DATA_ACK of the receiver: what is before it has arrived, whether it was captured or not.
    pub fn acknowledge(&mut self, acknowledged: u64, time: Instant, row: PacketRow) {
        let Some(next) = self.next else {
            (self.next, self.first) = (Some(acknowledged), Some(acknowledged));
            self.highest = acknowledged;
            return;
        };
        if acknowledged > next && acknowledged - next <= WINDOW {
            self.advance(acknowledged, (time, row), Filler::NotSeen);
        }
    }

    /// Everything before `to` is there: delivers what waited behind it.
    fn advance(&mut self, to: u64, (time, row): (Instant, PacketRow), filler: Filler) {
        self.pass_time(time);
        let blocked = !self.waiting.is_empty();
        let mut next = to;
        let mut released = 0;
        while let Some((start, waited)) = self.waiting.pop_first_if(|start, _| start <= next) {
            next = next.max(waited.end);
            released += waited.end - start;
            if let Some(waits) = self.summary.waits.get_mut(waited.subflow) {
                waits.push(Wait { since: waited.since, span: time - waited.since });
            }
        }
        self.next = Some(next);
        if blocked {
            let filled = self.summary.fillers.entry(filler).or_default();
            let span = time - self.blocked_since;
            filled.blocked += span;
            filled.holes += u64::from(released > 0);
            filled.bytes += released;
            self.blocked_since = time;
        }
        if released > 0 {
            self.set_waiting((time, row), self.summary.waiting.saturating_sub(released));
        }
    }

    fn set_waiting(&mut self, (time, row): (Instant, PacketRow), bytes: u64) {
        self.summary.waiting = bytes;
        self.summary.peak = self.summary.peak.max(bytes);
        match self.summary.occupancy.last_mut() {
            Some((latest, value, packet)) if *latest == time => (*value, *packet) = (bytes, row),
            _ => self.summary.occupancy.push((time, bytes, row)),
        }
    }

    /// Counts the time since the latest event, during which nothing changed.
    fn pass_time(&mut self, time: Instant) {
        let passed = (time - self.now.unwrap_or(time)).max(Span::ZERO);
        self.now = Some(time);
        if self.summary.waiting > 0 {
            self.summary.blocked += passed;
            let bytes = u128::from(self.summary.waiting);
            self.summary.byte_nanoseconds += bytes * u128::from(passed.nanoseconds().unsigned_abs());
        }
    }

    /// The summary, with the time up to the latest event.
    pub fn finish(mut self) -> Summary {
        let span = self.highest.saturating_sub(self.first.unwrap_or(self.highest));
        self.summary.missing = span.saturating_sub(self.arrived);
        self.summary
    }
}

#[cfg(test)]
mod tests;
