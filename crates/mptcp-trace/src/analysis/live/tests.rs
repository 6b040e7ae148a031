use std::net::Ipv4Addr;

use super::*;
use crate::packets::segment::{Capable, Control, Dss, Fields, Join, flag, subtype};
use crate::time::short::{at, ns};
use crate::{ConnectionId, Instant, Span, StreamId};

/// A packet from one address to another, at a time in nanoseconds.
fn packet(abstime: i64, (source, source_port): (u32, u16), destination: (u32, u16), flags: u16) -> Fields {
    Fields {
        abstime: at(abstime),
        flags,
        window: 1000,
        sequence: 100,
        acknowledgement: 1,
        ..Fields::between(
            (Ipv4Addr::from(source).into(), source_port),
            (Ipv4Addr::from(destination.0).into(), destination.1),
        )
    }
}

fn capable(version: u8, sender_key: Option<u64>) -> Option<Box<Control>> {
    let capable = Capable { version, sender_key, ..Capable::default() };
    Some(Box::new(Control { capable: Some(capable), subtypes: vec![subtype::MP_CAPABLE], ..Control::default() }))
}

const CLIENT: (u32, u16) = (0x0a00_0001, 40_000);
const SERVER: (u32, u16) = (0x0a00_0002, 80);

fn happenings(live: &mut Live) -> Vec<(u32, u32, EventKind)> {
    let news = live.take_news().into_iter();
    let happening = |news| match news {
        News::Happening(it) => Some((it.mptcpstream.0, it.event.tcpstream.0, it.event.event)),
        News::Rates(_) => None,
    };
    news.filter_map(happening).collect()
}

/// Pushes a packet of a capture that began at 0.
fn push(live: &mut Live, packet: Fields) {
    let ends = packet.ends();
    live.push(&Segment::alone(packet), ends, at(0));
}

/// Opens connection 0 on stream 0.
fn opened(live: &mut Live) {
    push(live, Fields { control: capable(1, None), ..packet(0, CLIENT, SERVER, flag::SYN) });
    assert_eq!(happenings(live), [], "the connection is not known before the server's key");
    let answer = packet(1, SERVER, CLIENT, flag::SYN | flag::ACK);
    push(live, Fields { control: capable(1, Some(7)), sequence: 500, acknowledgement: 101, ..answer });
    assert_eq!(happenings(live), [(0, 0, EventKind::MpCapable), (0, 0, EventKind::MpCapable)]);
    let ack = packet(2, CLIENT, SERVER, flag::ACK);
    push(live, Fields { control: capable(1, Some(3)), sequence: 101, acknowledgement: 501, ..ack });
    assert_eq!(happenings(live), [(0, 0, EventKind::Established)]);
    let data = packet(3, SERVER, CLIENT, flag::ACK);
    push(live, Fields { sequence: 501, acknowledgement: 101, dss: Some(Dss::default()), ..data });
}

#[test]
fn a_flood_of_syns_neither_grows_nor_pushes_connections_out_nor_slows_down() {
    const FLOOD: u32 = 600_000;
    let mut live = Live::new(Span::from_seconds(1));
    opened(&mut live);
    let mut took = Vec::new();
    for part in 0..4 {
        let started = std::time::Instant::now();
        for number in part * FLOOD / 4..(part + 1) * FLOOD / 4 {
            // Each from another address, each with a key of its own, as version 0 has it: a connection.
            let from = (0xc000_0000 + number, 1024);
            let syn = packet(4, from, SERVER, flag::SYN);
            push(&mut live, Fields { control: capable(0, Some(number.into())), ..syn });
            // The news would be written and gone.
            live.news.clear();
        }
        took.push(started.elapsed());
    }
    assert!(live.table.held() <= MOST_ATTEMPTS + 3, "{} streams", live.table.held());
    assert!(live.connections.len() <= MOST_ATTEMPTS + 3, "{} connections", live.connections.len());
    assert!(live.registry.tokens() <= 4 * (MOST_STREAMS + MOST_ATTEMPTS) + 2, "{} tokens", live.registry.tokens());
    assert!(took[3] < took[0] * 4 + std::time::Duration::from_millis(200), "{took:?}");
    assert_eq!(u64::from(live.totals.streams), u64::from(FLOOD) + 1);

    // A subflow still finds its connection: the token is the server's, of key 7.
    let token = crate::tracking::token::derive(1, 7).unwrap().token;
    let join = Join::Syn { backup: false, address_id: 2, token: Some(token), nonce: Some(1) };
    let control = Control { join: Some(join), subtypes: vec![subtype::MP_JOIN], ..Control::default() };
    let syn = packet(5, (0x0a00_0003, 1), SERVER, flag::SYN);
    push(&mut live, Fields { control: Some(Box::new(control)), ..syn });
    assert_eq!(happenings(&mut live), [(0, FLOOD + 1, EventKind::MpJoin)]);
}

