//! What ends the program while it waits, or while it writes: the exit code says which, at once, and nothing is left.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::program::{Home, examples, finish};

/// What waits for input ends well before the second that working commands are given.
const AT_ONCE: Duration = Duration::from_millis(700);

/// Sends `signal` to a program that waits for its standard input; its exit code and how long it then took.
fn ended_while_waiting(arguments: &[&str], signal: &str, begun: Option<&str>) -> (Option<i32>, Duration, String) {
    let home = Home::new();
    let mut program = home.program();
    program.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    // Waiting for the child would close it.
    let _input = child.stdin.take().unwrap();
    let mut messages = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    if let Some(begun) = begun {
        while !said.contains(begun) && messages.read_line(&mut said).unwrap() > 0 {}
    }
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(child.try_wait().unwrap(), None, "{arguments:?} waits: {said}");
    Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status().unwrap();
    let sent = Instant::now();
    let status = child.wait().unwrap();
    let taken = sent.elapsed();
    messages.read_to_string(&mut said).unwrap();
    assert_eq!(status.signal(), None, "{said}");
    (status.code(), taken, said)
}

/// The numbers are those of signal(7), 128 more than the signal's, as shells have it.
#[test]
fn what_waits_for_standard_input_ends_at_once() {
    for arguments in [["-l", "-", "list_tcp_connections"].as_slice(), &["-b", "-"]] {
        for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
            let (ended, taken, said) = ended_while_waiting(arguments, signal, None);
            assert_eq!(ended, Some(code), "{arguments:?}, SIG{signal}: {said}");
            assert!(taken < AT_ONCE, "{arguments:?}, SIG{signal}: {taken:?}");
        }
    }
}

/// Ctrl-C is how `live` is meant to end, the other signals are not.
#[test]
fn the_exit_code_of_live_says_which_signal_ended_it() {
    for (signal, code) in [("INT", 0), ("TERM", 143), ("HUP", 129)] {
        let (ended, _, said) = ended_while_waiting(&["live", "-"], signal, Some("reading standard input"));
        assert_eq!(ended, Some(code), "SIG{signal}: {said}");
    }
}

/// `ulimit -f` counts blocks of 512 bytes.
#[test]
fn a_file_that_may_not_grow_is_an_error_and_leaves_nothing() {
    let home = Home::new();
    let capture = examples().expect("the examples are shipped").join("client.pcapng");
    let program = home.program();
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -f 4; exec \"$@\"", "sh"]).arg(program.get_program()).current_dir(home.path("."));
    limited.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    std::fs::create_dir(home.path("out")).unwrap();
    limited.args(["--no-cache", "-l"]).arg(capture).args(["export", "out/table.csv"]);
    let done = finish(limited, "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.messages.contains("out/table.csv") && done.messages.contains("File too large"), "{done:?}");
    assert_eq!(std::fs::read_dir(home.path("out")).unwrap().count(), 0, "{done:?}");
}
