//! Shapes that are so by their times.

use super::capture::{Capture, Packet, data_ack, dss, timestamps};

/// A second, in microseconds.
const SECOND: u64 = 1_000_000;

/// The next ten bytes of data, and their acknowledgement.
fn sent_and_answered(capture: &mut Capture, at: usize) {
    capture.data(1 + 10 * at, 1 + 10 * at, 10, 10);
    capture.acknowledge(10 * (at + 1));
}

/// Windows that are shut and opened again while data waits.
pub fn shut(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n / 4 {
        capture.time += SECOND;
        capture.data(1 + 10 * at, 1 + 10 * at, 10, 10);
        let (acknowledgement, options) = (1011 + 10 * at, &data_ack(11 + 10 * at));
        let answer = Packet { acknowledgement, options, ..Packet::down() };
        capture.add(Packet { window: 0, ..answer });
        capture.time += SECOND / 2;
        capture.add(Packet { sequence: 1010 + 10 * at, ..Packet::up() });
        capture.add(Packet { window: 1000, ..answer });
    }
}

pub fn backwards(capture: &mut Capture, n: usize) {
    capture.handshake();
    let last = capture.time + 10 * n as u64;
    for at in 0..n / 2 {
        capture.time = last - 10 * at as u64;
        sent_and_answered(capture, at);
    }
}

pub fn shuffled(capture: &mut Capture, n: usize) {
    capture.handshake();
    let begin = capture.time;
    for at in 0..n {
        capture.time = begin + at as u64 * 7919 * 1000 % (1000 * SECOND);
        capture.data(1 + 10 * at, 1 + 10 * at, 10, 10);
    }
}

pub fn at_once(capture: &mut Capture, n: usize) {
    capture.handshake();
    let now = capture.time;
    for at in 0..n / 2 {
        capture.time = now;
        sent_and_answered(capture, at);
    }
}

pub fn hours(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n / 2 {
        capture.time += 3600 * SECOND;
        sent_and_answered(capture, at);
    }
}

/// Values that all differ and are never echoed, but for echoes that go back.
pub fn not_echoed(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n / 2 {
        let (ssn, dsn) = (1 + 10 * at, 1 + 10 * at);
        let short = [&timestamps(at, 0)[2..], &dss(dsn, ssn, 10)].concat();
        capture.add(Packet { sequence: 1000 + ssn, options: &short, claim: 10, ..Packet::up() });
        let options = &timestamps(0, n - at);
        capture.add(Packet { acknowledgement: 1001 + 10 * at, options, ..Packet::down() });
    }
}

/// Each packet again, farther along the way.
pub fn twice(capture: &mut Capture, n: usize) {
    capture.handshake();
    for at in 0..n / 4 {
        capture.time += 1000;
        let options = &dss(1 + 10 * at, 1 + 10 * at, 10);
        let data = Packet { sequence: 1001 + 10 * at, options, claim: 10, ..Packet::up() };
        let options = &data_ack(11 + 10 * at);
        let answer = Packet { acknowledgement: 1011 + 10 * at, options, ..Packet::down() };
        for packet in [data, answer] {
            capture.add(packet);
            capture.time += 50;
            capture.add(Packet { ttl: 63, ..packet });
        }
    }
}
