//! Small exchanges, worked out by hand from RFC 9293 and RFC 5961.

use std::net::Ipv4Addr;

use super::*;
use crate::packets::segment::Fields;
use crate::tracking::{Stream, Tracking, track};
use crate::{Instant, Span};

const SECOND: i64 = 1_000_000_000;
/// Initial sequence numbers of client and server.
const ISN: [u32; 2] = [u32::MAX - 500, 7_000_000];

/// The packets of one stream, numbers relative, those of SYNs 0; windows are not scaled.
#[derive(Default)]
struct Exchange {
    segments: Vec<Fields>,
    /// The initial sequence numbers, when not [`ISN`].
    isn: Option<[u32; 2]>,
}

impl Exchange {
    /// The handshake; both windows are 1000.
    fn begun() -> Self {
        let mut exchange = Exchange::default();
        exchange.handshake();
        exchange
    }

    fn handshake(&mut self) {
        self.client(flag::SYN, 0, 0, 0, 1000);
        self.server(flag::SYN | flag::ACK, 0, 1, 0, 1000);
        self.client(flag::ACK, 1, 1, 0, 1000);
    }

    fn client(&mut self, flags: u16, sequence: u32, acknowledgement: u32, payload: u32, window: u16) -> usize {
        self.push(true, flags, (sequence, acknowledgement), payload, window)
    }

    fn server(&mut self, flags: u16, sequence: u32, acknowledgement: u32, payload: u32, window: u16) -> usize {
        self.push(false, flags, (sequence, acknowledgement), payload, window)
    }

    /// A second after the packet before; returns its index.
    fn push(
        &mut self,
        by_client: bool,
        flags: u16,
        (sequence, acknowledgement): (u32, u32),
        payload: u32,
        window: u16,
    ) -> usize {
        let [client, server] = self.isn.unwrap_or(ISN);
        let ends = [(Ipv4Addr::new(192, 0, 2, 1), 40_000, client), (Ipv4Addr::new(192, 0, 2, 2), 80, server)];
        let [from, to] = if by_client { ends } else { [ends[1], ends[0]] };
        let index = self.segments.len();
        self.segments.push(Fields {
            packetid: index as u64 + 1,
            abstime: Instant::from_nanoseconds(index as i64 * SECOND),
            flags,
            window,
            sequence: from.2.wrapping_add(sequence),
            acknowledgement: if flags & flag::ACK == 0 { 0 } else { to.2.wrapping_add(acknowledgement) },
            payload: Some(payload),
            ..Fields::between((from.0.into(), from.1), (to.0.into(), to.1))
        });
        index
    }

    fn tracked(&self) -> Tracking {
        track(&self.segments.iter().cloned().collect())
    }

    fn natures(&self) -> Vec<Nature> {
        self.tracked().packets.iter().map(|packet| packet.nature).collect()
    }

    /// Packets that are more than ordinary.
    fn special(&self) -> Vec<(usize, Nature)> {
        let natures = self.natures().into_iter().enumerate();
        natures.filter(|(_, nature)| *nature != Nature::Ordinary).collect()
    }

    fn streams(&self) -> Vec<Stream> {
        self.tracked().streams.into_iter().collect()
    }
}

#[test]
fn a_keepalive_has_the_last_byte_or_none() {
    let mut exchange = Exchange::begun();
    // Before any data the byte before the next one is the SYN's.
    let early = exchange.client(flag::ACK, 0, 1, 0, 1000);
    exchange.client(flag::ACK, 1, 1, 1000, 1000);
    // Not acknowledged yet: this is the retransmission of a tail.
    exchange.client(flag::ACK, 999, 1, 2, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 1000);
    let one = exchange.client(flag::ACK, 1000, 1, 1, 1000);
    let none = exchange.client(flag::ACK, 1000, 1, 0, 1000);
    // The receiver has a keep-alive of its own, and answers are ordinary.
    let servers = exchange.server(flag::ACK, 0, 1001, 1, 1000);
    exchange.client(flag::ACK, 1001, 1, 0, 1000);
    exchange.client(flag::ACK, 1001, 1, 100, 1000);
    let expected = [early, one, none, servers].map(|index| (index, Nature::KeepAlive));
    assert_eq!(exchange.special(), expected);
}

#[test]
fn a_byte_sent_alone_may_be_retransmitted() {
    let mut exchange = Exchange::begun();
    exchange.client(flag::ACK, 1, 1, 1, 1000);
    exchange.server(flag::ACK, 1, 2, 0, 1000);
    // Two seconds later: the acknowledgement was lost behind the place of capture.
    exchange.client(flag::ACK, 1, 1, 1, 1000);
    assert_eq!(exchange.special(), []);
    let late = exchange.client(flag::ACK, 1, 1, 1, 1000);
    exchange.segments[late].abstime += Span::from_seconds(60);
    assert_eq!(exchange.special(), [(late, Nature::KeepAlive)]);
}

