//! When each byte of a direction was sent: first, last, and how often.

use std::collections::BTreeMap;

use crate::Instant;
use crate::tracking::rising::Rising;
use crate::tracking::sequence::RangeSet;

/// The bytes of one direction under way, by numbers that count them.
#[derive(Debug, Default)]
pub struct SentTimes {
    sent: RangeSet,
    /// Ranges by their first byte, one past the last, and when they were first sent.
    first: Rising<(u64, Instant)>,
    /// The same of those sent again: when they were last sent, and how often again.
    again: BTreeMap<u64, Latest>,
    /// One past the highest byte sent again.
    again_top: u64,
}

/// The latest sending of a range of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Latest {
    /// One past the last byte.
    end: u64,
    time: Instant,
    /// How often it was sent again.
    count: u64,
}

/// Bytes sent again by one packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Again {
    /// The first of them.
    pub start: u64,
    /// Their number.
    pub bytes: u64,
    /// When the first of them was first sent.
    pub first: Instant,
    /// When it was last sent before.
    pub last: Instant,
    /// How often it is now sent again.
    pub count: u64,
    /// One past the highest byte sent so far.
    pub top: u64,
}

impl SentTimes {
    /// Takes in bytes sent; tells of those that had been sent before.
    pub fn sends(&mut self, start: u64, end: u64, now: Instant) -> Option<Again> {
        // Where in the packet the first repeated byte is.
        let mut repeated = start;
        for (from, until) in self.sent.gaps(start, end) {
            if from == repeated {
                repeated = until;
            }
            self.first.insert(from, (until, now));
        }
        let top = self.sent.span().map_or(end, |(_, highest)| highest.max(end));
        let bytes = end.saturating_sub(start).saturating_sub(self.sent.insert(start, end));
        if bytes == 0 {
            return None;
        }
        let first = self.first_sent(repeated)?;
        let before = self.latest(repeated);
        let last = before.map_or(first, |before| before.time);
        let count = before.map_or(0, |before| before.count).saturating_add(1);
        self.note(repeated, Latest { end, time: now, count });
        Some(Again { start: repeated, bytes, first, last, count, top })
    }

    /// When a byte was first sent.
    fn first_sent(&self, byte: u64) -> Option<Instant> {
        let found = self.first.up_to(byte);
        found.filter(|(_, (end, _))| *end > byte).map(|(_, (_, time))| *time)
    }

    /// When a byte was last sent.
    pub fn last_sent(&self, byte: u64) -> Option<Instant> {
        self.latest(byte).map(|latest| latest.time).or_else(|| self.first_sent(byte))
    }

    fn latest(&self, byte: u64) -> Option<Latest> {
        if byte >= self.again_top {
            return None;
        }
        let found = self.again.range(..=byte).next_back();
        found.filter(|(_, latest)| latest.end > byte).map(|(_, latest)| *latest)
    }

    /// Notes the latest sending of bytes. Each range that is taken out was put in once.
    fn note(&mut self, start: u64, latest: Latest) {
        while let Some((&from, &before)) = self.again.range(..latest.end).next_back() {
            if before.end <= start {
                break;
            }
            self.again.remove(&from);
            if before.end > latest.end {
                self.again.insert(latest.end, before);
            }
            if from < start {
                self.again.insert(from, Latest { end: start, ..before });
                break;
            }
        }
        self.again.insert(start, latest);
        self.again_top = self.again_top.max(latest.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::at;

    #[test]
    fn each_byte_has_its_own_times() {
        let mut times = SentTimes::default();
        assert_eq!(times.sends(0, 100, at(1)), None);
        assert_eq!(times.sends(100, 200, at(2)), None);
        let again = |start, bytes, (first, last), count| {
            Some(Again { start, bytes, first: at(first), last: at(last), count, top: 200 })
        };
        assert_eq!(times.sends(50, 150, at(3)), again(50, 100, (1, 1), 1));
        assert_eq!(times.sends(120, 200, at(4)), again(120, 80, (2, 3), 2));
        assert_eq!(times.sends(0, 60, at(5)), again(0, 60, (1, 1), 1));
        assert_eq!(times.sends(60, 70, at(6)), again(60, 10, (1, 3), 2));
        assert_eq!(
            [59, 60, 70, 119, 120, 199].map(|byte| times.last_sent(byte)),
            [5, 6, 3, 3, 4, 4].map(|t| Some(at(t)))
        );
        assert_eq!(times.last_sent(200), None);
        // New bytes in front of known ones, and behind them.
        assert_eq!(
            times.sends(190, 250, at(7)),
            Some(Again { start: 190, bytes: 10, first: at(2), last: at(4), count: 3, top: 250 })
        );
    }
}
