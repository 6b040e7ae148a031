//! Small exchanges, worked out by hand.

use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::StreamId;
use crate::packets::segment::{Fields, Segments};
use crate::time::short::at;
use crate::tracking::track;

/// The client's numbers begin at 2^32 - 2000, so that they wrap within the second packet.
const ISN: u32 = u32::MAX - 2000;

fn packet(from_client: bool, flags: u16, place: [u32; 3]) -> Fields {
    let (source_port, destination_port) = if from_client { (40_000, 5001) } else { (5001, 40_000) };
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Fields {
        flags,
        window: 5000,
        sequence: place[0],
        acknowledgement: place[1],
        payload: Some(place[2]),
        ..Fields::between((address, source_port), (address, destination_port))
    }
}

/// 1000 bytes of the client.
fn sends(offset: u32) -> Fields {
    packet(true, flag::ACK, [ISN.wrapping_add(1 + offset), 501, 1000])
}

/// The server expects this byte next, and reports these blocks.
fn expects(offset: u32, window: u16, sack: &[(u32, u32)]) -> Fields {
    let mut ack = packet(false, flag::ACK, [501, ISN.wrapping_add(1 + offset), 0]);
    ack.window = window;
    sack.iter().for_each(|(left, right)| ack.sack.push(ISN.wrapping_add(1 + left), ISN.wrapping_add(1 + right)));
    ack
}

/// What the server said, with relative numbers; and its acknowledgements.
fn said(exchange: Vec<Fields>) -> (Vec<(AckMarkKind, u32, u32)>, Vec<u32>) {
    let handshake = [
        packet(true, flag::SYN, [ISN, 0, 0]),
        packet(false, flag::SYN | flag::ACK, [500, ISN.wrapping_add(1), 0]),
        packet(true, flag::ACK, [ISN.wrapping_add(1), 501, 0]),
    ];
    let all = (0..).zip(handshake.into_iter().chain(exchange));
    let segments: Segments = all.map(|(time, fields)| Fields { abstime: at(time), ..fields }).collect();
    let tracking = track(&segments);
    let found = ack_marks(&segments, &tracking, tracking.stream(StreamId(0)).unwrap()).server;
    let marks = found.marks.iter().map(|mark| (mark.kind, found.relative(mark.start), found.relative(mark.end)));
    (marks.collect(), found.advances.iter().map(|(.., position)| found.relative(*position)).collect())
}

/// The second of four packets is lost. RFC 2018 §4: the first block is the one that the latest data are in.
#[test]
fn each_sack_block_counts_as_far_as_it_reports_something_new() {
    let exchange = vec![
        sends(0),
        expects(1000, 5000, &[]),
        sends(1000),
        sends(2000),
        expects(1000, 5000, &[(2000, 3000)]),
        sends(3000),
        expects(1000, 5000, &[(2000, 4000)]),
        sends(1000),
        expects(4000, 5000, &[]),
    ];
    let (marks, advances) = said(exchange);
    let (sack, duplicate) = (AckMarkKind::Sack, AckMarkKind::Duplicate);
    assert_eq!(
        marks,
        [(sack, 2001, 3001), (duplicate, 1001, 1001), (sack, 3001, 4001), (duplicate, 1001, 1001)],
        "numbers count from the SYN's"
    );
    assert_eq!(advances, [1, 1001, 4001]);
}

/// RFC 2883 §4.1.1: the first block reports the packet that came twice.
#[test]
fn a_block_of_what_came_twice_counts_once() {
    let twice = expects(2000, 5000, &[(1000, 2000)]);
    let exchange = vec![sends(0), sends(1000), expects(2000, 5000, &[]), sends(1000), twice.clone(), twice];
    let (marks, _) = said(exchange);
    let expected =
        [(AckMarkKind::Sack, 1001, 2001), (AckMarkKind::Duplicate, 2001, 2001), (AckMarkKind::Duplicate, 2001, 2001)];
    assert_eq!(marks, expected);
}

/// The window shuts; the answer to a probe, and a window that opens again, ask for nothing.
#[test]
fn windows_of_zero_are_not_duplicates() {
    let exchange = vec![sends(0), expects(1000, 0, &[]), expects(1000, 0, &[]), expects(1000, 5000, &[])];
    let zero = (AckMarkKind::ZeroWindow, 1001, 1001);
    assert_eq!(said(exchange).0, [zero, zero]);
}

/// A block of half the number space, and one turned round.
#[test]
fn blocks_that_cannot_be_are_left_out() {
    let exchange = vec![sends(0), expects(1000, 4000, &[(2000, 1 << 31)]), expects(1000, 3000, &[(4000, 2000)])];
    assert_eq!(said(exchange).0, []);
}
