//! How much did a connection gain from using several paths at once?
//!
//! The aggregation benefit (Paasch, Khalili, Bonaventure: "On the Benefits of Applying Experimental Design to Improve
//! Multipath TCP", CoNEXT 2013) compares the goodput g with the capacities C_i of the paths:
//!
//! ```text
//! (g − C_max) / (Σ C_i − C_max)   where g ≥ C_max: 0 is the best path alone, 1 all paths together
//! (g − C_max) / C_max             where g < C_max: below the best path alone; -1 is nothing at all
//! ```
//!
//! A capture does not hold capacities. Who does not know them has to do with an estimate from below: the highest rate at
//! which a subflow's data were acknowledged, over a window of time. Acknowledgements come as fast as the path carries the
//! data, while the sender's queue takes in more. Both formulas fall as a capacity rises, so with such estimates the benefit
//! is one from above. Where a transfer lasts for few windows, the highest rate is near the mean, and the
//! benefit near 1 whatever happened: then nothing is estimated.

use std::collections::BTreeMap;

use serde::Serialize;

use super::flight::stream_moments;
use super::volume::rate;
use crate::interrupt::interruptible;
use crate::tracking::data::{Sending, SentRange};
use crate::tracking::{ByRole, Capture, Connection, Role, Tracking};
use crate::{Instant, Span, StreamId};

/// Windows that one direction is cut into at most; with more they are made longer.
const MOST_WINDOWS: f64 = 10_000.0;

/// Windows that a transfer has to last for an estimate.
pub const LEAST_WINDOWS: f64 = 5.0;

/// The shortest window of an estimate, seconds: in a shorter one, acknowledgements that the way back delayed and then
/// delivered together are a burst that the path never carried.
pub const SHORTEST: f64 = 0.2;

/// The shortest and the longest window unless one is asked for, seconds.
const DEFAULT_WINDOW: (f64, f64) = (0.05, 1.0);

/// The benefit of one direction.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AggregationBenefit {
    /// Which.
    pub towards: Role,
    /// Bytes of data, each counted once.
    pub goodput_bytes: u64,
    /// Seconds from the first to the last packet with data.
    pub duration: f64,
    /// Goodput over that time, bytes per second; `None` when it lasted no time.
    pub goodput: Option<f64>,
    /// Subflows that carried data.
    pub carriers: usize,
    /// Of each subflow.
    pub capacities: Vec<Capacity>,
    /// Over the whole time; `None` where nothing is known that could be aggregated. With an estimated capacity, at most that.
    pub benefit: Option<f64>,
    /// Length of a window, seconds: the duration in equal parts, as near as possible to the length asked for.
    pub window: f64,
    /// The windows, in order.
    pub windows: Vec<WindowBenefit>,
}

/// Capacity of a subflow's path.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Capacity {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// Bytes per second; zero where nothing is known.
    pub rate: f64,
    /// True when it is a lower bound, from what was acknowledged; false when somebody said it.
    pub estimated: bool,
}

/// One window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WindowBenefit {
    /// When it begins.
    pub from: Instant,
    /// When it ends.
    pub until: Instant,
    /// Bytes of data sent first within it.
    pub goodput_bytes: u64,
    /// Its benefit.
    pub benefit: Option<f64>,
}

/// The aggregation benefit of a goodput over paths of these capacities, all in one unit. `None` where no path has any
/// capacity, and where a single path was full: there was nothing to aggregate.
#[must_use]
pub fn benefit(goodput: f64, capacities: &[f64]) -> Option<f64> {
    let best = capacities.iter().copied().fold(0.0, f64::max);
    let sum: f64 = capacities.iter().sum();
    if best <= 0.0 {
        None
    } else if goodput < best {
        Some((goodput - best) / best)
    } else {
        (sum > best).then(|| (goodput - best) / (sum - best))
    }
}

/// Bytes of one subflow that were acknowledged so far, each time that they grew, after the time before any.
pub type Delivered = Vec<(Instant, u64)>;

