//! Small exchanges, times in whole units, worked out by hand.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::PacketRow;
use crate::packets::segment::{Fields, Segment};
use crate::time::short::at;
use crate::tracking::{Nature, Role};

/// A packet from the client, towards the server.
fn to_server(time: i64, flags: u16, sequence: u32, payload: u32) -> (Role, Fields) {
    (Role::Server, segment(time, flags, sequence, 1, payload))
}

/// An ACK from the server.
fn ack(time: i64, acknowledgement: u32) -> (Role, Fields) {
    (Role::Client, segment(time, flag::ACK, 1, acknowledgement, 0))
}

fn segment(abstime: i64, flags: u16, sequence: u32, acknowledgement: u32, payload: u32) -> Fields {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Fields {
        abstime: at(abstime),
        flags,
        window: 1000,
        sequence,
        acknowledgement,
        payload: Some(payload),
        ..Fields::between((address, 1), (address, 2))
    }
}

fn selectively((role, mut segment): (Role, Fields), left: u32, right: u32) -> (Role, Fields) {
    segment.sack.push(left, right);
    (role, segment)
}

fn stamped((role, mut segment): (Role, Fields), value: u32, echo: u32) -> (Role, Fields) {
    segment.timestamps = Some((value, echo));
    (role, segment)
}

fn measured(packets: &[(Role, Fields)]) -> ByRole<Measured> {
    let packets: Vec<(Role, Segment)> =
        packets.iter().map(|(towards, fields)| (*towards, Segment::alone(fields.clone()))).collect();
    let packets = (0..).zip(&packets).map(|(row, (towards, segment))| StreamPacket {
        row: PacketRow(row),
        segment,
        towards: *towards,
        nature: Nature::Ordinary,
        data: segment.payload().unwrap_or(0),
    });
    measure(packets)
}

fn spans(samples: &[RttSample]) -> Vec<i64> {
    samples.iter().map(|sample| sample.span.nanoseconds()).collect()
}

#[test]
fn the_handshake_is_measured_both_ways_and_apart() {
    let found = measured(&[
        (Role::Server, segment(0, flag::SYN, 99, 0, 0)),
        (Role::Client, segment(20, flag::SYN | flag::ACK, 499, 100, 0)),
        (Role::Server, segment(21, flag::ACK, 100, 500, 0)),
        (Role::Server, segment(22, flag::ACK, 100, 500, 10)),
        (Role::Client, segment(45, flag::ACK, 500, 110, 0)),
    ]);
    assert_eq!(spans(&found.server.handshake), [20]);
    assert_eq!(spans(&found.client.handshake), [1]);
    assert_eq!(spans(&found.server.acknowledgements), [23]);
    assert!(found.client.acknowledgements.is_empty());
}

#[test]
fn a_repeated_syn_gives_no_sample() {
    let found = measured(&[
        (Role::Server, segment(0, flag::SYN, 99, 0, 0)),
        (Role::Server, segment(1000, flag::SYN, 99, 0, 0)),
        (Role::Client, segment(1020, flag::SYN | flag::ACK, 499, 100, 0)),
    ]);
    assert!(found.server.handshake.is_empty());
}

#[test]
fn a_delayed_ack_measures_the_newest_packet_that_it_covers() {
    let found = measured(&[
        to_server(0, flag::ACK, 100, 10),
        to_server(5, flag::ACK, 110, 10),
        to_server(6, flag::ACK, 120, 10),
        ack(25, 120),
        ack(26, 120),
        ack(30, 130),
    ]);
    assert_eq!(spans(&found.server.acknowledgements), [20, 24]);
}

#[test]
fn data_sent_again_gives_no_sample_nor_does_what_waited_behind_it() {
    let found = measured(&[
        to_server(0, flag::ACK, 100, 10),
        to_server(1, flag::ACK, 110, 10),
        to_server(50, flag::ACK, 100, 10),
        ack(70, 120),
        to_server(80, flag::ACK, 120, 10),
        ack(100, 130),
    ]);
    assert_eq!(spans(&found.server.acknowledgements), [20]);
}

#[test]
fn what_sack_had_reported_gives_no_sample_when_the_hole_is_filled() {
    // Reordered on the way: nothing was sent again, but the second packet had arrived long before.
    let found = measured(&[
        to_server(0, flag::ACK, 100, 10),
        to_server(1, flag::ACK, 110, 10),
        selectively(ack(21, 100), 110, 120),
        ack(60, 120),
    ]);
    assert!(found.server.acknowledgements.is_empty());
}

#[test]
fn an_ack_that_answers_a_filled_hole_measures_nothing_that_waited() {
    // Recorded at the receiver: the first packet was lost on the way here, its second copy came at 50.
    let found = measured(&[to_server(1, flag::ACK, 110, 10), to_server(50, flag::ACK, 100, 10), ack(51, 120)]);
    assert!(found.server.acknowledgements.is_empty());
}

#[test]
fn parts_of_a_large_packet_are_measured_from_when_it_was_sent() {
    let found = measured(&[to_server(0, flag::ACK, 100, 3000), ack(20, 1100), ack(21, 2100), ack(22, 3100)]);
    assert_eq!(spans(&found.server.acknowledgements), [20, 21, 22]);
}

#[test]
fn numbers_wrap() {
    let start = u32::MAX - 4;
    let found =
        measured(&[to_server(0, flag::ACK, start, 10), ack(20, 5), to_server(30, flag::ACK, 5, 10), ack(51, 15)]);
    assert_eq!(spans(&found.server.acknowledgements), [20, 21]);
}

#[test]
fn an_ack_of_what_was_not_captured_gives_no_sample() {
    let found = measured(&[to_server(0, flag::ACK, 100, 10), ack(20, 300)]);
    assert!(found.server.acknowledgements.is_empty());
}

#[test]
fn the_first_packet_with_a_timestamp_counts_once() {
    let found = measured(&[
        // A pure ACK with the same value does not count: nothing acknowledges it.
        stamped(to_server(0, flag::ACK, 100, 0), 7, 1),
        stamped(to_server(2, flag::ACK, 100, 10), 7, 1),
        stamped(to_server(3, flag::ACK, 110, 10), 7, 1),
        stamped(ack(22, 110), 2, 7),
        stamped(ack(23, 120), 2, 7),
        stamped(to_server(30, flag::ACK, 120, 10), 8, 2),
        // Does not advance.
        stamped(ack(40, 120), 3, 8),
        stamped(ack(50, 130), 3, 8),
    ]);
    assert_eq!(spans(&found.server.timestamps), [20, 20]);
}

#[test]
fn timestamps_measure_what_was_sent_again() {
    let found = measured(&[
        stamped(to_server(0, flag::ACK, 100, 10), 7, 1),
        stamped(to_server(200, flag::ACK, 100, 10), 9, 1),
        stamped(ack(220, 110), 2, 9),
    ]);
    assert_eq!(spans(&found.server.timestamps), [20]);
    assert!(found.server.acknowledgements.is_empty());
}
