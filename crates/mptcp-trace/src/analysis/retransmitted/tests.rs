use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::PacketRow;
use crate::packets::segment::{Fields, Segment};
use crate::time::short::at;

const MILLISECOND: i64 = 1_000_000;

/// A direction with patience of 200 ms.
fn flow() -> Flow {
    Flow::new(Flow::patience(Some(Span::from_nanoseconds(40 * MILLISECOND))))
}

#[test]
fn times_count_from_the_first_repeated_byte() {
    let mut flow = flow();
    let mut send = |time: i64, start: u64, end: u64| {
        let again = flow.times.sends(start, end, at(time));
        again.map(|again| (again.start, again.bytes, again.first.nanoseconds(), again.last.nanoseconds(), again.top))
    };
    assert_eq!(send(1, 1000, 2000), None);
    assert_eq!(send(2, 2000, 3000), None);
    // Half of the first, and what follows.
    assert_eq!(send(10, 1500, 2500), Some((1500, 1000, 1, 1, 3000)));
    assert_eq!(send(20, 1000, 3000), Some((1000, 2000, 1, 1, 3000)));
    assert_eq!(send(30, 1500, 1600), Some((1500, 100, 1, 20, 3000)));
    // New bytes before the repeated ones.
    assert_eq!(send(40, 900, 1100), Some((1000, 100, 1, 20, 3000)));
    assert_eq!(send(50, 2900, 3100), Some((2900, 100, 2, 20, 3100)));
    assert_eq!(send(60, 3050, 3100), Some((3050, 50, 50, 50, 3100)));
}

#[test]
fn without_an_acknowledgement_time_and_place_decide() {
    let patience = Flow::patience(Some(Span::from_nanoseconds(150 * MILLISECOND)));
    let class = |milliseconds: i64, newest: bool| {
        let top = if newest { 10 } else { 20 };
        let repeated = Repeated { start: 0, end: 10, now: at(milliseconds * MILLISECOND), last: at(0), top };
        Told::default().class(&repeated, patience.1)
    };
    assert_eq!(class(300, false), Class::Rto);
    assert_eq!(class(300, true), Class::Rto);
    assert_eq!(class(299, true), Class::Tail);
    assert_eq!(class(299, false), Class::Other);
}

/// A packet of a small exchange; times are in milliseconds.
fn packet(milliseconds: i64, towards: Role, flags: u16, numbers: (u32, u32), payload: u32) -> (Role, Fields) {
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (sequence, acknowledgement) = numbers;
    let fields = Fields {
        abstime: at(milliseconds * MILLISECOND),
        flags,
        sequence,
        acknowledgement,
        payload: Some(payload),
        ..Fields::between((address, 1), (address, 2))
    };
    (towards, fields)
}

/// 500 bytes of data.
fn data(milliseconds: i64, sequence: u32) -> (Role, Fields) {
    packet(milliseconds, Role::Server, flag::ACK, (sequence, 1), 500)
}

/// Its acknowledgement, with these SACK blocks.
fn ack(milliseconds: i64, acknowledgement: u32, blocks: &[(u32, u32)]) -> (Role, Fields) {
    let (towards, mut fields) = packet(milliseconds, Role::Client, flag::ACK, (1, acknowledgement), 0);
    blocks.iter().for_each(|(left, right)| fields.sack.push(*left, *right));
    (towards, fields)
}

fn stamped((towards, fields): (Role, Fields), value: u32, echo: u32) -> (Role, Fields) {
    (towards, Fields { timestamps: Some((value, echo)), ..fields })
}

/// The class of each retransmission of an exchange, with a patience of 200 ms.
fn classes(packets: &[(Role, Fields)]) -> Vec<Class> {
    classes_with(None, packets)
}

/// The same where the handshake took so long.
fn classes_with(round_trip: Option<Span>, packets: &[(Role, Fields)]) -> Vec<Class> {
    let mut watch = Watch::new(StreamId(0), at(0), Flow::patience(round_trip));
    for (row, (towards, fields)) in (0..).zip(packets) {
        let segment = Segment::alone(fields.clone());
        let data = segment.payload().unwrap_or(0);
        let nature = Nature::Ordinary;
        watch.push(&StreamPacket { row: PacketRow(row), segment: &segment, towards: *towards, nature, data });
    }
    watch.found.into_iter().map(|one| one.class).collect()
}

/// The exchange of RFC 2883 §4.1: both ACKs are lost, and the segment is sent again after a timeout.
#[test]
fn a_d_sack_shows_that_it_was_needless() {
    let sent = [data(0, 3000), data(1, 3500), data(400, 3000)];
    assert_eq!(classes(&sent), [Class::Rto], "until the receiver tells");
    let reported = [&sent[..], &[ack(420, 4000, &[(3000, 3500)])]].concat();
    assert_eq!(classes(&reported), [Class::Spurious]);
    let not_reported = [&sent[..], &[ack(420, 4000, &[])]].concat();
    assert_eq!(classes(&not_reported), [Class::Rto]);
}

