//! The likely cause of a retransmission, from what the other end acknowledges before and after it.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use crate::packets::segment::flag;
use crate::tracking::sequence::Positions;
use crate::tracking::travelling::StreamPacket;
use crate::{Instant, Span};

/// Why a packet was sent again, by estimate: senders differ, and do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Needless: the receiver had it already. It was acknowledged before, a D-SACK reports it (RFC 2883), or the ACK that
    /// followed echoes a timestamp older than its own (RFC 3522).
    Spurious,
    /// Acknowledgements asked for it: three duplicate ACKs (RFC 5681), SACK of later bytes (RFC 6675), or an ACK or SACK of
    /// bytes that were sent later (RFC 8985).
    Fast,
    /// Nothing asked for it, and the data were last sent at least 0.2 s and two round trips before: a timer (RFC 6298).
    Rto,
    /// A timer had expired before, and it was last sent before that: the sender then takes all of it as lost, and sends it as
    /// acknowledgements let it (RFC 5681 §3.1, RFC 6675 §5.1), whether or not SACK reported later bytes.
    Recovery,
    /// Nothing asked for it; it is the last data sent, sooner than a timer: a probe for the loss of the tail (RFC 8985).
    Tail,
    /// None of these: the capture does not tell.
    Other,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 6] = [Class::Spurious, Class::Fast, Class::Rto, Class::Recovery, Class::Tail, Class::Other];

    /// As in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Class::Spurious => "spurious",
            Class::Fast => "fast",
            Class::Rto => "rto",
            Class::Recovery => "recovery",
            Class::Tail => "tail",
            Class::Other => "other",
        }
    }
}

/// Bytes sent again by one packet.
#[derive(Debug, Clone, Copy)]
pub struct Repeated {
    /// The first of them.
    pub start: u64,
    /// One past the last of the packet.
    pub end: u64,
    /// When.
    pub now: Instant,
    /// When they were last sent before.
    pub last: Instant,
    /// One past the highest byte sent.
    pub top: u64,
}

/// The latest timer that expired: when, how far the data sent until then reach, how far SACK had reported them, and whether
/// it is undone if data sent before arrive (RFC 5682): not where losses had been found before, unless it expired again.
#[derive(Debug, Clone, Copy)]
struct Timeout {
    at: Instant,
    until: u64,
    selectively: u64,
    undone_by_originals: bool,
}

/// A retransmission that waits for its acknowledgement: its place in the list, and its timestamp.
type Waiting = (usize, Option<u32>);

/// Acknowledgements of one direction's data.
#[derive(Debug, Default)]
pub struct Told {
    /// Everything before this position is acknowledged.
    acknowledged: Option<u64>,
    /// ACKs since that acknowledged nothing else.
    duplicates: u32,
    /// One past the highest byte that SACK reported.
    selectively: u64,
    /// When an ACK last asked for something: a duplicate one, or one with SACK.
    asked: Option<Instant>,
    timeout: Option<Timeout>,
    /// When the data were sent that were sent last of all that arrived, and when that was told.
    arrived: Option<(Instant, Instant)>,
    /// By first byte.
    waiting: BTreeMap<u64, Vec<Waiting>>,
    /// By first byte, those that no D-SACK has reported.
    unreported: BTreeMap<u64, VecDeque<usize>>,
    reported: Option<(u64, u64)>,
}

impl Told {
    /// Takes in a packet that may acknowledge; `spurious` is told of retransmissions that were needless. Returns bytes that
    /// it shows to have arrived, among them those that arrived last.
    pub fn push(
        &mut self,
        packet: &StreamPacket<'_>,
        positions: &Positions,
        mut spurious: impl FnMut(usize),
    ) -> [Option<u64>; 4] {
        let segment = packet.segment;
        if !segment.has(flag::ACK) || segment.has(flag::RST) || packet.nature.is_stray() {
            return [None; 4];
        }
        let Some(position) = positions.nearest(segment.acknowledgement) else { return [None; 4] };
        let advanced = self.acknowledged.filter(|before| position > *before);
        // RFC 2018 §4: what arrived last is in the first block, at one of its ends where it made the block grow.
        let block = segment.sack().first().filter(|(_, right)| positions.nearest(*right) > Some(position));
        let arrived = [
            advanced,
            advanced.and(position.checked_sub(1)),
            block.and_then(|(left, _)| positions.nearest(*left)),
            block.and_then(|(_, right)| positions.nearest(*right)?.checked_sub(1)),
        ];
        let before = self.acknowledged.unwrap_or(position);
        self.selective(segment.sack(), position, segment.abstime, positions, &mut spurious);
        if position > before || self.acknowledged.is_none() {
            self.acknowledged = Some(position);
            self.duplicates = 0;
            let echo = segment.timestamps().map(|(_, echo)| echo);
            self.advance((before, position), echo, &mut spurious);
        } else if position == before
            && segment.payload() == Some(0)
            && segment.flags() & (flag::SYN | flag::FIN) == 0
            // An ACK that carries a signal of MPTCP tells nothing of a loss (RFC 8684 §3.3.6).
            && segment.control().is_none()
        {
            self.duplicates = self.duplicates.saturating_add(1);
            if self.duplicates >= 3 {
                self.asked = Some(segment.abstime);
            }
        }
        arrived
    }

