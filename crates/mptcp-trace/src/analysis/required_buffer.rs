//! How large must the buffers of a connection be, so that all its paths can be full?
//!
//! One receive buffer holds what all subflows bring while data of the slowest path is awaited (RFC 6182 §5.3):
//!
//! ```text
//! sum(BW_i) * RTT_max        as long as nothing is lost
//! 2 * sum(BW_i) * RTT_max    while a loss is mended by a fast retransmission; recommended
//! sum(BW_i) * RTO_max        while a path waits for its timeout
//! ```
//!
//! The sender keeps what is not acknowledged at the data level, so its buffer must be as large.

use std::collections::BTreeMap;

use serde::Serialize;

use super::aggregation_benefit::capacities;
use super::capture_point::{SeenFrom, of_subflows};
use super::flight::data_moments;
use super::receive_window::WindowLimited;
use super::rtt::{RttLevel, Series, of_tcp};
use super::setup::{Setup, setup};
use super::volume::share;
use crate::StreamId;
use crate::interrupt::interruptible;
use crate::parallel::both;
use crate::tracking::data::{Laden, Mappings, Observer, SequenceCourse};
use crate::tracking::{Capture, Connection, Role, Tracking};

/// Facts about one path.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Path {
    /// Bytes per second; `None` where nobody knows.
    pub rate: Option<f64>,
    /// Round-trip time, seconds.
    pub rtt: Option<f64>,
    /// Retransmission timeout, seconds (RFC 6298).
    pub rto: Option<f64>,
    /// Share of its packets or bytes that is lost, from 0 to 1.
    pub loss: Option<f64>,
}

/// Buffers for a set of paths, in bytes: the receiver's, and as large the sender's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RequiredBuffer {
    /// Sum of the rates, bytes per second.
    #[serde(rename = "rate_sum")]
    pub rate: f64,
    /// The highest round-trip time, seconds.
    pub rtt_max: f64,
    /// The path that has it.
    #[serde(skip)]
    pub slowest: usize,
    /// Enough as long as nothing is lost.
    pub without_loss: u64,
    /// Enough while a loss is mended by a fast retransmission: what RFC 6182 recommends.
    pub recommended: u64,
    /// Enough while the path with the highest timeout waits for it; `None` where a timeout is not known.
    pub with_timeouts: Option<u64>,
}

/// What `paths` need together. `None` where a rate or a round-trip time is not known, or nothing is carried; a path of
/// rate 0 is not used and asks for nothing.
#[must_use]
pub fn required_buffer(paths: &[Path]) -> Option<RequiredBuffer> {
    let (mut rate, mut slowest, mut timeouts) = (0.0, None::<(f64, usize)>, Some(0.0_f64));
    for (index, path) in paths.iter().enumerate() {
        let own = path.rate?;
        if own <= 0.0 {
            continue;
        }
        rate += own;
        let round_trip = path.rtt?;
        if slowest.is_none_or(|(longest, _)| round_trip > longest) {
            slowest = Some((round_trip, index));
        }
        timeouts = timeouts.zip(path.rto).map(|(longest, own)| longest.max(own));
    }
    let (rtt_max, slowest) = slowest?;
    Some(RequiredBuffer {
        rate,
        rtt_max,
        slowest,
        without_loss: whole(rate * rtt_max),
        recommended: whole(2.0 * rate * rtt_max),
        with_timeouts: timeouts.map(|longest| whole(rate * longest)),
    })
}

/// Bytes, rounded up: a byte less would be too little. What arithmetic adds to an exact product does not count.
fn whole(bytes: f64) -> u64 {
    let nearest = bytes.round();
    let exact = (bytes - nearest).abs() <= nearest.abs() * 1e-9;
    // `as` saturates, and no amount is negative.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let whole = if exact { nearest } else { bytes.ceil() } as u64;
    whole
}

/// Source of a path's round-trip time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RttSource {
    /// The median of data and their ACKs, recorded at the sender.
    Tcp,
    /// The handshake of the subflow, SYN to the ACK of the SYN/ACK: a full round trip wherever it is recorded, but of an
    /// empty path.
    Handshake,
}

/// A subflow in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasuredPath {
    /// Wireshark's `tcp.stream`.
    pub tcpstream: StreamId,
    /// Its highest rate over a second, retransmissions included; the share of bytes retransmitted is its loss.
    #[serde(flatten)]
    pub path: Path,
    /// Source of the round-trip time.
    pub rtt_from: Option<RttSource>,
}

/// One direction of a connection, measured.
#[derive(Debug, Clone, PartialEq)]
pub struct MeasuredBuffer {
    /// Which.
    pub towards: Role,
    /// The subflows that carried data.
    pub paths: Vec<MeasuredPath>,
    /// What they need; `None` where a round trip could not be measured.
    pub required: Option<RequiredBuffer>,
    /// The largest window that the receiver advertised at the data level, bytes; `None` where its scale was not captured.
    pub window_max: Option<u64>,
    /// Bytes that were sent and not yet acknowledged at the data level, at most: what the sender's buffer held.
    pub in_flight_max: u64,
    /// Seconds in which the receiver's window left the sender no room for a full segment, see [`WindowLimited`].
    pub window_limited: Option<f64>,
}

/// Length of the windows over which the highest rate is taken, seconds.
const WINDOW: f64 = 1.0;

