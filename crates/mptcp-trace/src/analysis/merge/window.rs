//! Packets sent while the receiver's capture was running.
//!
//! A capture is known to have run from its first packet to its last one. Of what would have arrived earlier or later it
//! says nothing, and whether it would have is not always known, because delays vary. A packet is judged when it must have
//! arrived between the two: packets that were sent before or after it arrived by then, because a path keeps their order but
//! for the reordering that it shows; or it would have with the shortest and with the longest delay that was seen. All
//! times are compared within one direction of one stream, so that an offset between the clocks does not matter.

use super::Fate;
use super::directions::Packet;
use super::fate::Witness;
use super::ranges::Part;
use crate::interrupt::interruptible;
use crate::{Instant, Span};

/// By how much delays may differ at least.
const TOLERANCE: Span = Span::from_milliseconds(1);

/// Packets after the first one whose delays are looked at for how much they change there.
const FIRST_ONES: usize = 32;

/// When the packets of a direction arrived, and when the receiver's capture ran.
pub struct Window {
    begin: Instant,
    end: Instant,
    /// By the sender's index: the latest arrival of what was sent before.
    latest_before: Vec<Option<Instant>>,
    /// By the sender's index: the earliest arrival of what was sent after it.
    earliest_after: Vec<Option<Instant>>,
    /// How far the path brings packets out of order.
    reordering: Span,
    /// No packet took less before the first one that arrived, by the ends' own clocks.
    shortest: Span,
    /// None takes more after the last one that arrived.
    longest: Span,
}

impl Window {
    /// `None` where no packet is in both captures.
    pub fn new(parts: &[Part], sent: &[Packet], witness: &Witness<'_>) -> Option<Window> {
        let (begin, end) = witness.recorded?;
        let mut arrivals: Vec<Option<(Instant, Instant)>> = vec![None; sent.len()];
        for part in interruptible(parts.iter().filter(|part| part.fate == Fate::Received)) {
            let arrival = part.received.and_then(|index| witness.received.get(index));
            let own = part.sent.and_then(|index| arrivals.get_mut(index));
            if let (Some(arrival), Some(own)) = (arrival, own) {
                let (first, last) = own.unwrap_or((arrival.time, arrival.time));
                *own = Some((first.min(arrival.time), last.max(arrival.time)));
            }
        }
        let delays = || {
            let both = sent.iter().zip(&arrivals).filter_map(|(packet, arrival)| Some((packet.time, (*arrival)?)));
            both.map(|(time, (first, last))| (first - time, last - time))
        };
        // A queue may just have begun to grow when the capture did.
        let first_ones = delays().take(FIRST_ONES);
        let (low, high) = extremes(first_ones)?;
        let shortest = low - (high - low) - TOLERANCE;
        // It may go on growing, faster than before.
        let (low, high) = extremes(delays())?;
        let longest = high + (high - low) + TOLERANCE;
        let mut latest = None;
        let latest_before = arrivals.iter().map(|arrival| {
            let before = latest;
            latest = latest.max(arrival.map(|(_, last)| last));
            before
        });
        let latest_before = latest_before.collect();
        let mut earliest: Option<Instant> = None;
        let earliest_after = arrivals.iter().rev().map(|arrival| {
            let after = earliest;
            if let Some((first, _)) = arrival {
                earliest = Some(earliest.map_or(*first, |earliest| earliest.min(*first)));
            }
            after
        });
        let mut earliest_after: Vec<Option<Instant>> = earliest_after.collect();
        earliest_after.reverse();
        let late = arrivals.iter().zip(&earliest_after);
        let late = late.filter_map(|(arrival, after)| Some((*arrival)?.1 - (*after)?));
        let reordering = late.max().unwrap_or_default().max(Span::ZERO);
        Some(Window { begin, end, latest_before, earliest_after, reordering, shortest, longest })
    }

    /// Whether a packet that was sent must have arrived while the capture ran, if it arrived.
    pub fn covers(&self, index: usize, packet: &Packet) -> bool {
        let before = self.latest_before.get(index).copied().flatten();
        let after = self.earliest_after.get(index).copied().flatten();
        let begun = before.is_some_and(|arrival| arrival - self.reordering >= self.begin)
            || packet.time + self.shortest >= self.begin;
        let goes_on = after.is_some_and(|arrival| arrival + self.reordering <= self.end)
            || packet.time + self.longest <= self.end;
        begun && goes_on
    }
}

/// The least and the greatest of shortest and longest delays.
fn extremes(delays: impl Iterator<Item = (Span, Span)>) -> Option<(Span, Span)> {
    delays.reduce(|(low, high), (first, last)| (low.min(first), high.max(last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketRow;
    use crate::time::short::at_ms;

    fn packet(time: i64) -> Packet {
        Packet {
            row: PacketRow(0),
            time: at_ms(time),
            sequence: 0,
            acknowledgement: 0,
            length: Some(100),
            flags: 0,
            timestamps: None,
            position: 0,
        }
    }

    /// Of packets sent at these times, of which some arrived, in milliseconds: when those were sent that did not and that
    /// the capture judges.
    fn judged(sent: &[(i64, Option<i64>)], recorded: (i64, i64)) -> Vec<i64> {
        let received: Vec<Packet> = sent.iter().filter_map(|(_, arrived)| arrived.map(packet)).collect();
        let packets: Vec<Packet> = sent.iter().map(|(time, _)| packet(*time)).collect();
        let mut next = 0;
        let parts = sent.iter().enumerate().map(|(index, (_, arrived))| {
            let received = arrived.is_some().then_some(next);
            next += usize::from(arrived.is_some());
            let fate = if received.is_some() { Fate::Received } else { Fate::Lost };
            Part { sent: Some(index), received, offset: 0, length: 100, fate }
        });
        let parts: Vec<Part> = parts.collect();
        let witness = Witness {
            received: &received,
            answers: &[],
            answer_parts: &[],
            recorded: Some((at_ms(recorded.0), at_ms(recorded.1))),
        };
        let window = Window::new(&parts, &packets, &witness).unwrap();
        let lost = sent.iter().enumerate().filter(|(_, (_, arrived))| arrived.is_none());
        lost.filter(|(index, _)| window.covers(*index, &packets[*index])).map(|(_, (time, _))| *time).collect()
    }

    #[test]
    fn what_was_under_way_at_the_ends_is_not_judged() {
        // Delays of 10 to 30 ms, so of 51 ms at most; the capture ran from 100 to 230 ms by a clock that is 1000 s ahead.
        let sent = [
            (70, None), // would have come at 80 to 100
            (75, None), // at 85 to 105
            (90, Some(1_000_100)),
            (91, None), // behind the one before it
            (120, Some(1_000_150)),
            (180, None), // before the next one
            (181, Some(1_000_195)),
            (179, None), // at 230 at the latest
            (185, None), // at 236 at the latest
            (220, None), // at 230 at the earliest
        ];
        assert_eq!(judged(&sent, (1_000_100, 1_000_230)), [91, 180, 179]);
    }

    #[test]
    fn order_tells_nothing_as_far_as_the_path_does_not_keep_it() {
        // The second one came 40 ms behind the third: what was sent before the last one may come until 235 ms.
        let sent = [(100, Some(110)), (120, Some(170)), (121, Some(130)), (184, None), (185, Some(195))];
        assert_eq!(judged(&sent, (50, 200)), Vec::<i64>::new());
        assert_eq!(judged(&sent, (50, 240)), [184]);
    }
}
