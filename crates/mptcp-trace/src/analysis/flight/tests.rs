//! Small exchanges, times in whole units, worked out by hand.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::PacketRow;
use crate::StreamId;
use crate::analysis::congestion_window::{RoundTrip, round_trips};
use crate::packets::segment::{Fields, Segments};
use crate::time::short::at;
use crate::tracking::track;

/// A packet between port 40000 and port 5001 with its place: sequence number, acknowledgement number, payload.
fn segment(from_client: bool, abstime: i64, flags: u16, place: [u32; 3]) -> Fields {
    let (source_port, destination_port) = if from_client { (40_000, 5001) } else { (5001, 40_000) };
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Fields {
        abstime: at(abstime),
        flags,
        window: 5000,
        sequence: place[0],
        acknowledgement: place[1],
        payload: Some(place[2]),
        ..Fields::between((address, source_port), (address, destination_port))
    }
}

/// The client's numbers begin at 2^32 - 2000, so that they wrap within the second packet; the server's at 500.
const ISN: u32 = u32::MAX - 2000;

/// The client sends `payload` bytes that begin `offset` bytes after the first one.
fn sends(time: i64, offset: u32, payload: u32) -> Fields {
    segment(true, time, flag::ACK, [ISN.wrapping_add(1 + offset), 501, payload])
}

/// The server acknowledges the first bytes, and offers a window.
fn acknowledges(time: i64, bytes: u32, window: u16, sack: &[(u32, u32)]) -> Fields {
    let mut ack = segment(false, time, flag::ACK, [501, ISN.wrapping_add(1 + bytes), 0]);
    ack.window = window;
    for (left, right) in sack {
        ack.sack.push(ISN.wrapping_add(1 + left), ISN.wrapping_add(1 + right));
    }
    ack
}

fn handshake() -> Vec<Fields> {
    vec![
        segment(true, 0, flag::SYN, [ISN, 0, 0]),
        segment(false, 5, flag::SYN | flag::ACK, [500, ISN.wrapping_add(1), 0]),
        segment(true, 6, flag::ACK, [ISN.wrapping_add(1), 501, 0]),
    ]
}

fn towards_server(segments: &[Fields]) -> Vec<Moment> {
    let segments: Segments = segments.iter().cloned().collect();
    let tracking = track(&segments);
    stream_flight(&segments, &tracking, tracking.stream(StreamId(0)).unwrap()).server
}

/// Four packets of 1000 bytes, of which the second is lost; another one while SACK reports the last two; then the
/// second again.
fn recovery() -> Vec<Fields> {
    let mut segments = handshake();
    segments.extend((0..4).map(|index| sends(10 + i64::from(index), index * 1000, 1000)));
    segments.push(acknowledges(20, 1000, 9000, &[]));
    segments.push(acknowledges(21, 1000, 8000, &[(2000, 3000)]));
    segments.push(acknowledges(22, 1000, 7000, &[(2000, 4000)]));
    segments.push(sends(23, 4000, 1000));
    segments.push(sends(24, 1000, 1000));
    segments.push(acknowledges(34, 4000, 6000, &[]));
    // Late, because the network had it overtaken.
    segments.push(acknowledges(35, 1000, 7000, &[(2000, 4000)]));
    segments.push(acknowledges(36, 5000, 5500, &[]));
    segments
}

#[test]
fn bytes_are_in_flight_until_they_are_acknowledged() {
    let moments = towards_server(&recovery());
    // Behind the SYN/ACK, which acknowledges nothing that is payload.
    let found: Vec<_> = moments
        .iter()
        .skip(1)
        .map(|m| (m.time.nanoseconds(), m.in_flight(), m.unaccounted(), m.window, m.again))
        .collect();
    let expected = [
        (10, 1000, 1000, Some(5000), false),
        (11, 2000, 2000, Some(5000), false),
        (12, 3000, 3000, Some(5000), false),
        (13, 4000, 4000, Some(5000), false),
        (20, 3000, 3000, Some(9000), false),
        (21, 3000, 2000, Some(8000), false),
        (22, 3000, 1000, Some(7000), false),
        (23, 4000, 2000, Some(7000), false),
        (24, 4000, 2000, Some(7000), true),
        (34, 1000, 1000, Some(6000), false),
        (35, 1000, 1000, Some(6000), false),
        (36, 0, 0, Some(5500), false),
    ];
    assert_eq!(found, expected);
    assert_eq!(moments[0].in_flight(), 0);
}

