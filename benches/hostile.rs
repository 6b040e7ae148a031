//! Captures that mean harm: time and memory of commands for N, 2 N and 4 N packets of each shape. A ratio of 2 is linear.
//!
//! `cargo bench --profile dev --bench hostile` prints the ratio of the last step of each, beyond what the program takes for
//! a capture of one packet; `-- N` chooses N, 20,000 by default, and a word of a shape's name only that shape. What is
//! beyond 2.3 is measured again, and marked if it stays.

#[path = "hostile/shapes.rs"]
mod shapes;

use std::error::Error;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use shapes::{Capture, SHAPES};

/// A ratio beyond this is not that of linear work.
const MOST: f64 = 2.3;
/// Below these, chance is most of it: seconds, and bytes.
const WORTH_A_RATIO: (f64, f64) = (0.05, 20e6);
/// How often at most what seems to grow too fast is measured: the machine has other things to do, too.
const TRIALS: usize = 3;
/// A command is ended after this time.
const PATIENCE: Duration = Duration::from_secs(120);

const COMMANDS: &[&[&str]] = &[
    &["list_tcp_connections"],
    &["list_mptcp_connections"],
    &["mptcp_summary"],
    &["list_reinjections", "0"],
    &["ooo", "0"],
    &["rtt", "0"],
    &["events", "0"],
    &["diagnose"],
    &["plot", "dsn", "0", "-o", "FIGURE"],
    &["plot", "flight", "0", "-o", "FIGURE"],
    &["loss", "mptcp", "CAPTURE", "0", "CAPTURE", "0"],
];

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let least: usize = words.iter().find_map(|word| word.parse().ok()).unwrap_or(20_000);
    let wanted = |name: &str| {
        let mut names = words.iter().filter(|word| word.parse::<usize>().is_err()).peekable();
        names.peek().is_none() || names.any(|word| name.contains(word.as_str()))
    };
    let folder = tempfile::tempdir()?;
    println!("{:32}  {:24}  {:>22}  {:>5}  {:>20}  {:>5}", "shape", "command", "seconds", "ratio", "MB", "ratio");
    let nothing = folder.path().join("0.pcapng");
    let mut capture = Capture::new("eth0");
    capture.handshake();
    std::fs::write(&nothing, capture.finish())?;
    let starts = COMMANDS.iter().map(|command| run(&nothing, command)).collect::<Result<Vec<_>, _>>()?;
    for shape in SHAPES.iter().filter(|shape| wanted(shape.name)) {
        let mut captures = Vec::new();
        for factor in [1, 2, 4] {
            let mut capture = Capture::new("eth0");
            (shape.fill)(&mut capture, least * factor);
            let path = folder.path().join(format!("{factor}.pcapng"));
            std::fs::write(&path, capture.finish())?;
            captures.push(path);
        }
        for (command, start) in COMMANDS.iter().zip(&starts) {
            let mut best = [(f64::INFINITY, f64::INFINITY); 3];
            for _ in 0..TRIALS {
                for (path, (time, memory)) in captures.iter().zip(&mut best) {
                    let taken = run(path, command)?;
                    (*time, *memory) = (time.min(taken.0 - start.0), memory.min(taken.1 - start.1));
                }
                if !grows(&best) {
                    break;
                }
            }
            report(shape.name, command, &best);
        }
    }
    Ok(())
}

/// The last steps of time and memory; not a number where there is too little of it.
fn ratios(taken: &[(f64, f64); 3]) -> (f64, f64) {
    let [_, less, more] = taken;
    let ratio = |less: f64, more: f64, least: f64| if more < least { f64::NAN } else { more / less };
    (ratio(less.0, more.0, WORTH_A_RATIO.0), ratio(less.1, more.1, WORTH_A_RATIO.1))
}

fn grows(taken: &[(f64, f64); 3]) -> bool {
    let (time, memory) = ratios(taken);
    time > MOST || memory > MOST
}

fn report(shape: &str, command: &[&str], taken: &[(f64, f64); 3]) {
    let [(time_1, memory_1), (time_2, memory_2), (time_4, memory_4)] = taken;
    let (time, memory) = ratios(taken);
    let mark = if grows(taken) { "  <-" } else { "" };
    let name: Vec<&str> = command.iter().take_while(|word| **word != "0" && **word != "CAPTURE").copied().collect();
    println!(
        "{shape:32}  {:24}  {:>22}  {time:>5.1}  {:>20}  {memory:>5.1}{mark}",
        name.join(" "),
        format!("{time_1:.2} {time_2:.2} {time_4:.2}"),
        format!("{:.0} {:.0} {:.0}", memory_1 / 1e6, memory_2 / 1e6, memory_4 / 1e6),
    );
}

/// Seconds and peak memory of one command over the capture; a failure takes its time, too.
fn run(capture: &Path, command: &[&str]) -> Result<(f64, f64), Box<dyn Error>> {
    let name = capture.display().to_string();
    let figure = capture.with_extension("svg").display().to_string();
    let words = command.iter().map(|word| match *word {
        "CAPTURE" => name.as_str(),
        "FIGURE" => figure.as_str(),
        other => other,
    });
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mptcpanalyzer"))
        .args(["--load", &name])
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut peak = 0.0_f64;
    while child.try_wait()?.is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<f64>().ok());
        peak = peak.max(kibibytes.unwrap_or(0.0) * 1024.0);
        if started.elapsed() > PATIENCE {
            child.kill()?;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok((started.elapsed().as_secs_f64(), peak))
}