/// What was acknowledged on each subflow of `connection`, by the end that the data travel towards, at the times that `shows`
/// accepts. What SACK reports counts (RFC 2018): the gap that a retransmission fills is not a burst.
#[must_use]
pub fn delivered(
    capture: &Capture,
    connection: &Connection,
    shows: impl Fn(Instant) -> bool,
) -> ByRole<Vec<Delivered>> {
    let none = || vec![Delivered::new(); connection.subflows.len()];
    let mut found = ByRole { server: none(), client: none() };
    for (index, id) in interruptible(connection.subflows.iter().enumerate()) {
        let (Some(stream), Some(subflow)) = (capture.tracking.stream(*id), capture.tracking.subflow(*id)) else {
            continue;
        };
        let mut first = ByRole::<Option<u64>>::default();
        stream_moments(&capture.segments, &capture.tracking, stream, |role, moment| {
            // The end of a stream (FIN) is acknowledged like a byte.
            let known = moment.acknowledged.saturating_add(moment.selectively).min(moment.sent);
            let bytes = known.saturating_sub(*first.get_mut(role).get_or_insert(known));
            let Some(own) = found.get_mut(Tracking::mptcp_towards(subflow, role)).get_mut(index) else { return };
            if shows(moment.time) && own.last().is_none_or(|(_, before)| bytes > *before) {
                own.push((moment.time, bytes));
            }
        });
    }
    found
}

/// The benefit of what was `sent` towards `towards` over the subflows `streams` (which the ranges' indices point to, and
/// `delivered` is in the order of), with windows of about `window` seconds, or else a tenth of the transfer. `given` are
/// capacities that are known, bytes per second by stream. `None` where nothing was sent.
#[must_use]
pub fn aggregation_benefit(
    mut sent: Vec<SentRange>,
    delivered: &[Delivered],
    streams: &[StreamId],
    towards: Role,
    window: Option<f64>,
    given: &BTreeMap<StreamId, f64>,
) -> Option<AggregationBenefit> {
    sent.sort_by_key(|range| range.time);
    let (first, last) = (sent.first()?.time, sent.last()?.time);
    let (shortest, longest) = DEFAULT_WINDOW;
    let window = window.unwrap_or_else(|| ((last - first).seconds() / 10.0).clamp(shortest, longest));
    let stretch = Stretch::new(first, last, window);
    // Short bars do not make a short burst a capacity.
    let window = stretch.window().max(((last - first).seconds() / 10.0).clamp(SHORTEST, longest));
    let is_long = (last - first).seconds() >= LEAST_WINDOWS * window;
    let capacities: Vec<Capacity> = streams
        .iter()
        .enumerate()
        .map(|(index, stream)| {
            let known = given.get(stream).copied();
            let estimate = || Some(highest_rate(delivered.get(index).filter(|_| is_long)?, window));
            let rate = known.or_else(estimate).unwrap_or(0.0);
            Capacity { tcpstream: *stream, rate, estimated: known.is_none() }
        })
        .collect();
    let mut carried = vec![false; streams.len()];
    for range in interruptible(&sent) {
        if let Some(own) = carried.get_mut(range.subflow) {
            *own = true;
        }
    }
    let rates: Vec<f64> = capacities.iter().map(|capacity| capacity.rate).collect();
    let bytes = stretch.goodput(&sent);
    let goodput_bytes = bytes.iter().sum();
    let duration = (stretch.last - stretch.first).seconds();
    let goodput = rate(goodput_bytes, duration);
    let windows = bytes.into_iter().enumerate().map(|(index, goodput_bytes)| WindowBenefit {
        from: stretch.edge(index),
        until: stretch.edge(index.saturating_add(1)),
        goodput_bytes,
        benefit: rate(goodput_bytes, stretch.window()).and_then(|goodput| benefit(goodput, &rates)),
    });
    Some(AggregationBenefit {
        towards,
        goodput_bytes,
        duration,
        goodput,
        carriers: carried.into_iter().filter(|own| *own).count(),
        benefit: goodput.and_then(|goodput| benefit(goodput, &rates)),
        window: stretch.window(),
        windows: windows.collect(),
        capacities,
    })
}

