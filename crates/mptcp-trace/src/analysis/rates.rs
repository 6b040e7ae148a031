//! How fast did bytes travel, window by window?

use serde::Serialize;

use super::volume::Volume;
use crate::interrupt::interruptible;
use crate::tracking::data::{Direction, Laden, Mappings, Observer, Sending};
use crate::tracking::travelling::by_time;
use crate::tracking::{ByRole, Capture, Connection, Stream};
use crate::{Instant, Span};

/// Bytes that travelled at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Parcel {
    /// When.
    pub time: Instant,
    /// Number.
    pub bytes: u64,
}

/// Arrangement of windows in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WindowType {
    /// Side by side from an origin on: each byte counts in one window, and lengths times rates are bytes.
    #[default]
    Tumbling,
    /// One that ends at each instant: the rate over the time just before it.
    Sliding,
}

/// Windows of one length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateWindow {
    kind: WindowType,
    length: Span,
}

/// Content of the window from an instant until the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InWindow {
    /// Since when.
    pub from: Instant,
    /// Bytes.
    pub bytes: u64,
    /// Length of the window: above zero.
    pub length: Span,
}

impl InWindow {
    /// Bytes per second: those in the window over its length.
    #[must_use]
    pub fn rate(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)]
        let bytes = self.bytes as f64;
        bytes / self.length.seconds()
    }
}

/// The time that windows lie in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Covered {
    /// Where tumbling windows begin.
    pub origin: Instant,
    /// The last packet: nothing is known of the time behind it.
    pub end: Instant,
}

/// The shortest window that [`RateWindow::suitable`] chooses.
const SHORTEST: Span = Span::from_milliseconds(1);
/// The most windows that a span is cut into by [`RateWindow::suitable`].
const MOST: i64 = 60;

impl RateWindow {
    /// Windows of this length; `None` unless that is above zero.
    #[must_use]
    pub fn new(kind: WindowType, length: Span) -> Option<Self> {
        (length > Span::ZERO).then_some(RateWindow { kind, length })
    }

    /// Windows that show `span` well: the shortest of 1, 2 or 5 times a power of ten, not below a
    /// millisecond, of which at most 60 fit into it.
    #[must_use]
    pub fn suitable(kind: WindowType, span: Span) -> Self {
        let mut length = SHORTEST;
        let mut factors = [2, 5, 10].into_iter().cycle();
        let mut decade = SHORTEST;
        while span.holds(length) >= MOST {
            let factor = factors.next().unwrap_or(10);
            let longer = decade * factor;
            if longer == Span::MAX {
                break;
            }
            length = longer;
            if factor == 10 {
                decade = longer;
            }
        }
        RateWindow { kind, length }
    }

    /// Their arrangement in time.
    #[must_use]
    pub fn kind(&self) -> WindowType {
        self.kind
    }

    /// Their length; above zero.
    #[must_use]
    pub fn length(&self) -> Span {
        self.length
    }

    /// What is in the windows, wherever that changes, and zero behind the last one; no entry comes before the first byte.
    /// Parcels come in the order of time.
    ///
    /// Tumbling windows lie side by side from the origin on. The last one ends where the time covered does. Where that
    /// leaves less than half a window, it belongs to the one before: a packet alone in the rest of a window would be a
    /// peak that nobody sent.
    #[must_use]
    pub fn fill(&self, parcels: &[Parcel], covered: Covered) -> Vec<InWindow> {
        match self.kind {
            WindowType::Tumbling => self.tumbling(parcels, covered),
            WindowType::Sliding => self.sliding(parcels),
        }
    }

