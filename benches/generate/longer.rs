//! The same connections, many times as long.

use std::collections::HashMap;

use mptcp_trace::packets::segment::{Dss, Fields, SackBlocks, Segment, Segments, flag};
use mptcp_trace::tracking::data::data_level;
use mptcp_trace::tracking::{Capture, Role, Tracking, track};
use mptcp_trace::{ConnectionId, Span, StreamId};

/// How far numbers move from one repetition to the next.
struct Spans {
    /// Bytes of each stream and direction.
    subflow: HashMap<(StreamId, Role), u64>,
    /// Bytes of data of each connection and direction.
    data: HashMap<(ConnectionId, Role), u64>,
    time: i64,
}

/// The same transfer `times` times over in the same connections: numbers and times go on where they ended, and only
/// the first repetition has handshakes, only packets with data or acknowledgements are repeated.
pub fn prolonged(capture: &Capture, times: u64) -> impl Iterator<Item = Fields> {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    let spans = spans(segments, tracking);
    let goes_on = |segment: &Segment| {
        let fin = segment.dss().is_some_and(|dss| dss.has(Dss::DATA_FIN));
        segment.control().is_none() && !fin && segment.flags() & (flag::SYN | flag::FIN | flag::RST) == 0
    };
    let repeated = (0..times).flat_map(move |repetition| (0..segments.len()).map(move |row| (repetition, row)));
    let kept = repeated.filter(move |(repetition, row)| {
        let segment = &segments[*row];
        let opens = (segment.control().is_some() || segment.flags() & flag::SYN != 0)
            && segment.flags() & (flag::FIN | flag::RST) == 0;
        goes_on(segment) || *repetition == 0 && opens
    });
    let moved = kept.map(move |(repetition, row)| moved(segments, row, tracking, &spans, repetition));
    (1..).zip(moved).map(|(packetid, segment)| Fields { packetid, ..segment })
}

fn spans(segments: &[Segment], tracking: &Tracking) -> Spans {
    let mut spans = Spans { subflow: HashMap::new(), data: HashMap::new(), time: 0 };
    let times = || segments.iter().map(|segment| segment.abstime.nanoseconds());
    spans.time = times().max().unwrap_or(0) - times().min().unwrap_or(0) + 1_000_000;
    for connection in &tracking.connections {
        let level = data_level(segments, tracking, connection);
        for role in Role::BOTH {
            let direction = level.directions.get(role);
            spans.data.insert((connection.id, role), direction.goodput);
            for (stream, volume) in connection.subflows.iter().zip(&direction.subflows) {
                spans.subflow.insert((*stream, role), volume.throughput - volume.retransmitted);
            }
        }
    }
    spans
}

/// A packet as it would be `repetition` transfers later.
fn moved(segments: &Segments, row: usize, tracking: &Tracking, spans: &Spans, repetition: u64) -> Fields {
    let segment = &segments[row];
    let mut moved = segment.fields(segments.ends(segment));
    let packet = &tracking.packets.as_slice()[row];
    let Some(subflow) = tracking.subflow(packet.stream) else { return moved };
    let towards = Tracking::mptcp_towards(subflow, tracking.stream(packet.stream).unwrap().towards(packet));
    let subflow_span = |role: Role| repetition * spans.subflow[&(subflow.stream, role)];
    let data_span = |role: Role| repetition * spans.data[&(subflow.connection, role)];
    moved.abstime += Span::from_nanoseconds(spans.time) * repetition as i64;
    moved.sequence = moved.sequence.wrapping_add(subflow_span(towards) as u32);
    let mut sack = SackBlocks::default();
    for (left, right) in segment.sack() {
        let span = subflow_span(towards.other()) as u32;
        sack.push(left.wrapping_add(span), right.wrapping_add(span));
    }
    moved.sack = sack;
    moved.acknowledgement = moved.acknowledgement.wrapping_add(subflow_span(towards.other()) as u32);
    if let Some(dss) = &mut moved.dss {
        let add = |number: u64, span: u64, wide: bool| {
            let sum = number.wrapping_add(span);
            if wide { sum } else { sum & 0xffff_ffff }
        };
        let (wide_ack, wide_dsn) = (dss.has(Dss::DATA_ACK_8), dss.has(Dss::DSN_8));
        dss.data_ack = dss.data_ack.map(|number| add(number, data_span(towards.other()), wide_ack));
        if let Some(mapping) = &mut dss.mapping {
            mapping.dsn = add(mapping.dsn, data_span(towards), wide_dsn);
            mapping.ssn = mapping.ssn.wrapping_add(subflow_span(towards) as u32);
        }
    }
    moved
}

/// The long transfer is one of the same connections with that many times the data.
pub fn check(capture: &Capture, long: &Segments, times: u64) {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    let longer = track(long);
    assert_eq!(longer.connections.len(), tracking.connections.len());
    for (connection, long_connection) in tracking.connections.iter().zip(&longer.connections) {
        let data = data_level(segments, tracking, connection).directions;
        let long_data = data_level(long, &longer, long_connection).directions;
        for role in Role::BOTH {
            let (data, long_data) = (data.get(role).goodput, long_data.get(role).goodput);
            // What travelled in packets that are not repeated: the handshakes and the end.
            let missing = (times * data).saturating_sub(long_data);
            assert!(long_data <= times * data && missing * 100 <= times * data, "{long_data} of {data} x {times}");
        }
    }
}
