//! Loading a capture, against tshark alone: whole processes, run in turn, so that a busy machine slows all alike.
//!
//! `cargo bench --profile dev --bench load` prints medians and three ratios: a cold load against the same export by
//! tshark to a file, a load from the cache against a cold one, and against the native dissector. The capture is `MPTCPANALYZER_BENCH_CAPTURE`, the
//! recorded bulk transfer where the recorded scenarios are, or the shipped example.

use std::error::Error;
use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use mptcpanalyzer::packets::tshark::{self, TsharkRequest};

/// Rounds, each of one export, one cold and one warm load.
const ROUNDS: usize = 5;
/// A cold load may take this much of the export's time.
const COLD_TARGET: f64 = 1.3;
/// A warm load may take this much of the cold one's time.
const WARM_TARGET: f64 = 1.0 / 20.0;
/// And this much of the time that the native dissector takes.
const NATIVE_TARGET: f64 = 2.0;

/// What one run took, in seconds.
#[derive(Clone, Copy)]
struct Taken {
    /// By the clock.
    wall: f64,
    /// Of the processors; other programs change it little, so it tells more on a busy machine.
    processor: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let capture = capture();
    let folder = tempfile::tempdir()?;
    let mut taken: [Vec<Taken>; 4] = [vec![], vec![], vec![], vec![]];
    // A first run of each that does not count: the capture and the programs come from the disk.
    for round in 0..=ROUNDS {
        let load = |arguments: &[&str]| load(&capture, folder.path(), arguments);
        let found = [
            export(&capture, folder.path())?,
            load(&["--dissector", "tshark", "--no-cache"])?,
            load(&["--dissector", "tshark"])?,
            load(&["--dissector", "native"])?,
        ];
        if round > 0 {
            taken.iter_mut().zip(found).for_each(|(all, one)| all.push(one));
        }
    }
    println!("{} ({} bytes), medians of {ROUNDS} rounds", capture.display(), capture.metadata()?.len());
    for (name, all) in ["tshark to a file", "cold load", "load from cache", "native load"].iter().zip(&taken) {
        let wall: Vec<f64> = all.iter().map(|one| one.wall).collect();
        let processor = median(all.iter().map(|one| one.processor).collect());
        println!("{name:17} {:8.3} s, processor {processor:6.2} s   {wall:.3?}", median(wall.clone()));
    }
    // Ratios of each round by itself, because its runs had the same neighbours on the machine.
    let ratio = |above: usize, below: usize, part: fn(&Taken) -> f64| {
        let rounds = taken[above].iter().zip(&taken[below]);
        median(rounds.map(|(above, below)| part(above) / part(below)).collect())
    };
    let rows = [
        ("cold / tshark", 1, 0, COLD_TARGET),
        ("cache / cold", 2, 1, WARM_TARGET),
        ("cache / native", 2, 3, NATIVE_TARGET),
    ];
    for (name, above, below, target) in rows {
        verdict(name, ratio(above, below, |one| one.wall), target);
        println!("{:17} {:8.3}     of the processors", "", ratio(above, below, |one| one.processor));
    }
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
fn export(capture: &Path, folder: &Path) -> Result<Taken, Box<dyn Error>> {
    let installed = tshark::probe(Path::new("tshark"), Some(folder))?;
    let request = TsharkRequest { profile: None, extra_fields: &[], expected_frames: None, progress: false };
    let private = tempfile::tempdir_in(folder)?;
    let mut command = tshark::command_line(&installed, capture, &request, private.path())?;
    command.stdin(Stdio::null()).stdout(File::create(folder.join("export.tsv"))?).stderr(Stdio::null());
    timed(command)
}

/// The program with these arguments, and a cache.
fn load(capture: &Path, folder: &Path, arguments: &[&str]) -> Result<Taken, Box<dyn Error>> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mptcpanalyzer"));
    command
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .args([OsStr::new("--cachedir"), folder.join("cache").as_os_str()]);
    command.args(arguments).arg("--load").arg(capture).arg("list_mptcp_connections");
    command.stdin(Stdio::null()).stdout(File::create(folder.join("connections.txt"))?).stderr(Stdio::null());
    timed(command)
}

fn timed(mut command: Command) -> Result<Taken, Box<dyn Error>> {
    let (started, used) = (Instant::now(), processor_of_children());
    let status = command.status()?;
    if !status.success() {
        return Err(format!("{command:?} ended with {status}").into());
    }
    Ok(Taken { wall: started.elapsed().as_secs_f64(), processor: processor_of_children() - used })
}

/// Seconds of processor time that ended children, and theirs, have used so far: fields 16 and 17 of Linux's
/// /proc/self/stat, in hundredths; not a number elsewhere.
fn processor_of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let hundredths: Vec<f64> = after_name.split(' ').skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    if hundredths.len() == 2 { hundredths.iter().sum::<f64>() / 100.0 } else { f64::NAN }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
