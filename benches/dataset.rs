//! A dataset of many captures, against what a shell loop of single commands takes: processor time of whole processes, run
//! in turn.
//!
//! `cargo bench --profile dev --bench dataset` analyzes 1,000 copies of the recordings that the project keeps, or the
//! captures below the folder `MPTCPANALYZER_BENCH_FOLDER`. Beside it run `mptcp_summary` in a process per capture, all
//! commands whose numbers the base tables have in a process per capture, `mptcp_summary` of all captures in one process,
//! and mptcptrace where it is installed.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// Rounds, each of one run of everything.
const ROUNDS: usize = 3;
/// Copies of recordings.
const CAPTURES: usize = 1000;
/// A dataset may take this much of the loop of `mptcp_summary`.
const TARGET: f64 = 1.5;
/// The commands whose numbers the base tables have.
const COMMANDS: [&str; 10] = [
    "list_mptcp_connections",
    "mptcp_summary",
    "list_subflows",
    "tcp_summary",
    "handshakes",
    "diagnose --all",
    "rtt 0",
    "ooo 0",
    "events 0",
    "traffic 0",
];

type Outcome<T> = Result<T, Box<dyn Error>>;

#[derive(Clone, Copy)]
struct Taken {
    wall: f64,
    processor: f64,
}

fn main() -> Outcome<()> {
    let scratch = tempfile::tempdir()?;
    let folder = match std::env::var_os("MPTCPANALYZER_BENCH_FOLDER") {
        Some(named) => PathBuf::from(named),
        None => copies(&scratch.path().join("captures"))?,
    };
    let mut captures = Vec::new();
    below(&folder, &mut captures)?;
    let program = PathBuf::from(env!("CARGO_BIN_EXE_mptcpanalyzer"));
    let mut runs: Vec<(&str, String)> = vec![
        ("analyze", format!("'{}' analyze '{}' --out dataset-$$", program.display(), folder.display())),
        ("mptcp_summary each", looped(&captures, |capture| command(&program, capture, "mptcp_summary"))),
        (
            "ten commands each",
            looped(&captures, |capture| COMMANDS.map(|words| command(&program, capture, words)).join("; ")),
        ),
        ("mptcp_summary, one", format!("'{}' run_script all.mptcp", program.display())),
    ];
    let script =
        captures.iter().map(|capture| format!("load_pcap '{}'\nmptcp_summary --format json\n", capture.display()));
    fs::write(scratch.path().join("all.mptcp"), script.collect::<String>())?;
    if Command::new("mptcptrace").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok() {
        runs.push((
            "mptcptrace each",
            looped(&captures, |capture| format!("mptcptrace -f '{}' -s", capture.display())),
        ));
    } else {
        println!("mptcptrace is not installed");
    }
    let mut taken: Vec<Vec<Taken>> = vec![vec![]; runs.len()];
    // A first run of each that does not count: captures and programs come from the disk.
    for round in 0..=ROUNDS {
        for ((_, line), taken) in runs.iter().zip(&mut taken) {
            let one = timed(line, scratch.path())?;
            if round > 0 {
                taken.push(one);
            }
        }
    }
    println!("{} captures, medians of {ROUNDS} rounds", captures.len());
    let base = median(taken[1].iter().map(|one| one.processor));
    for ((name, _), taken) in runs.iter().zip(&taken) {
        let (wall, processor) =
            (median(taken.iter().map(|one| one.wall)), median(taken.iter().map(|one| one.processor)));
        println!("{name:20} {wall:7.2} s   processor {processor:7.2} s   {:6.2} x", processor / base);
    }
    let ratio = median(taken[0].iter().map(|one| one.processor)) / base;
    println!("target {TARGET:.2} x {}", if ratio <= TARGET { "met" } else { "MISSED" });
    Ok(())
}

fn command(program: &Path, capture: &Path, words: &str) -> String {
    format!("'{}' -l '{}' {words} --format json", program.display(), capture.display())
}

/// A line of the shell for each capture. What goes wrong with one of them does not end the others.
fn looped(captures: &[PathBuf], line: impl Fn(&Path) -> String) -> String {
    captures.iter().map(|capture| line(capture) + "\n").collect()
}

fn timed(line: &str, folder: &Path) -> Outcome<Taken> {
    let script = folder.join("run.sh");
    fs::write(&script, format!("{line}\nexit 0\n"))?;
    let mut shell = Command::new("sh");
    shell.arg(&script).current_dir(folder);
    shell.env("HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_CACHE_HOME", folder);
    shell.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let (started, used) = (Instant::now(), processor_of_children());
    shell.status()?;
    Ok(Taken { wall: started.elapsed().as_secs_f64(), processor: processor_of_children() - used })
}

fn copies(folder: &Path) -> Outcome<PathBuf> {
    fs::create_dir_all(folder)?;
    let mut recorded = Vec::new();
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures/recorded"), &mut recorded)?;
    for (number, capture) in recorded.iter().cycle().take(CAPTURES).enumerate() {
        fs::copy(capture, folder.join(format!("{number}.pcap")))?;
    }
    Ok(folder.to_path_buf())
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> Outcome<()> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Outcome<_>>()?;
    entries.sort();
    for path in entries {
        if path.is_dir() {
            below(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng") {
            found.push(path);
        }
    }
    Ok(())
}

/// Seconds of processor time that ended children, and theirs, have used so far: fields 16 and 17 of Linux's
/// /proc/self/stat, in hundredths; not a number elsewhere.
fn processor_of_children() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let hundredths: Vec<f64> = after_name.split(' ').skip(13).take(2).filter_map(|field| field.parse().ok()).collect();
    if hundredths.len() == 2 { hundredths.iter().sum::<f64>() / 100.0 } else { f64::NAN }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
