//! A capture file, compressed or not: whatever its bytes, it is read as far as it goes, tracked, and everything is asked.
#![no_main]

use std::io::Cursor;
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use mptcp_trace::ReadError;
use mptcp_trace::packets::native::{self, Failure, DissectOptions};
use mptcp_trace::tracking::Capture;
use mptcpanalyzer_fuzz::{ask_everything, check_sums};

fuzz_target!(|file: &[u8]| {
    let source = Box::new(Cursor::new(file.to_vec()));
    let dissection = match native::dissect_from(source, Path::new("fuzz"), DissectOptions { partial: true }) {
        Ok(dissection) => dissection,
        Err(Failure::Beyond(_) | Failure::Read(ReadError::NotACapture { .. })) => return,
        Err(Failure::Read(other)) => panic!("{other}"),
    };
    let (rows, frames) = (dissection.packets.height() as u64, dissection.facts.frames);
    assert!(rows <= frames, "{rows} packets in {frames} frames");
    let counted: u64 = dissection.facts.interfaces.iter().map(|interface| interface.packets).sum();
    assert!(counted == 0 || counted == rows, "{counted} packets by interface, {rows} in all");
    assert!(dissection.packets.segments.is_sorted_by(|one, next| one.packetid() < next.packetid()));
    let capture = Capture::new(PathBuf::from("fuzz"), dissection).expect("what was dissected is tracked");
    let mut ids: Vec<u64> = capture.segments.iter().map(|segment| segment.packetid()).collect();
    ids.sort_unstable();
    assert!(ids.is_sorted_by(|one, next| one < next) && ids.last().is_none_or(|last| *last <= frames));
    check_sums(&capture.segments, &capture.tracking);
    ask_everything(&capture);
});
