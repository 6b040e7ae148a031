//! The recorded scenarios that the tests judge by. They lie beside the project; where they do not, tests that need
//! them say so and pass.

use mptcpanalyzer::packets::LoadedCapture;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use mptcp_trace::packets::native::{self, DissectOptions};
use mptcpanalyzer::packets::tshark::{self, Tshark};
use serde_json::Value;

/// The folder of scenarios, or `None` after saying that it is missing.
pub fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: the recorded scenarios are not here ({})", folder.display());
    None
}

/// Every capture file of every scenario, in order.
pub fn captures() -> Vec<PathBuf> {
    let Some(folder) = folder() else { return Vec::new() };
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder can be listed")
        .filter_map(|entry| fs::read_dir(entry.ok()?.path()).ok())
        .flatten()
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng"))
        .collect();
    found.sort();
    found
}

/// Every capture file of the recordings that the project keeps, in order.
pub fn recorded() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/recorded");
    let recordings = fs::read_dir(folder).expect("the project has its recordings");
    let mut found: Vec<PathBuf> = recordings
        .flat_map(|recording| fs::read_dir(recording.expect("an entry").path()).expect("a folder"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "pcap"))
        .collect();
    found.sort();
    found
}

/// A small capture with its right answer beside the project (README.md there), or `None` after saying that it is missing.
pub fn field(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/field").join(name);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: {} is not here", path.display());
    None
}

/// A JSON file beside a capture.
pub fn json(beside: &Path, name: &str) -> Option<Value> {
    let file = beside.parent()?.join(name);
    Some(serde_json::from_str(&fs::read_to_string(file).ok()?).expect("the file is JSON"))
}

/// `02_fullmesh/client.pcap`
pub fn label(path: &Path) -> String {
    let name = |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    format!("{}/{}", name(path.parent()), name(Some(path)))
}

/// The installed tshark.
pub fn installed_tshark() -> &'static Tshark {
    static TSHARK: OnceLock<Tshark> = OnceLock::new();
    TSHARK.get_or_init(|| tshark::probe(Path::new("tshark"), None).expect("tshark is installed"))
}

type Loaded = Mutex<HashMap<PathBuf, Arc<OnceLock<Option<Arc<LoadedCapture>>>>>>;

/// The capture dissected and tracked, once per process; `None` for an empty file. The native dissector is proved equal to
/// tshark, packet by packet, by a test of its own.
pub fn load(path: &Path) -> Option<Arc<LoadedCapture>> {
    static LOADED: OnceLock<Loaded> = OnceLock::new();
    let cell = {
        let mut loaded = LOADED.get_or_init(Loaded::default).lock().expect("no test panicked while loading");
        Arc::clone(loaded.entry(path.to_path_buf()).or_default())
    };
    cell.get_or_init(|| {
        if fs::metadata(path).expect("the file is there").len() == 0 {
            return None;
        }
        let dissection = native::dissect(path, DissectOptions::default()).expect("the capture is dissected");
        Some(Arc::new(LoadedCapture::new(path.to_path_buf(), dissection).expect("the capture is tracked")))
    })
    .clone()
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
