//! Both passes over the data of a connection in one, by one thread or two, or one after the other: packets carry the same
//! data.

use std::path::{Path, PathBuf};

use mptcp_trace::packets::frames::Frame;
use mptcp_trace::packets::segment::{Dss, Fields, Mapping, flag};
use mptcp_trace::packets::{Builder, CaptureFacts, Dissection};
use mptcp_trace::tracking::data::{Acknowledgement, DataPacket, Direction, Laden, Mappings, Observer, SentRange};
use mptcp_trace::tracking::{ByRole, Capture, Connection};
use mptcp_trace::{Instant, PacketRow, Span};

/// What each packet carries.
#[derive(Default, PartialEq, Debug)]
struct Carried(Vec<(PacketRow, Vec<SentRange>, Option<Acknowledgement>)>);

impl Observer for Carried {
    fn see(&mut self, laden: &Laden<'_, '_>) {
        self.0.push((laden.packet.row, laden.sent.to_vec(), laden.acknowledged));
    }
}

fn captures(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_capture = |path: &Path| {
            let name = path.to_string_lossy();
            name.ends_with(".pcap") || name.ends_with(".pcapng")
        };
        match path.is_dir() {
            true => found.extend(captures(&path)),
            false if is_capture(&path) => found.push(path),
            false => {}
        }
    }
    found.sort();
    found
}

/// Shows `look` each connection of each capture at hand; false where there are none.
fn each_connection(mut look: impl FnMut(&str, &Capture, &Connection)) -> bool {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures");
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let found: Vec<PathBuf> = [root, shared].iter().flat_map(|folder| captures(folder)).collect();
    if found.is_empty() {
        eprintln!("skipped: the captures are not part of the package");
        return false;
    }
    let mut connections = 0;
    for path in found {
        let Ok(capture) = Capture::open(&path) else { continue };
        for connection in capture.tracking.whole_connections() {
            look(&format!("{}: connection {}", path.display(), connection.id), &capture, connection);
            connections += 1;
        }
    }
    assert!(connections > 50, "{connections} connections");
    true
}

#[test]
fn one_pass_tells_what_two_tell() {
    each_connection(|name, capture, connection| {
        let (segments, tracking) = (&capture.segments, &capture.tracking);
        let (_, at_once, seen) = Mappings::walked(segments, tracking, connection, Carried::default);
        let mut carried = Carried::default();
        let two = Mappings::of(segments, tracking, connection).walk(|laden| carried.see(laden));
        assert_eq!(seen, carried, "{name}");
        let told = |directions: &ByRole<Direction>| format!("{directions:?}");
        assert_eq!(told(&at_once), told(&two), "{name}");
    });
}

/// What a packet was the first to carry, with the packet.
type Fresh = (String, Vec<(u64, u64)>);

#[test]
fn one_pass_tells_who_was_first_as_two_do() {
    let mut at_once_at_all = 0;
    let any = each_connection(|name, capture, connection| {
        let (segments, tracking) = (&capture.segments, &capture.tracking);
        let told = |packet: &DataPacket<'_>| (format!("{packet:?}"), packet.fresh.to_vec());
        let courses = std::cell::Cell::new(0);
        let course = |first| {
            courses.set(courses.get() + 1);
            (first, Vec::<Fresh>::new())
        };
        let ((first, seen), misplaced) =
            Mappings::carried_at_once(segments, tracking, connection, course, |course, packet| {
                course.1.push(told(packet));
            });
        let mappings = Mappings::of(segments, tracking, connection);
        let mut carried = Vec::new();
        assert_eq!(misplaced, mappings.carried(|packet| carried.push(told(packet))), "{name}");
        assert_eq!(seen, carried, "{name}");
        assert_eq!(first, mappings.first(), "{name}");
        at_once_at_all += usize::from(courses.get() == 1);
    });
    assert!(!any || at_once_at_all > 50, "{at_once_at_all} connections took one pass");
}

#[test]
fn streams_last_from_their_earliest_packet_to_their_latest() {
    each_connection(|name, capture, connection| {
        for id in &connection.subflows {
            let Some(stream) = capture.tracking.stream(*id) else { continue };
            let times = || stream.packets.iter().map(|row| capture.segments[row.index()].abstime);
            assert_eq!(capture.span_of(stream), times().min().zip(times().max()), "{name}, stream {id}");
        }
    });
}

