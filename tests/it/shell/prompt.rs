//! The prompt at a real (pseudo-)terminal.
#![cfg(unix)]

use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Session};

use crate::support::program::Home;
use crate::support::three_modes::Prompt;

const PROMPT: &str = "mptcpanalyzer> ";
const TAB: &str = "\t";
const UP: &str = "\x1b[A";

fn open(home: &Home) -> OsSession {
    let mut program = home.program();
    program.env("NO_COLOR", "1");
    let mut session = Session::spawn(program).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    session.expect(PROMPT).unwrap();
    session
}

/// Ends the session with Ctrl-D and sees the program end without a failure.
fn leave(mut session: OsSession) {
    session.send(ControlCode::EndOfTransmission).unwrap();
    session.expect(Eof).unwrap();
    let status = session.get_process().wait().unwrap();
    assert!(matches!(status, expectrl::process::unix::WaitStatus::Exited(_, 0)), "{status:?}");
}

#[test]
fn tab_completes_commands_and_arguments() {
    let home = Home::new();
    let mut session = open(&home);
    session.send("hel").unwrap();
    session.send(TAB).unwrap();
    session.send("qui").unwrap();
    session.send(TAB).unwrap();
    session.expect("help quit").unwrap();
    session.send("\r").unwrap();
    session.expect("Usage: quit").unwrap();
    session.expect(PROMPT).unwrap();
    leave(session);
}

#[test]
fn an_error_does_not_end_it_and_history_brings_lines_back() {
    let home = Home::new();
    let mut session = open(&home);
    session.send("hlep\r").unwrap();
    session.expect("error: unknown command `hlep`; did you mean `help`?").unwrap();
    session.expect(PROMPT).unwrap();
    session.send("help quit\r").unwrap();
    session.expect("Usage: quit").unwrap();
    session.expect(PROMPT).unwrap();
    session.send(UP).unwrap();
    session.expect("help quit").unwrap();
    session.send("\r").unwrap();
    session.expect("Usage: quit").unwrap();
    session.expect(PROMPT).unwrap();
    leave(session);

    // The next session remembers, also what the first did not end with.
    let mut session = open(&home);
    session.send(UP).unwrap();
    session.expect("help quit").unwrap();
    session.send(UP).unwrap();
    session.expect("hlep").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect(PROMPT).unwrap();
    leave(session);
    let history = std::fs::read_to_string(home.path("state/mptcpanalyzer/history")).unwrap();
    assert!(history.ends_with("hlep\nhelp quit\n"), "{history:?}");
}

#[test]
fn ctrl_c_abandons_the_line() {
    let home = Home::new();
    let mut session = open(&home);
    session.send("quit").unwrap();
    session.expect("quit").unwrap();
    session.send(ControlCode::EndOfText).unwrap();
    session.expect(PROMPT).unwrap();
    session.send("help quit\r").unwrap();
    session.expect("Usage: quit").unwrap();
    session.expect(PROMPT).unwrap();
    leave(session);
    let history = std::fs::read_to_string(home.path("state/mptcpanalyzer/history")).unwrap();
    assert!(!history.lines().any(|line| line == "quit"), "{history:?}");
}

#[test]
fn quit_leaves() {
    let home = Home::new();
    let mut session = open(&home);
    session.send("exit\r").unwrap();
    session.expect(Eof).unwrap();
}

#[test]
fn a_history_that_cannot_be_kept_is_only_a_warning() {
    let home = Home::new();
    home.write("state", "a file where the directory should be");
    let mut program = home.program();
    program.env("NO_COLOR", "1");
    let mut session = Session::spawn(program).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    session.expect("warning: ").unwrap();
    session.expect("the history is not saved").unwrap();
    session.expect(PROMPT).unwrap();
    session.send("help quit\r").unwrap();
    session.expect("Usage: quit").unwrap();
    session.expect(PROMPT).unwrap();
    leave(session);
}

#[test]
fn a_capture_that_cannot_be_loaded_leaves_the_prompt() {
    let home = Home::new();
    let mut program = home.program();
    program.args(["--load", "absent.pcap"]).env("NO_COLOR", "1");
    let mut session = Session::spawn(program).unwrap();
    session.set_expect_timeout(Some(Duration::from_secs(20)));
    session.expect("error: absent.pcap: no such file; check the path").unwrap();
    session.expect(PROMPT).unwrap();
    leave(session);
}

