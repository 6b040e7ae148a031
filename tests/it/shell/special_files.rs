//! Named pipes without a partner, terminals and other special files, as input and output: opened without waiting for
//! ever, refused in one sentence, or ended by Ctrl-C.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;

use crate::support::program::{Finished, Home, examples};

fn pipe(home: &Home, name: &str) {
    nix::unistd::mkfifo(&home.path(name), Mode::S_IRWXU).unwrap();
}

/// Runs the program until it says what it has to say, at most ten seconds; Ctrl-C is sent after one.
fn run(home: &Home, arguments: &[&str], interrupt: bool) -> Finished {
    let mut program = home.program();
    program.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let started = Instant::now();
    let mut sent = !interrupt;
    while child.try_wait().unwrap().is_none() {
        if !sent && started.elapsed() > Duration::from_millis(700) {
            sent = true;
            Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        }
        if started.elapsed() > Duration::from_secs(15) {
            let _ = child.kill();
            panic!("{arguments:?} hangs");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Finished::from(child.wait_with_output().unwrap())
}

fn example() -> String {
    examples().expect("the examples are shipped").join("client.pcapng").display().to_string()
}

#[test]
fn a_pipe_that_nobody_reads_is_no_output() {
    let home = Home::new();
    pipe(&home, "pipe");
    let capture = example();
    for output in [
        &["lc", "-o", "pipe"][..],
        &["export", "pipe", "--format", "csv"],
        &["plot", "dsn", "0", "-o", "pipe", "--format", "svg"],
    ] {
        let done = run(&home, &[&["--load", capture.as_str()], output].concat(), false);
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.messages.contains("cannot write pipe: no reader on this pipe"), "{done:?}");
    }
    for sign in [">", ">>"] {
        home.write("lines", format!("load_pcap {capture}\nlc {sign} pipe\n"));
        let done = run(&home, &["lines"], false);
        assert!(done.messages.contains("no reader on this pipe"), "{sign}: {done:?}");
    }
}

#[test]
fn a_pipe_that_nobody_writes_to_is_waited_for_until_ctrl_c() {
    let home = Home::new();
    pipe(&home, "pipe");
    pipe(&home, "pipe.toml");
    let capture = example();
    for input in [
        &["--load", "pipe", "lc"][..],
        &["-b", "pipe"],
        &["--config", "pipe.toml", "help"],
        &["--load", &capture, "plot", "dsn", "0", "--style", "pipe.toml", "-o", "x.svg"],
        &["--test", "pipe"],
    ] {
        let done = run(&home, input, true);
        assert_eq!(done.code, Some(130), "{input:?}: {done:?}");
    }
}

#[test]
fn a_socket_and_a_directory_are_refused_in_one_sentence() {
    let home = Home::new();
    let _listener = std::os::unix::net::UnixListener::bind(home.path("socket")).unwrap();
    let done = run(&home, &["--load", "socket", "lc"], false);
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.messages.contains("socket: it is a socket; name a file or a pipe"), "{done:?}");
    std::fs::create_dir(home.path("folder")).unwrap();
    let done = run(&home, &["-b", "folder"], false);
    assert!(done.messages.contains("folder") && done.messages.contains("directory"), "{done:?}");
}

#[test]
fn special_files_in_the_cache_are_neither_waited_for_nor_followed() {
    let Some(tshark) =
        std::env::split_paths(&std::env::var_os("PATH").unwrap()).map(|p| p.join("tshark")).find(|p| p.is_file())
    else {
        return;
    };
    let home = Home::new();
    let capture = example();
    let load = ["--dissector", "tshark", "--load", capture.as_str(), "lc"];
    assert!(tshark.is_file());
    let first = run(&home, &load, false);
    assert_eq!(first.code, Some(0), "{first:?}");
    let cache = home.path("cache/mptcpanalyzer");
    let entry = std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).find(|path| {
        path.extension().is_some_and(|ending| ending != "json" && ending != "txt")
            && path.metadata().unwrap().len() > 1000
    });
    let entry = entry.expect("the capture was cached");
    std::fs::remove_file(&entry).unwrap();
    nix::unistd::mkfifo(&entry, Mode::S_IRWXU).unwrap();
    let again = run(&home, &load, false);
    assert_eq!((again.code, &again.results), (Some(0), &first.results), "{again:?}");
    std::fs::remove_file(&entry).unwrap();
    std::os::unix::fs::symlink(home.path("elsewhere"), &entry).unwrap();
    let again = run(&home, &load, false);
    assert_eq!((again.code, &again.results), (Some(0), &first.results), "{again:?}");
    assert!(!home.path("elsewhere").exists(), "a dangling link was followed");
}
