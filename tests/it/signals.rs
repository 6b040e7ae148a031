//! SIGINT, SIGTERM and SIGHUP at random moments: the exit code says which, no child lives on, no temporary file stays, and
//! what was there before is as it was or whole.
//!
//! `SIGNAL_TRIALS=100 cargo test --test it signals -- --nocapture` tries each signal so often.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::program::{Finished, Home, examples};

/// How often each signal is sent to each kind of work.
fn trials() -> u32 {
    std::env::var("SIGNAL_TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// Processes whose environment or command line names `place`: what a run started and left.
fn living(place: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    processes
        .filter(|name| name.parse::<u32>().is_ok_and(|id| id != std::process::id()))
        .filter_map(|id| {
            let line = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let environment = std::fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let names = |text: &[u8]| String::from_utf8_lossy(text).contains(place);
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            (names(line.as_bytes()) || names(&environment)).then_some(line)
        })
        .filter(|line| !line.is_empty())
        .collect()
}

fn script(home: &Home, name: &str, text: &str) {
    let path = home.write(name, format!("#!/bin/sh\n{text}\n"));
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// One run that a signal ends after `delay`.
fn ended(home: &Home, line: &str, signal: &str, delay: Duration) -> Finished {
    let mut program = home.program();
    let dissector = if line.ends_with("by tshark") { "tshark" } else { "auto" };
    program.env("TMPDIR", home.path("tmp")).args(["--dissector", dissector, "--no-cache", "-b", "-"]);
    let mut child = program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), format!("{line}\n").as_bytes()).unwrap();
    std::thread::sleep(delay);
    Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
    let sent = Instant::now();
    let done = Finished::from(child.wait_with_output().unwrap());
    assert!(sent.elapsed() < Duration::from_secs(4), "{line}: {signal} took {:?}", sent.elapsed());
    done
}

fn unfinished(directory: &Path) -> Vec<String> {
    let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.contains("mptcpanalyzer-")).collect()
}

#[test]
fn nothing_is_left_whenever_a_signal_comes() {
    let capture = examples().expect("the examples are shipped").join("client.pcapng").display().to_string();
    let home = Home::new();
    std::fs::create_dir(home.path("tmp")).unwrap();
    // A capturing program that never ends, and a process of it in a session of its own.
    script(&home, "never", &format!("cat {capture}; setsid sleep 300 & exec sleep 300"));
    let kinds = [
        format!("load_pcap {capture}\nexport old.csv"),
        format!("load_pcap {capture}\nexport old.parquet"),
        format!("clean_pcap {capture} old.pcap --force"),
        format!("load_pcap {capture}\nlc # by tshark"),
        format!("load_pcap {capture}\nrtt 0 --samples > old.txt"),
        "live eth7 --with ./never --write old.live --force".to_string(),
    ];
    let mut moment = 1_u64;
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let (mut codes, mut trials_made) = (0, 0);
        for kind in &kinds {
            for _ in 0..trials() {
                for name in ["old.csv", "old.parquet", "old.pcap", "old.txt"] {
                    home.write(name, "old");
                }
                moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let delay = Duration::from_millis(5 + (moment >> 33) % 400);
                let done = ended(&home, kind, signal, delay);
                trials_made += 1;
                // It may have been done before, or `live` have taken Ctrl-C for the end of its work.
                assert!(
                    matches!(done.code, Some(ended) if ended == code || ended == 0 || ended == 1),
                    "{kind}: {done:?}"
                );
                codes += u32::from(done.code == Some(code));
                assert_eq!(unfinished(&home.path("tmp")), Vec::<String>::new(), "{kind}: {signal} after {delay:?}");
                assert_eq!(unfinished(&home.path(".")), Vec::<String>::new(), "{kind}: {signal} after {delay:?}");
                let place = home.path(".").display().to_string();
                let place = place.trim_end_matches("/.");
                let until = Instant::now() + Duration::from_secs(2);
                while !living(place).is_empty() && Instant::now() < until {
                    std::thread::sleep(Duration::from_millis(20));
                }
                assert_eq!(living(place), Vec::<String>::new(), "{kind}: {signal} after {delay:?}");
                for name in ["old.csv", "old.txt"] {
                    let text = std::fs::read_to_string(home.path(name)).unwrap();
                    assert!(text == "old" || text.ends_with('\n'), "{name} is neither old nor whole");
                }
            }
        }
        println!("SIG{signal}: {trials_made} trials, {codes} ended by it; no child, no temporary file, no half target");
        assert!(codes > 0, "no trial was ended by SIG{signal}");
    }
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
    assert_eq!(crate::program::finish(next, "").code, Some(0));
    assert_eq!(unfinished(&home.path("tmp")), Vec::<String>::new());
    let place = home.path("tshark").display().to_string();
    // Nothing can be ended by a process that is killed; its temporary files are all that it leaves.
    let _ = Command::new("pkill").args(["-f", &place]).status();
}