/// The highest rate at which bytes were acknowledged between two acknowledgements at least `window` seconds apart, bytes
/// per second. What was acknowledged in less time counts over a whole window: never more than the path carried.
fn highest_rate(delivered: &[(Instant, u64)], window: f64) -> f64 {
    let (Some((start, none)), Some((end, all))) = (delivered.first(), delivered.last()) else { return 0.0 };
    let over = |bytes: u64, seconds: f64| rate(bytes, seconds).unwrap_or(0.0);
    let mut highest = over(all.saturating_sub(*none), (*end - *start).seconds().max(window));
    let mut starts = delivered.iter().peekable();
    let mut begin = None;
    for (time, bytes) in interruptible(delivered) {
        while let Some(later) = starts.next_if(|(start, _)| (*time - *start).seconds() >= window) {
            begin = Some(later);
        }
        if let Some((start, before)) = begin {
            highest = highest.max(over(bytes.saturating_sub(*before), (*time - *start).seconds()));
        }
    }
    highest
}

/// The highest rate that each subflow sent at over a window, repeated data included, whether or not its path was full.
#[must_use]
pub fn capacities(mut sent: Vec<SentRange>, streams: &[StreamId], window: f64) -> Option<Vec<Capacity>> {
    sent.sort_by_key(|range| range.time);
    let stretch = Stretch::new(sent.first()?.time, sent.last()?.time, window);
    let peaks = peaks(&sent, streams.len(), stretch.length);
    let capacity = |(stream, bytes): (&StreamId, u64)| {
        let rate = rate(bytes, stretch.window()).unwrap_or(0.0);
        Capacity { tcpstream: *stream, rate, estimated: true }
    };
    Some(streams.iter().zip(peaks).map(capacity).collect())
}

/// A stretch of time in equal windows.
struct Stretch {
    first: Instant,
    last: Instant,
    count: usize,
    /// Of a window, nanoseconds.
    length: f64,
}

impl Stretch {
    fn new(first: Instant, last: Instant, window: f64) -> Self {
        #[allow(clippy::cast_precision_loss)]
        let duration = (last - first).nanoseconds() as f64;
        let count = (duration / (window * 1e9)).round();
        let count = if count.is_finite() { count.clamp(1.0, MOST_WINDOWS) } else { MOST_WINDOWS };
        // At most some thousand.
        Stretch { first, last, count: count as usize, length: duration / count }
    }

    /// Length of a window, seconds.
    fn window(&self) -> f64 {
        self.length / 1e9
    }

    /// Where a window begins.
    fn edge(&self, index: usize) -> Instant {
        if index >= self.count {
            return self.last;
        }
        // Within the stretch; `as` saturates.
        self.first + Span::from_nanoseconds((self.length * index as f64).round() as i64)
    }

    /// Bytes sent first in each window.
    fn goodput(&self, sent: &[SentRange]) -> Vec<u64> {
        let mut bytes = vec![0_u64; self.count];
        for range in interruptible(sent.iter().filter(|range| range.sending == Sending::First)) {
            #[allow(clippy::cast_precision_loss)]
            let since = (range.time - self.first).nanoseconds() as f64;
            let index = if self.length > 0.0 { (since / self.length).floor() } else { 0.0 };
            // Not negative: the first packet is the earliest. The last one belongs to the last window.
            let index = (index as usize).min(self.count.saturating_sub(1));
            if let Some(own) = bytes.get_mut(index) {
                *own = own.saturating_add(range.end.saturating_sub(range.start));
            }
        }
        bytes
    }
}

