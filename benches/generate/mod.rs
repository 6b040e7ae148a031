//! Captures of any size, made from recorded ones: many times the same connections under other addresses and keys, or
//! the same connections many times as long.

pub mod encode;
pub mod longer;
pub mod many;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use mptcp_trace::packets::native::{self, DissectOptions};
use mptcp_trace::packets::segment::Fields;
use mptcp_trace::tracking::Capture;

/// A capture of the recorded scenarios, or the shipped example where they are not.
pub fn recording(name: &str) -> Capture {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let recorded = project.join("../shared/captures").join(name);
    let path = if recorded.exists() { recorded } else { project.join("examples/client.pcapng") };
    let dissection = native::dissect(&path, DissectOptions { partial: true }).expect("the capture can be dissected");
    Capture::new(path, dissection).expect("the capture can be tracked")
}

/// Writes a pcap file of Ethernet frames, at most `snap` bytes of each.
pub fn write(path: &Path, segments: impl Iterator<Item = Fields>, snap: usize) -> io::Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    // Nanoseconds, version 2.4, no snap length to speak of, Ethernet.
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, 1_u32] {
        file.write_all(&word.to_le_bytes())?;
    }
    let mut frame = Vec::new();
    for segment in segments {
        frame.clear();
        encode::frame(&segment, &mut frame);
        let recorded = frame.len().min(snap);
        let time = segment.abstime.nanoseconds();
        let (seconds, rest) = (time / 1_000_000_000, time % 1_000_000_000);
        for word in [seconds as u32, rest as u32, recorded as u32, frame.len() as u32] {
            file.write_all(&word.to_le_bytes())?;
        }
        file.write_all(&frame[..recorded])?;
    }
    file.flush()
}
