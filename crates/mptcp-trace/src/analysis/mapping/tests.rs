//! Exchanges made by hand: what recordings do not show, and captures made to take long.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use super::*;
use crate::packets::segment::{Capable, Control, Dss, Fields, Join, Mapping, flag, subtype};
use crate::packets::{Builder, frames::Frame};
use crate::packets::{CaptureFacts, Dissection};
use crate::tracking::Capture;
use crate::tracking::token::derive;
use crate::{ConnectionId, StreamId};

/// Bytes in each data packet of [`exchange`].
const BYTES: u32 = 1000;

fn capture(name: &str, segments: &[Fields]) -> Capture {
    let mut builder = Builder::default();
    for (packetid, segment) in (1..).zip(segments) {
        builder.push(&Frame::default(), Fields { packetid, ..segment.clone() });
    }
    let dissection = Dissection { packets: builder.finish(), facts: CaptureFacts::default() };
    Capture::new(PathBuf::from(name), dissection).unwrap()
}

fn address(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))
}

/// A stream as its client's end sees it.
#[derive(Clone, Copy)]
struct Made {
    client: (IpAddr, u16),
    server: (IpAddr, u16),
    isn: [u32; 2],
    /// First values of both ends' clocks.
    clocks: Option<[u32; 2]>,
}

const SERVER_PORT: u16 = 5001;

fn made(port: u16, isn: [u32; 2]) -> Made {
    Made { client: (address(1), port), server: (address(2), SERVER_PORT), isn, clocks: Some([1_000_000, 7_000_000]) }
}

impl Made {
    fn segment(&self, from_client: bool, flags: u16, place: [u32; 2], payload: u32, tick: u32) -> Fields {
        let (source, destination) = if from_client { (self.client, self.server) } else { (self.server, self.client) };
        let ends = if from_client { [0, 1] } else { [1, 0] };
        let number = |end: usize| self.isn[end].wrapping_add(place[end]);
        let timestamps = self.clocks.map(|clocks| {
            let clock = |end: usize| clocks[end].wrapping_add(tick);
            (clock(ends[0]), if flags & flag::ACK == 0 { 0 } else { clock(ends[1]) })
        });
        Fields {
            flags,
            window: 1000,
            sequence: number(ends[0]),
            acknowledgement: if flags & flag::ACK == 0 { 0 } else { number(ends[1]) },
            payload: Some(payload),
            timestamps,
            ..Fields::between(source, destination)
        }
    }

    fn handshake(&self) -> Vec<Fields> {
        vec![
            self.segment(true, flag::SYN, [0, 0], 0, 0),
            self.segment(false, flag::SYN | flag::ACK, [1, 0], 0, 0),
            self.segment(true, flag::ACK, [1, 1], 0, 1),
        ]
    }

    /// `packets` data packets from the client, the first of them number `from`, each acknowledged.
    fn data(&self, from: u32, packets: u32) -> Vec<Fields> {
        let numbers = from..from + packets;
        let exchange = |number: u32| {
            let sent = self.segment(true, flag::ACK | flag::PSH, [1 + number * BYTES, 1], BYTES, 2 + number);
            let acknowledged = self.segment(false, flag::ACK, [1 + (number + 1) * BYTES, 1], 0, 2 + number);
            [sent, acknowledged]
        };
        numbers.flat_map(exchange).collect()
    }

    fn exchange(&self, packets: u32) -> Vec<Fields> {
        [self.handshake(), self.data(0, packets)].concat()
    }

    /// The same behind a translator: another client address and port.
    fn translated(self, last: u8, port: u16) -> Made {
        Made { client: (address(last), port), ..self }
    }
}

fn best(first: &Capture, second: &Capture) -> Option<TcpMatch> {
    Mapper::new(first, second).unwrap().tcp(StreamId(0)).into_iter().next()
}

#[test]
fn nothing_in_common_is_no_candidate() {
    let one = capture("one", &made(40_000, [1_000, 2_000]).exchange(50));
    let mut other = made(40_001, [300_000_000, 400_000_000]);
    other.clocks = Some([2_000_000, 9_000_000]);
    let other = capture("other", &other.exchange(50));
    assert_eq!(best(&one, &other), None);
    let error = Mapper::new(&one, &other).unwrap().the_tcp(StreamId(0)).unwrap_err().to_string();
    assert!(error.starts_with("TCP stream 0 of one has no counterpart in other: "), "{error}");
    assert!(Mapper::new(&one, &other).unwrap().the_tcp(StreamId(1)).is_err());
    assert_eq!(Mapper::new(&one, &other).unwrap().tcp(StreamId(1)), []);
}

