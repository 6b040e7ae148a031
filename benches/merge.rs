//! Time and memory to put two captures together, for a long transfer and for one twice as long: time per packet must
//! not grow. And what a later question about the same two takes. `cargo bench --profile dev --bench merge`

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use mptcp_trace::analysis::clock::clock;
use mptcp_trace::analysis::mapping::{Mapper, StreamPair};
use mptcp_trace::analysis::merge::merge;
use mptcp_trace::packets::Builder;
use mptcp_trace::packets::Dissection;
use mptcp_trace::packets::frames::Frame;
use mptcp_trace::packets::segment::{Fields, flag};
use mptcp_trace::tracking::Capture;
use mptcp_trace::{ConnectionId, PacketRow, Span};
use mptcpanalyzer::packets::LoadedCapture;
use mptcpanalyzer::packets::tshark::{self, TsharkRequest};

/// Each figure is the least of this many runs.
const RUNS: usize = 5;

fn main() {
    let [client, server] = ["client", "server"].map(|end| load(&recording(end)));
    println!("{}", client.path.display());
    println!("{:>14}  {:>10}  {:>10}  {:>12}", "packets", "merge, s", "ns/packet", "peak, B/packet");
    let once = measure(&client, &server);
    let [client, server] = [client, server].map(|capture| twice(&capture));
    let two = measure(&client, &server);
    println!("{:>14}  {:>10.2}", "ratio", two / once);
    questions();
}

/// Of the first question about two captures, a later one may take this much: what mapping learns is kept.
const LATER: f64 = 0.1;

/// Maps a connection of many, first and again.
fn questions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/12_many_short");
    if !folder.exists() {
        println!("mapping is not measured: no captures of many connections lie beside the project");
        return;
    }
    let [client, server] = ["client", "server"].map(|end| dissected(&folder.join(format!("{end}.pcapng"))));
    let mut taken = [f64::MAX; 2];
    for _ in 0..RUNS {
        let load = |(path, dissection): &(PathBuf, Dissection)| {
            Arc::new(LoadedCapture::new(path.clone(), dissection.clone()).expect("the capture can be tracked"))
        };
        let (client, server) = (load(&client), load(&server));
        for least in &mut taken {
            let start = Instant::now();
            let mapper = client.mapper(&server).expect("nobody interrupts");
            std::hint::black_box(mapper.the_mptcp(ConnectionId(0)).is_ok());
            *least = start.elapsed().as_secs_f64().min(*least);
        }
    }
    let [first, later] = taken;
    let verdict = if later <= LATER * first { "met" } else { "MISSED" };
    println!("mapping: {:.2} ms, again {:.3} ms, goal {LATER} {verdict}", first * 1e3, later * 1e3);
}

/// The yardstick where it lies beside the project, the shipped example otherwise.
fn recording(end: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let yardstick = project.join(format!("../shared/captures/15_bulk/{end}.pcapng"));
    if yardstick.exists() { yardstick } else { project.join(format!("examples/{end}.pcapng")) }
}

fn load(path: &Path) -> Capture {
    let (path, dissection) = dissected(path);
    Capture::new(path, dissection).expect("the capture can be tracked")
}

fn dissected(path: &Path) -> (PathBuf, Dissection) {
    let tshark = tshark::probe(Path::new("tshark"), None).expect("tshark is installed");
    let request = TsharkRequest { profile: None, extra_fields: &[], expected_frames: None, progress: false };
    let dissection = tshark::dissect(&tshark, path, &request).expect("the capture can be dissected");
    (path.to_path_buf(), dissection.dissection)
}

/// Nanoseconds a packet to map the streams of all connections, put their packets together and compare the clocks.
fn measure(client: &Capture, server: &Capture) -> f64 {
    let packets = client.segments.len() + server.segments.len();
    let before = reset_peak();
    let seconds = (0..RUNS).map(|_| {
        let start = Instant::now();
        let mapper = Mapper::new(client, server).unwrap();
        for id in client.mptcp_stream_ids() {
            let found = mapper.the_mptcp(id).expect("the connection is in both");
            let pairs: Vec<StreamPair> = found.subflows.iter().filter_map(|subflow| subflow.pair).collect();
            let merged = merge(client, server, &pairs).expect("nobody interrupts");
            std::hint::black_box(clock(client, &merged));
        }
        start.elapsed().as_secs_f64()
    });
    let seconds = seconds.fold(f64::MAX, f64::min);
    let peak = (peak().saturating_sub(before)) as f64 / packets as f64;
    let per_packet = seconds * 1e9 / packets as f64;
    println!("{packets:>14}  {seconds:>10.3}  {per_packet:>10.0}  {peak:>12.0}");
    per_packet
}

/// The transfer and then the same again: later, and further on in all numbers.
fn twice(capture: &Capture) -> Capture {
    const FURTHER: u32 = 1 << 28;
    const LATER: i64 = 60;
    let mut builder = Builder::default();
    let again = capture.segments.fields().map(|segment| Fields {
        abstime: segment.abstime + Span::from_seconds(LATER),
        sequence: segment.sequence.wrapping_add(FURTHER),
        acknowledgement: segment.acknowledgement.wrapping_add(FURTHER),
        timestamps: segment.timestamps.map(|(value, echo)| (value.wrapping_add(60_000), echo.wrapping_add(60_000))),
        ..segment
    });
    let middle = |segment: &Fields| segment.flags & (flag::SYN | flag::FIN | flag::RST) == 0;
    let identified = capture.segments.fields().chain(again).zip((0..capture.segments.len() as u32).cycle());
    let mut packetid = 0;
    for (index, (segment, row)) in identified.enumerate() {
        // The first time without the end, the second time without the beginning.
        if !middle(&segment) && (index < capture.segments.len()) != (segment.flags & flag::SYN != 0) {
            continue;
        }
        packetid += 1;
        let frame = Frame { ip_id: capture.frames.ip_id(PacketRow(row)), ..Frame::default() };
        builder.push(&frame, Fields { packetid, ..segment });
    }
    let dissection = Dissection { packets: builder.finish(), facts: capture.facts.clone() };
    Capture::new(capture.path.clone(), dissection).expect("the capture can be tracked")
}

/// Forgets how much memory was in use at most, and returns how much is in use now; Linux only.
fn reset_peak() -> u64 {
    let _ = fs::write("/proc/self/clear_refs", "5");
    peak()
}

/// Bytes of memory in use at most since [`reset_peak`]; 0 where the system does not tell.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()).unwrap_or(0) * 1024
}