/// The most bytes that each subflow sent within any `length` nanoseconds; `sent` is in the order of time.
fn peaks(sent: &[SentRange], subflows: usize, length: f64) -> Vec<u64> {
    let mut by_subflow: Vec<Vec<(Instant, u64)>> = vec![Vec::new(); subflows];
    for range in interruptible(sent) {
        if let Some(own) = by_subflow.get_mut(range.subflow) {
            own.push((range.time, range.end.saturating_sub(range.start)));
        }
    }
    // `as` saturates.
    let length = Span::from_nanoseconds(length.ceil() as i64);
    by_subflow.iter().map(|own| peak(own, length)).collect()
}

fn peak(sent: &[(Instant, u64)], length: Span) -> u64 {
    let mut gone = sent.iter().peekable();
    let (mut within, mut highest) = (0_u64, 0);
    for (time, bytes) in interruptible(sent) {
        within = within.saturating_add(*bytes);
        while let Some((_, bytes)) = gone.next_if(|(start, _)| *time - *start > length) {
            within = within.saturating_sub(*bytes);
        }
        highest = highest.max(within);
    }
    highest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PacketRow;
    use crate::time::short::{at, at_ms, ms};

    fn close(found: Option<f64>, expected: f64) {
        let found = found.expect("a benefit");
        assert!((found - expected).abs() < 1e-12, "{found}, not {expected}");
    }

    /// Paths of 10 and 5 Mbit/s.
    #[test]
    fn worked_by_hand() {
        let paths = [10.0, 5.0];
        // All of both paths; half of the smaller one on top of the larger; the larger one alone.
        close(benefit(15.0, &paths), 1.0);
        close(benefit(12.5, &paths), 0.5);
        close(benefit(10.0, &paths), 0.0);
        // The smaller one alone is half of the larger: -0.5. A fifth of the larger: -0.8. Nothing: -1.
        close(benefit(5.0, &paths), -0.5);
        close(benefit(2.0, &paths), -0.8);
        close(benefit(0.0, &paths), -1.0);
        // More than both paths: one of the capacities is wrong, and that shows. (18 − 10) / (15 − 10)
        close(benefit(18.0, &paths), 1.6);
    }

    #[test]
    fn three_paths() {
        // (9 − 6) / (6 + 3 + 2 − 6)
        close(benefit(9.0, &[3.0, 6.0, 2.0]), 0.6);
    }

    #[test]
    fn one_path_has_nothing_to_aggregate() {
        assert_eq!(benefit(10.0, &[10.0]), None);
        assert_eq!(benefit(10.0, &[10.0, 0.0]), None);
        assert_eq!(benefit(0.0, &[]), None);
        assert_eq!(benefit(1.0, &[0.0, 0.0]), None);
        close(benefit(5.0, &[10.0]), -0.5);
    }

    #[test]
    fn the_highest_rate_is_that_of_any_stretch_as_long_as_a_window() {
        // 100 bytes at 0, 0.9, 1.1 and 1.8 s: the three between 0.9 and 1.8 lie within one second, wherever windows
        // begin.
        let sent = [(0, 100), (900, 100), (1100, 100), (1800, 100)].map(|(time, bytes)| (at_ms(time), bytes));
        assert_eq!(peak(&sent, ms(1000)), 300);
        assert_eq!(peak(&sent, ms(500)), 200);
        assert_eq!(peak(&[], ms(1000)), 0);
    }

    fn course(points: &[(i64, u64)]) -> Delivered {
        points.iter().map(|(time, bytes)| (at_ms(*time), *bytes)).collect()
    }

    /// Two seconds: subflow 7 sends 100 bytes each half of a second, subflow 9 once 200 after one and a half.
    #[test]
    fn a_transfer_worked_by_hand() {
        let mut sent: Vec<SentRange> = (0..=4).map(|step| range(step * 500, 0, 100, Sending::First)).collect();
        sent.push(range(1500, 1, 200, Sending::First));
        let delivered = [course(&[(0, 0), (500, 100), (1000, 300), (1500, 400), (2000, 500)]), Delivered::new()];
        let given = BTreeMap::from([(StreamId(9), 250.0)]);
        let streams = [StreamId(7), StreamId(9)];
        let over =
            |window| aggregation_benefit(sent.clone(), &delivered, &streams, Role::Server, window, &given).unwrap();
        let found = over(Some(0.4));
        assert_eq!((found.goodput_bytes, found.duration, found.window, found.carriers), (700, 2.0, 0.4, 2));
        // 200 bytes in the half of a second up to 1 s on 7; 250 a second were said of 9.
        let rates: Vec<(f64, bool)> = found.capacities.iter().map(|one| (one.rate, one.estimated)).collect();
        assert_eq!(rates, [(400.0, true), (250.0, false)]);
        // 700 bytes in 2 s: (350 − 400) / 400.
        close(found.benefit, -0.125);
        assert_eq!(found.windows.iter().map(|one| one.goodput_bytes).collect::<Vec<_>>(), [100, 100, 100, 300, 100]);
        // 100 bytes in 0.4 s: (250 − 400) / 400; 300: (750 − 400) / (650 − 400).
        close(found.windows[0].benefit, -0.375);
        close(found.windows[3].benefit, 1.4);
        assert_eq!((found.windows[1].from, found.windows[1].until), (at_ms(400), at_ms(800)));
        // A tenth of the transfer, unless a length is asked for; with two windows nothing is known of 7.
        assert_eq!(over(None).window, 0.2);
        let few = over(Some(1.0));
        assert_eq!((few.windows.len(), few.capacities[0].rate, few.benefit), (2, 0.0, None));
        assert_eq!(aggregation_benefit(Vec::new(), &delivered, &streams, Role::Server, None, &given), None);
    }

    #[test]
    fn the_highest_rate_of_acknowledgements_is_between_two_of_them() {
        // The bytes of the first one were carried before it: 300 between 0.1 and 0.3 s.
        let points = course(&[(0, 0), (100, 500), (200, 600), (300, 800), (900, 900)]);
        assert_eq!(highest_rate(&points, 0.2), 3000.0);
        // Over 0.3 s: 800 from the beginning.
        assert!((highest_rate(&points, 0.3) - 800.0 / 0.3).abs() < 1e-9);
        // All within less than a window: over a whole one.
        assert_eq!(highest_rate(&points, 1.8), 500.0);
        assert_eq!((highest_rate(&[], 1.0), highest_rate(&points[..1], 1.0)), (0.0, 0.0));
    }

    fn range(milliseconds: i64, subflow: usize, bytes: u64, sending: Sending) -> SentRange {
        SentRange {
            row: PacketRow(0),
            time: at_ms(milliseconds),
            subflow,
            start: 1000,
            end: 1000 + bytes,
            sending,
            numbered: true,
        }
    }

    #[test]
    fn windows_are_equal_parts_and_hold_what_was_sent_first() {
        // 2.6 seconds in windows of about one: three of 0.8667 s.
        let sent = [
            range(0, 0, 10, Sending::First),
            range(1000, 1, 20, Sending::First),
            range(1000, 1, 500, Sending::Reinjection),
            range(2600, 0, 40, Sending::First),
        ];
        let stretch = Stretch::new(at_ms(0), at_ms(2600), 1.0);
        assert_eq!(stretch.count, 3);
        assert_eq!(stretch.goodput(&sent), [10, 20, 40]);
        assert_eq!((stretch.edge(0), stretch.edge(1), stretch.edge(3)), (at(0), at(866_666_667), at_ms(2600)));
        // A capacity counts all that was sent, also what had been sent before.
        assert_eq!(peaks(&sent, 2, stretch.length), [40, 520]);
    }

    #[test]
    fn a_moment_is_one_window() {
        let stretch = Stretch::new(at_ms(5), at_ms(5), 1.0);
        assert_eq!((stretch.count, stretch.window()), (1, 0.0));
        assert_eq!(stretch.goodput(&[range(5, 0, 7, Sending::First)]), [7]);
        assert_eq!(Stretch::new(at(0), Instant::MAX, 1e-9).count, 10_000);
    }
}
