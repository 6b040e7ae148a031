use std::net::{IpAddr, Ipv4Addr};

use super::*;
use crate::PacketRow;
use crate::StreamId;
use crate::analysis::events::EventKind;
use crate::packets::segment::{Dss, Fields};
use crate::tracking::Role;
use crate::tracking::streams::OpenStream;

fn offer(next: u64, window: u64, stream: StreamId) -> Offer {
    Offer { level: WindowLevel::Data, next, window: Some(window), stream }
}

/// A window of a sender that sends segments of 1000 bytes.
fn window(offers: &[Offer]) -> ReceiveWindow {
    let mut window = ReceiveWindow::default();
    window.sends(1000);
    offers.iter().for_each(|offer| window.offers(*offer));
    window
}

#[test]
fn the_furthest_edge_holds_for_all_subflows() {
    // RFC 8684 §3.3.4: the window is shared; a late ACK of a slow subflow takes nothing back.
    let held =
        window(&[offer(1001, 9000, StreamId(0)), offer(2001, 9000, StreamId(1)), offer(1501, 8500, StreamId(0))]);
    assert_eq!((held.offered(), held.room(4001)), (Some(9000), Some(7000)));
    // Not newer than what the other subflow told, and less: which was sent first is not known.
    let held = window(&[offer(1001, 9000, StreamId(0)), offer(1001, 500, StreamId(1))]);
    assert_eq!((held.offered(), held.is_shut()), (Some(9000), false));
}

#[test]
fn the_newest_offer_may_say_that_there_is_no_room() {
    let full = window(&[offer(1001, 2000, StreamId(0)), offer(2001, 1000, StreamId(0)), offer(3001, 0, StreamId(0))]);
    assert!(full.is_shut() && full.has_all(3001) && !full.has_all(3002));
    // A receiver that takes back what it had offered, and an older packet that comes late.
    let shrunk =
        window(&[offer(1001, 60_000, StreamId(0)), offer(2001, 0, StreamId(0)), offer(1501, 59_500, StreamId(1))]);
    assert_eq!((shrunk.is_shut(), shrunk.room(2001)), (true, Some(0)));
    let opened =
        window(&[offer(1001, 60_000, StreamId(0)), offer(2001, 0, StreamId(0)), offer(2001, 5000, StreamId(1))]);
    assert_eq!((opened.is_shut(), opened.offered()), (false, Some(5000)));
}

#[test]
fn room_for_less_than_a_segment_is_none() {
    assert!(window(&[offer(1001, 500, StreamId(0))]).is_shut());
    assert!(!window(&[offer(1001, 1000, StreamId(0))]).is_shut());
    // What offloading put together is not a segment.
    let mut held = window(&[offer(1001, 2000, StreamId(0))]);
    held.sends(64_000);
    assert_eq!((held.full(), held.is_shut()), (1460, false));
}

#[test]
fn a_window_without_its_scale_is_only_known_to_be_zero() {
    let unknown = |next| Offer { window: None, ..offer(next, 0, StreamId(0)) };
    assert_eq!(window(&[unknown(1001)]).offered(), None);
    let held = window(&[unknown(1001), offer(2001, 0, StreamId(0))]);
    assert!(held.is_shut());
    let held = window(&[unknown(1001), offer(2001, 0, StreamId(0)), unknown(2001)]);
    assert!(!held.is_shut());
    assert_eq!(held.room(9001), None);
}

/// A packet of 192.0.2.1 or of the other end.
fn packet(by_client: bool, sequence: u32, acknowledgement: u32, payload: u32, window: u16) -> Fields {
    let ends = [IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1))];
    let (source, destination) = if by_client { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
    let (source_port, destination_port) = if by_client { (40_000, 80) } else { (80, 40_000) };
    Fields {
        flags: flag::ACK,
        window,
        sequence,
        acknowledgement,
        payload: Some(payload),
        ..Fields::between((source, source_port), (destination, destination_port))
    }
}

fn with_data_ack(segment: Fields, data_ack: u64) -> Fields {
    Fields { dss: Some(Dss { flags: Dss::DATA_ACK, data_ack: Some(data_ack), mapping: None }), ..segment }
}