    /// Number of the last tumbling window, and its length; `None` where it is as long as all.
    fn last(&self, covered: Covered) -> Option<(i64, Span)> {
        if covered.end < covered.origin {
            return None;
        }
        let number = (covered.end - covered.origin).holds(self.length);
        let start = |number: i64| covered.origin + self.length * number;
        let rest = covered.end - start(number);
        if rest + rest >= self.length {
            return Some((number, rest));
        }
        match number.checked_sub(1).filter(|before| *before >= 0) {
            Some(before) => Some((before, covered.end - start(before))),
            // One window alone. Within less than a millisecond a rate says nothing.
            None => Some((number, rest.max(self.length.min(SHORTEST)))),
        }
    }

    /// Windows without bytes are not held, so that neither a short window nor a long pause takes memory.
    fn tumbling(&self, parcels: &[Parcel], covered: Covered) -> Vec<InWindow> {
        let last = self.last(covered);
        let number = |parcel: &Parcel| {
            let number = (parcel.time - covered.origin).holds(self.length);
            last.map_or(number, |(last, _)| number.min(last))
        };
        let mut levels: Vec<InWindow> = Vec::new();
        for own in interruptible(parcels.chunk_by(|one, next| number(one) == number(next))) {
            let Some(number) = own.first().map(number) else { continue };
            let from = covered.origin + self.length * number;
            let length = last.filter(|(last, _)| *last == number).map_or(self.length, |(_, length)| length);
            // The window before ended where this one begins.
            levels.pop_if(|last| last.from == from && last.bytes == 0);
            levels.push(InWindow { from, bytes: sum(own), length });
            levels.push(InWindow { from: from + length, bytes: 0, length: self.length });
        }
        levels
    }

    fn sliding(&self, parcels: &[Parcel]) -> Vec<InWindow> {
        let leaves = |parcel: &Parcel| parcel.time + self.length;
        let mut levels = Vec::new();
        let (mut entering, mut leaving) = (parcels.iter().peekable(), parcels.iter().peekable());
        let mut bytes = 0_u64;
        while let Some(next) = leaving.peek().map(|parcel| leaves(parcel)) {
            let from = entering.peek().map_or(next, |parcel| parcel.time.min(next));
            while let Some(parcel) = entering.next_if(|parcel| parcel.time == from) {
                bytes = bytes.saturating_add(parcel.bytes);
            }
            while let Some(parcel) = leaving.next_if(|parcel| leaves(parcel) == from) {
                bytes = bytes.saturating_sub(parcel.bytes);
            }
            levels.push(InWindow { from, bytes, length: self.length });
        }
        levels
    }
}

fn sum(parcels: &[Parcel]) -> u64 {
    parcels.iter().fold(0, |sum, parcel| sum.saturating_add(parcel.bytes))
}

/// Traffic of one direction of a stream, in time order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Carried {
    /// Payload, all of it.
    pub payload: Vec<Parcel>,
    /// The part of it that had been sent before under the same sequence numbers.
    pub retransmitted: Vec<Parcel>,
}

/// Traffic of a stream, by the end that it travelled towards.
#[must_use]
pub fn stream_payload(capture: &Capture, stream: &Stream) -> ByRole<Carried> {
    let mut carried = ByRole::<Carried>::default();
    let mut volumes = ByRole::<Volume>::default();
    by_time(&capture.segments, &capture.tracking, stream).for_each(|packet| {
        let length = u64::from(packet.segment.payload().unwrap_or(0));
        let Some(place) = capture.tracking.packets.get(packet.row) else { return };
        let again = volumes.get_mut(packet.towards).push(packet.segment, place);
        let direction = carried.get_mut(packet.towards);
        let time = packet.segment.abstime;
        if length > 0 {
            direction.payload.push(Parcel { time, bytes: length });
        }
        if again > 0 {
            direction.retransmitted.push(Parcel { time, bytes: again });
        }
    });
    carried
}

/// Data of a connection where it was sent for the first time: neither retransmissions nor reinjections.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FirstSent {
    /// By direction, then by subflow in the order of [`Connection::subflows`], in the order of time.
    pub parcels: ByRole<Vec<Vec<Parcel>>>,
    /// Bytes by direction that are not among them, because no mapping covers them.
    pub unmapped: ByRole<u64>,
}