    /// This byte, sent at that time, arrived, which is told now.
    pub fn arrives(&mut self, byte: u64, sent: Instant, now: Instant) {
        // RFC 5682 §3.1: what was not sent since the timer arrives after it, so the timer was too soon.
        let is_original = |timeout: &Timeout| {
            timeout.undone_by_originals && sent < timeout.at && (timeout.selectively..timeout.until).contains(&byte)
        };
        if self.timeout.as_ref().is_some_and(is_original) {
            self.timeout = None;
        }
        if self.arrived.is_none_or(|(latest, _)| sent >= latest) {
            self.arrived = Some((sent, now));
        }
    }

    fn selective(
        &mut self,
        blocks: &[(u32, u32)],
        acknowledged: u64,
        now: Instant,
        positions: &Positions,
        spurious: &mut impl FnMut(usize),
    ) {
        let range = |block: Option<&(u32, u32)>| {
            let (left, right) = *block?;
            Some((positions.nearest(left)?, positions.nearest(right)?))
        };
        let Some((left, right)) = range(blocks.first()) else { return };
        // RFC 2883 §4: a first block that is acknowledged, or lies within the second, reports what came twice.
        let within = range(blocks.get(1)).is_some_and(|(from, until)| from <= left && right <= until);
        let report = Some((left, right)).filter(|_| right <= acknowledged || within);
        // It is told once, and may be repeated.
        if report.is_some() && report != std::mem::replace(&mut self.reported, report) {
            self.came_twice(left, right, spurious);
        }
        for (_, right) in
            blocks.iter().filter_map(|block| range(Some(block))).filter(|(_, right)| *right > acknowledged)
        {
            self.selectively = self.selectively.max(right);
            self.asked = Some(now);
        }
    }

    /// The oldest retransmission that begins there was needless.
    fn came_twice(&mut self, left: u64, right: u64, spurious: &mut impl FnMut(usize)) {
        if left >= right {
            return;
        }
        let Some((&start, those)) = self.unreported.range_mut(left..right).next() else { return };
        if let Some(index) = those.pop_front() {
            spurious(index);
        }
        if those.is_empty() {
            self.unreported.remove(&start);
        }
    }

    /// All before `until` is acknowledged, `from` and later for the first time.
    fn advance(&mut self, (from, until): (u64, u64), echo: Option<u32>, spurious: &mut impl FnMut(usize)) {
        while let Some(first) = self.waiting.first_entry()
            && *first.key() < until
        {
            let (start, those) = first.remove_entry();
            // Of later bytes it would not have been echoed (RFC 7323 §4.3).
            let Some(echo) = echo.filter(|_| start <= from) else { continue };
            for (index, value) in those {
                if value.is_some_and(|value| value != echo && value.wrapping_sub(echo) < 1 << 31) {
                    spurious(index);
                }
            }
        }
    }

    /// The class of a retransmission, as far as it is known when it is sent.
    pub fn class(&mut self, repeated: &Repeated, patience: Span) -> Class {
        if self.acknowledged.is_some_and(|acknowledged| repeated.end <= acknowledged) {
            return Class::Spurious;
        }
        let lost = self.selectively >= repeated.end
            || (self.duplicates >= 3 && self.acknowledged.is_none_or(|position| position >= repeated.start));
        // Until the data of that time are acknowledged, what was not sent since is sent because of the timer.
        let recovers = self.timeout.is_some_and(|timeout| {
            let over = self.acknowledged.is_some_and(|acknowledged| acknowledged >= timeout.until);
            !over && repeated.end <= timeout.until && repeated.last < timeout.at
        });
        if recovers {
            return Class::Recovery;
        }
        // What was asked for before the data were last sent, or long ago, does not bring this packet.
        let recently = self.asked.is_some_and(|asked| asked >= repeated.last && repeated.now - asked < patience);
        // RFC 8985 §6.2: what was sent later arrived.
        let overtaken = self.arrived.is_some_and(|(sent, told)| sent > repeated.last && repeated.now - told < patience);
        if (lost && recently) || overtaken {
            Class::Fast
        } else if repeated.now - repeated.last >= patience {
            let loss_found = self.selectively > self.acknowledged.unwrap_or(0);
            let again = self.timeout.is_some_and(|timeout| timeout.at == repeated.last);
            self.timeout = Some(Timeout {
                at: repeated.now,
                until: repeated.top,
                selectively: self.selectively,
                undone_by_originals: again || !loss_found,
            });
            Class::Rto
        } else if repeated.end >= repeated.top {
            Class::Tail
        } else {
            Class::Other
        }
    }

    /// Waits for what the other end will tell of a retransmission, the `index`-th of the list.
    pub fn watch(&mut self, repeated: &Repeated, timestamp: Option<u32>, index: usize) {
        self.waiting.entry(repeated.start).or_default().push((index, timestamp));
        self.unreported.entry(repeated.start).or_default().push_back(index);
    }
}
