//! Shapes of many streams.

use super::capture::{
    ACK, CLIENT, Capture, KEYS, MOST, Packet, RST, SERVER, SYN, capable, capable_0, data_ack, dss, end, idsn, join_syn,
    mapping, option, syn, token,
};

/// A subflow of its own for each number, and data on it.
fn subflow(capture: &mut Capture, number: usize, dsn: usize, length: usize) {
    capture.joins(end(number), false);
    capture.add(Packet { from: end(number), options: &dss(dsn, 1, length), claim: length, ..Packet::up() });
}

pub fn reinjecting(capture: &mut Capture, n: usize) {
    capture.handshake();
    let half = n / 2;
    capture.single_bytes(half);
    (0..half / 4).for_each(|number| subflow(capture, number, 1, half.min(MOST)));
}

/// Each subflow repeats half of what the one before sent.
pub fn pairs(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 4).for_each(|number| subflow(capture, number, 1 + 10 * number, 20));
}

/// The same data again and again, on two subflows.
pub fn in_turn(capture: &mut Capture, n: usize) {
    capture.handshake();
    capture.joins(end(1), false);
    for at in 0..n / 2 {
        let (from, ssn) = (if at % 2 == 0 { CLIENT } else { end(1) }, 1 + 10 * (at / 2));
        capture.add(Packet { from, sequence: 1000 + ssn, options: &dss(1, ssn, 10), claim: 10, ..Packet::up() });
        capture.add(Packet { to: from, acknowledgement: 1010 + ssn, options: &data_ack(1), ..Packet::down() });
    }
}

pub fn many(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 4).for_each(|number| subflow(capture, number, 1 + 10 * number, 10));
}

pub fn without_options(capture: &mut Capture, n: usize) {
    capture.handshake();
    for number in 0..n / 8 {
        subflow(capture, number, 1 + 10 * number, 10);
        let from = end(number);
        (1..5).for_each(|at| capture.add(Packet { from, sequence: 1001 + 10 * at, claim: 10, ..Packet::up() }));
    }
}

/// Retransmissions that nobody answers.
pub fn standing(capture: &mut Capture, n: usize) {
    capture.handshake();
    let count = n / 11;
    (0..count).for_each(|number| capture.joins(end(number), false));
    for again in 0..8 {
        capture.time += 1_000_000 << again;
        for number in 0..count {
            let options = &dss(1 + 10 * number, 1, 10);
            capture.add(Packet { from: end(number), options, claim: 10, ..Packet::up() });
        }
    }
}

/// RSTs with another time to live than their sender's, and the data again on the first subflow.
pub fn reset(capture: &mut Capture, n: usize) {
    capture.handshake();
    for number in 0..n / 6 {
        subflow(capture, number, 1 + 10 * number, 10);
        let options = &option(&[0x80, (number % 5) as u8]);
        let rst = Packet { to: end(number), flags: RST | ACK, acknowledgement: 1011, ..Packet::down() };
        capture.add(Packet { ttl: if number % 2 == 0 { 64 } else { 200 }, options, ..rst });
        capture.data(1 + 10 * number, 1 + 10 * number, 10, 10);
    }
}

pub fn refused(capture: &mut Capture, n: usize) {
    capture.handshake();
    for number in 0..n / 2 {
        let from = end(number);
        capture.add(Packet { options: &join_syn(token(KEYS[1]), 0), ..syn(from) });
        let options = &option(&[0x80, (number % 5) as u8]);
        capture.add(Packet { to: from, flags: RST | ACK, sequence: 0, options, ..Packet::down() });
    }
}

/// Backups that stay unused while the first subflow stands still, then changes of priority.
pub fn backups(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 8).for_each(|number| capture.joins(end(number), true));
    for again in 0..9 {
        capture.time += 1_000_000 << again;
        capture.data(1, 1, 10, 10);
    }
    (0..n / 4).for_each(|at| capture.data(11 + 10 * at, 11 + 10 * at, 10, 10));
    for at in 0..n / 4 {
        let named = [0x50 | (at & 1) as u8, at as u8];
        capture.add(Packet { options: &option(&named[..1 + at % 2]), ..Packet::up() });
    }
}

