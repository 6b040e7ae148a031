//! Loading a capture, against tshark alone: whole processes, run in turn, so that a busy machine slows all alike.
//!
//! `cargo bench --profile dev --bench load` prints medians and two ratios: a cold load against the same export by
//! tshark to a file, and a load from the cache against a cold one. The capture is `MPTCPANALYZER_BENCH_CAPTURE`, the
//! recorded bulk transfer where the recorded scenarios are, or the shipped example.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mptcpanalyzer::packets::tshark::{self, Request};

/// Rounds, each of one export, one cold and one warm load.
const ROUNDS: usize = 5;
/// A cold load may take this much of the export's time.
const COLD_TARGET: f64 = 1.3;
/// A warm load may take this much of the cold one's time.
const WARM_TARGET: f64 = 1.0 / 20.0;

fn main() -> Result<(), Box<dyn Error>> {
    let capture = capture();
    let folder = tempfile::tempdir()?;
    let mut times: [Vec<Duration>; 3] = [vec![], vec![], vec![]];
    // A first run of each that does not count: the capture and the programs come from the disk.
    for round in 0..=ROUNDS {
        let found = [
            export(&capture, folder.path())?,
            load(&capture, folder.path(), true)?,
            load(&capture, folder.path(), false)?,
        ];
        if round > 0 {
            times.iter_mut().zip(found).for_each(|(all, one)| all.push(one));
        }
    }
    let ratio = |above: usize, below: usize| {
        // Of each round by itself, for its runs had the same neighbours on the machine.
        let ratios =
            times[above].iter().zip(&times[below]).map(|(above, below)| above.as_secs_f64() / below.as_secs_f64());
        median(ratios.collect())
    };
    println!("{} ({} bytes), medians of {ROUNDS} rounds", capture.display(), capture.metadata()?.len());
    for (name, all) in ["tshark to a file", "cold load", "load from cache"].iter().zip(&times) {
        let seconds: Vec<f64> = all.iter().map(Duration::as_secs_f64).collect();
        println!("{name:17} {:8.3} s   {seconds:.3?}", median(seconds.clone()));
    }
    verdict("cold / tshark", ratio(1, 0), COLD_TARGET);
    verdict("cache / cold", ratio(2, 1), WARM_TARGET);
    Ok(())
}

fn verdict(name: &str, ratio: f64, target: f64) {
    let met = if ratio <= target { "met" } else { "MISSED" };
    println!("{name:17} {ratio:8.3}     target {target:.3} {met}");
}

fn capture() -> PathBuf {
    if let Some(named) = std::env::var_os("MPTCPANALYZER_BENCH_CAPTURE") {
        return named.into();
    }
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bulk = project.join("../shared/captures/15_bulk/client.pcapng");
    if bulk.is_file() { bulk } else { project.join("examples/client.pcapng") }
}

/// tshark with the program's own arguments, its output to a file.
fn export(capture: &Path, folder: &Path) -> Result<Duration, Box<dyn Error>> {
    let installed = tshark::probe(Path::new("tshark"), Some(folder))?;
    let request = Request { profile: None, extra_fields: &[], expected_frames: None, progress: false };
    let private = tempfile::tempdir_in(folder)?;
    let mut command = tshark::command_line(&installed, capture, &request, private.path())?;
    command.stdin(Stdio::null()).stdout(File::create(folder.join("export.tsv"))?).stderr(Stdio::null());
    timed(command)
}

/// The program, with or without what the cache has.
fn load(capture: &Path, folder: &Path, cold: bool) -> Result<Duration, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mptcpanalyzer"));
    command
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .args([OsStr::new("--cachedir"), folder.join("cache").as_os_str()]);
    if cold {
        command.arg("--no-cache");
    }
    command.arg("--load").arg(capture).arg("list_mptcp_connections");
    command.stdin(Stdio::null()).stdout(File::create(folder.join("connections.txt"))?).stderr(Stdio::null());
    timed(command)
}

fn timed(mut command: Command) -> Result<Duration, Box<dyn Error>> {
    let started = Instant::now();
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    Ok(started.elapsed())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