/// Measures what each direction of a connection would need, and what it had.
#[must_use]
pub fn measured_buffers(capture: &Capture, connection: &Connection) -> Vec<MeasuredBuffer> {
    let points = of_subflows(capture, connection);
    let of_data = || {
        let course = || DataCourse {
            sequence: SequenceCourse::default(),
            limited: WindowLimited::new(capture, connection),
            tracking: &capture.tracking,
        };
        let (mappings, directions, DataCourse { sequence, limited, .. }) =
            Mappings::walked(&capture.segments, &capture.tracking, connection, course);
        (sequence.finish(&mappings), directions, limited.finish())
    };
    let medians = || {
        let series: Vec<Series> = of_tcp(capture, connection, &points).into_iter().flatten().collect();
        Role::BOTH.map(|towards| medians(&series, towards))
    };
    let packets = capture.tracking.packets_of(connection);
    let ((mut sequence, directions, limited), medians) = both(packets, of_data, medians);
    let handshakes = handshakes(connection, &setup(capture, connection));
    let mut found = Vec::new();
    for (towards, median) in Role::BOTH.into_iter().zip(medians) {
        let flow = sequence.get_mut(towards);
        let (mut window_max, mut in_flight_max) = (None, 0);
        for moment in data_moments(flow) {
            window_max = window_max.max(moment.window);
            in_flight_max = in_flight_max.max(moment.in_flight());
        }
        let capacities = capacities(std::mem::take(&mut flow.sent), &connection.subflows, WINDOW);
        let Some(capacities) = capacities else { continue };
        let mut paths = Vec::new();
        let volumes = &directions.get(towards).subflows;
        for (capacity, volume) in interruptible(capacities.iter().zip(volumes)) {
            if capacity.rate <= 0.0 {
                continue;
            }
            let by_data = median.get(&capacity.tcpstream).map(|median| (*median, RttSource::Tcp));
            let of_handshake = || Some((handshakes.get(&capacity.tcpstream).copied()?, RttSource::Handshake));
            let round_trip = by_data.or_else(of_handshake);
            let (rtt, rtt_from) = (round_trip.map(|(rtt, _)| rtt), round_trip.map(|(_, from)| from));
            // The share of its bytes that was sent again.
            let loss = share(volume.retransmitted, volume.throughput);
            let path = Path { rate: Some(capacity.rate), rtt, rto: None, loss };
            paths.push(MeasuredPath { tcpstream: capacity.tcpstream, path, rtt_from });
        }
        let facts: Vec<Path> = paths.iter().map(|measured| measured.path).collect();
        found.push(MeasuredBuffer {
            towards,
            required: required_buffer(&facts),
            paths,
            window_max,
            in_flight_max,
            window_limited: *limited.get(towards),
        });
    }
    found
}

/// The data of a connection while its packets go by.
struct DataCourse<'a> {
    sequence: SequenceCourse,
    limited: WindowLimited,
    tracking: &'a Tracking,
}

impl Observer for DataCourse<'_> {
    fn see(&mut self, laden: &Laden<'_, '_>) {
        self.sequence.see(laden);
        self.limited.push(self.tracking, laden);
    }
}

/// The median round trip of data and their ACKs on each subflow, where the capture is at the sender.
fn medians(series: &[Series], towards: Role) -> BTreeMap<StreamId, f64> {
    let at_sender = interruptible(series).filter(|series| {
        let level = (series.level, series.capture_point) == (RttLevel::Tcp, Some(SeenFrom::Sender));
        level && series.towards == towards
    });
    at_sender.filter_map(|series| Some((series.tcpstream?, series.record().distribution.median?))).collect()
}

/// The round trip of each handshake that was captured whole.
fn handshakes(connection: &Connection, setup: &Setup) -> BTreeMap<StreamId, f64> {
    let initial = connection.subflows.first().copied().zip(setup.handshake_rtt);
    let joins = setup.joins.iter().filter_map(|join| Some((join.tcpstream, join.handshake_rtt?)));
    initial.into_iter().chain(joins).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(megabits: f64, milliseconds: f64, timeout: Option<f64>) -> Path {
        Path { rate: Some(megabits * 1e6 / 8.0), rtt: Some(milliseconds / 1e3), rto: timeout, loss: None }
    }

    /// RFC 6182 §5.3 worked out by hand: 10 Mbit/s at 20 ms and 5 Mbit/s at 100 ms are 1,875,000 B/s, which are 187,500
    /// bytes in 100 ms.
    #[test]
    fn the_slowest_path_is_waited_for_by_all() {
        let wifi_and_lte = [path(10.0, 20.0, Some(0.22)), path(5.0, 100.0, Some(0.3))];
        let found = required_buffer(&wifi_and_lte).unwrap();
        assert_eq!((found.rate, found.rtt_max, found.slowest), (1_875_000.0, 0.1, 1));
        assert_eq!((found.without_loss, found.recommended, found.with_timeouts), (187_500, 375_000, Some(562_500)));
    }

    #[test]
    fn a_path_without_data_asks_for_nothing_and_unknown_facts_tell_nothing() {
        let unused = Path { rate: Some(0.0), ..Path::default() };
        let found = required_buffer(&[path(8.0, 50.0, None), unused]).unwrap();
        assert_eq!((found.without_loss, found.recommended, found.with_timeouts), (50_000, 100_000, None));
        assert_eq!(required_buffer(&[path(8.0, 50.0, None), Path::default()]), None);
        let no_round_trip = Path { rate: Some(1.0), ..Path::default() };
        assert_eq!(required_buffer(&[path(8.0, 50.0, None), no_round_trip]), None);
        assert_eq!(required_buffer(&[unused]), None);
        assert_eq!(required_buffer(&[]), None);
    }

    #[test]
    fn bytes_are_rounded_up_but_not_beyond_an_exact_product() {
        assert_eq!((whole(1.1), whole(3.0), whole(0.1 * 3.0 * 10.0), whole(f64::INFINITY)), (2, 3, 3, u64::MAX));
    }
}
