//! One line tried in each of the three run modes: as a command, in a script, at the prompt.
#![cfg(unix)]

use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{ControlCode, Eof, Expect, Session};

use crate::support::program::{Home, finish};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A line that must fail, and how.
#[derive(Debug, Clone, Copy)]
pub struct Refusal<'a> {
    /// The program's flags.
    pub flags: &'a [&'a str],
    /// The line, without quotes or blanks within words.
    pub line: &'a str,
    /// What it says, all of it, after `error: ` or `FILE:LINE: `.
    pub says: &'a str,
    /// 1 failed, 2 wrong usage.
    pub code: i32,
}

impl Refusal<'_> {
    /// Tries it as one command, in a script and at the prompt; the shell must survive it.
    pub fn check(&self, home: &Home) {
        self.as_one_command(home);
        self.in_a_script(home);
        self.at_the_prompt(home);
    }

    pub fn as_one_command(&self, home: &Home) {
        let mut program = home.program();
        program.args(self.flags).args(self.line.split(' '));
        let done = finish(program, "");
        let expected = format!("error: {}\n", self.says);
        assert_eq!(
            (&*without_usage(&done.messages), done.results.as_str(), done.code),
            (&*expected, "", Some(self.code)),
            "{self:?}"
        );
    }

    pub fn in_a_script(&self, home: &Home) {
        home.write("lines.txt", format!("# what follows fails\n\n{}\nhelp quit\n", self.line));
        let mut program = home.program();
        program.args(self.flags).arg("lines.txt");
        let done = finish(program, "");
        let expected = format!("lines.txt:3: {}\n", self.says);
        assert_eq!(
            (&*without_usage(&done.messages), done.results.as_str(), done.code),
            (&*expected, "", Some(self.code)),
            "{self:?}"
        );
    }

    pub fn at_the_prompt(&self, home: &Home) {
        let mut prompt = Prompt::open(home, self.flags);
        let shown = prompt.answer(self.line);
        assert_eq!(without_usage(shown.trim_end()).trim_end(), format!("error: {}", self.says), "{self:?}");
        let page = prompt.answer("help quit");
        assert!(page.contains("Usage: quit"), "{self:?}: the shell is not usable afterwards: {page}");
        prompt.leave();
    }
}

/// What was said without the line that shows how a command is used, which follows a refusal of its arguments.
pub fn without_usage(messages: &str) -> String {
    messages.split_inclusive('\n').filter(|line| !line.starts_with("usage: ")).collect()
}

/// The program at a pseudo-terminal.
pub struct Prompt {
    session: OsSession,
    /// Everything that the program wrote.
    pub seen: String,
}

impl Prompt {
    /// Starts the program and waits for its first prompt.
    pub fn open(home: &Home, flags: &[&str]) -> Self {
        let mut program = home.program();
        program.args(flags).env("NO_COLOR", "1");
        Self::start(program)
    }

    /// Starts `program` and waits for its first prompt.
    pub fn start(program: std::process::Command) -> Self {
        Self::start_at_width(program, 250)
    }

    /// The same at a terminal of this many columns.
    pub fn start_at_width(program: std::process::Command, columns: u16) -> Self {
        let mut session = Session::spawn(program).unwrap();
        session.get_process_mut().set_window_size(columns, 50).unwrap();
        session.set_expect_timeout(Some(PATIENCE));
        let mut prompt = Prompt { session, seen: String::new() };
        prompt.until("> ");
        prompt
    }

    /// Everything up to and with `end`.
    pub fn until(&mut self, end: &str) -> String {
        let found = match self.session.expect(end) {
            Ok(found) => found,
            Err(error) => panic!("{error} while waiting for {end:?} after:\n{}", self.seen.escape_debug()),
        };
        let text = String::from_utf8_lossy(found.as_bytes()).into_owned();
        self.seen.push_str(&text);
        text
    }

    /// Types `keys` and nothing else.
    pub fn type_keys(&mut self, keys: &str) {
        self.session.send(keys).unwrap();
    }

    /// Presses Ctrl-C.
    pub fn interrupt(&mut self) {
        self.session.send(ControlCode::EndOfText).unwrap();
    }

    /// Types `line` and returns what was printed for it, without the echo and the next prompt.
    pub fn answer(&mut self, line: &str) -> String {
        self.session.send(line).unwrap();
        self.session.send("\r").unwrap();
        self.printed()
    }

    /// What is printed from the end of the line to the next prompt.
    pub fn printed(&mut self) -> String {
        // The line editor ends the line that was typed with its own end of line, then raw mode is left.
        self.until("\n");
        let shown = self.until("mptcpanalyzer");
        // The rest of the prompt.
        self.until("> ");
        let shown = shown.strip_suffix("mptcpanalyzer").unwrap_or(&shown);
        plain(shown)
    }

    /// Leaves with Ctrl-D; the program must end with 0.
    pub fn leave(mut self) {
        self.session.send(ControlCode::EndOfTransmission).unwrap();
        self.session.expect(Eof).unwrap();
        let status = self.session.get_process().wait().unwrap();
        assert!(matches!(status, WaitStatus::Exited(_, 0)), "{status:?}");
        assert!(!self.seen.contains("panicked"), "{}", self.seen);
    }
}

/// Text without the escape sequences of the line editor and the carriage returns of the terminal.
pub fn plain(text: &str) -> String {
    let mut kept = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\x1b' => {
                // CSI … final byte; others have one character more.
                if characters.next() == Some('[') {
                    characters.by_ref().find(|c| ('@'..='~').contains(c));
                }
            }
            '\r' => {}
            other => kept.push(other),
        }
    }
    kept
}