#[test]
fn the_score_is_the_sum_of_the_documented_bits() {
    let stream = made(40_000, [1_000, 2_000]);
    let (one, other) = (capture("one", &stream.exchange(50)), capture("other", &stream.exchange(50)));
    let found = best(&one, &other).unwrap();
    // Two ISNs, packets and timestamps in plenty, two addresses, the server's port and the client's.
    assert_eq!(found.score, 32.0 + 32.0 + 64.0 + 32.0 + 4.0 + 4.0 + 4.0 + 16.0);
    assert!(!found.certain && !found.flipped);
}

#[test]
fn a_reused_port_is_not_the_same_stream() {
    let mut later = made(40_000, [900_000_000, 950_000_000]);
    later.clocks = Some([1_500_000, 7_500_000]);
    let one = capture("one", &made(40_000, [1_000, 2_000]).exchange(50));
    assert_eq!(best(&one, &capture("other", &later.exchange(50))), None);
    let both = [later.exchange(50), made(40_000, [1_000, 2_000]).exchange(50)].concat();
    assert_eq!(best(&one, &capture("other", &both)).unwrap().mapped, StreamId(1));
}

#[test]
fn a_stream_at_the_same_time_between_the_same_hosts_is_another_one() {
    // Clocks are per host, so every timestamp of one stream is also one of the other.
    let one = capture("one", &made(40_000, [1_000, 2_000]).exchange(100));
    let other = capture("other", &made(40_001, [700_000_000, 800_000_000]).exchange(100));
    assert_eq!(best(&one, &other), None);
}

#[test]
fn a_small_part_behind_a_translator_is_found() {
    let stream = made(40_000, [1_000, 2_000]);
    let one = capture("one", &stream.exchange(20_000));
    let mut others = Vec::new();
    for port in 0..30 {
        let mut other = made(41_000 + port, [u32::from(port) * 100_000_000 + 50_000, 77]).translated(9, 1000 + port);
        other.clocks = Some([port.into(), 3_000_000_000 + u32::from(port) * 1_000]);
        others.extend(other.data(500, 300));
    }
    others.extend(stream.translated(9, 2000).data(12_345, 20));
    let second = capture("other", &others);
    assert_eq!(Mapper::new(&one, &second).unwrap().the_tcp(StreamId(0)).unwrap().mapped, StreamId(30));
    assert_eq!(Mapper::new(&second, &one).unwrap().the_tcp(StreamId(30)).unwrap().mapped, StreamId(0));
    assert_eq!(Mapper::new(&second, &one).unwrap().tcp(StreamId(7)), []);
}

#[test]
fn an_early_and_a_late_part_are_found_by_their_endpoints() {
    let stream = made(40_000, [1_000, 2_000]);
    let early = capture("early", &stream.exchange(50));
    let late = capture("late", &stream.data(100_000, 50));
    // And by the number of the server, which sent nothing.
    assert_eq!(best(&early, &late).unwrap().score, 28.0 + 16.0);
}

#[test]
fn sequence_numbers_rewritten_at_both_ends_are_recognised_by_timestamps() {
    let stream = made(40_000, [1_000, 2_000]);
    let rewritten = Made { isn: [3_000_000_000, 4_000_000_000], ..stream };
    let found = best(&capture("one", &stream.exchange(50)), &capture("other", &rewritten.exchange(50))).unwrap();
    assert_eq!(found.score, 32.0 + 28.0);
    assert!(found.reasons.iter().any(|reason| reason.detail.ends_with("rewritten on the way")));
}

#[test]
fn without_timestamps_payload_lengths_tell_rewritten_numbers_from_a_reused_port() {
    let stream = Made { clocks: None, ..made(40_000, [1_000, 2_000]) };
    let rewritten = Made { isn: [3_000_000_000, 4_000_000_000], ..stream };
    let one = capture("one", &stream.exchange(20));
    let found = best(&one, &capture("other", &rewritten.exchange(20))).unwrap();
    assert_eq!(found.score, 16.0 + 28.0);
    let mut reused = rewritten.exchange(20);
    reused.iter_mut().for_each(|segment| segment.payload = segment.payload.map(|length| length / 2));
    assert_eq!(best(&one, &capture("other", &reused)), None);
}

