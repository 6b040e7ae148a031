//! Shapes of one stream.

use super::capture::{ACK, CLIENT, Capture, FIN, KEYS, MOST, Packet, RST, data_ack, end, idsn, mapping, option};

pub fn overlapping(capture: &mut Capture, n: usize) {
    capture.handshake();
    (1..=n).for_each(|at| capture.data(at, at, 65_535, MOST));
}

pub fn reaching_back(capture: &mut Capture, n: usize) {
    capture.handshake();
    (1..=n).rev().for_each(|at| capture.data(at, at, 65_535, MOST));
}

/// Mappings of a byte each that lie apart, then payload over all of them.
pub fn fragments(capture: &mut Capture, n: usize) {
    capture.handshake();
    let half = n / 2;
    for at in 0..half {
        let options = &mapping(idsn(KEYS[0]).wrapping_add(1 + 3 * at as u64), 1 + at, 1, 0);
        capture.add(Packet { options, ..Packet::up() });
    }
    (0..half).for_each(|_| capture.add(Packet { claim: half.min(MOST), ..Packet::up() }));
}

pub fn infinite(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n).for_each(|at| capture.data(1 + 10 * at, 1 + 10 * at, if at % 2 == 0 { 10 } else { 0 }, 10));
}

/// Data sequence numbers that jump over half and all of their space, subflow sequence numbers near their wrap.
pub fn wrapping(capture: &mut Capture, n: usize) {
    capture.handshake();
    let jumps = [0, 1 << 63, u64::MAX, (1 << 63) - 1, 1 << 62, 1 << 32, 1 << 31, 1];
    for (at, jump) in jumps.iter().cycle().take(n).enumerate() {
        let fin = if at & 4 == 0 { 0 } else { 16 };
        let dsn = idsn(KEYS[0]).wrapping_add(*jump).wrapping_add(at as u64);
        let options =
            &mapping(dsn, (u32::MAX as usize - 5).wrapping_add(at), if at % 2 == 0 { 5 } else { 65_535 }, fin);
        capture.add(Packet { sequence: 1001 + at * (1 << 30), options, claim: 10, ..Packet::up() });
    }
}

/// Every second byte, then retransmissions of all of them.
pub fn holes(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 2).for_each(|at| capture.data(1 + 2 * at, 1 + 2 * at, 1, 1));
    (0..n / 2).for_each(|_| capture.add(Packet { claim: n.min(MOST), ..Packet::up() }));
}

pub fn holes_from_the_back(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n).rev().for_each(|at| capture.data(1 + 2 * at, 1 + 2 * at, 1, 1));
}

pub fn filled_from_the_back(capture: &mut Capture, n: usize) {
    capture.handshake();
    let third = n / 3;
    (0..third).for_each(|at| capture.data(11 + 20 * at, 11 + 20 * at, 10, 10));
    for at in (0..third).rev() {
        capture.data(1 + 20 * at, 1 + 20 * at, 10, 10);
        capture.acknowledge(0);
    }
    capture.acknowledge(20 * third);
}

pub fn waiting(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n).for_each(|at| capture.data(11 + 20 * at, 11 + 20 * at, 10, 10));
}

/// A byte a packet, then packets that each send all of these bytes again, under new subflow sequence numbers.
pub fn amplified(capture: &mut Capture, n: usize) {
    capture.handshake();
    let half = n / 2;
    capture.single_bytes(half);
    let all = half.min(MOST);
    (0..half).for_each(|number| capture.data(1 + half + number * all, 1, all, all));
}

/// A byte a packet, retransmissions of all of them, and one acknowledgement.
pub fn acknowledged_at_once(capture: &mut Capture, n: usize) {
    capture.handshake();
    let half = n / 2;
    capture.single_bytes(half);
    (0..half).for_each(|_| capture.add(Packet { claim: half.min(MOST), ..Packet::up() }));
    capture.acknowledge(half);
}

pub fn selective(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n / 2 {
        let edges = (0..4).flat_map(|block| [1001, 1002].map(|edge| (edge + 10 * (4 * at + block)) as u32));
        let options = [&[1, 1, 5, 34][..], &edges.flat_map(u32::to_be_bytes).collect::<Vec<u8>>()].concat();
        capture.add(Packet { sequence: 1001 + 100 * at, claim: 10, ..Packet::up() });
        capture.add(Packet { options: &options, ..Packet::down() });
    }
}

pub fn acknowledgements(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n / 2).for_each(|at| capture.data(1 + at * 1000, 1 + at * 1000, 1000, 1000));
    (0..n / 2).rev().for_each(|at| capture.acknowledge(at * 1000));
}

pub fn identical(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n).for_each(|_| capture.data(1, 1, 10, 10));
}

/// One packet over many mappings of a byte each, again and again.
pub fn identical_over_many(capture: &mut Capture, n: usize) {
    capture.handshake();
    let half = (n / 2).min(MOST);
    capture.single_bytes(half);
    (0..n / 2).for_each(|_| capture.add(Packet { sequence: 1001, claim: half, ..Packet::up() }));
}

pub fn pure_acknowledgements(capture: &mut Capture, n: usize) {
    capture.handshake();
    (0..n).for_each(|_| capture.acknowledge(0));
}

/// ADD_ADDR, its echo, REMOVE_ADDR, MP_PRIO, MP_FAIL and MP_TCPRST in turn.
pub fn options(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n {
        let (id, address) = (at as u8, end(at).0);
        let content = match at % 6 {
            0 => [&[0x30, id][..], &address, &(at as u16).to_be_bytes(), &(at as u64).to_be_bytes()].concat(),
            1 => [&[0x31, id][..], &address].concat(),
            2 => vec![0x40, id],
            3 => vec![0x51],
            4 => [&[0x60, 0][..], &(at as u64).to_be_bytes()].concat(),
            _ => vec![0x80 | (id & 15), id],
        };
        capture.add(Packet { options: &option(&content), ..Packet::up() });
    }
}

pub fn endings(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n {
        let options = &mapping(idsn(KEYS[0]).wrapping_add(1 + at as u64), 0, 1, 16);
        let flags = if at % 2 == 0 { RST } else { FIN | ACK };
        capture.add(Packet { sequence: 1001 + at, flags, options, ..Packet::up() });
    }
}

pub fn failures(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n / 2 {
        capture.data(1 + 10 * at, 1 + 10 * at, 10, 10);
        let number = idsn(KEYS[0]).wrapping_add(10 * at as u64).to_be_bytes();
        let options = &option(&[&[0x60, 0][..], &number].concat());
        capture.add(Packet { acknowledgement: 1011 + 10 * at, options, ..Packet::down() });
    }
    capture.add(Packet { to: CLIENT, options: &data_ack(1), ..Packet::down() });
}

pub fn long_name(capture: &mut Capture, n: usize) {
    *capture = Capture::new(&"n".repeat(65_000));
    capture.handshake();
    (0..n).for_each(|at| capture.data(1 + at * 1000, 1 + at * 1000, 1000, 1000));
}
