//! Scripts: one command per line, `#` starts a comment.

use std::io::{BufRead, Read};
use std::ops::ControlFlow;

use super::console::Console;
use super::executor::{Executor, is_interrupt};
use super::exit_code;
use super::line::Openness;
use crate::cli::Level;
use crate::error::Error;
use mptcp_trace::interrupt;

/// No command is this long: what is, is not a script (a device, a capture), and is not read into memory.
const LONGEST_LINE: u64 = 1 << 20;

/// Runs the lines of `input`, called `name` in messages, and returns the exit code: 0, or the code of the first
/// failure. Stops at the first failure unless `keep_going`; at `quit`; when the output is closed; on Ctrl-C.
pub fn run(
    executor: &mut Executor,
    console: &mut Console<'_>,
    input: &mut dyn BufRead,
    name: &str,
    keep_going: bool,
) -> u8 {
    let mut code = 0;
    let mut lines = Lines::new(input);
    loop {
        let error = match lines.next() {
            Ok(None) => return code,
            Ok(Some((number, line))) => match run_line(executor, console, &line) {
                Ok(ControlFlow::Break(())) => return code,
                Ok(ControlFlow::Continue(())) => continue,
                Err(error) => (number, error),
            },
            Err(error) => {
                console.error_at(name, lines.number.saturating_add(1), &error);
                return exit_code(&error);
            }
        };
        let (number, error) = error;
        if matches!(error, Error::OutputClosed) {
            return code;
        }
        console.error_at(name, number, &error);
        if is_interrupt(&error) {
            return exit_code(&error);
        }
        if code == 0 {
            code = exit_code(&error);
        }
        if !keep_going {
            return code;
        }
    }
}

/// Runs the lines of a script that a command started.
///
/// # Errors
/// The first failure, with the script's name and the line.
pub fn nested(
    executor: &mut Executor,
    console: &mut Console<'_>,
    input: &mut dyn BufRead,
    name: &str,
) -> Result<ControlFlow<()>, Error> {
    let mut lines = Lines::new(input);
    loop {
        let number = lines.number.saturating_add(1);
        let Some((number, line)) = lines.next().map_err(|error| at(name, number, error))? else {
            return Ok(ControlFlow::Continue(()));
        };
        if run_line(executor, console, &line).map_err(|error| at(name, number, error))? == ControlFlow::Break(()) {
            return Ok(ControlFlow::Break(()));
        }
    }
}

fn run_line(executor: &mut Executor, console: &mut Console<'_>, line: &[u8]) -> Result<ControlFlow<()>, Error> {
    if executor.session.settings.echo && !line.trim_ascii().is_empty() {
        console.trace(Level::Error, &format!("> {}", String::from_utf8_lossy(line)));
    }
    match executor.line(line, console) {
        Ok(ControlFlow::Continue(())) if interrupt::requested() => Err(Error::Interrupted),
        other => other,
    }
}

/// The error with its place in front, unless it is none that a line is to blame for.
fn at(name: &str, number: u64, error: Error) -> Error {
    match error {
        error if is_interrupt(&error) || matches!(error, Error::OutputClosed) => error,
        Error::Usage(sentence) => Error::Usage(format!("{name}:{number}: {sentence}")),
        other => Error::Failed(format!("{name}:{number}: {other}")),
    }
}

/// The lines of a script; one that ends within quotes or in a backslash goes on with the next.
struct Lines<'a> {
    input: &'a mut dyn BufRead,
    /// Lines read so far.
    number: u64,
}

impl<'a> Lines<'a> {
    fn new(input: &'a mut dyn BufRead) -> Self {
        Lines { input, number: 0 }
    }

    /// The next line and its number, or `None` at the end of the script.
    fn next(&mut self) -> Result<Option<(u64, Vec<u8>)>, Error> {
        let mut openness = Openness::default();
        let mut text = Vec::new();
        let first = self.number.saturating_add(1);
        loop {
            let before = text.len();
            if !append_line(self.input, &mut text)? {
                return Ok((!text.is_empty()).then_some((first, text)));
            }
            self.number = self.number.saturating_add(1);
            if self.number == 1 && text.starts_with(b"\xef\xbb\xbf") {
                text.drain(..3);
            }
            openness.read(text.get(before..).unwrap_or_default());
            if !openness.is_open() {
                return Ok(Some((first, text)));
            }
            text.push(b'\n');
            openness.read(b"\n");
        }
    }
}

/// Appends the next line to `text` without its end; false at the end of the script.
fn append_line(input: &mut dyn BufRead, text: &mut Vec<u8>) -> Result<bool, Error> {
    let room = LONGEST_LINE.saturating_sub(text.len() as u64);
    let read = input.take(room).read_until(b'\n', text).map_err(|source| match source.get_ref() {
        Some(inner) if inner.is::<interrupt::Interrupted>() => Error::Interrupted,
        _ => Error::Failed(format!("cannot read the script: {source}")),
    })?;
    if read == 0 && room > 0 {
        // Who sends a signal may close the pipe as well.
        interrupt::check()?;
        return Ok(false);
    }
    if text.len() as u64 >= LONGEST_LINE {
        return Err(Error::Usage("line longer than 1 MiB; name a script with one command per line".to_string()));
    }
    for end in [b'\n', b'\r'] {
        if text.last() == Some(&end) {
            text.pop();
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Session;
    use crate::config::Config;

    fn script(text: &str, keep_going: bool) -> (u8, String) {
        let (mut results, mut messages) = (Vec::new(), Vec::new());
        let mut console = Console {
            results: &mut results,
            messages: &mut messages,
            size: || None,
            colour: false,
            level: Level::Warn,
            shared: false,
        };
        let mut executor = Executor::new(Session::new(Config::default(), None));
        let code = run(&mut executor, &mut console, &mut text.as_bytes(), "s.txt", keep_going);
        (code, String::from_utf8(messages).unwrap())
    }

    #[test]
    fn stops_at_the_first_failure_and_names_the_line() {
        let (code, messages) = script("\u{feff}# a comment\r\n\r\nhelp\r\nnope\nzilch\n", false);
        assert_eq!(code, 2);
        assert_eq!(messages, "s.txt:4: unknown command `nope`; `help` lists them all\n");
    }

    #[test]
    fn keeps_going_when_asked() {
        let (code, messages) = script("nope\nhelp\nzilch", true);
        assert_eq!(code, 2);
        let lines: Vec<&str> = messages.lines().map(|line| line.split(": ").next().unwrap()).collect();
        assert_eq!(lines, ["s.txt:1", "s.txt:3"]);
    }

    #[test]
    fn quit_ends_it() {
        assert_eq!(script("quit\nnope\n", false), (0, String::new()));
        assert_eq!(script("", false), (0, String::new()));
    }

    #[test]
    fn an_endless_line_is_refused() {
        let (code, messages) = script(&"x".repeat(3 << 20), true);
        assert_eq!(code, 2);
        assert_eq!(messages, "s.txt:1: line longer than 1 MiB; name a script with one command per line\n");
    }
}
