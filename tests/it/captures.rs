//! Captures that the tests read.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder of recorded captures, which lies beside the project on the machines that have it.
pub fn recorded() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: there is no {}", folder.display());
    None
}

/// Every capture file below `folder`.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What tshark prints for these fields, a line a frame; whole frames only when the file is cut short.
pub fn tshark(path: &Path, fields: &[&str]) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.arg("-n").arg("-r").arg(path).args(["-T", "fields"]);
    for field in fields {
        command.args(["-e", field]);
    }
    let output = command.output().expect("tshark must be installed for this test");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_string).collect()
}

/// How many packets capinfos, which comes with tshark, counts; whole ones only when the file is cut short.
pub fn counted_by_capinfos(path: &Path) -> u64 {
    let output = Command::new("capinfos").args(["-M", "-c", "-T", "-r"]).arg(path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim_end().rsplit('\t').next().unwrap().parse().unwrap()
}
