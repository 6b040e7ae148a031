//! The three run modes as processes: what goes where, and the exit code.

use std::io::Read;
use std::process::Stdio;

use crate::support::program::{Home, finish};

#[test]
fn one_command_prints_its_result_and_nothing_else() {
    let done = Home::new().run(&["help"], "");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.results.contains("List the commands"), "{done:?}");
    assert_eq!(done.messages, "");
    assert!(!done.results.contains('\x1b'), "no colours without a terminal: {done:?}");
}

#[test]
fn minus_and_underscore_and_aliases_name_the_same_command() {
    let home = Home::new();
    let page = home.run(&["help", "quit"], "");
    assert_eq!(page.code, Some(0));
    for words in [["?", "quit"], ["help", "exit"], ["quit", "--help"], ["exit", "-h"]] {
        assert_eq!(home.run(&words, "").results, page.results, "{words:?}");
    }
}

#[test]
fn a_script_file_runs_with_and_without_batch() {
    let home = Home::new();
    home.write("lines.txt", "#!/usr/bin/env mptcpanalyzer\n\nhelp quit # the page\n");
    let expected = home.run(&["help", "quit"], "").results;
    for arguments in [&["lines.txt"][..], &["--batch", "lines.txt"], &["-b", "./lines.txt"]] {
        let done = home.run(arguments, "");
        assert_eq!((done.code, done.results.as_str(), done.messages.as_str()), (Some(0), expected.as_str(), ""));
    }
    for arguments in [&[][..], &["-b", "-"]] {
        let done = home.run(arguments, "help quit\n");
        assert_eq!((done.code, done.results.as_str(), done.messages.as_str()), (Some(0), expected.as_str(), ""));
    }
}

#[test]
fn a_script_stops_at_its_first_failure() {
    let home = Home::new();
    home.write("lines.txt", "# first\nhelp quit\nhlep\nhelp help\n");
    let done = home.run(&["lines.txt"], "");
    assert_eq!(done.code, Some(2));
    assert_eq!(done.messages, "lines.txt:3: unknown command `hlep`; did you mean `help`?\n");
    assert!(done.results.contains("Usage: quit") && !done.results.contains("Usage: help"), "{done:?}");

    let done = home.run(&["--keep-going", "lines.txt"], "");
    assert_eq!(done.code, Some(2));
    assert!(done.results.contains("Usage: help"), "{done:?}");

    let done = home.run(&[], "hlep\n");
    assert_eq!(done.messages, "<stdin>:1: unknown command `hlep`; did you mean `help`?\n");
}

#[test]
fn wrong_usage_ends_with_2_and_one_sentence() {
    let home = Home::new();
    home.write("capture.pcapng", b"\x0a\x0d\x0d\x0a\x1c\0\0\0");
    for (arguments, part) in [
        (&["hlep"][..], "did you mean `help`?"),
        (&["help", "quti"], "did you mean `quit`?"),
        (&["quit", "now"], "unexpected argument 'now' found; see `help quit`"),
        (&["--lod", "x"], "a similar argument exists: '--load'; see `mptcpanalyzer --help`"),
        (&["--format", "jsn", "help"], "a similar value exists: 'json'"),
        (&["-b", "x", "help"], "use one of them"),
        (&["capture.pcapng"], "mptcpanalyzer --load capture.pcapng"),
        (&["absent.txt"], "absent.txt is neither a command nor a file"),
        (&["."], ". is a directory"),
        (&["he\x1b[2Jlp"], "unknown command `he\\u{1b}[2Jlp`"),
    ] {
        let done = home.run(arguments, "");
        assert_eq!((done.code, done.results.as_str()), (Some(2), ""), "{arguments:?}: {done:?}");
        assert!(done.messages.starts_with("error: ") && done.messages.contains(part), "{arguments:?}: {done:?}");
        let usage: Vec<&str> = done.messages.lines().skip(1).collect();
        let expected: &[&str] = if arguments[0] == "quit" { &["usage: quit"] } else { &[] };
        assert_eq!(usage, expected, "{arguments:?}: {done:?}");
    }
}

#[test]
fn a_capture_that_cannot_be_loaded_ends_with_1() {
    let home = Home::new();
    for (arguments, input) in [(&["--load", "absent.pcap", "help"][..], ""), (&["-l", "absent.pcap"], "help\n")] {
        let done = home.run(arguments, input);
        assert_eq!((done.code, done.results.as_str()), (Some(1), ""), "{done:?}");
        assert_eq!(done.messages, "error: absent.pcap: no such file; check the path\n");
    }
    let done = home.run(&["--batch", "absent.txt"], "");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.starts_with("error: cannot read absent.txt: "), "{done:?}");
}

#[test]
fn help_and_version_are_answers() {
    let home = Home::new();
    let done = home.run(&["--version"], "");
    assert_eq!(
        (done.code, done.results.as_str()),
        (Some(0), concat!("mptcpanalyzer ", env!("CARGO_PKG_VERSION"), "\n"))
    );
    let done = home.run(&["--help"], "");
    assert_eq!((done.code, done.messages.as_str()), (Some(0), ""));
    for flag in ["--load", "--batch", "--cachedir", "--no-cache", "--keep-going", "--human-readable", "--format"] {
        assert!(done.results.contains(flag), "{flag} is not in {}", done.results);
    }
}

#[test]
fn debugging_tells_what_runs() {
    let done = Home::new().run(&["-vv", "help", "quit"], "");
    assert!(done.messages.contains("running: help quit\n") && done.messages.contains("help took "), "{done:?}");
    assert_eq!(Home::new().run(&["help", "quit"], "").messages, "");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let home = Home::new();
    let lines = "help\n".repeat(2000);
    home.write("lines.txt", &lines);
    let mut program = home.program();
    program.arg("lines.txt").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut first = [0; 10];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_output_is_a_failure() {
    let mut program = Home::new().program();
    program.current_dir("/").arg("help").stdin(Stdio::null()).stderr(Stdio::piped());
    program.stdout(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let output = program.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let messages = String::from_utf8(output.stderr).unwrap();
    assert!(messages.starts_with("error: cannot write to standard output: "), "{messages}");
}

#[test]
#[cfg(unix)]
fn names_that_are_not_text_work() {
    use std::os::unix::ffi::OsStringExt;
    let home = Home::new();
    let odd = std::ffi::OsString::from_vec(b"odd\xff.txt".to_vec());
    std::fs::write(home.path("").join(&odd), "help quit\n").unwrap();
    let mut program = home.program();
    program.arg(&odd);
    let done = finish(program, "");
    assert_eq!((done.code, done.messages.as_str()), (Some(0), ""));
    let mut program = home.program();
    program.arg("--load").arg(std::ffi::OsString::from_vec(b"no\xff.pcap".to_vec())).arg("help");
    let done = finish(program, "");
    assert_eq!(done.code, Some(1));
    assert!(done.messages.contains("no such file"), "{done:?}");
}

#[test]
#[cfg(unix)]
fn interrupt_ends_a_script_that_waits_for_input() {
    let home = Home::new();
    let mut program = home.program();
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, b"help\n").unwrap();
    // Output means that the handler is in place.
    let mut first = [0; 10];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    let started = std::time::Instant::now();
    let killed = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(130));
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
    drop(input);
}
