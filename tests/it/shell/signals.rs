//! SIGINT, SIGTERM and SIGHUP at random moments: the exit code says which, no child lives on, no file stays, and what was
//! there before is as it was or whole.
//!
//! `SIGNAL_TRIALS=100 cargo test --test it signals -- --nocapture` tries each signal so often with each kind of work, and
//! prints a table of what was found; `SIGNAL_KIND=live` beside it takes the kinds with that in their names.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::program::{Home, examples};

/// How often each signal is sent to each kind of work.
fn trials() -> u32 {
    std::env::var("SIGNAL_TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// Command lines of the processes whose environment or command line names `place`: what a run started and left.
fn living(place: &str) -> Vec<String> {
    processes(place).into_values().collect()
}

/// The same with their ids.
fn processes(place: &str) -> BTreeMap<String, String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    processes
        .filter(|name| name.parse::<u32>().is_ok_and(|id| id != std::process::id()))
        .filter_map(|id| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let names = |text: &[u8]| String::from_utf8_lossy(text).contains(place);
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (names(line.as_bytes()) || names(&environment)).then_some((id, line))
        })
        .filter(|(_, line)| !line.is_empty())
        .collect()
}

fn script(home: &Home, name: &str, text: &str) {
    let path = home.write(name, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// What a file that the work writes may hold afterwards.
enum Target {
    /// What was there before, or all of it.
    Replaced(&'static str),
    /// What was there before, then anything: `>>` promises no more.
    Appended(&'static str),
    /// What was there before, or what had come by then.
    Grown(&'static str),
}

impl Target {
    fn name(&self) -> &'static str {
        let (Target::Replaced(name) | Target::Appended(name) | Target::Grown(name)) = self;
        name
    }

    fn is_intact(&self, home: &Home, whole: &[u8]) -> bool {
        let Ok(held) = std::fs::read(home.path(self.name())) else { return false };
        match self {
            Target::Replaced(_) => held == OLD || held == whole,
            Target::Appended(_) => held.starts_with(OLD),
            Target::Grown(_) => held == OLD || whole.starts_with(&held),
        }
    }
}

/// What every file that will be written holds before.
const OLD: &[u8] = b"old\n";

/// How long after the signal the program may take at most. It gives a command one second to end by itself.
const PATIENCE: Duration = Duration::from_secs(4);

/// A kind of work.
struct SignalCase {
    name: &'static str,
    /// Lines of a script.
    script: String,
    dissector: &'static str,
    /// A directory with programs that are to be found first.
    path: Option<&'static str>,
    target: Option<Target>,
    /// What the target holds after all of the work.
    whole: Vec<u8>,
    /// How long all of it takes, or a while of what never ends.
    lasts: Duration,
    /// Ctrl-C is the wanted end of this work, which then succeeds.
    ended_by_ctrl_c: bool,
}

impl SignalCase {
    fn start(&self, home: &Home) -> std::process::Child {
        if let Some(target) = &self.target {
            home.write(target.name(), OLD);
        }
        let usual = home.program();
        // A shell starts what it leaves in the background with SIGINT ignored; here it is to end the program at once
        // while that does not look for signals yet.
        let mut program = Command::new("env");
        program.args(["--default-signal", "--"]).arg(usual.get_program()).current_dir(home.path("."));
        for (name, value) in usual.get_envs() {
            match value {
                Some(value) => program.env(name, value),
                None => program.env_remove(name),
            };
        }
        program.env("TMPDIR", home.path("tmp")).args(["--dissector", self.dissector, "--no-cache", "-b", "-"]);
        if let Some(path) = self.path {
            let others = std::env::var("PATH").unwrap();
            program.env("PATH", format!("{}:{others}", home.path(path).display()));
        }
        // A child that is left would keep a pipe open.
        let messages = std::fs::File::create(home.path("messages")).unwrap();
        program.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(messages);
        let mut child = program.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), self.script.as_bytes()).unwrap();
        child
    }

    /// Does all of the work, unless it never ends, to know how long it takes and what it writes.
    fn measure(&mut self, home: &Home) {
        let begin = Instant::now();
        assert!(self.start(home).wait().unwrap().success(), "{}: {}", self.name, messages(home));
        self.lasts = begin.elapsed();
        if let Some(Target::Replaced(name)) = self.target {
            self.whole = std::fs::read(home.path(name)).unwrap();
            assert_ne!(self.whole, OLD, "{}", self.name);
        }
    }

    fn is_right(&self, status: ExitStatus, signal: i32, home: &Home) -> bool {
        match status.code() {
            // It had done all.
            Some(0) => match self.target {
                Some(Target::Replaced(name)) => std::fs::read(home.path(name)).unwrap() == self.whole,
                _ => true,
            },
            Some(code) => code == 128 + signal,
            // Before it began to look for signals, when there is nothing to put in order yet.
            None => status.signal() == Some(signal),
        }
    }
}

fn messages(home: &Home) -> String {
    std::fs::read_to_string(home.path("messages")).unwrap_or_default()
}

/// All files below a directory.
fn files(directory: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap());
    let below = |entry: std::fs::DirEntry| match entry.file_type().unwrap().is_dir() {
        true => files(&entry.path()).into_iter().chain([entry.path()]).collect(),
        false => vec![entry.path()],
    };
    entries.flat_map(below).collect()
}

/// What trials of a kind and a signal found.
#[derive(Default)]
struct Found {
    trials: u32,
    ended: u32,
    children: u32,
    files: u32,
    damaged: u32,
    codes: u32,
    slow: u32,
    slowest: Duration,
    /// What the first one that went wrong left.
    wrong: Option<String>,
}

impl Found {
    fn try_once(&mut self, home: &Home, kind: &SignalCase, signal: (&str, i32), delay: Duration) {
        let before = files(&home.path("."));
        let mut child = kind.start(home);
        std::thread::sleep(delay);
        let sent = Instant::now();
        let name = format!("-{}", signal.0);
        Command::new("kill").args([&name, &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
        let mut status = None;
        while status.is_none() && sent.elapsed() < PATIENCE {
            status = child.try_wait().unwrap();
            std::thread::sleep(Duration::from_millis(1));
        }
        let took = sent.elapsed();
        if status.is_none() {
            child.kill().unwrap();
        }
        let status = status.unwrap_or_else(|| child.wait().unwrap());
        let place = home.path("").display().to_string();
        let place = place.trim_end_matches('/');
        // The system may still be putting away what was killed.
        let until = Instant::now() + Duration::from_secs(1);
        while !living(place).is_empty() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(20));
        }
        let children = living(place);
        let mut left = files(&home.path("."));
        left.retain(|path| {
            !before.contains(path) && kind.target.as_ref().is_none_or(|target| !path.ends_with(target.name()))
        });
        let damaged = kind.target.as_ref().is_some_and(|target| !target.is_intact(home, &kind.whole));
        self.trials += 1;
        self.ended += u32::from(!status.success());
        self.children += u32::from(!children.is_empty());
        self.files += u32::from(!left.is_empty());
        self.damaged += u32::from(damaged);
        self.codes += u32::from(!kind.is_right(status, signal.1, home));
        self.slow += u32::from(took >= PATIENCE);
        self.slowest = self.slowest.max(took);
        if self.wrong.is_none() && self.is_wrong() {
            let target = kind.target.as_ref().map(|target| std::fs::read(home.path(target.name())));
            let held =
                target.map(|held| held.map(|held| (held.len(), held.iter().take(40).copied().collect::<Vec<_>>())));
            self.wrong = Some(format!(
                "{} SIG{} after {delay:?}: {status}, took {took:?}, children {children:?}, files {left:?}, target {held:?}, \
                 said {:?}",
                kind.name,
                signal.0,
                messages(home)
            ));
        }
        // One trial's leftovers are not the next one's.
        for child in processes(place).into_keys() {
            let _ = Command::new("kill").args(["-KILL", &child]).stderr(Stdio::null()).status();
        }
        for path in left {
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
    }

    fn is_wrong(&self) -> bool {
        self.children + self.files + self.damaged + self.codes + self.slow > 0
    }
}

fn unfinished(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("mptcpanalyzer-")).collect()
}

#[test]
fn nothing_is_left_whenever_a_signal_comes() {
    let capture = examples().expect("the examples are shipped").join("client.pcapng");
    let bytes = std::fs::read(&capture).unwrap();
    let capture = capture.display().to_string();
    let home = Home::new();
    std::fs::create_dir(home.path("tmp")).unwrap();
    // Sections of a pcapng file may follow each other. More work gives a signal more to interrupt.
    let long = home.write("long.pcapng", bytes.repeat(if trials() > 10 { 20 } else { 1 })).display().to_string();
    // A capturing program that never ends, and a process of it in a session of its own.
    script(&home, "never", &format!("cat {capture}; setsid sleep 300 & exec sleep 300"));
    std::fs::create_dir(home.path("hangs")).unwrap();
    script(&home, "hangs/tshark", "sleep 300");
    assert!(Command::new("mkfifo").arg(home.path("pipe")).status().unwrap().success());
    let kind = |name, script: String, target| SignalCase {
        name,
        script: script + "\n",
        dissector: "auto",
        path: None,
        target,
        whole: Vec::new(),
        lasts: Duration::from_millis(600),
        ended_by_ctrl_c: false,
    };
    let load = format!("load_pcap {long}\n");
    let mut finite = [
        kind("export, CSV", load.clone() + "export old.csv", Some(Target::Replaced("old.csv"))),
        kind("export, Parquet", load.clone() + "export old.parquet", Some(Target::Replaced("old.parquet"))),
        kind("clean_pcap", format!("clean_pcap {long} old.pcap --force"), Some(Target::Replaced("old.pcap"))),
        SignalCase { dissector: "tshark", ..kind("load by tshark", format!("load_pcap {capture}\nlc"), None) },
        kind("> file", load.clone() + "rtt 0 --samples > old.txt", Some(Target::Replaced("old.txt"))),
        kind(">> file", load.clone() + "rtt 0 --samples >> old.more", Some(Target::Appended("old.more"))),
        kind("sql", load.clone() + "sql \"SELECT count(*) FROM packets\" > old.sql", Some(Target::Replaced("old.sql"))),
    ];
    for kind in &mut finite {
        kind.measure(&home);
    }
    let live = "live eth7 --with ./never --write old.live --force".to_string();
    let endless = [
        kind("| program", load.clone() + "rtt 0 --samples | sleep 300", None),
        kind("! program", "!sleep 300".to_string(), None),
        SignalCase {
            dissector: "tshark",
            path: Some("hangs"),
            ..kind("a tshark that hangs", format!("load_pcap {capture}"), None)
        },
        SignalCase {
            whole: bytes,
            ended_by_ctrl_c: true,
            ..kind("live, a program", live, Some(Target::Grown("old.live")))
        },
        SignalCase { ended_by_ctrl_c: true, ..kind("live, a named pipe", "live ./pipe".to_string(), None) },
    ];
    println!(
        "{:20} {:6} {:>6} {:>6} {:>8} {:>5} {:>7} {:>5} {:>10}",
        "work", "signal", "trials", "ended", "children", "files", "damaged", "codes", "slowest ms"
    );
    let mut moment = 1_u64;
    let mut wrong = Vec::new();
    let only = std::env::var("SIGNAL_KIND").unwrap_or_default();
    for kind in finite.iter().chain(&endless).filter(|kind| kind.name.contains(&only)) {
        for signal in [("INT", 2), ("TERM", 15), ("HUP", 1)] {
            // Ctrl-C is then meant for the other program, which the terminal sends it as well.
            if kind.name == "! program" && signal.0 == "INT" {
                continue;
            }
            let mut found = Found::default();
            for _ in 0..trials() {
                moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                // From the start to a little beyond the end.
                let share = f64::from(u32::try_from(moment >> 33).unwrap()) / f64::from(1_u32 << 31);
                found.try_once(&home, kind, signal, kind.lasts.mul_f64(1.1 * share));
            }
            println!(
                "{:20} {:6} {:>6} {:>6} {:>8} {:>5} {:>7} {:>5} {:>10}",
                kind.name,
                signal.0,
                found.trials,
                found.ended,
                found.children,
                found.files,
                found.damaged,
                found.codes,
                found.slowest.as_millis()
            );
            wrong.extend(found.wrong);
            let never = trials() > 10 && found.ended == 0 && !(kind.ended_by_ctrl_c && signal.0 == "INT");
            assert!(!never, "no trial of {} was ended by SIG{}", kind.name, signal.0);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_killed_process_left_is_removed_by_the_next_start() {
    let capture = examples().expect("the examples are shipped").join("client.pcapng").display().to_string();
    let home = Home::new();
    std::fs::create_dir(home.path("tmp")).unwrap();
    script(
        &home,
        "tshark",
        "case $1 in --version) echo 'TShark (Wireshark) 4.0.17.';; -G) printf 'F\\tx\\tframe.number\\n';; *) sleep 300;; esac",
    );
    let mut program = home.program();
    program.env("TMPDIR", home.path("tmp"));
    home.write("config.toml", format!("tshark = \"{}\"\ndissector = \"tshark\"\n", home.path("tshark").display()));
    program.args(["--config", "config.toml", "--load", &capture, "lc"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = program.spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while unfinished(&home.path("tmp")).len() < 3 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(unfinished(&home.path("tmp")).len() >= 3, "{:?}", unfinished(&home.path("tmp")));
    child.kill().unwrap();
    child.wait().unwrap();
    let mut next = home.program();
    next.env("TMPDIR", home.path("tmp")).arg("help");
    assert_eq!(crate::support::program::finish(next, "").code, Some(0));
    assert_eq!(unfinished(&home.path("tmp")), Vec::<String>::new());
    // Nothing can be ended by a process that is killed; its temporary files are all that it leaves.
    for id in processes(&home.path("tshark").display().to_string()).into_keys() {
        let _ = Command::new("kill").arg(id).status();
    }
}
