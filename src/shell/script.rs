//! Scripts: one command a line, `#` starts a comment.

use std::io::{BufRead, Read};

use super::console::Console;
use super::executor::{Executor, Flow, is_interrupt};
use super::exit_code;
use crate::error::Error;
use crate::interrupt;

/// No command is this long: what is, is no script (a device, a capture), and is not read into memory.
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
    let mut number: u64 = 0;
    loop {
        number = number.saturating_add(1);
        let error = match next_line(input) {
            Ok(None) => return code,
            Ok(Some(line)) => match executor.line(line_content(&line, number), console) {
                Ok(Flow::Leave) => return code,
                Ok(Flow::Continue) if interrupt::requested() => Error::Interrupted,
                Ok(Flow::Continue) => continue,
                Err(error) => error,
            },
            Err(error) => {
                console.error_at(name, number, &error);
                return exit_code(&error);
            }
        };
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

/// The next line with its end, or `None` at the end of the script.
fn next_line(input: &mut dyn BufRead) -> Result<Option<Vec<u8>>, Error> {
    let mut line = Vec::new();
    let read = input
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)
        .map_err(|source| Error::Failed(format!("cannot read the script: {source}")))?;
    if read == 0 {
        return Ok(None);
    }
    if line.len() as u64 >= LONGEST_LINE {
        return Err(Error::Usage("the line is longer than 1 MiB: name a script of commands, one a line".to_string()));
    }
    Ok(Some(line))
}

/// A line without its end and, on the first, without the mark that some editors put before UTF-8.
fn line_content(line: &[u8], number: u64) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if number == 1 { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Level;
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
        };
        let mut executor = Executor::new(Session::new(Config::default(), None));
        let code = run(&mut executor, &mut console, &mut text.as_bytes(), "s.txt", keep_going);
        (code, String::from_utf8(messages).unwrap())
    }

    #[test]
    fn stops_at_the_first_failure_and_names_the_line() {
        let (code, messages) = script("\u{feff}# a comment\r\n\r\nhelp\r\nnope\nzilch\n", false);
        assert_eq!(code, 2);
        assert_eq!(messages, "s.txt:4: unknown command `nope`; type `help` to see them all\n");
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
        assert_eq!(messages, "s.txt:1: the line is longer than 1 MiB: name a script of commands, one a line\n");
    }
}