/// RFC 3522 §3.2: the ACK that follows echoes the timestamp of the original, or that of the retransmission.
#[test]
fn an_echo_tells_which_sending_was_acknowledged() {
    let sent = [stamped(data(0, 3000), 100, 1), stamped(data(400, 3000), 500, 1)];
    let with = |echo: u32| classes(&[&sent[..], &[stamped(ack(420, 3500, &[]), 900, echo)]].concat());
    assert_eq!(with(100), [Class::Spurious]);
    assert_eq!(with(500), [Class::Rto]);
}

/// RFC 5681 §3.2: the third duplicate ACK brings it; two do not. RFC 6675: SACK of later bytes does, too.
#[test]
fn duplicate_acks_and_sack_ask_for_it() {
    let sent = [data(0, 2500), ack(20, 3000, &[]), data(21, 3000), data(22, 3500), data(23, 4000), data(24, 4500)];
    let after = |told: &[(Role, Fields)]| classes(&[&sent[..], told, &[data(60, 3000)]].concat());
    let duplicates = [ack(50, 3000, &[]), ack(51, 3000, &[]), ack(52, 3000, &[])];
    assert_eq!(after(&duplicates), [Class::Fast]);
    assert_eq!(after(&duplicates[..2]), [Class::Other]);
    assert_eq!(after(&[ack(50, 3000, &[(3500, 4000)])]), [Class::Fast]);
}

/// RFC 5681 §3.1 and RFC 6675 §5.1: after a timeout, everything that was sent before counts as lost and goes out again as
/// acknowledgements come, until all of it is acknowledged. What is lost once more is asked for again.
#[test]
fn a_timer_brings_all_that_was_sent_before_it() {
    let sent: Vec<_> = (0..6).map(|number| data(number, 3000 + 500 * number as u32)).collect();
    let timer = data(400, 3000);
    let more = [ack(420, 3500, &[(4500, 5000)]), data(421, 3500), data(422, 4000)];
    let exchange = [&sent[..], &[timer], &more].concat();
    assert_eq!(classes(&exchange), [Class::Rto, Class::Recovery, Class::Recovery]);
    // One of these is lost, too: SACK of what was sent later tells.
    let again = [ack(440, 3500, &[(4000, 5000)]), data(441, 3500)];
    assert_eq!(classes(&[&exchange[..], &again].concat())[3], Class::Fast);
    // When all of it is acknowledged, the timer has no more effect.
    let over =
        [ack(440, 6000, &[]), data(441, 6000), data(442, 6500), ack(460, 6000, &[(6500, 7000)]), data(461, 6000)];
    assert_eq!(classes(&[&exchange[..], &over].concat())[3], Class::Fast);
}

/// RFC 8985 §6.2 (RACK): two segments are lost, and the retransmission of the first one arrives.
/// Nothing with a higher number did, but something that was sent later.
#[test]
fn what_was_sent_later_and_arrived_shows_a_loss() {
    let sent: Vec<_> = (0..6).map(|number| data(number, 3000 + 500 * number as u32)).collect();
    // 3500 and 5000 are lost; SACK asks for the first of them alone.
    let asked = [ack(40, 3500, &[(4000, 4500)]), ack(41, 3500, &[(4000, 5000)]), data(42, 3500)];
    let arrived = [ack(82, 5000, &[]), data(83, 5000)];
    let exchange = [&sent[..], &asked, &arrived].concat();
    assert_eq!(classes_with(Some(Span::from_milliseconds(40)), &exchange), [Class::Fast, Class::Fast]);
    // An acknowledgement sooner than a round trip is of the first sending, and shows nothing of later ones.
    let early = [&sent[..], &asked, &[ack(50, 5000, &[]), data(51, 5000)]].concat();
    assert_eq!(classes_with(Some(Span::from_milliseconds(40)), &early), [Class::Fast, Class::Other]);
}

/// RFC 5682 §3.1 (F-RTO): data arrive that were sent once, before the timer. It was too soon, and what follows is ordinary loss
/// recovery.
#[test]
fn data_that_was_not_lost_undoes_the_timer() {
    let sent: Vec<_> = (0..6).map(|number| data(number, 3000 + 500 * number as u32)).collect();
    let later = [data(400, 3000), ack(420, 4500, &[(5000, 5500)]), data(421, 4500)];
    let exchange = [&sent[..], &later].concat();
    assert_eq!(classes_with(Some(Span::from_milliseconds(40)), &exchange), [Class::Rto, Class::Fast]);
    // SACK had found losses before the timer: then the same counts as lost.
    let found = [ack(40, 3000, &[(3500, 4000)])];
    let exchange = [&sent[..], &found, &later].concat();
    assert_eq!(classes_with(Some(Span::from_milliseconds(40)), &exchange), [Class::Rto, Class::Recovery]);
}