#[test]
fn roles_that_one_capture_guesses_wrong_are_flipped() {
    // The client has the lower port; without a handshake it is taken for the server.
    let stream = made(400, [1_000, 2_000]);
    let (one, late) = (capture("one", &stream.exchange(50)), capture("late", &stream.data(10, 40)));
    assert!(best(&one, &late).unwrap().flipped && best(&late, &one).unwrap().flipped);
    assert!(!best(&late, &late).unwrap().flipped);
    // Translated to a higher port, seen without the handshake as well: the packets in common tell.
    let translated = capture("translated", &stream.translated(9, 60_000).data(10, 40));
    assert!(best(&late, &translated).unwrap().flipped && !best(&one, &translated).unwrap().flipped);
    let pair = best(&late, &translated).unwrap().pair;
    assert_eq!(pair, StreamPair { first: StreamId(0), second: StreamId(0), flipped: true });
}

#[test]
fn two_as_likely_candidates_are_not_chosen_from() {
    let stream = made(40_000, [1_000, 2_000]);
    let one = capture("one", &stream.exchange(50));
    let twice = [stream.translated(8, 1).exchange(50), stream.translated(9, 2).exchange(50)].concat();
    let twice = capture("twice", &twice);
    let mapper = Mapper::new(&one, &twice).unwrap();
    assert_eq!(mapper.tcp(StreamId(0)).iter().map(|one| one.mapped.0).collect::<Vec<_>>(), [0, 1]);
    let error = mapper.the_tcp(StreamId(0)).unwrap_err().to_string();
    assert!(error.contains("may be 0 or 1 of twice, with 168 and 168 bits"), "{error}");
}

#[test]
fn a_crowd_that_shares_everything_is_not_compared_pair_by_pair() {
    const STREAMS: u16 = 5_000;
    let crowd = |last: u8| {
        let streams = (0..STREAMS).map(|port| made(port + 10_000, [1_000, 2_000]).translated(last, port + 10_000));
        streams.flat_map(|stream| stream.exchange(1)).collect::<Vec<_>>()
    };
    let (one, other) = (capture("one", &crowd(1)), capture("other", &crowd(9)));
    let mapper = Mapper::new(&one, &other).unwrap();
    // Nothing is left that tells them apart, and nobody is looked at.
    let looked_at = |mapper: &Mapper<'_>, which: Which| {
        let streams = &mapper.captures.get(which).tracking.streams;
        streams.iter().map(|stream| mapper.candidates(which, stream).len()).sum::<usize>()
    };
    assert_eq!(looked_at(&mapper, Which::First), 0);
    // With the same endpoints each has one candidate, not five thousand.
    let again = capture("again", &crowd(1));
    let mapper = Mapper::new(&one, &again).unwrap();
    assert_eq!(looked_at(&mapper, Which::First), usize::from(STREAMS));
    assert_eq!(looked_at(&mapper, Which::Second), usize::from(STREAMS));
}

#[test]
fn groups_that_share_much_cost_no_more_than_their_packets() {
    const GROUPS: u16 = 40;
    // As many streams in each as are looked at, all with the same numbers and clocks.
    let segments: Vec<Fields> = (0..GROUPS * 16)
        .map(|number| made(number + 10_000, [u32::from(number / 16) * 1_000_000, 5]))
        .flat_map(|stream| stream.exchange(20))
        .collect();
    let (one, other) = (capture("one", &segments), capture("other", &segments));
    let mapper = Mapper::new(&one, &other).unwrap();
    for stream in &one.tracking.streams {
        assert!(mapper.candidates(Which::First, stream).len() <= 16);
    }
}

#[test]
fn a_connection_of_very_many_subflows_is_mapped_without_trying_pairs() {
    const SUBFLOWS: u16 = 3_000;
    let token = derive(1, 0x2222).unwrap().token;
    let joins = |other: u32| {
        let joins = (0..SUBFLOWS).map(move |port| {
            let stream = made(port + 10_000, [u32::from(port) * 5 + other, 9]);
            with(stream.segment(true, flag::SYN, [0, 0], 0, port.into()), join(token, u32::from(port) + other))
        });
        joins.collect::<Vec<_>>()
    };
    let (one, other) = (capture("one", &joins(0)), capture("other", &joins(1_000_000)));
    let mapper = Mapper::new(&one, &other).unwrap();
    let found = mapper.the_mptcp(ConnectionId(0)).unwrap();
    assert!(found.certain);
    assert_eq!(found.subflows.len(), 2 * usize::from(SUBFLOWS));
    assert!(found.subflows.iter().all(|subflow| subflow.pair.is_none()));
    let itself = Mapper::new(&one, &one).unwrap().the_mptcp(ConnectionId(0)).unwrap();
    assert!(itself.subflows.iter().all(|subflow| subflow.tcpstream == subflow.mapped));
}

