//! How large was a sender's congestion window, as far as what it sent tells?
//!
//! No packet carries the window. A sender that has enough to send keeps as much under way as the window allows, so
//! the most that was under way during a round trip is an estimate of it from below. tcptrace's graphs of outstanding
//! data rest on the same thought; rounds are counted as TCP Vegas and BBR count theirs, by bytes, without a clock.

use serde::Serialize;

use super::flight::Moment;
use crate::interrupt::interruptible;
use crate::{Instant, PacketRow};

/// One round trip, and the most that was under way in it.
///
/// A round begins when something is sent while nothing is under way, or when the round before ends. It ends when all
/// that had been sent by its beginning is acknowledged: of the first round that is the packet it began with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RoundTrip {
    /// Row of the packet that it began with.
    pub row: PacketRow,
    /// When it began.
    pub from: Instant,
    /// When it ended; when the last packet was seen, if the capture ended first.
    pub until: Instant,
    /// The most bytes under way in it, those that SACK reported left out.
    pub most: u64,
    /// Bytes were sent again in it. What was lost is then still counted as under way, although the sender has given
    /// it up: `most` may be more than its window.
    pub recovering: bool,
    /// It ended within the capture. Otherwise what it began with may have been lost long ago, and `most` be more than the
    /// window: before a round ends, what was lost has been sent again, in it or before.
    pub finished: bool,
}

/// A round under way.
struct Open {
    round: RoundTrip,
    /// Acknowledged up to here, it is over.
    end: u64,
}

/// The round trips of one direction of a stream, from [`super::flight::stream_flight`].
#[must_use]
pub fn round_trips(moments: &[Moment]) -> Vec<RoundTrip> {
    let mut rounds = Vec::new();
    let mut open: Option<Open> = None;
    for now in interruptible(moments) {
        if let Some(over) = open.take_if(|open| now.acknowledged >= open.end) {
            rounds.push(RoundTrip { until: now.time, finished: true, ..over.round });
        }
        match &mut open {
            Some(Open { round, .. }) => {
                round.until = now.time;
                round.most = round.most.max(now.unaccounted());
                round.recovering |= now.again;
            }
            None if now.in_flight() > 0 => {
                let (time, most) = (now.time, now.unaccounted());
                let (row, recovering) = (now.row, now.again);
                let round = RoundTrip { row, from: time, until: time, most, recovering, finished: false };
                open = Some(Open { round, end: now.sent });
            }
            None => {}
        }
    }
    rounds.extend(open.map(|open| open.round));
    rounds
}