#[test]
fn reused_ports_are_a_new_stream() {
    let mut live = Live::new(Span::from_seconds(1));
    opened(&mut live);
    let again = packet(4, CLIENT, SERVER, flag::SYN);
    push(&mut live, Fields { control: capable(0, Some(9)), sequence: 9000, ..again });
    assert_eq!(happenings(&mut live), [(1, 1, EventKind::MpCapable)]);
    assert_eq!((live.table.held(), live.connections.len()), (1, 1), "the first stream and its connection are gone");
}

#[test]
fn what_is_hostile_in_one_stream_stays_small() {
    let mut live = Live::new(Span::from_seconds(1));
    opened(&mut live);
    for number in 0..200_000_u32 {
        // Data with a gap before each byte, never in order, and mappings of nothing.
        let sequence = 600_u32.wrapping_add(number.wrapping_mul(2_654_435_761) & 0x00ff_fffe);
        let data = packet(5 + i64::from(number), SERVER, CLIENT, flag::ACK);
        push(&mut live, Fields { sequence, acknowledgement: 101, payload: Some(1), ..data });
    }
    live.finish();
    assert!(live.news.len() < 10, "{} news", live.news.len());
    assert_eq!((live.table.held(), live.connections.len()), (0, 0));
}

#[test]
fn windows_lie_side_by_side_from_the_first_frame() {
    let mut windows = Windows::new(ns(10));
    let one = |bytes| Amount { packets: 1, bytes, again: 0 };
    // The first frame came at 3: windows end at 13, 23, 33, …
    assert_eq!(windows.advance(at(4), at(3)), None);
    windows.subflow(StreamId(5), ConnectionId(1), Role::Server, one(100));
    windows.subflow(StreamId(5), ConnectionId(1), Role::Server, one(20));
    assert_eq!(windows.advance(at(12), at(3)), None);
    windows.subflow(StreamId(6), ConnectionId(1), Role::Client, one(7));
    windows.plain(Role::Client, one(1));
    // The window from 13 to 23 has nothing, and is not told of.
    let first = windows.advance(at(23), at(3)).unwrap();
    assert_eq!((first.end, windows.end()), (at(13), Some(at(33))));
    let lines: Vec<_> = first.lines().map(|(of, it)| (of, it.server.bytes, it.client.bytes)).collect();
    assert_eq!(
        lines,
        [
            (Of::Connection(ConnectionId(1), 2), 120, 7),
            (Of::Subflow(ConnectionId(1), StreamId(5)), 120, 0),
            (Of::Subflow(ConnectionId(1), StreamId(6)), 0, 7),
            (Of::Plain, 0, 1)
        ]
    );
    let record = &first.records(at(3))[2];
    assert_eq!((record.tcpstream, record.towards, record.packets), (Some(StreamId(5)), Role::Server, 2));
    // 120 bytes in 10 ns.
    assert_eq!((record.throughput, record.reltime), (12e9, 10e-9));
    assert_eq!(windows.close(), None, "nothing came since");
    // Clocks that jump do no harm.
    for time in [Instant::MIN, Instant::MAX, at(0)] {
        let _ = windows.advance(time, at(3));
        windows.plain(Role::Server, one(1));
    }
}
