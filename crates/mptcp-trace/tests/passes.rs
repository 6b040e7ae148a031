//! Both passes over the data of a connection in one, or one after the other: packets carry the same data.

use std::path::{Path, PathBuf};

use mptcp_trace::PacketRow;
use mptcp_trace::tracking::data::{Acknowledgement, Direction, Laden, Mappings, Observer, SentRange};
use mptcp_trace::tracking::{ByRole, Capture};

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

#[test]
fn one_pass_tells_what_two_tell() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/captures");
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let found: Vec<PathBuf> = [root, shared].iter().flat_map(|folder| captures(folder)).collect();
    if found.is_empty() {
        eprintln!("skipped: the captures are not part of the package");
        return;
    }
    let mut connections = 0;
    for path in found {
        let Ok(capture) = Capture::open(&path) else { continue };
        for connection in capture.tracking.whole_connections() {
            let (segments, tracking) = (&capture.segments, &capture.tracking);
            let (_, at_once, seen) = Mappings::walked(segments, tracking, connection, Carried::default);
            let mut carried = Carried::default();
            let two = Mappings::of(segments, tracking, connection).walk(|laden| carried.see(laden));
            assert_eq!(seen, carried, "{}: connection {}", path.display(), connection.id);
            let told = |directions: &ByRole<Direction>| format!("{directions:?}");
            assert_eq!(told(&at_once), told(&two), "{}: connection {}", path.display(), connection.id);
            connections += 1;
        }
    }
    assert!(connections > 50, "{connections} connections");
}
