//! Time from the start of the program to its prompt, as a ratio to `tshark --version` on the same machine, and the time
//! of an answer to Tab with 200 connections loaded; the time of a command over a small capture. `cargo bench --profile dev --bench prompt`

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mptcpanalyzer::commands::Session;
use mptcpanalyzer::config::Config;
use mptcpanalyzer::shell::completion::{Snapshot, complete};

/// Each figure is the least of this many runs.
const RUNS: usize = 15;

/// Times of `tcptrace -n` that a command over a small capture may take.
const START: f64 = 1.2;

fn main() {
    let home = tempfile::tempdir().expect("a directory for a person without history");
    let prompt = least(|| prompt(home.path()));
    let tshark = least(|| {
        let status = Command::new("tshark").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.expect("tshark is installed").success());
    });
    println!(
        "prompt            {:>8.1} ms, {:.2} times `tshark --version`",
        ms(prompt),
        prompt.as_secs_f64() / tshark.as_secs_f64()
    );
    println!("tshark --version  {:>8.1} ms", ms(tshark));

    if let Some(capture) = short() {
        start(&capture);
    }
    let Some(capture) = recording() else {
        println!("completion is not measured: no capture with 200 connections lies beside the project");
        return;
    };
    let mut session = Session::new(Config::default(), None);
    session.load(&capture).expect("the capture can be loaded");
    println!("{} connections", session.capture().expect("it is loaded").mptcp_stream_ids().len());
    for line in ["mptcp_summary ", "tcp_summary 1", "plot dsn ", "dump ", "plot dsn --", "l", "load_pcap "] {
        let first = least(|| {
            let _ = std::hint::black_box(complete(&Snapshot::of(&session, None), line, line.len(), 80));
        });
        println!("completion        {:>8.2} ms  `{line}`", ms(first));
    }
}

/// Starts the program at a terminal, which `script` of util-linux makes, and waits for its prompt.
fn prompt(home: &Path) {
    let mut terminal = Command::new("script");
    terminal.args(["-qec", env!("CARGO_BIN_EXE_mptcpanalyzer"), "/dev/null"]);
    terminal.current_dir(home).env("HOME", home).env("TERM", "xterm").env("SHELL", "/bin/sh");
    for variable in ["XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_DATA_HOME"] {
        terminal.env_remove(variable);
    }
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut terminal = terminal.spawn().expect("script of util-linux is installed");
    let mut shown = Vec::new();
    let output = terminal.stdout.as_mut().expect("it is piped");
    while !String::from_utf8_lossy(&shown).contains("mptcpanalyzer> ") {
        let mut bytes = [0; 512];
        let read = output.read(&mut bytes).expect("the terminal can be read");
        assert!(read > 0, "it prompts: {}", String::from_utf8_lossy(&shown));
        shown.extend_from_slice(&bytes[..read]);
    }
    terminal.kill().expect("it can be ended");
    terminal.wait().expect("it ends");
}

/// A command over a small capture beside what a C program takes that lists the same streams.
fn start(capture: &Path) {
    let run = |program: &str, words: &[&str]| {
        least(|| {
            let mut process = Command::new(program);
            process.args(words).arg(capture).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if !words.contains(&"-n") {
                process.arg("list_mptcp_connections");
            }
            assert!(process.status().is_ok_and(|status| status.success()), "{program} works");
        })
    };
    let ours = run(env!("CARGO_BIN_EXE_mptcpanalyzer"), &["--load"]);
    if Command::new("tcptrace").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_err() {
        println!("one small capture {:>8.2} ms; tcptrace is not installed", ms(ours));
        return;
    }
    let theirs = run("tcptrace", &["-n"]);
    let times = ours.as_secs_f64() / theirs.as_secs_f64();
    let verdict = if times <= START { "met" } else { "MISSED" };
    println!("one small capture {:>8.2} ms, {times:.2} times `tcptrace -n`, goal {START} {verdict}", ms(ours));
}

/// A small recording, where it lies beside the project.
fn short() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/03c_add_addr_nojoin/client.pcap");
    path.exists().then_some(path)
}

/// A recording of many connections, where it lies beside the project.
fn recording() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/12_many_short/client.pcapng");
    path.exists().then_some(path)
}

fn least(mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..RUNS).map(time).min().unwrap_or_default()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