#[test]
fn a_probe_with_an_old_byte_is_never_data() {
    let mut exchange = Exchange::begun();
    exchange.client(flag::ACK, 1, 1, 1000, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 0);
    let none = exchange.client(flag::ACK, 1000, 1, 0, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 0);
    let one = exchange.client(flag::ACK, 1000, 1, 1, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 500);
    exchange.client(flag::ACK, 1001, 1, 500, 1000);
    assert_eq!(exchange.special(), [(none, Nature::WindowProbe), (one, Nature::WindowProbe)]);
}

#[test]
fn a_probe_with_the_next_byte_is_data_once_it_is_taken() {
    let mut exchange = Exchange::begun();
    exchange.client(flag::ACK, 1, 1, 1000, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 0);
    let refused = exchange.client(flag::ACK, 1001, 1, 1, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 0);
    let taken = exchange.client(flag::ACK, 1001, 1, 1, 1000);
    exchange.server(flag::ACK, 1, 1002, 0, 0);
    let next = exchange.client(flag::ACK, 1002, 1, 1, 1000);
    // The acknowledgement was not captured, but the sender goes on behind it.
    exchange.client(flag::ACK, 1003, 1, 100, 1000);
    let expected = [(refused, Nature::WindowProbe), (taken, Nature::AcceptedProbe), (next, Nature::AcceptedProbe)];
    assert_eq!(exchange.special(), expected);
}

#[test]
fn a_probe_that_was_not_taken_goes_again_as_data() {
    let mut exchange = Exchange::begun();
    exchange.client(flag::ACK, 1, 1, 1000, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 0);
    let probe = exchange.client(flag::ACK, 1001, 1, 1, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 1000);
    exchange.client(flag::ACK, 1001, 1, 1000, 1000);
    exchange.server(flag::ACK, 1, 2001, 0, 1000);
    assert_eq!(exchange.special(), [(probe, Nature::WindowProbe)]);
    // One byte within an open window is data.
    exchange.client(flag::ACK, 2001, 1, 1, 1000);
    assert_eq!(exchange.special(), [(probe, Nature::WindowProbe)]);
}

#[test]
fn a_reset_counts_within_the_window() {
    // The client expects 101 from the server and allows 1000.
    let with = |sequence: u32| {
        let mut exchange = Exchange::begun();
        exchange.server(flag::ACK, 1, 1, 100, 1000);
        exchange.client(flag::ACK, 1, 101, 0, 1000);
        exchange.server(flag::RST, sequence, 0, 0, 0);
        exchange.streams()[0].ends.server.reset
    };
    let counts: Vec<u32> = [0, 1, 100, 101, 102, 1101, 1102, 100_000].into_iter().filter(|n| with(*n)).collect();
    assert_eq!(counts, [101, 102, 1101]);
}

#[test]
fn a_reset_in_answer_to_an_earlier_ack_counts_after_a_fin() {
    let mut exchange = Exchange::begun();
    exchange.server(flag::ACK | flag::FIN, 1, 1, 0, 1000);
    exchange.client(flag::ACK, 1, 2, 0, 1000);
    exchange.server(flag::RST, 1, 0, 0, 0);
    assert!(exchange.streams()[0].ends.server.reset);
}

#[test]
fn a_reset_that_ran_ahead_of_its_data_counts() {
    // At the sender: what it sent last is not acknowledged yet, and beyond the window that it knows.
    let mut exchange = Exchange::begun();
    exchange.client(flag::ACK, 1, 1, 3000, 1000);
    exchange.client(flag::RST, 3001, 0, 0, 0);
    assert!(exchange.streams()[0].ends.client.reset);
}

#[test]
fn to_a_syn_a_reset_must_acknowledge_it() {
    for (acknowledges, number, counts) in [(true, 1, true), (true, 0, false), (true, 900, false), (false, 0, false)] {
        let mut exchange = Exchange::default();
        exchange.client(flag::SYN, 0, 0, 0, 1000);
        let flags = if acknowledges { flag::RST | flag::ACK } else { flag::RST };
        exchange.push(false, flags, (0, number), 0, 0);
        assert_eq!(exchange.streams()[0].ends.server.reset, counts, "{acknowledges} {number}");
    }
    // Any part of the SYN's data may be acknowledged.
    let mut exchange = Exchange::default();
    exchange.client(flag::SYN, 0, 0, 600, 1000);
    exchange.push(false, flag::RST | flag::ACK, (0, 601), 0, 0);
    assert!(exchange.streams()[0].ends.server.reset);
}

#[test]
fn the_client_may_reset_what_it_has_just_asked_for() {
    let mut exchange = Exchange::default();
    exchange.client(flag::SYN, 0, 0, 0, 1000);
    exchange.server(flag::SYN | flag::ACK, 0, 1, 0, 1000);
    exchange.client(flag::RST, 1, 0, 0, 0);
    assert!(exchange.streams()[0].ends.client.reset);
    // The SYN/ACK was not captured.
    exchange.segments.remove(1);
    assert!(exchange.streams()[0].ends.client.reset);
}

#[test]
fn a_reset_counts_where_nothing_is_known_of_its_receiver() {
    let mut exchange = Exchange::default();
    exchange.server(flag::ACK, 500, 1, 100, 1000);
    exchange.server(flag::RST, 600, 0, 0, 0);
    assert!(exchange.streams()[0].ends.server.reset);
}

