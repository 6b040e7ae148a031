//! A capture file, compressed or not: whatever its octets, it is read as far as it goes, tracked and listed.
#![no_main]

use std::hint::black_box;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use libfuzzer_sys::fuzz_target;
use mptcp_trace::analysis::mptcp_connections::mptcp_connections;
use mptcp_trace::analysis::tcp_connections::tcp_connections;
use mptcp_trace::packets::native::{self, Failure, Request};
use mptcpanalyzer::packets::LoadError;
use mptcp_trace::tracking::Capture;

fuzz_target!(|file: &[u8]| {
    let request = Request { partial: true, progress: false };
    let source = Box::new(Cursor::new(file.to_vec()));
    let dissection = match native::dissect_from(source, Path::new("fuzz"), request) {
        Ok(dissection) => dissection,
        Err(Failure::Beyond(_) | Failure::Load(LoadError::NotACapture { .. })) => return,
        Err(Failure::Load(other)) => panic!("{other}"),
    };
    let (rows, frames) = (dissection.table.height() as u64, dissection.facts.frames);
    assert!(rows <= frames, "{rows} packets in {frames} frames");
    let counted: u64 = dissection.facts.interfaces.iter().map(|interface| interface.packets).sum();
    assert!(counted == 0 || counted == rows, "{counted} packets by interface, {rows} in the table");
    let capture = Capture::new(PathBuf::from("fuzz"), dissection).expect("what was dissected is tracked");
    let ids: Vec<u64> = capture.segments.iter().map(|segment| segment.packetid).collect();
    assert!(ids.is_sorted_by(|one, next| one < next) && ids.last().is_none_or(|last| *last <= frames));
    black_box(tcp_connections(&capture.tracking));
    black_box(mptcp_connections(&capture));
});