/// Works out what of a connection was sent for the first time when.
#[must_use]
pub fn first_sent(capture: &Capture, connection: &Connection) -> FirstSent {
    let course = || {
        let none = || vec![Vec::new(); connection.subflows.len()];
        FirstSentCourse(ByRole { server: none(), client: none() })
    };
    let (_, directions, FirstSentCourse(mut parcels)) =
        Mappings::walked(&capture.segments, &capture.tracking, connection, course);
    for own in parcels.server.iter_mut().chain(&mut parcels.client) {
        own.sort_by_key(|parcel| parcel.time);
    }
    let unmapped = |direction: &Direction| direction.subflows.iter().map(|volume| volume.unmapped).sum();
    let unmapped = ByRole { server: unmapped(&directions.server), client: unmapped(&directions.client) };
    FirstSent { parcels, unmapped }
}

/// The same while the packets go by.
struct FirstSentCourse(ByRole<Vec<Vec<Parcel>>>);

impl Observer for FirstSentCourse {
    fn see(&mut self, laden: &Laden<'_, '_>) {
        let Some(own) = self.0.get_mut(laden.packet.towards).get_mut(laden.packet.subflow) else { return };
        let first = laden.sent.iter().filter(|range| range.sending == Sending::First);
        own.extend(first.map(|range| Parcel { time: range.time, bytes: range.end.saturating_sub(range.start) }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::short::{at, ms, ns};

    fn parcels(of: &[(i64, u64)]) -> Vec<Parcel> {
        of.iter().map(|(time, bytes)| Parcel { time: at(*time), bytes: *bytes }).collect()
    }

    fn filled(kind: WindowType, length: i64, of: &[(i64, u64)], (origin, end): (i64, i64)) -> Vec<InWindow> {
        let covered = Covered { origin: at(origin), end: at(end) };
        RateWindow::new(kind, ns(length)).unwrap().fill(&parcels(of), covered)
    }

    fn levels(kind: WindowType, length: i64, of: &[(i64, u64)], covered: (i64, i64)) -> Vec<(i64, u64)> {
        let filled = filled(kind, length, of, covered);
        filled.iter().map(|level| (level.from.nanoseconds(), level.bytes)).collect()
    }

    #[test]
    fn each_byte_counts_in_one_tumbling_window() {
        let sent = [(3, 1), (12, 2), (13, 4), (22, 8), (45, 16), (52, 32)];
        // Windows of 10: from 3 to before 13, to before 23, a pause of two, from 43 on.
        let found = levels(WindowType::Tumbling, 10, &sent, (3, 1000));
        assert_eq!(found, [(3, 3), (13, 12), (23, 0), (43, 48), (53, 0)]);
        // The same from 2 on, and from a time before it.
        let one_earlier = [(2, 1), (12, 6), (22, 8), (32, 0), (42, 16), (52, 32), (62, 0)];
        assert_eq!(levels(WindowType::Tumbling, 10, &sent, (2, 1000)), one_earlier);
        assert_eq!(levels(WindowType::Tumbling, 10, &sent, (-98, 1000)), one_earlier);
        assert_eq!(levels(WindowType::Tumbling, 10, &[], (0, 0)), []);
    }

    #[test]
    fn the_last_tumbling_window_ends_with_the_last_packet() {
        let sent = [(3, 1), (12, 2), (24, 4), (29, 8)];
        let rates = |end: i64| -> Vec<(i64, u64, i64)> {
            let levels = filled(WindowType::Tumbling, 10, &sent, (0, end));
            levels.iter().map(|level| (level.from.nanoseconds(), level.bytes, level.length.nanoseconds())).collect()
        };
        // From 20 to 29 are nine: more than half a window.
        assert_eq!(rates(29), [(0, 1, 10), (10, 2, 10), (20, 12, 9), (29, 0, 10)]);
        assert_eq!(rates(30), [(0, 1, 10), (10, 2, 10), (20, 12, 10), (30, 0, 10)]);
        // What is left behind 30 is empty.
        assert_eq!(
            rates(34),
            rates(30)
                .into_iter()
                .map(|(from, bytes, length)| match from {
                    20 => (20, bytes, 14),
                    30 => (34, bytes, length),
                    _ => (from, bytes, length),
                })
                .collect::<Vec<_>>()
        );
        // A rest of four belongs to the window before.
        let found = filled(WindowType::Tumbling, 10, &sent[..3], (0, 24));
        assert_eq!((found[1].bytes, found[1].length, found[2].from), (6, ns(14), at(24)));
        assert_eq!(found[1].rate(), 6.0 / 14e-9);
        // A time shorter than half a window is a window.
        let only = RateWindow::new(WindowType::Tumbling, ms(100)).unwrap();
        let burst = |end: Span| {
            let covered = Covered { origin: at(0), end: at(0) + end };
            only.fill(&parcels(&[(0, 7)]), covered)[0].length
        };
        assert_eq!((burst(ms(30)), burst(ns(3)), burst(Span::ZERO)), (ms(30), ms(1), ms(1)));
        let alone = filled(WindowType::Tumbling, 10, &[(0, 7)], (0, 0));
        assert_eq!((alone[0].bytes, alone[0].length, alone[1].from), (7, ns(10), at(10)));
    }

    #[test]
    fn a_sliding_window_holds_the_time_just_before() {
        let sent = [(0, 1), (5, 2), (10, 4), (40, 8), (40, 16)];
        let found = levels(WindowType::Sliding, 10, &sent, (0, 40));
        // At 10 the first parcel is as old as the window is long: it leaves when the third one comes.
        assert_eq!(found, [(0, 1), (5, 3), (10, 6), (15, 4), (20, 0), (40, 24), (50, 0)]);
        // Bytes times seconds: each counts for as long as the window is.
        let area: i64 = found.windows(2).map(|pair| (pair[1].0 - pair[0].0) * pair[0].1 as i64).sum();
        assert_eq!(area, 31 * 10);
        assert_eq!(levels(WindowType::Sliding, 10, &[], (0, 0)), []);
    }

    #[test]
    fn times_at_the_ends_of_the_number_space_do_no_harm() {
        for kind in [WindowType::Tumbling, WindowType::Sliding] {
            for length in [1, i64::MAX] {
                for covered in [(i64::MAX, i64::MAX), (i64::MIN, i64::MAX), (0, i64::MIN), (i64::MAX, i64::MIN)] {
                    let found = filled(kind, length, &[(i64::MIN, 5), (0, 7), (i64::MAX, 9)], covered);
                    assert!(found.len() <= 6 && found.iter().all(|level| level.length > Span::ZERO), "{found:?}");
                }
            }
        }
        assert_eq!(RateWindow::new(WindowType::Tumbling, Span::ZERO), None);
        assert_eq!(RateWindow::new(WindowType::Sliding, ns(-1)), None);
    }

    #[test]
    fn rates_are_by_the_second() {
        assert_eq!(InWindow { from: at(0), bytes: 125, length: ms(100) }.rate(), 1250.0);
    }

    #[test]
    fn a_suitable_window_leaves_between_twenty_and_sixty() {
        let length = |span| RateWindow::suitable(WindowType::Tumbling, span).length();
        assert_eq!(length(Span::ZERO), ms(1));
        assert_eq!(length(ms(59)), ms(1));
        assert_eq!(length(ms(60)), ms(2));
        assert_eq!(length(ms(6000)), ms(200));
        assert_eq!(length(ms(100_000)), ms(2000));
        assert_eq!(length(ms(3_600_000)), ms(100_000));
        assert!(length(Span::MAX) >= Span::MAX / 60);
        assert!(length(Span::MIN) > Span::ZERO);
    }
}