#[test]
fn a_fin_counts_within_the_window_and_when_it_comes_again() {
    let with = |sequence: u32, payload: u32| {
        let mut exchange = Exchange::begun();
        exchange.server(flag::ACK, 1, 1, 100, 1000);
        exchange.client(flag::ACK, 1, 101, 0, 1000);
        exchange.server(flag::FIN | flag::ACK, sequence, 1, payload, 1000);
        exchange.streams()[0].ends.server.fin
    };
    // Right behind the data; behind data that are on their way; acknowledged already; with data that were seen before.
    assert!(with(101, 0) && with(101, 500) && with(100, 0) && with(51, 50));
    assert!(!with(50, 0) && !with(1102, 0) && !with(1, 50) && !with(60_000, 0));
}

#[test]
fn what_the_capture_missed_is_no_reason_to_doubt_the_end() {
    let mut exchange = Exchange::begun();
    // 5000 bytes of the client and 9000 of the server were not captured; nor were their acknowledgements.
    exchange.server(flag::FIN | flag::ACK, 9001, 5001, 0, 1000);
    exchange.client(flag::ACK, 5001, 9002, 0, 1000);
    assert_eq!(exchange.special(), []);
    assert!(exchange.streams()[0].ends.server.fin);
}

#[test]
fn the_answer_to_a_stray_reset_is_a_challenge_ack() {
    let mut exchange = Exchange::begun();
    exchange.client(flag::ACK, 1, 1, 1000, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 1000);
    let forged = exchange.server(flag::RST, 100_001, 0, 0, 0);
    let challenge = exchange.client(flag::ACK, 1001, 1, 0, 1000);
    exchange.client(flag::ACK, 1001, 1, 0, 1000);
    assert_eq!(exchange.special(), [(forged, Nature::Stray), (challenge, Nature::ChallengeAck)]);
    // An acknowledgement of data that came meanwhile is none.
    exchange.segments.truncate(challenge);
    exchange.server(flag::ACK, 1, 1001, 200, 1000);
    exchange.client(flag::ACK, 1001, 201, 0, 1000);
    assert_eq!(exchange.special(), [(forged, Nature::Stray)]);
}

#[test]
fn what_comes_after_the_end_is_not_judged() {
    let mut exchange = Exchange::begun();
    exchange.client(flag::ACK, 1, 1, 1000, 1000);
    exchange.server(flag::ACK, 1, 1001, 0, 1000);
    exchange.server(flag::RST | flag::ACK, 1, 1001, 0, 0);
    exchange.server(flag::RST, 90_000, 0, 0, 0);
    assert_eq!(exchange.special(), []);
}

/// The ports are used again while packets of the first use are on their way.
#[test]
fn late_packets_are_of_the_stream_before() {
    let mut exchange = Exchange::begun();
    exchange.client(flag::FIN | flag::ACK, 1, 1, 0, 1000);
    exchange.client(flag::RST, 2, 0, 0, 0);
    let old = exchange.isn.unwrap_or(ISN);
    exchange.isn = Some([old[0].wrapping_add(70_000), old[1].wrapping_add(3_000_000)]);
    let syn = exchange.client(flag::SYN, 0, 0, 0, 1000);
    // As numbers of the first use: a RST without ACK, and a FIN.
    exchange.isn = Some(old);
    let reset = exchange.server(flag::RST, 1, 0, 0, 0);
    let fin = exchange.server(flag::FIN | flag::ACK, 1, 2, 0, 1000);
    exchange.isn = Some([old[0].wrapping_add(70_000), old[1].wrapping_add(3_000_000)]);
    exchange.server(flag::SYN | flag::ACK, 0, 1, 0, 1000);
    exchange.client(flag::ACK, 1, 1, 0, 1000);
    assert_eq!(exchange.special(), [(reset, Nature::Late), (fin, Nature::Late)]);
    let streams = exchange.streams();
    assert_eq!(streams.len(), 2);
    assert_eq!(streams[0].late, [PacketRow(reset as u32), PacketRow(fin as u32)]);
    let second = &streams[1];
    assert_eq!(second.syn, Some(PacketRow(syn as u32)));
    assert!(!second.ends.server.reset && !second.ends.server.fin && second.syn_ack.is_some());
}

#[test]
fn a_stream_beyond_four_gibibytes_is_judged_as_before() {
    let mut exchange = Exchange::begun();
    let mut next = 1_u32;
    // As long as a packet can be.
    const LENGTH: u32 = 512 << 10;
    for _ in 0..9000 {
        exchange.client(flag::ACK, next, 1, LENGTH, 1000);
        next = next.wrapping_add(LENGTH);
        exchange.server(flag::ACK, 1, next, 0, 1000);
    }
    let keepalive = exchange.client(flag::ACK, next.wrapping_sub(1), 1, 1, 1000);
    exchange.client(flag::FIN | flag::ACK, next, 1, 0, 1000);
    assert_eq!(exchange.special(), [(keepalive, Nature::KeepAlive)]);
    assert!(exchange.streams()[0].ends.client.fin);
}
