//! When did a subflow make no progress although data waited for an acknowledgement?

use crate::packets::segment::flag;
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

/// Progress of one direction of one subflow.
#[derive(Default)]
struct Progress {
    data: Positions,
    sent: RangeSet,
    highest_sent: Option<u64>,
    acknowledged: Option<u64>,
    /// When the oldest unacknowledged data began to wait.
    waiting_since: Option<i64>,
    retransmissions: Vec<(u64, u32)>,
    found: Vec<Standstill>,
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

impl Progress {
    fn sends(&mut self, packet: &Travelling<'_>) {
        let segment = packet.segment;
        let start = self.data.position(segment.sequence).saturating_add(u64::from(segment.has(flag::SYN)));
        let length = u64::from(segment.payload.unwrap_or(0));
        if length == 0 {
            return;
        }
        let end = start.saturating_add(length);
        let new = self.sent.insert(start, end);
        self.highest_sent = Some(self.highest_sent.map_or(end, |highest| highest.max(end)));
        if self.waiting_since.is_none() {
            self.waiting_since = Some(segment.abstime);
            self.retransmissions.clear();
        }
        if new < length {
            self.retransmissions.push((segment.packetid, packet.row));
        }
    }

    fn acknowledges(&mut self, packet: &Travelling<'_>) {
        let segment = packet.segment;
        if !segment.has(flag::ACK) || self.highest_sent.is_none() {
            return;
        }
        let position = self.data.position(segment.acknowledgement);
        if self.acknowledged.is_some_and(|known| position <= known) {
            return;
        }
        self.acknowledged = Some(position);
        self.ends(segment.abstime, true);
        let all = self.highest_sent.is_some_and(|highest| position >= highest);
        self.waiting_since = (!all).then_some(segment.abstime);
        self.retransmissions.clear();
    }

    /// Progress was made, or the capture is over.
    fn ends(&mut self, now: i64, recovered: bool) {
        let Some(from) = self.waiting_since else { return };
        let long = now.saturating_sub(from) >= STANDSTILL;
        if long && self.retransmissions.len() >= RETRANSMISSIONS {
            let row = self.retransmissions.first().map_or(0, |(_, row)| *row);
            let retransmissions = self.retransmissions.drain(..).map(|(packetid, _)| packetid).collect();
            self.found.push(Standstill { from, until: now, recovered, retransmissions, row });
        }
    }
}