/// A long connection over two subflows: the data come in order, late, and again on either of them.
fn long(packets: usize) -> Capture {
    let mut builder = Builder::default();
    let mut number = 0_u64;
    let mut push = |from_client: bool, subflow: u8, change: &dyn Fn(&mut Fields)| {
        let (client, server) = (([10, 0, subflow, 1].into(), 40_000), ([10, 0, 9, 1].into(), 80));
        let ends = if from_client { (client, server) } else { (server, client) };
        let mut fields = Fields::between(ends.0, ends.1);
        number += 1;
        fields.packetid = number;
        fields.abstime = Instant::EPOCH + Span::from_milliseconds(i64::try_from(number).unwrap());
        fields.flags = flag::ACK;
        (fields.sequence, fields.acknowledgement, fields.window) = (1000, 5000, 60_000);
        change(&mut fields);
        builder.push(&Frame::default(), fields);
    };
    for subflow in 0..2 {
        push(true, subflow, &|fields| (fields.flags, fields.sequence) = (flag::SYN, 999));
        push(false, subflow, &|fields| {
            (fields.flags, fields.sequence, fields.acknowledgement) = (flag::SYN | flag::ACK, 4999, 1000);
        });
    }
    let base = 0x1234_5678_0000_0000_u64;
    let (mut sent, mut random) = ([0_u32; 2], 7_u32);
    let mut next = 0_u64;
    for step in 0..packets / 2 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let subflow = u8::from(random >> 20 & 3 == 0);
        let place = &mut sent[usize::from(subflow)];
        // Now and then data that went before: under the same numbers, or under new ones.
        let (at, dsn) = match random >> 24 {
            0..8 if *place > 5 => (*place - 3, None),
            8..16 if next > 20 => (*place, Some(next - 1 - u64::from(random >> 8 & 15))),
            _ => (*place, Some(next)),
        };
        let dsn = dsn.map(|dsn| base + dsn * 100);
        if at == *place {
            *place += 1;
            next += u64::from(dsn == Some(base + next * 100));
        }
        push(true, subflow, &|fields| {
            fields.sequence = 1000 + at * 100;
            fields.payload = Some(100);
            let mapping = dsn.map(|dsn| Mapping { dsn, ssn: 1 + at * 100, length: 100, checksum: None });
            fields.dss = mapping.map(|mapping| Dss {
                flags: Dss::DATA_ACK | Dss::DATA_ACK_8 | Dss::MAPPING | Dss::DSN_8,
                data_ack: Some(base * 2),
                mapping: Some(mapping),
            });
        });
        let acknowledged = 1000 + *place * 100;
        push(false, subflow, &|fields| {
            (fields.sequence, fields.acknowledgement) = (5000, acknowledged);
            let data_ack = Some(base + (step as u64).min(next) * 100);
            fields.dss = Some(Dss { flags: Dss::DATA_ACK | Dss::DATA_ACK_8, data_ack, mapping: None });
        });
    }
    let dissection = Dissection { packets: builder.finish(), facts: CaptureFacts::default() };
    Capture::new(PathBuf::from("long"), dissection).unwrap()
}

#[test]
fn two_threads_tell_what_one_tells() {
    let capture = long(80_000);
    let mut again = 0;
    for connection in capture.tracking.whole_connections() {
        let (segments, tracking) = (&capture.segments, &capture.tracking);
        let (_, at_once, seen) = Mappings::walked(segments, tracking, connection, Carried::default);
        assert!(seen.0.len() > 10_000, "{} packets", seen.0.len());
        let mut carried = Carried::default();
        let two = Mappings::of(segments, tracking, connection).walk(|laden| carried.see(laden));
        assert!(seen == carried, "connection {}", connection.id);
        assert_eq!(format!("{at_once:?}"), format!("{two:?}"));
        again += two.server.subflows.iter().map(|subflow| subflow.reinjected + subflow.resent).sum::<u64>();
    }
    assert!(again > 100_000, "{again} bytes sent again");
}

/// A payload over 2,000 mappings of a byte each, which the path copies 400 times.
#[test]
fn copies_of_a_payload_over_many_mappings_are_not_all_taken_apart() {
    const MAPPINGS: u32 = 2000;
    const COPIES: u32 = 400;
    let mut builder = Builder::default();
    let mut push = |from_client: bool, identification: u16, change: &dyn Fn(&mut Fields)| {
        let (client, server) = (([10, 0, 0, 1].into(), 40_000), ([10, 0, 0, 2].into(), 80));
        let ends = if from_client { (client, server) } else { (server, client) };
        let mut fields = Fields::between(ends.0, ends.1);
        (fields.flags, fields.sequence, fields.acknowledgement, fields.window) = (flag::ACK, 1000, 5000, 60_000);
        change(&mut fields);
        builder.push(&Frame { ip_id: Some(identification), ..Frame::default() }, fields);
    };
    push(true, 0, &|fields| (fields.flags, fields.sequence) = (flag::SYN, 999));
    push(false, 0, &|fields| (fields.flags, fields.sequence) = (flag::SYN | flag::ACK, 4999));
    for at in 0..MAPPINGS {
        push(true, u16::try_from(at).unwrap() + 1, &|fields| {
            (fields.sequence, fields.payload) = (1000 + at, Some(1));
            // Every other byte of data: neighbours would be one mapping.
            let mapping = Mapping { dsn: 1 << 40 | u64::from(2 * at), ssn: 1 + at, length: 1, checksum: None };
            fields.dss = Some(Dss { flags: Dss::MAPPING | Dss::DSN_8, data_ack: None, mapping: Some(mapping) });
        });
    }
    for _ in 0..=COPIES {
        push(true, 60_000, &|fields| fields.payload = Some(MAPPINGS));
    }
    let dissection = Dissection { packets: builder.finish(), facts: CaptureFacts::default() };
    let capture = Capture::new(PathBuf::from("copied"), dissection).unwrap();
    let connection = capture.tracking.whole_connections().next().unwrap();
    let (_, directions, seen) = Mappings::walked(&capture.segments, &capture.tracking, connection, Carried::default);
    let copied: u64 = directions.server.subflows.iter().map(|subflow| subflow.duplicated_packets).sum();
    assert_eq!(copied, u64::from(COPIES), "copies made by the path");
    let parts: usize = seen.0.iter().map(|(_, sent, _)| sent.len()).sum();
    assert!(parts < 110_000, "{parts} parts instead of some 2,000 each time");
}