/// A packet with this option, and the key or token in it.
fn with(segment: Fields, control: Control) -> Fields {
    Fields { control: Some(Box::new(control)), ..segment }
}

fn capable(sender_key: Option<u64>, receiver_key: Option<u64>) -> Control {
    let capable = Capable { version: 1, sender_key, receiver_key, ..Capable::default() };
    Control { capable: Some(capable), subtypes: vec![subtype::MP_CAPABLE], ..Control::default() }
}

fn join(token: u32, nonce: u32) -> Control {
    let join = Join::Syn { backup: false, address_id: 1, token: Some(token), nonce: Some(nonce) };
    Control { join: Some(join), subtypes: vec![subtype::MP_JOIN], ..Control::default() }
}

/// A connection of an initial subflow and one that the server opened, [initial, joined].
fn connection(keys: [u64; 2]) -> [Vec<Fields>; 2] {
    let mut initial = made(40_000, [1_000, 2_000]).exchange(50);
    initial[1] = with(initial[1].clone(), capable(Some(keys[1]), None));
    initial[2] = with(initial[2].clone(), capable(Some(keys[0]), Some(keys[1])));
    let opened = Made { client: (address(2), 45_000), server: (address(1), 41_000), ..made(0, [3_000, 4_000]) };
    let mut joined = opened.exchange(50);
    joined[0] = with(joined[0].clone(), join(derive(1, keys[0]).unwrap().token, 77));
    [initial, joined]
}

#[test]
fn a_join_by_the_server_alone_is_proven_and_flipped() {
    let [initial, joined] = connection([0x1111, 0x2222]);
    let whole = capture("whole", &[initial, joined.clone()].concat());
    let part = capture("part", &joined);
    let found = Mapper::new(&whole, &part).unwrap().the_mptcp(ConnectionId(0)).unwrap();
    assert!(found.certain && found.flipped && found.score.is_infinite());
    let pairs: Vec<_> = found
        .subflows
        .iter()
        .map(|subflow| (subflow.tcpstream.map(|id| id.0), subflow.mapped.map(|id| id.0)))
        .collect();
    assert_eq!(pairs, [(Some(0), None), (Some(1), Some(0))]);
    assert!(Mapper::new(&part, &whole).unwrap().the_mptcp(ConnectionId(0)).unwrap().flipped);
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["score"], serde_json::Value::Null);
    assert_eq!(json["certain"], true);
}

#[test]
fn other_keys_are_another_connection_even_with_the_same_numbers() {
    let one = capture("one", &connection([0x1111, 0x2222]).concat());
    let other = capture("other", &connection([0x3333, 0x4444]).concat());
    let found = Mapper::new(&one, &other).unwrap().mptcp(ConnectionId(0));
    assert!(found.iter().all(|one| !one.certain), "{found:?}");
}

#[test]
fn a_connection_begun_late_is_found_by_its_mappings_behind_a_rewriting_translator() {
    let stream = Made { clocks: None, ..made(400, [1_000, 2_000]) };
    let mapped = |stream: Made| {
        let mut segments = stream.data(10, 40);
        for (number, segment) in (10..).zip(segments.iter_mut().filter(|segment| segment.payload == Some(BYTES))) {
            let mapping =
                Mapping { dsn: u64::from(number * BYTES) + 99, ssn: 1 + number * BYTES, length: 1000, checksum: None };
            segment.dss = Some(Dss { flags: Dss::MAPPING | Dss::DSN_8, data_ack: None, mapping: Some(mapping) });
        }
        segments
    };
    let rewritten = Made { isn: [3_000_000_000, 4_000_000_000], ..stream }.translated(9, 60_000);
    let (one, other) = (capture("one", &mapped(stream)), capture("other", &mapped(rewritten)));
    let found = Mapper::new(&one, &other).unwrap().the_mptcp(ConnectionId(0)).unwrap();
    assert!(!found.certain && found.flipped && found.score >= 64.0, "{found:?}");
    assert_eq!(found.subflows[0].pair, Some(StreamPair { first: StreamId(0), second: StreamId(0), flipped: true }));
}
