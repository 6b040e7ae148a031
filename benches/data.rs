//! Time per packet of tracking and of the data level, for a long connection and for one four times as long: it must
//! not grow. `cargo bench --profile dev --bench data`

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mptcpanalyzer::packets::segment::{Dss, Segment, flag};
use mptcpanalyzer::packets::tshark::{self, Request};
use mptcpanalyzer::tracking::data::data_level;
use mptcpanalyzer::tracking::{Capture, Role, Tracking, track};

/// Each figure is the least of this many runs.
const RUNS: usize = 7;

fn main() {
    let path = recording();
    let capture = load(&path);
    let once = capture.segments.to_vec();
    let four = prolonged(&capture, 4);
    println!("{}", path.display());
    println!("{:>10}  {:>16}  {:>22}", "packets", "track, ns/packet", "data level, ns/packet");
    let [one, four] = [&once, &four].map(|segments| {
        let (tracking, data) = measure(segments);
        println!("{:>10}  {tracking:>16.0}  {data:>22.0}", segments.len());
        (tracking, data)
    });
    println!("{:>10}  {:>16.2}  {:>22.2}", "ratio", four.0 / one.0, four.1 / one.1);
}

/// The yardstick where it lies beside the project, the shipped example otherwise.
fn recording() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let yardstick = project.join("../shared/captures/15_bulk/client.pcapng");
    if yardstick.exists() { yardstick } else { project.join("examples/client.pcapng") }
}

fn load(path: &Path) -> Capture {
    let tshark = tshark::probe(Path::new("tshark"), None).expect("tshark is installed");
    let request = Request { profile: None, extra_fields: &[], expected_frames: None, progress: false };
    let dissection = tshark::dissect(&tshark, path, &request).expect("the capture can be dissected");
    Capture::new(path.to_path_buf(), dissection).expect("the capture can be tracked")
}

/// Nanoseconds per packet of tracking and of the data level of all connections.
fn measure(segments: &[Segment]) -> (f64, f64) {
    let least = |work: &dyn Fn() -> Duration| {
        let shortest = (0..RUNS).map(|_| work()).min().unwrap_or_default();
        shortest.as_nanos() as f64 / segments.len() as f64
    };
    let tracking = track(segments);
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    let tracked = least(&|| time(&|| drop(std::hint::black_box(track(segments)))));
    let data = least(&|| {
        time(&|| {
            for connection in &tracking.connections {
                std::hint::black_box(data_level(segments, &tracking, connection));
            }
        })
    });
    (tracked, data)
}

/// How far numbers move from one repetition to the next.
struct Spans {
    /// Octets of each stream and direction.
    subflow: HashMap<(u32, Role), u64>,
    /// Octets of data of each connection and direction.
    data: HashMap<(u32, Role), u64>,
    time: i64,
}

/// The same transfer `times` times over in the same connections: numbers and times go on where they ended, and only
/// the first repetition has handshakes, only packets with data or acknowledgements are repeated.
fn prolonged(capture: &Capture, times: u64) -> Vec<Segment> {
    let (segments, tracking) = (&capture.segments, &capture.tracking);
    let spans = spans(segments, tracking);
    let goes_on = |segment: &Segment| {
        let fin = segment.dss.is_some_and(|dss| dss.has(Dss::DATA_FIN));
        segment.control.is_none() && !fin && segment.flags & (flag::SYN | flag::FIN | flag::RST) == 0
    };
    let mut long: Vec<Segment> = Vec::new();
    for repetition in 0..times {
        for (row, segment) in segments.iter().enumerate() {
            let opens = segment.control.is_some() && segment.flags & (flag::FIN | flag::RST) == 0;
            if goes_on(segment) || repetition == 0 && opens {
                let moved = moved(segment, row, tracking, &spans, repetition);
                long.push(Segment { packetid: long.len() as u64 + 1, ..moved });
            }
        }
    }
    check(segments, tracking, &long, times);
    long
}

fn spans(segments: &[Segment], tracking: &Tracking) -> Spans {
    let mut spans = Spans { subflow: HashMap::new(), data: HashMap::new(), time: 0 };
    let times = || segments.iter().map(|segment| segment.abstime);
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
fn moved(segment: &Segment, row: usize, tracking: &Tracking, spans: &Spans, repetition: u64) -> Segment {
    let packet = &tracking.packets[row];
    let Some(subflow) = tracking.subflow(packet.stream) else { return segment.clone() };
    let towards = Tracking::mptcp_towards(subflow, tracking.streams[packet.stream as usize].towards(packet));
    let subflow_span = |role: Role| repetition * spans.subflow[&(subflow.stream, role)];
    let data_span = |role: Role| repetition * spans.data[&(subflow.connection, role)];
    let mut moved = segment.clone();
    moved.abstime += spans.time * repetition as i64;
    moved.sequence = moved.sequence.wrapping_add(subflow_span(towards) as u32);
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
fn check(segments: &[Segment], tracking: &Tracking, long: &[Segment], times: u64) {
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