#[test]
fn the_order_of_time_counts() {
    let mut shuffled = recovery();
    shuffled.swap(4, 7);
    shuffled.swap(9, 12);
    let without_rows = |segments: &[Fields]| -> Vec<Moment> {
        towards_server(segments).iter().map(|moment| Moment { row: PacketRow(0), ..*moment }).collect()
    };
    assert_eq!(without_rows(&shuffled), without_rows(&recovery()));
}

#[test]
fn without_the_handshake_only_what_was_seen_is_in_flight() {
    let segments = [sends(10, 7000, 1000), acknowledges(11, 6500, 100, &[]), acknowledges(12, 8000, 100, &[])];
    let found: Vec<_> =
        towards_server(&segments).iter().map(|m| (m.time.nanoseconds(), m.in_flight(), m.window)).collect();
    // Of the window one cannot say how it is scaled.
    assert_eq!(found, [(10, 1000, None), (11, 1000, None), (12, 0, None)]);
}

#[test]
fn sack_blocks_of_what_was_never_sent_count_for_nothing() {
    let mut segments = handshake();
    segments.push(sends(10, 0, 1000));
    segments.push(acknowledges(20, 400, 100, &[(600, 90_000), (100, 300), (900, 800)]));
    let moments = towards_server(&segments);
    let last = moments.last().unwrap();
    assert_eq!((last.in_flight(), last.unaccounted()), (600, 200));
}

#[test]
fn a_round_ends_when_what_was_sent_before_it_is_acknowledged() {
    let rounds = round_trips(&towards_server(&recovery()));
    let told = |round: &RoundTrip| (round.from, round.until, round.most, round.recovering, round.finished);
    let round = |from, until, most, recovering| (at(from), at(until), most, recovering, true);
    // The first packet, at 10, is acknowledged at 20; what had been sent by then at 34; the last packet at 36.
    let expected = [round(10, 20, 4000, false), round(20, 34, 3000, true), round(34, 36, 1000, false)];
    assert_eq!(rounds.iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(round_trips(&[]), []);
}

/// A path that dies: what is under way when the first packet is acknowledged never is.
#[test]
fn what_is_never_acknowledged_is_not_a_finished_round() {
    let mut segments = handshake();
    segments.extend([sends(10, 0, 500), sends(11, 500, 700), acknowledges(20, 500, 100, &[])]);
    let rounds = round_trips(&towards_server(&segments));
    let found: Vec<_> = rounds.iter().map(|round| (round.from, round.most, round.finished)).collect();
    assert_eq!(found, [(at(10), 1200, true), (at(20), 700, false)]);
}

#[test]
fn a_pause_is_no_round() {
    let mut segments = handshake();
    segments.extend([sends(10, 0, 500), acknowledges(20, 500, 100, &[])]);
    segments.extend([sends(90, 500, 700), sends(91, 1200, 100), acknowledges(99, 1300, 100, &[])]);
    let rounds = round_trips(&towards_server(&segments));
    let found: Vec<_> =
        rounds.iter().map(|round| (round.from.nanoseconds(), round.until.nanoseconds(), round.most)).collect();
    assert_eq!(found, [(10, 20, 500), (90, 99, 800)]);
}

#[test]
fn the_data_level_takes_all_subflows_together() {
    let sent = |time, subflow, start, end, sending| SentRange {
        row: PacketRow(0),
        time: at(time),
        subflow,
        start,
        end,
        sending,
        numbered: true,
    };
    let ack =
        |time, subflow, next, window| Acknowledgement { row: PacketRow(0), time: at(time), subflow, next, window };
    let sequence = DataSequence {
        sent: vec![
            sent(1, 0, 1000, 1100, Sending::First),
            sent(2, 1, 1100, 1300, Sending::First),
            sent(7, 0, 1100, 1200, Sending::Reinjection),
        ],
        acknowledged: vec![
            ack(5, 1, 1100, Some(500)),
            // Subflow 0 lags behind; its window still reaches further.
            ack(6, 0, 1050, Some(600)),
            ack(8, 1, 1300, Some(300)),
            ack(9, 1, 1300, None),
        ],
        ..DataSequence::default()
    };
    let found: Vec<_> =
        data_flight(&sequence).iter().map(|m| (m.time.nanoseconds(), m.in_flight(), m.window, m.again)).collect();
    let expected = [
        (1, 100, None, false),
        (2, 300, None, false),
        (5, 200, Some(500), false),
        (6, 200, Some(550), false),
        (7, 200, Some(550), true),
        (8, 0, Some(350), false),
        (9, 0, Some(350), false),
    ];
    assert_eq!(found, expected);
}
