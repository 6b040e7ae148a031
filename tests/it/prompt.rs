//! The prompt at a real (pseudo-)terminal.
#![cfg(unix)]

use std::time::Duration;

use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Session};

use crate::program::Home;

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
    session.expect("lines are not kept after this session").unwrap();
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