/// What the gates tell of packets that come one after the other, the handshake before them.
fn told(packets: &[Fields]) -> Vec<(usize, EventKind, String)> {
    let syn = Fields { flags: flag::SYN, ..packet(true, 0, 0, 0, 0) };
    let syn_ack = Fields { flags: flag::SYN | flag::ACK, ..packet(false, 0, 1, 0, 0) };
    let mut stream = OpenStream::new(syn.ends());
    let mut gates = Gates::default();
    let mut push = |fields: &Fields| {
        let by_client = fields.source_port == 40_000;
        let segment = Segment::alone(fields.clone());
        let packet = stream.push(StreamId(0), PacketRow(0), &segment, by_client);
        gates.push(&segment, &packet, if by_client { Role::Server } else { Role::Client })
    };
    for fields in [&syn, &syn_ack] {
        assert_eq!(push(fields), None, "windows of SYNs are about another time");
    }
    let mut found = Vec::new();
    for (index, fields) in packets.iter().enumerate() {
        found.extend(push(fields).map(|(kind, detail)| (index, kind, detail)));
    }
    found
}

#[test]
fn a_window_that_shuts_and_opens_is_told_once_each() {
    let data = |sequence: u32| packet(true, sequence, 1, 1000, 60_000);
    let said = |data_ack: u64, window: u16| with_data_ack(packet(false, 1, 1, 0, window), data_ack);
    let events = told(&[
        data(1),
        said(0xffff_ff00, 2000),
        data(1001),
        // The DATA_ACK of 32 bits begins again.
        said(0x0000_02e8, 1000),
        said(0x0000_06d0, 0),
        said(0x0000_06d0, 0),
        said(0x0000_06d0, 999),
        said(0x0000_06d0, 1000),
    ]);
    assert_eq!(
        events,
        [
            (4, EventKind::ZeroWindow, "the receive window of the server is 0".to_string()),
            (7, EventKind::WindowOpen, "the receive window of the server opens to 1000".to_string()),
        ]
    );
}

#[test]
fn a_window_that_narrows_before_it_is_zero_is_told_twice() {
    let said = |data_ack: u64, window: u16| with_data_ack(packet(false, 1, 1, 0, window), data_ack);
    let events =
        told(&[packet(true, 1, 1, 1000, 9), said(1001, 900), said(1901, 0), said(1901, 500), said(1901, 4000)]);
    let kinds: Vec<(usize, EventKind)> = events.iter().map(|(index, kind, _)| (*index, *kind)).collect();
    assert_eq!(kinds, [(1, EventKind::ZeroWindow), (2, EventKind::ZeroWindow), (4, EventKind::WindowOpen)]);
    assert_eq!(events[0].2, "the receive window of the server is 900, less than a segment of 1000");
}

#[test]
fn after_a_fallback_the_window_counts_from_the_acknowledgement_number() {
    let data = |sequence: u32| packet(true, sequence, 1, 1000, 60_000);
    let plain = |acknowledgement: u32, window: u16| packet(false, 1, acknowledgement, 0, window);
    let events = told(&[
        data(1),
        with_data_ack(plain(1001, 3000), 77),
        // One packet without an option may be MPTCP's all the same.
        plain(1001, 0),
        data(1001),
        plain(2001, 3000),
        data(2001),
        plain(3001, 0),
        plain(3001, 5000),
    ]);
    let kinds: Vec<(usize, EventKind)> = events.iter().map(|(index, kind, _)| (*index, *kind)).collect();
    assert_eq!(kinds, [(6, EventKind::ZeroWindow), (7, EventKind::WindowOpen)]);
}

#[test]
fn nobody_minds_a_window_after_the_last_data() {
    let fin = Fields {
        dss: Some(Dss { flags: Dss::DATA_FIN, data_ack: None, mapping: None }),
        ..packet(true, 1001, 1, 0, 60_000)
    };
    let said = |data_ack: u64, window: u16| with_data_ack(packet(false, 1, 1001, 0, window), data_ack);
    let reset = Fields { flags: flag::RST | flag::ACK, ..said(1001, 0) };
    assert_eq!(told(&[packet(true, 1, 1, 1000, 9), said(1001, 5000), reset, fin, said(1002, 0)]), []);
}
