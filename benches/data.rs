//! Time per packet of tracking and of the data level, for a long connection and for one four times as long: it must
//! not grow. `cargo bench --profile dev --bench data`

#[allow(dead_code)] // Of what makes captures, only a part is needed here.
mod generate;

use std::time::{Duration, Instant};

use generate::longer::{check, prolonged};
use mptcp_trace::packets::segment::Segments;
use mptcp_trace::tracking::data::data_level;
use mptcp_trace::tracking::track;

/// Each figure is the least of this many runs.
const RUNS: usize = 7;

fn main() {
    let capture = generate::recording("15_bulk/client.pcapng");
    let once = capture.segments.clone();
    let four: Segments = prolonged(&capture, 4).collect();
    check(&capture, &four, 4);
    println!("{}", capture.path.display());
    println!("{:>10}  {:>16}  {:>22}", "packets", "track, ns/packet", "data level, ns/packet");
    let [one, four] = [&once, &four].map(|segments| {
        let (tracking, data) = measure(segments);
        println!("{:>10}  {tracking:>16.0}  {data:>22.0}", segments.len());
        (tracking, data)
    });
    println!("{:>10}  {:>16.2}  {:>22.2}", "ratio", four.0 / one.0, four.1 / one.1);
}

/// Nanoseconds per packet of tracking and of the data level of all connections.
fn measure(segments: &Segments) -> (f64, f64) {
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