pub fn addresses(capture: &mut Capture, n: usize) {
    capture.handshake();
    for number in 0..n / 5 {
        let (id, address) = (number as u8, end(number).0);
        capture.add(Packet { options: &option(&[&[0x31, id][..], &address].concat()), ..Packet::down() });
        let (from, to) = ((CLIENT.0, end(number).1), (address, SERVER.1));
        capture.add(Packet { to, options: &join_syn(token(KEYS[1]), 0), ..syn(from) });
        let options = &option(&[&[0x10, id][..], &[7; 8], &[0, 0, 0, 2]].concat());
        capture.add(Packet { from: to, to: from, flags: SYN | ACK, sequence: 5000, options, ..Packet::down() });
        let options = &option(&[&[0x10, 0][..], &[7; 20]].concat());
        capture.add(Packet { from, to, options, ..Packet::up() });
        capture.add(Packet { options: &option(&[0x40, id]), ..Packet::down() });
    }
}

/// Joins whose third packet asks for a connection of its own.
pub fn joins_that_open(capture: &mut Capture, n: usize) {
    capture.handshake();
    for number in 0..n / 2 {
        let from = end(number);
        capture.add(Packet { options: &join_syn(token(KEYS[number % 2]), 0), ..syn(from) });
        capture.add(Packet { from, acknowledgement: 1, options: &capable(&KEYS), ..Packet::up() });
    }
}

pub fn tokens(capture: &mut Capture, n: usize) {
    (0..n).for_each(|number| capture.add(Packet { options: &join_syn(number as u32, 0), ..syn(end(number)) }));
}

pub fn keys(capture: &mut Capture, n: usize) {
    (0..n).for_each(|number| capture.add(Packet { options: &capable_0(number as u64 + 1), ..syn(end(number)) }));
}

pub fn one_key(capture: &mut Capture, n: usize) {
    (0..n).for_each(|number| capture.add(Packet { options: &capable_0(5), ..syn(end(number)) }));
}

/// A SYN with another number begins another stream on the same ports.
pub fn one_pair(capture: &mut Capture, n: usize) {
    for number in 0..n {
        let options = &capable_0(number as u64 + 1);
        capture.add(Packet { sequence: 1000 + 7 * number, options, ..syn(CLIENT) });
    }
}

/// Connections of two subflows each, packet by packet in turn.
pub fn connections(capture: &mut Capture, n: usize) {
    let count = n / 8;
    let keys = |number: usize| [1_000_000_000 + number as u64, 2_000_000_000 + number as u64];
    let second = |number: usize| (end(number).0, 1);
    let data =
        |number: usize, dsn: usize, ssn: usize| mapping(idsn(keys(number)[0]).wrapping_add(dsn as u64), ssn, 10, 0);
    (0..count).for_each(|number| capture.opens(end(number), keys(number)));
    for at in 0..2 {
        for number in 0..count {
            let (sequence, options) = (1001 + 10 * at, &data(number, 1 + 10 * at, 1 + 10 * at));
            capture.add(Packet { from: end(number), sequence, options, claim: 10, ..Packet::up() });
        }
    }
    for number in 0..count {
        capture.add(Packet { options: &join_syn(token(keys(number)[1]), 0), ..syn(second(number)) });
    }
    for number in 0..count {
        capture.add(Packet { from: second(number), options: &data(number, 1, 1), claim: 10, ..Packet::up() });
    }
}

/// What belongs together is told by data sequence numbers alone, and those of many lie among each other.
pub fn without_handshakes(capture: &mut Capture, n: usize) {
    for number in 0..n / 4 {
        for at in 0..4 {
            let dsn = (1 << 50) + 10 * (number as u64 + at as u64 * 1_000_000);
            let options = &mapping(dsn, 1 + 10 * at, 10, 0);
            capture.add(Packet { from: end(number), sequence: 1001 + 10 * at, options, claim: 10, ..Packet::up() });
        }
    }
}
