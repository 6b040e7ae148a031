//! When did a subflow make no progress although data waited for an acknowledgement?

use crate::packets::segment::{Segment, flag};
use crate::tracking::Role;
use crate::tracking::sequence::{Positions, RangeSet};
use crate::tracking::travelling::Travelling;

/// Retransmissions without any progress that make a subflow stale. Linux calls one so after four timeouts
/// (`net.mptcp.stale_loss_cnt`); the first may come before the capture point notices.
const RETRANSMISSIONS: usize = 3;
/// A shorter standstill is ordinary loss recovery, nanoseconds.
const STANDSTILL: i64 = 1_000_000_000;

/// A time without progress although data waited for an acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standstill {
    /// When the oldest of that data was sent, or the last progress made; nanoseconds since 1970.
    pub from: i64,
    /// When progress was made again, or the stream's last packet.
    pub until: i64,
    /// Whether progress was made again.
    pub recovered: bool,
    /// Packets that sent data again meanwhile.
    pub retransmissions: Vec<u64>,
    /// Row of the first of them.
    pub row: u32,
}

/// The standstills of one direction of a subflow, from its packets in the order of the file.
#[must_use]
pub fn standstills<'a>(packets: impl Iterator<Item = Travelling<'a>>, towards: Role) -> Vec<Standstill> {
    let mut progress = Progress::default();
    let mut last = 0;
    for packet in packets {
        last = packet.segment.abstime;
        if packet.towards == towards { progress.sends(&packet) } else { progress.acknowledges(&packet) }
    }
    progress.ends(last, false);
    progress.found
}

/// The standstills of one direction of one subflow so far.
#[derive(Default)]
struct Progress {
    waiting: Waiting<u32>,
    retransmissions: Vec<u64>,
    found: Vec<Standstill>,
}

impl Progress {
    fn sends(&mut self, packet: &Travelling<'_>) {
        let again = self.waiting.sends(packet.segment, packet.row);
        if self.waiting.retransmissions == 0 {
            self.retransmissions.clear();
        } else if again > 0 {
            self.retransmissions.push(packet.segment.packetid);
        }
    }

    fn acknowledges(&mut self, packet: &Travelling<'_>) {
        let before = self.waiting.standstill(packet.segment.abstime);
        if self.waiting.acknowledges(packet.segment) {
            self.note(before, packet.segment.abstime, true);
        }
    }

    fn ends(&mut self, now: i64, recovered: bool) {
        self.note(self.waiting.standstill(now), now, recovered);
    }

    /// Progress was made, or the capture is over.
    fn note(&mut self, standstill: Option<(i64, u32)>, until: i64, recovered: bool) {
        let retransmissions = std::mem::take(&mut self.retransmissions);
        if let Some((from, row)) = standstill {
            self.found.push(Standstill { from, until, recovered, retransmissions, row });
        }
    }
}

/// Data of one direction of a subflow that waits for its acknowledgement; `M` says where a packet is.
#[derive(Debug)]
pub struct Waiting<M> {
    data: Positions,
    sent: RangeSet,
    highest_sent: Option<u64>,
    acknowledged: Option<u64>,
    /// When the oldest unacknowledged data began to wait.
    since: Option<i64>,
    /// Packets that sent data again since.
    retransmissions: usize,
    /// The first of them.
    first: Option<M>,
}

impl<M> Default for Waiting<M> {
    fn default() -> Self {
        Waiting {
            data: Positions::default(),
            sent: RangeSet::default(),
            highest_sent: None,
            acknowledged: None,
            since: None,
            retransmissions: 0,
            first: None,
        }
    }
}

impl<M: Copy> Waiting<M> {
    /// Ranges that are held after [`Waiting::limit`] at most.
    const MOST_RANGES: usize = 1024;

    /// Takes in a packet of the direction; returns how many of its octets had been sent before.
    pub fn sends(&mut self, segment: &Segment, place: M) -> u64 {
        let start = self.data.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        let length = u64::from(segment.payload.unwrap_or(0));
        if length == 0 {
            return 0;
        }
        let end = start.saturating_add(length);
        let again = length.saturating_sub(self.sent.insert(start, end));
        self.highest_sent = Some(self.highest_sent.map_or(end, |highest| highest.max(end)));
        if self.since.is_none() {
            self.since = Some(segment.abstime);
            self.retransmissions = 0;
        }
        if again > 0 {
            self.retransmissions = self.retransmissions.saturating_add(1);
            if self.retransmissions == 1 {
                self.first = Some(place);
            }
        }
        again
    }

    /// Takes in a packet of the other direction; true when it acknowledges more than all before.
    pub fn acknowledges(&mut self, segment: &Segment) -> bool {
        if !segment.has(flag::ACK) || self.highest_sent.is_none() {
            return false;
        }
        let position = self.data.position(segment.acknowledgement);
        if self.acknowledged.is_some_and(|known| position <= known) {
            return false;
        }
        self.acknowledged = Some(position);
        let all = self.highest_sent.is_some_and(|highest| position >= highest);
        self.since = (!all).then_some(segment.abstime);
        self.retransmissions = 0;
        true
    }

    /// Since when nothing has moved, and the first packet that sent data again, if that makes the subflow stale now.
    #[must_use]
    pub fn standstill(&self, now: i64) -> Option<(i64, M)> {
        let from = self.since.filter(|from| now.saturating_sub(*from) >= STANDSTILL)?;
        let first = self.first.filter(|_| self.retransmissions >= RETRANSMISSIONS)?;
        Some((from, first))
    }

    /// Keeps what is held small: where data came with more gaps than anything but an attack has, they count as sent.
    pub fn limit(&mut self) {
        if self.sent.ranges() > Self::MOST_RANGES
            && let Some((start, end)) = self.sent.span()
        {
            self.sent.insert(start, end);
        }
    }
}