#[test]
fn a_name_that_is_not_utf_8_costs_neither_the_prompt_nor_the_capture() {
    let home = Home::new();
    let odd = std::ffi::OsStr::from_bytes(b"odd\xff.pcap");
    std::fs::write(home.path(".").join(odd), "x").unwrap();
    let capture = crate::support::program::examples().expect("the examples are shipped").join("client.pcapng");
    let mut session = open(&home);
    session.send(format!("load_pcap {}\r", capture.display())).unwrap();
    session.expect("mptcpanalyzer [client.pcapng]> ").unwrap();
    session.send("load_pcap o*\r").unwrap();
    session.expect("is not a readable capture").unwrap();
    session.expect("mptcpanalyzer [client.pcapng]> ").unwrap();
    session.send("lc o").unwrap();
    session.send(TAB).unwrap();
    session.send("\x15").unwrap();
    session.send("lt\r").unwrap();
    session.expect("10.0.1.1:43958").unwrap();
    session.expect("mptcpanalyzer [client.pcapng]> ").unwrap();
    leave(session);
}

#[test]
fn sigterm_ends_it() {
    let home = Home::new();
    let session = open(&home);
    let id = session.get_process().pid();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id.as_raw()), nix::sys::signal::SIGTERM).unwrap();
    let status = session.get_process().wait().unwrap();
    assert!(matches!(status, expectrl::process::unix::WaitStatus::Exited(_, 143)), "{status:?}");
}

#[test]
fn a_byte_that_is_not_utf_8_costs_only_its_line() {
    let home = Home::new();
    let capture = crate::support::program::examples().expect("the examples are shipped").join("client.pcapng");
    let mut session = open(&home);
    session.send(format!("load_pcap {}\r", capture.display())).unwrap();
    session.expect("mptcpanalyzer [client.pcapng]> ").unwrap();
    // Latin-1. What follows the byte is no line of its own.
    for line in [b"ls caf\xe9\r".as_slice(), b"ls \xe9t\xe9; quit\r", b"\xff\rquit\r"] {
        session.send(line).unwrap();
        session.expect("a byte that is not UTF-8").unwrap();
        session.expect("mptcpanalyzer [client.pcapng]> ").unwrap();
    }
    session.send("lt\r").unwrap();
    session.expect("10.0.1.1:43958").unwrap();
    session.expect("mptcpanalyzer [client.pcapng]> ").unwrap();
    leave(session);
}

#[test]
fn sigterm_ends_an_idle_prompt_at_once() {
    let home = Home::new();
    let mut session = open(&home);
    std::thread::sleep(Duration::from_millis(200));
    let id = session.get_process().pid().to_string();
    std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap();
    let sent = std::time::Instant::now();
    session.expect(Eof).unwrap();
    let status = session.get_process().wait().unwrap();
    assert!(sent.elapsed() < Duration::from_millis(700), "{:?}", sent.elapsed());
    assert!(matches!(status, expectrl::process::unix::WaitStatus::Exited(_, 143)), "{status:?}");
}

/// An open quote asks for more, and Ctrl-C or Ctrl-D drop what was begun.
#[test]
fn a_line_goes_on_behind_a_prompt_of_its_own() {
    let home = Home::new();
    let mut prompt = Prompt::open(&home, &[]);
    prompt.type_keys("!echo 'one\r");
    prompt.until("\r\n");
    prompt.until("> ");
    prompt.type_keys("two'\r");
    prompt.until("one\r\ntwo");
    prompt.until("mptcpanalyzer> ");
    // Typed ahead, while the first line is still looked at.
    prompt.type_keys("!echo 'three\rfour'\r!echo five\r");
    prompt.until("three\r\nfour");
    prompt.until("\r\nfive");
    for key in ["\x03", "\x04"] {
        // Like no line of the history, which would be hinted at.
        prompt.type_keys("help 'lost\r");
        prompt.until("lost");
        prompt.until("\r\n");
        prompt.until("> ");
        prompt.type_keys(key);
        prompt.until("mptcpanalyzer> ");
        prompt.type_keys("!echo kept\r");
        assert!(!prompt.until("\r\nkept").contains("\r\nlost"));
        prompt.until("> ");
    }
    prompt.leave();
}

/// What Ctrl-C leaves of a line is what was typed.
#[test]
fn a_hint_does_not_stay_behind() {
    let home = Home::new();
    let mut prompt = Prompt::open(&home, &[]);
    prompt.type_keys("rtt ");
    prompt.until("MPTCPSTREAM");
    prompt.type_keys("\x03");
    // One row up, all of it cleared, and the line again.
    let after = prompt.until("\x1b[1A\r\x1b[J");
    assert!(!after.contains("MPTCPSTREAM"), "{after:?}");
    assert!(!prompt.until("rtt \r\n").contains("MPTCPSTREAM"));
    prompt.until("mptcpanalyzer> ");
    prompt.leave();
}
